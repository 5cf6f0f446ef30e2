"""Causal scores become part of what a temporal label is worth."""

from __future__ import annotations

import numpy as np

from rankwise.relations.joint import CAUSED_BY, CAUSES, NONE, join
from rankwise.relations.pair_scores import PairScores
from rankwise.relations.schema import Relation

TIME, LINK = np.log([0.4, 0.3, 0.2, 0.1]), np.log([0.2, 0.7, 0.1])
EMPTY = PairScores((), np.zeros((0, 4)))


def one(pair, row):
    return PairScores((pair,), row[None])


def test_a_temporal_label_is_worth_itself_and_the_best_causal_label_that_agrees():
    joint = join(one(("a", "b"), TIME), one(("a", "b"), LINK), (), 0.5, None)
    best = np.log([0.7, 0.2, 0.7, 0.7])  # AFTER leaves NONE; VAGUE costs half a nat
    np.testing.assert_allclose(joint.gain[0], TIME + best - [0, 0, 0, 0.5], rtol=0, atol=1e-12)
    assert joint.partner[0].tolist() == [CAUSES, NONE, CAUSES, CAUSES]


def test_scores_are_turned_to_the_order_of_the_text():
    joint = join(one(("b", "a"), TIME), one(("b", "a"), LINK), (), 0.0, ["a", "b"])
    assert joint.names == ("a", "b")
    np.testing.assert_allclose(joint.temporal[0], TIME[[1, 0, 2, 3]], rtol=0, atol=0)
    assert joint.partner[0].tolist() == [NONE, CAUSED_BY, CAUSED_BY, CAUSED_BY]


def test_a_pair_with_a_causal_score_alone_has_no_temporal_label_of_its_own_and_no_price():
    joint = join(EMPTY, one(("a", "b"), LINK), (), 9.0, None)
    assert (joint.said.tolist(), joint.linked.tolist()) == ([False], [True])
    np.testing.assert_allclose(joint.gain[0], np.log([0.7, 0.2, 0.7, 0.7]), rtol=0, atol=1e-12)
    assert joint.relations(np.array([0])) == []


def test_what_is_fixed_leaves_one_label():
    fixed = [Relation("b", "a", "AFTER"), Relation("b", "a", "CAUSED_BY", "causal")]
    joint = join(one(("a", "b"), TIME), one(("a", "b"), LINK), fixed, 0.0, None)
    assert (joint.known.tolist(), joint.cause.tolist()) == ([0], [CAUSES])
    assert joint.domains.mask[0, 1] == 0b0001
    assert np.isneginf(joint.causal[0]).tolist() == [True, False, True]
    assert joint.relations(np.array([0]))[0].confidence == 1.0


def test_numbers_as_names_are_put_in_their_order_and_pairs_in_that_of_their_later_event():
    scores = PairScores((("10", "2"), ("2", "3"), ("1", "10")), np.zeros((3, 4)))
    joint = join(scores, EMPTY, (), 0.0, None)
    assert joint.names == ("1", "2", "3", "10")
    assert list(zip(joint.pairs.i.tolist(), joint.pairs.j.tolist(), strict=True)) == [(1, 2), (0, 3), (1, 3)]
