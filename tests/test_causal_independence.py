"""What a graph implies, tested; and what no test could contradict, called so."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

from rankwise.causal.graph import Graph, as_graph, from_causes
from rankwise.causal.independence import _partial, also_implied, holm, implied_by, independences

CHAIN = as_graph([("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")])


@pytest.fixture(scope="module")
def chain():
    rng = np.random.default_rng(0)
    table, last = {}, np.zeros(1500)
    for name in "abcde":
        last = last + rng.normal(size=1500)
        table[name] = last
    return pd.DataFrame(table)


def test_what_a_chain_implies():
    # every two that are not neighbours, given one between
    found = {(a, b): given for a, b, given in implied_by(CHAIN)}
    assert set(found) == {("a", "c"), ("a", "d"), ("a", "e"), ("b", "d"), ("b", "e"), ("c", "e")}
    assert found["a", "c"] == ("b",)


def test_a_hidden_cause_leaves_fewer():
    assert implied_by(Graph((("u", "a"), ("u", "b")), frozenset("u"))) == []
    assert implied_by(as_graph([("u", "a"), ("u", "b")])) == [("a", "b", ("u",))]


def test_a_true_graph_is_not_contradicted(chain):
    found = independences(chain, CHAIN)
    assert found.contradicted == ()
    assert found.implied == len(found.tested) == 6
    assert found.informative  # 2 of 120 orders, the chain and its mirror
    assert found.others == pytest.approx(2 / 120)
    assert "tested and not contradicted" in found.sentence


def test_a_wrong_graph_is_contradicted_and_the_pair_is_named(chain):
    found = independences(chain, as_graph([("a", "c"), ("c", "b"), ("b", "d"), ("d", "e")]))
    assert found.contradicted
    assert "the table contradicts" in found.sentence
    worst = min(found.tested, key=lambda i: i.held_up)
    assert f"{worst.a} and {worst.b} are not independent" in found.sentence


def test_graphs_that_few_could_contradict_are_called_not_informative(chain):
    assert "implies no independence between" in independences(chain, as_graph([("a", "b")])).sentence
    assert "a list of common causes" in independences(chain, from_causes("a", "b", ["c"])).sentence
    rng = np.random.default_rng(1)
    fork = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("xyz"))
    found = independences(fork, as_graph([("x", "z"), ("y", "z")]))  # x, y independent: a third of the orders
    assert found.others == pytest.approx(1 / 3)
    assert not found.informative
    assert found.sentence.startswith("Not informative: the one independence")


def test_shares_of_graphs_by_hand():
    collider = as_graph([("x", "z"), ("y", "z")])
    assert also_implied(collider, [("x", "y", ())]) == pytest.approx(2 / 6)
    assert also_implied(collider, [("x", "y", ("z",))]) == 0.0
    assert also_implied(collider, []) is None


def test_holm_by_hand():
    # .01 * 3, max(.03, .02 * 2), max(.04, .5); a hole stays a hole
    assert holm([0.02, 0.5, float("nan"), 0.01])[:2] == [0.04, 0.5]
    assert holm([0.02, 0.5, float("nan"), 0.01])[3] == 0.03
    assert np.isnan(holm([0.02, float("nan")])[1])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_words_and_columns_of_one_value_are_dealt_with(chain):
    table = chain.assign(b=pd.cut(chain.b, 4, labels=list("pqrs")).astype(str), e=1.0)
    found = independences(table, as_graph([("b", "a"), ("b", "c"), ("c", "e")]))
    assert all("e" not in (i.a, i.b) for i in found.tested)
    assert {(i.a, i.b) for i in found.tested} == {("a", "c")} or {(i.b, i.a) for i in found.tested} == {("a", "c")}
    nothing = independences(table.assign(a=1.0, c=1.0), as_graph([("b", "a"), ("b", "c")]))
    assert nothing.sentence == "Not informative: the columns that the graph keeps apart do not vary."


def test_the_seed_decides_and_the_global_generators_stay(chain):
    random.seed(3)
    np.random.seed(3)
    expected = (random.Random(3).random(), np.random.RandomState(3).rand())
    one, other = independences(chain, CHAIN, most=3), independences(chain, CHAIN, most=3)
    assert one == other
    assert len(one.tested) == 3
    assert (random.random(), np.random.rand()) == expected


@pytest.mark.parametrize("rows", [100, 300, 400])
def test_a_plain_correlation_is_seen_on_few_rows(rows):
    """DoWhy's test alone gives p = 1 here."""
    rng = np.random.default_rng(0)
    age, dose = rng.normal(size=(2, rows))
    t = 0.4 * age + 0.4 * dose + rng.normal(size=rows)
    table = pd.DataFrame({"age": age, "dose": dose, "t": t, "y": t + rng.normal(size=rows)})
    found = independences(table, Graph((("t", "y"), ("age", "y"), ("dose", "y"))))
    assert {frozenset((i.a, i.b)) for i in found.contradicted} == {frozenset("t") | {"age"}, frozenset("t") | {"dose"}}


def test_a_partial_correlation_by_hand():
    """r = .5 on 6 rows with an intercept: t = .5 sqrt(4 / .75), 4 degrees of freedom."""
    x = np.array([1.0, -1.0, 1.0, -1.0, 0.0, 0.0])
    y = x / 2 + np.sqrt(0.75) * np.array([1.0, 1.0, -1.0, -1.0, 0.0, 0.0])
    assert _partial(x, y, np.empty((6, 0))) == pytest.approx(0.3125, abs=1e-12)
    assert _partial(x, x, x[:, None]) == 1.0
