"""Connectives that order two events, the order of mention beside them, and how both can be changed for certain.

    They left before she came.      Before she came, they left.      They left. Later, she came.

A connective is taken to join two events only where nothing else can be meant: no other verb stands between it and
either event, the event before it is a verb, nothing is denied, and it is no idiom ("after all", "before long").
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..relations.edits import CUES as TEMPORAL
from ..relations.schema import Document, Span
from .cue import Case
from .editing import capital, changed, exchanged, places, small
from .plots import FILLERS
from .reading import VERBAL, Reading, Word
from .tense import AUXILIARY, NOT

WORDS = {"before": 0, "after": 1}
"""Of the two events, the clause that the word goes with is the later one (0), or the earlier one (1)."""
ADVERBS = {  # at the head of the second sentence, with a comma -> (which is earlier, its opposite)
    "later": (0, "earlier"),
    "earlier": (1, "later"),
    "after that": (0, "before that"),
    "before that": (1, "after that"),
    "afterwards": (0, "beforehand"),
    "beforehand": (1, "afterwards"),
    "subsequently": (0, "previously"),
    "previously": (1, "subsequently"),
    "then": (0, "previously"),
}
IDIOMS = frozenset({"all", "long", "hand", "now", "then", "that", "this", "which", "whom", "dawn", "tax", "taxes"})
SMALL_CHANGE = frozenset({"shortly", "just", "immediately", "right", "long"})
"""What may stand before either connective."""
UNITS = frozenset({"second", "moment", "minute", "hour", "day", "night", "week", "month", "year"})
FINITE = ("VBD", "VBZ", "VBP", "MD")
CLOSING = frozenset({";", ":", '"', "``", "''", "“", "”", "(", ")"})
PRONOUNS = frozenset({"he", "she", "they", "it", "his", "her", "their", "its", "him", "them"})


@dataclass(frozen=True)
class Link:
    """A connective between two events, 0 being the one mentioned first.

    where: "inside" (x before y), "fronted" (before x, y) or "adverb" (x. Later, y). earlier: 0 or 1.
    """

    span: Span
    where: str
    earlier: int


def look(case: Case) -> int | None:
    """1 where a connective puts pair[0] first, 0 where it puts pair[1] first; None where none joins the two."""
    found = link(case)
    return None if found is None else int(case.mentioned[found.earlier] == case.pair[0])


def change(case: Case, value: int) -> Case | str:
    """The opposite connective in the same place."""
    found = link(case)
    if found is None:
        return "no connective"
    text = case.document.text[slice(*found.span)]
    if found.where == "adverb":
        return changed(case, [(*found.span, capital(ADVERBS[text.lower()][1]))])
    sentence = _sentence(case.document, found.span[0])
    if len(TEMPORAL.findall(case.document.text[slice(*sentence)])) != 1:
        return "another temporal word in the sentence"
    if " having " in case.document.text[slice(*sentence)]:
        return "perfect participle"
    if (why := _modified(places(case), found)) is not None:
        return why
    other = "after" if text.lower() == "before" else "before"
    return changed(case, [(*found.span, capital(other) if text[0].isupper() else other)])


def link(case: Case) -> Link | None:
    """The connective that joins the pair, if one does for certain."""
    at = places(case)
    if at is None:
        return None
    read, x, y = at
    return _within(read, x, y) if x.sentence == y.sentence else _across(case.document, read, x, y)


def _within(read: Reading, x: Word, y: Word) -> Link | None:
    inside = read.sentence(x.sentence)
    found = [w for w in inside if w.lower in WORDS]
    if len(found) != 1 or denied(inside):
        return None
    word = found[0]
    after = next((w for w in inside if w.start >= word.end), None)
    if after is None or after.lower in IDIOMS or not after.said[:1].isalnum():
        return None
    if word is inside[0]:
        if not fronted(inside, word.end, x, y):
            return None
        return Link((word.start, word.end), "fronted", 1 - WORDS[word.lower])
    before = inside[inside.index(word) - 1]
    if word.said[0].isupper() or before.lower in ("and", "or", "that") or before.lower.startswith("look"):
        return None
    if not x.end <= word.start < word.end <= y.start or not governs(inside, x, word.start):
        return None
    if not begins(inside, y, word.end):
        return None
    return Link((word.start, word.end), "inside", WORDS[word.lower])


def fronted(inside: tuple[Word, ...], start: int, x: Word, y: Word) -> bool:
    """Whether x is what happens first from `start` up to the first comma, and y, with its subject, behind that."""
    comma = next((w for w in inside if w.said == ","), None)
    if comma is None or not start <= x.start < comma.start < y.start:
        return False
    finite = any(w.tag in FINITE and w.start > x.start for w in verbs_in(inside, start, comma.start))
    return not finite and begins(inside, x, start, comma.start) and begins(inside, y, comma.end)


def _across(document: Document, read: Reading, x: Word, y: Word) -> Link | None:
    """Second sentence headed by an adverb; between the two at most a sentence of our own in which nothing happens."""
    between = range(x.sentence + 1, y.sentence)
    if len(between) > 1 or any(document.text[slice(*read.sentences[n])].strip() not in FILLERS for n in between):
        return None
    inside = read.sentence(y.sentence)
    span = adverb(inside)
    if span is None or not begins(inside, y, span[1]) or denied(inside):
        return None
    first = read.sentence(x.sentence)
    if not x.tag.startswith("VB") or not alone(first, x, first[0].start, first[-1].end) or denied(first):
        return None
    return Link(span, "adverb", ADVERBS[document.text[slice(*span)].lower()][0])


def adverb(inside: tuple[Word, ...]) -> Span | None:
    """The connective at the head of a sentence, up to its comma."""
    for length in (1, 2):
        if len(inside) > length + 1 and inside[length].said == ",":
            said = " ".join(w.lower for w in inside[:length])
            if said in ADVERBS and inside[length - 1].end - inside[0].start == len(said):
                return inside[0].start, inside[length - 1].end
    return None


def verbs_in(inside: tuple[Word, ...], start: int, end: int) -> list[Word]:
    """Verbs in this part of the text, auxiliaries among them."""
    return [w for w in inside if start <= w.start and w.end <= end and (w.tag in VERBAL or w.tag == "TO")]


def begins(inside: tuple[Word, ...], y: Word, start: int, end: int | None = None) -> bool:
    """Whether y is the first thing that happens from `start` on, in the clause that starts there.

    A verb has its auxiliaries right before it, its subject before these, and nothing else but words of that subject;
    one in -ing without an auxiliary comes at once. A noun is the first thing where no verb follows up to `end`: "before
    the vote", but not "before the vote was held".
    """
    end = inside[-1].end if end is None else end
    ahead = [w for w in inside if start <= w.start < y.start]
    ahead = ahead[1:] if ahead and ahead[0].said == "," else ahead
    if y.start < start:
        return False
    if not y.tag.startswith("VB"):
        return y.tag.startswith("NN") and not _breaks(ahead) and not verbs_in(inside, y.end, end)
    follows = [w for w in inside if w.start >= y.end and not w.tag.startswith("RB")]
    if y.lower in AUXILIARY and follows and follows[0].tag.startswith("VB"):
        return False
    helped = False
    while ahead and (ahead[-1].lower in AUXILIARY - {"to"} or ahead[-1].tag.startswith("RB")):
        helped |= ahead.pop().lower in AUXILIARY
    if y.tag in ("VBG", "VBN") and not helped:
        return y.tag == "VBG" and not ahead
    subject = any(w.tag.startswith(("NN", "PRP", "DT", "CD", "EX", "JJ")) for w in ahead)
    return not _breaks(ahead) and (subject or (helped and bool(ahead)) or (y.tag == "VB" and not ahead))


def _breaks(words: list[Word]) -> bool:
    """Whether another clause may start among these words: a verb, a mark, "and", "which"."""
    hyphens = {b.start for a, b in pairwise(words) if b.said == "-" and a.end == b.start}
    return any(
        w.tag in VERBAL or w.tag in ("TO", "CC", "WDT", "WP", "WRB") or w.lower == "that" or not w.said[0].isalnum()
        for w in words
        if w.said not in ("'s", "’s", "'", "$") and w.start not in hyphens
    )


def alone(inside: tuple[Word, ...], x: Word, start: int, end: int) -> bool:
    """Whether x alone happens in this part: no verb but x and auxiliaries right before it."""
    others = [w for w in verbs_in(inside, start, end) if w != x]
    if not x.tag.startswith("VB"):
        return x.tag.startswith("NN") and not others
    return all(w.lower in AUXILIARY and w.lower != "to" and w.start < x.start for w in others)


def governs(inside: tuple[Word, ...], x: Word, start: int) -> bool:
    """Whether what starts at `start` goes with the verb x: nothing else that happens is nearer."""
    place = inside.index(x)
    gerund = x.tag == "VBG" and place > 0 and inside[place - 1].tag == "IN"
    marks = any(w.said in CLOSING for w in inside if x.end <= w.start < start)
    return x.tag.startswith("VB") and not gerund and not marks and not verbs_in(inside, x.end, start)


def denied(inside: tuple[Word, ...]) -> bool:
    return any(w.lower in NOT for w in inside) or any(w.lower in ("if", "unless", "whether") for w in inside)


def _sentence(document: Document, position: int) -> Span:
    return document.sentences[document.sentence_of(position)]


def _modified(at: tuple[Reading, Word, Word] | None, found: Link) -> str | None:
    """Why the word before the connective does not go with its opposite, if so."""
    if at is None or found.where != "inside":
        return None
    before = at[0].words[at[0].index(found.span[0]) - 1]
    if before.tag.startswith("RB") and before.lower not in SMALL_CHANGE:
        return "connective with an adverb"
    return None


def look_order(case: Case) -> int:
    """1 where pair[0] is mentioned first."""
    return int(case.mentioned[0] == case.pair[0])


def change_order(case: Case, value: int) -> Case | str:
    """The clause with the connective to the other end of its sentence: "x before y." and "Before y, x." """
    found, at = link(case), places(case)
    if found is None or at is None or found.where == "adverb":
        return "no connective in one sentence"
    start, end = _sentence(case.document, found.span[0])
    inside = at[0].sentence(at[1].sentence)
    text = case.document.text[start:end]
    if (inside[0].start, inside[-1].end) != (start, end) or inside[-1].said not in (".", "!"):
        return "no plain sentence"
    marks = [w for w in inside[:-1] if not w.said[0].isalnum() and w.said not in ("'s", "’s", "-", "$", "%")]
    if any(w.said != "," for w in marks) or (found.where == "fronted" and len(marks) != 1):
        return "punctuation"
    if found.where == "inside" and any(w.start > found.span[0] for w in marks):
        return "punctuation"
    if "CC" in (inside[0].tag, *(w.tag for w in inside if w.lower in ("and", "or", "but"))):
        return "joined clauses"
    if found.where == "inside" and _modified_at_all(at[0], found):
        return "connective with a modifier"
    if len(TEMPORAL.findall(text)) != 1:
        return "another temporal word in the sentence"
    return _fronted(case, inside, found) if found.where == "inside" else _moved_back(case, inside, found)


def _modified_at_all(read: Reading, found: Link) -> bool:
    before = read.words[read.index(found.span[0]) - 1]
    return before.tag.startswith("RB") or before.lower.rstrip("s") in UNITS


def _fronted(case: Case, inside: tuple[Word, ...], found: Link) -> Case | str:
    main = [w for w in inside if w.end <= found.span[0]]
    rest = [w for w in inside if w.start >= found.span[1]]
    if why := _loose(main, rest, both=False):
        return why
    first = small(main[0])
    if first is None:
        return "first word may be a name"
    text = case.document.text
    a, b = (main[0].start, main[-1].end), (found.span[0], rest[-2].end)
    gap = text[inside[-2].end : inside[-1].start]  # corpora of words have a space before each mark
    before, after = capital(text[slice(*b)]), first + text[main[0].end : main[-1].end]
    return exchanged(case, a, b, (before, after, ""), f"{gap}, ")


def _moved_back(case: Case, inside: tuple[Word, ...], found: Link) -> Case | str:
    comma = next(w for w in inside if w.said == ",")
    sub = [w for w in inside if w.end <= comma.start]
    main = [w for w in inside if comma.end <= w.start][:-1]
    if why := _loose(main, sub):
        return why
    if main[0].tag in ("RB", "IN"):
        return "main clause without its subject in front"
    text = case.document.text
    a, b = (sub[0].start, sub[-1].end), (main[0].start, main[-1].end)
    connective = text[a[0]].lower() + text[a[0] + 1 : a[1]]
    return exchanged(case, a, b, (capital(text[slice(*b)]), connective, ""), " ")


def _loose(main: list[Word], rest: list[Word], both: bool = True) -> str | None:
    """Why the two clauses cannot change places: other verbs, or a pronoun that would come to mean another.

    both: neither clause may have another verb; else only the main one may not.
    """
    if len(main) < 2 or len(rest) < 2:
        return "no plain sentence"
    for clause in (main, rest) if both else (main,):
        verbs = [w for w in clause if w.tag in VERBAL or w.tag == "TO"]
        if sum(w.lower not in AUXILIARY for w in verbs) > 1:
            return "another verb in the sentence"
    said = any(w.lower in PRONOUNS for w in main)
    if said and any(w.tag.startswith("NN") for w in rest):
        return "pronoun"  # "she left before Ann came": with Ann first, she may be Ann
    return None
