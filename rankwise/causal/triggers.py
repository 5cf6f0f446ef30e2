"""Trigger words: which of two verbs comes first by nature, and the two verbs in each other's places.

The table is learnt from UDS-T by scripts/learn_verb_order.py and is a weak prior: of held-out pairs of verbs it speaks
on 18 %, and is right on 64 % of these. The pairs of our own stories ("ordered", "received") come before the table.
"""

from __future__ import annotations

import json
from functools import lru_cache

from ..data import folder
from ..relations.schema import Document
from .cue import Case
from .editing import changed
from .plots import SCRIPTS
from .reading import reading
from .tense import BE, Group, group, inflected, inverted, lemma_of

MARGIN = 0.5
"""Least difference of scores, in log-odds, at which one verb is said to come first."""
LIGHT = frozenset(
    {"be", "have", "do", "get", "go", "come", "let", "seem", "become", "use", "give", "tell", "put", "take", "make"}
    | {"keep", "say", "think", "know", "guess", "believe"}
)
"""Verbs that others cannot stand in for, nor they for others."""
BE_FORMS = frozenset({*BE, "be", "been", "being"})
OBJECT = frozenset({"DT", "PRP$", "NN", "NNS", "NNP", "NNPS", "JJ", "CD"})


def look(case: Case) -> int | None:
    """1 where the verb of pair[0] comes first by nature, 0 where that of pair[1]; None where neither, or unknown."""
    lemmas = [_lemma(group(case.document, end)) for end in case.pair]
    if lemmas[0] is None or lemmas[1] is None:
        return None
    return first(lemmas[0], lemmas[1])


def change(case: Case, value: int) -> Case | str:
    """The verbs exchanged, each in the form that its place asks for."""
    a, b = (group(case.document, end) for end in case.pair)
    if a is None or b is None:
        return "no verb"
    if {_lemma(a), _lemma(b)} & LIGHT:
        return "verb with a frame of its own"
    if inverted(case.document, a) or inverted(case.document, b):
        return "verb before its subject"
    if _frame(case.document, a) != _frame(case.document, b):
        return "verbs in different frames"
    said = [inflected(b.verb.said, _form(a), _form(b)), inflected(a.verb.said, _form(b), _form(a))]
    if said[0] is None or said[1] is None:
        return "verb of unknown forms"
    if any(x.verb.said != x.verb.lower for x in (a, b)):
        return "capital"
    return changed(case, [(x.verb.start, x.verb.end, w) for x, w in zip((a, b), said, strict=True) if w])


def first(a: str, b: str) -> int | None:
    """1 where the verb `a` comes first, 0 where `b` does, None where nobody knows; both are base forms."""
    if (told := stories().get((a, b))) is not None:
        return told
    scores = table()
    if a not in scores or b not in scores or abs(scores[a] - scores[b]) < MARGIN:
        return None
    return int(scores[a] > scores[b])


@lru_cache(maxsize=1)
def table() -> dict[str, float]:
    """Log-odds of starting early by lemma, up to a constant."""
    return dict(json.loads((folder("verb_order") / "verb_order.json").read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def stories() -> dict[tuple[str, str], int]:
    """Pairs of our own stories."""
    found = {}
    for early, late, _ in SCRIPTS:
        a, b = lemma_of(early[0], "VBD"), lemma_of(late[0], "VBD")
        if a and b:
            found[a, b], found[b, a] = 1, 0
    return found


def _frame(document: Document, found: Group) -> tuple[str, str]:
    """Active, passive or neither, and what follows the verb: an object, a mark, or that very word."""
    voice = "infinite" if found.verb.tag in ("VB", "VBG") else "active"
    if _form(found) == "VBN":
        voice = "passive" if not found.auxiliaries or found.auxiliaries[-1].lower in BE_FORMS else "active"
    read = reading(document)
    place = read.index(found.verb.end)
    if place == len(read.words) or read.words[place].sentence != found.verb.sentence:
        return voice, "end"
    after = read.words[place]
    if voice == "infinite":
        voice = found.verb.tag
    return voice, "object" if after.tag in OBJECT else "end" if not after.said[0].isalnum() else after.lower


def _form(found: Group) -> str:
    """The tag of the verb's form; behind an auxiliary a past form is a participle."""
    return "VBN" if found.auxiliaries and found.verb.tag == "VBD" else found.verb.tag


def _lemma(found: Group | None) -> str | None:
    return None if found is None else lemma_of(found.verb.lower, _form(found))
