"""A timeline: events with their relations, the order that follows, when each began, and why all of it is said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..errors import DataError, explain
from .algebra import Derived, closure, contradictions, tell
from .bounds import Bounds, Fitted, by_words, fit
from .decode import Decoded
from .layers import layers, reduced
from .reasons import Change
from .schema import DEADLINE, LABELS, TEMPORAL, Document, Relation
from .sentences import split

ORIGINS = ("given", "model", "text", "inferred", "dates")
"""Who says so: an annotation; the model; other relations, by the table of composition; the bounds of both events."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Link:
    """A relation of the timeline and why it is there.

    origin: who says so: an annotator ("given"), the "model", the "text" by a date or a causal signal, or nobody.
    because: for "inferred" and "dates" the relations it follows from; where `change` is set, the change has its own.
    change: the model by itself preferred another label; which, and what ruled it out.
    chances: the model's probabilities in the order of LABELS[kind], read from source to target; () where not asked.
    """

    relation: Relation
    origin: str = "given"
    because: tuple[Relation, ...] = ()
    change: Change | None = None
    chances: tuple[float, ...] = ()

    @property
    def inferred(self) -> bool:
        return self.origin in ("inferred", "dates")

    @property
    def pair(self) -> Pair:
        return self.relation.source, self.relation.target


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Relations that cannot all hold, in a shortest cycle, and the one that was left out so that the rest can.

    kind: "order" (by the table of composition) or "dates" (by the calendar).
    """

    cycle: tuple[Relation, ...]
    left_out: Relation
    kind: str = "order"

    def __str__(self) -> str:
        out = self.left_out
        return f"{tell(self.cycle)} cannot all hold; left out: {tell((out,))} (confidence {out.confidence:.2f})"


@dataclass(frozen=True)
class Timeline:
    """What is known about one document, ready to be drawn or written.

    document: with sentences; its relations are those that were given.
    links: temporal, then causal (no NONE); a pair has at most one of each kind.
    bounds: events that some date reaches.
    layers: ids of events; every event comes in a later layer than all that start before it: the next one, or where
        nothing is known to start before it, the one just before its first successor. Events of one layer start
        together, or their order is not known.
    loose: events without an order to any other, in the order of the text.
    confidence: probability that an event is one; 1 where an id is missing.
    notes: what a reader should know about how this was made, in sentences.
    """

    document: Document
    links: tuple[Link, ...] = ()
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    layers: tuple[tuple[str, ...], ...] = ()
    loose: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    confidence: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.relation.kind == kind)

    @property
    def relations(self) -> tuple[Relation, ...]:
        return tuple(link.relation for link in self.links)

    def skeleton(self) -> tuple[Link, ...]:
        """The fewest BEFORE and AFTER links that say the whole order of the events: its transitive reduction."""
        events = {e.id for e in self.document.events}
        links = [x for x in self.of_kind("temporal") if set(x.pair) <= events]
        worth = [(not x.inferred, x.relation.confidence) for x in links]
        return tuple(links[at] for at in reduced(events, [x.relation for x in links], worth))


def build(
    document: Document,
    relations: Iterable[Relation] | None = None,
    *,
    inferred: Iterable[Derived] | None = None,
    changed: Iterable[Change] = (),
    chances: Mapping[tuple[str, str, str], Sequence[float]] | None = None,
    confidence: Mapping[str, float] | None = None,
    origin: str = "given",
    stated: Collection[tuple[str, str, str]] = (),
    notes: Iterable[str] = (),
) -> Timeline:
    """A timeline of a document.

    Args:
        relations: by default the document's own; NONE is left aside.
        inferred: what follows from them, from a decoder that made sure that they hold together; worked out by default.
        changed: labels among `relations` that had to give way.
        chances: (source, target, kind) -> the model's probabilities, of LABELS[kind].
        confidence: of events.
        origin: "given" or "model": who says `relations`, but those `stated` (source, target, kind).

    Contradictory relations are reported with a shortest explanation each, and the least sure relation of each is left
    out (of equals the last), until the rest holds together.

    Raises:
        DataError: no events, relations to unknown ids or with unknown labels, a document time that is no date.
    """
    if not document.events:
        why = "The text is empty." if not document.text.strip() else f"The text has {len(document.text)} characters."
        raise DataError(explain(f"{document.id} has no events, so there is no timeline to draw.", why))
    own = document.relations if relations is None else tuple(relations)
    document = replace(document, relations=own, sentences=document.sentences or split(document.text))
    causal = _one_each(r for r in own if r.kind == "causal" and r.label != "NONE")
    temporal = [r for r in own if r.kind == "temporal"]
    order: list[Contradiction] = []
    if inferred is None:
        temporal, order = _consistent(document, temporal)
    fitted = fit(document, temporal)
    out = {broken for _, broken in fitted.conflicts}
    temporal = _one_each(r for r in temporal if r not in out)
    if inferred is None or out & set(_exact(document, out)):
        inferred = closure(_exact(document, temporal))
    links = _links(temporal, causal, list(inferred), list(changed), chances or {}, origin, stated)
    links += _dated(fitted, {frozenset(x.pair) for x in links if x.relation.kind == "temporal"})
    in_text = [e.id for e in sorted(document.events, key=lambda e: (e.start, e.end))]
    placed, loose = layers(in_text, (x.relation for x in links if x.relation.kind == "temporal"))
    by_date = [Contradiction(cycle, broken, "dates") for cycle, broken in fitted.conflicts]
    by_text = {frozenset((a, b)) for a, b, kind in stated if kind == "temporal"}
    in_words = [r for r in temporal if frozenset((r.source, r.target)) in by_text]
    return Timeline(
        document,
        tuple(sorted(links, key=lambda x: x.relation.kind != "temporal")),
        by_words(fitted.bounds, fit(document, in_words).bounds) if in_words else fitted.bounds,
        placed,
        loose,
        (*order, *by_date),
        dict(confidence or {}),
        (*notes, *(f"{name} is left aside: {message}" for name, message in fitted.unread.items())),
    )


class Opinion(Protocol):
    """What a model says of a pair: probabilities in the order of TEMPORAL and of CAUSAL."""

    @property
    def temporal(self) -> Sequence[float]: ...

    @property
    def causal(self) -> Sequence[float]: ...


def of_decoded(
    document: Document,
    decoded: Decoded | None,
    said: Mapping[Pair, Opinion],
    *,
    sure: float = 0.5,
    confidence: Mapping[str, float] | None = None,
    stated: Collection[tuple[str, str, str]] = (),
    beside: Sequence[Relation] = (),
    notes: Iterable[str] = (),
) -> Timeline:
    """The timeline of a decoded document.

    Args:
        decoded: None for a document without two events in reach of each other.
        said: what the model said of each pair, also of events with times. It gives each relation its confidence.
        sure: an event stands to a time as the model says, where it is not VAGUE and its probability at least this.
        beside: what the text states besides, and the model was not asked about: deadlines.
        confidence, stated, notes: as for `build`.
    """
    notes = list(notes)
    chances = {(a, b, kind): tuple(getattr(o, kind)) for (a, b), o in said.items() for kind in LABELS}
    events = {e.id for e in document.events}
    more = [r for (a, b), o in said.items() if not {a, b} <= events if (r := _likely(a, b, o, sure))]
    if decoded is not None and decoded.windowed:
        notes.append("The text was decided window by window: what is far apart was not weighed together.")
    elif decoded is not None and not decoded.exact:
        notes.append("Time ran out: the order is consistent, but perhaps not the most probable one.")
    return build(
        document,
        [*(_confident(r, chances) for r in (decoded.relations if decoded else ())), *more, *beside],
        inferred=decoded.inferred if decoded else (),
        changed=decoded.changed if decoded else (),
        chances=chances,
        confidence=confidence,
        origin="model",
        stated=[*stated, *((r.source, r.target, r.kind) for r in beside)],
        notes=notes,
    )


def _likely(a: str, b: str, opinion: Opinion, sure: float) -> Relation | None:
    p, label = max(zip(opinion.temporal, TEMPORAL, strict=True))
    return Relation(a, b, label, confidence=min(p, 1.0)) if label != "VAGUE" and p >= sure else None


def _exact(document: Document, relations: Iterable[Relation]) -> list[Relation]:
    """Those that compare two starts. EQUAL to a time does not (two things of one day need not start together), nor a
    deadline, VAGUE for want of a label."""
    here = {e.id for e in document.events}
    return [r for r in relations if r.original != DEADLINE and (r.label != "EQUAL" or {r.source, r.target} <= here)]


def _confident(r: Relation, chances: Mapping[tuple[str, str, str], Sequence[float]]) -> Relation:
    p = _chances(r, chances)
    return replace(r, confidence=min(1.0, p[LABELS[r.kind].index(r.label)])) if p else r


def _chances(r: Relation, chances: Mapping[tuple[str, str, str], Sequence[float]]) -> tuple[float, ...]:
    """The model's probabilities as read from the relation's source."""
    if p := chances.get((r.source, r.target, r.kind)):
        return tuple(p)
    if p := chances.get((r.target, r.source, r.kind)):
        first, second, *rest = p
        return (second, first, *rest) if r.kind == "temporal" else (first, p[2], second)
    return ()


def _one_each(relations: Iterable[Relation]) -> list[Relation]:
    """One relation for each pair: the surest, of equals the first."""
    best: dict[frozenset[str], Relation] = {}
    for r in relations:
        pair = frozenset((r.source, r.target))
        if len(pair) == 2 and (pair not in best or r.confidence > best[pair].confidence):
            best[pair] = r
    return list(best.values())


def _consistent(document: Document, given: list[Relation]) -> tuple[list[Relation], list[Contradiction]]:
    """The relations that can all hold, each pair once, and what was wrong with the others.

    Of disjoint shortest cycles one relation each is left out at a time; what remains is looked at again.
    """
    found: list[Contradiction] = []
    while cycles := contradictions(_exact(document, given)):
        touched: set[Relation] = set()
        for cycle in cycles:
            members = [r for r in given if r in cycle or r.converse in cycle]
            if touched & set(members):
                continue
            touched |= set(members)
            out = min(members, key=lambda r: (r.confidence, -given.index(r)))
            found.append(Contradiction(cycle, out))
            given = [r for r in given if r != out]
    return given, found


def _links(
    temporal: Sequence[Relation],
    causal: Sequence[Relation],
    inferred: Sequence[Derived],
    changed: Sequence[Change],
    chances: Mapping[tuple[str, str, str], Sequence[float]],
    origin: str,
    stated: Collection[tuple[str, str, str]],
) -> list[Link]:
    changes = {(frozenset((c.source, c.target)), c.kind): c for c in changed}
    by_text = {(frozenset((a, b)), kind) for a, b, kind in stated}
    links = []
    for r in (*temporal, *causal):
        pair = frozenset((r.source, r.target))
        if (pair, r.kind) in by_text:
            links.append(Link(r, "text"))
        else:
            links.append(Link(r, origin, (), changes.get((pair, r.kind)), _chances(r, chances)))
    return links + [Link(d.relation, "inferred", d.because) for d in inferred]


def _dated(fitted: Fitted, known: set[frozenset[str]]) -> list[Link]:
    """Pairs that have no relation yet, but whose bounds leave one order alone."""
    return [
        Link(Relation(a, b, "BEFORE", confidence=min((r.confidence for r in why), default=1.0)), "dates", why)
        for (a, b), why in fitted.before.items()
        if frozenset((a, b)) not in known
    ]
