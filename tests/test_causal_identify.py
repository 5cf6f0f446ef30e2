"""Ways to an effect, against a search through all subsets."""

from __future__ import annotations

import itertools
import time

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.causal.graph import Graph, as_graph, from_causes
from rankwise.causal.identify import Way, allows, identify
from rankwise.errors import DataError

CONFOUNDED = [("w", "t"), ("w", "y"), ("t", "y")]


def way(edges, hidden=(), **options) -> Way:
    return identify(Graph(tuple(edges), frozenset(hidden)), "t", "y", **options)


def test_a_confounder_is_adjusted_for():
    found = way(CONFOUNDED)
    assert (found.kind, found.adjust) == ("adjustment", ("w",))
    assert "adjusting for w closes every path" in found.sentence


def test_with_nothing_between_the_arms_are_compared():
    assert way([("t", "y")]).adjust == ()
    assert "as they are" in way([("t", "y")]).sentence


def test_neither_a_mediator_nor_a_collider_is_adjusted_for():
    edges = [*CONFOUNDED, ("t", "m"), ("m", "y"), ("t", "c"), ("y", "c")]
    assert way(edges).adjust == ("w",)


def test_the_arms_of_an_m_are_left_alone():
    # a -> t, a -> c <- b, b -> y: c is a collider before the treatment; b alone is best, for it says the most about y
    assert way([("a", "t"), ("a", "c"), ("b", "c"), ("b", "y"), ("t", "y")]).adjust == ("b",)


def test_what_moves_only_the_treatment_is_left_out_and_what_moves_only_the_outcome_is_taken():
    assert way([*CONFOUNDED, ("z", "t"), ("x", "y")]).adjust == ("w", "x")


def test_a_hidden_cause_is_closed_by_what_lies_on_its_path():
    assert way([("u", "w"), ("w", "t"), ("u", "y"), ("t", "y")], ["u"]).adjust == ("w",)


def test_a_graph_without_a_path_says_that_the_effect_is_zero():
    found = way([("w", "t"), ("w", "y")])
    assert (found.kind, found.adjust) == ("adjustment", ("w",))
    assert "the effect is zero" in found.sentence


def test_an_outcome_that_causes_the_treatment_leaves_no_effect():
    found = way([("y", "t")])
    assert found.kind == "none"
    assert "y as a cause of t" in found.sentence


HIDDEN = [("u", "t"), ("u", "y"), ("t", "y")]


def test_an_instrument_is_found_where_adjustment_fails():
    found = way([*HIDDEN, ("z", "t")], ["u"])
    assert (found.kind, found.through, found.adjust) == ("instrument", ("z",), ())


def test_an_instrument_that_shares_a_cause_with_the_outcome_needs_it_held():
    found = way([*HIDDEN, ("z", "t"), ("w", "z"), ("w", "y")], ["u"])
    assert (found.kind, found.through, found.adjust) == ("instrument", ("z",), ("w",))


def test_what_reaches_the_outcome_by_itself_is_no_instrument():
    assert way([*HIDDEN, ("z", "t"), ("z", "y")], ["u"]).kind == "none"
    with pytest.raises(DataError, match="z is no instrument"):
        way([*HIDDEN, ("z", "t"), ("z", "y")], ["u"], instruments=["z"])


def test_what_the_outcome_causes_is_no_instrument():
    assert way([("c", "y"), ("c", "t"), ("y", "a")], ["c"]).kind == "none"


def test_instruments_that_are_named_are_used_although_adjustment_would_do():
    assert way([*CONFOUNDED, ("z", "t")], instruments=["z"]).through == ("z",)


def test_a_front_door_is_found():
    found = way([("u", "t"), ("u", "y"), ("t", "m"), ("m", "y")], ["u"])
    assert (found.kind, found.through) == ("front door", ("m",))
    both = way([("u", "t"), ("u", "y"), ("t", "m"), ("m", "y"), ("t", "k"), ("k", "y")], ["u"])
    assert both.through == ("m", "k")


def test_a_front_door_that_the_effect_can_pass_by_is_none():
    assert way([*HIDDEN, ("t", "m"), ("m", "y")], ["u"]).kind == "none"
    assert way([("u", "t"), ("u", "y"), ("t", "m"), ("m", "y"), ("u", "m")], ["u"]).kind == "none"


def test_a_front_door_may_need_a_cause_held():
    found = way([("u", "t"), ("u", "y"), ("t", "m"), ("m", "y"), ("w", "t"), ("w", "m")], ["u"])
    assert (found.kind, found.adjust) == ("front door", ("w",))


def sets(nodes):
    return (set(c) for k in range(len(nodes) + 1) for c in itertools.combinations(nodes, k))


@st.composite
def graphs(draw):
    """Up to 6 nodes in a random order, t before y not required; some hidden."""
    order = draw(st.permutations(["t", "y", "a", "b", "c", "d"]))
    pairs = list(itertools.combinations(order, 2))
    edges = tuple(p for p in pairs if draw(st.booleans()))
    hidden = frozenset(draw(st.sets(st.sampled_from(["a", "b", "c", "d"]))))
    return Graph((*edges,), hidden)


@settings(deadline=None, max_examples=100)
@given(graphs())
def test_a_set_is_found_exactly_where_a_search_through_all_subsets_finds_one(graph):
    dag = graph.dag
    if not {"t", "y"} <= set(dag) or nx.has_path(dag, "y", "t"):
        return
    cut = dag.copy()
    cut.remove_edges_from(list(dag.out_edges("t")))
    free = [n for n in graph.observed if n not in {"t", "y", *nx.descendants(dag, "t")}]
    by_search = [s for s in sets(free) if nx.is_d_separator(cut, {"t"}, {"y"}, s)]  # Pearl's back-door criterion
    found = identify(graph, "t", "y")
    assert (found.kind == "adjustment") == bool(by_search)
    if found.kind == "adjustment":
        assert set(found.adjust) in by_search


def coefficients(cov, of, on):
    """[of, on] least squares on the whole population."""
    return np.linalg.solve(cov[np.ix_(on, on)], cov[np.ix_(on, of)]).T


@settings(deadline=None, max_examples=100)
@given(graphs(), st.integers(0, 2**32 - 1))
def test_each_way_gives_the_effect_exactly_in_a_linear_world(graph, seed):
    """Every edge gets a weight; from the covariances of the whole population each way must return the total effect."""
    if not {"t", "y"} <= set(graph.nodes):
        return
    found, names = identify(graph, "t", "y"), list(graph.nodes)
    at, weights = names.index, np.zeros((len(names), len(names)))
    for (a, b), w in zip(graph.edges, np.random.default_rng(seed).uniform(0.3, 1, len(graph.edges)), strict=True):
        weights[at(b), at(a)] = w
    total = np.linalg.inv(np.eye(len(names)) - weights)  # [b, a]: effect of a on b by all paths
    cov = total @ total.T
    t, y, w = [at("t")], [at("y")], [at(n) for n in found.adjust]
    m = [at(n) for n in found.through]
    if found.kind == "adjustment":
        effect = coefficients(cov, y, t + w)[0, 0]
    elif found.kind == "instrument":
        effect = coefficients(cov, y, m + w)[0, 0] / coefficients(cov, t, m + w)[0, 0]
    elif found.kind == "front door":
        effect = coefficients(cov, y, m + t + w)[0, : len(m)] @ coefficients(cov, m, t + w)[:, 0]
    else:
        return
    assert effect == pytest.approx(total[y[0], t[0]], abs=1e-8)


@pytest.mark.parametrize("causes", [50, 100])
def test_many_common_causes_take_less_than_two_seconds(causes):
    names = [f"c{i}" for i in range(causes)]
    start = time.process_time()
    found = identify(from_causes("t", "y", names), "t", "y")
    assert found.adjust == tuple(names)
    assert time.process_time() - start < 2


def test_whether_a_set_may_be_adjusted_for():
    graph = as_graph([*CONFOUNDED, ("t", "m"), ("m", "y"), ("a", "t"), ("a", "c"), ("b", "c"), ("b", "y")])
    for columns, yes in ((["w"], True), (["w", "age"], True), ([], False), (["w", "m"], False), (["w", "c"], False)):
        assert allows(graph, "t", "y", columns) == yes
    assert allows(graph, "t", "y", ["w", "c", "a"])  # the collider c opens a path that a closes again
