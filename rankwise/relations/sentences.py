"""Where sentences begin and end: spans of characters, from a library that needs no model and no download.

sentencex is Wikimedia's, kept up for their own pages, with rules and abbreviations for each language.
"""

from __future__ import annotations

import re

import sentencex

from .schema import Span

LINE = re.compile(r"[^\n]+")
PARAGRAPH = re.compile(r"(?:[^\n]|\n(?!\s*\n))+")
HALF = re.compile("[\ud800-\udfff]")
WORD = re.compile(r"\w+(?:[.'’\-]\w+)*")


def split(text: str, newlines: bool = False) -> tuple[Span, ...]:
    """Sentences as half-open character spans, in order, without white space around them.

    Blank lines always end a sentence; with `newlines` every end of a line does. Half of a surrogate pair, which no
    library takes, counts as one character that says nothing.
    """
    found = []
    text = HALF.sub("\ufffd", text)
    for part in (LINE if newlines else PARAGRAPH).finditer(text):
        at = part.start()
        for sentence in sentencex.segment("en", part.group()):
            start = text.index(sentence, at)
            at = start + len(sentence)
            if bare := sentence.strip():
                start += sentence.index(bare)
                found.append((start, start + len(bare)))
    return tuple(found)


def words(text: str, start: int = 0) -> tuple[Span, ...]:
    """Runs of letters and digits, with points, hyphens and apostrophes inside them, from `start` on."""
    return tuple(match.span() for match in WORD.finditer(text, start))
