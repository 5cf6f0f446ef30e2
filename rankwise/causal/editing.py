"""What edits of cues share: a case with its text changed, parts of a sentence exchanged, and first letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..relations.edits import Change, apply
from ..relations.schema import Document, Span
from ..relations.sentences import split
from .cue import Case
from .reading import Reading, Word, reading

LOWER = frozenset({"DT", "PRP", "PRP$", "IN", "EX", "WDT", "WP", "PDT"})
"""Tags of words that are written small where they do not start a sentence."""
PROPER = frozenset({"NNP", "NNPS"})


def with_sentences(case: Case) -> Case:
    """The case with its document split into sentences, if nobody did."""
    if case.document.sentences:
        return case
    return replace(case, document=replace(case.document, sentences=split(case.document.text)))


def changed(case: Case, changes: Sequence[Change]) -> Case:
    """The case with parts of its text replaced. Label and relations are gone: nobody has drawn them anew."""
    return replace(case, document=apply(case.document, changes, ()), label=None)


def exchanged(case: Case, first: Span, second: Span, words: tuple[str, str, str], gap: str) -> Case:
    """The two parts of the text in each other's places, with `gap` between them and marks moving along.

    words: what the second part reads now that it is first, what the first part reads behind it, each of the same
    length as before, and a tail in place of text[second end : second end], "" for none.
    """
    document = case.document
    (a0, a1), (b0, b1) = first, second
    before, after, tail = words
    text = document.text[:a0] + before + gap + after + tail + document.text[b1:]
    grown = len(text) - len(document.text)

    def moved(span: Span) -> Span:
        start, end = span
        if a0 <= start and end <= a1:
            shift = len(before) + len(gap)
        elif b0 <= start and end <= b1:
            shift = a0 - b0
        else:
            return (start if start <= a0 else start + grown, end if end <= a0 else end + grown)
        return start + shift, end + shift

    events = [replace(e, start=moved((e.start, e.end))[0], end=moved((e.start, e.end))[1]) for e in document.events]
    timexes = [replace(t, start=moved((t.start, t.end))[0], end=moved((t.start, t.end))[1]) for t in document.timexes]
    new = Document(
        document.id,
        text,
        tuple(sorted(events, key=lambda e: e.start)),
        tuple(sorted(timexes, key=lambda t: t.start)),
        (),
        tuple(moved(s) for s in document.sentences),
        document.created,
        document.group,
        None if document.linked is None else moved(document.linked),
    )
    return replace(case, document=new, label=None)


def small(word: Word) -> str | None:
    """The word as it is written inside a sentence; None where its capital may belong to it."""
    if word.tag in PROPER or word.said == "I" or not word.said[:1].isupper():
        return word.said
    return word.said.lower() if word.tag in LOWER else None


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def places(case: Case) -> tuple[Reading, Word, Word] | None:
    """The reading, and the first words of the pair in the order of the text; None where they overlap."""
    read = reading(case.document)
    spans = [case.document.span(end) for end in case.mentioned]
    found = [next(iter(read.between(*span)), None) for span in spans]
    if found[0] is None or found[1] is None or spans[0][1] > spans[1][0]:
        return None
    return read, _head(read, spans[0]), _head(read, spans[1])


def _head(read: Reading, span: Span) -> Word:
    """The verb of an event, or its last word."""
    inside = read.between(*span)
    return next((w for w in inside if w.tag.startswith("VB")), inside[-1])
