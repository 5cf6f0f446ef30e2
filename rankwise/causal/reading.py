"""A document as words with tags, read once: what detectors of cues look at."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache

from ..relations.schema import Document, Span
from ..relations.sentences import split
from .tagger import packaged, words

VERBAL = ("VB", "VBD", "VBG", "VBN", "VBP", "VBZ", "MD")


@dataclass(frozen=True, slots=True)
class Word:
    """text[start:end], in sentence number `sentence`, with its Penn Treebank tag."""

    start: int
    end: int
    said: str
    tag: str
    sentence: int

    @property
    def lower(self) -> str:
        return self.said.lower().replace("’", "'")


@dataclass(frozen=True)
class Reading:
    """All words of a text, in order, with where each starts and ends; sentences: the spans they were tagged by."""

    text: str
    words: tuple[Word, ...]
    sentences: tuple[Span, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def between(self, start: int, end: int) -> tuple[Word, ...]:
        """The words that lie in text[start:end]."""
        return self.words[bisect_left(self.starts, start) : bisect_right(self.ends, end)]

    def sentence(self, number: int) -> tuple[Word, ...]:
        """The words of one sentence."""
        return self.between(*self.sentences[number])

    def index(self, start: int) -> int:
        """Number of the first word that starts here or later."""
        return bisect_left(self.starts, start)


def reading(document: Document) -> Reading:
    """The document's words; a document without sentences is split first."""
    return _reading(document.text, document.sentences)


@lru_cache(maxsize=4096)
def _reading(text: str, sentences: tuple[Span, ...]) -> Reading:
    sentences = sentences or split(text)
    found: list[Word] = []
    for number, (start, end) in enumerate(sentences):
        spans = words(text, start, end)
        tags = _tags(tuple(text[a:b] for a, b in spans))
        found += [Word(a, b, text[a:b], tag, number) for (a, b), tag in zip(spans, tags, strict=True)]
    return Reading(text, tuple(found), sentences, tuple(w.start for w in found), tuple(w.end for w in found))


@lru_cache(maxsize=65_536)
def _tags(sentence: tuple[str, ...]) -> tuple[str, ...]:
    """By sentence, so that an edit tags one sentence anew and not its document."""
    return tuple(packaged()(sentence))
