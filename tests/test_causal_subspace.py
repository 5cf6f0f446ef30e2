"""The two controls: subspaces shared by two runs, and the same update in another basis."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import rankwise as rw
from rankwise.causal.subspace import overlaps, svd_basis
from rankwise.causal.switches import directions, shut, strength, switches
from rankwise.core.host import attach, attached, current, live, record_of
from rankwise.errors import AttachError, WrongBase
from rankwise.methods import SoRA
from tests import tiny


def made(seed=0, rank=3, maps=("query", "value")):
    model = tiny.host("bert", torch.float64)
    return model, tiny.shaken(rw.new(model, SoRA(rank=rank), list(maps), seed=seed), seed).to(torch.float64)


def test_an_adapter_shares_all_with_itself_in_any_basis():
    _, adapter = made()
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]

    def turned(f):
        a, b = adapter.method.lora(f)
        return {"A": turn.T @ a, "B": b @ turn / adapter.method.scale, "gate": torch.ones(3, dtype=torch.float64)}

    found = overlaps(adapter, adapter.map(turned))
    assert len(found) == 4
    assert all(o.writes == pytest.approx(1) and o.reads == pytest.approx(1) for o in found)


def test_overlap_by_hand():
    # one adapter writes along e0, e1, the other along e1, e2: half is shared; they read along e0 and at 45 degrees
    _, adapter = made(rank=2)
    site = adapter.sites[0].name
    eye, one = torch.eye(16, dtype=torch.float64), torch.ones(2, dtype=torch.float64)

    def with_factors(reads, writes):
        return replace(adapter, factors={site: {"A": reads, "B": writes, "gate": one}})

    first = with_factors(eye[:2], eye[:, :2])
    second = with_factors(torch.stack([(eye[0] + eye[5]) / 2**0.5, eye[6]]), eye[:, 1:3])
    (found,) = overlaps(first, second)
    assert found.ranks == (2, 2)
    assert found.writes == pytest.approx(1 / 2)
    assert found.reads == pytest.approx(1 / 4)  # cos^2 45 degrees of one, nothing of the other
    assert found.writes_chance == found.reads_chance == 2 / 16


def test_random_adapters_overlap_by_chance():
    found = [o for seed in range(8) for o in overlaps(made(seed)[1], made(seed + 100)[1])]
    assert sum(o.writes - o.writes_chance for o in found) / len(found) == pytest.approx(0, abs=0.06)


def test_adapters_without_a_common_site_are_refused():
    with pytest.raises(WrongBase, match="no site in common"):
        overlaps(made(maps=("query",))[1], made(maps=("value",))[1])


def test_the_singular_basis_changes_no_answer_and_goes_again():
    model, adapter = made()
    batch = tiny.batch("bert")
    with attached(model, adapter):
        before = tiny.logits(model, batch)
        with svd_basis(model):
            torch.testing.assert_close(tiny.logits(model, batch), before, rtol=0, atol=1e-10)
            assert len(directions(model)) == 12
            method = record_of(model).adapters["default"].method
            for f in live(model).values():
                size = strength(f, method)
                torch.testing.assert_close(size, size.sort(descending=True).values)
        assert current(model).equal(adapter)


def test_the_adapter_comes_back_after_an_error_under_its_name():
    model, adapter = made()
    attach(model, {"mine": adapter})
    with pytest.raises(ZeroDivisionError), svd_basis(model):
        _ = 1 / 0
    assert list(record_of(model).adapters) == ["mine"]
    assert current(model).equal(adapter)


def test_several_adapters_have_no_one_basis():
    model, adapter = made()
    with (
        attached(model, {"a": adapter, "b": adapter}),
        pytest.raises(AttachError, match="2 adapters"),
        svd_basis(model),
    ):
        pass


def test_effects_of_whole_sites_do_not_depend_on_the_basis():
    model, adapter = made()
    batch = tiny.batch("bert")
    with attached(model, adapter):
        plain = _without(model, 0, batch)
        with svd_basis(model):
            torch.testing.assert_close(_without(model, 0, batch), plain, rtol=0, atol=1e-10)


def _without(model, number, batch):
    with shut(model, [switches(model, "site")[number]]):
        return tiny.logits(model, batch)
