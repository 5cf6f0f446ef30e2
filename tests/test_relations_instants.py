"""Beginnings and ends of times in decoding, by hand."""

from __future__ import annotations

from datetime import datetime

import pytest

from rankwise.relations.instants import Instants, sure
from rankwise.relations.model import Said
from rankwise.relations.reasons import Change
from rankwise.relations.schema import Relation
from rankwise.relations.timex import Interval

DATES = {
    "mar": Interval(datetime(2020, 3, 1), datetime(2020, 4, 1)),
    "apr": Interval(datetime(2020, 4, 1), datetime(2020, 5, 1)),
    "year": Interval(datetime(2020, 1, 1), datetime(2021, 1, 1)),
}
NONE = (1.0, 0.0, 0.0)
WITHIN, AFTER = Said((0.1, 0.2, 0.65, 0.05), NONE), Said((0.05, 0.9, 0.02, 0.03), NONE)
PLACED = {("e1", "mar"): WITHIN, ("apr", "e2"): AFTER, ("year", "e3"): WITHIN}


def made() -> Instants:
    return Instants.of(DATES, PLACED)


def test_times_that_hold_an_event_have_an_end_too():
    assert made().ends == {"the end of mar": "mar", "the end of year": "year"}
    assert made().when["the end of mar"] == made().when["apr"] == datetime(2020, 4, 1)


def test_what_falls_within_a_time_begins_after_its_beginning_and_before_its_end():
    found = made().scores(PLACED)
    assert found["e1", "mar"] == pytest.approx([0.1, 0.85, 0.0, 0.05])
    assert found["e1", "the end of mar"] == pytest.approx([0.75, 0.2, 0.0, 0.05])
    assert found["apr", "e2"] == pytest.approx([0.07, 0.9, 0.0, 0.03])
    assert found["year", "e3"] == pytest.approx([0.75, 0.2, 0.0, 0.05])
    assert found["e3", "the end of year"] == pytest.approx([0.85, 0.1, 0.0, 0.05])
    assert len(found) == 5


def test_the_calendar_orders_the_instants_that_are_asked_about():
    order = {
        (r.source, r.target): r.label for r in made().calendar([("e1", "mar"), ("e1", "the end of mar"), ("e2", "apr")])
    }
    assert order == {("apr", "mar"): "AFTER", ("apr", "the end of mar"): "EQUAL", ("mar", "the end of mar"): "BEFORE"}


def test_a_pair_agrees_where_both_its_ends_do():
    labels = {("e1", "mar"): "AFTER", ("e1", "the end of mar"): "BEFORE", ("apr", "e2"): "AFTER"}
    assert made().agrees(("e1", "mar"), WITHIN, labels)
    assert made().agrees(("apr", "e2"), AFTER, labels)
    assert not made().agrees(("e1", "mar"), WITHIN, labels | {("e1", "the end of mar"): "AFTER"})
    assert not made().agrees(("e1", "mar"), WITHIN, labels | {("e1", "mar"): "BEFORE"})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("e1 BEFORE the end of mar", "e1 EQUAL mar"),
        ("e1 AFTER the end of mar", "e1 AFTER mar"),
        ("the end of mar AFTER e1", "mar EQUAL e1"),
        ("mar BEFORE the end of mar", None),
        ("year BEFORE the end of mar", None),
        ("apr EQUAL the end of mar", "apr AFTER mar"),
        ("the end of mar BEFORE the end of year", None),
        ("e1 BEFORE e2", "e1 BEFORE e2"),
    ],
)
def test_reasons_speak_of_times_and_not_of_their_ends(said, told):
    relation = next(
        Relation(a, b, x) for x in ("BEFORE", "AFTER", "EQUAL") if f" {x} " in said for a, b in [said.split(f" {x} ")]
    )
    change = Change("e1", "e2", "temporal", "AFTER", "BEFORE", 0.9, 0.1, "composition", (relation,))
    because = made().told(change).because
    assert [f"{r.source} {r.label} {r.target}" for r in because] == ([told] if told else [])


def test_only_what_is_sure_and_of_a_date_binds():
    assert sure(("e1", "mar"), WITHIN, DATES)
    assert not sure(("e1", "a week"), WITHIN, DATES)
    assert not sure(("e1", "mar"), Said((0.1, 0.1, 0.1, 0.7), NONE), DATES)
    assert not sure(("e1", "mar"), Said((0.55, 0.2, 0.2, 0.05), NONE), DATES)
