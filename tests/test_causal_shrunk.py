"""Pairs of many switches: found where they follow large main effects, and never at the price of nonsense."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from rankwise.causal.design import design, fit, r2, terms
from rankwise.causal.shrunk import fit_shrunk


def planted(switches, seed=0, noise=0.0):
    """A design and an outcome whose pairs are products of main effects, as in one map after another."""
    plan, rng = design(switches, seed=seed), np.random.default_rng(seed)
    main = rng.exponential(size=switches) * rng.choice([-1, 1], switches)
    pairs = np.array([0.3 * main[i] * main[j] * rng.normal() for i, j in combinations(range(switches), 2)])
    beta = np.concatenate([[1.0], main, pairs])
    both = [terms(m, pairs=True) @ beta + noise * rng.normal(size=len(m)) for m in (plan.fit, plan.fresh)]
    return plan, beta, *both


@pytest.mark.parametrize("switches", [12, 31])
def test_held_out_masks_are_predicted_better_than_by_main_effects(switches):
    plan, _, y, fresh = planted(switches)
    found = fit_shrunk(plan, y)
    alone = r2(fresh, fit(plan, y, pairs=False).predict(plan.fresh))
    assert found.press < found.plain
    assert r2(fresh, found.fitted.predict(plan.fresh)) > alone + 0.3 * (1 - alone)


def test_credible_intervals_hold_most_pairs():
    held = []
    for seed in range(6):
        plan, beta, y, _ = planted(20, seed, noise=0.3)
        found = fit_shrunk(plan, y).fitted
        held.append(np.abs(found.pairs - 4 * beta[21:]) <= found.pair_error)
    assert 0.9 <= np.mean(held) <= 1


def test_pairs_of_a_sum_shrink_to_nothing():
    plan = design(20)
    rng = np.random.default_rng(0)
    y = plan.fit @ rng.normal(size=20) + 0.1 * rng.normal(size=len(plan.fit))
    found = fit_shrunk(plan, y)
    assert found.press > 0.9 * found.plain
    assert np.abs(found.fitted.pairs).max() < 0.15


def test_main_effects_of_a_mirrored_design_stay_those_of_least_squares():
    plan, _, y, _ = planted(20)
    np.testing.assert_allclose(fit_shrunk(plan, y).fitted.main, fit(plan, y, pairs=False).main, atol=1e-12)


def test_each_run_is_left_out_by_the_formula_as_by_doing_it():
    from rankwise.causal.shrunk import _posterior, _press

    rng = np.random.default_rng(1)
    free, products, y = np.ones((9, 1)), rng.normal(size=(9, 4)), rng.normal(size=9)
    total = 0.0
    for k in range(9):
        keep = np.arange(9) != k
        beta, gamma, _ = _posterior(free[keep], products[keep], y[keep], 0.7)
        total += float((y[k] - beta[0] - products[k] @ gamma) ** 2)
    assert _press(free, products @ products.T, y, 0.7) == pytest.approx(total)


def test_without_main_effects_no_pair_is_likelier():
    plan = design(20)
    assert fit_shrunk(plan, np.ones(len(plan.fit))) is None
