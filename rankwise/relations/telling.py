"""A time as a text tells it: its words, and what stands around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .counted import Step, step
from .schema import Span

BACK = re.compile(r"\b(?:had|previous(?:ly)?|earlier|already|formerly)\b", re.IGNORECASE)
AHEAD = re.compile(
    r"\b(?:will|would|shall|should|must|to\s+be|plans?\s+to|planned|due|scheduled|expect(?:s|ed)?|by|until|deadline)\b",
    re.IGNORECASE,
)
DID = (
    r"\w{2,}ed|made|took|won|lost|held|met|sent|left|sold|bought|gave|began|broke|cut|shut|hit|saw|wrote|drew|paid|built"
    r"|brought|caught|chose|found|got|put|set|led|struck|threw|withdrew|beat|sought|stole|taught|wore"
)
"""Past forms of verbs that take an object."""
ASIDE = re.compile(r"\b(?:after|before|because|since|which|who|that|when|while|as|if)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Told:
    """One time of a text.

    value: TIMEX3, "" where it depends on the day of writing; here: its value for some day of writing.
    on: how far it lies from what was told before, where it counts from there. clock: an hour without its day.
    back, ahead: whether its sentence looks back ("had been removed in May") or ahead ("is due in May").
    aside: it stands in a clause beside another time of its sentence ("left on Monday after a row on 27 February").
    """

    span: Span
    words: str
    value: str
    here: str = ""
    on: Step | None = None
    clock: bool = False
    back: bool = False
    ahead: bool = False
    aside: bool = False


def told(text: str, times: Iterable[tuple[Span, str, str, bool]], sentences: Sequence[Span]) -> list[Told]:
    """times: where each stands, its value, its value for some day of writing, whether it is an hour without its day."""
    found: list[Told] = []
    at, last, dated = 0, 0, 0  # of the sentence; ends of the time before, and of the last one that is no duration
    for span, value, here, clock in times:
        while at + 1 < len(sentences) and sentences[at][1] <= span[0]:
            at += 1
        begin = sentences[at][0] if sentences else 0
        before = text[max(begin, last) : span[0]]
        found.append(
            Told(
                span,
                " ".join(text[slice(*span)].split()),
                value,
                here,
                step(text, span),
                clock,
                back=bool(BACK.search(before)),
                ahead=bool(AHEAD.search(before)),
                aside=dated > begin and bool(ASIDE.search(before)),
            )
        )
        last = span[1]
        dated = dated if here.startswith("P") else last
    return found
