"""Temporal awareness by hand: what is said in other words counts, what follows is not counted twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.relations.algebra import closure, contradictions
from rankwise.relations.awareness import awareness, reduced, sound
from rankwise.relations.schema import TEMPORAL, Relation
from rankwise.relations.score import Score


def relations(*lines):
    label = dict(zip("<>=?", TEMPORAL, strict=True))
    return [Relation(a, b, label[sign]) for a, sign, b in (line.split() for line in lines)]


def told(found):
    return [f"{r.source} {dict(zip(TEMPORAL, '<>=?', strict=True))[r.label]} {r.target}" for r in found]


def test_what_follows_from_the_rest_is_left_out():
    assert told(reduced(relations("a < b", "b < c", "a < c"))) == ["a < b", "b < c"]
    assert told(reduced(relations("a < c", "c > b", "b > a", "c = d", "a < d"))) == ["c > b", "b > a", "c = d"]
    assert len(reduced(relations("a = b", "b = c", "a = c"))) == 2


def test_the_same_timeline_in_other_words_is_known_in_full():
    gold = relations("a < b", "b < c", "c = d")
    said = relations("d > b", "b > a", "d = c", "a < d")
    assert awareness(gold, said) == Score(3, 3, 3, 3)


def test_precision_and_recall_by_hand():
    gold = relations("a < b", "b < c", "a < c", "x < y")  # reduced: a b, b c, x y
    said = relations("a < c", "y < x")  # a c follows from the gold; y x is wrong
    s = awareness(gold, said)
    assert s == Score(1, 2, 0, 3)  # nothing of the reduced gold follows from a < c
    assert (s.precision, s.recall, s.f1) == (0.5, 0.0, 0.0)
    s = awareness(gold, relations("a < b", "b < c"))
    assert s == Score(2, 2, 2, 3)
    assert s.f1 == pytest.approx(0.8)


def test_vague_says_nothing():
    assert awareness(relations("a < b", "b ? c"), relations("a < b", "a ? c")) == Score(1, 1, 1, 1)
    assert awareness([], []) == Score()


def test_a_relation_against_those_before_it_is_dropped():
    assert told(sound(relations("a < b", "b < c", "c < a", "a = b", "b > a"))) == ["a < b", "b < c"]
    assert awareness(relations("a < b", "b < c"), relations("a < b", "b < c", "c < a")) == Score(2, 2, 2, 2)


PAIRS = [(i, j) for j in range(6) for i in range(j)]


@given(st.dictionaries(st.sampled_from(PAIRS), st.integers(0, 2), min_size=1, max_size=12))
def test_a_reduced_timeline_implies_the_whole_and_none_of_it_follows_from_the_rest(labels):
    given_ = sound(Relation(str(i), str(j), TEMPORAL[label]) for (i, j), label in labels.items())
    assert contradictions(given_) == []
    short = reduced(given_)
    assert awareness(given_, short) == Score(len(short), len(short), len(short), len(short))
    for r in short:
        rest = [other for other in short if other is not r]
        follows = {(d.relation.source, d.relation.target) for d in closure(rest)}
        assert not {(r.source, r.target), (r.target, r.source)} & follows
