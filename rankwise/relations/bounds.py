"""When events began, at the earliest and at the latest: what dates and relations say together.

A simple temporal network (Dechter, Meiri and Pearl 1991): one node for the start of each event, one for the origin of
time, and an edge u to v of weight w for "start(v) - start(u) <= w". Bounds of an event are shortest paths from and to
the origin; a negative cycle is a contradiction, and its relations are the explanation. Paths from and to the origin are
all that is asked, so they are found by Bellman and Ford's rounds over the edges, vectorised, instead of for all pairs.

Weights are whole seconds times 2^20, less 1 for each "strictly": exact, and a cycle of BEFORE is negative too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, RankwiseError, explain
from .schema import DEADLINE, DOCUMENT_TIME, Document, Relation
from .timex import Interval, interval

EPOCH = datetime(1, 1, 1)
SCALE = 1 << 20
FAR = 1 << 61
INSIDE = frozenset({"IS_INCLUDED", "INCLUDES", "DURING", "DURING_INV", "ENDS", "ENDED_BY", "ii", "i"})
APART = frozenset({"AFTER", "BEFORE", "IAFTER", "IBEFORE", "a", "b"})  # of the whole time, not of its beginning


@dataclass(frozen=True, slots=True)
class Bounds:
    """The start of an event: not before `earliest`, and not after `latest` (None: nothing is known).

    open: it is before `latest`, not at it. after, before: the relations that say so, from a date to the event, and from
    the event to a date.
    """

    earliest: datetime | None = None
    latest: datetime | None = None
    open: bool = False
    after: tuple[Relation, ...] = ()
    before: tuple[Relation, ...] = ()

    @property
    def known(self) -> bool:
        return self.earliest is not None or self.latest is not None


@dataclass(frozen=True)
class Fitted:
    """Bounds of every event that a date reaches, and what had to be left out for them to be possible.

    conflicts: (relations of a cycle that cannot hold together, the one of them that was left out), in that order.
    before: pairs of events of which dates prove that the first starts before the second, with the relations used.
    unread: ids of times whose value is no date at all, with the message that says so.
    """

    bounds: dict[str, Bounds]
    conflicts: tuple[tuple[tuple[Relation, ...], Relation], ...]
    before: dict[tuple[str, str], tuple[Relation, ...]]
    unread: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Edge:
    u: int
    v: int
    weight: int
    relation: Relation


def fit(document: Document, relations: Iterable[Relation] | None = None) -> Fitted:
    """Bounds from the dates of a document and the temporal relations (by default the document's own).

    A relation to a date says: BEFORE, the event starts before the date begins; AFTER, not before it begins (or not
    before it ends, where an annotator said AFTER of the whole time); EQUAL, it starts within the date, as does an event
    that an annotator called included in it. VAGUE says nothing but of a DEADLINE, nor does EQUAL of a time whose date
    is not known.
    Of each contradiction, the least sure relation is left out, of equals one with a time, and of those the last.

    Raises:
        DataError: the document's own time is no date.
    """
    dates, unread = dates_of(document)
    times = {t.id for t in document.timexes} | {DOCUMENT_TIME}
    given = [
        r
        for r in (document.relations if relations is None else relations)
        if r.kind == "temporal" and not (r.label == "EQUAL" and {r.source, r.target} & (times - set(dates)))
    ]
    names = list(dict.fromkeys(x for r in given for x in (r.source, r.target) if x not in dates))
    place = {name: at for at, name in enumerate(names, 1)}
    edges = [e for r in given for e in _edges(r, dates, place)]
    conflicts = []
    while isinstance(found := _shortest(edges, len(names) + 1), list):
        cycle = tuple(dict.fromkeys(e.relation for e in found))
        sure = {r: (r.confidence, not {r.source, r.target} & set(dates), -given.index(r)) for r in cycle}
        out = min(cycle, key=lambda r: sure[r])
        conflicts.append((cycle, out))
        edges = [e for e in edges if e.relation != out]
    high, high_by = found
    low, low_by = _reverse(edges, len(names) + 1)
    bounds = {}
    for event in document.events:
        at = place.get(event.id, 0)
        if at and (high[at] < FAR or low[at] < FAR):
            after, before = _chain(low_by, at), _chain(high_by, at)[::-1]
            bounds[event.id] = Bounds(*_instants(int(low[at]), int(high[at])), after, before)
    return Fitted(bounds, tuple(conflicts), _ordered(bounds, place, low, high), unread)


def by_words(bounds: Mapping[str, Bounds], alone: Mapping[str, Bounds]) -> dict[str, Bounds]:
    """Bounds, with those of what the text states alone in the place of equal ones: then no guess is a reason."""
    nothing = Bounds()
    return {
        event: a if (a := alone.get(event, nothing)).known and (a.earliest, a.latest) == (b.earliest, b.latest) else b
        for event, b in bounds.items()
    }


def dates_of(document: Document) -> tuple[dict[str, Interval], dict[str, str]]:
    """When each time of the document is, its own included; ids of times that are no date, with the message why.

    Raises DataError: the document's own time is no date.
    """
    dates, unread = {}, {}
    if document.created:
        try:
            own = interval(document.created)
        except DataError as problem:
            raise DataError(explain(f"{document.id}: the document's own time: {problem}")) from None
        if own:
            dates[DOCUMENT_TIME] = own
    for timex in document.timexes:
        try:
            found = interval(timex.value) if timex.type in ("DATE", "TIME") else None
        except DataError as problem:
            unread[timex.id] = problem.message.splitlines()[0]
            continue
        if found:
            dates[timex.id] = found
    return dates, unread


def _edges(r: Relation, dates: dict[str, Interval], place: dict[str, int]) -> list[_Edge]:
    """What a relation says about starts: between two nodes, or between one and the origin."""
    if (r.source in dates) == (r.target in dates):
        return [] if r.source in dates else _between(r, place)
    turned = r.source in dates
    label = r.converse.label if turned else r.label
    date, at = dates[r.source if turned else r.target], place[r.target if turned else r.source]
    begin, end = _weight(date.begin), _weight(date.end)
    since, until = _Edge(at, 0, -begin, r), _Edge(0, at, end - 1, r)  # at - 0 < end; 0 - at <= -begin
    if label == "VAGUE":
        return [until] if r.original == DEADLINE else []
    if label == "BEFORE":
        return [_Edge(0, at, begin - (r.original not in INSIDE), r)]
    if label == "EQUAL" or r.original in INSIDE:
        return [since, until]
    return [_Edge(at, 0, -end, r)] if r.original in APART else [since]


def _between(r: Relation, place: dict[str, int]) -> list[_Edge]:
    """Between things without a date of their own."""
    i, j = place[r.source], place[r.target]
    if r.label == "EQUAL":
        return [_Edge(i, j, 0, r), _Edge(j, i, 0, r)]
    if r.label == "BEFORE":
        return [_Edge(j, i, -1, r)]
    return [_Edge(i, j, -1, r)] if r.label == "AFTER" else []


def _weight(moment: datetime) -> int:
    return int((moment - EPOCH).total_seconds()) * SCALE


Tree = tuple[NDArray[np.int64], list[_Edge | None]]


def _shortest(edges: Sequence[_Edge], n: int) -> Tree | list[_Edge]:
    """([n] distances from the origin, the last edge of each path), or the edges of a negative cycle anywhere."""
    if cycle := _rounds(edges, np.zeros(n, dtype=np.int64))[2]:
        return cycle
    distance, by, _ = _rounds(edges, _start(n))
    return distance, by


def _reverse(edges: Sequence[_Edge], n: int) -> Tree:
    """The same towards the origin."""
    distance, by, _ = _rounds([_Edge(e.v, e.u, e.weight, e.relation) for e in edges], _start(n))
    return distance, by


def _start(n: int) -> NDArray[np.int64]:
    distance = np.full(n, FAR, dtype=np.int64)
    distance[0] = 0
    return distance


def _rounds(
    edges: Sequence[_Edge], distance: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[_Edge | None], list[_Edge]]:
    """Relax every edge until nothing changes; a cycle of edges where that does not end."""
    n = len(distance)
    u, v, w = (np.array([getattr(e, name) for e in edges], dtype=np.int64) for name in ("u", "v", "weight"))
    last = np.full(n, -1)
    for _ in range(n + 1):
        reach = np.where(distance[u] < FAR, distance[u] + w, FAR)
        better = np.nonzero(reach < distance[v])[0]
        if not len(better):
            return distance, [edges[e] if e >= 0 else None for e in last], []
        better = better[np.lexsort((better, reach[better]))[::-1]]  # the best of several is written last
        last[v[better]] = better
        np.minimum.at(distance, v[better], reach[better])
        if cycle := _cycle(u, last):
            return distance, [], [edges[e] for e in cycle]
    raise RankwiseError("The network did not settle. This is a fault of rankwise, not of the dates.")


def _cycle(u: NDArray[np.int64], last: NDArray[np.int64]) -> list[int]:
    """Edges of a cycle among the last edges, in order; empty where they form a forest."""
    colour = np.zeros(len(last), dtype=np.int64)
    for start in range(len(last)):
        at, path = start, []
        while colour[at] == 0 and last[at] >= 0:
            colour[at] = start + 1
            path.append(at)
            at = int(u[last[at]])
        if colour[at] == start + 1:
            return [int(last[x]) for x in path[path.index(at) :]][::-1]
        colour[at] = colour[at] or start + 1
    return []


def _chain(by: Sequence[_Edge | None], at: int) -> tuple[Relation, ...]:
    """Relations from the origin to a node, or from a node to the origin where paths were found backwards."""
    found: list[Relation] = []
    while (edge := by[at]) is not None:
        found.append(edge.relation)
        at = edge.u
        if at == 0:
            break
    return tuple(found[::-1])


def _instants(low: int, high: int) -> tuple[datetime | None, datetime | None, bool]:
    """(earliest, latest, open) of one node from its distances to and from the origin."""
    earliest = EPOCH + timedelta(seconds=-low // SCALE) if low < FAR else None
    latest = EPOCH + timedelta(seconds=-(-high // SCALE)) if high < FAR else None
    return earliest, latest, high < FAR and high % SCALE != 0


def _ordered(
    bounds: dict[str, Bounds], place: dict[str, int], low: NDArray[np.int64], high: NDArray[np.int64]
) -> dict[tuple[str, str], tuple[Relation, ...]]:
    """Pairs (a, b) with a's latest start strictly before b's earliest."""
    names = list(bounds)
    at = np.array([place[name] for name in names], dtype=np.int64)
    if not len(at):
        return {}
    reached = (high[at] < FAR)[:, None] & (low[at] < FAR)[None]
    sure = reached & (high[at][:, None] + low[at][None] < 0)
    return {
        (names[i], names[j]): tuple(dict.fromkeys((*bounds[names[i]].before, *bounds[names[j]].after)))
        for i, j in np.argwhere(sure)
    }
