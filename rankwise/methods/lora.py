"""LoRA: a frozen map plus a trained product of two thin factors.

Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, arXiv:2106.09685, eq. 3.
The alpha / sqrt(rank) scale: Kalajdzievski, arXiv:2312.03732.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..core.linear import lowrank
from ..core.method import Method
from ..core.site import Factors, Site
from ..errors import RecipeError, explain


@dataclass(frozen=True)
class LoRA(Method):
    """y = W x + s B (A x), s = alpha / rank, or alpha / sqrt(rank) with `rslora`.

    Factors of one site (in, out: sizes of the map; r: rank):
        A  [r, in]   "kaiming": uniform in +-1/sqrt(in) (Kaiming with a = sqrt 5); "gaussian": N(0, 1/r^2), as PEFT
        B  [out, r]  zeros, so that a new adapter leaves the model unchanged

    Args:
        rank: directions a site, >= 1.
        alpha: numerator of the scale.
        dropout: on the input of A, in training, 0 <= dropout < 1.
        rslora: divide by sqrt(rank) in place of rank.
        init_a: "kaiming" (loralib, PEFT) or "gaussian" (the paper).
    """

    kind: ClassVar[str] = "lora"
    rank_axis: ClassVar[dict[str, int]] = {"A": 0, "B": 1}

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    rslora: bool = False
    init_a: str = "kaiming"

    def __post_init__(self) -> None:
        check_rank(self.rank, self.dropout)
        if self.init_a not in ("kaiming", "gaussian"):
            raise RecipeError(explain(f"init_a={self.init_a!r} is unknown.", "It is kaiming or gaussian."))

    @property
    def scale(self) -> float:
        return self.alpha / (math.sqrt(self.rank) if self.rslora else self.rank)

    def init(self, site: Site, layer: nn.Module, rng: torch.Generator) -> Factors:
        start = {"A": start_a(self.rank, site.in_features, self.init_a, rng)}
        return start | {"B": torch.zeros(site.out_features, self.rank)}

    def forward(self, x: Tensor, layer: nn.Module, f: Factors) -> Tensor:
        return lowrank(x, layer, f["A"], f["B"] * self.scale, self.dropout)

    def lora(self, f: Factors) -> tuple[Tensor, Tensor]:
        return f["A"], f["B"] * self.scale


def start_a(rank: int, width: int, how: str, rng: torch.Generator) -> Tensor:
    """A [rank, width] at the start."""
    if how == "gaussian":
        return torch.randn(rank, width, generator=rng) / rank
    bound = 1 / math.sqrt(width)
    return torch.empty(rank, width).uniform_(-bound, bound, generator=rng)


def check_rank(rank: int, dropout: float) -> None:
    if rank < 1:
        raise RecipeError(explain(f"rank={rank} is too small.", "A method starts with at least 1 direction a site."))
    if not 0 <= dropout < 1:
        raise RecipeError(explain(f"dropout={dropout} is outside its range.", "It is a share: 0 <= dropout < 1."))
