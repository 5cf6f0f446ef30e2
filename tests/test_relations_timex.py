"""TIMEX3 values as intervals of the calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.errors import DataError
from rankwise.relations.timex import interval


def said(value):
    found = interval(value)
    return None if found is None else (found.begin.isoformat()[:16], found.end.isoformat()[:16])


@pytest.mark.parametrize(
    ("value", "begin", "end"),
    [
        ("1998", "1998-01-01T00:00", "1999-01-01T00:00"),
        ("1998-02", "1998-02-01T00:00", "1998-03-01T00:00"),
        ("1998-12", "1998-12-01T00:00", "1999-01-01T00:00"),
        ("1998-02-13", "1998-02-13T00:00", "1998-02-14T00:00"),
        ("2000-02-29", "2000-02-29T00:00", "2000-03-01T00:00"),  # a leap year
        ("1998-02-13T14:30", "1998-02-13T14:30", "1998-02-13T14:31"),
        ("1998-02-13T14", "1998-02-13T14:00", "1998-02-13T15:00"),
        ("1998-02-13T14:30Z", "1998-02-13T14:30", "1998-02-13T14:31"),
        ("1998-02-13T14:30+05:00", "1998-02-13T14:30", "1998-02-13T14:31"),  # as the clock showed it
        ("1998-02-13T24:00", "1998-02-14T00:00", "1998-02-14T00:01"),
        ("1998-02-13TMO", "1998-02-13T00:00", "1998-02-14T00:00"),
        ("1998-02-13TNI", "1998-02-13T00:00", "1998-02-14T06:00"),
        ("1998-W01", "1997-12-29T00:00", "1998-01-05T00:00"),  # ISO 8601: the week with the year's first Thursday
        ("1998-W07-5", "1998-02-13T00:00", "1998-02-14T00:00"),
        ("1998-W07-WE", "1998-02-14T00:00", "1998-02-16T00:00"),
        ("1998-Q4", "1998-10-01T00:00", "1999-01-01T00:00"),
        ("1998-H1", "1998-01-01T00:00", "1998-07-01T00:00"),
        ("1998-SU", "1998-06-01T00:00", "1998-09-25T00:00"),
        ("1998-FA", "1998-09-01T00:00", "1998-12-24T00:00"),
        ("1998-WI", "1997-12-01T00:00", "1999-03-22T00:00"),  # one that began then, or one that ended then
        ("199", "1990-01-01T00:00", "2000-01-01T00:00"),
        ("199X", "1990-01-01T00:00", "2000-01-01T00:00"),
        ("19", "1900-01-01T00:00", "2000-01-01T00:00"),
        ("1998-XX-XX", "1998-01-01T00:00", "1999-01-01T00:00"),
        ("1998-02-XX", "1998-02-01T00:00", "1998-03-01T00:00"),
        (" 1998-02-13 ", "1998-02-13T00:00", "1998-02-14T00:00"),
    ],
)
def test_a_value_is_the_days_in_which_it_began(value, begin, end):
    assert said(value) == (begin, end)


@pytest.mark.parametrize(
    "value", ["", "P3D", "PT5M", "PAST_REF", "PRESENT_REF", "XXXX-05", "XXXX-WXX-2", "0000", "-0044", "soon", "T14:30"]
)
def test_what_is_no_place_in_the_calendar_is_none(value):
    assert said(value) is None


@pytest.mark.parametrize(
    "value", ["1998-02-31", "1998-13", "1999-02-29", "1998-W54", "1998-Q5", "1998-02-13T25:00", "1998-02-13T10:61"]
)
def test_a_date_that_cannot_be_is_refused_by_name(value):
    with pytest.raises(DataError, match=f"'{value}' is no date"):
        interval(value)


@given(st.datetimes(datetime(1, 1, 1), datetime(9998, 12, 31)))
def test_every_form_of_a_day_holds_the_day(moment):
    year, week, day = moment.isocalendar()
    values = [f"{moment:%Y}", f"{moment:%Y-%m}", f"{moment:%Y-%m-%d}", f"{moment:%Y-%m-%dT%H:%M}"]
    if 0 < year < 9999:
        values += [f"{year:04d}-W{week:02d}", f"{year:04d}-W{week:02d}-{day}"]
    for value in values:
        value = value.zfill(4 if len(value) < 5 else len(value))
        if len(value.split("-")[0]) != 4:
            continue  # strftime does not pad years everywhere
        found = interval(value)
        assert found.begin <= moment < found.end
        assert found.end - found.begin <= timedelta(days=366)
