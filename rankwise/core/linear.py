"""The low-rank linear map that every method with factors A and B shares."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


def lowrank(x: Tensor, layer: nn.Module, a: Tensor, b: Tensor, dropout: float = 0.0) -> Tensor:
    """layer(x) + B (A dropout(x)), with every gate and scale inside B.

    x [..., in], a [r, in], b [out, r] -> [..., out]. Dropout acts on the input of A, in training only.
    """
    y: Tensor = layer(x)
    if a.shape[0] == 0:
        return y
    if dropout and layer.training:
        x = F.dropout(x, dropout, training=True)
    return y + F.linear(F.linear(x, a.to(x.dtype)), b.to(x.dtype))
