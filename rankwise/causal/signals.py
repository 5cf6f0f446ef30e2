"""Causal signals between two events: "because", "so", "led to", "As a result", and the word that turns them round.

A signal is taken to join two events under the conditions of connectives: nothing else happens between it and either.
Which of the two is the cause is what the cue says; that a cause starts first is left to whoever reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..relations.schema import Document, Span
from .connectives import alone, begins, denied, fronted, governs, verbs_in
from .cue import Case
from .editing import changed, places, small
from .plots import FILLERS
from .reading import Reading, Word
from .tense import AUXILIARY

PHRASES = {  # inside a sentence -> which of the two is the cause, 0 being the one mentioned first
    ("because", "of"): 1,
    ("because",): 1,
    ("due", "to"): 1,
    ("owing", "to"): 1,
    ("thanks", "to"): 1,
    ("as", "a", "result", "of"): 1,
    ("led", "to"): 0,
    ("leads", "to"): 0,
    ("lead", "to"): 0,
    ("resulted", "in"): 0,
    ("results", "in"): 0,
    ("caused",): 0,
    ("causes",): 0,
    ("resulted", "from"): 1,
    ("results", "from"): 1,
    ("result", "from"): 1,
    ("was", "caused", "by"): 1,
    ("were", "caused", "by"): 1,
    ("stemmed", "from"): 1,
}
NOMINAL = frozenset({("because", "of"), ("due", "to"), ("owing", "to"), ("thanks", "to"), ("as", "a", "result", "of")})
VERBS = frozenset(
    {"led", "leads", "lead", "resulted", "results", "result", "caused", "causes", "was", "were", "stemmed"}
)
TURNED = {
    ("led", "to"): "resulted from",
    ("leads", "to"): "results from",
    ("lead", "to"): "result from",
    ("resulted", "in"): "resulted from",
    ("results", "in"): "results from",
    ("caused",): "resulted from",
    ("causes",): "results from",
    ("resulted", "from"): "resulted in",
    ("results", "from"): "results in",
    ("result", "from"): "lead to",
    ("was", "caused", "by"): "led to",
    ("were", "caused", "by"): "led to",
    ("stemmed", "from"): "led to",
}
HEADS = (
    ("as", "a", "result"),
    ("therefore",),
    ("consequently",),
    ("as", "a", "consequence"),
    ("for", "this", "reason"),
    ("thus",),
    ("hence",),
)
"""At the head of the second sentence, with a comma: what went before is the cause."""
BACK = ("this", "was", "because")
"""At the head of the second sentence: it is the cause of what went before."""
NOT_SO = frozenset({"that", "far", "long", "much", "many", "as", "on", "called"})
PARTLY = frozenset({"partly", "only", "just", "mainly", "largely", "mostly", "simply", "not", "precisely", "merely"})


@dataclass(frozen=True)
class Signal:
    """span: its words. said: these, small. where: "inside", "fronted" or "head". cause: 0 or 1, in order of mention."""

    span: Span
    said: tuple[str, ...]
    where: str
    cause: int


def look(case: Case) -> int | None:
    """1 where a signal says that pair[0] caused pair[1], 0 where the converse; None where none joins the two."""
    found = signal(case)
    return None if found is None else int(case.mentioned[found.cause] == case.pair[0])


def signal(case: Case) -> Signal | None:
    """The signal that joins the pair, if one does for certain."""
    at = places(case)
    if at is None:
        return None
    read, x, y = at
    return _within(read, x, y) if x.sentence == y.sentence else _across(case.document, read, x, y)


def _within(read: Reading, x: Word, y: Word) -> Signal | None:
    inside = read.sentence(x.sentence)
    if denied(inside):
        return None
    found = [s for i in range(len(inside)) if (s := _phrase(inside, i)) is not None]
    if len(found) != 1:
        return None
    only = found[0]
    start, end = only.span
    if start == inside[0].start and only.said == ("because",):
        fits = fronted(inside, end, x, y)
        return Signal(only.span, only.said, "fronted", 0) if fits else None
    if not x.end <= start < end <= y.start or not begins(inside, y, end):
        return None
    if only.said[0] in VERBS:
        joined = x.tag.startswith("NN") and y.tag.startswith("NN") and not verbs_in(inside, x.end, start)
        return only if joined else None
    if (only.said in NOMINAL and not y.tag.startswith("NN")) or (only.said == ("so",) and y.tag == "VBG"):
        return None
    return only if governs(inside, x, start) else None


def _phrase(inside: tuple[Word, ...], at: int) -> Signal | None:
    """The signal that starts at this word."""
    word = inside[at]
    after = [w.lower for w in inside[at : at + 5]]
    if at and word.lower == "so" and inside[at - 1].said == "," and len(after) > 1 and after[1] not in NOT_SO:
        return Signal((inside[at - 1].start, word.end), ("so",), "inside", 0)
    before = inside[at - 1].lower if at else ""
    for phrase in sorted(PHRASES, key=len, reverse=True):
        if tuple(after[: len(phrase)]) == phrase and before not in AUXILIARY:
            start = inside[at - 1].start if phrase == ("because",) and before == "," else word.start
            return Signal((start, inside[at + len(phrase) - 1].end), phrase, "inside", PHRASES[phrase])
    return None


def _across(document: Document, read: Reading, x: Word, y: Word) -> Signal | None:
    between = range(x.sentence + 1, y.sentence)
    if len(between) > 1 or any(document.text[slice(*read.sentences[n])].strip() not in FILLERS for n in between):
        return None
    inside, first = read.sentence(y.sentence), read.sentence(x.sentence)
    head = _head(inside)
    if head is None or denied(inside) or denied(first) or not begins(inside, y, head.span[1]):
        return None
    if not x.tag.startswith("VB") or not alone(first, x, first[0].start, first[-1].end):
        return None
    return head


def _head(inside: tuple[Word, ...]) -> Signal | None:
    """The signal at the head of a sentence, without its comma."""
    for phrase in (*HEADS, BACK):
        n = len(phrase)
        if len(inside) > n and tuple(w.lower for w in inside[:n]) == phrase:
            span = inside[0].start, inside[n - 1].end
            if phrase == BACK:
                return Signal(span, phrase, "head", 1)
            return Signal(span, phrase, "head", 0) if inside[n].said == "," else None
    return None


def change(case: Case, value: int) -> Case | str:
    """The signal turned round, its place and the events as they are."""
    found, at = signal(case), places(case)
    if found is None or at is None:
        return "no signal"
    inside = at[0].sentence(at[2].sentence)
    text, (start, end) = case.document.text, found.span
    if found.where == "fronted":
        return "signal in front of both clauses"
    if found.where == "head":
        return _turned_head(case, inside, found)
    if found.said == ("so",):
        return changed(case, [(start - (text[start - 1] == " "), end, " because")])
    if found.said == ("because",):
        before = at[0].words[at[0].index(start) - 1]
        if before.lower in PARTLY or before.tag.startswith("RB"):
            return "signal with an adverb"
        return changed(case, [(start - (text[start - 1] == " "), end, ", so")])
    if found.said not in TURNED:
        return "signal without its opposite"
    if any(inside[i].end == start and inside[i].tag == "MD" for i in range(len(inside))):
        return "modal verb"
    return changed(case, [(start, end, TURNED[found.said])])


def _turned_head(case: Case, inside: tuple[Word, ...], found: Signal) -> Case | str:
    """ "As a result, ..." and "This was because ...", each for the other."""
    if found.said == BACK:
        return changed(case, [(*found.span, "As a result,")])
    comma, word = inside[len(found.said)], inside[len(found.said) + 1]
    if small(word) is None:
        return "first word may be a name"
    return changed(case, [(found.span[0], comma.end, "This was because")])
