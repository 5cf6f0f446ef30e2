"""Causes that the text states outright: "sales fell because of the strike", "the storm led to losses".

A reader is sure of these, and a model that has seen few causes in news is not. Stated means: a causal signal stands
between two events of one sentence with no other event between it and either, or opens the sentence before a clause of
its own, and nothing could give an end to another clause. What is asked, feared, denied or said of what may be is not
stated. Signals whose sense is open ("as", "since", "after", "force", "help", "reflect") are left out. How often
annotators agree is in results/dates; they mark few causes, so what they did not mark may still be one.
"""

from __future__ import annotations

import re

from .pairs import Ends
from .schema import Document, Event

_LY = r"(?:\w+ly\s+|in\s+(?:large\s+)?part\s+)?"
_BE = r"(?:is|was|were|are|been|being)\s+"
_MOVED = r"(?:caused|triggered|prompted|sparked|fuell?ed|provoked|brought\s+about|touched\s+off)"
_MOVES = r"(?:caus(?:es?|ed|ing)|(?:trigger|spark)(?:s|ed|ing)|provok(?:es?|ed|ing))"
_FOR = (
    r"(?:because(?:\s+of)?|(?:due|thanks|owing)\s+to|as\s+a\s+(?:direct\s+)?(?:result|consequence)\s+of"
    r"|in\s+the\s+wake\s+of)"
)
EFFECT_FIRST = re.compile(
    rf"\b(?:{_FOR}|stem(?:s|med|ming)?\s+from|result(?:s|ed|ing)?\s+from|{_BE}{_LY}the\s+(?:result|consequence)\s+of"
    rf"|(?:{_BE})?{_LY}{_MOVED}\s+{_LY}by)\b",
    re.IGNORECASE,
)
CAUSE_FIRST = re.compile(
    rf"\b(?:(?:leads?|led|leading)\s+(?:\w+ly\s+)?to|result(?:s|ed|ing)?\s+in|{_MOVES}(?!\s+{_LY}by\b))\b(?!-)",
    re.IGNORECASE,
)
FRONTED = re.compile(rf"\s*[\"“]?{_FOR}\b", re.IGNORECASE)
CLAUSE = re.compile(
    r"[;:()\"“”\n]|--|[–—]|\b(?:that|which|who|whose|whom|where|when|while|since|until|if|but|and|or)\b", re.IGNORECASE
)
"""Between an event and a signal: the event may not be what the signal is about."""
BEFORE_IT = re.compile(r"\b(?:that|not|if|even|only|to|which|who)\s+$|n['’]t\s+(?:just\s+)?$|-$", re.IGNORECASE)
"""Right before a signal: it is turned down, or another clause's."""
PLANNED = re.compile(r"\b(?:is|are|was|were|be|been)\s+due\s+to\s+$", re.IGNORECASE)
"""Before a verb: "it was due to leave"."""
UNSURE = re.compile(
    r"\b(?:if|whether|unless|may|might|could|perhaps|possibly|allegedly|den(?:y|ies|ied|ying)|doubt\w*|refut\w+|fear\w*"
    r"|suspect\w*|no\s+(?:evidence|proof|sign|indication)|ever)\b",
    re.IGNORECASE,
)
"""Before a signal: somebody asks, fears or denies it."""
DENIED = re.compile(r"\b(?:not|never|no|cannot)\b|n['’]t\b", re.IGNORECASE)
FAR = 90
"""Characters between an event and the signal, at most."""


def stated_causes(document: Document) -> list[Ends]:
    """(cause, effect) pairs of events that a signal in their sentence joins, in the order of the text."""
    found: list[Ends] = []
    for start, end in document.sentences:
        events = sorted((e for e in document.events if start <= e.start and e.end <= end), key=lambda e: e.start)
        if document.text[start:end].rstrip("\"”' ").endswith("?"):
            continue
        opening = FRONTED.match(document.text, start, end)
        pairs = [_fronted(document.text, opening, events, end)] if opening else []
        for pattern, flip in ((EFFECT_FIRST, True), (CAUSE_FIRST, False)):
            signals = pattern.finditer(document.text, start, end)
            pairs += [_joined(document.text, start, signal, events, flip) for signal in signals]
        found += [pair for pair in pairs if pair]
    return list(dict.fromkeys(found))


def _joined(text: str, start: int, signal: re.Match[str], events: list[Event], flip: bool) -> Ends | None:
    if BEFORE_IT.search(text, start, signal.start()) or UNSURE.search(text, start, signal.start()):
        return None
    left = [e for e in events if e.end <= signal.start()]
    right = [e for e in events if e.start >= signal.end()]
    if not left or not right:
        return None
    one, other = left[-1], right[0]
    gap, after = text[one.end : signal.start()], text[signal.end() : other.start]
    if PLANNED.search(text, start, other.start):
        return None
    if len(gap) > FAR or len(after) > FAR or CLAUSE.search(gap) or re.search(r"[,;:()\n]", after):
        return None
    if "," in gap and len(left) > 1:  # "it fell, the company said, because ...": who said is not why
        return None
    return (other.id, one.id) if flip else (one.id, other.id)


def _fronted(text: str, signal: re.Match[str], events: list[Event], end: int) -> Ends | None:
    """ "Because of the storm, trains stopped": the last event before the comma, and the first one after it."""
    comma = text.find(",", signal.end(), end)
    inside = [e for e in events if signal.end() <= e.start and e.end <= comma]
    later = [e for e in events if e.start > comma]
    if comma < 0 or not inside or not later or later[0].start - comma > FAR:
        return None
    between = text[comma + 1 : later[0].start]
    if CLAUSE.search(text, signal.end(), comma) or any(p.search(between) for p in (CLAUSE, UNSURE, DENIED)):
        return None
    return inside[-1].id, later[0].id
