"""Scores of a text and what is refitted on them: against brute force, and on rows whose noise they must not know."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal import text_nuisance
from rankwise.causal.aipw import mean_and_error, psi, split
from rankwise.causal.text_nuisance import PENALTIES, Scores, refit, ridge, scores, second_stage, standard, words


def drawn(n: int, width: int, seed: int = 0, slope: float = 2.0):
    """x [n, width], t by the first column, y = t + slope x_0 + noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, width))
    t = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(np.int64)
    return x, t, t + slope * x[:, 0] + rng.normal(size=n)


@pytest.mark.parametrize("width", [3, 30])  # fewer and more numbers than rows
def test_ridge_picks_the_penalty_that_leaving_each_row_out_in_turn_picks(width):
    x, _, y = drawn(20, width, seed=1)
    new = np.random.default_rng(2).normal(size=(4, width))

    def fitted(rows, at, penalty):
        mean, level = x[rows].mean(0), y[rows].mean()
        xc = x[rows] - mean
        weights = np.linalg.solve(xc.T @ xc + penalty * np.eye(width), xc.T @ (y[rows] - level))
        return (at - mean) @ weights + level

    everything = np.arange(20)
    scale = ((x - x.mean(0)) ** 2).sum() / 20

    def left_out(penalty):  # the mean of the others and the penalty stay those of all rows: the usual shortcut
        xc, yc = x - x.mean(0), y - y.mean()
        hat = xc @ np.linalg.solve(xc.T @ xc + penalty * np.eye(width), xc.T) + 1 / 20
        return ((((np.eye(20) - hat) @ yc) / (1 - np.diag(hat))) ** 2).mean()

    best = min(PENALTIES * scale, key=left_out)
    np.testing.assert_allclose(ridge(x, y[:, None], new)[:, 0], fitted(everything, new, best), atol=1e-8)


def test_one_column_by_hand():
    # x = -1, 0, 1 and y = 3 x: the least penalty, 1e-4 of the mean square 2/3, leaves a slope of 3 * 2 / (2 + 2e-4/3)
    found = ridge(np.array([[-1.0], [0.0], [1.0]]), np.array([[-3.0], [0.0], [3.0]]), np.array([[2.0]]))
    assert found[0, 0] == pytest.approx(6 * 2 / (2 + 2e-4 / 3), abs=1e-10)


def test_scores_do_not_know_the_noise_of_their_own_row():
    rng = np.random.default_rng(3)
    x, t, y = rng.normal(size=(200, 300)), rng.integers(0, 2, 200), rng.normal(size=200)  # noise alone
    found = scores("noise", x, t, y, split(t, 5, 0))
    for said in found.columns.T:
        assert np.corrcoef(said, y)[0, 1] < 0.15
    assert abs(np.corrcoef(found.t, t)[0, 1]) < 0.2


def test_a_rows_own_outcome_does_not_move_its_scores():
    x, t, y = drawn(60, 5)
    fold = split(t, 3, 0)
    moved = y.copy()
    moved[7] += 100
    np.testing.assert_array_equal(scores("", x, t, y, fold).columns[7], scores("", x, t, moved, fold).columns[7])


def test_refitting_takes_away_what_penalties_leave_as_confounding():
    x, t, y = drawn(1000, 1, slope=3.0)
    half = 3.0 * x[:, 0] / 2  # as a penalty pulls: the right direction, half as far
    said = Scores("pulled", t=0.5 + x[:, 0] / 20, q0=half, q1=1 + half, both=half)
    raw, _ = mean_and_error(psi(y, t, said.q0, said.q1, said.t, clip=0.05))
    fitted = refit([said], t, y, split(t, 5, 0))
    ate, error = mean_and_error(psi(y, t, fitted.q0, fitted.q1, fitted.g))
    assert raw > 1.5
    assert abs(ate - 1) < 2 * error


def test_a_covariate_that_the_text_does_not_tell_is_adjusted_for_beside_it():
    x, t, y = drawn(2000, 1, slope=3.0)
    noise = np.random.default_rng(5).normal(size=(2000, 4))
    fold = split(t, 5, 0)
    said = scores("view", noise, t, y, fold)
    without, with_it = refit([said], t, y, fold), refit([said], t, y, fold, covariates=x)
    assert mean_and_error(psi(y, t, without.q0, without.q1, without.g))[0] > 2
    assert mean_and_error(psi(y, t, with_it.q0, with_it.q1, with_it.g))[0] == pytest.approx(1, abs=0.15)


def test_outcomes_of_0_and_1_are_expected_as_probabilities():
    x, t, y = drawn(400, 3, slope=4.0)
    found = second_stage(x, x, t, (y > 0).astype(float), split(t, 4, 0))
    for said in (found.q0, found.q1, found.g):
        assert said.min() >= 0
        assert said.max() <= 1
    assert found.q1.mean() > found.q0.mean()


def test_words_are_those_of_three_texts_at_least():
    found = words(["a b c", "a b", "a b", "a"])
    np.testing.assert_array_equal(found, [[1, 1], [1, 1], [1, 1], [1, 0]])
    assert words(["one", "two", "three"]).shape == (3, 0)


def test_a_view_without_numbers_says_the_mean():
    _, t, y = drawn(40, 1)
    found = scores("nothing", np.zeros((40, 0)), t, y, split(t, 2, 0))
    assert np.isfinite(found.columns).all()
    assert len(np.unique(found.t)) <= 2


def test_columns_that_do_not_vary_are_left_out():
    x = np.array([[1.0, 5.0], [3.0, 5.0]])
    np.testing.assert_allclose(standard(x), [[-1.0], [1.0]])


def test_the_words_limit_is_the_documented_one():
    assert "2,000" in (text_nuisance.words.__doc__ or "")
    assert text_nuisance.MOST_WORDS == 2000
