"""What the released code of SoRA does, fault for fault, to compare with; nothing here is used by rankwise.

Source: TsinghuaC3I/SoRA on GitHub, MIT licence, as of commit c275ac2. Behaviour re-written, not copied:
    start, forward      src/lora.py, LowRankLinear
    AdamStep, dead_zone src/sparse_optimizer.py, SparseAdamW.step
    penalty             src/trainer.py, compute_loss
The gates sit in an optimizer of their own (run_glue.py) without weight decay; its learning rate follows the same
linear decay as that of A and B, its threshold doesn't.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def start(width_in: int, width_out: int, rank: int) -> dict[str, Tensor]:
    """A as torch.nn.Linear starts, B zeros, gates drawn from N(0, 1): the draw says how far each is from 0."""
    a = torch.empty(rank, width_in)
    nn.init.kaiming_uniform_(a, a=math.sqrt(5))
    return {"A": a, "B": torch.zeros(width_out, rank), "gate": torch.randn(1, rank)}


def delta(x: Tensor, f: dict[str, Tensor], alpha: float, rank: int) -> Tensor:
    """x [n, in] -> [n, out], what is added to the frozen map. `rank` stays the first one after gates die."""
    return ((x @ f["A"].T) * f["gate"]) @ f["B"].T * (alpha / rank)


def dead_zone(gate: Tensor, t: float) -> Tensor:
    """The threshold, as three masked updates one after the other.

    The third looks at what the first two left: a value in (t, 2t) is shrunk to (0, t) and then zeroed, so the
    dead zone is twice as wide as the soft threshold's, with a jump of t at 2t; |value| == t survives as it is.
    `t` is sparse_lambda_2 itself: no learning rate.
    """
    p = gate.clone()
    p[p > t] -= t
    p[p < -t] += t
    p[p.abs() < t] = 0.0
    return p


def penalty(gates: Sequence[Tensor], sparse_lambda: float) -> Tensor:
    """A second pull beside the threshold: sparse_lambda times the mean |gate| over all sites, in the loss."""
    total = sum((g.abs().sum() for g in gates), torch.zeros((), dtype=gates[0].dtype))
    return sparse_lambda * total / sum(g.numel() for g in gates)


class AdamStep:
    """Adam as transformers had it: the second moment's root gets eps before the bias correction, eps = 1e-6."""

    def __init__(self, like: Tensor, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-6) -> None:
        self.m, self.v, self.steps = torch.zeros_like(like), torch.zeros_like(like), 0
        self.betas, self.eps = betas, eps

    def __call__(self, gate: Tensor, grad: Tensor, lr: float, t: float) -> Tensor:
        """The gate after one step and the threshold."""
        self.steps += 1
        b1, b2 = self.betas
        self.m = b1 * self.m + (1 - b1) * grad
        self.v = b2 * self.v + (1 - b2) * grad**2
        size = lr * math.sqrt(1 - b2**self.steps) / (1 - b1**self.steps)
        return dead_zone(gate - size * self.m / (self.v.sqrt() + self.eps), t)
