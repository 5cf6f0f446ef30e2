"""Weekdays, and months without a year, in a report that tells one thing after another."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.relations.onward import DEICTIC, onward, since_told, tells_on
from rankwise.relations.telling import Told
from rankwise.relations.times import times

BEGIN = date(2020, 3, 3)  # a Tuesday


def told(words: str, value: str = "", here: str = "", **more) -> Told:
    return Told((0, len(words)), words, value, here, **more)


def values(text: str, begins: str = "2020-03-03") -> list[str]:
    return [t.value for t in times(text, begins=begins)]


def test_weekdays_and_months_are_the_first_after_what_was_told_last():
    text = "On 3 March 2020 it broke. On Thursday they met, on Monday evening again. It fell in April. On 2 May it"
    assert values(text) == ["2020-03-03", "2020-03-05", "2020-03-09TEV", "2020-04", "2020-05-02"]


def test_a_month_that_has_just_passed_and_a_weekday_after_a_month_stay_open():
    assert values("On 3 March 2020 it broke. In January it closed. In May it opened. On Friday it rained.") == [
        "2020-03-03",
        "",
        "2020-05",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Two bolts had been removed in January.", "2020-01"),
        ("It had been ordered on 4 May.", "2019-05-04"),
        ("The plan was approved on 20 February.", "2020-02-20"),  # a fortnight ago, rather than in a year
        ("It is due in January.", "2021-01"),
        ("It happened on Tuesday, 3 March.", "2020-03-03"),
        ("The driver had left on Sunday.", "2020-03-01"),
        ("At 14:05 it failed.", "2020-03-03T14:05"),
        ("In 2021 it was sold. In February it moved.", "2021-02"),
        ("It is to be done by May 2030. In April it began.", "2020-04"),  # a plan is not told yet
        ("It left on Monday after a row on 27 February. The next day it returned.", "2020-03-10"),
        ("It had been built in May. The next day they met.", "2020-03-04"),
        ("It met on 1 July. In May 2020 it fell. In June it rose.", "2020-06"),  # a date with its year sets the clock
    ],
)
@pytest.mark.parametrize("created", ["", "2020-12-01"])
def test_where_a_report_looks_by_hand(text, value, created):
    found = times("On 3 March 2020 the storm broke. " + text, created, begins="2020-03-03")
    assert found[-1].value == value


def test_an_hour_after_no_more_than_a_month_stays_open():
    assert values("In March 2020 it broke. At 14:05 it failed.", "2020-03-01") == ["2020-03", ""]


def test_looking_back_to_a_year_does_not_move_the_telling():
    text = "On 3 March 2020 it broke. It was built in 1998. On Friday it was closed."
    assert values(text) == ["2020-03-03", "1998", "2020-03-06"]


def test_what_only_the_day_of_writing_tells_stays_open():
    assert values("On 3 March 2020 it broke. Yesterday they met; last week it rained.") == ["2020-03-03", "", ""]


def test_a_day_that_the_year_does_not_have_stays_open():
    assert onward([told("29 February", "", "2024-02-29")], date(2021, 3, 3)) == [""]


def test_the_calendar_ends_without_a_traceback():
    assert onward([told("Monday", "", "2020-03-02"), told("29 February", "", "2020-02-29")], date(9999, 12, 31)) == [
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("On 3 March 2020 the storm broke.", True),
        ("The storm broke in the 3 March 2020 report.", True),
        ("3 March 2020. The storm broke.", False),
        ("Paris, 3 March 2020 - The storm broke.", False),
        ("The firm, which was founded on 3 March 2020, broke.", False),
        ("The firm founded on 3 March 2020 broke.", False),
        ("Ann founded the firm on 3 March 2020.", True),
        ("The firm was founded on 3 March 2020.", True),
        ("It rained from 3 March 2020.", True),
        ("It rained. A truck hit the rack on 3 March 2020.", True),
    ],
)
def test_a_date_within_a_sentence_tells_on_and_a_dateline_does_not(text, tells):
    assert tells_on(text, text.index("3 March")) is tells


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_each_weekday_is_less_than_a_week_after_the_last_one(begins, days):
    monday = date(2020, 3, 2)
    names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    found = onward([told(names[d], "", (monday + timedelta(d)).isoformat()) for d in days], begins)
    at = begins
    for said, day in zip(found, days, strict=True):
        made = date.fromisoformat(said)
        assert made.weekday() == day
        assert timedelta() <= made - at < timedelta(7)
        at = made


def test_a_newspapers_times_stay_by_the_day_of_writing():
    found = [told("3 March", "2020-03-03"), told("soon", "FUTURE_REF"), told("later"), told("next day", on=(1, "day"))]
    assert since_told(found) == ["2020-03-03", "FUTURE_REF", "", "2020-03-04"]


@pytest.mark.parametrize(
    ("text", "points"),
    [("It closed yesterday.", True), ("It will strike next week.", True), ("On Monday it closed.", False)],
)
def test_words_that_point_at_the_day_of_writing(text, points):
    assert bool(DEICTIC.search(text)) is points


def test_a_season_tells_its_year_to_what_counts_from_it():
    summer, later = told("the summer of 1920", "1920-SU"), told("a year later", on=(1, "year"))
    assert since_told([summer, later]) == ["1920-SU", "1921"]
    assert onward([told("3 March 1917", "1917-03-03"), summer, later], date(1917, 3, 3))[-1] == "1921"
    assert since_told([summer, told("two months later", on=(2, "month"))])[-1] == ""


def test_an_hour_of_a_newspaper_by_hand():
    hour = told("15:52", "2023-03-06T15:52", "2023-03-06T15:52", clock=True)
    assert since_told([told("Saturday", "2023-03-04"), hour]) == ["2023-03-04", "2023-03-04T15:52"]
    assert since_told([hour]) == since_told([told("March", "2023-03"), hour])[1:] == ["2023-03-06T15:52"]
