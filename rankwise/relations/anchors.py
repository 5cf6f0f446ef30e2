"""Events that a date in their own clause places for certain: "resigned in October 2020", "On Monday, they met".

A model that has seen few dates is unsure of what any reader is sure of. Certain means: "in", "on", "at" or "during"
stands right before the time, or it needs none ("last week"), and the last event before it is in the same clause with
nothing between that could have the time for itself; or such a time opens the sentence, and the event is the first one
of the clause after its comma. Of such pairs that annotators judged, the event began within the time in 91 of 95
(MEANTIME) and 475 of 488 (TimeBank and AQUAINT, which no rule was fitted on).
"""

from __future__ import annotations

import re

from .pairs import Ends
from .schema import Document, Event, Timex

LEAD = re.compile(r"\b(?:in|on|at|during)\s+(?:the\s+)?(?:early\s+|late\s+|mid-?\s*)?$", re.IGNORECASE)
APART = re.compile(
    r"[,;:()\"“”\n]|--|[–—]|\b(?:that|which|who|whose|whom|where|when|while|because|since|until|after|before|if|as|and|but|or|to"
    r"|than|from|between|not|no|never)\b",
    re.IGNORECASE,
)
BARE = re.compile(
    r"(?:(?:last|next|this)\s+\w+|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b.*|yesterday|today|tonight|tomorrow)$",
    re.IGNORECASE,
)
"""Times that need no preposition: "said Monday", "closed last week"."""
OPENING = re.compile(r"\s*,\s*")
FAR = 60
"""Characters between an event and its time, at most."""


def anchored(document: Document) -> list[Ends]:
    """(event, time) pairs where the event falls within the time, in the order of the text."""
    found = []
    for timex in document.timexes:
        if timex.type in ("DATE", "TIME") and (event := _of(document, timex)):
            found.append((event.id, timex.id))
    return found


def _of(document: Document, timex: Timex) -> Event | None:
    text = document.text
    start, end = document.sentences[document.sentence_of(timex.start)]
    inside = sorted((e for e in document.events if start <= e.start and e.end <= end), key=lambda e: e.start)
    lead = LEAD.search(text, start, timex.start)
    if not lead and not BARE.match(text[timex.start : timex.end]):
        return None
    opens = lead.start() if lead else timex.start
    if text[start:opens].strip() == "":
        return _after(document, timex, inside, end)
    before = [e for e in inside if e.end <= opens]
    if not before or opens - before[-1].end > FAR or APART.search(text[before[-1].end : opens]):
        return None
    return before[-1]


def _after(document: Document, timex: Timex, inside: list[Event], end: int) -> Event | None:
    """The first event after a time that opens the sentence and is closed by a comma."""
    comma = OPENING.match(document.text, timex.end, end)
    later = [e for e in inside if comma and e.start >= comma.end()]
    if comma is None or not later or later[0].start - comma.end() > FAR:
        return None
    return None if APART.search(document.text[comma.end() : later[0].start]) else later[0]
