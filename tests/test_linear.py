"""The fused low-rank linear against the equation written out, in values, gradients and bits."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from transformers.pytorch_utils import Conv1D

from rankwise.core import linear
from rankwise.core.linear import lowrank, lowrank_group

SHAPES = [(12,), (7, 12), (2, 3, 12), (2, 3, 4, 12), (0, 12), (300, 12)]
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64]


def frozen(kind: type[nn.Module] = nn.Linear, dtype: torch.dtype = torch.float64, bias: bool = True) -> nn.Module:
    torch.manual_seed(3)
    layer = Conv1D(20, 12) if kind is Conv1D else nn.Linear(12, 20, bias=bias)
    return layer.to(dtype).requires_grad_(False)


def leaves(shape: tuple[int, ...], dtype: torch.dtype = torch.float64, rank: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(4)
    sizes = shape, (rank, 12), (20, rank)
    return tuple(torch.randn(s, dtype=torch.float64).to(dtype).requires_grad_() for s in sizes)  # type: ignore[return-value]


def written_out(x: Tensor, layer: nn.Module, a: Tensor, b: Tensor) -> Tensor:
    """W x + bias + B (A x), the paper's equation 3, each product by itself."""
    weight = layer.weight.T if isinstance(layer, Conv1D) else layer.weight
    bias = 0 if layer.bias is None else layer.bias
    return x @ weight.T + bias + (x @ a.T) @ b.T


def fused(x: Tensor, layer: nn.Module, a: Tensor, b: Tensor, p: float = 0.0) -> Tensor:
    """lowrank, and a proof that the autograd function did it."""
    y = lowrank(x, layer, a, b, p)
    assert type(y.grad_fn).__name__ == "_LowRankBackward"
    return y


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [nn.Linear, Conv1D])
def test_values_and_gradients_equal_the_equation(kind: type[nn.Module], shape: tuple[int, ...]) -> None:
    layer, factors = frozen(kind), leaves(shape if kind is nn.Linear else (1, *shape))  # Conv1D takes no vector
    ours, theirs = fused(factors[0], layer, *factors[1:]), written_out(factors[0], layer, *factors[1:])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    dy = torch.randn_like(ours)
    for one, other in zip(
        torch.autograd.grad(ours, factors, dy), torch.autograd.grad(theirs, factors, dy), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.integers(1, 4), st.tuples(st.booleans(), st.booleans(), st.booleans()), st.booleans())
def test_only_what_is_asked_for_gets_a_gradient(n: int, rank: int, asked: tuple[bool, ...], bias: bool) -> None:
    layer = frozen(bias=bias)
    x, a, b = (t.detach().requires_grad_(r) for t, r in zip(leaves((n, 12), rank=rank), asked, strict=True))
    y = lowrank(x, layer, a, b)
    torch.testing.assert_close(y, written_out(x, layer, a, b), rtol=0, atol=1e-12)
    assert y.requires_grad == any(asked)
    if any(asked):
        y.sum().backward()
    assert [t.grad is not None for t in (x, a, b)] == list(asked)


def test_gradcheck_with_and_without_dropout() -> None:
    layer, factors = frozen(), leaves((2, 4, 12))

    def dropped(*t: Tensor) -> Tensor:
        torch.manual_seed(9)  # the same mask at every call
        return fused(t[0], layer, t[1], t[2], 0.4)

    assert torch.autograd.gradcheck(lambda *t: fused(t[0], layer, t[1], t[2]), factors)
    assert torch.autograd.gradcheck(dropped, factors)


@pytest.mark.parametrize("kind", [nn.Linear, Conv1D])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("p", [0.0, 0.3])
def test_a_zero_b_leaves_every_bit(kind: type[nn.Module], dtype: torch.dtype, grad: bool, p: float) -> None:
    layer = frozen(kind, dtype)
    for shape in SHAPES[kind is Conv1D :]:  # also below and above the number of tokens where W + B A is formed
        x, a, b = leaves(shape, dtype)
        with torch.set_grad_enabled(grad):
            assert torch.equal(lowrank(x, layer, a, torch.zeros_like(b), p), layer(x))
    if kind is Conv1D:
        return  # it views its input, and so takes no other strides
    wide = torch.randn(5, 12, 6, dtype=torch.float64).to(dtype).mT  # not contiguous
    with torch.set_grad_enabled(grad):
        assert torch.equal(lowrank(wide, layer, a, torch.zeros_like(b), p), layer(wide))


@pytest.mark.parametrize("kind", [nn.Linear, Conv1D])
def test_a_zero_b_leaves_every_bit_under_autocast(kind: type[nn.Module]) -> None:
    layer, (x, a, b) = frozen(kind, torch.float32), leaves((40, 12), torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y = fused(x, layer, a, torch.zeros_like(b))
        assert torch.equal(y, layer(x))
        assert y.dtype == torch.bfloat16
        with torch.no_grad():
            assert torch.equal(lowrank(x, layer, a, torch.zeros_like(b)), layer(x))


def test_autocast_computes_in_bf16_and_gives_gradients_in_each_tensors_own_dtype() -> None:
    layer, (x, a, b) = frozen(dtype=torch.float32), leaves((40, 12), torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y = fused(x, layer, a, b)
        y.float().square().sum().backward()
    exact = [t.detach().double().requires_grad_() for t in (x, a, b)]
    written_out(exact[0], copy.deepcopy(layer).double(), *exact[1:]).square().sum().backward()
    for one, other in zip((x, a, b), exact, strict=True):
        assert one.grad.dtype == torch.float32
        assert (one.grad - other.grad).norm() < 0.01 * other.grad.norm()  # bf16 has 8 bits: 0.4 % a rounding


def test_backward_inside_autocast_keeps_the_precision_of_forward() -> None:
    layer, factors = frozen(dtype=torch.float32), leaves((40, 12), torch.float32)
    outside = torch.autograd.grad(fused(factors[0], layer, *factors[1:]).sum(), factors)
    y = fused(factors[0], layer, *factors[1:])
    with torch.autocast("cpu", torch.bfloat16):
        inside = torch.autograd.grad(y.sum(), factors)
    assert all(torch.equal(one, other) for one, other in zip(outside, inside, strict=True))


def test_maps_that_read_one_tensor_share_its_cast_until_it_changes() -> None:
    layer, (x, a, b) = frozen(dtype=torch.float32), leaves((40, 12), torch.float32)
    hidden = x * 1
    with torch.autocast("cpu", torch.bfloat16):
        one, two = fused(hidden, layer, a, b), fused(hidden, layer, a, b)
        assert one.grad_fn.saved_tensors[0].data_ptr() == two.grad_fn.saved_tensors[0].data_ptr()
        hidden = hidden.add_(1)
        assert torch.equal(fused(hidden, layer, a, b), fused(x + 1, layer, a, b))
        assert torch.equal(one, fused(x * 1, layer, a, b))


def test_float64_under_autocast_is_left_alone_as_torch_does() -> None:
    layer, (x, a, b) = frozen(), leaves((4, 12))
    with torch.autocast("cpu", torch.bfloat16):
        assert lowrank(x, layer, a, b).dtype == layer(x).dtype == torch.float64


def test_factors_in_float32_on_a_bf16_host_get_float32_gradients() -> None:
    layer, (x, _, _), (_, a, b) = frozen(dtype=torch.bfloat16), leaves((9, 12), torch.bfloat16), leaves((9, 12))
    a, b = a.detach().float().requires_grad_(), b.detach().float().requires_grad_()
    y = fused(x, layer, a, b)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype, a.grad.dtype, b.grad.dtype) == (*[torch.bfloat16] * 2, *[torch.float32] * 2)


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("bf16", [True, False])
def test_gradient_checkpointing_gives_the_same_gradients(reentrant: bool, bf16: bool) -> None:
    layer = frozen(dtype=torch.float32)

    def gradients(through: bool) -> list[Tensor]:
        x, a, b = leaves((40, 12), torch.float32)
        torch.manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):

            def twice(h: Tensor) -> Tensor:  # the same h twice, with dropout, as query and key do
                h = h * 1
                return lowrank(h, layer, a, b, 0.2) * lowrank(h, layer, a, b, 0.2)

            y = checkpoint(twice, x, use_reentrant=reentrant) if through else twice(x)
        y.float().sum().backward()
        return [x.grad, a.grad, b.grad]

    for one, other in zip(gradients(True), gradients(False), strict=True):
        assert torch.equal(one, other)


def recovered(x: Tensor, p: float, seed: int = 0) -> Tensor:
    """What dropout made of x, read off through A = identity, B = identity and W = 0."""
    size = x.shape[1]
    layer = nn.Linear(size, size, bias=False).to(x.dtype).requires_grad_(False)
    layer.weight.zero_()
    eye = torch.eye(size, dtype=x.dtype, requires_grad=True)
    torch.manual_seed(seed)
    return fused(x, layer, eye, eye, p)


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9, 0.003, 0.999])
def test_dropout_keeps_a_share_of_1_minus_p_and_scales_it(p: float) -> None:
    n = 2000 * 50
    y = recovered(torch.ones(2000, 50, dtype=torch.float64), p)
    kept = y != 0
    assert torch.allclose(y[kept], torch.tensor(1 / (1 - p), dtype=torch.float64))
    assert abs(kept.sum().item() - n * (1 - p)) < 4.5 * math.sqrt(n * p * (1 - p))  # 4.5 sigma of a binomial
    by_column = kept.double().mean(0)
    assert (by_column - (1 - p)).abs().max() < 5 * math.sqrt(p * (1 - p) / 2000)


def test_neighbours_are_dropped_independently() -> None:
    kept = (recovered(torch.ones(4000, 50), 0.1) != 0).double() - 0.9
    for pair in (kept[:, 1:] * kept[:, :-1], kept[1:] * kept[:-1], kept[:, 8:] * kept[:, :-8]):
        assert abs(pair.mean() / 0.09) < 5 / math.sqrt(pair.numel())  # correlation 0, at 5 sigma


def test_backward_uses_the_mask_of_forward_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """With x the mask shows in y; dx and dA of the same call must show it too."""
    monkeypatch.setattr(linear, "BLOCK", 12 * 7)  # 7 rows a block, the last one short
    layer, (x, a, b) = frozen(), leaves((40, 12))
    mask = recovered(torch.ones_like(x), 0.3, seed=5).detach()
    torch.manual_seed(5)
    ours = fused(x, layer, a, b, 0.3)
    theirs = layer(x) + F.linear(F.linear(x * mask, a), b)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    dy = torch.randn_like(ours)
    for one, other in zip(
        torch.autograd.grad(ours, (x, a, b), dy), torch.autograd.grad(theirs, (x, a, b), dy), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_torchs_generator_decides_the_mask_and_eval_switches_it_off() -> None:
    layer, (x, a, b) = frozen(), leaves((40, 12))
    state = torch.get_rng_state()
    first = fused(x, layer, a, b, 0.25)
    assert not torch.equal(fused(x, layer, a, b, 0.25), first)
    torch.set_rng_state(state)
    assert torch.equal(fused(x, layer, a, b, 0.25), first)
    layer.eval()
    assert torch.equal(fused(x, layer, a, b, 0.25), fused(x, layer, a, b))


def test_rank_0_is_the_layer_itself() -> None:
    layer, (x, a, b) = frozen(), leaves((4, 12), rank=0)
    assert torch.equal(lowrank(x, layer, a, b, 0.5), layer(x))


@pytest.mark.parametrize("tokens", [3, 300])
def test_without_gradients_the_result_is_the_same(tokens: int) -> None:
    """3 tokens go through A and B, 300 through W + B A."""
    for kind in (nn.Linear, Conv1D):
        layer, (x, a, b) = frozen(kind), leaves((tokens, 12))
        with torch.no_grad():
            torch.testing.assert_close(lowrank(x, layer, a, b), written_out(x, layer, a, b), rtol=0, atol=1e-12)


def test_without_gradients_bf16_does_not_lose_a_small_update() -> None:
    """W = 1, B A = 2^-10: W + B A rounds to 1 in bf16, but 1024 of them make 1 where x = 1."""
    layer = nn.Linear(1024, 1, bias=False).bfloat16().requires_grad_(False)
    layer.weight.fill_(1)
    layer.weight[:, 512:] = -1  # the layer itself gives 0
    a, b = torch.full((1, 1024), 2**-10).bfloat16(), torch.ones(1, 1).bfloat16()
    with torch.no_grad():
        assert lowrank(torch.ones(4096, 1024).bfloat16(), layer, a, b).unique().tolist() == [1.0]


class Odd(nn.Linear):
    """A linear map of its own kind: its forward is not the product of its weight."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * 2


def test_other_layers_are_called_as_they_are() -> None:
    x, a, b = leaves((4, 12))
    update = F.linear(F.linear(x, a), b)
    odd, trained, hooked, patched = Odd(12, 20).double(), frozen(), frozen(), frozen()
    odd.requires_grad_(False)
    trained.weight.requires_grad_()
    calls = []
    hooked.register_forward_hook(lambda *args: calls.append(1))
    patched.forward = lambda x: F.linear(x, patched.weight) * 3  # accelerate swaps forward in the instance
    for layer in (odd, trained, hooked, patched):
        torch.testing.assert_close(lowrank(x, layer, a, b), layer(x) + update, rtol=0, atol=0)
    assert len(calls) == 2
    lowrank(x, trained, a, b).sum().backward()
    assert trained.weight.grad is not None


def test_meta_tensors_give_shapes() -> None:
    layer = nn.Linear(12, 20, device="meta").requires_grad_(False)
    a, b = torch.empty(3, 12, device="meta", requires_grad=True), torch.empty(20, 3, device="meta")
    assert lowrank(torch.empty(2, 5, 12, device="meta"), layer, a, b, 0.1).shape == (2, 5, 20)


def test_nothing_is_left_on_the_layer_and_a_wrong_dtype_is_torchs_own_error() -> None:
    layer, (x, a, b) = frozen(dtype=torch.float32), leaves((4, 12), torch.float32)
    before = set(layer.__dict__), list(layer.state_dict()), set(layer.weight.__dict__)
    with torch.autocast("cpu", torch.bfloat16):
        fused(x, layer, a, b, 0.1).sum().backward()
    assert (set(layer.__dict__), list(layer.state_dict()), set(layer.weight.__dict__)) == before
    assert torch.equal(copy.deepcopy(layer).weight, layer.weight)
    with pytest.raises(RuntimeError, match="dtype"):
        lowrank(x.double(), layer, a, b)


def test_inputs_and_weights_changed_before_backward_are_noticed() -> None:
    layer, (x, a, b) = frozen(), leaves((4, 12))
    y = fused(x, layer, a, b)
    with torch.no_grad():
        layer.weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_second_derivative_is_refused_not_wrong() -> None:
    layer, (x, a, b) = frozen(), leaves((4, 12))
    (dx,) = torch.autograd.grad(fused(x, layer, a, b).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dx.sum().backward()


def test_a_group_equals_its_members_in_every_bit() -> None:
    (x, a, b), layers = leaves((2, 5, 12)), [frozen(), frozen(bias=False)]
    together = lowrank_group(x, layers, [(a, b), (a * 2, b)])
    for y, layer, factor in zip(together, layers, (1, 2), strict=True):
        assert torch.equal(y, lowrank(x, layer, a * factor, b))
