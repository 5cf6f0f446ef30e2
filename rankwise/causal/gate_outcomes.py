"""What is measured while gates are shut: how much a cue moves an extractor, and how well an adapter answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core.head import loss
from ..errors import DataError, explain
from ..relations.extract import REACH, Extractor, near_pairs
from ..relations.losses import converse
from ..relations.model import PairTask, heads, split
from ..relations.pairs import rows
from ..relations.schema import TEMPORAL, Document
from ..train.data import Example
from ..train.evaluate import predict
from ..train.task import MANY, Task
from .cue import Case, Cue, Reader
from .design import Floats
from .gates import Outcome

BATCH = 16
RIGHT, LIKELY, LEAD = "accuracy", "log-likelihood", "lead of the right answer"


@dataclass(frozen=True)
class CaseReader:
    """A Reader that asks an extractor as its adapter is just now; texts are tokenised once and remembered.

    Called, it gives the probability of BEFORE, before any shift towards the labels' shares of news.
    """

    extractor: Extractor
    _rows: dict[object, Example] = field(default_factory=dict, repr=False)

    def __call__(self, cases: Sequence[Case]) -> np.ndarray:
        return self.temporal(cases)[:, TEMPORAL.index("BEFORE")]

    def temporal(self, cases: Sequence[Case]) -> Floats:
        """[cases, 4] probabilities of TEMPORAL, the mean of both directions, as `relations.model.ask` gives them."""
        asked: dict[object, int] = {}
        for case in cases:
            key = (case.document.text, case.document.marks, case.pair)
            asked.setdefault(key, len(asked))
            if key not in self._rows:
                (self._rows[key],) = rows(case.document, [case.pair], self.extractor.layout)
        found = [self._rows[key] for key in asked]
        width = int(self.extractor.model.config.hidden_size)  # type: ignore[union-attr,arg-type]
        task = PairTask("pairs", heads(width)["temporal"], found)
        logits = torch.stack([one[0] for one in predict(self.extractor.model, None, task, found, batch_rows=BATCH)])
        said = split(logits)[0].exp()  # [n, 2, 4]
        both = ((said[:, 0] + converse(said[:, 1], TEMPORAL)) / 2).double().numpy()
        return np.asarray(both[[asked[c.document.text, c.document.marks, c.pair] for c in cases]])


def some_cases(source: str | Path, documents: Iterable[Document], most: int, seed: int) -> list[Case]:
    """`cases_of` of what was read from `source`. Raises DataError where there are none."""
    found = cases_of(documents, most, seed=seed)
    if not found:
        raise DataError(
            explain(
                f"{source}: no document has two events to order.",
                "Documents carry events: docs/relations-format.md",
                "Texts with known cues: rankwise narratives --help",
            )
        )
    return found


def cases_of(documents: Iterable[Document], most: int | None = None, reach: int = REACH, seed: int = 0) -> list[Case]:
    """Pairs of events as cases: those with a temporal label, or in documents without any, those in reach.

    In an order drawn by `seed`; so many at most.
    """
    found: list[Case] = []
    for document in documents:
        known = {e.id for e in document.events}
        labelled = [r for r in document.of_kind("temporal") if {r.source, r.target} <= known]
        if labelled:
            found += [Case(document, (r.source, r.target), document.group, r.label) for r in labelled]
        else:
            found += [Case(document, p, document.group) for p in near_pairs(document, reach) if set(p) <= known]
    order = np.random.default_rng(seed).permutation(len(found))[:most]
    return [found[k] for k in order]


@dataclass(frozen=True)
class Edited:
    """A cue's cases, each with the cue set to 1 and to 0. looked: how many cases were looked at to find them."""

    on: tuple[Case, ...]
    off: tuple[Case, ...]
    looked: int


def edited(cases: Sequence[Case], cue: Cue, most: int | None = None) -> Edited:
    """The first `most` cases in which the cue can be set both ways for certain."""
    on: list[Case] = []
    off: list[Case] = []
    looked = 0
    for case in cases:
        if most is not None and len(on) >= most:
            break
        looked += 1
        if cue.value(case) is None:
            continue
        high, low = cue.edit(case, 1), cue.edit(case, 0)
        if high is not None and low is not None:
            on.append(high)
            off.append(low)
    return Edited(tuple(on), tuple(off), looked)


def cue_outcome(reader: Reader, cases: Sequence[Case], cues: Sequence[Cue], most: int | None = None) -> Outcome:
    """For each cue: reader(cue at 1) - reader(cue at 0), a number each case in which both edits are certain.

    most: cases a cue, and labelled ones, taken in the order given. With a CaseReader, cases that carry a label add
    "accuracy" and "log-likelihood" of the four labels.

    Raises:
        DataError: no case has a cue that can be edited, nor a label.
    """
    sets = {cue.name: edited(cases, cue, most) for cue in cues}
    used = {name: e for name, e in sets.items() if e.on}
    asks = isinstance(reader, CaseReader)
    labelled = [c for c in cases if c.label in TEMPORAL][:most] if asks else []
    if not used and not labelled:
        raise DataError(
            explain(
                f"none of {len(cases)} pairs of events has a cue that can be edited for certain.",
                f"Cues looked for: {', '.join(sets) or 'none'}.",
                "Texts that have them: rankwise narratives --help",
            )
        )
    everything = [c for e in used.values() for c in (*e.on, *e.off)] + labelled
    gold = np.array([TEMPORAL.index(c.label or "") for c in labelled], dtype=int)

    def run() -> Mapping[str, Floats]:
        said = reader.temporal(everything) if isinstance(reader, CaseReader) else None
        before = np.asarray(reader(everything), dtype=np.float64) if said is None else said[:, 0]
        values, at = {}, 0
        for name, e in used.items():
            n = len(e.on)
            values[name] = before[at : at + n] - before[at + n : at + 2 * n]
            at += 2 * n
        if said is not None and labelled:
            values[RIGHT] = (said[at:].argmax(1) == gold).astype(np.float64)
            logs = np.log(np.clip(said[at:], 1e-9, None))
            values[LIKELY], values[LEAD] = logs[np.arange(len(gold)), gold], lead(logs, gold)
        return values

    clusters = {name: [c.document.id for c in e.on] for name, e in used.items()}
    legend = {name: f"P(before) with {name} at 1 less at 0, by editing the text" for name in used}
    if labelled:
        clusters |= {name: [c.document.id for c in labelled] for name in (RIGHT, LIKELY)}
        legend |= {RIGHT: "share of labelled pairs answered right", LIKELY: "mean log-probability of the right label"}
    notes = [f"{n}: {e.looked - len(e.on)} of {e.looked} pairs skipped, no certain edit." for n, e in sets.items()]
    steps = {RIGHT: LEAD} if labelled else {}
    return Outcome(run, clusters, legend, tuple(note for note in notes if ": 0 of " not in note), steps)


def lead(logits: Floats, gold: NDArray[np.int64]) -> Floats:
    """[n] by how much the right one of [n, labels] leads the best of the others."""
    rows = np.arange(len(gold))
    others = logits.copy()
    others[rows, gold] = -np.inf
    return np.asarray(logits[rows, gold] - others.max(1))


def table_outcome(model: nn.Module, task: Task, given: Sequence[Example]) -> Outcome:
    """Of labelled rows: accuracy (not for numbers) and mean log-likelihood, up to a constant for numbers.

    Raises:
        DataError: no rows, or rows without labels.
    """
    if not len(given) or any(row.label is None for row in given):
        raise DataError(explain("there are no labelled rows to measure on.", "Every row needs a label."))
    if task.head.kind in MANY:
        raise DataError(explain(f"rows of a {task.head.kind} head are no table.", "It measures heads of one answer."))
    labels = [torch.tensor(row.label) for row in given]

    def run() -> Mapping[str, Floats]:
        answers = predict(model, None, task, given)
        losses = [float(loss(task.head, a[None], label[None])) for a, label in zip(answers, labels, strict=True)]
        values: dict[str, Floats] = {LIKELY: -np.array(losses)}
        if task.head.kind != "regression":
            values |= _choices(task, answers, labels)
        return values

    legend = {LIKELY: "mean log-probability of the right answer"}
    if task.head.kind == "regression":
        legend = {LIKELY: "mean squared error, negative"}
    else:
        legend = {RIGHT: "share of rows answered right"} | legend
    each = [str(k) for k in range(len(given))]
    steps = {RIGHT: LEAD} if RIGHT in legend and len(task.head.labels) > 1 else {}
    return Outcome(run, dict.fromkeys(legend, each), legend, margins=steps)


def _choices(task: Task, answers: Sequence[Tensor], labels: Sequence[Tensor]) -> dict[str, Floats]:
    """Rows answered right, and by how much: over the best wrong label, or of several the one least sure."""
    chosen = [task.answers(a[None])[0] for a in answers]
    right = [bool((c == label).all()) for c, label in zip(chosen, labels, strict=True)]
    logits, gold = torch.stack(list(answers)).double().numpy(), torch.stack(list(labels)).numpy()
    if task.head.kind == "multi":
        ahead = np.where(gold > 0, logits, -logits).min(1)
    else:
        ahead = lead(logits, gold)
    return {RIGHT: np.array(right, dtype=np.float64)} | ({LEAD: ahead} if logits.shape[1] > 1 else {})
