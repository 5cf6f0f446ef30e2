"""What the text says in a model's place: probabilities from both ends that are their own converse."""

from __future__ import annotations

import pytest

from rankwise.relations.bounds import dates_of
from rankwise.relations.schema import CAUSAL, DEADLINE, TEMPORAL, Document, Event, Timex
from rankwise.relations.stated import (
    CAUSED_BY,
    CAUSES,
    FIRST,
    LAST,
    OPEN,
    UNRELATED,
    WITHIN,
    besides,
    by_dates,
    by_signals,
)

TEXT = "they met in 2008 . they left in 2009 because of rain ."
MET, LEFT, RAIN = Event("met", 5, 8), Event("left", 24, 28), Event("rain", 48, 52)
DOCUMENT = Document(
    "d",
    TEXT,
    (MET, LEFT, RAIN),
    (Timex("t1", 12, 16, "2008"), Timex("t2", 32, 36, "2009")),
    sentences=((0, 18), (19, 54)),
)


def test_dates_place_their_events_and_order_them():
    found = by_dates(DOCUMENT, dates_of(DOCUMENT)[0])
    assert found == {
        ("met", "t1"): WITHIN,
        ("t1", "met"): WITHIN,
        ("left", "t2"): WITHIN,
        ("t2", "left"): WITHIN,
        ("met", "left"): FIRST,
        ("left", "met"): LAST,
    }


@pytest.mark.parametrize("value", ["2024-05-03", "2024-05"])
def test_what_is_due_by_a_date_is_not_after_it(value):
    text = "must close by 3 May 2024 ."
    d = Document("d", text, (Event("e", 5, 10),), (Timex("t", 14, 24, value),), sentences=((0, 26),))
    assert by_dates(d, dates_of(d)[0]) == {("e", "t"): OPEN, ("t", "e"): OPEN}
    assert min(OPEN) == OPEN[TEMPORAL.index("AFTER")]


def test_a_deadline_is_a_relation_that_bounds_from_above():
    text = "must close by 3 May 2024 ."
    d = Document("d", text, (Event("e", 5, 10),), (Timex("t", 14, 24, "2024-05-03"),), sentences=((0, 26),))
    (found,) = besides(d)
    assert (found.source, found.target, found.label, found.original) == ("e", "t", "VAGUE", DEADLINE)
    assert besides(DOCUMENT) == ()
    (lost,) = besides(DOCUMENT, [("met", "t2")])
    assert (lost.label, lost.confidence) == ("EQUAL", 0.97)


def test_a_signal_names_cause_and_effect_from_both_ends():
    assert by_signals(DOCUMENT) == {("rain", "left"): CAUSES, ("left", "rain"): CAUSED_BY}


@pytest.mark.parametrize("chances", [WITHIN, FIRST, LAST, CAUSES, CAUSED_BY, UNRELATED])
def test_chances_sum_to_one_and_say_what_their_name_says(chances):
    assert sum(chances) == pytest.approx(1)
    labels = TEMPORAL if len(chances) == 4 else CAUSAL
    said = {
        WITHIN: "EQUAL",
        FIRST: "BEFORE",
        LAST: "AFTER",
        CAUSES: "CAUSES",
        CAUSED_BY: "CAUSED_BY",
    }
    assert sum(OPEN) == pytest.approx(1)
    assert labels[chances.index(max(chances))] == said.get(chances, "NONE")
