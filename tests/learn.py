"""A tiny encoder of plain torch, a tiny BERT, and tasks that either learns in a second.

`encoder()` has three linear maps, 8 wide, and dropout on request; `task(kind)` has rows whose labels a head can
read off the tokens. `adapter(model, method, tasks)` is new, with a head for each task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import BertConfig, BertModel

import rankwise as rw
from rankwise.core.head import Head
from rankwise.train.data import Example
from rankwise.train.task import Task
from tests import tiny

WIDTH, WORDS = 8, 30
KINDS = ("single", "multi", "regression", "tokens", "spans", "pairs")
LABELS = {"single": ("no", "yes"), "multi": ("a", "b", "c"), "regression": (), "tokens": ("low", "high")}
LABELS["spans"] = LABELS["pairs"] = ("same", "other")


class Encoder(nn.Module):
    """Token embeddings, then two residual maps with tanh, then one more."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.first = nn.Linear(WIDTH, WIDTH)
        self.second = nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, WIDTH, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> SimpleNamespace:
        x = self.words(input_ids)
        x = x + torch.tanh(self.first(self.dropout(x)))
        x = x + torch.tanh(self.second(self.dropout(x)))
        return SimpleNamespace(last_hidden_state=self.last(x))


def encoder(dtype: torch.dtype = torch.float64, seed: int = 0, dropout: float = 0.0) -> Encoder:
    """In eval mode, as a loaded model is; the global generator is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Encoder(dropout).to(dtype).eval()


def bert(dtype: torch.dtype = torch.float64, seed: int = 0, **config: Any) -> BertModel:
    numbers = tiny.ENCODER | {"vocab_size": WORDS, "hidden_size": WIDTH, "intermediate_size": 12} | config
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return BertModel(BertConfig(**numbers), add_pooling_layer=False).to(dtype).eval()


def rows(kind: str = "single", count: int = 24, seed: int = 0) -> list[Example]:
    """Rows of 3 to 7 tokens; what they are labelled by is whether the words are in the upper half."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    found = []
    for _ in range(count):
        upper = rng.random() < 0.5
        draw = rng.integers(15, WORDS, 10) if upper else rng.integers(2, 18, 10)
        ids = tuple(int(i) for i in draw[: rng.integers(3, 8)])
        label: Any = int(upper)
        spans = pairs = None
        if kind == "multi":
            label = (int(upper), int(ids[0] % 2), int(ids[0] >= 15))
        elif kind == "regression":
            label = float(np.mean(ids))
        elif kind == "tokens":
            label = tuple(-100 if i == 0 else int(t >= 15) for i, t in enumerate(ids))
        elif kind == "spans":
            spans = ((0, 1), (1, 3))
        elif kind == "pairs":
            pairs = tuple((i, i + 1) for i in range(len(ids) - 1))
            label = tuple(-100 if i == 1 else int(ids[i] + ids[j] >= 30) for i, j in pairs)
        found.append(Example(ids, label, spans=spans, pairs=pairs))
    return found


def task(kind: str = "single", count: int = 24, valid: int = 16, **fields: Any) -> Task:
    spread = {"center": 15.0, "spread": 5.0} if kind == "regression" else {}
    made = Task(
        name=kind,
        head=Head(kind, LABELS[kind], WIDTH, **spread),
        train=rows(kind, count),
        valid=rows(kind, valid, seed=1) if valid else (),
    )
    return replace(made, **fields)


def adapter(model: nn.Module, method: Any, tasks: Task | Sequence[Task], **options: Any) -> rw.Adapter:
    """In the model's dtype, with noise on every factor, so that nothing starts at exactly zero."""
    tasks = [tasks] if isinstance(tasks, Task) else list(tasks)
    made = rw.new(model, method, options.pop("targets", "all-linear"), heads={t.name: t.head for t in tasks}, **options)
    return made.to(next(model.parameters()).dtype)


def at_call(model: nn.Module, number: int, act: Callable[[], Any]) -> Any:
    """Call `act` before the model's `number`-th call in training (a micro-batch); its handle, to remove."""
    calls = [0]

    def count(module: nn.Module, args: Any) -> None:
        if module.training:
            calls[0] += 1
            if calls[0] == number:
                act()

    return model.register_forward_pre_hook(count)


def losses(record: list[dict[str, Any]]) -> dict[int, float]:
    """step -> loss, of the lines of run.jsonl."""
    return {line["step"]: line["loss"] for line in record if line["kind"] == "step"}
