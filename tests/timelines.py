"""Small timelines for tests of what-if: events that happened on given days, some causing others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rankwise.relations.bounds import Bounds
from rankwise.relations.schema import Document, Event, Relation
from rankwise.relations.timeline import Link, Timeline


def timeline(
    days: Mapping[str, tuple[str, str] | None],
    causes: tuple[str, ...] = (),
    order: tuple[str, ...] = (),
    *,
    origin: str = "given",
    name: str = "made",
) -> Timeline:
    """days: word (ending in * to say it once more) -> bounds of its start, None where unknown. causes, order: "a>b"."""
    words = list(days)
    text, events = "", []
    for i, word in enumerate(words, 1):
        shown = word.rstrip("*")
        text += "There was the "
        events.append(Event(f"e{i}", len(text), len(text) + len(shown)))
        text += shown + ". "
    ids = {word: f"e{i}" for i, word in enumerate(words, 1)}

    def link(said: str, label: str, kind: str) -> Link:
        a, b = said.split(">")
        return Link(Relation(ids[a], ids[b], label, kind, confidence=0.81), origin)

    bounds = {ids[w]: Bounds(*map(datetime.fromisoformat, d), open=True) for w, d in days.items() if d}
    links = [link(x, "BEFORE", "temporal") for x in order] + [link(x, "CAUSES", "causal") for x in causes]
    return Timeline(Document(name, text, tuple(events)), tuple(links), bounds)


def on(day: str) -> tuple[str, str]:
    """Bounds of a day of 2020, written 04-05."""
    month, number = day.split("-")
    return f"2020-{month}-{number}", f"2020-{month}-{int(number) + 1:02d}"
