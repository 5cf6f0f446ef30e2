"""Durations as people write them, and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.durations import date, duration, length, lengths, signed, when
from rankwise.causal.maxplus import DAY, HOUR, Within, at
from rankwise.errors import DataError
from rankwise.relations.bounds import EPOCH


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2d", 2 * DAY, 2 * DAY),
        ("-2d", -2 * DAY, -2 * DAY),
        ("36h", 1.5 * DAY, 1.5 * DAY),
        ("1w", 7 * DAY, 7 * DAY),
        ("1d12h", 1.5 * DAY, 1.5 * DAY),
        ("1.3 days", 112320, 112320),
        ("P2D", 2 * DAY, 2 * DAY),
        ("-P1DT12H", -1.5 * DAY, -1.5 * DAY),
        ("PT90M", 1.5 * HOUR, 1.5 * HOUR),
        ("P1M", 28 * DAY, 31 * DAY),
        ("1mo", 28 * DAY, 31 * DAY),
        ("-1y", -366 * DAY, -365 * DAY),
        ("3d..5d", 3 * DAY, 5 * DAY),
        ("1w to 1mo", 7 * DAY, 31 * DAY),
        ("-3d..-1d", -3 * DAY, -1 * DAY),
        ("\N{MINUS SIGN}2d", -2 * DAY, -2 * DAY),
        ("0d", 0, 0),
    ],
)
def test_a_duration_is_read(text, low, high):
    assert duration(text) == Within(low, high)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("soon", "'soon' is no duration"),
        ("", "'' is no duration"),
        ("P", "'P' is no duration"),
        ("PT", "'PT' is no duration"),
        ("3", "'3' is no duration"),
        ("3m", "m may be minutes or months"),
        ("3 moons", "'moons' is no unit"),
        ("5d..3d", "runs backwards"),
        ("P1.2.3D", "is no number"),
    ],
)
def test_what_is_no_duration_is_refused(text, says):
    with pytest.raises(DataError, match=says):
        duration(text)


def test_a_date_is_its_whole_day_unless_days_are_points():
    whole = date("2020-05-01")
    assert (whole.high - whole.low, when(whole)) == (DAY, "on 2020-05-01")
    assert when(date("2020-05-01", by_day=True)) == "2020-05-01"
    assert when(date("2020-05-01 14:30")) == "2020-05-01 14:30 to 2020-05-01 14:31"
    assert when(date("2020-02")) == "2020-02-01 to 2020-03-01"
    assert when(date("2020-02", by_day=True)) == "2020-02-01 to 2020-03-01"  # no day is meant
    with pytest.raises(DataError, match="'tomorrow' is no date"):
        date("tomorrow")
    with pytest.raises(DataError, match="2020-02-31"):
        date("2020-02-31")


def test_bounds_in_words():
    assert [length(x) for x in (0, 112320, -21600, 1200, 5, 5000 * DAY)] == [
        "0 d", "1.3 d", "-6 h", "20 min", "5 s", "5,000 d",
    ]  # fmt: skip
    said = [lengths(Within(*w)) for w in ((DAY, 3 * DAY), (DAY, math.inf), (-math.inf, DAY), (-math.inf, math.inf))]
    assert said == ["1 d to 3 d", "at least 1 d", "at most 1 d", "unknown"]
    assert when(Within()) == "unknown"
    assert when(at(EPOCH, None)) == "from 0001-01-01 on"
    assert when(at(None, EPOCH)) == "by 0001-01-01"
    assert signed(" -2d")
    assert not signed("2d")


@given(st.integers(0, 10**6), st.sampled_from(["s", "min", "h", "d", "w"]))
def test_a_sign_turns_a_duration_round(number, unit):
    one, other = duration(f"{number}{unit}"), duration(f"-{number}{unit}")
    assert (one.low, one.high) == (-other.high, -other.low)
