"""Which pairs are asked with which labels, by hand, and the tasks of a mix."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rankwise.errors import DataError, RecipeError
from rankwise.relations.learn import Part, candidates, causal_count, oriented, questions, tasks
from rankwise.relations.model import Weights
from rankwise.relations.pairs import Layout
from rankwise.relations.schema import CAUSAL, DOCUMENT_TIME, TEMPORAL, Document, Event, Relation, Timex
from rankwise.train.data import IGNORE
from tests.words import Words

TEXT = "they met . they left . rain came . they slept"
EVENTS = (Event("a", 5, 8), Event("b", 16, 20), Event("c", 28, 32), Event("d", 40, 45))
SENTENCES = ((0, 10), (11, 22), (23, 34), (35, 45))
LAY = Layout(Words(), 20, first=1, last=2)
NONE, CAUSES, CAUSED_BY = range(3)


def document(*relations, **fields):
    return Document("x", TEXT, EVENTS, (Timex("t1", 0, 4),), tuple(relations), SENTENCES, **fields)


def ask(d, **fields):
    return questions(d, Part("p", (d,), **fields))


def test_pairs_are_asked_in_the_order_of_the_text_whichever_way_they_were_given():
    d = document(
        Relation("b", "a", "BEFORE"),
        Relation("c", "b", "CAUSES", "causal"),
        Relation(DOCUMENT_TIME, "a", "AFTER"),
        Relation("t1", "a", "EQUAL"),
    )
    assert ask(d) == {
        ("a", "b"): (TEMPORAL.index("AFTER"), IGNORE),
        ("b", "c"): (IGNORE, CAUSED_BY),
        ("a", DOCUMENT_TIME): (TEMPORAL.index("BEFORE"), IGNORE),
        ("t1", "a"): (TEMPORAL.index("EQUAL"), IGNORE),
    }
    assert oriented(d, ("d", "a")) == ("a", "d")


def test_one_pair_may_have_both_labels_and_the_first_of_two_counts():
    d = document(Relation("a", "b", "BEFORE"), Relation("b", "a", "BEFORE"), Relation("b", "a", "CAUSED_BY", "causal"))
    assert ask(d) == {("a", "b"): (TEMPORAL.index("BEFORE"), CAUSAL.index("CAUSES"))}


def test_two_times_are_not_asked_about():
    assert ask(document(Relation("t1", DOCUMENT_TIME, "BEFORE"))) == {}


def test_negatives_are_drawn_where_pairs_were_judged_and_within_reach():
    d = document(Relation("a", "b", "CAUSES", "causal"), dense=frozenset({"causal"}))
    assert candidates(d, 1) == [("a", "b"), ("b", "c"), ("c", "d")]
    assert ask(d, negatives=9) == {
        ("a", "b"): (IGNORE, CAUSES),
        ("b", "c"): (IGNORE, NONE),
        ("c", "d"): (IGNORE, NONE),
    }
    assert len(ask(d, negatives=1)) == 2
    assert ask(d, negatives=1) == ask(d, negatives=1)
    assert len(ask(d, negatives=9, reach=3)) == 6
    assert ask(document(Relation("a", "b", "CAUSES", "causal"))) == {("a", "b"): (IGNORE, CAUSES)}


def test_outside_the_annotated_part_nothing_is_negative():
    d = document(dense=frozenset({"causal"}), linked=(0, 22))
    assert candidates(d, 3) == [("a", "b")]


def test_a_mix_makes_a_task_a_corpus_and_one_for_events():
    d = document(Relation("a", "b", "BEFORE"))
    made = tasks([Part("one", (d,), mentions=True), Part("two", (d, d), weight=0.5)], LAY, 8, Weights(0, 0, 0, 0))
    assert [(t.name, len(t.train), t.weight) for t in made] == [("one", 1, 1.0), ("two", 2, 0.5), ("events", 1, 1.0)]
    assert {n for t in made for n in t.heads} == {"temporal", "causal", "events"}
    assert [label for label in made[-1].train[0].label if label == 1] == [1] * 4


def test_a_share_of_a_corpus_is_drawn_by_the_seed():
    many = tuple(Document(str(i), TEXT, EVENTS, relations=(Relation("a", "b", "BEFORE"),)) for i in range(20))
    names = [
        [row.meta[0] for row in tasks([Part("p", many, share=0.25)], LAY, 8, seed=seed)[0].train] for seed in (0, 0, 1)
    ]
    assert [len(n) for n in names] == [5] * 3
    assert names[0] == names[1] != names[2]


def test_a_corpus_that_teaches_nothing_and_a_wrong_share_are_refused():
    with pytest.raises(DataError, match="empty has no relation to learn from"):
        tasks([Part("empty", (document(),))], LAY, 8)
    with pytest.raises(RecipeError, match="share=0 of p"):
        Part("p", (), share=0)


def test_several_layouts_ask_everything_once_in_each():
    d = document()
    other = replace(LAY, block=LAY.block // 2)
    both = tasks([Part("one", (d,), mentions=True)], [LAY, other], 8)
    each = [tasks([Part("one", (d,), mentions=True)], view, 8) for view in (LAY, other)]
    for task, first, second in zip(both, *each, strict=True):
        assert list(task.train) == [*first.train, *second.train]


def test_causes_are_counted_where_other_events_stand_beside_them():
    cause, other = Relation("a", "b", "CAUSES", "causal"), Relation("c", "d", "CAUSED_BY", "causal")
    none, order = Relation("a", "c", "NONE", "causal"), Relation("a", "b", "BEFORE")
    beside, all_are = document(cause, none, order), document(cause, other)
    assert causal_count([Part("p", (beside, all_are)), Part("q", (beside,))]) == 2
    assert causal_count([Part("p", (beside,) * 8, share=0.5)]) == 4
