"""The calendar behind TIMEX3 values: from "1998-W07" to the days in which a thing that happened then began.

Years to minutes, weeks, quarters, halves, seasons, decades and centuries of the years 1 to 9999. Time zones are left
aside: a time is taken as the clock showed it. Seasons are those of the northern half, from the earlier of their
meteorological and astronomical beginnings to the later of their ends; the winter of a year is either one that touches
it. Source: TimeML 1.2.1, annex on TIMEX3 (Saurí et al. 2006).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ..errors import DataError, explain

DAY = timedelta(days=1)
SEASONS = {"SP": ((3, 1), (6, 23)), "SU": ((6, 1), (9, 25)), "FA": ((9, 1), (12, 24)), "AU": ((9, 1), (12, 24))}
PARTS = ("MO", "MI", "AF", "EV", "NI", "DT", "PM", "AM")  # of a day; each may mean any hour of it
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_WEEK = re.compile(r"(\d{4})-?W(\d{2})(?:-(\d|WE))?")
_SPAN = re.compile(r"(\d{4})-(Q[1-9]|H[1-9]|SP|SU|FA|AU|WI)")
_ROUND = re.compile(r"(\d{2})(\d?)X*")  # a century or a decade
_CLOCK = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Interval:
    """From `begin` on, and before `end`."""

    begin: datetime
    end: datetime


def interval(value: str) -> Interval | None:
    """When a thing of this TIMEX3 value began, at the earliest and before when.

    None for what is no place in the calendar: durations ("P3D"), sets, PAST_REF, unknown digits before the last that
    matter ("XXXX-05"), years outside 1 to 9999.

    Raises:
        DataError: a value that looks like a date and is none, such as "1998-02-31" or "1998-13".
    """
    value = value.strip().upper()
    day, _, clock = value.partition("T")
    try:
        found = _days(day)
        if found is None or not clock:
            return found
        return _clock(found, clock)
    except (ValueError, OverflowError) as problem:
        if value.startswith("0000"):
            return None
        rule = f"There is no such day or hour ({problem})."
        raise DataError(
            explain(f"{value!r} is no date.", rule, "Dates are written 1998-02-13, 1998-W07, 1998-02.")
        ) from None


def _days(value: str) -> Interval | None:
    if match := _WEEK.fullmatch(value):
        year, week, day = int(match[1]), int(match[2]), match[3]
        if day == "WE":
            return _from(date.fromisocalendar(year, week, 6), 2)
        return _from(date.fromisocalendar(year, week, int(day or 1)), 1 if day else 7)
    if match := _SPAN.fullmatch(value):
        return _part(int(match[1]), match[2])
    value = re.sub(r"(-XX)+$", "", value)
    if match := _DATE.fullmatch(value):
        first = date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
        return _from(first, 1) if match[3] else _months(first, 1 if match[2] else 12)
    if (match := _ROUND.fullmatch(value)) and len(value) <= 4:
        return _years(int(match[1]) * 100 + int(match[2] or 0) * 10, 10 if match[2] else 100)
    return None


def _part(year: int, part: str) -> Interval:
    if part == "WI":
        return Interval(_at(date(year - 1, 12, 1)), _at(date(year + 1, 3, 22)))
    if part in SEASONS:
        low, high = SEASONS[part]
        return Interval(_at(date(year, *low)), _at(date(year, *high)))
    months = 3 if part[0] == "Q" else 6
    return _months(date(year, 1 + months * (int(part[1]) - 1), 1), months)


def _clock(day: Interval, clock: str) -> Interval:
    if clock in PARTS:
        return Interval(
            day.begin, day.end + timedelta(hours=6 if clock == "NI" else 0)
        )  # a night goes on past midnight
    match = _CLOCK.fullmatch(clock)
    if match is None or day.end - day.begin != DAY:
        return day
    hour, minute, second = (int(x) if x else None for x in match.groups())
    shift = DAY if hour == 24 and not minute and not second else timedelta()
    begin = datetime.combine(day.begin, time(0 if shift else hour or 0, minute or 0, second or 0)) + shift
    if second is not None:
        return Interval(begin, begin + timedelta(seconds=1))
    return Interval(begin, begin + (timedelta(hours=1) if minute is None else timedelta(minutes=1)))


def _at(day: date) -> datetime:
    return datetime.combine(day, time())


def _from(first: date, days: int) -> Interval:
    return Interval(_at(first), _at(first) + days * DAY)


def _months(first: date, months: int) -> Interval:
    after = first.year * 12 + first.month - 1 + months
    return Interval(_at(first), _at(date(after // 12, after % 12 + 1, 1)))


def _years(first: int, years: int) -> Interval | None:
    return Interval(_at(date(first, 1, 1)), _at(date(first + years, 1, 1))) if first else None
