"""Policies by a graph: what it says to adjust for, what a rule may not read, and the report of it all."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from rankwise.causal.graph import Graph
from rankwise.causal.policy import Decision
from rankwise.causal.policy_report import CAUTION, figures, report, summary
from rankwise.causal.policy_study import Asked, adjusting, study
from rankwise.causal.report import jsonable, to_html, to_markdown
from rankwise.errors import DataError, RecipeError, UnknownName
from tests.test_causal_policy import shop

EDGES = (("income", "t"), ("income", "y"), ("age", "y"), ("t", "y"))


@pytest.fixture(scope="module")
def found():
    asked = Asked(("t=1", "income+=1"), row=3, resamples=10)
    return study(shop(600), "t", "y", graph=EDGES, decision=Decision(0.4, rules=("age > 40",)), asked=asked)


def test_a_graph_and_the_list_of_its_common_causes_agree():
    by_graph = study(shop(300), "t", "y", graph=EDGES).policies
    by_list = study(shop(300), "t", "y", common_causes=by_graph.covariates).policies
    assert by_graph.covariates == ("income", "age")
    assert by_graph.values == by_list.values


def test_a_rule_may_not_read_what_the_treatment_moves():
    graph = Graph((*EDGES, ("t", "m"), ("m", "y")))
    assert adjusting(graph, "t", "y", ["age"]) == ("income", "age")
    with pytest.raises(DataError, match="'t' moves 'm'"):
        adjusting(graph, "t", "y", ["m"])


def test_a_rule_may_not_open_a_path():
    # t <- u -> z <- v -> y: z is no descendant of t, and holding it fixed joins u and v
    graph = Graph((("u", "t"), ("u", "z"), ("v", "z"), ("v", "y"), ("t", "y")), frozenset({"u", "v"}))
    assert adjusting(graph, "t", "y") == ()
    with pytest.raises(DataError, match="holding z fixed besides opens a path"):
        adjusting(graph, "t", "y", ["z"])


def test_a_hidden_common_cause_leaves_no_value():
    with pytest.raises(DataError, match="no adjustment gives what 't' does to 'y'"):
        adjusting(Graph((("u", "t"), ("u", "y"), ("t", "y")), frozenset({"u"})), "t", "y")


def test_what_is_known_is_told_beside_what_is_not(found):
    known, unknown = found.counterfactuals
    assert [w.node for w in known.nodes] == ["t", "y"]
    assert unknown.nodes == ()
    assert "'t' is one of 0, 1 and could change with 'income+=1'" in unknown.note
    assert {m.setting for m in found.interventions.means} == {"t=1", "income+=1"}


def test_the_report_tells_overlap_before_any_figure(found):
    made = to_markdown(report(found))
    order = [made.index(part) for part in (CAUTION[:40], "probability of treatment", "What each policy is worth")]
    assert order == sorted(order)
    assert "placebo" not in made  # of refuters that did not run
    assert "| age > 40 |".replace(">", "\\>") in made
    assert "95 % interval" in made
    assert "seed 0" in made
    assert "n = 600" in made
    assert to_html(report(found)).count("<svg") == 2


def test_the_figures_are_json_and_whole(found):
    held = json.loads(json.dumps(jsonable(figures(found)), allow_nan=False))
    assert held["policies"][0]["net"]["value"] == found.policies.values[0].net.value
    assert held["ate"] == found.policies.effect.value
    assert held["n"] == 600
    assert "cate" not in held
    assert len(held["interventions"]["fits"]) == 4


def test_the_summary_says_what_chance_may_explain(found):
    said = summary(found.policies)
    assert "is better than" in said
    assert "`treat all`" in said.split("Chance")[0]
    rng = np.random.default_rng(0)
    noise = shop(200).assign(y=rng.normal(size=200))
    assert "Chance may explain" in summary(study(noise, "t", "y", common_causes=["income"]).policies)


def test_a_rule_that_treats_everybody_does_the_same_as_treating_all():
    good = shop(300).assign(y=lambda d: d.y + 50 * d.t)
    said = summary(study(good, "t", "y", graph=EDGES, decision=Decision(0.0, rules=("age > 0",))).policies)
    assert said.count("It does the same in every row as") == 1
    assert {"`treat all`", "`age > 0`"} <= set(re.findall("`[^`]+`", said.partition(" It is better than")[0]))


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({}, RecipeError, "neither graph=... nor common_causes=... is given"),
        ({"common_causes": ["age"], "graph": EDGES}, RecipeError, "both given"),
        ({"common_causes": ["age"], "asked": Asked(("t=1",))}, RecipeError, "need a graph"),
        ({"graph": EDGES, "asked": Asked(row=3)}, RecipeError, "nothing is to be set"),
        ({"graph": EDGES, "asked": Asked(("t=1",), row=200)}, DataError, "rows 0 to 199"),
        ({"graph": (("q", "t"), ("t", "y"))}, UnknownName, "'q', which is no column"),
        ({"graph": (("t", "y"), ("y", "t"))}, DataError, "circle"),
    ],
)
def test_mistakes_are_named(given, error, says):
    with pytest.raises(error, match=says):
        study(shop(200), "t", "y", **given)
