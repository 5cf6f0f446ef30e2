"""The nouns of relations refuse what cannot be, and turn a relation round."""

from __future__ import annotations

import pytest

from rankwise.errors import DataError
from rankwise.relations.schema import CONVERSE, LABELS, Corpus, Document, Event, Relation, Timex

TEXT = "They met on Monday. She left."
MET, LEFT, MONDAY = Event("e1", 5, 8), Event("e2", 24, 28), Timex("t1", 12, 18, "2020-01-06")


def document(**changes):
    return Document(
        "d", TEXT, **{"events": (MET, LEFT), "timexes": (MONDAY,), "sentences": ((0, 19), (20, 29))} | changes
    )


def test_a_document_gives_the_words_and_the_sentence_of_an_id():
    d = document()
    assert (d.surface("e2"), d.surface("t1"), d.sentence_of(24), d.sentence_of(5)) == ("left", "Monday", 1, 0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"events": (MET, MET)}, "'e1' names two things"),
        ({"timexes": (Timex("t0", 0, 4),)}, "'t0' names two things"),
        ({"events": (Event("e1", 5, 99),)}, "e1 spans 5 to 99"),
        ({"events": (Event("e1", 5, 5),)}, "e1 spans 5 to 5"),
        ({"relations": (Relation("e1", "e9", "BEFORE"),)}, "'e9'"),
        ({"relations": (Relation("e1", "e2", "CAUSES"),)}, "'CAUSES'"),
    ],
)
def test_a_document_that_cannot_be_is_refused_with_the_value(changes, says):
    with pytest.raises(DataError, match=says):
        document(**changes)


def test_a_relation_may_name_the_documents_own_time():
    assert document(relations=(Relation("e1", "t0", "BEFORE"),)).relations[0].converse.label == "AFTER"


@pytest.mark.parametrize("label", [x for labels in LABELS.values() for x in labels])
def test_turning_round_twice_changes_nothing(label):
    kind = "temporal" if label in LABELS["temporal"] else "causal"
    r = Relation("a", "b", label, kind)
    assert r.converse.converse == r
    assert CONVERSE[CONVERSE[label]] == label


def test_a_corpus_counts_and_names_what_is_missing():
    d = document(relations=(Relation("e1", "e2", "BEFORE"), Relation("e1", "e2", "CAUSES", "causal")))
    c = Corpus("x", (d,))
    assert c.counts() == {"documents": 1, "events": 2, "timexes": 1, "temporal": 1, "causal": 1, "problems": 0}
    assert c.only(["d"]).documents == (d,)
    with pytest.raises(DataError, match="'nope'"):
        c.only(["nope"])
