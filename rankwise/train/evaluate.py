"""Predict with an adapter, and score what it predicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..core.adapter import Adapter
from ..core.head import apply, loss
from ..core.host import attached
from ..errors import DataError, explain
from .data import Example, batches
from .metrics import interval, score
from .task import INPUTS, MANY, Task

ROWS = 64  # of an evaluation batch; rows are sorted by length, so little of it is padding


@dataclass(frozen=True)
class Scores:
    """One task's score on some rows: its metric, the value with a 95 % interval, the mean loss, and how many."""

    metric: str
    value: float
    low: float
    high: float
    loss: float
    n: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def evaluate(
    model: nn.Module, adapter: Adapter | None, task: Task, rows: Sequence[Example] | None = None, *, ci: bool = True
) -> Scores:
    """Score `adapter` on the task's validation rows, or on `rows`. The model leaves as it came.

    adapter: None where one is attached (or merged with a host that answers by itself) already.

    Raises:
        DataError: no rows, or rows without labels. AttachError: an adapter is given and one is attached already.
    """
    rows = task.valid if rows is None else rows
    if not len(rows) or any(r.label is None for r in rows):
        raise DataError(
            explain(f"task {task.name!r}: there are no labelled rows to score.", "Scoring needs a label in every row.")
        )
    logits = predict(model, adapter, task, rows)
    total, count = 0.0, 0
    predicted, gold = [], []
    for row, answer in zip(rows, logits, strict=True):
        label = torch.tensor(row.label)
        labelled = int((label != -100).sum()) if task.head.kind in MANY else 1
        total += float(loss(task.head, answer.unsqueeze(0), label.unsqueeze(0))) * labelled if labelled else 0.0
        count += labelled
        choice = task.answers(answer.unsqueeze(0)).squeeze(0)
        if task.head.kind in MANY:
            predicted += choice[label != -100].tolist()
            gold += label[label != -100].tolist()
        else:
            predicted.append(choice.tolist())
            gold.append(label.tolist())
    classes = len(task.head.labels) or None
    value = score(task.scored_by, predicted, gold, classes)
    low, high = interval(task.scored_by, predicted, gold, classes=classes) if ci else (value, value)
    return Scores(task.scored_by, value, low, high, total / max(count, 1), len(rows))


def predict(
    model: nn.Module, adapter: Adapter | None, task: Task, rows: Sequence[Example], *, batch_rows: int = ROWS
) -> list[Tensor]:
    """Logits of every row, in the order of the rows, on the CPU in float32 or wider, without the padding."""
    found: list[Tensor | None] = [None] * len(rows)
    device = next(model.parameters()).device
    with _using(model, adapter), _evaluating(model):
        for group in batches([len(r) for r in rows], rows=batch_rows, shuffle=False):
            batch = task.batch([_unlabelled(rows[i]) for i in group], device)
            logits = task.logits(model, batch)
            wide = logits.to("cpu", torch.promote_types(logits.dtype, torch.float32))
            for i, answer in zip(group, wide, strict=True):
                size = task.size(rows[i])
                found[i] = (answer if size is None else answer[:size]).clone()
    return [f for f in found if f is not None]


def answers_for(model: nn.Module, adapter: Adapter, name: str, batch: dict[str, Tensor]) -> Tensor:
    """Logits of one collated batch by the head `name` of an attached adapter; for streaming prediction."""
    with _evaluating(model):
        out: Any = model(**{k: v for k, v in batch.items() if k in INPUTS})
        hidden = out.last_hidden_state if hasattr(out, "last_hidden_state") else out[0]
        return apply(
            adapter.heads[name], adapter.head_weights[name], hidden, batch["attention_mask"], batch.get("spans")
        )


def _unlabelled(row: Example) -> Example:
    return replace(row, label=None, meta=None)


@contextmanager
def _using(model: nn.Module, adapter: Adapter | None) -> Iterator[None]:
    if adapter is None:
        yield
    else:
        with attached(model, adapter):
            yield


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
