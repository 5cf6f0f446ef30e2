"""Times as instants that decoding orders events against: where each begins, and where those end that hold an event.

What falls within a time begins after that begins and before it ends. Without the ends, something within March and
something after April could still be decoded the wrong way round, and only the calendar would notice, too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations

from .model import Said
from .pairs import Ends
from .reasons import Change
from .schema import TEMPORAL, Relation
from .timex import Interval

SURE = 0.6  # probability from which an event's place beside a time binds the graph
Placed = Mapping[Ends, Said]


@dataclass(frozen=True)
class Instants:
    """when: of the beginning of each dated time, by the time's id, and of ends; ends: name of an end -> its time."""

    when: dict[str, datetime]
    ends: dict[str, str]

    @classmethod
    def of(cls, dates: Mapping[str, Interval], placed: Placed) -> Instants:
        """placed: what is said of pairs of an event and a time in `dates`."""
        within = {t for p, s in placed.items() if _holds(s) for t in p if t in dates}
        ends = {f"the end of {t}": t for t in sorted(within)}
        return cls({t: d.begin for t, d in dates.items()} | {name: dates[t].end for name, t in ends.items()}, ends)

    def scores(self, placed: Placed) -> dict[Ends, list[float]]:
        """Probabilities of TEMPORAL against beginnings, and for events within a time against its end."""
        found = {p: self._begins(p, s) for p, s in placed.items()}
        for p, s in placed.items():
            if _holds(s):
                event, time = self._sides(p)
                before, after, _, vague = s.temporal
                later = before if p[0] == time else after
                found[event, f"the end of {time}"] = [1 - later - vague, later, 0.0, vague]
        return found

    def calendar(self, scored: Iterable[Ends]) -> list[Relation]:
        """The order of the instants among these pairs."""
        used = sorted({end for p in scored for end in p} & set(self.when))
        return [self._order(a, b) for a, b in combinations(used, 2)]

    def agrees(self, pair: Ends, said: Said, labels: Mapping[Ends, str]) -> bool:
        """Whether the decoded labels of a placed pair are what was said first."""
        first = self._begins(pair, said)
        if TEMPORAL[first.index(max(first))] != labels[pair]:
            return False
        event, time = self._sides(pair)
        return not _holds(said) or labels[event, f"the end of {time}"] == "BEFORE"

    def told(self, change: Change) -> Change:
        """The same change with reasons that speak of times, not of their ends."""
        return replace(change, because=tuple(r for x in change.because if (r := self._told(x)) is not None))

    def _told(self, r: Relation) -> Relation | None:
        if r.target in self.ends:
            time = self.ends[r.target]
            if r.source == time or r.source in self.ends:
                return None
            within = {"BEFORE": "EQUAL"}.get(r.label, "AFTER")
            known = self.when.get(r.source)
            if known is None:
                return replace(r, target=time, label=within)
            return None if known < self.when[r.target] else replace(r, target=time, label="AFTER")
        if r.source in self.ends:
            turned = self._told(r.converse)
            return turned and turned.converse
        return r

    def _begins(self, pair: Ends, said: Said) -> list[float]:
        before, after, equal, vague = said.temporal
        return [before + equal, after, 0.0, vague] if pair[0] in self.when else [before, after + equal, 0.0, vague]

    def _sides(self, pair: Ends) -> Ends:
        """(event, time)"""
        return (pair[1], pair[0]) if pair[0] in self.when else pair

    def _order(self, a: str, b: str) -> Relation:
        one, other = self.when[a], self.when[b]
        return Relation(a, b, "BEFORE" if one < other else "AFTER" if one > other else "EQUAL")


def sure(pair: Ends, said: Said, dates: Mapping[str, Interval]) -> bool:
    """Whether an event's place beside a time is told well enough to bind the rest."""
    p = max(said.temporal)
    return any(end in dates for end in pair) and p >= SURE and said.temporal.index(p) != TEMPORAL.index("VAGUE")


def _holds(said: Said) -> bool:
    """Whether the event is said to fall within the time."""
    return TEMPORAL[said.temporal.index(max(said.temporal))] == "EQUAL"
