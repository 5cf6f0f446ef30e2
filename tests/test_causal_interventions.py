"""Interventions on a whole graph, against a structural model whose answers are known."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

from rankwise.causal.graph import Graph
from rankwise.causal.interventions import counterfactual, interventions
from rankwise.causal.mechanisms import assigned, fits, fitted, nodes_of
from rankwise.errors import DataError, RecipeError, UnknownName

EDGES = [("z", "x"), ("z", "y"), ("x", "m"), ("m", "y"), ("x", "won"), ("y", "won")]


def world(n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """x = z + e, m = 2 x + e, y = m - 3 z + e; so y moves by 2 for x, while z hides it: cov says 2 - 3 / 2.

    won is 1 with probability 1 / (1 + exp(-y)).
    """
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    x = z + rng.normal(size=n)
    m = 2 * x + rng.normal(size=n)
    y = m - 3 * z + rng.normal(size=n)
    won = (rng.random(n) < 1 / (1 + np.exp(-y))).astype(int)
    return pd.DataFrame({"z": z, "x": x, "m": m, "y": y, "won": won, "unused": "words"})


def test_means_under_an_intervention_cover_the_true_ones():
    made = interventions(world(), EDGES, ["x=1", "x=0", "x+=2"], resamples=20)
    found = {(m.setting, m.node): m for m in made.means}
    truth = {("x=1", "m"): 2.0, ("x=1", "y"): 2.0, ("x=0", "y"): 0.0}
    for key, value in truth.items():
        assert found[key].set_to.low - 0.1 < value < found[key].set_to.high + 0.1
    assert found["x=1", "x"].set_to.value == 1.0
    shifted = found["x+=2", "y"].change
    assert shifted.low < 4.0 < shifted.high
    assert ("x=1", "z") not in found  # a cause is not moved by its effect
    contrast = next(c for c in made.contrasts if (c.first, c.second, c.node) == ("x=0", "x=1", "y"))
    assert contrast.change.low < -2.0 < contrast.change.high
    assert contrast.change.se < 0.15
    won = found["x=1", "won"]
    rng = np.random.default_rng(1)
    y = 2 + rng.normal(size=100_000) - 3 * rng.normal(size=100_000) + rng.normal(size=100_000)
    true_won = float(np.mean(1 / (1 + np.exp(-y))))
    assert abs(won.set_to.value - true_won) < 0.06


def test_the_fit_of_each_mechanism_is_shown():
    nodes = nodes_of(world(), Graph(tuple(EDGES)))
    made = {f.node: f for f in fits(assigned(nodes), nodes)}
    assert made["z"].share is None
    assert made["x"].share == pytest.approx(0.5, abs=0.07)  # half of x is noise
    assert made["m"].share == pytest.approx(8 / 9, abs=0.03)
    assert made["y"].mechanism == "LinearRegression + noise"
    assert made["won"].mechanism == "LogisticRegression"
    assert 0.2 < made["won"].share < 0.6


def test_a_row_as_it_would_have_been_keeps_its_noise():
    made = counterfactual(world(), EDGES[:4], 7, "x+=2", resamples=20)
    by = {w.node: w for w in made.nodes}
    row = world().iloc[7]
    assert by["x"].would_be.value == pytest.approx(row.x + 2)
    assert abs(by["y"].would_be.value - (row.y + 4)) < 3 * by["y"].would_be.se < 0.5
    assert by["m"].was == pytest.approx(row.m)
    assert "z" not in by
    assert "assumption" in made.note


def test_a_counterfactual_is_that_of_dowhy():
    from dowhy import gcm

    nodes = nodes_of(world()[["z", "x", "m", "y"]], Graph(tuple(EDGES[:4])))
    ours = counterfactual(world(), EDGES[:4], 3, "x=1", resamples=10)
    model = fitted(assigned(nodes), nodes.table)
    theirs = gcm.InvertibleStructuralCausalModel(model.graph)
    for node in nodes.order:
        theirs.set_causal_mechanism(node, model.causal_mechanism(node))
    row = gcm.counterfactual_samples(theirs, {"x": lambda _: 1.0}, observed_data=nodes.table.iloc[[3]])
    for would in ours.nodes:
        assert would.would_be.value == pytest.approx(float(row[would.node].iloc[0]), abs=1e-9)


def test_words_are_causes_and_effects():
    rng = np.random.default_rng(0)
    region = rng.choice(["east", "north", "west"], 600)
    sold = (region == "north") * 2.0 + rng.normal(size=600)
    size = np.where(sold + rng.normal(size=600) > 1, "big", "small")
    table = pd.DataFrame({"region": region, "sold": sold, "size": size})
    made = interventions(table, [("region", "sold"), ("sold", "size")], ["region=north"], resamples=15)
    found = {m.node: m.set_to.value for m in made.means}
    assert found["sold"] == pytest.approx(2.0, abs=0.25)
    assert found["region=north"] == 1.0
    assert found["region=east"] == 0.0
    assert found["size=small"] == pytest.approx(0.24, abs=0.08)  # P(N(0, 2) < -1) = .24
    with pytest.raises(DataError, match="'size' is one of big, small and could change"):
        counterfactual(table, [("region", "sold"), ("sold", "size")], 0, "sold=0")


def test_the_same_seed_gives_the_same_figures_and_leaves_other_random_numbers_alone():
    np.random.seed(5)
    random.seed(5)
    expected = (np.random.random(), random.random())
    np.random.seed(5)
    random.seed(5)
    a, b = (interventions(world(200), EDGES, ["x=1"], resamples=10, seed=3) for _ in range(2))
    assert a == b
    assert (np.random.random(), random.random()) == expected
    assert interventions(world(200), EDGES, ["x=1"], resamples=10, seed=4) != a


def test_nothing_is_printed_or_warned(capfd, caplog):
    interventions(world(200), [("z", "x"), ("x", "won")], ["x=1"], resamples=10, kind="boosting")
    out, err = capfd.readouterr()
    assert (out, err, caplog.records) == ("", "", [])


def test_setting_a_node_where_it_never_was_is_said():
    made = interventions(world(200), EDGES[:4], ["x=100"], resamples=10)
    assert any("`x=100` puts 100% of the rows where x never was" in note for note in made.notes)


def test_a_function_that_explains_nothing_is_said():
    table = world(300)
    table["m"] = np.random.default_rng(9).normal(size=300)
    made = interventions(table, [("x", "m"), ("m", "y")], ["x=1"], resamples=10)
    assert any(note.startswith("What m gets from its causes") for note in made.notes)


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        (["xx=1"], UnknownName, "Nearest: x"),
        (["x=high"], DataError, "'x' holds numbers, not 'high'"),
        (["won=2"], DataError, "'won' is one of 0, 1.\n  For instance won=1"),
        (["won+=1"], DataError, "one of 0, 1"),
        (["x"], DataError, 'Write "x=1"'),
        (["x==1"], DataError, "sets nothing"),
        (["x=1, x=2"], DataError, "sets one node twice"),
        (["x+=much"], DataError, "no number to reckon with"),
        (["x=nan"], DataError, "holds numbers, not nan"),
        ([], DataError, "nothing is to be set"),
    ],
)
def test_mistakes_are_named(settings, error, says):
    with pytest.raises(error, match=says):
        interventions(world(50), EDGES, settings, resamples=10)


def test_a_table_or_a_graph_that_does_not_do_is_named():
    table = world(50)
    with pytest.raises(DataError, match=r"circle: z -> x -> z|circle: x -> z -> x"):
        interventions(table, [("z", "x"), ("x", "z")], ["x=1"])
    with pytest.raises(DataError, match="nobody measured 'u'"):
        interventions(table, Graph((("u", "x"), ("u", "y"), ("x", "y")), frozenset({"u"})), ["x=1"])
    with pytest.raises(UnknownName, match="'q' is no column"):
        interventions(table, [("q", "x")], ["x=1"])
    with pytest.raises(RecipeError, match="resamples=3"):
        interventions(table, EDGES, ["x=1"], resamples=3)
    with pytest.raises(RecipeError, match="Nearest: linear"):
        interventions(table, EDGES, ["x=1"], kind="linaer")
    with pytest.raises(DataError, match="rows 0 to 49"):
        counterfactual(table, EDGES[:4], 50, "x=1")
    table["won"] = [1] + [0] * 49
    with pytest.raises(DataError, match="'won' has 1 rows"):
        interventions(table, EDGES, ["x=1"])
