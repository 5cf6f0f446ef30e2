"""Times that count from what was told before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.relations.counted import ELSEWHERE, MONTHS, WEEKDAYS, from_told, step
from rankwise.relations.onward import FAR
from rankwise.relations.times import times

FIRST = "On 3 March 2020 the storm broke. "  # a Tuesday


def last(text: str, **given) -> tuple[str, str]:
    """Words and value of the last time of the text."""
    time = times(FIRST + text, **given)[-1]
    return (FIRST + text)[time.start : time.end], time.value


@pytest.mark.parametrize("how", [{"created": "2020-06-10"}, {"begins": "2020-03-03"}, {}])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Three days later they met.", "2020-03-06"),
        ("Ten days before, they had met.", "2020-02-22"),
        ("Two weeks later they met.", "2020-W12"),
        ("A month earlier they had met.", "2020-02"),
        ("Two years later they met.", "2022"),
        ("The next day they met.", "2020-03-04"),
        ("They met the day after.", "2020-03-04"),
        ("They had met the day before.", "2020-03-02"),
        ("The next morning they met.", "2020-03-04TMO"),
        ("That evening they met.", "2020-03-03TEV"),
        ("The following Monday they met.", "2020-03-09"),
        ("The previous Friday they had met.", "2020-02-28"),
        ("In 1998 it was built. Two years later it fell.", "2000"),
        ("In May 2019 it was built. The following month it fell.", "2019-06"),
        ("The next day they met. The following day they slept.", "2020-03-05"),
        ("It was built in November 2018 and opened the following January.", "2019-01"),
        ("It was built in May 2018 and planned the previous May.", "2017-05"),
        # what does not tell enough
        ("It opened the following spring.", ""),
        ("It was in May 2021. Three days later they met.", ""),
        ("They met the day after the vote.", ""),
        ("It came three days later than planned.", ""),
        ("Profit rose from a year earlier.", ""),
    ],
)
def test_values_by_hand(text, value, how):
    assert last(text, **how)[1] == value


def test_a_report_goes_on_from_the_day_counted():
    values = [t.value for t in times(FIRST + "Three days later they met. On Monday it ended.", begins="2020-03-03")]
    assert values == ["2020-03-03", "2020-03-06", "2020-03-09"]


def test_next_week_counts_from_the_day_of_writing():
    assert last("Next week they meet.", created="2020-06-10")[1] == "2020-W25"
    assert last("The next day they met.", created="2020-06-10")[1] == "2020-03-04"


def test_what_was_told_far_back_does_not_count():
    near, far = (FIRST + "It rained. " * n + "The next day they met." for n in (1, FAR // 10))
    assert [times(text, "2020-06-10")[-1].value for text in (near, far)] == ["2020-03-04", ""]


def test_nothing_told_before_leaves_it_open():
    assert [t.value for t in times("Three days later they met.", "2020-06-10")] == [""]


@pytest.mark.parametrize(
    "words", ["three days", "next week", "Monday", "the day", "later", "days later", "x days later"]
)
def test_other_words_do_not_count(words):
    assert step(words, (0, len(words))) is None


def test_the_calendar_ends_without_a_traceback():
    assert from_told((1, "day"), "9999-12-31") == from_told((-12, "year"), "0003") == ""
    assert from_told((0, ELSEWHERE), "2020-03-03") == from_told((1, "day"), "PAST_REF") == ""


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from((-1, 0, 1)), st.sampled_from(WEEKDAYS))
def test_a_weekday_is_the_nearest_on_its_side(told, n, name):
    made = date.fromisoformat(from_told((n, name), told.isoformat()))
    assert WEEKDAYS[made.weekday()] == name
    low, high = {-1: (-7, -1), 0: (0, 6), 1: (1, 7)}[n]
    assert timedelta(low) <= made - told <= timedelta(high)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from((-1, 1)), st.sampled_from(MONTHS))
def test_a_month_is_the_nearest_other_one_on_its_side(told, n, name):
    year, month = (int(part) for part in from_told((n, name), told.isoformat()).split("-"))
    assert MONTHS[month - 1] == name
    assert 0 < n * (12 * (year - told.year) + month - told.month) <= 12


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-60, 60))
def test_days_and_months_back_undo_days_and_months_on(told, n):
    day, month = told.isoformat(), told.isoformat()[:7]
    assert from_told((-n, "day"), from_told((n, "day"), day)) == day
    assert from_told((-n, "month"), from_told((n, "month"), month)) == month
