"""Precision, recall and F1 of relations, each in the protocol that its corpus is reported in; they are not comparable.

    matres_f1         four labels; VAGUE is a class, but never a hit nor a thing to be found (most of the literature)
    three_label_f1    pairs that are VAGUE in the gold are left out before anything is counted
    accuracy          all labels alike: TB-Dense "micro-F1 over all labels", contrast sets
    tb_dense_f1       all labels, or VAGUE as in matres_f1
    causal_f1         causal pairs within sentences, across, or all; with or without direction
    event_f1          spans of events, exact or overlapping
    end_to_end_f1     relations between predicted events

Each gives a Score of one document or of many: scores add up, and `bootstrap` draws documents from a list of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from ..errors import DataError, UnknownName, explain, nearest
from .algebra import closed_triples, violations
from .schema import TEMPORAL, Document, Event, Relation, Span


@dataclass(frozen=True, slots=True)
class Score:
    """Counts that add up over documents: hits among what was predicted, and among what is in the gold.

    found of predicted make the precision, recalled of gold the recall. The two numbers of hits are the same but in
    temporal awareness. Without any predicted (or gold) thing the precision (or recall) is 0.
    """

    found: int = 0
    predicted: int = 0
    recalled: int = 0
    gold: int = 0

    @property
    def precision(self) -> float:
        return self.found / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return self.recalled / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.found + other.found,
            self.predicted + other.predicted,
            self.recalled + other.recalled,
            self.gold + other.gold,
        )

    def __str__(self) -> str:
        return f"P {self.precision:.3f} R {self.recall:.3f} F1 {self.f1:.3f} ({self.gold} gold)"


def total(scores: Iterable[Score]) -> Score:
    """Score of all documents together: counts are summed, not the ratios averaged."""
    return sum(scores, Score())


def micro_f1(gold: Sequence[str], predicted: Sequence[str], leave_out: Collection[str] = ()) -> Score:
    """Labels of the same pairs in the same order; those of `leave_out` are no hits, found or missed.

    A pair of the gold that is left out still costs precision if something else is predicted for it.

    Raises:
        DataError: not the same number of labels.
    """
    if len(gold) != len(predicted):
        raise DataError(explain(f"{len(predicted)} predictions for {len(gold)} gold labels.", "One for each pair."))
    hits = sum(g == p and g not in leave_out for g, p in zip(gold, predicted, strict=True))
    return Score(hits, sum(p not in leave_out for p in predicted), hits, sum(g not in leave_out for g in gold))


def accuracy(gold: Sequence[str], predicted: Sequence[str]) -> Score:
    """Share of pairs with the right label, VAGUE being one: precision, recall and F1 are the same number."""
    return micro_f1(gold, predicted)


def matres_f1(gold: Sequence[str], predicted: Sequence[str]) -> Score:
    """Micro-F1 over BEFORE, AFTER and EQUAL, with VAGUE as "no relation" (metric.py of Wang et al. 2020).

    Raises:
        DataError: not the same number of labels. UnknownName: a label that is none of the four.
    """
    for label in {*gold, *predicted} - set(TEMPORAL):
        raise UnknownName(explain(f"MATRES has no label {label!r}.", f"Nearest: {nearest(label, TEMPORAL)[0]}."))
    return micro_f1(gold, predicted, ("VAGUE",))


def three_label_f1(gold: Sequence[str], predicted: Sequence[str]) -> Score:
    """Micro-F1 over the pairs that are not VAGUE in the gold; VAGUE predicted for one is a miss, not a false find."""
    if len(gold) != len(predicted):
        return micro_f1(gold, predicted)  # which says what is wrong
    kept = [(g, p) for g, p in zip(gold, predicted, strict=True) if g != "VAGUE"]
    return matres_f1([g for g, _ in kept], [p for _, p in kept])


def tb_dense_f1(gold: Sequence[str], predicted: Sequence[str], *, vague: bool = True) -> Score:
    """TB-Dense: micro-F1 over all six labels, or (vague=False) with VAGUE as in matres_f1. State which."""
    return micro_f1(gold, predicted, () if vague else ("VAGUE", "v"))


def aligned(
    gold: Iterable[Relation], predicted: Iterable[Relation], missing: str = "VAGUE"
) -> tuple[list[str], list[str]]:
    """(gold labels, predicted labels) of the gold's pairs, read from its end; `missing` where none was predicted."""
    said = {(r.kind, r.source, r.target): r.label for one in predicted for r in (one, one.converse)}
    pairs = list(gold)
    return [r.label for r in pairs], [said.get((r.kind, r.source, r.target), missing) for r in pairs]


def causal_f1(document: Document, predicted: Iterable[Relation], *, scope: str = "all", directed: bool = True) -> Score:
    """Causal pairs of events of a document, against its own causal relations.

    Args:
        scope: "intra" (both events in one sentence), "inter" (in two) or "all".
        directed: a pair counts only with its cause on the right side.

    Raises:
        UnknownName: another scope. DataError: a scope is asked of a text without sentences, an unknown event.
    """
    if scope not in ("intra", "inter", "all"):
        raise UnknownName(explain(f"No scope is called {scope!r}.", "Known: intra, inter, all."))
    if scope != "all" and not document.sentences:
        raise DataError(explain(f"{document.id}: no sentences are known.", "intra and inter need them."))
    place = {mark.id: document.sentence_of(mark.start) for mark in document.marks} if scope != "all" else {}

    def pairs(relations: Iterable[Relation]) -> set[tuple[str, str]]:
        found = set()
        for r in relations:
            if r.kind == "causal" and r.label != "NONE":
                pair = (r.source, r.target) if r.label == "CAUSES" else (r.target, r.source)
                if scope != "all" and (place[pair[0]] == place[pair[1]]) != (scope == "intra"):
                    continue
                found.add(pair if directed else (min(pair), max(pair)))
        return found

    try:
        gold, said = pairs(document.relations), pairs(predicted)
    except KeyError as stranger:
        raise DataError(
            explain(f"{document.id}: a relation names {stranger}.", "It is no event of the text.")
        ) from None
    return Score(len(gold & said), len(said), len(gold & said), len(gold))


def event_f1(gold: Iterable[Event], predicted: Iterable[Event], *, overlap: bool = False) -> Score:
    """Events by their spans (each span once): the same span, or one character in common, one to one at most."""
    ours, theirs = sorted({(e.start, e.end) for e in gold}), sorted({(e.start, e.end) for e in predicted})
    hits = len(_matched(ours, theirs, overlap))
    return Score(hits, len(theirs), hits, len(ours))


def _matched(gold: Sequence[Span], predicted: Sequence[Span], overlap: bool) -> dict[Span, Span]:
    """predicted span -> the gold span that it stands for; equal spans first, then as many others as possible."""
    same = {span: span for span in set(gold) & set(predicted)}
    ours, theirs = [s for s in gold if s not in same], [s for s in predicted if s not in same]
    if not overlap or not ours or not theirs:
        return same
    touch = np.array([[a[0] < b[1] and b[0] < a[1] for b in ours] for a in theirs])
    chosen = maximum_bipartite_matching(csr_matrix(touch), perm_type="column")
    return same | {theirs[a]: ours[b] for a, b in enumerate(chosen) if b >= 0}


def end_to_end_f1(
    gold: Document,
    predicted: Document,
    *,
    kind: str = "temporal",
    overlap: bool = False,
    strict: bool = False,
) -> Score:
    """Relations between predicted events: a hit has both events and the label right; VAGUE and NONE are no relations.

    A relation with an event that is not in the gold is a false find. One between two right events whose pair nobody
    judged is left out, unless every pair was judged (Document.dense) or `strict` asks to count it as false.
    """
    ours = {gold.span(e.id): e.id for e in gold.events}
    theirs = {predicted.span(e.id): e.id for e in predicted.events}
    spans = _matched(sorted(ours), sorted(theirs), overlap)
    stands_for = {theirs[span]: ours[other] for span, other in spans.items()}
    first = {e.id: ours[gold.span(e.id)] for e in gold.events}  # one id for events of the same span
    relations = [r for r in gold.of_kind(kind) if {r.source, r.target} <= set(first)]
    said = {(first[r.source], first[r.target]): r.label for one in relations for r in (one, one.converse)}
    judged, missing = strict or kind in gold.dense, {"VAGUE", "NONE"}
    merged = {e.id: theirs[predicted.span(e.id)] for e in predicted.events}
    seen: dict[frozenset[str], tuple[str, str, str]] = {}
    for r in predicted.of_kind(kind):
        if r.label not in missing and {r.source, r.target} <= set(merged):
            pair = merged[r.source], merged[r.target]
            seen.setdefault(frozenset(pair), (*pair, r.label))
    hits = found = 0
    for source, target, label in seen.values():
        pair = stands_for.get(source, ""), stands_for.get(target, "")
        if all(pair) and pair not in said and not judged:
            continue
        found += 1
        hits += said.get(pair) == label
    wanted = sum(label not in missing for label in said.values()) // 2
    return Score(hits, found, hits, wanted)


@dataclass(frozen=True, slots=True)
class Consistency:
    """Closed triples that break the table of composition, of all closed triples."""

    broken: int = 0
    triples: int = 0

    @property
    def share(self) -> float:
        return self.broken / self.triples if self.triples else 0.0

    def __add__(self, other: Consistency) -> Consistency:
        return Consistency(self.broken + other.broken, self.triples + other.triples)


def consistency(relations: Iterable[Relation]) -> Consistency:
    """How much of one document's temporal relations breaks the table. Raises DataError for a pair with two labels."""
    given = list(relations)
    return Consistency(len(violations(given)), closed_triples(given))
