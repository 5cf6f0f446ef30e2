"""An adapter is data: counts, compacting, equality, and no model anywhere."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.core.adapter import Adapter, flatten, take
from rankwise.core.head import Head
from rankwise.core.site import Site
from rankwise.errors import RecipeError, UnknownName
from rankwise.methods.lora import LoRA
from rankwise.methods.sora import SoRA

WIDE, TALL = Site("wide", 5, 2), Site("tall", 3, 4)


def factors(site, gate, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return {
        "A": torch.randn(len(gate), site.in_features, generator=rng),
        "B": torch.randn(site.out_features, len(gate), generator=rng),
        "gate": torch.tensor(gate, dtype=torch.float32),
    }


def sora():
    """wide: 2 of 3 directions act; tall: 1 of 3; a third site has nothing left and no entry."""
    empty = Site("empty", 7, 7)
    return Adapter(
        SoRA(rank=3),
        (WIDE, TALL, empty),
        {"wide": factors(WIDE, [1, 0, -2]), "tall": factors(TALL, [0, 0, 1e-30], 1)},
        whole={"body.bias": torch.zeros(6)},
        heads={"stars": Head("single", ("a", "b"), hidden=6)},
        head_weights={"stars": {"weight_0": torch.zeros(2, 6), "bias_0": torch.zeros(2)}},
    )


def test_ranks_and_sizes_by_hand():
    adapter = sora()
    assert adapter.ranks == {"wide": 2, "tall": 1, "empty": 0}
    assert adapter.mean_rank == 1.0
    assert adapter.size == 2 * (5 + 2) + 1 * (3 + 4)  # 21: gates fold into B
    assert adapter.stored == (15 + 6 + 3) + (9 + 12 + 3)  # 48: as the tensors are
    assert adapter.whole_size == 6 + 12 + 2
    assert str(adapter).endswith(": 2 of 3 sites, mean rank 1.00, 21 numbers in factors, 20 trained whole")


def test_an_adapter_without_sites_has_mean_rank_zero():
    assert Adapter(LoRA(), (), {}).mean_rank == 0.0


def test_compact_cuts_dead_directions_out_and_keeps_the_order():
    before, small = sora(), sora().compact()
    assert {n: tuple(t.shape) for n, t in small.factors["wide"].items()} == {"A": (2, 5), "B": (2, 2), "gate": (2,)}
    assert torch.equal(small.factors["wide"]["A"], before.factors["wide"]["A"][[0, 2]])
    assert torch.equal(small.factors["wide"]["B"], before.factors["wide"]["B"][:, [0, 2]])
    assert torch.equal(small.factors["wide"]["gate"], torch.tensor([1.0, -2.0]))
    assert small.ranks == before.ranks
    assert small.stored == small.size + 3  # the gates
    assert before.equal(sora())  # not changed


def test_a_site_with_no_open_gate_disappears_and_stays_a_site():
    shut = sora().map(lambda f: f | {"gate": torch.zeros(3)})
    assert shut.compact().factors == {}
    assert shut.compact().ranks == {"wide": 0, "tall": 0, "empty": 0}
    assert shut.compact().sites == shut.sites


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, -0.0, 1.0, -1e-38]), min_size=1, max_size=5), min_size=1, max_size=3))
def test_compacting_changes_no_update_and_twice_is_once(gates):
    sites = tuple(Site(f"s{i}", 3, 2) for i in range(len(gates)))
    full = Adapter(SoRA(), sites, {s.name: factors(s, g, i) for i, (s, g) in enumerate(zip(sites, gates, strict=True))})
    small = full.compact()
    assert small.ranks == full.ranks == {s.name: sum(g != 0 for g in gs) for s, gs in zip(sites, gates, strict=True)}
    assert small.compact().equal(small)
    for name, f in full.factors.items():
        a, b = full.method.lora(f)
        if name in small.factors:
            small_a, small_b = small.method.lora(small.factors[name])
            torch.testing.assert_close(small_b @ small_a, b @ a, rtol=1e-6, atol=1e-6)
        else:
            assert torch.count_nonzero(b @ a) == 0


def test_equal_means_every_bit_and_every_name():
    one = sora()
    assert one.equal(sora())
    assert not one.equal(replace(one, method=SoRA(rank=3, alpha=1)))
    assert not one.equal(replace(one, sites=one.sites[:2]))
    assert not one.equal(replace(one, heads={}))
    assert not one.equal(replace(one, whole={"body.bias": torch.full((6,), 1e-45)}))
    assert not one.equal(replace(one, whole={"other.bias": torch.zeros(6)}))
    assert not one.equal(one.to(torch.float64))
    nudged = one.map(lambda f: f | {"A": torch.nextafter(f["A"], torch.tensor(9.0))})
    assert not one.equal(nudged)
    assert one.equal(replace(one, base={"name": "elsewhere"}))  # what it was trained on is no part of what it is


def test_to_casts_every_tensor():
    half = sora().to(torch.bfloat16)
    everything = [*flatten(half.factors).values(), *half.whole.values(), *flatten(half.head_weights).values()]
    assert {t.dtype for t in everything} == {torch.bfloat16}
    assert len(everything) == 6 + 1 + 2


def test_map_and_the_fields_leave_the_original_alone():
    one = sora()
    one.map(lambda f: {n: t * 0 for n, t in f.items()})
    assert one.equal(sora())
    with pytest.raises(FrozenInstanceError):
        one.method = LoRA()


def test_heads_are_renamed_and_a_name_is_given_once():
    one = replace(sora(), heads=dict.fromkeys("ab", sora().heads["stars"]), head_weights={"a": {}, "b": {}})
    assert list(one.renamed({"a": "c"}).heads) == list(one.renamed({"a": "c"}).head_weights) == ["c", "b"]
    assert list(one.renamed({"a": "b", "b": "a"}).heads) == ["b", "a"]
    with pytest.raises(RecipeError, match="two heads would be called 'b'"):
        one.renamed({"a": "b"})
    with pytest.raises(UnknownName, match="no head 'z'"):
        one.renamed({"z": "b"})


def test_take_selects_along_the_axis_of_each_factor_and_passes_others():
    f = {"A": torch.arange(6).view(3, 2), "B": torch.arange(6).view(2, 3), "norm": torch.tensor([7])}
    small = take(f, {"A": 0, "B": 1}, torch.tensor([True, False, True]))
    assert small["A"].tolist() == [[0, 1], [4, 5]]
    assert small["B"].tolist() == [[0, 2], [3, 5]]
    assert small["norm"] is f["norm"]


def test_flatten_joins_names():
    assert flatten({"a": {"b": torch.ones(1)}, "c": {}}).keys() == {"a/b"}
