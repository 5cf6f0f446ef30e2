"""Task: the rows, head, loss and metric of one thing that an adapter learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..core.head import Head, answers, loss
from ..core.host import run_head
from ..errors import DataError, explain
from .data import Example, collate
from .metrics import default_metric, metric_named

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


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
    def scored_by(self) -> str:
        return self.metric or default_metric(self.head.kind)

    def batch(self, rows: Sequence[Example], device: torch.device | str = "cpu") -> dict[str, Tensor]:
        tensors = collate(rows, self.pad_id, self.head.kind)
        return {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()}


def logits_of(model: nn.Module, task: Task, batch: Mapping[str, Tensor], forward: nn.Module | None = None) -> Tensor:
    """Logits of one batch; shapes as in Head. `forward` is the wrapped model (DDP), if there is one."""
    inputs = {name: batch[name] for name in INPUTS if name in batch}
    out: Any = (forward or model)(**inputs)
    if task.host_answers:
        logits: Tensor = out.logits
        return logits.squeeze(-1) if task.head.kind == "regression" else logits
    hidden = out.last_hidden_state if hasattr(out, "last_hidden_state") else out[0]
    return run_head(model, task.name, hidden, batch["attention_mask"], batch.get("spans"))


def loss_of(task: Task, logits: Tensor, labels: Tensor) -> Tensor:
    return loss(task.head, logits, labels)


def answers_of(task: Task, logits: Tensor) -> Tensor:
    return answers(task.head, logits)
