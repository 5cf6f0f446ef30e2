"""A timeline as JSON and back, without loss. The form is described in docs/timeline.md and carries a version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from ..errors import BadFile, DataError, explain
from .bounds import Bounds
from .corpora import jsonl
from .reasons import Change
from .schema import Relation
from .timeline import ORIGINS, Contradiction, Link, Timeline, whole

FORMAT, VERSION = "rankwise timeline", 1
_DEFAULTS = {f.name: f.default for f in fields(Relation)}


def to_json(timeline: Timeline, indent: int | None = None) -> str:
    """The whole timeline as one JSON object; the same timeline gives the same text."""
    made = {
        "format": FORMAT,
        "version": VERSION,
        "document": jsonl.row(timeline.document),
        "links": [_link(link) for link in timeline.links],
        "bounds": {name: _bounds(b) for name, b in timeline.bounds.items()},
        "layers": timeline.layers,
        "loose": timeline.loose,
        "contradictions": [
            {"kind": c.kind, "cycle": _relations(c.cycle), "left_out": _relation(c.left_out)}
            for c in timeline.contradictions
        ],
        "confidence": timeline.confidence,
        "notes": timeline.notes,
    }
    return whole(json.dumps(made, ensure_ascii=False, indent=indent))


def from_json(text: str | bytes) -> Timeline:
    """The timeline that `to_json` wrote.

    Raises:
        BadFile: no JSON, not a timeline, one of a newer version, or one that lacks something; the message says what.
        DataError: a document that cannot be.
    """
    try:
        made = json.loads(text)
    except ValueError as problem:
        raise BadFile(explain(f"this is no JSON ({problem}).", "A timeline is one JSON object.")) from None
    if not isinstance(made, dict) or made.get("format") != FORMAT:
        raise BadFile(explain("this JSON is no timeline.", f'A timeline begins {{"format": "{FORMAT}", ...}}.'))
    if made.get("version") != VERSION:
        raise BadFile(
            explain(f"this timeline has version {made.get('version')!r}.", f"This rankwise reads version {VERSION}.")
        )
    try:
        return _timeline(made)
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        what = f"the timeline is damaged ({type(problem).__name__}: {problem})."
        raise BadFile(explain(what, "Write it again: rankwise timeline TEXT --out timeline.json")) from None


def _timeline(made: Mapping[str, Any]) -> Timeline:
    return Timeline(
        jsonl.document(made["document"], "document"),
        tuple(_as_link(x) for x in made["links"]),
        {name: _as_bounds(b) for name, b in made["bounds"].items()},
        tuple(tuple(layer) for layer in made["layers"]),
        tuple(made["loose"]),
        tuple(
            Contradiction(_as_relations(c["cycle"]), Relation(**c["left_out"]), c["kind"])
            for c in made["contradictions"]
        ),
        {name: float(p) for name, p in made["confidence"].items()},
        tuple(made["notes"]),
    )


def _relation(r: Relation) -> dict[str, Any]:
    return {name: value for name, value in asdict(r).items() if value != _DEFAULTS[name]}


def _relations(many: Iterable[Relation]) -> list[dict[str, Any]]:
    return [_relation(r) for r in many]


def _as_relations(many: Iterable[Mapping[str, Any]]) -> tuple[Relation, ...]:
    return tuple(Relation(**r) for r in many)


def _link(link: Link) -> dict[str, Any]:
    made: dict[str, Any] = {**_relation(link.relation), "origin": link.origin}
    if link.because:
        made["because"] = _relations(link.because)
    if link.chances:
        made["chances"] = link.chances
    if link.change:
        made["change"] = {**asdict(link.change), "because": _relations(link.change.because)}
    return made


def _as_link(made: Mapping[str, Any]) -> Link:
    relation = Relation(**{name: made[name] for name in _DEFAULTS if name in made})
    if made["origin"] not in ORIGINS:
        raise ValueError(f"an origin {made['origin']!r}, which is none of {', '.join(ORIGINS)}")
    change = made.get("change")
    return Link(
        relation,
        made["origin"],
        _as_relations(made.get("because", ())),
        Change(**{**change, "because": _as_relations(change["because"])}) if change else None,
        tuple(made.get("chances", ())),
    )


def _bounds(b: Bounds) -> dict[str, Any]:
    return {
        "earliest": b.earliest and b.earliest.isoformat(),
        "latest": b.latest and b.latest.isoformat(),
        "open": b.open,
        "after": _relations(b.after),
        "before": _relations(b.before),
    }


def _as_bounds(made: Mapping[str, Any]) -> Bounds:
    earliest, latest = (made[x] and datetime.fromisoformat(made[x]) for x in ("earliest", "latest"))
    return Bounds(
        earliest or None,
        latest or None,
        bool(made["open"]),
        _as_relations(made["after"]),
        _as_relations(made["before"]),
    )
