"""Real edits of a text whose effect on a temporal label is certain, for training and for asking what a model reads.

Certain means: a "before" or an "after" joins the two events and nothing else can, and the annotation agrees with it.
Then flipping the word turns the label round, and other triggers in the same places keep it. Where that is not so,
nothing is edited, for nobody knows what the label would be.
Source of the idea: Kaushik, Hovy and Lipton 2020 (ICLR), counterfactually augmented data.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .schema import CONVERSE, Document, Event, Relation, Span

CONNECTIVE = re.compile(r"\b(before|after)\b", re.IGNORECASE)
CUES = re.compile(r"\b(before|after|when|while|since|until|once|as|then|later|earlier|previously)\b", re.IGNORECASE)
PERFECT = re.compile(r"\b(had|having)\b", re.IGNORECASE)
OTHER = {"before": "after", "after": "before"}
ENDINGS = ("ing", "ed", "s")

Change = tuple[int, int, str]
"""text[start:end] becomes these words."""


@dataclass(frozen=True)
class Site:
    """A connective that alone orders two events: a is the one mentioned first, `label` that of a to b."""

    connective: Span
    a: str
    b: str
    label: str


def apply(document: Document, changes: Sequence[Change], relations: Sequence[Relation]) -> Document:
    """The document with parts of its text replaced; spans move along, and these are its only relations.

    A mark whose text is replaced spans the new words. Changes must not overlap, nor cut through a mark's edge.
    """
    order = sorted(changes)

    def moved(at: int, is_end: bool) -> int:
        shift = 0
        for start, end, words in order:
            if at >= end or (is_end and at > start):
                shift += len(words) - (end - start)
        return at + shift

    text = document.text
    for start, end, words in reversed(order):
        text = text[:start] + words + text[end:]
    return replace(
        document,
        text=text,
        events=tuple(replace(e, start=moved(e.start, False), end=moved(e.end, True)) for e in document.events),
        timexes=tuple(replace(t, start=moved(t.start, False), end=moved(t.end, True)) for t in document.timexes),
        sentences=tuple((moved(s, False), moved(e, True)) for s, e in document.sentences),
        linked=None if document.linked is None else (moved(document.linked[0], False), moved(document.linked[1], True)),
        relations=tuple(relations),
        dense=frozenset(),
    )


def sites(document: Document) -> list[Site]:
    """Annotated pairs that one connective orders, and that the annotation orders the same way.

    "a before b", "a after b", "before a, b", "after a, b" in one sentence with one cue; a is the last event before
    the connective (or its own clause), b the next after it; no perfect tense that would have to change with it.
    """
    labels = {}
    for r in document.of_kind("temporal"):
        labels[r.source, r.target], labels[r.target, r.source] = r.label, CONVERSE[r.label]
    found = []
    for start, end in document.sentences:
        sentence = document.text[start:end]
        if len(CUES.findall(sentence)) != 1 or PERFECT.search(sentence) or not (cue := CONNECTIVE.search(sentence)):
            continue
        at, until = start + cue.start(), start + cue.end()
        inside = [e for e in document.events if start <= e.start and e.end <= end]
        pair = _fronted(document.text, inside, until) if cue.start() == 0 else _between(inside, at, until)
        if pair is None:
            continue
        first = (cue[1].lower() == "before") != (cue.start() == 0)
        label = "BEFORE" if first else "AFTER"
        if labels.get((pair[0].id, pair[1].id)) == label:
            found.append(Site((at, until), pair[0].id, pair[1].id, label))
    return found


def _between(inside: Sequence[Event], at: int, until: int) -> tuple[Event, Event] | None:
    """The last event before the connective and the first after it."""
    left = [e for e in inside if e.end <= at]
    right = [e for e in inside if e.start >= until]
    return (left[-1], right[0]) if left and right else None


def _fronted(text: str, inside: Sequence[Event], until: int) -> tuple[Event, Event] | None:
    """ "After a, b": the only event up to the first comma, and the first one behind it."""
    comma = text.find(",", until)
    clause = [e for e in inside if e.end <= comma]
    rest = [e for e in inside if e.start > comma]
    return (clause[0], rest[0]) if comma > 0 and len(clause) == 1 and rest else None


def flip(document: Document, site: Site) -> Document:
    """The same text with the opposite connective: the label turns round."""
    start, end = site.connective
    said = document.text[start:end]
    other = OTHER[said.lower()]
    other = other.capitalize() if said[0].isupper() else other
    return apply(document, [(start, end, other)], [Relation(site.a, site.b, CONVERSE[site.label])])


def exchange(document: Document, site: Site) -> Document | None:
    """The two triggers in each other's places: the connective still orders the places, so the label stays.

    None where the words are not inflected alike.
    """
    (a, b), (c, d) = document.span(site.a), document.span(site.b)
    first, second = document.text[a:b], document.text[c:d]
    if inflection(first) != inflection(second) or first.lower() == second.lower():
        return None
    return apply(document, [(a, b, second), (c, d, first)], [Relation(site.a, site.b, site.label)])


def substitute(
    document: Document, site: Site, words: dict[str, list[str]], rng: np.random.Generator
) -> Document | None:
    """Other triggers of the same inflection in both places; the label stays. words: by inflection."""
    changes: list[Change] = []
    for name in (site.a, site.b):
        start, end = document.span(name)
        said = document.text[start:end]
        choice = [w for w in words.get(inflection(said), ()) if w != said.lower()]
        if not choice:
            return None
        changes.append((start, end, choice[rng.integers(len(choice))]))
    return apply(document, changes, [Relation(site.a, site.b, site.label)])


def inflection(word: str) -> str:
    """By ending: "ing", "ed", "s" or "" - a rough class, whose words fit each other's places."""
    return next((e for e in ENDINGS if word.lower().endswith(e) and len(word) > len(e) + 2), "")


def augment(documents: Iterable[Document], seed: int = 0) -> list[Document]:
    """Every certain edit of these documents, one pair each: connectives flipped, triggers exchanged and substituted."""
    documents = list(documents)
    words: dict[str, list[str]] = defaultdict(list)
    for d in documents:
        for e in d.events:
            said = d.surface(e.id).lower()
            if said.isalpha() and inflection(said):
                words[inflection(said)].append(said)
    rng = np.random.default_rng(seed)
    found = []
    for d in documents:
        for site in sites(d):
            made = [flip(d, site), exchange(d, site), substitute(d, site, words, rng)]
            found += [replace(x, id=f"{d.id}+{i}") for i, x in enumerate(made) if x is not None]
    return found
