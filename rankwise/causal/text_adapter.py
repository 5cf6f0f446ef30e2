"""One adapter a fold that reads treatment and outcome off texts: a propensity head and a head for each arm's outcome.

Source: CausalBERT, Veitch, Sridhar and Blei 2020, "Adapting text embeddings for causal inference", UAI, whose three
heads these are. Other than there: cross-fitted, adapters on one frozen encoder in place of a whole model a fold, and no
masked-language-model term. The released code has no standard error, and its imports are gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..core.adapter import Adapter
from ..core.create import new
from ..core.head import Head
from ..core.host import run_head
from ..core.method import Method
from ..methods.lora import LoRA
from ..methods.sora import SoRA
from ..train.data import Example
from ..train.evaluate import predict
from ..train.loop import fit
from ..train.recipe import Recipe
from ..train.task import INPUTS, Task
from .aipw import Floats
from .text_encoder import Encoder
from .text_nuisance import Scores

HEADS = ("propensity", "q0", "q1")
RECIPE = Recipe(epochs=3, lr=2e-3, batch_rows=32)
RANK, TARGET = 8, 4.0


@dataclass(frozen=True)
class TextTask(Task):
    """Rows whose label is (treatment 0 or 1, outcome). logits [batch, 3]: of the treatment, and either arm's outcome
    (a logit where outcomes are 0 and 1). Each row teaches the propensity and the outcome of its own arm."""

    arms: tuple[Head, ...] = ()

    @property
    def heads(self) -> dict[str, Head]:
        return dict(zip(HEADS, (self.head, *self.arms), strict=True))

    def batch(self, rows: Sequence[Example], device: torch.device | str = "cpu") -> dict[str, Tensor]:
        batch = super().batch([replace(r, label=None, meta=None) for r in rows], device)
        if rows[0].label is not None:
            batch["labels"] = torch.tensor([r.label for r in rows], dtype=torch.float32).to(device)
        return batch

    def logits(self, model: nn.Module, batch: Mapping[str, Tensor], forward: nn.Module | None = None) -> Tensor:
        out: Any = (forward or model)(**{name: batch[name] for name in INPUTS if name in batch})
        hidden, mask = out.last_hidden_state, batch["attention_mask"]
        said = [run_head(model, name, hidden, mask).reshape(len(hidden)) for name in HEADS]
        return torch.stack(said, -1)

    def loss(self, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        logits = logits.float()
        t, y = batch["labels"].unbind(-1)
        own = torch.where(t == 1, logits[:, 2], logits[:, 1])
        if self.heads["q0"].kind == "multi":
            outcome = F.binary_cross_entropy_with_logits(own, y)
        else:
            spread = torch.where(t == 1, self.heads["q1"].spread, self.heads["q0"].spread)
            outcome = (((own - y) / spread) ** 2).mean()
        return F.binary_cross_entropy_with_logits(logits[:, 0], t) + outcome


def method_of(name: str) -> Method:
    """LoRA of rank 8 a site, or SoRA that starts with 8 and keeps 4 on average."""
    return LoRA(rank=RANK) if name == "lora" else SoRA(rank=RANK, target_rank=TARGET)


def task_of(encoder: Encoder, rows: Sequence[Example], t: NDArray[np.int64], y: Floats) -> TextTask:
    """What an adapter learns from these rows."""
    labelled = [replace(r, label=(float(a), float(b))) for r, a, b in zip(rows, t, y, strict=True)]
    yes_or_no = Head("multi", ("yes",), encoder.width)
    arms = [yes_or_no, yes_or_no]
    if not np.isin(y, (0.0, 1.0)).all():
        levels = [(float(y[t == arm].mean()), float(y[t == arm].std()) or 1.0) for arm in (0, 1)]
        arms = [Head("regression", (), encoder.width, center=center, spread=spread) for center, spread in levels]
    return TextTask("propensity", yes_or_no, labelled, pad_id=encoder.pad_id, arms=tuple(arms))


def train_fold(
    encoder: Encoder,
    rows: Sequence[Example],
    t: NDArray[np.int64],
    y: Floats,
    method: Method,
    recipe: Recipe = RECIPE,
) -> tuple[Adapter, TextTask]:
    """An adapter that learnt from these rows, and its task, which reads its answers."""
    task = task_of(encoder, rows, t, y)
    start = new(encoder.model, method, exclude=encoder.without, heads=task.heads, seed=recipe.seed)
    return fit(encoder.model, start, task, recipe).adapter, task


def adapter_scores(
    encoder: Encoder,
    texts: Sequence[str],
    t: NDArray[np.int64],
    y: Floats,
    fold: NDArray[np.int64],
    method: Method,
    recipe: Recipe = RECIPE,
) -> tuple[Scores, list[Adapter]]:
    """Scores of each fold's rows by an adapter that never saw them: logits, or numbers for a continuous outcome."""
    rows, out, adapters = encoder.rows(texts), np.empty((len(t), 3)), []
    for k in np.unique(fold):
        held, rest = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        own = replace(recipe, seed=(recipe.seed + 7919 * int(k)) % 2**32, max_length=encoder.max_length)
        adapter, task = train_fold(encoder, [rows[i] for i in rest], t[rest], y[rest], method, own)
        said = predict(encoder.model, adapter, task, [rows[i] for i in held])
        out[held] = torch.stack(said).double().numpy()
        adapters.append(adapter)
    everywhere = np.broadcast_to(out, (len(adapters), *out.shape))
    return Scores(method.kind, everywhere[..., :1], everywhere[..., 1:]), adapters
