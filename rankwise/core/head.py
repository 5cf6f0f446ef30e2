"""Head: what turns hidden states into one task's answers. Pooling, layers and labels as data, and pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import RecipeError, explain

KINDS = ("single", "multi", "regression", "tokens", "spans", "pairs")
POOLINGS = ("mean", "cls", "max", "last")


@dataclass(frozen=True)
class Head:
    """One task's head.

    kind        answers                                   logits
    single      one label of `labels` a row               [batch, labels]
    multi       any subset of `labels` a row              [batch, labels]
    regression  one number a row                          [batch]
    tokens      one label a token                         [batch, tokens, labels]
    spans       one label for a pair of token spans       [batch, labels]
    pairs       one label for each of many pairs of tokens  [batch, pairs, labels]

    Args:
        labels: names in the order of the logits; empty for regression.
        hidden: width of the hidden states.
        pooling: how a row's hidden states become one vector (single, multi, regression): the mean over
            real tokens, the first, the maximum, or the last real token.
        layers: widths of tanh layers between pooling and answer; () is one linear map.
        dropout: on the input of every layer, in training.
        center, spread: regression answers in units of the label: y = center + spread * output.
    """

    kind: str
    labels: tuple[str, ...]
    hidden: int
    pooling: str = "mean"
    layers: tuple[int, ...] = ()
    dropout: float = 0.0
    center: float = 0.0
    spread: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RecipeError(explain(f"head kind {self.kind!r} is unknown.", f"It is one of {', '.join(KINDS)}."))
        if self.pooling not in POOLINGS:
            raise RecipeError(explain(f"pooling {self.pooling!r} is unknown.", f"It is one of {', '.join(POOLINGS)}."))
        if self.kind != "regression" and len(self.labels) < 1:
            raise RecipeError(f"a head of kind {self.kind!r} needs at least one label.")

    @property
    def width_in(self) -> int:
        return {"spans": 4, "pairs": 2}.get(self.kind, 1) * self.hidden

    @property
    def width_out(self) -> int:
        return 1 if self.kind == "regression" else len(self.labels)

    def init(self, rng: torch.Generator) -> dict[str, Tensor]:
        """Tensors "weight_0" [out, in], "bias_0" [out], ...: uniform in +-1/sqrt(in), biases zero."""
        widths = (self.width_in, *self.layers, self.width_out)
        weights = {}
        for i, (n_in, n_out) in enumerate(pairwise(widths)):
            bound = 1 / math.sqrt(n_in)
            weights[f"weight_{i}"] = torch.empty(n_out, n_in).uniform_(-bound, bound, generator=rng)
            weights[f"bias_{i}"] = torch.zeros(n_out)
        return weights


def pool(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """hidden [batch, tokens, width], mask [batch, tokens] (1 = real) -> [batch, width]."""
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        positions = torch.arange(mask.shape[1], device=mask.device)
        last = (mask.bool().long() * positions).amax(1)
        return hidden[torch.arange(len(hidden), device=hidden.device), last]
    real = mask.unsqueeze(-1).to(hidden.dtype)
    if pooling == "max":
        return hidden.masked_fill(real == 0, torch.finfo(hidden.dtype).min).amax(1)
    return (hidden * real).sum(1) / real.sum(1).clamp(min=1)


def span_pairs(hidden: Tensor, spans: Tensor) -> Tensor:
    """Mean over each span, then [a, b, a*b, |a-b|].

    hidden [batch, tokens, width]; spans [batch, 2, 2], half-open token ranges -> [batch, 4 * width].
    """
    at = torch.arange(hidden.shape[1], device=hidden.device)
    inside = (at >= spans[..., :1]) & (at < spans[..., 1:])  # [batch, 2, tokens]
    weight = inside.to(hidden.dtype)
    weight = weight / weight.sum(-1, keepdim=True).clamp(min=1)
    a, b = torch.bmm(weight, hidden).unbind(1)
    return torch.cat([a, b, a * b, (a - b).abs()], dim=-1)


def token_pairs(hidden: Tensor, at: Tensor) -> Tensor:
    """hidden [batch, tokens, width] at the two tokens of every pair, side by side; at [batch, pairs, 2] -> [batch,
    pairs, 2 * width]."""
    rows = torch.arange(len(hidden), device=hidden.device)[:, None, None]
    return hidden[rows, at].flatten(2)


def apply(
    head: Head,
    weights: Mapping[str, Tensor],
    hidden: Tensor,
    mask: Tensor,
    spans: Tensor | None = None,
    training: bool = False,
) -> Tensor:
    """Hidden states [batch, tokens, width] -> logits, as the table of Head says."""
    if head.kind in ("spans", "pairs"):
        if spans is None:
            shape = "[batch, 2, 2]" if head.kind == "spans" else "[batch, pairs, 2]"
            raise RecipeError(f"a head of kind {head.kind!r} needs spans {shape} with every row.")
        x = span_pairs(hidden, spans) if head.kind == "spans" else token_pairs(hidden, spans)
    elif head.kind == "tokens":
        x = hidden
    else:
        x = pool(hidden, mask, head.pooling)
    n = len(head.layers) + 1
    for i in range(n):
        if head.dropout:
            x = F.dropout(x, head.dropout, training)
        w, b = weights[f"weight_{i}"], weights[f"bias_{i}"]
        x = F.linear(x.to(w.dtype), w, b)
        if i < n - 1:
            x = torch.tanh(x)
    return head.center + head.spread * x.squeeze(-1) if head.kind == "regression" else x


def loss(head: Head, logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy (single, spans; tokens and pairs, where -100 is no label), binary cross-entropy (multi), or the
    squared error in units of `spread` (regression); the mean over rows (over labelled tokens, pairs)."""
    logits = logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits
    if head.kind == "multi":
        return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
    if head.kind == "regression":
        return F.mse_loss(logits / head.spread, labels.to(logits.dtype) / head.spread)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=-100)


def answers(head: Head, logits: Tensor) -> Tensor:
    """Logits to answers: label numbers, multi-hot 0/1 (probability over one half), or the number itself."""
    if head.kind == "multi":
        return (logits > 0).long()
    return logits if head.kind == "regression" else logits.argmax(-1)
