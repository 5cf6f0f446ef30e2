"""Bounds that the text gives, and bounds that a model's order hands on."""

from __future__ import annotations

from dataclasses import replace

from rankwise.relations.schema import Document, Event, Relation, Timex
from rankwise.relations.sources import bound_by
from rankwise.relations.timeline import build

DOCUMENT = Document(
    "d",
    "a b c 2020",
    (Event("a", 0, 1), Event("b", 2, 3), Event("c", 4, 5)),
    (Timex("t", 6, 10, "2020"),),
    (Relation("a", "t", "EQUAL"), Relation("b", "a", "AFTER")),
)


def test_a_guess_on_the_way_makes_the_bound_a_guess():
    made = build(DOCUMENT, origin="model", stated=[("a", "t", "temporal")])
    assert bound_by(made) == {"a": "text", "b": "model"}


def test_a_guess_that_adds_nothing_to_what_the_text_states_is_no_reason():
    # a before b leaves a where its own date has it
    more = replace(
        DOCUMENT, relations=(Relation("a", "t", "EQUAL"), Relation("b", "t", "EQUAL"), Relation("a", "b", "BEFORE"))
    )
    stated = [("t", "a", "temporal"), ("b", "t", "temporal"), ("a", "b", "causal")]
    made = build(more, origin="model", stated=stated)
    assert bound_by(made) == {"a": "text", "b": "text"}
    assert [r.source for r in made.bounds["a"].before] == ["a"]
    assert bound_by(build(more, origin="model", stated=stated[1:])) == {"a": "model", "b": "text"}


def test_what_annotators_say_is_no_guess_and_what_no_date_reaches_has_no_bound():
    assert bound_by(build(DOCUMENT)) == {"a": "text", "b": "text"}
