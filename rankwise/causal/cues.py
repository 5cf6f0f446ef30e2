"""Cues of free text: read with a tagger, edited where the effect on the text is certain, refused by reason else.

Every edit is read again before it is handed out: the edited cue has its value and every other cue is as it was, or
there is no edit. So `edit` of one of these is an intervention on one cue by construction; what a reader sees besides
(the words themselves) changes with it, as in every edit of a text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from . import connectives, signals, triggers
from .cue import Case
from .editing import changed, with_sentences
from .plots import FILLERS
from .reading import reading
from .tense import group, lemma_of, to_past, to_perfect

REFERRING = frozenset({"PRP", "PRP$", "CC", "RB", "WDT", "WP", "WRB"})
"""Tags of first words that may lean on the sentence before."""
SAYING = frozenset(
    {"say", "tell", "report", "announce", "claim", "state", "add", "note", "explain", "warn", "predict", "argue"}
)
"""Verbs that news put into the present for the past."""


@dataclass(frozen=True)
class TextCue:
    """A cue of free text. look(case): its value. change(case, value): the case with the other value, or why not."""

    name: str
    legitimate: bool
    look: Callable[[Case], int | None]
    change: Callable[[Case, int], Case | str]

    def value(self, case: Case) -> int | None:
        """0 or 1 in the direction of the pair; None where the text does not have the cue, or it is not certain."""
        return self.look(with_sentences(case))

    def edit(self, case: Case, value: int) -> Case | None:
        """The case with the cue at this value and every other cue held; None where that is not certain."""
        made = self.attempt(case, value)
        return None if isinstance(made, str) else made

    def attempt(self, case: Case, value: int) -> Case | str:
        """As `edit`, or the reason why there is none."""
        case = with_sentences(case)
        now = self.look(case)
        if now is None:
            return "no such cue"
        if now == value:
            return case
        made = self.change(case, value)
        if isinstance(made, str):
            return made
        if self.look(made) != value:
            return "not read again"
        for other in CUES:
            if other.name != self.name and other.look(made) != other.look(case):
                return f"{other.name} would change too"
        return made


def look_tense(case: Case) -> int | None:
    """1 where pair[0] is in an earlier tense (past perfect, past, present, future) than pair[1], 0 where in a later."""
    ranks = [None if (g := group(case.document, end)) is None else g.rank for end in case.pair]
    if ranks[0] is None or ranks[1] is None or ranks[0] == ranks[1]:
        return None
    return int(ranks[0] < ranks[1])


def change_tense(case: Case, value: int) -> Case | str:
    """The event that is to be earlier put into the past perfect, the other out of it."""
    early, late = case.pair if value else case.pair[::-1]
    found = group(case.document, early)
    if found is not None and found.tense in ("present", "future") and lemma_of(found.verb.lower, "VBZ") not in SAYING:
        return "present or future"  # "if you pay, we had gone" is no English; "the minister had said" is
    changes, more = to_perfect(case.document, early), to_past(case.document, late)
    if isinstance(changes, str):
        return changes
    if isinstance(more, str):
        return more
    return changed(case, [*changes, *more])


def look_distance(case: Case) -> int:
    """1 where a whole sentence stands between the two events."""
    return int(case.distance > 1)


def change_distance(case: Case, value: int) -> Case | str:
    """A sentence of our own, in which nothing happens, put between the two events or taken away again."""
    document = case.document
    first, second = (document.sentence_of(document.span(end)[0]) for end in case.mentioned)
    if value == 0:
        return _without(case, first, second)
    if second == first:
        return "both in one sentence"
    read = reading(document)
    head = read.sentence(second)[0]
    leans = head.tag in REFERRING or head.lower in ("this", "that", "these", "those", "such", "as")
    if leans and connectives.adverb(read.sentence(second)) is None:
        return "second sentence leans on the first"
    filler = FILLERS[len(document.text) % len(FILLERS)]
    at = document.sentences[second][0]
    if document.text[at - 1].strip():
        return "no space between the sentences"
    made = changed(case, [(at, at, f"{filler} ")])
    spans = list(document.sentences[:second])
    spans += [(at, at + len(filler)), *made.document.sentences[second:]]
    return replace(made, document=replace(made.document, sentences=tuple(spans)))


def _without(case: Case, first: int, second: int) -> Case | str:
    document = case.document
    start, end = document.sentences[first + 1]
    if second != first + 2 or document.text[start:end] not in FILLERS:
        return "a sentence of the author between"
    if any(start <= mark.start < end for mark in document.marks):
        return "a sentence of the author between"
    made = changed(case, [(start, document.sentences[second][0], "")])
    spans = (*document.sentences[: second - 1], *made.document.sentences[second:])
    return replace(made, document=replace(made.document, sentences=spans))


CUES: tuple[TextCue, ...] = (
    TextCue("connective", True, connectives.look, connectives.change),
    TextCue("order", False, connectives.look_order, connectives.change_order),
    TextCue("tense", True, look_tense, change_tense),
    TextCue("trigger", False, triggers.look, triggers.change),
    TextCue("distance", False, look_distance, change_distance),
    TextCue("signal", True, signals.look, signals.change),
)
NAMES = tuple(cue.name for cue in CUES)


@dataclass(frozen=True)
class Count:
    """How one cue fared on some cases. have: cases with the cue; edited: of these, how many could be set the other way.

    skipped: by reason, the others of those that have it.
    """

    name: str
    cases: int
    have: int
    edited: int
    skipped: dict[str, int]


def count(cases: Iterable[Case], cues: Sequence[TextCue] = CUES) -> list[Count]:
    """One row a cue: how many cases have it, can be edited, and why the others cannot."""
    cases, rows = list(cases), []
    for cue in cues:
        have = edited = 0
        why: Counter[str] = Counter()
        for case in cases:
            value = cue.value(case)
            if value is None:
                continue
            have += 1
            made = cue.attempt(case, 1 - value)
            edited += not isinstance(made, str)
            if isinstance(made, str):
                why[made] += 1
        rows.append(Count(cue.name, len(cases), have, edited, dict(why.most_common())))
    return rows
