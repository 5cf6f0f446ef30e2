"""LoRA as the paper prints it: h = W0 x + dW x = W0 x + B A x, dW scaled by alpha / r (section 4.1, eq. 3).

Column vectors, one at a time, as in the paper; A starts random and Gaussian, B at zero. Written from the
equation alone.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Equation3:
    """W0 [d, k] frozen; B [d, r] and A [r, k] train. `scale` is alpha / r."""

    def __init__(self, w0: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float) -> None:
        self.w0, self.bias = w0.detach().clone(), None if bias is None else bias.detach().clone()
        self.a, self.b = a.detach().clone().requires_grad_(), b.detach().clone().requires_grad_()
        self.scale = scale

    def __call__(self, rows: Tensor) -> Tensor:
        """rows [n, k] -> [n, d]."""
        return torch.stack([self.one(x) for x in rows])

    def one(self, x: Tensor) -> Tensor:
        delta_w = self.scale * (self.b @ self.a)
        h = self.w0 @ x + delta_w @ x
        return h if self.bias is None else h + self.bias
