"""Scores of relations, worked out by hand, and against scikit-learn where it has the same metric."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from rankwise.errors import DataError, UnknownName
from rankwise.relations.schema import TEMPORAL, Document, Event, Relation
from rankwise.relations.score import (
    Score,
    accuracy,
    aligned,
    causal_f1,
    consistency,
    end_to_end_f1,
    event_f1,
    matres_f1,
    micro_f1,
    tb_dense_f1,
    three_label_f1,
    total,
)

PLATINUM = ["BEFORE"] * 424 + ["AFTER"] * 269 + ["EQUAL"] * 31 + ["VAGUE"] * 113  # counts of the MATRES test set
#       0         10        20        30
TEXT = "A fell, B rose. C won and D lost. "
FELL, ROSE, WON, LOST = Event("a", 2, 6), Event("b", 10, 14), Event("c", 18, 21), Event("d", 28, 32)


def document(*relations, events=(FELL, ROSE, WON, LOST), dense=frozenset()):
    return Document("d", TEXT, events, (), relations, ((0, 15), (16, 33)), dense=dense)


def causal(source, target, label="CAUSES"):
    return Relation(source, target, label, "causal")


def test_always_before_on_the_matres_test_set():
    s = matres_f1(PLATINUM, ["BEFORE"] * 837)
    assert s == Score(424, 837, 424, 724)  # 724 = 837 - 113
    assert (round(s.precision, 3), round(s.recall, 3), round(s.f1, 3)) == (0.507, 0.586, 0.543)
    assert str(s) == "P 0.507 R 0.586 F1 0.543 (724 gold)"


def test_the_four_protocols_by_hand():
    gold = ["BEFORE", "BEFORE", "AFTER", "EQUAL", "VAGUE", "VAGUE"]
    said = ["BEFORE", "VAGUE", "AFTER", "AFTER", "VAGUE", "BEFORE"]
    assert matres_f1(gold, said) == Score(2, 4, 2, 4)  # B B, A A; predicted: all but two VAGUE
    assert three_label_f1(gold, said) == Score(2, 3, 2, 4)  # the last two pairs are not there
    assert accuracy(gold, said) == Score(3, 6, 3, 6)
    assert tb_dense_f1(gold, said) == Score(3, 6, 3, 6)
    assert tb_dense_f1(gold, said, vague=False) == Score(2, 4, 2, 4)
    assert tb_dense_f1(["i", "v", "ii"], ["i", "i", "v"], vague=False) == Score(1, 2, 1, 2)


def test_micro_f1_is_that_of_scikit_learn():
    g = np.random.default_rng(0)
    gold, said = g.choice(TEMPORAL, 300).tolist(), g.choice(TEMPORAL, 300).tolist()
    s = matres_f1(gold, said)
    p, r, f, _ = precision_recall_fscore_support(gold, said, labels=TEMPORAL[:3], average="micro")
    np.testing.assert_allclose((s.precision, s.recall, s.f1), (p, r, f), rtol=0, atol=1e-12)
    assert accuracy(gold, said).f1 == pytest.approx(accuracy_score(gold, said), abs=1e-12)


def test_scores_of_documents_add_up_to_that_of_all_pairs():
    gold, said = PLATINUM[::3], ["AFTER", "BEFORE", "VAGUE"] * 93
    parts = [matres_f1(gold[a : a + 31], said[a : a + 31]) for a in range(0, 279, 31)]
    assert total(parts) == matres_f1(gold, said)
    assert total([]).f1 == 0.0


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="1 predictions for 2 gold labels"):
        micro_f1(["BEFORE", "AFTER"], ["BEFORE"])
    with pytest.raises(DataError, match="1 predictions for 2 gold labels"):
        three_label_f1(["BEFORE", "AFTER"], ["BEFORE"])
    with pytest.raises(UnknownName, match="Nearest: BEFORE"):
        matres_f1(["BEFORE"], ["BEFOR"])


def test_pairs_are_aligned_from_the_gold_s_end():
    gold = [Relation("a", "b", "BEFORE"), Relation("b", "c", "EQUAL"), Relation("a", "c", "AFTER")]
    said = [Relation("b", "a", "AFTER"), Relation("b", "c", "VAGUE"), Relation("x", "y", "EQUAL")]
    assert aligned(gold, said) == (["BEFORE", "EQUAL", "AFTER"], ["BEFORE", "VAGUE", "VAGUE"])


def test_causal_pairs_within_and_across_sentences_with_and_without_direction():
    gold = document(causal("a", "b"), causal("d", "b", "CAUSED_BY"), causal("c", "d"))  # b causes d across sentences
    said = [
        causal("b", "a"),
        causal("b", "d"),
        causal("d", "c", "CAUSED_BY"),
        causal("a", "c", "NONE"),
        causal("a", "d"),
    ]
    assert causal_f1(gold, said) == Score(2, 4, 2, 3)  # b d and c d; a b the wrong way round; a d is none
    assert causal_f1(gold, said, directed=False) == Score(3, 4, 3, 3)
    assert causal_f1(gold, said, scope="intra") == Score(1, 2, 1, 2)  # a b, c d
    assert causal_f1(gold, said, scope="inter") == Score(1, 2, 1, 1)  # b d, a d
    assert causal_f1(gold, [*said, causal("d", "b", "CAUSED_BY")]) == Score(2, 4, 2, 3)  # b d once


def test_causal_scores_refuse_what_they_cannot_tell():
    with pytest.raises(UnknownName, match="Known: intra, inter, all"):
        causal_f1(document(), [], scope="cross")
    with pytest.raises(DataError, match="no sentences"):
        causal_f1(replace(document(), sentences=()), [], scope="intra")
    with pytest.raises(DataError, match="names 'x'"):
        causal_f1(document(), [causal("x", "a")], scope="intra")


def test_events_count_once_and_by_their_spans():
    said = [Event("1", 2, 6), Event("2", 2, 6), Event("3", 9, 14), Event("4", 24, 25)]
    gold = [FELL, ROSE, WON]
    assert event_f1(gold, said) == Score(1, 3, 1, 3)
    assert event_f1(gold, said, overlap=True) == Score(2, 3, 2, 3)


def test_overlapping_events_are_matched_one_to_one_and_as_many_as_possible():
    gold = [Event("1", 0, 4), Event("2", 4, 8)]
    assert event_f1(gold, [Event("x", 0, 8)], overlap=True) == Score(1, 1, 1, 2)
    assert event_f1(gold, [Event("x", 0, 8), Event("y", 0, 3)], overlap=True) == Score(2, 2, 2, 2)
    assert event_f1(gold, [Event("x", 0, 5), Event("y", 5, 6), Event("z", 6, 7)], overlap=True) == Score(2, 3, 2, 2)


def test_equal_spans_stand_for_each_other_before_overlapping_ones():
    gold = document(Relation("a", "b", "BEFORE"))
    events = (Event("a", 2, 6), Event("wide", 0, 8), Event("b", 10, 14))
    said = document(Relation("a", "b", "BEFORE"), Relation("wide", "b", "AFTER"), events=events)
    assert end_to_end_f1(gold, said, overlap=True) == Score(1, 2, 1, 1)


def test_touching_spans_do_not_overlap():
    assert event_f1([Event("1", 0, 4)], [Event("x", 4, 8)], overlap=True) == Score(0, 1, 0, 1)


def test_relations_between_predicted_events():
    gold = document(Relation("a", "b", "BEFORE"), Relation("b", "c", "AFTER"), Relation("a", "c", "VAGUE"))
    found = (Event("p", 2, 6), Event("q", 10, 14), Event("r", 18, 21), Event("s", 22, 25))  # d missed; s is no event
    said = Document(
        "d",
        TEXT,
        found,
        (),
        (
            Relation("q", "p", "AFTER"),  # a before b: right
            Relation("q", "r", "BEFORE"),  # wrong
            Relation("p", "r", "BEFORE"),  # VAGUE in the gold: false find
            Relation("p", "s", "BEFORE"),  # with no event of the gold: false find
            Relation("r", "s", "VAGUE"),  # no relation
        ),
    )
    assert end_to_end_f1(gold, said) == Score(1, 4, 1, 2)


def test_a_pair_of_right_events_that_nobody_judged_is_unknown_unless_all_were():
    gold = document(Relation("a", "b", "BEFORE"))
    said = document(Relation("a", "b", "BEFORE"), Relation("a", "d", "BEFORE"))
    assert end_to_end_f1(gold, said) == Score(1, 1, 1, 1)
    assert end_to_end_f1(gold, said, strict=True) == Score(1, 2, 1, 1)
    assert end_to_end_f1(replace(gold, dense=frozenset({"temporal"})), said) == Score(1, 2, 1, 1)


def test_overlapping_events_can_carry_relations():
    gold = document(Relation("a", "b", "BEFORE"))
    said = document(Relation("a", "b", "BEFORE"), events=(Event("a", 2, 5), Event("b", 9, 14)))
    assert end_to_end_f1(gold, said) == Score(0, 1, 0, 1)
    assert end_to_end_f1(gold, said, overlap=True) == Score(1, 1, 1, 1)


def test_causal_relations_between_predicted_events():
    gold = document(causal("a", "b"), dense=frozenset({"causal"}))
    assert end_to_end_f1(gold, document(causal("b", "a", "CAUSED_BY")), kind="causal") == Score(1, 1, 1, 1)
    assert end_to_end_f1(gold, document(causal("b", "a"), causal("c", "d")), kind="causal") == Score(0, 2, 0, 1)


def test_consistency_is_a_share_of_closed_triples():
    bad = [Relation("a", "b", "BEFORE"), Relation("b", "c", "BEFORE"), Relation("a", "c", "AFTER")]
    good = [Relation("a", "b", "BEFORE"), Relation("b", "c", "BEFORE"), Relation("a", "c", "BEFORE")]
    both = consistency(bad) + consistency(good)
    assert (both.broken, both.triples, both.share) == (1, 2, 0.5)
    assert consistency([]).share == 0.0
