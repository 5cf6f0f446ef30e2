"""Cutting to a global budget, against dense float64 decompositions and numbers worked out by hand."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rankwise.core.adapter import Adapter
from rankwise.core.create import Whole, new
from rankwise.core.cut import Plain, cut, spectrum
from rankwise.core.method import Method
from rankwise.core.plain import decompose
from rankwise.core.site import Site
from rankwise.errors import NotFoldable, RankError, RecipeError
from rankwise.methods import LoRA, SoRA

F64 = torch.float64


def diagonal(values, width=4, out=5):
    """Factors whose product has exactly these singular values."""
    r = len(values)
    return {"A": torch.eye(r, width, dtype=F64), "B": torch.eye(out, r, dtype=F64) * torch.tensor(values, dtype=F64)}


def by_hand(**sites):
    """A LoRA adapter of scale 1 with the given singular values at sites of 4 -> 5."""
    names = tuple(Site(n, 4, 5) for n in sites)
    return Adapter(LoRA(rank=4, alpha=4.0), names, {n: diagonal(v) for n, v in sites.items()})


def noisy(shapes, seed=0, method=None):
    """Random factors [r, in], [out, r] at every (in, out, r) of `shapes`, float64."""
    g = torch.Generator().manual_seed(seed)
    method = method or LoRA(rank=4, alpha=8.0)
    factors = {}
    for i, (n_in, n_out, r) in enumerate(shapes):
        f = {
            "A": torch.randn(r, n_in, generator=g, dtype=F64),
            "B": torch.randn(n_out, r, generator=g, dtype=F64),
        }
        if "gate" in method.rank_axis:
            f["gate"] = torch.randn(r, generator=g, dtype=F64)
        factors[f"s{i}"] = f
    sites = tuple(Site(f"s{i}", n_in, n_out) for i, (n_in, n_out, _) in enumerate(shapes))
    return Adapter(method, sites, factors)


def dense(adapter):
    """B A of every site, by plain multiplication."""
    out = {}
    for site in adapter.sites:
        if site.name in adapter.factors:
            a, b = adapter.method.lora(adapter.factors[site.name])
            out[site.name] = b @ a
        else:
            out[site.name] = torch.zeros(site.out_features, site.in_features, dtype=F64)
    return out


shapes = st.lists(
    st.integers(2, 7).flatmap(
        lambda i: st.integers(2, 7).flatmap(lambda o: st.tuples(st.just(i), st.just(o), st.integers(1, min(i, o))))
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(shapes, st.integers(0, 2**20))
def test_the_spectrum_is_that_of_the_dense_product(given_shapes, seed):
    adapter = noisy(given_shapes, seed, SoRA(rank=4))
    for name, values in spectrum(adapter).items():
        truth = torch.linalg.svdvals(dense(adapter)[name])[: len(values)]
        torch.testing.assert_close(values, truth, rtol=1e-10, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(shapes, st.integers(0, 2**20), st.data())
def test_no_other_choice_of_so_many_directions_is_closer(given_shapes, seed, data):
    adapter = noisy(given_shapes, seed)
    total = sum(adapter.ranks.values())
    budget = data.draw(st.integers(1, total))
    small = cut(adapter, budget)
    assert sum(small.ranks.values()) == budget
    # Eckart and Young: the error is the sum of the squares left out, over all sites the smallest ones.
    squares = torch.cat([torch.linalg.svdvals(d) ** 2 for d in dense(adapter).values()]).sort().values
    best = squares[: len(squares) - budget].sum()
    was, now = dense(adapter), dense(small)
    error = sum(((was[n] - now[n]) ** 2).sum() for n in was)
    torch.testing.assert_close(error, best, rtol=1e-8, atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(shapes, st.integers(0, 2**20), st.floats(0.05, 1.0))
def test_energy_takes_the_fewest_directions_that_hold_the_share(given_shapes, seed, share):
    adapter = noisy(given_shapes, seed)
    small = cut(adapter, energy=share)
    squares = torch.cat([v**2 for v in spectrum(adapter).values()]).sort(descending=True).values
    kept = sum(small.ranks.values())
    assert squares[:kept].sum() >= share * squares.sum() * (1 - 1e-12)
    assert kept == 1 or squares[: kept - 1].sum() < share * squares.sum()


@settings(max_examples=60, deadline=None)
@given(shapes, st.integers(0, 2**20), st.data())
def test_a_budget_in_numbers_is_never_overrun_and_wastes_less_than_the_largest_direction(given_shapes, seed, data):
    adapter = noisy(given_shapes, seed)
    costs = [s.in_features + s.out_features for s in adapter.sites]
    params = data.draw(st.integers(min(costs), adapter.size))
    small = cut(adapter, params=params)
    assert small.size <= params
    assert small.size == adapter.size or small.size > params - max(costs)


def test_the_budget_is_shared_over_all_sites_and_a_site_may_lose_everything():
    # Strengths 9 7 1 | 8 6 | 2. The four strongest are 9 8 7 6: two at a, two at b, none at c.
    adapter = by_hand(a=[9.0, 1.0, 7.0], b=[8.0, 6.0], c=[2.0])
    small = cut(adapter, budget=4)
    assert small.ranks == {"a": 2, "b": 2, "c": 0}
    assert "c" not in small.factors
    assert [s.name for s in small.sites] == ["a", "b", "c"]
    torch.testing.assert_close(spectrum(small)["a"], torch.tensor([9.0, 7.0], dtype=F64), rtol=1e-12, atol=0)
    # 81 + 64 + 49 + 36 + 4 + 1 = 235; 81 + 64 = 145 is 61.7 %, with 49 it is 82.6 %.
    assert cut(adapter, energy=0.61).ranks == {"a": 1, "b": 1, "c": 0}
    assert cut(adapter, energy=0.62).ranks == {"a": 2, "b": 1, "c": 0}
    assert cut(adapter, energy=1.0).ranks == {"a": 3, "b": 2, "c": 1}


def test_numbers_weigh_a_direction_by_what_it_costs():
    wide = Site("wide", 10, 10)  # 20 numbers a direction
    slim = Site("slim", 2, 2)  # 4 numbers a direction
    factors = {"wide": diagonal([3.0, 2.0], 10, 10), "slim": diagonal([2.0], 2, 2)}
    adapter = Adapter(LoRA(rank=2, alpha=2.0), (wide, slim), factors)
    # Squares a number: wide 9/20 = 0.45 and 4/20 = 0.2, slim 4/4 = 1.
    assert cut(adapter, params=4).ranks == {"wide": 0, "slim": 1}
    assert cut(adapter, params=23).ranks == {"wide": 0, "slim": 1}  # 4 + 20 does not fit
    assert cut(adapter, params=24).ranks == {"wide": 1, "slim": 1}
    assert cut(adapter, params=44).ranks == {"wide": 2, "slim": 1}


def test_ties_go_to_the_first_sites_every_time():
    adapter = by_hand(a=[5.0, 5.0], b=[5.0, 5.0], c=[5.0])
    for _ in range(3):
        assert cut(adapter, budget=3).ranks == {"a": 2, "b": 1, "c": 0}


def test_the_full_budget_changes_nothing_but_the_form():
    adapter = noisy([(6, 5, 3), (4, 7, 2)], method=SoRA(rank=4, dropout=0.25))
    same = cut(adapter, budget=5)
    assert same.method == Plain(rank=3, dropout=0.25)
    was, now = dense(adapter), dense(same)
    for name in was:
        torch.testing.assert_close(now[name], was[name], rtol=1e-12, atol=1e-12)


def test_dead_directions_do_not_count():
    adapter = noisy([(6, 5, 3), (4, 7, 2)], method=SoRA(rank=4))
    adapter.factors["s0"]["gate"][1] = 0
    with pytest.raises(RankError, match=r"budget=5 is outside 1\.\.4"):
        cut(adapter, budget=5)
    assert cut(adapter, budget=4).ranks == {"s0": 2, "s1": 2}


def test_directions_without_strength_are_not_kept():
    adapter = by_hand(a=[5.0, 0.0], b=[0.0])
    assert cut(adapter, budget=3).ranks == {"a": 1, "b": 0}
    nothing = cut(by_hand(a=[0.0], b=[0.0]), budget=2)
    assert nothing.factors == {}
    assert nothing.ranks == {"a": 0, "b": 0}
    assert cut(by_hand(a=[0.0]), energy=0.9).factors == {}


def test_everything_else_of_the_adapter_stays():
    adapter = replace(noisy([(6, 5, 3)]), whole={"classifier.bias": torch.ones(2)}, base={"name": "tiny"})
    small = cut(adapter, budget=1)
    assert small.whole is adapter.whole
    assert small.base == {"name": "tiny"}
    assert small.sites == adapter.sites


def test_factors_keep_their_dtype_and_a_balanced_size():
    adapter = by_hand(a=[16.0]).to(torch.float32)
    f = cut(adapter, budget=1).factors["a"]
    assert f["A"].dtype == f["B"].dtype == torch.float32
    assert float(f["A"].norm()) == pytest.approx(4)
    assert float(f["B"].norm()) == pytest.approx(4)


def test_no_matrix_of_out_by_in_is_built():
    n = 200_000  # a dense product would hold 4e10 numbers
    g = torch.Generator().manual_seed(0)
    product = decompose(torch.randn(2, n, generator=g), torch.randn(n, 2, generator=g))
    assert len(product.values) == 2


@pytest.mark.parametrize("how", [{"budget": 0}, {"budget": 7}, {"params": 8}, {"params": 55}])
def test_a_budget_outside_its_range_is_refused_with_both_numbers(how):
    adapter = by_hand(a=[9.0, 1.0, 7.0], b=[8.0, 6.0], c=[2.0])  # 6 directions of 9 numbers
    value = next(iter(how.values()))
    with pytest.raises(RankError, match=rf"{value} is outside (1\.\.6|9\.\.54)") as caught:
        cut(adapter, **how)
    assert caught.value.budget == value
    assert caught.value.total in (6, 54)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5, float("nan")])
def test_an_energy_that_is_no_share_is_refused(share):
    with pytest.raises(RankError, match="outside"):
        cut(by_hand(a=[1.0]), energy=share)


def test_exactly_one_budget_is_given():
    with pytest.raises(RecipeError, match="no budget"):
        cut(by_hand(a=[1.0]))
    with pytest.raises(RecipeError, match=r"budget=1 and energy=0\.5 exclude each other"):
        cut(by_hand(a=[1.0]), 1, energy=0.5)


def test_a_method_without_factors_a_and_b_cannot_be_cut():
    class Opaque(Method):
        kind = "opaque"
        rank_axis = {"T": 0}  # noqa: RUF012

    adapter = Adapter(Opaque(), (Site("a", 2, 2),), {"a": {"T": torch.ones(1, 2)}})
    with pytest.raises(NotFoldable, match="opaque"):
        cut(adapter, 1)


def test_an_adapter_without_factors_has_nothing_to_cut():
    with pytest.raises(RankError, match="nothing to cut"):
        cut(Adapter(Whole(), (), {}), 1)


def test_a_cut_adapter_trains_on():
    model = nn.Sequential(nn.Linear(4, 5))
    adapter = new(model, Plain(rank=2), ["0"])
    x = torch.randn(3, 4)
    f = adapter.factors["0"]
    torch.testing.assert_close(adapter.method.forward(x, model[0], f), model[0](x), rtol=0, atol=0)
    f["B"] += 1
    expected = model[0](x) + x @ f["A"].T @ f["B"].T
    torch.testing.assert_close(adapter.method.forward(x, model[0], f), expected)


@pytest.mark.parametrize("rank", [1, 2, 0.5, 0.9, 0.999])
def test_one_site_is_cut_as_peft_converts_it(rank):
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    model = peft.get_peft_model(
        nn.Sequential(nn.Linear(12, 10)), peft.LoraConfig(r=4, lora_alpha=8, target_modules=["0"])
    )
    layer = model.base_model.model[0]
    nn.init.normal_(layer.lora_B["default"].weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "already a LoRA adapter"
        _config, state = peft.convert_to_lora(model, rank=rank)
    theirs = state["base_model.model.0.lora_B.weight"] @ state["base_model.model.0.lora_A.weight"]
    factors = {"A": layer.lora_A["default"].weight.detach(), "B": layer.lora_B["default"].weight.detach()}
    adapter = Adapter(LoRA(rank=4, alpha=8.0), (Site("0", 12, 10),), {"0": factors})
    ours = cut(adapter, rank) if isinstance(rank, int) else cut(adapter, energy=rank)
    assert ours.ranks["0"] == len(state["base_model.model.0.lora_A.weight"])
    torch.testing.assert_close(dense(ours)["0"], theirs, rtol=1e-4, atol=1e-5)
