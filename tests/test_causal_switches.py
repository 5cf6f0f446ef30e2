"""Directions shut in place: what a shut one adds, what comes back, and how they are grouped."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import rankwise as rw
from rankwise.causal.switches import directions, layer_of, shut, strength, switches
from rankwise.core.host import attached, current, live
from rankwise.core.plain import Plain
from rankwise.errors import AttachError, NotFoldable, RankError, UnknownName
from rankwise.methods import METHODS, LoRA, SoRA
from tests import tiny

LOW_RANK = [LoRA, SoRA, Plain]


def made(method, rank=3, dtype=torch.float64):
    model = tiny.host("bert", dtype)
    return model, tiny.shaken(rw.new(model, method(rank=rank), tiny.TARGETS["bert"], seed=0)).to(dtype)


@pytest.mark.parametrize("method", LOW_RANK)
def test_with_everything_shut_the_base_answers_and_then_the_adapter_again(method):
    model, adapter = made(method)
    batch = tiny.batch("bert")
    base = tiny.logits(model, batch)
    with attached(model, adapter):
        before = tiny.logits(model, batch)
        with shut(model, switches(model)):
            torch.testing.assert_close(tiny.logits(model, batch), base, rtol=0, atol=1e-12)
        torch.testing.assert_close(tiny.logits(model, batch), before, rtol=0, atol=0)
        assert current(model).equal(adapter)


@pytest.mark.parametrize("method", LOW_RANK)
def test_one_shut_direction_answers_as_an_adapter_without_it(method):
    model, adapter = made(method)
    batch, site = tiny.batch("bert"), next(iter(adapter.factors))
    keep = torch.tensor([True, False, True])
    small = {
        n: t.index_select(adapter.method.rank_axis[n], keep.nonzero()[:, 0]) for n, t in adapter.factors[site].items()
    }
    with attached(model, replace(adapter, factors=adapter.factors | {site: small})):
        without = tiny.logits(model, batch)
    with attached(model, adapter):
        middle = [s for s in switches(model, "direction") if s.name == f"{site}:1"]
        with shut(model, middle):
            torch.testing.assert_close(tiny.logits(model, batch), without, rtol=0, atol=1e-12)


def test_every_number_comes_back_after_an_error_too():
    model, adapter = made(SoRA)
    with attached(model, adapter):
        objects = {site: f["gate"] for site, f in live(model).items()}
        with pytest.raises(ZeroDivisionError), shut(model, switches(model)):
            _ = 1 / int(sum(float(g.detach().abs().sum()) for g in objects.values()))  # all of them are 0
        assert all(live(model)[site]["gate"] is g for site, g in objects.items())
        assert current(model).equal(adapter)


def test_blocks_may_be_nested():
    model, adapter = made(SoRA)
    with attached(model, adapter):
        given = switches(model, "direction")
        with shut(model, given[:2]):
            with shut(model, given[1:4]):
                assert len(directions(model)) == len(given) - 4
            assert len(directions(model)) == len(given) - 2


def test_a_gate_that_is_shut_already_is_no_direction():
    model, adapter = made(SoRA)
    site = next(iter(adapter.factors))
    gate = torch.tensor([0.5, 0.0, -1.0], dtype=torch.float64)
    with attached(model, replace(adapter, factors={site: adapter.factors[site] | {"gate": gate}})):
        assert [d.index for d in directions(model)] == [0, 2]


def test_groups_follow_sites_and_layers():
    model, adapter = made(LoRA)
    with attached(model, adapter):
        assert len(switches(model, "direction")) == len(switches(model)) == 12
        assert [len(s.members) for s in switches(model, "site")] == [3] * 4
        layers = switches(model, "layer")
        assert [s.name for s in layers] == ["bert.encoder.layer.0", "bert.encoder.layer.1"]
        assert len(switches(model, "direction", within="layer.1.*query")) == 3


def test_beyond_thirty_directions_those_of_a_site_are_one_switch():
    model, adapter = made(LoRA, rank=8)
    with attached(model, adapter):
        assert len(switches(model)) == 4
        assert len(switches(model, within="query")) == 16


def test_layers_in_order():
    assert layer_of("encoder.layer.10.output.dense") == "encoder.layer.10"
    assert layer_of("bert.classifier") == "bert.classifier"
    assert layer_of("3.dense") == "3"


def test_strength_is_the_norm_of_the_update():
    _, adapter = made(SoRA)
    f = next(iter(adapter.factors.values()))
    a, b = adapter.method.lora(f)
    torch.testing.assert_close(strength(f, adapter.method)[1], torch.linalg.matrix_norm(torch.outer(b[:, 1], a[1])))


def test_what_cannot_be_shut_says_so():
    model, adapter = made(SoRA)
    with pytest.raises(AttachError):
        directions(model)
    with attached(model, adapter):
        with pytest.raises(UnknownName, match="by='sites' is unknown"):
            switches(model, "sites")
        with pytest.raises(UnknownName, match="no site with directions"):
            switches(model, within="decoder")
        with pytest.raises(UnknownName, match="no pattern"):
            switches(model, within="(")
        given = switches(model)
    with attached(model, replace(adapter, factors={})), pytest.raises(RankError, match="no direction that acts"):
        switches(model)
    with (
        attached(model, replace(adapter, factors={})),
        pytest.raises(UnknownName, match="is not attached"),
        shut(model, given[:1]),
    ):
        pass


def test_a_method_without_directions_is_refused_and_every_other_one_is_tested_here():
    assert {m.kind for m in METHODS.values() if m.rank_axis} <= {m.kind for m in LOW_RANK}

    class Whole(LoRA):
        kind = "whole"
        rank_axis = {}  # noqa: RUF012

    model, adapter = made(LoRA)
    with attached(model, replace(adapter, method=Whole(rank=3))), pytest.raises(NotFoldable, match="one by one"):
        directions(model)
