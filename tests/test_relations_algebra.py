"""What follows from temporal relations and what contradicts, by hand and against trying everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.errors import DataError
from rankwise.relations.algebra import closed_triples, closure, contradictions, tell, violations
from rankwise.relations.schema import TEMPORAL, Relation
from tests.reference import temporal


def relations(*lines):
    """ "a < b" and so on: <, >, =, ? are the four labels."""
    label = dict(zip("<>=?", TEMPORAL, strict=True))
    return [Relation(a, b, label[sign]) for a, sign, b in (line.split() for line in lines)]


def told(derived):
    return {(d.relation.source, d.relation.target): (d.relation.label, tell(d.because)) for d in derived}


def test_what_follows_comes_with_its_shortest_derivation():
    found = told(closure(relations("a < b", "b < c", "c = d")))
    assert found == {
        ("a", "c"): ("BEFORE", "a BEFORE b, b BEFORE c"),
        ("a", "d"): ("BEFORE", "a BEFORE b, b BEFORE c, c EQUAL d"),
        ("b", "d"): ("BEFORE", "b BEFORE c, c EQUAL d"),
    }


def test_a_shorter_way_is_preferred():
    found = told(closure(relations("a < b", "b < c", "c < d", "a < x", "x < d")))
    assert found["a", "d"] == ("BEFORE", "a BEFORE x, x BEFORE d")


def test_vague_goes_through_equal_but_not_through_before():
    assert told(closure(relations("a = b", "b ? c"))) == {("a", "c"): ("VAGUE", "a EQUAL b, b VAGUE c")}
    assert closure(relations("a < b", "b ? c")) == []


def test_two_chains_together_can_leave_vague_alone():
    found = told(closure(relations("a < b", "b ? d", "a ? c", "c > d")))
    assert found["a", "d"] == ("VAGUE", "a BEFORE b, b VAGUE d, a VAGUE c, c AFTER d")


def test_a_pair_may_be_given_from_either_end():
    found = closure(relations("b > a", "c > b"))
    assert [(d.relation.source, d.relation.label, d.relation.target) for d in found] == [("a", "BEFORE", "c")]


def test_a_derived_relation_is_as_sure_as_the_weakest_it_follows_from():
    given_ = [Relation("a", "b", "BEFORE", confidence=0.9), Relation("b", "c", "BEFORE", confidence=0.6)]
    assert closure(given_)[0].relation.confidence == 0.6


def test_the_closure_of_a_contradiction_is_refused_with_the_reason():
    with pytest.raises(DataError, match="a BEFORE b, b BEFORE c, c BEFORE a") as caught:
        closure(relations("a < b", "b < c", "a > c"))
    assert len(caught.value.cycle) == 3


def test_a_broken_triple_is_found_once_and_vague_counts():
    assert [tell(t) for t in violations(relations("a < b", "b < c", "a > c"))] == ["a BEFORE b, b BEFORE c, a AFTER c"]
    assert len(violations(relations("a < b", "b ? c", "a = c"))) == 1
    assert violations(relations("a < b", "b ? c", "a ? c")) == []
    assert closed_triples(relations("a < b", "b ? c", "a ? c", "c < d")) == 1


def test_a_cycle_through_pairs_without_a_relation_breaks_no_triple_but_is_a_contradiction():
    square = relations("a < b", "b < c", "c < d", "d < a")
    assert violations(square) == []
    assert [tell(c) for c in contradictions(square)] == ["a BEFORE b, b BEFORE c, c BEFORE d, d BEFORE a"]


def test_the_shortest_contradiction_comes_first_and_each_once():
    found = contradictions(relations("a < b", "b < c", "c < d", "d < a", "c < a"))
    assert [tell(c) for c in found] == [
        "a BEFORE b, b BEFORE c, c BEFORE a",
        "a BEFORE b, b BEFORE c, c BEFORE d, d BEFORE a",
    ]


def test_vague_against_a_chain_is_a_contradiction():
    assert [tell(c) for c in contradictions(relations("a < b", "b = c", "a ? c"))] == [
        "a BEFORE b, b EQUAL c, c VAGUE a"
    ]
    assert contradictions(relations("a ? b", "b ? c", "a ? c", "a ? d")) == []


def test_one_pair_with_two_labels_is_the_shortest_contradiction():
    both = relations("a < b", "b < a")
    assert [tell(c) for c in contradictions(both)] == ["a BEFORE b, b BEFORE a"]
    with pytest.raises(DataError, match="'a' and 'b' have two labels"):
        violations(both)


def test_a_thing_is_not_related_to_itself():
    with pytest.raises(DataError, match="joins 'a' to itself"):
        contradictions(relations("a < a"))


def test_causal_relations_are_left_aside():
    assert closure([Relation("a", "b", "CAUSES", "causal"), *relations("b < c")]) == []


PAIRS = [(i, j) for j in range(5) for i in range(j)]
LABELLED = st.dictionaries(st.sampled_from(PAIRS), st.integers(0, 3), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(LABELLED)
def test_contradictions_and_closure_agree_with_trying_everything(labels):
    given_ = [Relation(str(i), str(j), TEMPORAL[label]) for (i, j), label in labels.items()]
    every = temporal.possible(5, labels)
    cycles = contradictions(given_)
    assert bool(cycles) == (len(every) == 0)
    for cycle in cycles:  # a reason that is one, and of which no part can be left out
        parts = {tuple(sorted((int(r.source), int(r.target)))): r for r in cycle}
        told_ = {p: TEMPORAL.index((r if int(r.source) == p[0] else r.converse).label) for p, r in parts.items()}
        assert all(labels[p] == label for p, label in told_.items())
        assert len(temporal.possible(5, told_)) == 0
        for p in told_:
            assert len(temporal.possible(5, {q: x for q, x in told_.items() if q != p})) > 0
    if not cycles:
        names = {name for r in given_ for name in (r.source, r.target)}
        pairs, _ = temporal.consistent(5)
        forced = {}
        for at, pair in enumerate(pairs):
            if pair not in labels and {str(pair[0]), str(pair[1])} <= names and len(set(every[:, at])) == 1:
                forced[pair] = TEMPORAL[every[0, at]]
        found = {}
        for d in closure(given_):
            r = d.relation if int(d.relation.source) < int(d.relation.target) else d.relation.converse
            found[int(r.source), int(r.target)] = r.label
        assert found == forced


@settings(max_examples=60, deadline=None)
@given(LABELLED)
def test_a_shortest_contradiction_is_as_short_as_any_set_of_relations_that_cannot_hold(labels):
    given_ = [Relation(str(i), str(j), TEMPORAL[label]) for (i, j), label in labels.items()]
    if cycles := contradictions(given_):
        items = list(labels.items())
        subsets = np.array(list(np.ndindex(*(2,) * len(items)))) > 0
        smaller = [s for s in subsets if s.sum() < len(cycles[0])]
        assert all(len(temporal.possible(5, dict(x for x, k in zip(items, s, strict=True) if k))) for s in smaller)


def test_a_hundred_and_twenty_events_in_a_band_follow_to_the_end():
    times = np.random.default_rng(0).permutation(120)
    near = [(i, j) for j in range(120) for i in range(max(0, j - 6), j)]
    given_ = [Relation(str(i), str(j), "BEFORE" if times[i] < times[j] else "AFTER") for i, j in near]
    assert violations(given_) == []
    assert closed_triples(given_) == sum(min(j, 6) * (min(j, 6) - 1) // 2 for j in range(120))
    derived = [d.relation for d in closure(given_)]
    assert len(derived) > 500
    assert all((times[int(r.source)] < times[int(r.target)]) == (r.label == "BEFORE") for r in derived)
