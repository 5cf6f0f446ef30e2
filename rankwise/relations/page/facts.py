"""What the page needs to know about a timeline, as plain lists and dicts: nothing is worked out in the browser."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from itertools import pairwise
from typing import Any

import networkx as nx

from ..bounds import Bounds
from ..schema import Document, Relation
from ..sources import bound_by
from ..timeline import Link, Timeline
from ..timex import DAY, interval

MOST_DERIVED = 20_000  # beyond it a page would be too heavy to open; the file formats hold them all
UNIX = datetime(1970, 1, 1)
Index = dict[tuple[str, str, str], int]
AFTERWARDS = 120  # characters of the sentence that a row shows after its event


def facts(timeline: Timeline) -> dict[str, Any]:
    """Rows in the order of the layers; links with their reasons; the text in pieces. Instants are milliseconds."""
    document, notes = timeline.document, list(timeline.notes)
    links = [x for x in timeline.links if not (x.inferred and x.relation.label == "VAGUE")]
    if sum(x.inferred for x in links) > MOST_DERIVED:
        links = [x for x in links if not x.inferred]
        notes.append("There are too many derived relations for a page; it shows the others. The files hold them all.")
    drawn = {id(x) for x in timeline.skeleton()}
    index, by = _index(links), bound_by(timeline)
    return {
        "written": _day(document.created),
        "created": document.created,
        "notes": notes,
        "text": pieces(document, 0, len(document.text)),
        "events": [
            _event(timeline, name, layer, index) | {"guess": by.get(name) == "model"} for name, layer in _rows(timeline)
        ],
        "times": {t.id: {"word": document.surface(t.id), "value": t.value} for t in document.timexes},
        "links": [_link(x, id(x) in drawn, index) for x in links],
        "contradictions": [
            {"kind": c.kind, "cycle": _chain(c.cycle), "out": _chain([c.left_out])[0]} for c in timeline.contradictions
        ],
    }


def _rows(timeline: Timeline) -> list[tuple[str, int]]:
    """(event, number of its layer from 1, 0 for loose ones); events that start together stand together."""
    same = nx.Graph(x.pair for x in timeline.of_kind("temporal") if x.relation.label == "EQUAL")
    group = {name: at for at, names in enumerate(nx.connected_components(same)) for name in names}
    found = []
    for number, layer in enumerate(timeline.layers, 1):
        place = {name: at for at, name in enumerate(layer)}
        first = {group[name]: place[name] for name in reversed(layer) if name in group}
        order = {name: (first[group[name]] if name in group else at, at) for name, at in place.items()}
        found += [(name, number) for name in sorted(layer, key=order.__getitem__)]
    return found + [(name, 0) for name in timeline.loose]


def _event(timeline: Timeline, name: str, layer: int, index: Index) -> dict[str, Any]:
    document = timeline.document
    event = next(e for e in document.events if e.id == name)
    start, end = _sentence(document, event.start)
    end = max(end, event.end)
    b = timeline.bounds.get(name, Bounds())
    return {
        "id": name,
        "word": document.surface(name),
        "rest": " ".join(document.text[event.end : min(end, event.end + AFTERWARDS)].split()),
        "glued": not document.text[event.end : event.end + 1].isspace(),
        "kind": event.kind,
        "p": round(timeline.confidence.get(name, 1.0), 4),
        "layer": layer,
        "sentence": pieces(document, start, end),
        "number": document.sentence_of(event.start) + 1,
        "when": tell_bounds(b),
        "low": _milliseconds(b.earliest),
        "high": _milliseconds(b.latest),
        "since": _chain(b.after, index),
        "until": _chain(b.before, index),
    }


def _sentence(document: Document, at: int) -> tuple[int, int]:
    for start, end in document.sentences:
        if start <= at < end:
            return start, end
    return max(0, at - 120), min(len(document.text), at + 120)


def pieces(document: Document, start: int, end: int) -> list[list[Any]]:
    """text[start:end] cut wherever a mark begins or ends: [[text, [ids of the marks it lies in]], ...]."""
    marks = [m for m in document.marks if m.start < end and m.end > start]
    cuts = sorted({start, end, *(min(max(at, start), end) for m in marks for at in (m.start, m.end))})
    return [
        [document.text[a:b], [m.id for m in marks if m.start <= a and b <= m.end]] for a, b in pairwise(cuts) if a < b
    ]


def _link(x: Link, drawn: bool, index: Index) -> dict[str, Any]:
    r = x.relation
    made: dict[str, Any] = {"s": r.source, "t": r.target, "l": r.label, "k": r.kind, "p": round(r.confidence, 4)}
    made |= {"o": x.origin}
    if drawn:
        made["d"] = 1
    if x.because:
        made["b"] = _chain(x.because, index)
    if x.chances:
        made["c"] = [round(p, 4) for p in x.chances]
    if r.original:
        made["w"] = r.original
    if c := x.change:
        turned = c.source != r.source
        before = Relation(c.source, c.target, c.before, c.kind)
        made["g"] = {
            "l": before.converse.label if turned else before.label,
            "p": round(c.p_before, 4),
            "r": c.reason,
            "b": _chain(c.because, index),
        }
    return made


def _index(links: Iterable[Link]) -> Index:
    found = {}
    for at, x in enumerate(links, 1):
        r = x.relation
        found[r.source, r.label, r.target] = at
        found.setdefault((r.target, r.converse.label, r.source), -at)
    return found


def _chain(relations: Iterable[Relation], index: Index | None = None) -> list[Any]:
    """Steps: the number of a link from 1, negative where it is read from its other end; a step that is no link of the
    page (one that was left out) as [source, label, target, confidence]."""
    index = index or {}
    return [
        index.get((r.source, r.label, r.target)) or [r.source, r.label, r.target, round(r.confidence, 4)]
        for r in relations
    ]


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int((moment - UNIX).total_seconds() * 1000)


def _day(value: str) -> int | None:
    found = interval(value) if value else None
    return _milliseconds(found.begin) if found else None


def tell_bounds(b: Bounds) -> str:
    """Bounds in words: "13 Feb 1998", "12 Feb to 3 Mar 1998", "before 14 Feb 1998", "from 12 Feb 1998 on", ""."""
    if b.earliest is None:
        return f"{'before' if b.open else 'by'} {_moment(b.latest)}" if b.latest else ""
    if b.latest is None:
        return f"from {_moment(b.earliest)} on"
    if not (b.open and _midnight(b.earliest) and _midnight(b.latest)):
        return _hours(b.earliest, b.latest, b.open)
    return _days(b.earliest, b.latest - DAY)


def _hours(earliest: datetime, latest: datetime, before: bool) -> str:
    if earliest.date() != latest.date():
        return f"{_moment(earliest)} to {_moment(latest)}"
    if before and _midnight(earliest):
        return f"{_date(earliest)}, before {latest:%H:%M}"
    if earliest == latest or (before and (latest - earliest).total_seconds() <= 60):
        return f"{_date(earliest)}, {earliest:%H:%M}"
    return f"{_date(earliest)}, {earliest:%H:%M} to {latest:%H:%M}"


def _days(first: datetime, last: datetime) -> str:
    """Whole days, as months or years where they are some."""
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return f"{first.year}" if first.year == last.year else f"{first.year} to {last.year}"
    if first.day == 1 and (last + DAY).day == 1:
        one = (first.year, first.month) == (last.year, last.month)
        return f"{first:%b} {first.year}" if one else f"{first:%b} {first.year} to {last:%b} {last.year}"
    if last <= first:
        return _date(first)
    if first.year != last.year:
        return f"{_date(first)} to {_date(last)}"
    return f"{first.day}{f' {first:%b}' if first.month != last.month else ''} to {_date(last)}"


def _moment(moment: datetime) -> str:
    return _date(moment) if _midnight(moment) else f"{_date(moment)}, {moment:%H:%M}"


def _midnight(moment: datetime) -> bool:
    return moment.time() == time()


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%b} {moment.year}"
