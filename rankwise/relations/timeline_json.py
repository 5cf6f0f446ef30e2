"""A timeline as JSON and back, without loss. The form is described in docs/timeline.md and carries a version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from ..errors import BadFile, DataError, explain
from .bounds import Bounds
from .corpora import jsonl
from .reasons import Change
from .schema import LABELS, Relation
from .sentences import whole
from .timeline import ORIGINS, Contradiction, Link, Timeline

FORMAT, VERSION = "rankwise timeline", 1
_DEFAULTS = {f.name: f.default for f in fields(Relation)}
_NAMES = tuple(_DEFAULTS)


def to_json(timeline: Timeline, indent: int | None = None) -> str:
    """The whole timeline as one JSON object; the same timeline gives the same text."""
    number = _numbers(timeline.relations)
    made = {
        "format": FORMAT,
        "version": VERSION,
        "document": jsonl.row(timeline.document),
        "links": [_link(link, number) for link in timeline.links],
        "bounds": {name: _bounds(b, number) for name, b in timeline.bounds.items()},
        "layers": timeline.layers,
        "loose": timeline.loose,
        "contradictions": [
            {"kind": c.kind, "cycle": _steps(c.cycle, number), "left_out": _relation(c.left_out)}
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
        how = "To write one: rankwise timeline TEXT --out timeline.json"
        if text.lstrip()[:1] in ("<", b"<"):
            raise BadFile(explain("this is a page to look at, not the timeline behind it.", how)) from None
        raise BadFile(explain(f"this is no JSON ({problem}).", "A timeline is one JSON object.", how)) from None
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
    said = [_as_relation({name: x[name] for name in _NAMES if name in x}) for x in made["links"]]
    return Timeline(
        jsonl.document(made["document"], "document"),
        tuple(_as_link(x, r, said) for x, r in zip(made["links"], said, strict=True)),
        {name: _as_bounds(b, said) for name, b in made["bounds"].items()},
        tuple(tuple(layer) for layer in made["layers"]),
        tuple(made["loose"]),
        tuple(
            Contradiction(_as_steps(c["cycle"], said), _as_relation(c["left_out"]), c["kind"])
            for c in made["contradictions"]
        ),
        {name: float(p) for name, p in made["confidence"].items()},
        tuple(made["notes"]),
    )


def _numbers(relations: Iterable[Relation]) -> dict[Relation, int]:
    """Each relation -> its number from 1, and read from its other end, less than 0."""
    found: dict[Relation, int] = {}
    for at, r in enumerate(relations, 1):
        found.setdefault(r, at)
        found.setdefault(r.converse, -at)
    return found


def _relation(r: Relation) -> dict[str, Any]:
    return {name: value for name in _NAMES if (value := getattr(r, name)) != _DEFAULTS[name]}


def _as_relation(made: Mapping[str, Any]) -> Relation:
    r = Relation(**made)
    if r.label not in LABELS.get(r.kind, ()):
        raise ValueError(f"a relation of kind {r.kind!r} is called {r.label!r}")
    return r


def _steps(many: Iterable[Relation], number: Mapping[Relation, int]) -> list[Any]:
    return [number.get(r) or _relation(r) for r in many]


def _as_steps(many: Iterable[Any], said: Sequence[Relation]) -> tuple[Relation, ...]:
    return tuple(_as_step(step, said) for step in many)


def _as_step(step: Any, said: Sequence[Relation]) -> Relation:
    if not isinstance(step, int):
        return _as_relation(step)
    if not 0 < abs(step) <= len(said):
        raise ValueError(f"a link number {step}, of {len(said)}")
    return said[step - 1] if step > 0 else said[-step - 1].converse


def _link(link: Link, number: Mapping[Relation, int]) -> dict[str, Any]:
    made: dict[str, Any] = {**_relation(link.relation), "origin": link.origin}
    if link.because:
        made["because"] = _steps(link.because, number)
    if link.chances:
        made["chances"] = link.chances
    if link.change:
        made["change"] = {**asdict(link.change), "because": _steps(link.change.because, number)}
    return made


def _as_link(made: Mapping[str, Any], relation: Relation, said: Sequence[Relation]) -> Link:
    if made["origin"] not in ORIGINS:
        raise ValueError(f"an origin {made['origin']!r}, which is none of {', '.join(ORIGINS)}")
    change = made.get("change")
    return Link(
        relation,
        made["origin"],
        _as_steps(made.get("because", ()), said),
        Change(**{**change, "because": _as_steps(change["because"], said)}) if change else None,
        tuple(made.get("chances", ())),
    )


def _bounds(b: Bounds, number: Mapping[Relation, int]) -> dict[str, Any]:
    return {
        "earliest": b.earliest and b.earliest.isoformat(),
        "latest": b.latest and b.latest.isoformat(),
        "open": b.open,
        "after": _steps(b.after, number),
        "before": _steps(b.before, number),
    }


def _as_bounds(made: Mapping[str, Any], said: Sequence[Relation]) -> Bounds:
    earliest, latest = (made[x] and datetime.fromisoformat(made[x]) for x in ("earliest", "latest"))
    after, before = (_as_steps(made[x], said) for x in ("after", "before"))
    return Bounds(earliest or None, latest or None, bool(made["open"]), after, before)
