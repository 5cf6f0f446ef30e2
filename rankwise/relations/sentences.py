"""Where sentences begin and end: spans of characters, from a library that needs no model and no download.

sentencex is Wikimedia's, kept up for their own pages, with rules and abbreviations for each language.
"""

from __future__ import annotations

import re
from itertools import pairwise

import sentencex

from .schema import Span

LINE = re.compile(r"[^\n]+")
PARAGRAPH = re.compile(r"(?:[^\n]|\n(?!\s*\n))+")
HALF = re.compile("[\ud800-\udfff]")
WORD = re.compile(r"\w+(?:[.'’\-]\w+)*")


def whole(text: str) -> str:
    """The same number of characters, with U+FFFD for half ones (lone surrogates), which no file can hold."""
    return HALF.sub("\ufffd", text)


def split(text: str, newlines: bool = False) -> tuple[Span, ...]:
    """Sentences as half-open character spans, in order, without white space around them.

    Blank lines always end a sentence, and so do ends of lines where the next word would have fitted in: a headline,
    a date line, an item of a list, not text that somebody wrapped. With `newlines` every end of a line does. Half of
    a surrogate pair, which no library takes, counts as one character that says nothing.
    """
    found = []
    text = whole(text)
    for begin, end in [m.span() for m in LINE.finditer(text)] if newlines else _pieces(text):
        at = begin
        for sentence in sentencex.segment("en", text[begin:end]):
            start = text.index(sentence, at)
            at = start + len(sentence)
            if bare := sentence.strip():
                start += sentence.index(bare)
                found.append((start, start + len(bare)))
    return tuple(found)


def _pieces(text: str) -> list[Span]:
    """Paragraphs, cut where a line was ended on purpose: the next line's first word would have fitted in."""
    found = []
    for part in PARAGRAPH.finditer(text):
        lines = [m.span() for m in LINE.finditer(text, *part.span())]
        width = max((end - start for start, end in lines), default=0)
        begin = part.start()
        for (start, end), (after, last) in pairwise(lines):
            first = text[after:last].split(maxsplit=1)[:1]
            if first and end - start + 1 + len(first[0]) <= width:
                found.append((begin, end))
                begin = after
        found.append((begin, part.end()))
    return found


def words(text: str, start: int = 0) -> tuple[Span, ...]:
    """Runs of letters and digits, with points, hyphens and apostrophes inside them, from `start` on."""
    return tuple(match.span() for match in WORD.finditer(text, start))
