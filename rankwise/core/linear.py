"""The low-rank linear map that every method with factors A and B shares: y = layer(x) + B (A dropout(x)).

One autograd function. Next to the frozen map's own two products it reads x and dy twice each in thin products,
adds into buffers that are there anyway, and keeps for backward the input, z = A x (r / in of its size) and, with
dropout, one byte a number. Where tokens are many and nothing is to be learnt, W + B A is formed once instead.
Sources: RunLoRA (arXiv:2312.03415) for counting the orders of product; what paid here is in benchmarks/README.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .site import is_conv1d, is_plain

BLOCK = 1 << 20
"""Numbers of x that dropout handles at a time on a CPU: larger temporaries leave the cache (measured)."""

_CAST = "_rankwise_cast"
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def lowrank(x: Tensor, layer: nn.Module, a: Tensor, b: Tensor, dropout: float = 0.0) -> Tensor:
    """layer(x) + B (A dropout(x)), with every gate and scale inside B.

    x [..., in], a [r, in], b [out, r] -> [..., out]. Dropout acts on the input of A, where layer.training says
    training; its mask comes from torch's default generator of x's device. With b == 0 the result equals
    layer(x) in every bit (a zero's sign aside). `layer` is frozen; any layer that is not exactly a torch.nn.Linear
    or Conv1D with a plain weight, and no hooks, is called as it is, and the update is added to what it returns.
    """
    if a.shape[0] == 0:
        y: Tensor = layer(x)
        return y
    p = dropout if layer.training else 0.0
    dtype = _fused_dtype(x, layer)
    if dtype is None:
        return _plain(x, layer, a, b, p)
    weight: Tensor = layer.weight  # type: ignore[assignment]
    bias: Tensor | None = layer.bias  # type: ignore[assignment]
    conv = is_conv1d(layer)
    if torch.is_grad_enabled() and (x.requires_grad or a.requires_grad or b.requires_grad):
        return _LowRank.apply(x, _cast(x, dtype), weight, bias, a, b, p, conv)  # type: ignore[no-any-return, no-untyped-call]
    return _no_grad(x.to(dtype), weight, bias, a.to(dtype), b.to(dtype), p, conv)


def lowrank_group(
    x: Tensor, layers: Sequence[nn.Module], factors: Sequence[tuple[Tensor, Tensor]], dropout: float = 0.0
) -> list[Tensor]:
    """lowrank for several maps that read the same tensor (query, key, value), each with its own (a, b).

    The door for a path that shares products between them; today each map is computed for itself, so results
    equal those of lowrank in every bit. The cast of x under autocast is already shared.
    """
    return [lowrank(x, layer, a, b, dropout) for layer, (a, b) in zip(layers, factors, strict=True)]


def _plain(x: Tensor, layer: nn.Module, a: Tensor, b: Tensor, p: float) -> Tensor:
    """The equation as written, for any layer and any tensor type."""
    y: Tensor = layer(x)
    if p:
        x = F.dropout(x, p, training=True)
    return y + F.linear(F.linear(x, a.to(x.dtype)), b.to(x.dtype))


def _fused_dtype(x: Tensor, layer: nn.Module) -> torch.dtype | None:
    """The dtype to compute in, or None where only layer(x) itself is right."""
    if type(x) not in (Tensor, nn.Parameter) or x.is_meta or not is_plain(layer):
        return None
    weight, bias = layer.weight, layer.bias
    if bias is None and is_conv1d(layer):
        return None
    for tensor in (weight, bias):
        if tensor is not None and (type(tensor) not in (Tensor, nn.Parameter) or tensor.requires_grad):
            return None  # sharded, quantised, or trained itself
    if any(getattr(layer, hooks) for hooks in _HOOKS) or "forward" in layer.__dict__:
        return None  # hooks would be passed over
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return None
    device = x.device.type
    if not torch.is_autocast_enabled(device):
        return x.dtype if x.dtype == weight.dtype else None
    if torch.float64 in (x.dtype, weight.dtype):
        return None  # autocast leaves float64 alone
    return torch.get_autocast_dtype(device)


def _cast(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x.to(dtype) without a graph, shared between the maps that read the same x.

    Autocast would cast x once a map and keep every copy for backward. The copy is held by x itself, so it goes
    when x goes.
    """
    if x.dtype == dtype or x.is_leaf:  # a leaf may live for long, and would hold its copy as long
        return x.detach().to(dtype)
    version = x._version
    known = getattr(x, _CAST, None)
    if known is not None and known[0] == version and known[1].dtype == dtype:
        return known[1]  # type: ignore[no-any-return]
    cast = x.detach().to(dtype)
    setattr(x, _CAST, (version, cast))
    return cast


def _map(x: Tensor, weight: Tensor, bias: Tensor | None, conv: bool) -> Tensor:
    """The frozen map by the very product that the layer calls, so that the bits agree; contiguous."""
    if conv:
        flat = torch.addmm(cast(Tensor, bias), x.view(-1, x.shape[-1]), weight)
        return flat.view(*x.shape[:-1], weight.shape[1])
    return F.linear(x, weight, bias).contiguous()


def _no_grad(x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, p: float, conv: bool) -> Tensor:
    """Forward alone. Folding costs r * in * out, the thin products tokens * r * (in + out).

    Not below float32: there W + B A would lose small updates to rounding.
    """
    weight, bias = weight.to(x.dtype), None if bias is None else bias.to(x.dtype)
    wide = x.dtype in (torch.float32, torch.float64)
    if not p and wide and x.numel() // max(x.shape[-1], 1) * sum(weight.shape) > weight.numel():
        folded = torch.addmm(weight, a.t(), b.t()) if conv else torch.addmm(weight, b, a)
        return _map(x, folded, bias, conv)
    flat = x.reshape(-1, x.shape[-1])
    y = _map(x, weight, bias, conv)
    z, _ = _down(flat, a, p)
    y.view(-1, y.shape[-1]).addmm_(z.t(), b.t())
    return y


def _mask(x: Tensor, p: float) -> Tensor:
    """[n, in] uint8, 1 with probability 1 - p: which numbers dropout keeps.

    On a CPU one random byte decides a number, where bernoulli_ costs 12 times as much. A byte is compared with
    256 p rounded down or up, drawn for each row so that the probability is p exactly.
    """
    if x.device.type != "cpu" or p * 256 >= 255:
        return torch.empty(x.shape, dtype=torch.uint8, device=x.device).bernoulli_(1 - p)
    words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    mask = words.view(torch.uint8)[: x.numel()].view(x.shape)
    low = int(p * 256)
    limit = (torch.rand(len(x), 1) < p * 256 - low).to(torch.uint8).add_(low)
    return mask.ge_(limit)


def _blocks(x: Tensor) -> list[slice]:
    """Rows of x in parts of about BLOCK numbers; one part on an accelerator."""
    step = len(x) if x.device.type != "cpu" else max(1, BLOCK // max(x.shape[1], 1))
    return [slice(start, start + step) for start in range(0, max(len(x), 1), max(step, 1))]


def _down(x: Tensor, a: Tensor, p: float) -> tuple[Tensor, Tensor | None]:
    """z = A dropout(x)^T [r, n] and the mask; the dropped x exists one block at a time.

    [r, n], not [n, r]: MKL takes up to half the time for thin products with the long side last.
    """
    if not p:
        return a @ x.t(), None
    mask = _mask(x, p)
    a = a / (1 - p)
    parts = [a @ mask[rows].to(x.dtype).mul_(x[rows]).t() for rows in _blocks(x)]
    return torch.cat(parts, 1) if len(parts) > 1 else parts[0], mask


class _LowRank(torch.autograd.Function):
    """y = x W^T + bias + z^T B^T, z = A dropout(x)^T. x [..., in] in any dtype, xc the same in the compute dtype."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        xc: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        a: Tensor,
        b: Tensor,
        p: float,
        conv: bool,
    ) -> Tensor:
        dtype = xc.dtype
        weight, bias = weight.to(dtype), None if bias is None else bias.to(dtype)
        ac, bc = a.to(dtype), b.to(dtype)
        y = _map(xc, weight, bias, conv)
        z, mask = _down(xc.reshape(-1, xc.shape[-1]), ac, p)
        y.view(-1, y.shape[-1]).addmm_(z.t(), bc.t())
        ctx.save_for_backward(xc, weight, ac, bc, z, mask)
        ctx.p, ctx.conv, ctx.dtypes = p, conv, (x.dtype, a.dtype, b.dtype)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_autocast_enabled(dy.device.type):
            with torch.autocast(dy.device.type, enabled=False):
                return _backward(ctx, dy)
        return _backward(ctx, dy)


def _backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    """dz = B^T dy^T [r, n]; dx = dy W + mask * (dz^T A); dA = dz dropout(x); dB = (z dy)^T, each where it is needed."""
    x, weight, a, b, z, mask = ctx.saved_tensors
    need_x, need_a, need_b = (ctx.needs_input_grad[i] for i in (0, 4, 5))
    flat, dy = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    dx = da = db = None
    if need_b:
        db = (z @ dy).t()  # this way round: a quarter of the time
    if need_x:
        dx = dy @ (weight.t() if ctx.conv else weight)
    if need_x or need_a:
        dz = b.t().contiguous() @ dy.t()
        if mask is None:
            da = dz @ flat if need_a else None
            if dx is not None:
                dx.addmm_(dz.t(), a)
        else:
            da = _backward_dropped(dz, flat, a / (1 - ctx.p), mask, dx, need_a)
            if da is not None:
                da.div_(1 - ctx.p)
    dx = None if dx is None else dx.view(x.shape)
    grads = [None if g is None else g.to(d) for g, d in zip((dx, da, db), ctx.dtypes, strict=True)]
    return grads[0], None, None, None, grads[1], grads[2], None, None


def _backward_dropped(dz: Tensor, x: Tensor, a: Tensor, mask: Tensor, dx: Tensor | None, need_a: bool) -> Tensor | None:
    """dx += mask * (dz^T A) in place; returns dz (mask * x), both block by block."""
    da = torch.zeros_like(a) if need_a else None
    for rows in _blocks(x):
        kept = mask[rows].to(x.dtype)
        if dx is not None:
            dx[rows].addcmul_(dz[:, rows].t() @ a, kept)
        if da is not None:
            da.addmm_(dz[:, rows], kept.mul_(x[rows]))
    return da
