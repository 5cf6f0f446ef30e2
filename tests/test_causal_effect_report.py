"""The report of an effect: every number in it, overlap before the estimate, and the caution on top."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.traps import table as made
from rankwise.causal.effect_report import figures, report, summary
from rankwise.causal.estimate import effect
from rankwise.causal.graph import Graph
from rankwise.causal.report import CAUTION, jsonable, to_html, to_json, to_markdown

EDGES = [("w", "t"), ("w", "y"), ("v", "t"), ("v", "y"), ("t", "y")]


@pytest.fixture(scope="module")
def found():
    return effect(made(500), "t", "y", graph=EDGES, effect_modifiers=["v"], simulations=2)


def test_every_part_is_there_and_overlap_stands_before_the_estimate(found):
    made_ = report(found)
    headings = [s.heading for s in made_.sections]
    assert headings == [
        "In short",
        "What the graph says",
        "Overlap, before any estimate",
        "The effect, and other estimators beside it",
        "By group",
        "Refuters",
        "How it was made",
    ]
    text = to_markdown(made_)
    assert CAUTION in text
    assert text.index("Overlap: Good") < text.index("Average effect of")
    assert text.index("What the graph says") < text.index("Overlap, before") < text.index("AIPW")
    assert all(r.sentence in text for r in found.refuters)
    assert f"500 rows, 5 folds, linear models, seed {found.settings.seed}" in text
    assert "<svg" in to_html(made_)


def test_json_has_what_a_program_asks_for(found):
    got = json.loads(to_json(report(found)))["data"]
    assert got == jsonable(figures(found))
    assert got["ate"] == found.ate
    assert got["ci"] == list(found.ci)
    assert got["overlap"]["ok"] is True
    assert {e["name"] for e in got["estimators"]} >= {"AIPW, linear", "matching", "weighting", "stratification"}
    assert {r["name"]: r["passed"] for r in got["refuters"]}["placebo"] is True
    assert got["identification"]["adjust"] == ["w", "v"]
    assert len(got["cate"][0]["levels"]) == 4
    assert got["independences"]["informative"] is False


def test_the_summary_says_whether_zero_is_left_out(found):
    assert "leaves out zero" in summary(found)
    assert "The means of the two arms differ by" in summary(found)
    rng = np.random.default_rng(0)
    nothing = pd.DataFrame({"t": rng.integers(0, 2, 100), "y": rng.normal(size=100)})
    assert "holds zero" in summary(effect(nothing, "t", "y", common_causes=[], refuters=(), compare=False))


def test_without_an_effect_the_report_says_so():
    graph = Graph((("u", "t"), ("u", "y"), ("t", "y")), frozenset("u"))
    made_ = report(effect(made(300), "t", "y", graph=graph))
    text = to_markdown(made_)
    assert "No average effect" in text
    assert "Nobody measured: u." in text
    assert "Refuters" not in [s.heading for s in made_.sections]
    assert json.loads(to_json(made_))["data"]["ate"] is None


def test_a_graph_of_many_causes_is_drawn_in_short():
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(200, 40)), columns=[f"c{i}" for i in range(40)])
    data = data.assign(t=rng.integers(0, 2, 200), y=rng.normal(size=200))
    got = effect(data, "t", "y", common_causes=[f"c{i}" for i in range(40)], refuters=(), compare=False)
    picture = report(got).pictures[0]
    assert "common causes" in picture.svg
    assert "42 nodes, drawn in short" in picture.caption


def test_a_failed_and_a_broken_refuter_are_told_apart(found):
    from dataclasses import replace

    one, other = found.refuters[:2]
    changed = replace(found, refuters=(replace(one, passed=False), replace(other, new=float("nan"), passed=None)))
    text = to_markdown(report(changed))
    assert "FAILED" in text
    assert "not run" in text
