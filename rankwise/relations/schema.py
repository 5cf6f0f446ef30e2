"""What every reader gives and every other part of this room takes: a text, its events, its times, their relations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..errors import DataError, explain

TEMPORAL = ("BEFORE", "AFTER", "EQUAL", "VAGUE")
"""Order of the start points of source and target, as in MATRES (Ning et al. 2018, ACL); VAGUE: it cannot be told."""
CAUSAL = ("NONE", "CAUSES", "CAUSED_BY")
LABELS = {"temporal": TEMPORAL, "causal": CAUSAL}
_TEMPORAL_CONVERSE = {"BEFORE": "AFTER", "AFTER": "BEFORE", "EQUAL": "EQUAL", "VAGUE": "VAGUE"}
_CAUSAL_CONVERSE = {"NONE": "NONE", "CAUSES": "CAUSED_BY", "CAUSED_BY": "CAUSES"}
CONVERSE = _TEMPORAL_CONVERSE | _CAUSAL_CONVERSE
DOCUMENT_TIME = "t0"  # id of the time at which a document was written; it has no place in the text

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Event:
    """A mention of an event: the characters text[start:end].

    kind: the corpus's own class or part of speech (OCCURRENCE, VERB, ...), empty where it gives none.
    """

    id: str
    start: int
    end: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Timex:
    """A time expression: text[start:end], or no place in the text (start = end = -1) for the document's own time.

    value: as in TIMEX3: "1998-02-13", "1998-W07", "1998-02", "P3D", "PAST_REF", "" where unknown.
    type: DATE, TIME, DURATION or SET.
    """

    id: str
    start: int
    end: int
    value: str = ""
    type: str = "DATE"


DEADLINE = "BY"
"""`original` of a VAGUE relation to a time before whose end the event starts, be it before it or within it; no label
says that."""


@dataclass(frozen=True, slots=True)
class Relation:
    """source stands in `label` to target: BEFORE says that source starts before target, CAUSES that it causes it.

    source, target: ids of events or times of the same document.
    kind: "temporal" or "causal"; label: one of LABELS[kind].
    original: what the corpus itself says, before it was mapped onto `label` (INCLUDES, FALLING_ACTION, ...).
    confidence: probability from 0 to 1; 1 for annotations.
    """

    source: str
    target: str
    label: str
    kind: str = "temporal"
    original: str = ""
    confidence: float = 1.0

    @property
    def converse(self) -> Relation:
        """The same said from the other end (`original` stays as the corpus has it)."""
        return replace(self, source=self.target, target=self.source, label=CONVERSE[self.label])

    @property
    def word(self) -> str:
        """The label, or BY of a deadline."""
        return DEADLINE if self.original == DEADLINE else self.label


@dataclass(frozen=True)
class Document:
    """A text with what is known about it. Events and timexes in the order of the text.

    sentences: character spans, in order, without overlap; () where nobody has split the text yet.
    linked: the span of text within which relations were annotated; None for all of it. Outside, a pair without a
        relation is unknown, not negative.
    dense: kinds of relation of which every pair in reach was judged, so that a pair without one is a negative.
    group: what a fair split must keep together (topic, source); "" for none.
    created: the document's own time as a TIMEX3 value, "" where unknown; its id in relations is DOCUMENT_TIME.

    Raises:
        DataError: an id twice, a span outside the text, a relation to an id that is not there, an unknown label.
    """

    id: str
    text: str
    events: tuple[Event, ...] = ()
    timexes: tuple[Timex, ...] = ()
    relations: tuple[Relation, ...] = ()
    sentences: tuple[Span, ...] = ()
    created: str = ""
    group: str = ""
    linked: Span | None = None
    dense: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        ids = Counter(x.id for x in self.marks)
        twice = [i for i, n in ids.items() if n > 1]
        if twice or DOCUMENT_TIME in ids:
            raise _wrong(self.id, f"the id {(twice or [DOCUMENT_TIME])[0]!r} names two things", "Each id names one.")
        for x in self.marks:
            if not 0 <= x.start < x.end <= len(self.text):
                rule = f"Spans are half-open and lie in the text's {len(self.text)} characters."
                raise _wrong(self.id, f"{x.id} spans {x.start} to {x.end}", rule)
        for r in self.relations:
            for end in (r.source, r.target):
                if end != DOCUMENT_TIME and end not in ids:
                    raise _wrong(self.id, f"a relation names {end!r}", "Both ends are events or times of the document.")
            if r.label not in LABELS.get(r.kind, ()):
                known = ", ".join(LABELS.get(r.kind, LABELS))
                raise _wrong(self.id, f"a relation of kind {r.kind!r} is called {r.label!r}", f"Known: {known}.")

    @property
    def marks(self) -> tuple[Event | Timex, ...]:
        """Events, then times."""
        return (*self.events, *self.timexes)

    def span(self, name: str) -> Span:
        """Character span of the event or time called so. Raises KeyError for another name, and for t0."""
        return self._spans[name]

    @property
    def _spans(self) -> dict[str, Span]:
        return {x.id: (x.start, x.end) for x in self.marks}

    def surface(self, name: str) -> str:
        """The words of the event or time called so."""
        start, end = self.span(name)
        return self.text[start:end]

    def of_kind(self, kind: str) -> tuple[Relation, ...]:
        return tuple(r for r in self.relations if r.kind == kind)

    def sentence_of(self, position: int) -> int:
        """Number of the sentence that holds this character, or the last that starts before it; 0 without sentences."""
        return max((i for i, (start, _) in enumerate(self.sentences) if start <= position), default=0)


@dataclass(frozen=True)
class Problem:
    """Something in a corpus that could not be read, and was left out: never guessed."""

    document: str
    what: str  # "event without a place in the text", "relation to an unknown id", ...
    value: str  # the offending value itself


@dataclass(frozen=True)
class Corpus:
    """Documents of one corpus, with everything that was left out and why."""

    name: str
    documents: tuple[Document, ...]
    problems: tuple[Problem, ...] = ()
    licence: str = ""
    embeddable: bool = False
    notes: dict[str, int] = field(default_factory=dict)  # further counts that a reader wants to show

    def __iter__(self) -> Iterator[Document]:
        return iter(self.documents)

    def __len__(self) -> int:
        return len(self.documents)

    def __getitem__(self, name: str) -> Document:
        for document in self.documents:
            if document.id == name:
                return document
        raise KeyError(name)

    def only(self, names: Iterable[str]) -> Corpus:
        """The documents of these ids. Raises DataError for one that is not there."""
        wanted = set(names)
        missing = wanted - {d.id for d in self.documents}
        if missing:
            raise _wrong(self.name, f"{len(missing)} documents are missing", f"First: {sorted(missing)[0]!r}.")
        return replace(self, documents=tuple(d for d in self.documents if d.id in wanted))

    def counts(self) -> dict[str, int]:
        """Documents, events, timexes, relations by kind, problems."""
        found = Counter(r.kind for d in self.documents for r in d.relations)
        return {
            "documents": len(self.documents),
            "events": sum(len(d.events) for d in self.documents),
            "timexes": sum(len(d.timexes) for d in self.documents),
            **{kind: found[kind] for kind in LABELS},
            "problems": len(self.problems),
        }


def _wrong(where: str, what: str, rule: str) -> DataError:
    return DataError(explain(f"{where}: {what}.", rule))
