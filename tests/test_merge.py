"""Merging into the weights and out again: bits, whole parameters, tied weights, refusals."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import nn

import rankwise as rw
from rankwise.errors import AttachError, NotFoldable, WrongBase
from tests import tiny

LORA = rw.methods.LoRA(rank=2, alpha=4.0)


def made(model, targets="all-linear", **options):
    return tiny.shaken(rw.new(model, LORA, targets, **options))


def test_w_plus_b_a_by_hand():
    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    model[0].weight.data = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    adapter = rw.new(model, rw.methods.LoRA(rank=1, alpha=2.0), ["0"])
    adapter = adapter.map(lambda f: {"A": torch.tensor([[1.0, -1.0]]), "B": torch.tensor([[1.0], [10.0]])})
    rw.merge(model, adapter)
    assert model[0].weight.tolist() == [[3.0, 0.0], [23.0, -16.0]]  # 2 * [[1, -1], [10, -10]] is added


def test_a_small_update_is_not_lost_before_the_one_rounding():
    # in bfloat16 1 + 2^-9 rounds to 1: two directions of 2^-9 each must be summed before rounding, not after
    model = nn.Sequential(nn.Linear(2, 2, bias=False)).to(torch.bfloat16)
    nn.init.ones_(model[0].weight)
    adapter = rw.new(model, rw.methods.LoRA(rank=2, alpha=2.0), ["0"])
    adapter = adapter.map(lambda f: {"A": torch.ones(2, 2), "B": torch.full((2, 2), 2.0**-8)})
    rw.merge(model, adapter)
    assert model[0].weight.tolist() == [[1 + 2**-7] * 2] * 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_hundred_times_in_and_out_leaves_every_bit(dtype):
    model = tiny.plain(dtype)
    adapter = made(model, whole=["body.2.bias"])
    before = {n: (t.clone(), id(t)) for n, t in model.named_parameters()}
    for _ in range(100):
        rw.unmerge(rw.merge(model, adapter))
    assert {n: id(t) for n, t in model.named_parameters()} == {n: i for n, (_, i) in before.items()}
    assert all(torch.equal(t, before[n][0]) for n, t in model.named_parameters())


@pytest.mark.parametrize("family", tiny.SIX)
def test_what_is_trained_whole_is_put_in_and_taken_out(family):
    model, batch = tiny.host(family), tiny.batch(family)
    base = tiny.logits(model, batch)
    whole = {"gpt2": ["wte", "ln_f"], "t5": ["shared"], "bart": ["shared", "final_layer_norm"]}
    adapter = tiny.shaken(rw.new(model, LORA, tiny.TARGETS[family], whole=whole.get(family, ["classifier"])), size=0.1)
    with rw.attached(model, adapter):
        attached = tiny.logits(model, batch)
    rw.merge(model, adapter)
    torch.testing.assert_close(tiny.logits(model, batch), attached, rtol=1e-5, atol=1e-5)
    rw.unmerge(model)
    torch.testing.assert_close(tiny.logits(model, batch), base, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("family", "embedding"), [("gpt2", "transformer.wte"), ("t5", "shared"), ("bart", "model.shared")]
)
def test_tied_weights_trained_whole_stay_tied_and_a_merged_map_leaves_its_twin(family, embedding):
    model = tiny.host(family)
    old = model.get_submodule(embedding).weight
    rw.merge(model, made(model, tiny.TARGETS[family], whole=[embedding]))
    assert model.lm_head.weight is model.get_submodule(embedding).weight
    assert model.lm_head.weight is not old
    rw.unmerge(model)
    assert model.lm_head.weight is model.get_submodule(embedding).weight is old
    rw.merge(model, made(model, ["lm_head"]))  # an update of the output alone
    assert model.get_submodule(embedding).weight is old
    assert model.lm_head.weight is not old
    rw.unmerge(model)
    assert model.lm_head.weight is old


def test_merging_keeps_the_flags():
    model = tiny.plain()
    model.body[0].weight.requires_grad_(False)
    rw.merge(model, made(model))
    assert not model.body[0].weight.requires_grad
    assert model.body[2].weight.requires_grad
    assert model.body[0].weight.is_leaf


def test_unmerging_follows_a_model_that_was_cast_meanwhile():
    model = tiny.plain()
    want = tiny.plain(torch.bfloat16).state_dict()
    rw.merge(model, made(model, whole=["body.0.bias"]))
    model.to(torch.bfloat16)
    rw.unmerge(model)
    assert {t.dtype for t in model.state_dict().values()} == {torch.bfloat16}
    assert all(torch.equal(t, want[n]) for n, t in model.state_dict().items())


def test_a_merged_model_has_the_layout_it_had():
    model = tiny.host("gpt2")
    before = {n: (tuple(t.shape), t.stride(), t.dtype) for n, t in model.state_dict().items()}
    rw.merge(model, made(model))
    assert {n: (tuple(t.shape), t.stride(), t.dtype) for n, t in model.state_dict().items()} == before


def test_a_map_that_is_not_plain_is_refused_and_runs_unmerged():
    class Quantised(nn.Linear):
        """Stands for a map whose forward is not x W^T + b."""

    model = nn.Sequential(nn.Linear(6, 6), Quantised(6, 6)).eval()
    adapter, (x, _) = made(model), tiny.points()
    with rw.attached(model, adapter), torch.no_grad():
        model(x)
    before = model[0].weight
    with pytest.raises(NotFoldable) as caught:
        rw.merge(model, adapter)
    assert str(caught.value) == (
        "1 is a Quantised: its weight cannot take W + B A exactly.\n"
        "  Merging needs nn.Linear or Conv1D in a floating dtype.\n"
        "  It runs unmerged: attach(model, adapter)"
    )
    assert caught.value.site == "1"
    assert model[0].weight is before  # nothing was merged by halves
    rw.attach(model, adapter)


def test_a_method_without_a_folded_form_changes_nothing_when_it_is_refused():
    @dataclass(frozen=True)
    class Bent(rw.Method):
        """y = W x + tanh(x)."""

        kind = "bent"

        def init(self, site, layer, rng):
            return {"one": torch.ones(1)}

        def forward(self, x, layer, f):
            return layer(x) + f["one"] * torch.tanh(x)

    model, (x, _) = tiny.plain(), tiny.points()
    adapter = rw.new(model, Bent(), ["body.0"], whole=["body.2.bias"])
    state = {n: id(t) for n, t in model.named_parameters()}
    with rw.attached(model, adapter), torch.no_grad():
        model(x)
    with pytest.raises(NotFoldable, match="method 'bent' has no form W"):
        rw.merge(model, adapter)
    assert {n: id(t) for n, t in model.named_parameters()} == state
    rw.attach(model, adapter)


def test_merging_twice_or_out_of_turn_says_what_to_do():
    model = tiny.plain()
    adapter = made(model)
    with pytest.raises(AttachError, match=r"nothing is merged into this model.\n  To merge: merge\(model, adapter\)"):
        rw.unmerge(model)
    rw.merge(model, adapter)
    with pytest.raises(AttachError, match=r"merged into this model already.\n  To take it out: unmerge\(model\)"):
        rw.merge(model, adapter)
    rw.unmerge(model)
    with (
        rw.attached(model, adapter),
        pytest.raises(AttachError, match=r"is attached to this model.\n  To take it off first: detach\(model\)"),
    ):
        rw.merge(model, adapter)


def test_an_adapter_on_a_merged_host_must_come_off_first():
    # unmerging under it would put old parameters in the place of those that train
    model = tiny.plain()
    rw.merge(model, made(model, whole=["body.2.bias"]))
    second = made(model, whole=["body.2.bias"])
    with rw.attached(model, second):
        with pytest.raises(AttachError, match=r"is attached to this model.\n  To take it off first: detach\(model\)"):
            rw.unmerge(model)
        assert torch.equal(model.body[2].bias, second.whole["body.2.bias"])
    rw.unmerge(model)


def test_an_adapter_for_another_base_is_refused_before_anything_changes():
    model = tiny.plain()
    adapter = made(nn.Sequential(nn.Linear(6, 6)))
    state = {n: id(t) for n, t in model.named_parameters()}
    with pytest.raises(WrongBase, match="it has no linear map '0'"):
        rw.merge(model, adapter)
    assert {n: id(t) for n, t in model.named_parameters()} == state
    with pytest.raises(AttachError):
        rw.unmerge(model)
