"""Combining adapters: the product of the sum, whatever the ranks and sites, and what may not be combined."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rankwise.core.adapter import Adapter
from rankwise.core.combine import WAYS, combine
from rankwise.core.cut import Plain
from rankwise.core.head import Head
from rankwise.core.site import Site
from rankwise.errors import RankError, RecipeError, UnknownName, WrongBase
from rankwise.methods import LoRA, SoRA

F64 = torch.float64
SIZES = {"p": (6, 5), "q": (4, 7), "u": (3, 3)}


def random(ranks, seed, method=None):
    """A float64 adapter with the given rank at each named site of SIZES; 0: targeted, nothing left."""
    g = torch.Generator().manual_seed(seed)
    method = method or LoRA(rank=4, alpha=8.0)
    factors = {}
    for name, r in ranks.items():
        if r:
            n_in, n_out = SIZES[name]
            f = {
                "A": torch.randn(r, n_in, generator=g, dtype=F64),
                "B": torch.randn(n_out, r, generator=g, dtype=F64),
            }
            factors[name] = f | ({"gate": torch.rand(r, generator=g, dtype=F64)} if method.kind == "sora" else {})
    return Adapter(method, tuple(Site(n, *SIZES[n]) for n in ranks), factors)


def product(adapter, name):
    n_in, n_out = SIZES[name]
    if name not in adapter.factors:
        return torch.zeros(n_out, n_in, dtype=F64)
    a, b = adapter.method.lora(adapter.factors[name])
    return b @ a


def sum_of(adapters, weights, name):
    return sum(w * product(a, name) for a, w in zip(adapters, weights, strict=True))


some_ranks = st.dictionaries(st.sampled_from(sorted(SIZES)), st.integers(0, 3), min_size=1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(some_ranks, st.floats(-2, 2).filter(lambda w: abs(w) > 0.01)), min_size=1, max_size=4),
    st.sampled_from(["cat", "linear"]),
)
def test_cat_and_linear_are_the_exact_sum_for_any_ranks_and_sites(parts, how):
    methods = [LoRA(rank=4, alpha=8.0), SoRA(rank=4)]
    adapters = [random(ranks, i, methods[i % 2]) for i, (ranks, _) in enumerate(parts)]
    weights = [w for _, w in parts]
    together = combine(adapters, weights, how)
    assert isinstance(together.method, Plain)
    for name in {n for ranks, _ in parts for n in ranks}:
        summed = sum_of(adapters, weights, name)
        torch.testing.assert_close(product(together, name), summed, rtol=1e-10, atol=1e-10)
        rank = together.ranks[name]
        if how == "cat":
            assert rank == sum(ranks.get(name, 0) for ranks, _ in parts)
        else:
            assert rank == torch.linalg.matrix_rank(summed, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(some_ranks, some_ranks, st.integers(1, 4))
def test_svd_is_the_best_sum_of_that_rank_at_every_site(one, other, rank):
    adapters, weights = [random(one, 0), random(other, 1)], [0.7, -0.4]
    together = combine(adapters, weights, "svd", rank=rank)
    for name in {*one, *other}:
        u, s, vt = torch.linalg.svd(sum_of(adapters, weights, name))
        best = u[:, :rank] @ torch.diag(s[:rank]) @ vt[:rank]
        torch.testing.assert_close(product(together, name), best, rtol=1e-8, atol=1e-8)
        assert together.ranks[name] <= rank


def test_svd_keeps_the_largest_rank_unless_told():
    assert combine([random({"p": 1}, 0), random({"p": 3}, 1)], [1, 1], "svd").ranks == {"p": 3}


def test_linear_finds_that_an_adapter_and_itself_are_one():
    adapter = random({"p": 2}, 0)
    assert combine([adapter, adapter], [0.7, 0.3], "cat").ranks == {"p": 4}
    again = combine([adapter, adapter], [0.7, 0.3], "linear")
    assert again.ranks == {"p": 2}
    torch.testing.assert_close(product(again, "p"), product(adapter, "p"), rtol=1e-12, atol=1e-12)
    assert combine([adapter, adapter], [1, -1], "linear").factors == {}


def test_weights_are_equal_with_sum_one_unless_told():
    one, other = random({"p": 2}, 0), random({"p": 1}, 1)
    torch.testing.assert_close(
        product(combine([one, other]), "p"), (product(one, "p") + product(other, "p")) / 2, rtol=1e-12, atol=1e-12
    )


def test_adapters_and_weights_by_name():
    one, other = random({"p": 2}, 0), random({"q": 1}, 1)
    together = combine({"a": one, "b": other}, {"b": 2.0, "a": 0.0})
    assert [s.name for s in together.sites] == ["p", "q"]
    assert together.ranks == {"p": 0, "q": 1}
    torch.testing.assert_close(product(together, "q"), 2 * product(other, "q"))


def with_head(seed, task="stars", labels=("1", "2")):
    head = Head("single", labels, hidden=4)
    adapter = random({"p": 1}, seed)
    return replace(adapter, heads={task: head}, head_weights={task: head.init(torch.Generator().manual_seed(seed))})


def test_heads_of_all_come_along():
    one, other = with_head(0, "stars"), with_head(1, "topics", ("a", "b", "c"))
    together = combine([one, other])
    assert set(together.heads) == set(together.head_weights) == {"stars", "topics"}
    assert torch.equal(together.head_weights["topics"]["weight_0"], other.head_weights["topics"]["weight_0"])


def test_two_heads_of_one_name_are_refused_unless_they_are_one():
    with pytest.raises(RecipeError, match=r"'a' and 'b' both bring head_weights\['stars'\], and they differ"):
        combine({"a": with_head(0), "b": with_head(1)})
    with pytest.raises(RecipeError, match=r"both bring heads\['stars'\]"):
        combine({"a": with_head(0), "b": with_head(0, labels=("1", "2", "3"))})
    assert set(combine([with_head(0), with_head(0)]).heads) == {"stars"}


def test_two_parameters_of_one_name_are_refused_unless_they_are_one():
    one = replace(random({"p": 1}, 0), whole={"classifier.bias": torch.ones(2)})
    other = replace(random({"p": 1}, 1), whole={"classifier.bias": torch.zeros(2)})
    with pytest.raises(RecipeError, match=r"whole\['classifier.bias'\]"):
        combine([one, other])
    assert torch.equal(combine([one, one]).whole["classifier.bias"], torch.ones(2))


def test_adapters_of_different_bases_are_refused():
    one = random({"p": 1}, 0)
    sites = (Site("p", 6, 9),)
    other = Adapter(one.method, sites, {"p": {"A": torch.ones(1, 6), "B": torch.ones(9, 1)}})
    with pytest.raises(WrongBase, match="'p' is 6 -> 5 in one adapter and 6 -> 9 in '1'"):
        combine([one, other])
    a, b = replace(one, base={"sha256": "aa"}), replace(one, base={"sha256": "bb"})
    with pytest.raises(WrongBase, match="different weights"):
        combine([a, b])


def test_what_cannot_be_meant_is_refused():
    one = random({"p": 1}, 0)
    with pytest.raises(RecipeError, match="no adapters"):
        combine([])
    with pytest.raises(RecipeError, match="3 weights were given for 1 adapters"):
        combine([one], [1, 2, 3])
    with pytest.raises(UnknownName, match="'b'"):
        combine({"a": one}, {"a": 1, "b": 1})
    with pytest.raises(RecipeError, match="none for a"):
        combine({"a": one}, {})
    with pytest.raises(UnknownName, match=r"how='ct' is unknown.[\s\S]*Nearest: cat"):
        combine([one], how="ct")
    with pytest.raises(RecipeError, match="rank=2 goes with how='svd' only"):
        combine([one], rank=2)
    with pytest.raises(RankError, match="rank=0"):
        combine([one], how="svd", rank=0)


@pytest.mark.parametrize("how", [w for w in WAYS if w != "linear"])
def test_cat_and_svd_are_pefts_on_mixed_ranks(how):
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, 10), nn.Linear(10, 8))
    configs = {
        "a": peft.LoraConfig(r=2, lora_alpha=4, target_modules=["0", "1"], rank_pattern={"1": 3}),
        "b": peft.LoraConfig(r=3, lora_alpha=3, target_modules=["0", "1"], rank_pattern={"1": 1}),
    }
    model = peft.PeftModel(net, configs["a"], "a")
    model.add_adapter("b", configs["b"])
    layers = {n: model.base_model.model[int(n)] for n in ("0", "1")}
    sites = tuple(Site(n, m.in_features, m.out_features) for n, m in layers.items())
    adapters = {}
    for key in configs:
        factors = {}
        for n, layer in layers.items():
            nn.init.normal_(layer.lora_B[key].weight)
            b = layer.lora_B[key].weight.detach() * layer.scaling[key]
            factors[n] = {"A": layer.lora_A[key].weight.detach().clone(), "B": b}
        adapters[key] = Adapter(Plain(rank=3), sites, factors)
    model.add_weighted_adapter(["a", "b"], [0.7, -0.3], "both", combination_type=how)
    ours = combine(adapters, [0.7, -0.3], how)
    for n, layer in layers.items():
        mine = ours.factors[n]["B"] @ ours.factors[n]["A"]
        torch.testing.assert_close(mine, layer.get_delta_weight("both"), rtol=1e-5, atol=1e-5)
