"""Times that count from what was told before: "three days later", "the next morning", "that evening".

They take the precision of their unit: two years after 3 March 2018 is some day of 2020. Where what was told is coarser
than the unit ("In May ... three days later"), they have no value. Nor has "a year earlier", with which newspapers
compare two quarters rather than two days.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from .schema import Span

Step = tuple[int, str]
"""How many units on (back, below 0), and which."""

NUMBERS = ("a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBER = {word: n for n, word in enumerate(NUMBERS, 1)} | {"an": 1, "one": 1}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: tuple[str, ...] = ("january", "february", "march", "april", "may", "june", "july", "august", "september")
MONTHS += ("october", "november", "december")
OF_THE_YEAR = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
    r"(?:\s+\d{1,2}(?:st|nd|rd|th)?)?"
)
"""A month, or a day of it, without its year: "3 May", "May 3rd", "Sept."."""
SEASONS = ("spring", "summer", "autumn", "fall", "winter")
PARTS = {"morning": "TMO", "afternoon": "TAF", "evening": "TEV", "night": "TNI"}
UNIT = rf"(?P<unit>day|week|month|year|{'|'.join((*PARTS, *WEEKDAYS, *MONTHS, *SEASONS))})"
LATER = re.compile(
    rf"(?P<n>\d{{1,3}}|{'|'.join(NUMBER)})\s+(?P<unit>day|week|month|year)s?\s+(?P<way>later|earlier|before)"
)
NEXT = re.compile(rf"the\s+(?P<way>next|following|previous)\s+{UNIT}|the\s+(?P<day>day)\s+(?P<aside>after|before)")
SAME = re.compile(rf"(?:that|the\s+same)\s+{UNIT}")
POINTS = re.compile(r"\b(?:that|the\s+same)\s+$", re.IGNORECASE)  # before "evening"
OWN = re.compile(r"\s+than\b", re.IGNORECASE)  # "three days later than planned" counts from the plan
OF = re.compile(r"\s+\w")  # "the day before the vote" counts from the vote
TOLD = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T.*)?")
BACK = {"earlier", "before", "previous"}
ELSEWHERE = "elsewhere"


def step(text: str, span: Span) -> Step | None:
    """How many units on (back, below 0), and which; None where the words do not count from what was told."""
    start, end = span
    if match := POINTS.search(text, max(0, start - 12), start):
        start = match.start()
    words = " ".join(text[start:end].lower().split())
    if match := SAME.fullmatch(words):
        return 0, match["unit"]
    match = LATER.fullmatch(words) or NEXT.fullmatch(words)
    if match is None:
        return None
    found = match.groupdict()
    way, unit = found["way"] or found["aside"], found["unit"] or found["day"]
    if OWN.match(text, end) or (way in ("after", "before") and OF.match(text, end)):
        return 0, ELSEWHERE
    if way == "next" and unit not in ("day", *PARTS):
        return None  # from the day of writing
    if unit in SEASONS:
        return 0, ELSEWHERE
    said = found.get("n") or "one"
    n = int(said) if said.isdigit() else NUMBER[said]
    return -n if way in BACK else n, unit


def from_told(on: Step, told: str) -> str:
    """The TIMEX3 value that many units on from the value told last; "" where that does not tell enough."""
    match = TOLD.fullmatch(told)
    if match is None or on in ((-1, "year"), (0, ELSEWHERE)):
        return ""
    (n, unit), (year, month, day) = on, (int(part) if part else None for part in match.groups())
    try:
        if unit == "year" and year:
            return f"{date(year + n, 1, 1):%Y}"
        if unit in MONTHS and year and month:
            ahead = MONTHS.index(unit) + 1 - month
            return f"{date(year + (n > 0 and ahead <= 0) - (n < 0 and ahead >= 0), month + ahead, 1):%Y-%m}"
        if unit == "month" and year and month:
            return f"{date(year + (month - 1 + n) // 12, (month - 1 + n) % 12 + 1, 1):%Y-%m}"
        if year and month and day:
            made = date(year, month, day) + timedelta(_days(n, unit, date(year, month, day).weekday()))
            return f"{made:%G-W%V}" if unit == "week" else f"{made:%Y-%m-%d}{PARTS.get(unit, '')}"
    except (ValueError, OverflowError):  # the calendar ends
        pass
    return ""


def _days(n: int, unit: str, weekday: int) -> int:
    """How many days on; a weekday is the first one after or before, "that Friday" the first on or after."""
    if unit not in WEEKDAYS:
        return n * 7 if unit == "week" else n
    ahead = WEEKDAYS.index(unit) - weekday
    return ahead % 7 if n == 0 else 1 + (ahead - 1) % 7 if n > 0 else -1 - (-ahead - 1) % 7
