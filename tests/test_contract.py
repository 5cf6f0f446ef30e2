"""What every registered method owes, on six architectures. A new method is covered once it is registered."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

import rankwise as rw
from rankwise.core.site import linear_maps, oriented
from tests import tiny

EVERY = list(rw.METHODS)
HALVES = [torch.float16, torch.bfloat16]

every_method = pytest.mark.parametrize("kind", EVERY)
every_family = pytest.mark.parametrize("family", tiny.SIX)


def fresh(kind, model, targets="all-linear", **settings):
    return rw.new(model, tiny.small(rw.METHODS[kind]), targets, **settings)


def folds(kind, adapter):
    try:
        adapter.method.lora(next(iter(adapter.factors.values())))
    except rw.RankwiseError:
        return False
    return True


def half_shut(adapter):
    """Every second gate at exact zero; methods without gates stay as they are."""
    return adapter.map(lambda f: f | {"gate": f["gate"] * (torch.arange(len(f["gate"])) % 2)} if "gate" in f else f)


@every_method
@every_family
def test_a_new_adapter_leaves_the_outputs_bit_equal(family, kind):
    model, rows = tiny.host(family), tiny.batch(family)
    before = tiny.logits(model, rows)
    rw.attach(model, fresh(kind, model))
    torch.testing.assert_close(tiny.logits(model, rows), before, rtol=0, atol=0)
    learning = model(**rows).logits  # with gradients: another path through the low-rank map
    assert learning.requires_grad
    torch.testing.assert_close(learning.detach(), before, rtol=0, atol=0)


@every_method
@pytest.mark.parametrize("dtype", HALVES)
def test_a_new_adapter_leaves_the_outputs_bit_equal_in_half_types(dtype, kind):
    model, rows = tiny.host("bert", dtype), tiny.batch("bert")
    before = tiny.logits(model, rows)
    rw.attach(model, fresh(kind, model))
    torch.testing.assert_close(tiny.logits(model, rows), before, rtol=0, atol=0)


@every_method
@every_family
def test_a_trained_adapter_changes_the_outputs_and_detaching_undoes_it(family, kind):
    model, rows = tiny.host(family), tiny.batch(family)
    before = tiny.logits(model, rows)
    with rw.attached(model, tiny.shaken(fresh(kind, model))):
        assert (tiny.logits(model, rows) - before).abs().max() > 0.01
    torch.testing.assert_close(tiny.logits(model, rows), before, rtol=0, atol=0)


@every_method
@every_family
def test_detach_gives_back_modules_parameters_names_and_flags(family, kind):
    model = tiny.host(family)
    for i, parameter in enumerate(model.parameters()):
        parameter.requires_grad_(i % 3 > 0)  # a mixture, to be found again

    def state():
        parts = [(n, id(m), m.training) for n, m in model.named_modules(remove_duplicate=False)]
        numbers = [(n, id(p), p.requires_grad) for n, p in model.named_parameters(remove_duplicate=False)]
        return parts, numbers, list(model.state_dict())

    before = state()
    given = tiny.shaken(fresh(kind, model, whole=["LayerNorm", "bias"] if family == "bert" else ()))
    taken = rw.detach(rw.attach(model, given))
    assert state() == before
    assert taken.equal(given)
    assert [n for n in vars(model) if "rankwise" in n] == []


@every_method
@every_family
def test_merged_equals_attached(family, kind):
    model, rows = tiny.host(family), tiny.batch(family)
    adapter = tiny.shaken(fresh(kind, model), size=0.1)
    if not folds(kind, adapter):
        with pytest.raises(rw.RankwiseError):
            rw.merge(model, adapter)
        return
    with rw.attached(model, adapter):
        attached = tiny.logits(model, rows)
    merged = tiny.logits(rw.merge(model, adapter), rows)
    torch.testing.assert_close(merged, attached, rtol=1e-5, atol=1e-5)


@every_method
@every_family
@pytest.mark.parametrize("dtype", HALVES)
def test_merging_into_half_types_costs_one_rounding_of_the_weight(family, kind, dtype):
    model = tiny.host(family, dtype)
    adapter = tiny.shaken(fresh(kind, model))
    if not folds(kind, adapter):
        pytest.skip("does not fold")
    maps = linear_maps(model)
    exact = {}
    for name, factors in adapter.factors.items():
        a, b = adapter.method.lora({n: t.double() for n, t in factors.items()})
        exact[name] = oriented(maps[name]).detach().double() + b @ a
    rw.merge(model, adapter)
    unit = torch.finfo(dtype).eps / 2  # half a unit in the last place, and a little for the sum in float32
    for name, want in exact.items():
        off = (oriented(maps[name]).detach().double() - want).abs()
        assert bool((off <= want.abs() * unit * 1.001 + 1e-6).all()), name


@every_method
@every_family
@pytest.mark.parametrize("dtype", [torch.float32, *HALVES])
def test_unmerging_gives_back_every_bit_and_object(family, kind, dtype):
    model = tiny.host(family, dtype)
    adapter = tiny.shaken(fresh(kind, model))
    if not folds(kind, adapter):
        pytest.skip("does not fold")
    before = {n: t.clone() for n, t in model.state_dict().items()}
    objects = [(n, id(p), p.requires_grad) for n, p in model.named_parameters(remove_duplicate=False)]
    rw.merge(model, adapter)
    site = adapter.sites[0].name
    assert not torch.equal(model.get_submodule(site).weight, before[f"{site}.weight"])
    rw.unmerge(model)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[n], before[n]) for n in before)
    assert [(n, id(p), p.requires_grad) for n, p in model.named_parameters(remove_duplicate=False)] == objects


@every_method
@every_family
def test_masked_pruned_and_merged_agree(family, kind):
    model, rows = tiny.host(family), tiny.batch(family)
    masked = half_shut(tiny.shaken(fresh(kind, model), size=0.1))
    pruned = masked.compact()
    assert pruned.ranks == masked.ranks
    assert pruned.size == masked.size
    if any("gate" in f for f in masked.factors.values()):
        assert pruned.stored < masked.stored
        assert set(pruned.ranks.values()) == {2}
    with rw.attached(model, masked):
        want = tiny.logits(model, rows)
    with rw.attached(model, pruned):
        torch.testing.assert_close(tiny.logits(model, rows), want, rtol=1e-5, atol=1e-5)
    if folds(kind, pruned):
        torch.testing.assert_close(tiny.logits(rw.merge(model, pruned), rows), want, rtol=1e-5, atol=1e-5)


@every_method
@every_family
def test_nothing_left_at_any_site_is_the_base_model(family, kind):
    model, rows = tiny.host(family), tiny.batch(family)
    before = tiny.logits(model, rows)
    empty = dataclasses.replace(tiny.shaken(fresh(kind, model)), factors={})
    assert set(empty.ranks.values()) == {0}
    assert empty.size == 0
    assert empty.compact().equal(empty)
    with rw.attached(model, empty):
        torch.testing.assert_close(tiny.logits(model, rows), before, rtol=0, atol=0)
    torch.testing.assert_close(tiny.logits(rw.merge(model, empty), rows), before, rtol=0, atol=0)
    rw.unmerge(model)


@every_method
@every_family
def test_each_row_answers_as_if_its_adapter_were_alone(family, kind):
    # DeBERTa sends one table of positions through query and key for all rows: only value may differ by row there
    targets = ["value_proj"] if family == "deberta" else "all-linear"
    model, batch = tiny.host(family, torch.float64), tiny.batch(family)
    two = {name: tiny.shaken(fresh(kind, model, targets), seed) for seed, name in enumerate("ab")}
    alone = {None: tiny.logits(model, batch)}
    for name, adapter in two.items():
        with rw.attached(model, adapter):
            alone[name] = tiny.logits(model, batch)
    with rw.attached(model, two):
        for names in (["a", "b", None], [None, "a", "a"], ["b", None, "b"]):
            want = torch.stack([alone[name][i] for i, name in enumerate(names)])
            with rw.rows(model, names):
                torch.testing.assert_close(tiny.logits(model, batch), want, rtol=0, atol=1e-9)
        with rw.rows(model, [None] * 3):
            torch.testing.assert_close(tiny.logits(model, batch), alone[None], rtol=0, atol=0)
        torch.testing.assert_close(tiny.logits(model, batch), alone[None], rtol=0, atol=0)  # no row has a name


@every_method
@every_family
def test_only_the_factors_learn_and_all_of_them_do(family, kind):
    model, rows = tiny.host(family).train(), tiny.batch(family)
    rw.attach(model, tiny.shaken(fresh(kind, model)))
    tiny.loss(model, rows).backward()
    for name, parameter in model.named_parameters():
        factor = ".boxes." in name
        assert parameter.requires_grad == factor, name
        assert (parameter.grad is not None) == factor, name
        if factor:
            assert parameter.grad.abs().sum() > 0, name


@every_method
@every_family
def test_gradient_checkpointing_gives_the_first_layer_the_same_gradients(family, kind):
    rows, found, calls = tiny.batch(family), {}, {False: [], True: []}
    for on in (False, True):
        model = tiny.host(family).train()
        if on:
            model.activation_checkpointing_enable()
        rw.attach(model, tiny.shaken(fresh(kind, model, tiny.TARGETS[family])))
        first = model.get_submodule(tiny.FIRST[family])
        first.register_forward_pre_hook(lambda *_, seen=calls[on]: seen.append(1))
        tiny.loss(model, rows).backward()
        found[on] = {n: p.grad for n, p in first.boxes[0].items()}
    assert len(calls[True]) == 2 * len(calls[False])  # computed again on the way back
    for name, gradient in found[True].items():
        assert gradient is not None, name
        assert gradient.abs().max() > 0, name
        torch.testing.assert_close(gradient, found[False][name], rtol=1e-5, atol=1e-6)


@every_method
def test_rank_axis_says_where_directions_live(kind):
    model = tiny.host("bert")
    adapter = fresh(kind, model)
    for factors in adapter.factors.values():
        axes = adapter.method.rank_axis
        assert set(axes) <= set(factors)
        assert {factors[name].shape[axis] for name, axis in axes.items()} == {4}
        assert adapter.method.keep(factors).tolist() == [True] * 4
        assert all(t.dtype == torch.float32 and t.device.type == "cpu" for t in factors.values())


@every_method
def test_the_folded_pair_is_the_whole_update(kind):
    model = tiny.host("gpt2", torch.float64)  # Conv1D: the weight lies the other way
    adapter = tiny.shaken(fresh(kind, model)).to(torch.float64)
    if not folds(kind, adapter):
        pytest.skip("does not fold")
    for site in adapter.sites:
        layer, f = model.get_submodule(site.name), adapter.factors[site.name]
        x = torch.randn(5, site.in_features, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        a, b = adapter.method.lora(f)
        torch.testing.assert_close(adapter.method.forward(x, layer, f), layer(x) + x @ a.T @ b.T, rtol=0, atol=1e-12)


@every_method
def test_the_same_seed_starts_alike_and_another_does_not(kind):
    model = tiny.host("bert")
    one, again, other = (fresh(kind, model, seed=seed) for seed in (3, 3, 4))
    assert one.equal(again)
    assert not one.equal(other)


@every_method
def test_a_method_is_plain_data_under_its_registered_name(kind):
    cls = rw.METHODS[kind]
    method = tiny.small(cls)
    assert cls.kind == kind
    assert cls.__mro__[1] is rw.Method
    assert cls(**json.loads(json.dumps(dataclasses.asdict(method)))) == method
    with pytest.raises(dataclasses.FrozenInstanceError):
        method.rank = 1


@every_method
def test_every_field_has_a_line_in_the_docstring(kind):
    cls = rw.METHODS[kind]
    for field in dataclasses.fields(cls):
        assert f"        {field.name}: " in cls.__doc__, f"help texts read it: {field.name}"
