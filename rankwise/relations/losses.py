"""What a temporal and a causal head may not say together, as losses: symmetry, conjunction, no effect before its cause.

Log-probabilities of temporal labels have the last axis 4 (schema.TEMPORAL), of causal ones 3 (schema.CAUSAL).
Source: Wang et al. 2020 (EMNLP), "Joint Constrained Learning for Event-Event Relation Extraction", section 4.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .composition import ALLOWED
from .schema import CAUSAL, CONVERSE, TEMPORAL

TINY = 1e-6  # of a probability: log(1 - p) stays finite


def converse(values: Tensor, labels: tuple[str, ...]) -> Tensor:
    """Values of the pair read from its other end: [..., labels] with BEFORE and AFTER, CAUSES and CAUSED_BY swapped."""
    return values[..., [labels.index(CONVERSE[label]) for label in labels]]


def symmetry(one: Tensor, other: Tensor, labels: tuple[str, ...] = TEMPORAL) -> Tensor:
    """Mean over pairs of sum over labels of |log p_ij(r) - log p_ji(converse r)|. one, other: [n, labels]."""
    return (one - converse(other, labels)).abs().sum(-1).mean()


def conjunction(ij: Tensor, jk: Tensor, ik: Tensor) -> Tensor:
    """What two relations say about the third, mean over triples; ij, jk, ik: [n, 4] log-probabilities.

    Where r1 then r2 leaves one label r3: max(0, log p_ij(r1) + log p_jk(r2) - log p_ik(r3)). For every label that
    they forbid: max(0, log p_ij(r1) + log p_jk(r2) - log(1 - p_ik(label))).
    """
    allowed = torch.as_tensor(ALLOWED, device=ij.device)  # [4, 4, 4]
    both = ij[:, :, None, None] + jk[:, None, :, None]  # [n, r1, r2, 1]
    said = ik[:, None, None, :]
    alone = (allowed.sum(-1, keepdim=True) == 1) & allowed
    positive = (both - said).clamp(min=0) * alone
    negative = (both - _not(said)).clamp(min=0) * ~allowed
    return (positive + negative).sum((1, 2, 3)).mean()


def no_effect_first(temporal: Tensor, causal: Tensor) -> Tensor:
    """max(0, log p(CAUSES) - log(1 - p(AFTER))), and the same from the other end; the mean over pairs [n, ...]."""
    total = temporal.new_zeros(len(temporal))
    for cause, order in (("CAUSES", "AFTER"), ("CAUSED_BY", "BEFORE")):
        said = causal[:, CAUSAL.index(cause)]
        total = total + (said - _not(temporal[:, TEMPORAL.index(order)])).clamp(min=0)
    return total.mean()


def _not(log_p: Tensor) -> Tensor:
    """log(1 - p), finite."""
    return torch.log1p(-log_p.exp().clamp(max=1 - TINY))
