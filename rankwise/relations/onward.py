"""Days and months told without their year, where a text tells one thing after another.

Newspapers look back from the day of writing: "Monday" is the last one. A report that begins "On 3 March 2020 the storm
broke" has no such day; there "in April" and "on Monday" are the first ones after what was told last, and "two days
later" counts from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from .counted import TOLD, Step, from_told

WITHIN = re.compile(r"\b(?:on|in|at|by|from|since|until|before|after|of|during)\s+(?:the\s+)?$", re.IGNORECASE)
WEEKDAY = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:\s+(?:morning|afternoon|evening|night))?", re.IGNORECASE
)
MONTH = re.compile(
    r"(?:the\s+)?(?:(?:early|mid|late)[-\s])?(?:\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?)?"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?(?:\s+\d{1,2}(?:st|nd|rd|th)?)?",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b\d{4}\b")
VALUE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")


def tells_on(text: str, start: int) -> bool:
    """Whether the date at `start` is part of a sentence ("On 3 March 2020 the storm broke"), not a dateline."""
    return bool(WITHIN.search(text, max(0, start - 20), start))


@dataclass(frozen=True)
class Told:
    """A time as the text has it.

    value: "" where it depends on the day of writing; here: its value for some day of writing.
    on: how far it lies from what was told before, where it counts from there (counted.py).
    """

    words: str
    value: str
    here: str
    on: Step | None = None


def onward(told: Iterable[Told], begins: date) -> list[str]:
    """TIMEX3 values of times in the order of the text.

    A weekday, and a month or a day without its year, becomes the first on or after what was told last. A weekday after
    no more than a month ("In May ... on Monday") stays open: "".
    """
    at, known, last, found = begins, True, "", []
    for time in told:
        words = time.words.strip()
        bare = WEEKDAY.fullmatch(words) or MONTH.fullmatch(words)
        made = _next(words, time.here, at, known) if bare else from_told(time.on, last) if time.on else time.value
        found.append(made)
        last = made if TOLD.fullmatch(made) else last
        if (
            (bare or time.on or YEAR.search(words))
            and (day := VALUE.match(made))
            and at <= (then := date(int(day[1]), int(day[2]), int(day[3] or 1)))
        ):
            at, known = then, day[3] is not None
    return found


def _next(words: str, here: str, at: date, known: bool) -> str:
    match = VALUE.match(here)
    if match is None:
        return ""
    year, month, day = (int(part) if part else None for part in match.groups())
    if WEEKDAY.fullmatch(words) and day is not None:
        named = date(year or 1, month or 1, day)
        ahead = (named.weekday() - at.weekday()) % 7
        return f"{at + timedelta(ahead):%Y-%m-%d}{here[10:]}" if known and (date.max - at).days >= ahead else ""
    if MONTH.fullmatch(words):
        passed = (month, day or 99) < (at.month, at.day)
        try:
            return f"{date(at.year + passed, month or 1, day or 1):%Y}{here[4:]}"
        except ValueError:  # 29 February
            return ""
    return ""
