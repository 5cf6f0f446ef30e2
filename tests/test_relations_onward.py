"""Weekdays, and months without a year, in a report that tells one thing after another."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.relations.onward import Told, onward, tells_on
from rankwise.relations.times import times

BEGIN = date(2020, 3, 3)  # a Tuesday


def values(text: str, begins: str = "2020-03-03") -> list[str]:
    return [t.value for t in times(text, begins=begins)]


def test_weekdays_and_months_are_the_first_after_what_was_told_last():
    text = "On 3 March 2020 it broke. On Thursday they met, on Monday evening again. It fell in April. On 2 May it"
    assert values(text) == ["2020-03-03", "2020-03-05", "2020-03-09TEV", "2020-04", "2020-05-02"]


def test_a_month_that_has_passed_is_next_years_and_a_weekday_after_a_month_stays_open():
    assert values("On 3 March 2020 it broke. In January it closed. On Friday it rained.") == [
        "2020-03-03",
        "2021-01",
        "",
    ]


def test_looking_back_to_a_year_does_not_move_the_telling():
    text = "On 3 March 2020 it broke. It was built in 1998. On Friday it was closed."
    assert values(text) == ["2020-03-03", "1998", "2020-03-06"]


def test_what_only_the_day_of_writing_tells_stays_open():
    assert values("On 3 March 2020 it broke. Yesterday they met; last week it rained.") == ["2020-03-03", "", ""]


def test_a_day_that_the_year_does_not_have_stays_open():
    assert onward([Told("29 February", "", "2024-02-29")], BEGIN) == [""]  # 2021 has none


def test_the_calendar_ends_without_a_traceback():
    assert onward([Told("Monday", "", "2020-03-02"), Told("January", "", "2020-01")], date(9999, 12, 31)) == ["", ""]


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("On 3 March 2020 the storm broke.", True),
        ("The storm broke in the 3 March 2020 report.", True),
        ("3 March 2020. The storm broke.", False),
        ("Paris, 3 March 2020 - The storm broke.", False),
    ],
)
def test_a_date_within_a_sentence_tells_on_and_a_dateline_does_not(text, tells):
    assert tells_on(text, text.index("3 March")) is tells


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_each_weekday_is_less_than_a_week_after_the_last_one(begins, days):
    monday = date(2020, 3, 2)
    names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    found = onward([Told(names[d], "", (monday + timedelta(d)).isoformat()) for d in days], begins)
    at = begins
    for said, day in zip(found, days, strict=True):
        made = date.fromisoformat(said)
        assert made.weekday() == day
        assert timedelta() <= made - at < timedelta(7)
        at = made
