"""Experiments on gates: planted outcomes, exact ones, and what is said where nothing moves."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

import rankwise as rw
from rankwise.causal.gates import Outcome, experiment
from rankwise.causal.switches import switches
from rankwise.core.host import attach, current, live
from rankwise.errors import DataError, RecipeError
from rankwise.methods import SoRA
from tests import tiny


def planted(function, model, units=1):
    """An outcome that reads the gates themselves: function(open [G] of 0 and 1, unit)."""

    def run():
        gates = np.concatenate([(f["gate"] != 0).numpy().astype(float) for f in live(model).values()])
        return {"y": np.array([function(gates, u) for u in range(units)])}

    return Outcome(run, {"y": [f"d{u // 2}" for u in range(units)]}, {"y": "a planted number"})


def host(rank=2, maps=("query", "value")):
    """A tiny BERT with rank * 2 layers * maps open gates."""
    model = tiny.host("bert", torch.float64)
    return attach(model, tiny.shaken(rw.new(model, SoRA(rank=rank), list(maps), seed=0)).to(torch.float64))


def test_a_sum_of_gates_is_found_with_all_its_numbers():
    model, w = host(rank=5), np.linspace(-2, 2, 20)
    found = experiment(model, planted(lambda g, u: float(g @ w) + 1, model))
    (y,) = found.measured
    np.testing.assert_allclose([e.main for e in y.effects], w, atol=1e-9)
    np.testing.assert_allclose([e.left_out for e in y.effects], w, atol=1e-9)
    assert (y.open, y.shut, y.r2, y.chosen) == (pytest.approx(1), 1, pytest.approx(1), "main")
    assert y.agreement == pytest.approx(1)
    assert found.runs <= 12 * 20
    assert found.fresh == 38
    assert y.effects[0].shapley is None


def test_a_pair_is_seen_by_pairs_and_halved_by_main_effects():
    model = host(rank=2)  # 8 gates: more masks than 12 runs each
    found = experiment(model, planted(lambda g, u: 3 * g[1] * g[6] + g[0], model), exact=False)
    (y,) = found.measured
    assert not found.complete
    assert y.chosen == "pairs"
    assert y.r2_pairs == pytest.approx(1)
    assert y.r2_main < 0.9
    best = max(y.pairs, key=lambda p: p.effect)
    assert (best.first, best.second) == (y.effects[1].switch, y.effects[6].switch)
    assert best.effect == pytest.approx(3)
    assert y.effects[1].left_out == pytest.approx(3)  # at the corner where all others are open
    assert abs(y.effects[1].main - 1.5) < 0.6  # without pairs in the model, their scatter stays in the error
    assert y.effects[1].low < 1.5 < y.effects[1].high


def test_pairs_of_many_gates_follow_the_large_ones():
    model, rng = host(rank=5), np.random.default_rng(0)
    w = rng.exponential(size=20)
    found = experiment(model, planted(lambda g, u: float(g @ w + (g @ w - 10) ** 2 / 10), model))
    (y,) = found.measured
    assert y.chosen in ("shrunk", "gp")
    assert y.r2_shrunk > y.r2_main + 0.05
    assert y.pairs_by == "shrunk"
    assert y.r2_pairs is None
    assert 0 < len(y.pairs) < 190
    assert all(p.low > 0 or p.high < 0 for p in y.pairs)


def test_two_gates_that_stand_in_for_each_other_hide_from_leaving_one_out():
    model = host(rank=1)  # 4 gates: all 16 masks
    found = experiment(model, planted(lambda g, u: max(g[0], g[1]), model))
    (y,) = found.measured
    assert found.complete
    assert found.runs == 16
    # by hand: each alone makes the difference where the other is shut, half of the masks
    assert [e.main for e in y.effects] == [pytest.approx(v, abs=1e-12) for v in (0.5, 0.5, 0, 0)]
    assert [e.left_out for e in y.effects] == [0, 0, 0, 0]
    assert [e.shapley for e in y.effects] == [pytest.approx(v, abs=1e-12) for v in (0.5, 0.5, 0, 0)]
    assert [e.low for e in y.effects] == [e.main for e in y.effects]  # no mask was left to chance


def test_with_every_mask_run_each_is_predicted_from_the_others():
    model = host(rank=1)  # 4 gates, 16 masks
    (y,) = experiment(model, planted(lambda g, u: g[0] + g[1] * g[2] * g[3], model)).measured
    # main effects miss e, the pure pairs and the triple: as z, g1 g2 g3 is 1/8 of (1 + z1)(1 + z2)(1 + z3), so that
    # 4 terms of size 1/8 are missed; the variance is 1/4 (g0) + 7/64, and each of 16 residuals grows by 16 / (16 - 5)
    total = 1 / 4 + 7 / 64
    assert y.r2_main == pytest.approx(1 - 4 / 64 * (16 / 11) ** 2 / total)
    assert y.r2_pairs == pytest.approx(1 - 1 / 64 * (16 / 5) ** 2 / total)  # 11 terms for 16 masks
    assert y.chosen == ("pairs" if y.r2_pairs > y.r2_main else "main")


def test_shapley_values_come_from_every_mask_and_the_fit_from_its_own():
    model = host(rank=2)
    found = experiment(model, planted(lambda g, u: g[0] * g[1] * g[2] + g[3], model))
    (y,) = found.measured
    assert found.runs == 256
    assert 0 <= found.fresh - (256 - found.fitted) < 12  # some masks of the fit are drawn twice
    np.testing.assert_allclose([e.shapley for e in y.effects], [1 / 3, 1 / 3, 1 / 3, 1, 0, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose([e.main for e in y.effects], [1 / 4, 1 / 4, 1 / 4, 1, 0, 0, 0, 0], atol=1e-12)
    assert 0.8 < y.r2 < 1


def test_a_map_of_two_adapted_layers_is_bilinear_in_their_gates():
    """The real computation: in linear maps one after the other, gates of one layer multiply those of the other."""
    body = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6)).double()
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    model = attach(body, tiny.shaken(rw.new(body, SoRA(rank=5), "0|1", seed=1)).to(torch.float64))
    run = lambda: {"y": model(x).detach()[:, 0].numpy()}  # noqa: E731
    found = experiment(model, Outcome(run, {"y": list("abcd")}, {"y": "first output"}), exact=False)
    (y,) = found.measured
    assert y.r2_pairs == pytest.approx(1, abs=1e-9)
    same = [p.effect for p in y.pairs if p.first.split(":")[0] == p.second.split(":")[0]]
    np.testing.assert_allclose(same, 0, atol=1e-9)
    assert max(abs(p.effect) for p in y.pairs) > 1e-3


def test_errors_over_texts_count_documents():
    model = host(rank=1)
    found = experiment(model, planted(lambda g, u: g[0] * (1 + u // 2), model, units=4))
    (y,) = found.measured
    # units have effects 1, 1, 2, 2 in documents d0, d0, d1, d1: two cluster means, 1 and 2
    assert (y.units, y.documents) == (4, 2)
    assert y.effects[0].main == pytest.approx(1.5)
    assert y.effects[0].text_error == pytest.approx(0.5)
    assert np.isnan(experiment(model, planted(lambda g, u: g[0], model)).measured[0].effects[0].text_error)


def test_the_adapter_is_as_it_was_also_when_the_outcome_fails():
    model = host()
    before = current(model)
    experiment(model, planted(lambda g, u: g.sum(), model), exact=False)
    with pytest.raises(ZeroDivisionError):
        experiment(model, planted(lambda g, u: 1 / 0, model))
    assert current(model).equal(before)


def test_nothing_that_moves_is_said_and_written_as_null():
    model = host(rank=1)
    found = experiment(model, planted(lambda g, u: 0.25, model))
    assert found.notes == ("y: no switch moves it.",)
    row = json.loads(json.dumps(found.to_dict(), allow_nan=False))["measured"][0]
    assert row["r2"] is None
    assert row["open"] == 0.25


def test_what_cannot_be_measured_is_refused():
    model = host(rank=4)
    with pytest.raises(RecipeError, match="16 switches need 2\\^16"):
        experiment(model, planted(lambda g, u: 0.0, model), exact=True)
    with pytest.raises(DataError, match="is not finite"):
        experiment(model, planted(lambda g, u: float("nan"), model))
    with pytest.raises(DataError, match="has no units"):
        experiment(model, planted(lambda g, u: 0.0, model, units=0))


def test_the_same_seed_gives_the_same_experiment_and_progress_is_told():
    model, told = host(rank=5), []
    outcome = planted(lambda g, u: float(np.sin(g.sum())), model)
    one, other = (experiment(model, outcome, seed=3, tell=lambda *at: told.append(at)) for _ in range(2))
    assert one.to_dict()["measured"] == other.to_dict()["measured"]  # nan is None there
    assert told[-1] == (one.runs, one.runs)
    assert experiment(model, outcome, switches(model, "site"), seed=3).complete
