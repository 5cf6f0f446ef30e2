"""From corpora to the tasks of one run: which pairs are asked, with which labels, in which mix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import DataError, RecipeError, explain
from ..train.data import IGNORE, Example
from ..train.task import Task
from . import events
from .model import PairTask, Weights, heads
from .pairs import Ends, Layout, rows
from .schema import CAUSAL, CONVERSE, DOCUMENT_TIME, TEMPORAL, Document

Label = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """One corpus of a mix.

    name: of its task in the record of the run.
    share: of its documents that are used, drawn once by the seed; weight: factor of its loss.
    negatives: pairs without a causal relation asked for each pair with one, where the corpus judged all pairs.
    reach: sentences between the two events of such a pair, at most.
    mentions: its events teach the event head too.
    """

    name: str
    documents: tuple[Document, ...]
    share: float = 1.0
    weight: float = 1.0
    negatives: float = 12.0
    reach: int = 1
    mentions: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise RecipeError(explain(f"share={self.share} of {self.name}.", "A share lies above 0 and is at most 1."))


def oriented(document: Document, pair: Ends) -> Ends:
    """The pair in the order of the text, the document's own time last."""
    a, b = pair
    if DOCUMENT_TIME in pair:
        return (b, a) if a == DOCUMENT_TIME else pair
    return pair if document.span(a) <= document.span(b) else (b, a)


def questions(document: Document, part: Part, seed: int = 0) -> dict[Ends, Label]:
    """Every pair of the document that has a label, in the order of the text, with (temporal, causal) indices.

    Causal negatives are drawn among the events of the annotated part of the document; -100 where nobody judged.
    """
    found: dict[Ends, list[int]] = {}
    known = {e.id for e in document.events}
    for relation in document.relations:
        if not known & {relation.source, relation.target}:
            continue  # two times: the calendar tells
        pair = oriented(document, (relation.source, relation.target))
        label = relation.label if pair[0] == relation.source else CONVERSE[relation.label]
        at, labels = (0, TEMPORAL) if relation.kind == "temporal" else (1, CAUSAL)
        given = found.setdefault(pair, [IGNORE, IGNORE])
        if given[at] == IGNORE:
            given[at] = labels.index(label)
    if "causal" in document.dense:
        for pair in _negatives(document, found, part, seed):
            found.setdefault(pair, [IGNORE, IGNORE])[1] = CAUSAL.index("NONE")
    return {pair: (t, c) for pair, (t, c) in found.items()}


def _negatives(document: Document, found: dict[Ends, list[int]], part: Part, seed: int) -> list[Ends]:
    positive = sum(c not in (IGNORE, CAUSAL.index("NONE")) for _, c in found.values())
    most = round(part.negatives * max(positive, 1))
    free = [p for p in candidates(document, part.reach) if found.get(p, (IGNORE, IGNORE))[1] == IGNORE]
    rng = np.random.default_rng([seed, sum(document.id.encode()), len(free)])
    return [free[i] for i in sorted(rng.permutation(len(free))[:most])]


def candidates(document: Document, reach: int) -> list[Ends]:
    """Pairs of events of the annotated part at most `reach` sentences apart, in the order of the text."""
    low, high = document.linked or (0, len(document.text))
    inside = [e for e in document.events if low <= e.start and e.end <= high]
    sentence = {e.id: document.sentence_of(e.start) for e in inside}
    inside.sort(key=lambda e: (e.start, e.end))
    return [(a.id, b.id) for a, b in combinations(inside, 2) if sentence[b.id] - sentence[a.id] <= reach]


def tasks(
    parts: Sequence[Part],
    layouts: Layout | Sequence[Layout],
    hidden: int,
    weights: Weights | None = None,
    *,
    seed: int = 0,
    dropout: float = 0.1,
) -> list[Task]:
    """One task a corpus for pairs, and one for all corpora that teach events.

    layouts: with several, an epoch asks everything once in each: windows of other sizes begin elsewhere, so a pair is
    seen amid more and less of its text.

    Raises DataError where a corpus has no labelled pair and teaches no events.
    """
    head, out, mentions = heads(hidden, dropout)["temporal"], [], []
    views = [layouts] if isinstance(layouts, Layout) else list(layouts)
    for part in parts:
        documents = _drawn(part, seed)
        found = [row for view in views for row in asked(documents, part, view, seed)]
        if part.mentions:
            mentions += [row for view in views for d in documents for row in events.rows(d, view, labelled=True)]
        elif not found:
            raise DataError(explain(f"{part.name} has no relation to learn from.", "Is it the right corpus?"))
        if found:
            made: Any = PairTask(part.name, head, found, weight=part.weight, weights=weights or Weights())
            out.append(made)
    if mentions:
        out.append(events.task(mentions, hidden))
    return out


def asked(documents: Iterable[Document], part: Part, layout: Layout, seed: int = 0) -> Iterable[Example]:
    """Labelled rows of these documents."""
    for document in documents:
        labels = questions(document, part, seed)
        if labels:
            yield from rows(document, labels, layout, labels)


def _drawn(part: Part, seed: int) -> Sequence[Document]:
    if part.share == 1:
        return part.documents
    order = np.random.default_rng([seed, 1]).permutation(len(part.documents))
    return [part.documents[i] for i in sorted(order[: max(1, round(part.share * len(part.documents)))])]


def document_time_count(tasks: Iterable[Task]) -> int:
    """How many pairs of an event and the document's own time the tasks ask for, each once."""
    pair_tasks = (task for task in tasks if isinstance(task, PairTask))
    rows = (row for task in pair_tasks for row in task.train)
    return len({(row.meta[0], pair) for row in rows for pair in row.meta[1] if DOCUMENT_TIME in pair})


def causal_count(parts: Iterable[Part]) -> int:
    """How many causal pairs the parts have in running text: documents that hold events without a cause or effect too.

    Where every event is a cause or an effect, a model learns which of two it is, not whether there is one.
    """
    found = 0.0
    for part in parts:
        for document in part.documents:
            causal = [r for r in document.of_kind("causal") if r.label != "NONE"]
            ends = {end for r in causal for end in (r.source, r.target)}
            if any(e.id not in ends for e in document.events):
                found += part.share * len(causal)
    return round(found)


def label_counts(tasks: Iterable[Task]) -> dict[str, int]:
    """How often each temporal label of a pair of events or times is asked for in one pass over the tasks."""
    found = dict.fromkeys(TEMPORAL, 0)
    for task in tasks:
        if isinstance(task, PairTask):
            for row in task.train:
                for temporal, _ in row.label:
                    if temporal != IGNORE:
                        found[TEMPORAL[temporal]] += 1
    return found
