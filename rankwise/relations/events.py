"""Which words are events: a head over tokens on the extractor's own encoder and adapter.

Labels are B (first token of a mention), I (its further tokens) and O. Each token is judged in the window in which it
stands nearest the middle. A mention always ends at the end of a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from torch import nn

from ..core.adapter import Adapter
from ..core.head import Head
from ..train.data import IGNORE, Example
from ..train.evaluate import predict
from ..train.task import Task
from .pairs import Layout, Tokens
from .schema import Document, Event, Span

LABELS = ("O", "B", "I")
NAME = "events"


def head(hidden: int, dropout: float = 0.1) -> Head:
    """The head for an encoder of this width."""
    return Head("tokens", LABELS, hidden, dropout=dropout)


def task(rows: Sequence[Example], hidden: int, **options: Any) -> Task:
    """The task of finding events; rows from `rows(..., labelled=True)`."""
    return Task(NAME, head(hidden), rows, **options)


def rows(document: Document, layout: Layout, *, labelled: bool = False) -> list[Example]:
    """Windows over the document, every token judged in exactly one.

    Returns rows whose `meta` is (tokens judged in this row as a range of the document's tokens, their offset in the
        row) and whose label, where asked for, is -100 for tokens that are not judged here, or that lie outside
        `document.linked`, where nobody annotated.
    """
    tokens = Tokens(document, layout)
    n, size = len(tokens.ids), 2 * layout.block
    gold = _gold(document, tokens) if labelled else None
    found = []
    for start, end, low, high in _windows(n, size):
        text = (layout.first, *tokens.ids[start:end], layout.last)
        row = layout.row(text, [], meta=(low, high, 1 + low - start))
        if gold is not None:
            inside = [gold[at] if low <= at < high else IGNORE for at in range(start, end)]
            row = replace(row, label=(IGNORE, *inside, IGNORE))
            if all(label == IGNORE for label in row.label):
                continue
        found.append(row)
    return found


def _windows(n: int, size: int) -> list[tuple[int, int, int, int]]:
    """(start, end, first judged, end of judged): windows half overlapping, the judged parts a partition of n tokens."""
    starts = [*range(0, max(n - size, 0), size // 2), max(n - size, 0)] if n else []
    starts = sorted(set(starts))
    cuts = [0, *((a + size + b) // 2 for a, b in pairwise(starts)), n]
    return [(s, min(s + size, n), cuts[i], cuts[i + 1]) for i, s in enumerate(starts)]


def _gold(document: Document, tokens: Tokens) -> list[int]:
    low, high = document.linked or (0, len(document.text))
    gold = [0 if low <= s and e <= high else IGNORE for s, e in zip(tokens.starts, tokens.ends, strict=True)]
    for event in document.events:
        if low <= event.start and event.end <= high:
            first, end = tokens.range(event.start, event.end)
            gold[first:end] = [LABELS.index("B"), *[LABELS.index("I")] * (end - first - 1)]
    return gold


@dataclass(frozen=True)
class Found:
    """An event that the model found, and the probability that its first token begins one."""

    event: Event
    confidence: float


def detect(
    model: nn.Module,
    adapter: Adapter | None,
    documents: Iterable[Document],
    layout: Layout,
    *,
    threshold: float = 0.5,
    batch_rows: int = 8,
) -> list[tuple[Found, ...]]:
    """The events of every document, in order, named e1, e2, ...; those that documents already have are not looked at.

    threshold: probability of not being O, from 0 to 1, from which a token is part of an event.
    """
    documents = list(documents)
    asked = [rows(document, layout) if document.text.strip() else [] for document in documents]
    flat = [row for each in asked for row in each]
    if not flat:
        return [() for _ in documents]
    logits = iter(predict(model, adapter, task(flat, _width(model)), flat, batch_rows=batch_rows))
    found = []
    for document, each in zip(documents, asked, strict=True):
        tokens = Tokens(document, layout)
        p: list[list[float]] = []
        for row in each:
            low, high, at = row.meta
            p += next(logits)[at : at + high - low].softmax(-1).tolist()
        spans = _mentions(document.text, tokens, p, threshold)
        found.append(tuple(Found(Event(f"e{i}", *span), c) for i, (span, c) in enumerate(spans, 1)))
    return found


def _width(model: nn.Module) -> int:
    config: Any = model.config
    return int(config.hidden_size)


def _mentions(text: str, tokens: Tokens, p: Sequence[Sequence[float]], threshold: float) -> list[tuple[Span, float]]:
    """Runs of tokens of which one begins and the rest goes on, widened to whole words."""
    out: list[tuple[Span, float]] = []
    for at, (o, b, i) in enumerate(p):
        if 1 - o < threshold:
            continue
        start, end = _word(text, tokens.starts[at], tokens.ends[at])
        if out and start < out[-1][0][1]:  # a further piece of the same word
            continue
        follows = out and at and 1 - p[at - 1][0] >= threshold and text[out[-1][0][1] : start].strip() == ""
        if i > b and follows:
            (first, _), confidence = out[-1]
            out[-1] = ((first, end), confidence)
        elif text[start:end].strip(PUNCTUATION):
            out.append(((start, end), 1 - o))
    return [(trimmed, c) for span, c in out if (trimmed := _trimmed(text, span))]


WORDS = """
a an the these those each every any some no not n't don doesn didn isn wasn and or but nor so if because although while
whereas when where who whom whose which why of in on at to from by for with without as than then i you he she it we they
me him her us them my your his its our their mr mrs ms dr there here very too also
"""
FUNCTION = frozenset(WORDS.split())
"""Words that no event consists of; at the ends of a mention they are cut off."""
TOKEN = re.compile(r"\w+(?:['’]\w+)?|\S")
PUNCTUATION = " \t\n.,;:!?\"'()[]{}<>-`$%&/*"


def _trimmed(text: str, span: Span) -> Span | None:
    """The span without function words, single letters and signs at its ends; None where nothing is left."""
    words = [m.span() for m in TOKEN.finditer(text, *span)]

    def empty(word: Span) -> bool:
        said = re.split("['’]", text[slice(*word)].casefold())[0]
        return said in FUNCTION or (len(said) == 1 and not said.isdigit())

    while words and empty(words[0]):
        del words[0]
    while words and empty(words[-1]):
        del words[-1]
    return (words[0][0], words[-1][1]) if words else None


def _word(text: str, start: int, end: int) -> Span:
    """The run of letters and digits around text[start:end]."""
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end


def as_events(found: Iterable[Found]) -> tuple[Event, ...]:
    """The events alone."""
    return tuple(f.event for f in found)
