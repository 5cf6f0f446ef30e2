"""The extractor: one adapted encoder, a temporal and a causal head over pairs, their joint loss, and what they say.

Both heads read a pair in both directions from the same two twins (see pairs.py), so the converse costs no second pass:
training sees each pair in both orders, and an answer is the mean of the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core.adapter import Adapter
from ..core.head import Head
from ..core.host import run_head
from ..errors import RecipeError, explain
from ..train.data import IGNORE, Example
from ..train.evaluate import predict
from ..train.task import INPUTS, Task
from .losses import conjunction, converse, no_effect_first, symmetry
from .pairs import Ends, Layout, rows
from .schema import CAUSAL, TEMPORAL, Document

UNKNOWN = (IGNORE, IGNORE)  # a pair of which neither label is known
TRIPLES = 256  # of a row at most, for the conjunction loss


@dataclass(frozen=True)
class Weights:
    """Factors of the parts of the loss; cross-entropy of the temporal head counts 1."""

    causal: float = 1.0
    symmetry: float = 0.2
    conjunction: float = 0.2
    implication: float = 0.2

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 100:
                raise RecipeError(explain(f"weight {name}={value}.", "A weight of the loss lies from 0 to 100."))


def heads(hidden: int, dropout: float = 0.1) -> dict[str, Head]:
    """The two heads of an extractor on an encoder of this width."""
    shape: dict[str, Any] = {"hidden": hidden, "layers": (hidden,), "dropout": dropout}
    return {"temporal": Head("pairs", TEMPORAL, **shape), "causal": Head("pairs", CAUSAL, **shape)}


@dataclass(frozen=True)
class PairTask(Task):
    """Rows from `pairs.rows` whose label is one (temporal, causal) index pair a question, -100 where not known.

    logits: [batch, pairs, 2, 7]: as asked and from the other end; temporal, then causal labels.
    """

    weights: Weights = Weights()

    @property
    def heads(self) -> dict[str, Head]:
        return {"temporal": self.head, "causal": replace(self.head, labels=CAUSAL)}

    def items(self, rows: Sequence[Example]) -> int:
        return sum(label != UNKNOWN for row in rows for label in row.label)

    def batch(self, rows: Sequence[Example], device: torch.device | str = "cpu") -> dict[str, Tensor]:
        bare = [replace(r, label=None, meta=None) for r in rows]
        batch = super().batch(bare, device)
        if rows[0].label is None:
            return batch
        labels = torch.full((*batch["spans"].shape[:2], 2), IGNORE)
        for line, row in zip(labels, rows, strict=True):
            line[: len(row.label)] = torch.tensor(row.label)
        batch["labels"] = labels.to(device)
        if self.weights.conjunction:
            batch["triples"] = triples(rows).to(device)
        return batch

    def logits(self, model: nn.Module, batch: Mapping[str, Tensor], forward: nn.Module | None = None) -> Tensor:
        out: Any = (forward or model)(**{name: batch[name] for name in INPUTS if name in batch})
        hidden, spans, mask = out.last_hidden_state, batch["spans"], batch["attention_mask"]
        ways = [
            torch.cat([run_head(model, name, hidden, mask, ends) for name in self.heads], -1)
            for ends in (spans, spans.flip(-1))
        ]
        return torch.stack(ways, 2)

    def loss(self, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        labels, w = batch["labels"], self.weights
        temporal, causal = split(logits.float())
        total = _both_ways(temporal, labels[..., 0], TEMPORAL) + w.causal * _both_ways(causal, labels[..., 1], CAUSAL)
        asked = (labels != IGNORE).any(-1)
        temporal, causal = temporal[asked], causal[asked]
        if w.symmetry:
            total = total + w.symmetry * symmetry(temporal[:, 0], temporal[:, 1])
            if (labels[..., 1] != IGNORE).any():
                total = total + w.symmetry * symmetry(causal[:, 0], causal[:, 1], CAUSAL)
        if w.implication:
            total = total + w.implication * no_effect_first(temporal[:, 0], causal[:, 0])
        if w.conjunction and len(batch["triples"]):
            row, at, way = batch["triples"].split((1, 3, 3), -1)
            said = split(logits.float())[0][row, at, way]  # [n, 3, 4]
            total = total + w.conjunction * conjunction(*said.unbind(1))
        return total


def split(logits: Tensor) -> tuple[Tensor, Tensor]:
    """[..., 7] logits -> log-probabilities [..., 4] temporal and [..., 3] causal."""
    temporal, causal = logits.split((len(TEMPORAL), len(CAUSAL)), -1)
    return temporal.log_softmax(-1), causal.log_softmax(-1)


def _both_ways(said: Tensor, label: Tensor, labels: tuple[str, ...]) -> Tensor:
    """Cross-entropy of log-probabilities [batch, pairs, 2, labels], the second way against the converse label."""
    if not (label != IGNORE).any():
        return said.sum() * 0.0
    ways = (said[..., 0, :], converse(said[..., 1, :], labels))
    losses = [F.nll_loss(way.flatten(0, 1), label.flatten(), ignore_index=IGNORE) for way in ways]
    return (losses[0] + losses[1]) / 2


def triples(rows: Sequence[Example], most: int = TRIPLES) -> Tensor:
    """Where i to j, j to k and i to k are all asked in one row: [n, 7] long.

    Columns: row; which pair asks each of the three; 0 where it asks so and 1 where from the other end. The first
    `most` of each row, in the order of its events.
    """
    found: list[tuple[int, ...]] = []
    for number, row in enumerate(rows):
        asked = {pair: at for at, pair in enumerate(row.meta[1])}
        place = {**{(b, a): (at, 1) for (a, b), at in asked.items()}, **{pair: (at, 0) for pair, at in asked.items()}}
        near: dict[str, set[str]] = {}
        for a, b in asked:
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
        order = list(near)
        mine = [(i, j, k) for i, j, k in combinations(order, 3) if j in near[i] and k in near[j] and k in near[i]][
            :most
        ]
        for i, j, k in mine:
            ends = [place[i, j], place[j, k], place[i, k]]
            found.append((number, *(at for at, _ in ends), *(way for _, way in ends)))
    return torch.tensor(found, dtype=torch.long).reshape(-1, 7)


@dataclass(frozen=True)
class Said:
    """What the model says about one pair: probabilities, the mean of both directions."""

    temporal: tuple[float, ...]
    causal: tuple[float, ...]


def ask(
    model: nn.Module,
    adapter: Adapter | None,
    documents: Iterable[tuple[Document, Sequence[Ends]]],
    layout: Layout,
    *,
    batch_rows: int = 0,
) -> list[dict[Ends, Said]]:
    """Probabilities for every pair of every document.

    adapter: None where one is attached already. batch_rows: 0 for 8 windows, or 64 pairs with solid markers.
    """
    asked = [rows(document, pairs, layout) for document, pairs in documents]
    flat = [row for each in asked for row in each]
    if not flat:
        return [{} for _ in asked]
    task = PairTask("pairs", heads(int(model.config.hidden_size))["temporal"], flat)  # type: ignore[union-attr,arg-type]
    size = batch_rows or (64 if layout.marks else 8)
    answers = iter(predict(model, adapter, task, flat, batch_rows=size))
    return [{pair: said for row in each for pair, said in _said(row, next(answers))} for each in asked]


def _said(row: Example, logits: Tensor) -> list[tuple[Ends, Said]]:
    temporal, causal = (part.exp() for part in split(logits))
    temporal = (temporal[:, 0] + converse(temporal[:, 1], TEMPORAL)) / 2
    causal = (causal[:, 0] + converse(causal[:, 1], CAUSAL)) / 2
    said = zip(temporal.tolist(), causal.tolist(), strict=True)
    return [(pair, Said(tuple(t), tuple(c))) for pair, (t, c) in zip(row.meta[1], said, strict=True)]
