"""Masks and least squares, against outcomes whose effects are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.causal.design import design, every_mask, fit, left_out_r2, pair_names, r2, r2_interval, terms
from rankwise.errors import RecipeError


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(6, 14), st.integers(0, 3))
def test_no_design_takes_more_runs_than_it_was_given(switches, per_switch, seed):
    plan = design(switches, per_switch=per_switch, seed=seed)
    assert len(plan.all) <= max(per_switch * switches, 2**switches if plan.complete else 0)
    fitted = {row.tobytes() for row in plan.fit}
    assert not any(row.tobytes() in fitted for row in plan.fresh)
    np.testing.assert_array_equal(plan.fit.mean(0), 0.5)  # every switch open in half of the runs


def test_few_switches_are_run_under_every_mask():
    plan = design(3)
    assert plan.complete
    assert plan.fit.tolist()[5] == [True, False, True]  # 5 = 101 in binary, lowest bit first
    assert len(plan.all) == 8
    assert len(plan.fresh) == 0


def test_many_switches_come_with_their_opposites():
    plan = design(20)
    assert plan.mirrored
    np.testing.assert_array_equal(plan.fit[::2], ~plan.fit[1::2])
    assert len(plan.all) <= 240


def test_effects_by_hand():
    # y = 1 + 3 g0 - 2 g1 + 4 g0 g1 over all four masks: 00 1, 10 4, 01 -1, 11 6
    plan = design(2)
    found = fit(plan, np.array([1.0, 4.0, -1.0, 6.0]), pairs=True)
    np.testing.assert_allclose(found.main, [5.0, 0.0], atol=1e-12)  # (4 + 6 - 1 + 1) / 2; (-1 + 6 - 1 - 4) / 2
    np.testing.assert_allclose(found.pairs, [4.0])
    np.testing.assert_allclose(found.predict(every_mask(2)), [1.0, 4.0, -1.0, 6.0])
    np.testing.assert_array_equal(found.main_error, 0)  # nothing was sampled


@pytest.mark.parametrize("switches", [9, 15, 22])
def test_a_sum_of_switches_is_found_exactly(switches):
    plan = design(switches, seed=1)
    weights = np.random.default_rng(0).normal(size=switches)
    found = fit(plan, plan.fit @ weights, pairs=False)
    np.testing.assert_allclose(found.main, weights, atol=1e-9)
    np.testing.assert_allclose(found.predict(plan.fresh), plan.fresh @ weights, atol=1e-9)


def test_pairs_are_found_and_named():
    plan = design(9)
    y = plan.fit[:, 0] * 2.0 + plan.fit[:, 1] * plan.fit[:, 4] * 8.0
    found = fit(plan, y, pairs=True)
    np.testing.assert_allclose(found.main, [2, 4, 0, 0, 4, 0, 0, 0, 0], atol=1e-9)  # half of the pair on each
    at = pair_names([str(i) for i in range(9)]).index(("1", "4"))
    expected = np.zeros(36)
    expected[at] = 8
    np.testing.assert_allclose(found.pairs, expected, atol=1e-9)
    assert left_out_r2(plan, y, pairs=True) > left_out_r2(plan, y, pairs=False)


def test_pairs_cannot_leak_into_the_main_effects_of_a_mirrored_design():
    plan = design(20)
    z = np.where(plan.fit, 1.0, -1.0)
    found = fit(plan, 5 * z[:, 2] * z[:, 3] + 1 * z[:, 0], pairs=False)
    expected = np.zeros(20)
    expected[0] = 2
    np.testing.assert_allclose(found.main, expected, atol=1e-9)
    np.testing.assert_allclose(found.main_error, 0, atol=1e-9)


@pytest.mark.parametrize("switches", [8, 18])
def test_intervals_cover_the_truth_as_often_as_they_say(switches):
    rng, weights, covered = np.random.default_rng(3), np.linspace(-1, 1, switches), []
    plan = design(switches)
    for _ in range(200):
        noise = rng.normal(size=len(plan.fit))
        found = fit(plan, plan.fit @ weights + noise, pairs=False)
        covered.append(np.abs(found.main - weights) <= found.main_error)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_what_is_predicted_by_hand():
    y = np.array([1.0, 2.0, 3.0])
    assert r2(y, y) == 1
    assert r2(y, np.array([2.0, 2.0, 2.0])) == 0
    assert r2(y, np.array([2.0, 2.0, 2.5])) == pytest.approx(1 - 1.25 / 2)
    assert np.isnan(r2(np.ones(3), y))
    low, high = r2_interval(np.arange(30.0), np.arange(30.0) + np.tile([1.0, -1.0], 15))
    assert low < r2(np.arange(30.0), np.arange(30.0) + np.tile([1.0, -1.0], 15)) < high


def test_terms_in_order():
    np.testing.assert_array_equal(terms(np.array([[True, False, True]]), pairs=True), [[1, 1, -1, 1, -1, 1, -1]])


def test_an_experiment_without_switches_or_runs_is_refused():
    with pytest.raises(RecipeError, match="no switch"):
        design(0)
    with pytest.raises(RecipeError, match="too few"):
        design(5, per_switch=3)
