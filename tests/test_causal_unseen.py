"""E-values and the bound on the bias, by hand and on a table with a cause left out."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.traps import table
from rankwise.causal.estimators import aipw, estimand
from rankwise.causal.unseen import bias_scale, e_value, e_value_of, robustness


def test_e_values_by_hand():
    assert e_value(3.9) == pytest.approx(7.26, abs=0.01)  # the example of VanderWeele and Ding 2017
    assert e_value(1 / 3.9) == pytest.approx(7.26, abs=0.01)
    assert e_value(1.0) == 1.0


def test_the_e_value_of_a_binary_outcome_is_of_its_risk_ratio():
    t = np.tile([1.0, 0.0], 500)
    y = np.zeros(1000)
    y[np.flatnonzero(t == 1)[:150]] = 1.0  # 30 % of the treated
    y[np.flatnonzero(t == 0)[:50]] = 1.0  # 10 % of the others
    value, bound = e_value_of(y, t, np.full(1000, 0.1), np.full(1000, 0.3), np.full(1000, 0.5), 0.01, 0.02)
    assert value == pytest.approx(3 + np.sqrt(6), abs=1e-9)
    assert 1 < bound < value


def test_an_interval_that_holds_none_has_no_protection():
    rng = np.random.default_rng(0)
    t, y, zero = np.tile([1.0, 0.0], 50), rng.normal(size=100), np.zeros(100)
    assert e_value_of(y, t, zero, zero, zero + 0.5, 0.01, 10.0)[1] == 1.0


def test_robustness_by_hand():
    # scale 1: r / sqrt(1 - r) = 1 at r = 0.618...
    assert robustness(1.0, 1.0) == pytest.approx((np.sqrt(5) - 1) / 2, abs=1e-12)
    assert robustness(0.0, 1.0) == 0.0
    r = robustness(0.3, 2.0)
    assert 2.0 * r / np.sqrt(1 - r) == pytest.approx(0.3, abs=1e-12)


def test_a_cause_left_out_moves_the_effect_within_the_bound():
    """The bound, at what the missing cause really explains, holds the bias that it really makes."""
    data = table(20_000)
    short, whole = (aipw(data, estimand("t", "y", adjust))[1] for adjust in (["v"], ["w", "v"]))
    t, y = data.t.to_numpy(), data.y.to_numpy()
    q, q_whole = (np.where(t == 1, f.nuisances_.q1, f.nuisances_.q0) for f in (short, whole))
    r_y = 1 - np.mean((y - q_whole) ** 2) / np.mean((y - q) ** 2)
    g, g_whole = (f.nuisances_.g.clip(0.01, 0.99) for f in (short, whole))
    sizes = [np.mean((t / p - (1 - t) / (1 - p)) ** 2) for p in (g, g_whole)]
    r_t = 1 - sizes[0] / sizes[1]
    scale = bias_scale(y, t, short.nuisances_.q0, short.nuisances_.q1, short.nuisances_.g)
    bias = abs(short.ate_ - whole.ate_)
    assert 0.5 < bias <= scale * np.sqrt(r_y * r_t / (1 - r_t)) * 1.05
