"""Plain low-rank factors, and the singular value decomposition of their product without building it.

B A = Q_B (R_B R_A^T) Q_A^T with Q from two QR decompositions, and an SVD of the r x r core in the middle:
O((in + out) r^2) a site, never an out-by-in matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from .adapter import Adapter
from .linear import lowrank
from .method import Method
from .site import Factors, Site


@dataclass(frozen=True)
class Plain(Method):
    """y = W x + B (A x): what cutting and combining give, every gate and scale inside B.

    Factors of one site: A [r, in], B [out, r]; r differs from site to site. It trains like LoRA with alpha = rank.

    Args:
        rank: the largest rank of a site; directions a site when started anew, >= 1.
        dropout: on the input of A, in training.
    """

    kind: ClassVar[str] = "plain"
    rank_axis: ClassVar[dict[str, int]] = {"A": 0, "B": 1}

    rank: int = 8
    dropout: float = 0.0

    def init(self, site: Site, layer: nn.Module, rng: torch.Generator) -> Factors:
        bound = site.in_features**-0.5
        a = torch.empty(self.rank, site.in_features).uniform_(-bound, bound, generator=rng)
        return {"A": a, "B": torch.zeros(site.out_features, self.rank)}

    def forward(self, x: Tensor, layer: nn.Module, f: Factors) -> Tensor:
        return lowrank(x, layer, f["A"], f["B"], self.dropout)

    def lora(self, f: Factors) -> tuple[Tensor, Tensor]:
        return f["A"], f["B"]


@dataclass(frozen=True)
class Product:
    """B A of one site as U diag(values) V^T: left [out, k], values [k] falling, right [in, k]; float64.

    Directions lost in rounding are left out, so k is the numerical rank.
    """

    left: Tensor
    values: Tensor
    right: Tensor
    dtype: torch.dtype

    def factors(self, k: int) -> Factors:
        """The k strongest directions, sqrt(value) on either side so that A and B have one size."""
        root = self.values[:k].sqrt()
        a = (self.right[:, :k] * root).T.contiguous()
        return {"A": a.to(self.dtype), "B": (self.left[:, :k] * root).to(self.dtype)}


def decompose(a: Tensor, b: Tensor, dtype: torch.dtype | None = None) -> Product:
    """The singular value decomposition of b a, for a [r, in] and b [out, r]."""
    dtype = dtype or torch.promote_types(a.dtype, b.dtype)
    q_b, r_b = torch.linalg.qr(b.detach().double())
    q_a, r_a = torch.linalg.qr(a.detach().double().T)
    u, values, vt = torch.linalg.svd(r_b @ r_a.T, full_matrices=False)
    # Below the rounding of the result's dtype, or of this computation (terms of a sum that cancel), nothing is known.
    lost = 8 * torch.finfo(torch.float64).eps * torch.linalg.matrix_norm(r_b) * torch.linalg.matrix_norm(r_a)
    k = int((values > torch.clamp(torch.finfo(dtype).eps * values[:1], min=lost)).sum())
    return Product(q_b @ u[:, :k], values[:k], q_a @ vt[:k].T, dtype)


def plain_for(given: Sequence[Adapter], factors: Mapping[str, Factors]) -> Plain:
    """The method of an adapter made of `given` with these factors."""
    rank = max((len(f["A"]) for f in factors.values()), default=1)
    return Plain(rank=rank, dropout=max(float(getattr(a.method, "dropout", 0.0)) for a in given))
