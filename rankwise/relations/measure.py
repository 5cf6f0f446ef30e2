"""How well an extractor reads documents that have annotations: pair by pair, and as one consistent graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError, explain
from . import events
from .bootstrap import interval
from .decode import decode
from .extract import Extractor, log
from .learn import candidates
from .model import Said
from .pairs import Ends
from .schema import CAUSAL, TEMPORAL, Document, Relation
from .score import Score, causal_f1, consistency, event_f1, matres_f1, total


def measure(
    extractor: Extractor, documents: Sequence[Document], *, reach: int = 1, mentions: bool = True
) -> dict[str, Any]:
    """Scores of all that these documents can judge; each with its precision, recall, F1, interval and numbers.

    temporal: MATRES's micro-F1 over annotated pairs of events, one by one; decoded: the same after decoding, with the
    share of closed triples that are inconsistent before and after. causal: CAUSES and CAUSED_BY among annotated pairs
    and, where all pairs were judged, every pair at most `reach` sentences apart. events: exact spans, where the
    adapter finds events and `mentions` says that these documents name all of theirs.

    Raises DataError where no document has anything to judge.
    """
    found: dict[str, Any] = {"documents": len(documents)}
    temporal, causal, decoded = [], [], []
    broken = triples = left = changed = 0
    asked = [_pairs(d, reach) for d in documents]
    for d, pairs, said in zip(documents, asked, extractor.ask(list(zip(documents, asked, strict=True))), strict=True):
        order = between(d, "temporal")
        if order:
            gold = [r.label for r in order]
            first = [_best(said, (r.source, r.target)) for r in order]
            temporal.append(matres_f1(gold, first))
            before = consistency([replace(r, label=x) for r, x in zip(order, first, strict=True)])
            broken, triples = broken + before.broken, triples + before.triples
            scores = {(r.source, r.target): log(said[r.source, r.target].temporal) for r in order}
            graph = decode(scores, events=[e.id for e in d.events])
            decoded.append(matres_f1(gold, [graph.labels[r.source, r.target] for r in order]))
            left, changed = left + graph.violated, changed + len(graph.changed)
        if d.of_kind("causal"):
            causal.append(causal_f1(d, _causes(said, pairs)))
    for name, scores_of in (("temporal", temporal), ("decoded", decoded), ("causal", causal)):
        if scores_of and total(scores_of).gold:
            found[name] = figures(scores_of)
    if "decoded" in found:
        found["decoded"] |= {"broken": broken, "triples": triples, "broken_after": left, "changed": changed}
    if mentions and events.NAME in extractor.adapter.heads and any(d.events for d in documents):
        found["events"] = figures(_event_scores(extractor, documents))
    if len(found) == 1:
        raise DataError(explain("these documents have no relations and no events to judge.", "Scoring needs some."))
    return found


def between(document: Document, kind: str) -> list[Relation]:
    """Annotated relations of two events, each pair once."""
    known, seen, found = {e.id for e in document.events}, set(), []
    for r in document.of_kind(kind):
        ends = frozenset((r.source, r.target))
        if ends <= known and len(ends) == 2 and ends not in seen:
            seen.add(ends)
            found.append(r)
    return found


def _pairs(document: Document, reach: int) -> list[Ends]:
    pairs = [(r.source, r.target) for kind in ("temporal", "causal") for r in between(document, kind)]
    known = {frozenset(p) for p in pairs}
    more = candidates(document, reach) if "causal" in document.dense else []
    return [*pairs, *(p for p in more if frozenset(p) not in known)]


def _best(said: dict[Ends, Said], pair: Ends) -> str:
    return TEMPORAL[int(np.argmax(said[pair].temporal))]


def _causes(said: dict[Ends, Said], pairs: Sequence[Ends]) -> list[Relation]:
    found = []
    for a, b in pairs:
        label = CAUSAL[int(np.argmax(said[a, b].causal))]
        if label != "NONE":
            found.append(Relation(a, b, label, "causal", confidence=max(said[a, b].causal)))
    return found


def _event_scores(extractor: Extractor, documents: Sequence[Document]) -> list[Score]:
    """Of mentions in the annotated part alone."""
    scores = []
    for d, found in zip(documents, extractor.find(documents), strict=True):
        low, high = d.linked or (0, len(d.text))
        mine = [f.event for f in found if low <= f.event.start and f.event.end <= high]
        scores.append(event_f1([e for e in d.events if low <= e.start and e.end <= high], mine))
    return scores


def figures(scores: Sequence[Score]) -> dict[str, Any]:
    """Precision, recall and F1 with a bootstrap interval by document."""
    all_of = total(scores)
    out = {"precision": all_of.precision, "recall": all_of.recall, "f1": all_of.f1, "gold": all_of.gold}
    if len(scores) > 1:
        around = interval(scores)
        out |= {"low": around.low, "high": around.high}
    return out
