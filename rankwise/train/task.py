"""Task: the rows, head, loss and metric of one thing that an adapter learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..core.adapter import Adapter
from ..core.head import Head, answers, loss
from ..core.host import run_head
from ..errors import DataError, UnknownName, explain, nearest
from .data import IGNORE, Example, collate
from .metrics import METRICS, default_metric, metric_named

INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
MANY = ("tokens", "pairs")  # kinds with several answers a row, some of them perhaps without a label


@dataclass(frozen=True)
class Task:
    """One task of a run; a run has one or several.

    Args:
        name: of the task; names its head in the adapter.
        head: pooling, layers, labels. Also says how answers and losses are read where the host answers.
        train, valid: tokenised rows; without valid rows the last state is the result.
        metric: one of METRICS; None takes the kind's own (accuracy, f1_micro, pearson).
        pad_id: token id of padding.
        weight: factor of this task's loss.
        host_answers: the host is a model with its own task head (AutoModelFor...), whose `logits` are used.
    """

    name: str
    head: Head
    train: Sequence[Example]
    valid: Sequence[Example] = ()
    metric: str | None = None
    pad_id: int = 0
    weight: float = 1.0
    host_answers: bool = False

    def __post_init__(self) -> None:
        metric_named(self.scored_by, self.head.kind)
        if not len(self.train):
            raise DataError(explain(f"task {self.name!r} has no training rows.", "At least one is needed."))

    @property
    def heads(self) -> dict[str, Head]:
        """The heads of the adapter that this task uses, by name."""
        return {self.name: self.head}

    @property
    def scored_by(self) -> str:
        return self.metric or default_metric(self.head.kind)

    def batch(self, rows: Sequence[Example], device: torch.device | str = "cpu") -> dict[str, Tensor]:
        tensors = collate(rows, self.pad_id, self.head.kind)
        return {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()}

    def items(self, rows: Sequence[Example]) -> int:
        """How many terms the mean loss of these rows has: rows, or labelled tokens or pairs."""
        if self.head.kind not in MANY:
            return len(rows)
        return sum(label != IGNORE for row in rows for label in row.label)

    def size(self, row: Example) -> int | None:
        """How many answers a row has: its tokens or pairs; None for one answer."""
        return {"tokens": len(row), "pairs": len(row.pairs or ())}.get(self.head.kind)

    def logits(self, model: nn.Module, batch: Mapping[str, Tensor], forward: nn.Module | None = None) -> Tensor:
        """Logits of one batch; shapes as in Head. `forward` is the wrapped model (DDP), if there is one."""
        inputs = {name: batch[name] for name in INPUTS if name in batch}
        out: Any = (forward or model)(**inputs)
        if self.host_answers:
            logits: Tensor = out.logits
            return logits.squeeze(-1) if self.head.kind == "regression" else logits
        hidden = out.last_hidden_state if hasattr(out, "last_hidden_state") else out[0]
        return run_head(model, self.name, hidden, batch["attention_mask"], batch.get("spans"))

    def loss(self, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """The mean loss of one batch, from its `logits` and `batch["labels"]`."""
        return loss(self.head, logits, batch["labels"])

    def answers(self, logits: Tensor) -> Tensor:
        """Logits to answers, as `head.answers` says."""
        return answers(self.head, logits)


def checked(tasks: Sequence[Task], adapter: Adapter, metric: str | None = None) -> list[Task]:
    """The tasks of a run, held against the adapter; `metric` goes to those that it fits and that name none.

    Raises:
        DataError: no task, or two of one name. UnknownName: no head of a task's name in the adapter, a head of
            another kind or with other labels, or a metric that fits no task.
    """
    names = [t.name for t in tasks]
    if not names or len(set(names)) < len(names):
        raise DataError(
            explain(f"tasks {names}: a run needs at least one, and a name for each.", "Task(name=...) names its head.")
        )
    for task in tasks:
        for name, head in {} if task.host_answers else task.heads.items():
            _check_head(name, head, adapter)
    if metric is None:
        return list(tasks)
    if all(t.head.kind not in metric_named(metric).kinds for t in tasks):
        metric_named(metric, tasks[0].head.kind)  # raises, and names those that fit
    fits = METRICS[metric].kinds
    return [replace(t, metric=metric) if t.metric is None and t.head.kind in fits else t for t in tasks]


def _check_head(name: str, head: Head, adapter: Adapter) -> None:
    have = adapter.heads.get(name)
    if have is None:
        there = ", ".join(nearest(name, adapter.heads)) or "none"
        raise UnknownName(
            explain(
                f"the adapter has no head {name!r}.",
                f"Its heads: {there}.",
                f"new(model, ..., heads={{{name!r}: task.head}}) gives it one; a host with a task head of its"
                " own needs Task(..., host_answers=True).",
            ),
            name=name,
        )
    if (have.kind, have.labels) != (head.kind, head.labels):
        raise UnknownName(
            explain(
                f"the adapter's head {name!r} is of kind {have.kind} with labels {list(have.labels)}.",
                f"The task's is of kind {head.kind} with labels {list(head.labels)}.",
                "Both must be the same, in the same order.",
            ),
            name=name,
        )
