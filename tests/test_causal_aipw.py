"""Doubly robust scores by hand, their error, and that either model alone is enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.causal.aipw import NUISANCES, cross_fit, mean_and_error, psi, split
from rankwise.errors import DataError, RecipeError


def made(n=600, seed=0, effect=2.0):
    """x confounds; the effect is `effect`, the naive difference is larger."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    t = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(int)
    y = effect * t + 1.5 * x[:, 0] + x[:, 1] + rng.normal(size=n)
    return x, t, y


def test_scores_of_two_rows_by_hand():
    # treated: 3 - 1 + (4 - 3) / .5 = 4; untreated: 3 - 1 - (0 - 1) / (1 - .2) = 3.25
    got = psi([4.0, 0.0], [1, 0], [1.0, 1.0], [3.0, 3.0], [0.5, 0.2])
    np.testing.assert_allclose(got, [4.0, 3.25], rtol=0, atol=1e-12)


def test_a_row_weighs_no_more_than_one_over_clip():
    # (4 - 3) / .1 rather than / .001
    np.testing.assert_allclose(psi([4.0], [1], [3.0], [3.0], [0.001], clip=0.1), [10.0], rtol=0, atol=1e-12)


def test_mean_and_error_by_hand():
    ate, se = mean_and_error([1.0, 2.0, 3.0])  # sd 1, over root 3
    assert ate == 2.0
    assert se == pytest.approx(1 / np.sqrt(3), abs=1e-12)


def test_rows_of_one_group_count_together():
    # deviations -1, -1, 1, 1; sums by group -2 and 2; sqrt(8 * 2 / 1) / 4 = 1
    ate, se = mean_and_error([1.0, 1.0, 3.0, 3.0], groups=["a", "a", "b", "b"])
    assert (ate, se) == (2.0, 1.0)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=30))
def test_groups_of_one_row_give_the_plain_error(values):
    plain, clustered = mean_and_error(values), mean_and_error(values, groups=range(len(values)))
    np.testing.assert_allclose(clustered, plain, rtol=0, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.floats(-5, 5), st.floats(-3, 3))
def test_adding_to_the_outcome_and_its_models_moves_no_score(shift, level):
    y, t, g = np.array([4.0, 0.0]), [1, 0], [0.5, 0.2]
    base = psi(y, t, [level] * 2, [1.0] * 2, g)
    np.testing.assert_allclose(psi(y + shift, t, [level + shift] * 2, [1.0 + shift] * 2, g), base, rtol=0, atol=1e-9)


def test_right_outcomes_mend_wrong_probabilities_and_the_other_way_round():
    x, t, y = made(20_000)
    q0 = 1.5 * x[:, 0] + x[:, 1]
    g = 1 / (1 + np.exp(-x[:, 0]))
    half, none = np.full(len(t), 0.5), np.zeros(len(t))
    for scores in (psi(y, t, q0, q0 + 2, half), psi(y, t, none, none, g)):
        ate, se = mean_and_error(scores)
        assert abs(ate - 2) < 3 * se < 0.15
    wrong, se = mean_and_error(psi(y, t, none, none, half))
    assert abs(wrong - 2) > 10 * se  # neither right: nothing saves it


@pytest.mark.parametrize("nuisance", NUISANCES)
def test_each_kind_of_model_finds_the_effect(nuisance):
    x, t, y = made()
    n = cross_fit(x, t, y, nuisance=nuisance)
    ate, se = mean_and_error(psi(y, t, n.q0, n.q1, n.g))
    naive = y[t == 1].mean() - y[t == 0].mean()
    assert abs(ate - 2) < 0.4 < naive - 2
    assert 0.05 < se < 0.25


def test_a_row_is_never_asked_about_by_a_model_that_saw_it():
    x, t, y = made(200)
    before = cross_fit(x, t, y)
    y2 = y.copy()
    y2[7] += 100
    after = cross_fit(x, t, y2)
    same = before.fold == before.fold[7]
    np.testing.assert_array_equal(before.q1[same], after.q1[same])
    np.testing.assert_array_equal(before.q0[same], after.q0[same])
    arm = "q1" if t[7] else "q0"
    assert (getattr(before, arm)[~same] != getattr(after, arm)[~same]).all()


def test_an_outcome_of_two_values_is_predicted_within_them():
    x, t, y = made()
    n = cross_fit(x, t, (y > 0).astype(int))
    assert ((n.q0 >= 0) & (n.q0 <= 1) & (n.q1 >= 0) & (n.q1 <= 1)).all()


@pytest.mark.parametrize("nuisance", NUISANCES)
def test_an_outcome_that_hardly_happens_is_dealt_with(nuisance):
    x, t, _ = made(120)
    y = np.zeros(120)
    y[[3, 50]] = 1.0
    n = cross_fit(x, t, y, nuisance=nuisance)
    assert (n.q1 <= 0.1).all()
    assert np.isfinite(psi(y, t, n.q0, n.q1, n.g)).all()


def test_with_nothing_to_adjust_for_the_arms_are_compared():
    _, t, y = made(1000)
    n = cross_fit(np.empty((1000, 0)), t, y)
    assert psi(y, t, n.q0, n.q1, n.g).mean() == pytest.approx(y[t == 1].mean() - y[t == 0].mean(), abs=0.05)


def test_the_unit_of_the_outcome_does_not_matter():
    x, t, y = made(300)
    for nuisance in NUISANCES:
        one, other = cross_fit(x, t, y, nuisance=nuisance), cross_fit(x, t, 1024 * y, nuisance=nuisance)
        np.testing.assert_allclose(other.q1, 1024 * one.q1, rtol=1e-6, atol=1e-6)


def test_groups_stay_in_one_fold_and_folds_hold_both_arms():
    t, groups = np.tile([0, 1], 60), np.repeat(np.arange(40), 3)
    fold = split(t, 4, groups=groups)
    assert all(len(set(fold[groups == g])) == 1 for g in range(40))
    assert all(0.3 < t[fold == k].mean() < 0.7 for k in range(4))


def test_what_cannot_be_fitted_is_refused():
    x, t, y = made(100)
    with pytest.raises(RecipeError, match="Nearest: boosting"):
        cross_fit(x, t, y, nuisance="bosting")
    with pytest.raises(RecipeError, match="folds=1"):
        cross_fit(x, t, y, folds=1)
    with pytest.raises(DataError, match="3 rows have the treatment at 1"):
        cross_fit(x, np.arange(100) < 3, y)
    with pytest.raises(RecipeError, match="folds=5 for 2 groups"):
        split(t, 5, groups=t)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="2, 1, 1, 1, 1 rows"):
        psi([1.0, 2.0], [1], [1.0], [1.0], [0.5])
    with pytest.raises(DataError, match=r"holds 2\.0"):
        psi([1.0], [2], [1.0], [1.0], [0.5])
    with pytest.raises(RecipeError, match=r"clip=0\.5"):
        psi([1.0], [1], [1.0], [1.0], [0.5], clip=0.5)
    with pytest.raises(DataError, match="1 rows"):
        mean_and_error([1.0])
    with pytest.raises(DataError, match="3 groups for 2 rows"):
        mean_and_error([1.0, 2.0], groups=[1, 2, 3])
    with pytest.raises(DataError, match="one group"):
        mean_and_error([1.0, 2.0], groups=[1, 1])
