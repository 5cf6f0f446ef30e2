"""Days and months told without their year, hours without their day, and times counted from what was told before.

Newspapers look back from the day of writing: "Monday" is the last one. A report that begins "On 3 March 2020 the storm
broke" has no such day; there "in April" and "on Monday" are the first ones after what was told last, "at noon" is of
that day, and "two days later" counts from it. Where the text looks back ("had been removed in May") it is the last one
before; where neither is plain, the time stays open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .counted import OF_THE_YEAR, TOLD, from_told
from .telling import Told

WITHIN = re.compile(r"\b(?:on|in|at|by|from|since|until|before|after|of|during)\s+(?:the\s+)?$", re.IGNORECASE)
RANGE = re.compile(r"(?:between|from)\s", re.IGNORECASE)
"""At the beginning of a range of days, which it is part of."""
BESIDE = re.compile(
    r"\b(?:which|who|whose|that|where|had|has|since)\b"
    r"|(?<!\bwas )(?<!\bwere )\b(?:founded|born|based)\s+(?:in|on|at|by)\b",
    re.IGNORECASE,
)
"""What is told beside a sentence's own event; "the firm founded on 4 March" too, but not "Ann founded the firm on"."""
WEEKDAY = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:\s+(?:morning|afternoon|evening|night))?", re.IGNORECASE
)
MONTH = re.compile(
    rf"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+)?(?:the\s+)?(?:(?:early|mid|late)[-\s])?{OF_THE_YEAR}",
    re.IGNORECASE,
)
SEASON = re.compile(r"\d{4}-(?:SP|SU|FA|WI|Q\d|H\d)")
YEAR = re.compile(r"\b\d{4}\b")
DEICTIC = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow"
    r"|(?:last|next|this)\s+(?:week|weekend|month|year|(?:mon|tues|wednes|thurs|fri|satur|sun)day))\b",
    re.IGNORECASE,
)
NEAR = 62
"""Days back within which a day without its year is the one just passed."""
FAR = 1000
"""Characters back to what was told, in a newspaper."""


def tells_on(text: str, start: int) -> bool:
    """Whether the date at `start` is when a sentence's own event was ("On 3 March 2020 the storm broke"): no dateline,
    and not the date of something that is told beside it ("the firm, which was founded on 1 July 1998")."""
    before = re.split(r"[.!?\n]\s", text[:start])[-1]
    if RANGE.match(text, start):
        return True
    return bool(WITHIN.search(before)) and not BESIDE.search(before)


def since_told(told: Sequence[Told]) -> list[str]:
    """TIMEX3 values of a newspaper's times in the order of the text: by the day of writing, but for those that count
    from what was told in the thousand characters before, and hours without their day, which are of a day told there."""
    found, last, at = [], "", 0
    for time in told:
        made, near = time.value, time.span[0] - at <= FAR
        if time.on:
            made = from_told(time.on, last) if near else ""
        elif time.clock and near:
            made = _of_day(time, last) or made
        found.append(made)
        if (again := _told(made)) and not time.aside:
            last, at = again, time.span[0]
    return found


def _told(value: str) -> str:
    """What later times may count from: a day, a month or a year; of a season or a quarter, its year."""
    return value if TOLD.fullmatch(value) else value[:4] if SEASON.fullmatch(value) else ""


def _of_day(time: Told, last: str) -> str:
    """An hour of the day told last; "" where that was no day."""
    match = TOLD.fullmatch(last)
    return last[:10] + time.here[10:] if match and match[3] and time.here[10:11] == "T" else ""


@dataclass
class Clock:
    """When a report is. precise: how much of `at` was told, "day", "month" or "year". last: the value told last."""

    begins: date
    at: date
    precise: str = "day"
    last: str = ""

    def read(self, time: Told) -> str:
        """The value of the next time of the report; moves on to it."""
        made = self._value(time)
        if SEASON.fullmatch(made) and not (time.aside or time.back):
            self.last = made[:4]
        if (match := TOLD.fullmatch(made)) and not (time.clock or time.aside or time.back):
            self.last = made
            year, month, day = (int(part) if part else None for part in match.groups())
            own = YEAR.search(time.words)
            if year and not time.ahead and (own or time.on or self._bare(time.words)):
                then = date(year, month or 1, day or 1)
                if then >= (self.begins if own else self.at) and (month or year != self.at.year):
                    self.at, self.precise = then, "day" if day else "month" if month else "year"
        return made

    def _value(self, time: Told) -> str:
        if time.on:
            return from_told(time.on, self.last)
        if time.clock:
            return _of_day(time, self.last)
        if WEEKDAY.fullmatch(time.words):
            return self._weekday(time)
        return self._month(time) if MONTH.fullmatch(time.words) else time.value

    @staticmethod
    def _bare(words: str) -> bool:
        return bool(WEEKDAY.fullmatch(words) or MONTH.fullmatch(words))

    def _weekday(self, time: Told) -> str:
        match = TOLD.fullmatch(time.here)
        if self.precise != "day" or not match or not match[3]:
            return ""
        ahead = (date(*(int(part) for part in match.groups())).weekday() - self.at.weekday()) % 7
        ahead -= 7 * (time.back and not time.ahead and ahead > 0)
        try:
            return f"{self.at + timedelta(ahead):%Y-%m-%d}{time.here[10:]}"
        except OverflowError:  # the calendar ends
            return ""

    def _month(self, time: Told) -> str:
        match = TOLD.fullmatch(time.here)
        if not match or not match[2]:
            return ""
        year = self._year(int(match[2]), int(match[3] or 0), time)
        try:
            return f"{date(year, int(match[2]), int(match[3] or 1)):%Y}{time.here[4:]}" if year else ""
        except ValueError:  # 29 February
            return ""

    def _year(self, month: int, day: int, time: Told) -> int:
        """Of a month (day 0) or a day; 0 where it is open."""
        here, told = (month, day or self.at.day), (self.at.month, self.at.day)
        if here == told or self.precise == "year":
            return self.at.year
        ahead, back = self.at.year + (here < told), self.at.year - (here > told)
        if time.back != time.ahead:
            return back if time.back else ahead
        apart = (here[0] - told[0]) * 30.4 + here[1] - told[1]  # days, about
        on, behind = (apart % 365, -apart % 365)
        if on <= behind:
            return ahead
        return back if day and behind <= NEAR else 0


def onward(told: Sequence[Told], begins: date) -> list[str]:
    """TIMEX3 values of a report's times in the order of the text.

    begins: the first day that it tells of.
    """
    clock = Clock(begins, begins)
    return [clock.read(time) for time in told]
