"""Times and durations known within bounds, and how they go through t = max(plan, cause + lag, ...) + delay.

A `Within` holds whole seconds (since the year 1 for times), or infinity where nothing is known, so that points stay
exact and setting an event to its own time changes nothing at all, not even in the last bit. Functions here give bounds
that hold whatever the true values within the given ones are; both ends are attained, so that they are the tightest for
one event. Source: Moore 1966 on interval arithmetic; Baccelli, Cohen, Olsder and Quadrat 1992 on max-plus.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import DataError, explain
from ..relations.bounds import EPOCH

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Within:
    """A number of seconds that lies from `low` to `high`; infinite ends say that nothing bounds it there.

    Raises:
        DataError: low above high.
    """

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise DataError(
                explain(f"bounds from {self.low} to {self.high} seconds hold nothing.", "The lower comes first.")
            )

    @property
    def exact(self) -> bool:
        return self.low == self.high

    @property
    def known(self) -> bool:
        """Whether either end is."""
        return self.low > -math.inf or self.high < math.inf

    def __add__(self, other: Within) -> Within:
        return Within(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Within) -> Within:
        return Within(self.low - other.high, self.high - other.low)

    def __and__(self, other: Within) -> Within:
        """What both allow; this one where they do not meet, for bounds of one thing always do but for rounding."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Within(low, high) if low <= high else self


ZERO = Within(0, 0)


def at(moment: datetime | None, until: datetime | None = None) -> Within:
    """A time from `moment` to `until`; None for an end that nothing bounds. `at(moment, moment)` is a point."""
    return Within(
        -math.inf if moment is None else seconds(moment - EPOCH), math.inf if until is None else seconds(until - EPOCH)
    )


def seconds(length: timedelta) -> int:
    """Whole seconds of a length of time, rounded to the nearest."""
    return length.days * DAY + length.seconds + round(length.microseconds / 1e6)


def moment(value: float) -> datetime | None:
    """The calendar's word for seconds since the year 1; None outside the years 1 to 9999."""
    try:
        return EPOCH + timedelta(seconds=value)
    except (OverflowError, ValueError):
        return None


def latest(many: Iterable[Within]) -> Within:
    """The maximum of times of which each lies within its bounds. Needs at least one."""
    found = list(many)
    return Within(max(w.low for w in found), max(w.high for w in found))


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that an event waits for: when it lets the event begin, before a change and after it.

    by: after less before. The three are kept apart because what is known of the difference is often much more than
    what is known of either: "two days earlier" of an event without a date.
    """

    before: Within
    after: Within
    by: Within = ZERO

    @classmethod
    def of(cls, before: Within, by: Within = ZERO, after: Within | None = None) -> Arrival:
        """From what is known; where `after` is given too, all three are narrowed by each other."""
        later = before + by if after is None else after & (before + by)
        return cls(before, later, by)


def moved(arrivals: Sequence[Arrival]) -> Within:
    """Bounds of max(after) - max(before) over all that an event waits for.

    The greatest is reached with one arrival as late and the others as early as can be, and the smallest the other way
    round: both ends are attained where befores, and either afters or differences, are free within their bounds.
    Raises ValueError without arrivals.
    """
    highs, lows = [], []
    for j, a in enumerate(arrivals):
        others = [b for i, b in enumerate(arrivals) if i != j]
        highs.append(min([a.by.high, *(a.after.high - b.before.low for b in others)]))
        lows.append(max([a.by.low, *(b.after.low - a.before.high for b in others)]))
    return Within(min(lows), max(max(highs), min(lows)))


def room(arrival: Within, others: Sequence[Within]) -> Within | None:
    """By how much an arrival could be later before the event moves: max(all) - arrival. None if nothing else holds."""
    if not others:
        return None
    rest = latest(others)
    return Within(max(0, rest.low - arrival.high), max(0, rest.high - arrival.low))
