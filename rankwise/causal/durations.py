"""Durations and dates as a person writes them: 2d, -36h, 1w, P2D, 3d..5d, 1 month; and back into words.

A month has 28 to 31 days and a year 365 or 366: such a duration is bounds, not a point. Source: ISO 8601-1:2019, 5.5.2.
"""

from __future__ import annotations

import math
import re

from ..errors import DataError, explain
from ..relations.timex import interval
from .maxplus import DAY, HOUR, MINUTE, Within, at, moment

EXAMPLES = "Durations are written 2d, 36h, 1w, 90min, 1d12h, 3d..5d, P2D, 1mo; dates 2020-05-01, 2020-05-01T14:30."
UNITS: dict[str, tuple[int, int]] = {
    "y": (365 * DAY, 366 * DAY),
    "mo": (28 * DAY, 31 * DAY),
    "w": (7 * DAY, 7 * DAY),
    "d": (DAY, DAY),
    "h": (HOUR, HOUR),
    "min": (MINUTE, MINUTE),
    "s": (1, 1),
}
WORDS = {
    word: unit
    for unit, words in {
        "y": "y yr yrs year years",
        "mo": "mo month months",
        "w": "w wk wks week weeks",
        "d": "d day days",
        "h": "h hr hrs hour hours",
        "min": "min mins minute minutes",
        "s": "s sec secs second seconds",
    }.items()
    for word in words.split()
}
_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*([a-z]+)\s*")
_ISO = re.compile(
    r"P(?:(?P<y>[\d.,]+)Y)?(?:(?P<mo>[\d.,]+)M)?(?:(?P<w>[\d.,]+)W)?(?:(?P<d>[\d.,]+)D)?"
    r"(?:T(?:(?P<h>[\d.,]+)H)?(?:(?P<min>[\d.,]+)M)?(?:(?P<s>[\d.,]+)S)?)?",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(.+?)\s*(?:\.\.|\bto\b)\s*(.+)")


def duration(text: str) -> Within:
    """Seconds of "2d", "-36h", "1d12h", "P1DT12H", "1mo" (28 to 31 days) or "3d..5d" (both ends included).

    Raises:
        DataError: anything else; a bare "m" is asked about, for it may be minutes or months.
    """
    if found := _RANGE.fullmatch(text.strip()):
        ends = [duration(part) for part in found.groups()]
        if ends[0].low > ends[1].high:
            raise DataError(explain(f"{text!r} runs backwards.", "The shorter duration comes first: 3d..5d"))
        return Within(ends[0].low, ends[1].high)
    sign, body = _signed(text)
    low, high = _parts(body, text)
    return Within(low, high) if sign > 0 else Within(-high, -low)


def signed(text: str) -> bool:
    """Whether a sign is written before it."""
    return text.strip()[:1] in ("+", "-", "\N{MINUS SIGN}")


def date(text: str, by_day: bool = False) -> Within:
    """Bounds of the start of what happens on this date: the whole day of "2020-05-01", a minute of "2020-05-01T14:30".

    by_day: the date of a day is the beginning of that day.

    Raises:
        DataError: no date; months ("2020-05") and weeks ("2020-W07") are dates.
    """
    found = interval(text.strip().replace(" ", "T", 1))
    if found is None:
        raise DataError(explain(f"{text!r} is no date.", EXAMPLES))
    return whole_day(at(found.begin, found.end)) if by_day else at(found.begin, found.end)


def whole_day(time: Within) -> Within:
    """The beginning of a day for what lies within that day; other times as they are."""
    if math.isfinite(time.low) and time.low % DAY == 0 and time.high <= time.low + DAY:
        return Within(time.low, time.low)
    return time


def length(value: float) -> str:
    """Seconds in words: 112320 as "1.3 d", -21600 as "-6 h", 0 as "0 d"; at most three figures and whole days above."""
    size = abs(value)
    if math.isinf(size):
        return "without end"
    if size == 0 or size >= DAY:
        return f"{_number(value / DAY)} d"
    if size >= HOUR:
        return f"{_number(value / HOUR)} h"
    return f"{_number(value / MINUTE)} min" if size >= MINUTE else f"{_number(value)} s"


def lengths(value: Within) -> str:
    """Bounds of a duration in words: "1.3 d", "1 d to 3 d", "at least 2 d", "unknown"."""
    if value.exact:
        return length(value.low)
    if not value.known:
        return "unknown"
    if math.isinf(value.high):
        return f"at least {length(value.low)}"
    return f"at most {length(value.high)}" if math.isinf(value.low) else f"{length(value.low)} to {length(value.high)}"


def when(time: Within) -> str:
    """Bounds of a time in words: "2020-05-01", "2020-05-01 14:30", "2020-05-01 to 2020-05-03", "unknown".

    Bounds of exactly a day are that day with "on" before it, which tells them from its beginning.
    """
    if not time.known:
        return "unknown"
    if time.exact:
        return _moment(time.low)
    if time.high == time.low + DAY and time.low % DAY == 0:
        return f"on {_moment(time.low)}"
    if math.isinf(time.high):
        return f"from {_moment(time.low)} on"
    return f"by {_moment(time.high)}" if math.isinf(time.low) else f"{_moment(time.low)} to {_moment(time.high)}"


def _moment(value: float) -> str:
    found = moment(value)
    if found is None:
        return "outside the calendar"
    clock = "" if not value % DAY else found.strftime(" %H:%M") if not value % MINUTE else found.strftime(" %H:%M:%S")
    return found.date().isoformat() + clock


def _signed(text: str) -> tuple[int, str]:
    body = text.strip().replace("\N{MINUS SIGN}", "-")
    if body[:1] in ("+", "-"):
        return (-1 if body[0] == "-" else 1), body[1:].strip()
    return 1, body


def _parts(body: str, text: str) -> tuple[int, int]:
    """Whole seconds, at least and at most."""
    iso = _ISO.fullmatch(body) if len(body) > 1 and not body.upper().endswith("T") else None
    if iso:
        found = [(value, unit) for unit, value in iso.groupdict().items() if value]
    else:
        found = [(number, word) for number, word in _PART.findall(body.lower())]
        if not found or _PART.sub("", body.lower()):
            raise DataError(explain(f"{text!r} is no duration.", EXAMPLES))
    low = high = 0.0
    for value, word in found:
        unit = word if iso else WORDS.get(word)
        if unit is None:
            near = "m may be minutes or months: write min or mo." if word == "m" else EXAMPLES
            raise DataError(explain(f"{text!r} is no duration: {word!r} is no unit.", near))
        try:
            number = float(value.replace(",", "."))
        except ValueError:
            raise DataError(explain(f"{text!r} is no duration: {value!r} is no number.", EXAMPLES)) from None
        low, high = low + number * UNITS[unit][0], high + number * UNITS[unit][1]
    return round(low), round(high)


def _number(value: float) -> str:
    """At most three figures, more where they stand before the point; no zeros at the end."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
