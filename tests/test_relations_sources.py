"""Bounds that the text gives, and bounds that a model's order hands on."""

from __future__ import annotations

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


def test_what_annotators_say_is_no_guess_and_what_no_date_reaches_has_no_bound():
    assert bound_by(build(DOCUMENT)) == {"a": "text", "b": "text"}
