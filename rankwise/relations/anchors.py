"""Events that a date in their own clause places for certain: "resigned in October 2020", "On Monday, they met".

A model that has seen few dates is unsure of what any reader is sure of. Certain means: "in", "on", "at" or "during"
stands right before the time, or it needs none ("last week"), and the last event before it is in the same clause with
nothing between that could have the time for itself; or such a time opens the sentence or a clause (", and in May it"),
and the event is the first one of its clause, or stands right behind that one ("On 3 March the storm broke"). Of such
pairs that annotators judged, the event began within the time in 98 of 103 (MEANTIME) and 524 of 536 (TimeBank and
AQUAINT). A stricter rule, made on MEANTIME alone, had 91 of 95 and 475 of 488; that a comma may be missing, and "from",
"and" or "to" with a name ("moved to Cardiff in 1899") stand between, was let in because these counts bear it.
"""

from __future__ import annotations

import re

from .pairs import Ends
from .schema import Document, Event, Timex
from .telling import DID

LEAD = re.compile(
    r"\b(?:in|on|at|during)\s+(?:about\s+|around\s+)?(?:the\s+)?(?:early\s+|late\s+|mid-?\s*)?$", re.IGNORECASE
)
LEADS = re.compile(r"\b(?:in|on|at|about|around|during|the)\b", re.IGNORECASE)
APART = re.compile(
    r"[,;:()\"“”\n]|--|[–—]|\b(?:that|which|who|whose|whom|where|when|while|because|since|until|after|before|if|as|but|or"
    r"|to(?!\s+(?:the\s+)?(?-i:[A-Z]))|than|between|not|no|never)\b",
    re.IGNORECASE,
)
BARE = re.compile(
    r"(?:(?:last|next|this)\s+\w+|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b.*|yesterday|today|tonight|tomorrow)$",
    re.IGNORECASE,
)
"""Times that need no preposition: "said Monday", "closed last week"; but not with one of FROM: "register by Friday"."""
COUNTED = re.compile(
    r"the\s+(?:next|following|previous|same)\s+\w+|.*\b(?:day|week|month|year)s?\s+(?:later|earlier|before)",
    re.IGNORECASE,
)
"""Nor do these, unless the words of FROM stand before them: "fell from the previous month" is a comparison."""
FROM = re.compile(r"\b(?:from|of|for|by|than|through|until|since)\s+$", re.IGNORECASE)
THAT = re.compile(r"\b(?:that|the\s+same)\s+$", re.IGNORECASE)
PART = re.compile(r"morning|afternoon|evening|night|day|week|month|year", re.IGNORECASE)
"""Of "that evening", the time."""
OPENS = re.compile(r"(?:,?\s+(?:and|but)|;)\s+$")
"""Before a time that opens a clause: "... closed and in May it ..."."""
OBJECT = re.compile(
    r"\s+(?:the|an?|its|their|his|her|our|your|my|this|these|those|all|any)\s+(?:[\w'’-]+\s+){0,2}", re.IGNORECASE
)
"""Between a verb and its object."""
PAST = re.compile(DID, re.IGNORECASE)
OPENING = re.compile(r"\s*,\s*")
JOINED = re.compile(r"\s+(?:(?:was|were|had|has|have|is|are|been|also|then|\w+ly)\s+)*", re.IGNORECASE)
"""Between a noun and its verb."""
BY = re.compile(
    r"\b(?:by|until|till|no\s+later\s+than)\s+(?:about\s+|around\s+)?(?:the\s+)?(?:(?:end|middle|beginning|start)\s+of\s+(?:the\s+)?)?"
    r"(?:early\s+|late\s+|mid-?\s*)?$",
    re.IGNORECASE,
)
NAMED = re.compile(r"\s+(?!deadline\b|(?:and|or|but|at|in|on|to|of|as|with|for|if|when|because)\b)[a-z]", re.IGNORECASE)
"""Behind a time after "by the": it belongs to a name, "criticised by the 2019 committee"."""
TO = re.compile(r"\s+to\s+(?:be\s+|have\s+(?:been\s+)?)?(?:\w+ly\s+)?")
"""Between events of which the second is what the first is about: "promised to repair"."""
NOT = re.compile(r"\b(?:not|never|no|nobody|nothing)\b|n['’]t\b", re.IGNORECASE)
"""Before "by" and "until": "did not open until Monday" is on Monday at the earliest."""
OWNER = re.compile(r"['’]s?\b")
"""Behind a time: "hurt by Monday's strike"."""
FAR = 60
"""Characters between an event and its time, at most."""


def anchored(document: Document) -> list[Ends]:
    """(event, time) pairs where the event falls within the time, in the order of the text."""
    timexes = [t for t in document.timexes if t.type in ("DATE", "TIME")]
    return [(event.id, timex.id) for timex in timexes for event in _of(document, timex)]


def due(document: Document) -> list[Ends]:
    """(event, time) pairs where the event begins before the time ends: "must be completed by 3 May", "By May, it had
    closed", "stays shut until Monday"; and what it is promised or ordered by."""
    text, found = document.text, []
    for timex in document.timexes:
        start, end = document.sentences[document.sentence_of(timex.start)]
        by = BY.search(text, start, timex.start)
        if not by or timex.type not in ("DATE", "TIME") or OWNER.match(text, timex.end):
            continue
        named = by[0].endswith("the ") and NAMED.match(text, timex.end)
        if named or NOT.search(text, start, by.start()):
            continue
        inside = sorted((e for e in document.events if start <= e.start and e.end <= end), key=lambda e: e.start)
        if _behind(document, start, by.start()):
            found += [(e.id, timex.id) for e in _after(document, timex, inside, end)]
        else:
            found += [(e.id, timex.id) for e in _until(text, [e for e in inside if e.end <= by.start()], by.start())]
    return found


def _until(text: str, before: list[Event], at: int) -> list[Event]:
    """The last event before `at`, in its clause, and those that lead to it by "to"; in the order of the text."""
    if not before or at - before[-1].end > FAR or APART.search(text[before[-1].end : at]):
        return []
    chain = [before.pop()]
    while before and TO.fullmatch(text[before[-1].end : chain[0].start]):
        chain.insert(0, before.pop())
    return chain


def _of(document: Document, timex: Timex) -> list[Event]:
    text = document.text
    start, end = document.sentences[document.sentence_of(timex.start)]
    inside = sorted((e for e in document.events if start <= e.start and e.end <= end), key=lambda e: e.start)
    lead = LEAD.search(text, start, timex.start)
    words = text[timex.start : timex.end]
    counted = COUNTED.fullmatch(words) and not FROM.search(text, start, timex.start)
    that = THAT.search(text, start, timex.start) if PART.fullmatch(words) else None
    bare = BARE.match(words) and not FROM.search(text, start, timex.start)
    if not (lead or counted or that or bare):
        return []
    opens = lead.start() if lead else that.start() if that else timex.start
    if _behind(document, start, opens) or OPENS.search(text, start, opens):
        return _after(document, timex, inside, end)
    before = [e for e in inside if e.end <= opens]
    if not before or opens - before[-1].end > FAR or APART.search(text[before[-1].end : opens]):
        return []
    return [before[-2]] if _object(text, before) else before[-1:]


def _behind(document: Document, start: int, end: int) -> bool:
    """Whether nothing but times and what leads to them stands in between."""
    rest = document.text[start:end]
    for timex in sorted(document.timexes, key=lambda t: -t.start):
        if start <= timex.start and timex.end <= end:
            rest = rest[: timex.start - start] + rest[timex.end - start :]
    return not LEADS.sub("", rest).strip(" ,\n")


def _object(text: str, events: list[Event]) -> bool:
    """Whether the last event is the object of the one before: "rejected the offer on Sunday" dates the verb alone."""
    if len(events) < 2:
        return False
    verb, noun = events[-2:]
    return bool(
        PAST.fullmatch(text[verb.start : verb.end])
        and OBJECT.fullmatch(text[verb.end : noun.start])
        and not PAST.fullmatch(text[noun.start : noun.end])
    )


def _after(document: Document, timex: Timex, inside: list[Event], end: int) -> list[Event]:
    """The first event after a time that opens the sentence, and a second one right behind that."""
    text, begin = document.text, timex.end
    for other in sorted((t for t in document.timexes if begin <= t.start < end), key=lambda t: t.start):
        if _behind(document, begin, other.start):  # "On 3 March, at 06:40, the storm ..."
            begin = other.end
    if comma := OPENING.match(text, begin, end):
        begin = comma.end()
    later = [e for e in inside if e.start >= begin]
    if not later or later[0].start - begin > FAR or APART.search(text[begin : later[0].start]):
        return []
    return later[: 1 + (len(later) > 1 and bool(JOINED.fullmatch(text[later[0].end : later[1].start])))]
