"""Scores of a text and what is refitted on them: against brute force, and on rows whose noise they must not know."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal import text_nuisance
from rankwise.causal.aipw import mean_and_error, psi, split
from rankwise.causal.text_nuisance import PENALTIES, Scores, curved, expected, refit, ridge, scores, standard, words


def drawn(n: int, width: int, seed: int = 0, slope: float = 2.0):
    """x [n, width], t by the first column, y = t + slope x_0 + noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, width))
    t = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(np.int64)
    return x, t, t + slope * x[:, 0] + rng.normal(size=n)


def effect(parts, t, y):
    return mean_and_error(psi(y, t, parts.q0, parts.q1, parts.g))


@pytest.mark.parametrize("width", [3, 30])  # fewer and more numbers than rows
@pytest.mark.parametrize("arms", [False, True])
def test_ridge_is_the_direct_solution_with_the_penalty_that_leaving_each_row_out_in_turn_picks(width, arms):
    x, t, y = drawn(20, width, seed=1)
    arm = t if arms else np.zeros(20, dtype=int)
    new = np.random.default_rng(2).normal(size=(4, width))

    def slope(rows, penalty):
        means = np.stack([np.append(x, y[:, None], 1)[rows & (arm == k)].mean(0) for k in np.unique(arm)])
        xc, yc = x[rows] - means[arm[rows], :-1], y[rows] - means[arm[rows], -1]
        return means, np.linalg.solve(xc.T @ xc + penalty * np.eye(width), xc.T @ yc)

    def left_out(i, penalty):
        means, weights = slope(np.arange(20) != i, penalty)
        return means[arm[i], -1] + (x[i] - means[arm[i], :-1]) @ weights

    everything = np.ones(20, dtype=bool)
    scale = ((x - slope(everything, 1)[0][arm, :-1]) ** 2).sum() / 20
    best = min(PENALTIES * scale, key=lambda p: sum((left_out(i, p) - y[i]) ** 2 for i in range(20)))
    own, asked = ridge(x, y[:, None], new, t if arms else None)
    means, weights = slope(everything, best)
    np.testing.assert_allclose(asked[:, 0], (new - x.mean(0)) @ weights, atol=1e-8)
    slopes = [slope(np.arange(20) != i, best)[1] for i in range(20)]
    expected = [
        (x[i] - means[arm[i], :-1]) @ s + (means[arm[i], :-1] - x.mean(0)) @ weights for i, s in enumerate(slopes)
    ]
    np.testing.assert_allclose(own[:, 0], expected, atol=1e-8)


def test_one_column_by_hand():
    # x = -1, 0, 1 and y = 3 x: the least penalty, 1e-4 of the mean square 2/3, leaves a slope of 3 * 2 / (2 + 2e-4/3)
    _, new = ridge(np.array([[-1.0], [0.0], [1.0]]), np.array([[-3.0], [0.0], [3.0]]), np.array([[2.0]]))
    assert new[0, 0] == pytest.approx(6 * 2 / (2 + 2e-4 / 3), abs=1e-10)


def test_a_rows_own_outcome_does_not_move_its_scores():
    x, t, y = drawn(60, 5)
    fold = split(t, 3, 0)
    moved = y.copy()
    moved[7] += 1e-3  # so little that the penalties stay
    one, other = scores("", x, t, y, fold).of_outcome, scores("", x, t, moved, fold).of_outcome
    arms = one[:, 7, t[7]], other[:, 7, t[7]]
    np.testing.assert_allclose(*arms, atol=1e-12)  # by the others of its arm
    held = int(fold[7])
    np.testing.assert_array_equal(one[held], other[held] * (np.arange(60) != -1)[:, None])  # a fold that is asked about
    assert abs(one[held - 1] - other[held - 1]).max() > 1e-8  # of other rows, it does


def test_noise_alone_is_worth_nothing():
    rng = np.random.default_rng(3)
    x, t, y = rng.normal(size=(200, 300)), rng.integers(0, 2, 200), rng.normal(size=200)
    fold = split(t, 2, 0)  # two folds: scores of one differ in scale from those of the other
    ate, error = effect(refit([scores("noise", x, t, y, fold)], t, y, fold), t, y)
    assert error < 0.25  # 2 / sqrt(200) = .14 without adjustment
    assert abs(ate) < 3 * error


def test_refitting_takes_away_what_penalties_leave_as_confounding():
    x, t, y = drawn(1000, 1, slope=3.0)
    fold = split(t, 5, 0)
    half = np.broadcast_to(3.0 * x / 2, (5, 1000, 1))  # as a penalty pulls: the right direction, half as far
    raw, _ = mean_and_error(psi(y, t, half[0, :, 0], 1 + half[0, :, 0], 0.5 + x[:, 0] / 20, clip=0.05))
    ate, error = effect(refit([Scores("pulled", half / 30, half)], t, y, fold), t, y)
    assert raw > 1.5
    assert abs(ate - 1) < 2 * error


def test_the_score_of_both_arms_does_not_tell_the_treatment_of_a_text_that_names_it():
    x, t, y = drawn(500, 1)
    named = np.column_stack([x[:, 0], t])  # the second column is the treatment
    both = scores("view", named, t, y, split(t, 5, 0)).of_outcome[0, :, 2]
    slope = np.linalg.lstsq(np.column_stack([np.ones(500), named]), both, rcond=None)[0]
    assert slope[1] == pytest.approx(2, abs=0.2)
    assert abs(slope[2]) < 0.05  # with numbers as they are: -2 * (what the arms differ by in x) = -1.7


def test_scores_that_hardly_vary_are_dropped():
    x, t, y = drawn(400, 1)
    fold = split(t, 4, 0)
    tiny = np.broadcast_to(1e-9 * np.random.default_rng(1).normal(size=(400, 1)), (4, 400, 1))
    empty = Scores("nothing", np.zeros((4, 400, 1)), np.zeros((4, 400, 1)))
    one, other = (refit([s], t, y, fold, x) for s in (Scores("tiny", tiny, tiny), empty))
    np.testing.assert_allclose(one.q0, other.q0, atol=1e-6)
    np.testing.assert_allclose(one.g, other.g, atol=1e-4)


def test_a_covariate_that_the_text_does_not_tell_is_adjusted_for_beside_it():
    x, t, y = drawn(1000, 1, slope=3.0)
    noise = np.random.default_rng(5).normal(size=(1000, 4))
    fold = split(t, 5, 0)
    said = scores("view", noise, t, y, fold)
    without, with_it = refit([said], t, y, fold), refit([said], t, y, fold, covariates=x)
    assert effect(without, t, y)[0] > 2
    assert effect(with_it, t, y)[0] == pytest.approx(1, abs=0.2)


def test_by_answers_alone_what_tells_the_treatment_is_not_used():
    x, t, y = drawn(600, 1)
    fold = split(t, 3, 0)
    telling = np.broadcast_to(np.column_stack([t, x[:, 0]]).astype(float), (3, 600, 2))
    view = Scores("telling", telling[..., :1], telling[..., 1:])
    whole, alone = refit([view], t, y, fold), refit([view], t, y, fold, answers_alone=True)
    assert (whole.g[t == 1] > 0.9).all()
    assert np.quantile(alone.g[t == 1], 0.9) < 0.95
    assert np.quantile(alone.g[t == 0], 0.1) > 0.05
    assert np.corrcoef(alone.g, 1 / (1 + np.exp(-x[:, 0])))[0, 1] > 0.95  # what moves the outcome too is kept
    ate, error = effect(alone, t, y)
    assert abs(ate - 1) < 3 * error


def test_each_model_goes_by_its_own_scores():
    x, t, y = drawn(300, 2)
    fold = split(t, 3, 0)
    one, rng = scores("view", x, t, y, fold), np.random.default_rng(1)
    noise = Scores("noise", rng.normal(size=one.of_treatment.shape), rng.normal(size=one.of_outcome.shape))
    plain = refit([one], t, y, fold)
    of_outcome = refit([Scores("", one.of_treatment, noise.of_outcome)], t, y, fold)
    of_treatment = refit([Scores("", noise.of_treatment, one.of_outcome)], t, y, fold)
    np.testing.assert_array_equal(plain.g, of_outcome.g)
    np.testing.assert_array_equal(plain.q0, of_treatment.q0)
    np.testing.assert_array_equal(plain.q1, of_treatment.q1)
    assert abs(plain.g - of_treatment.g).max() > 0.01


def test_outcomes_of_0_and_1_are_expected_as_probabilities():
    x, t, y = drawn(400, 3, slope=4.0)
    fold = split(t, 4, 0)
    found = refit([scores("view", x, t, (y > 0).astype(float), fold)], t, (y > 0).astype(float), fold)
    for said in (found.q0, found.q1, found.g):
        assert said.min() >= 0
        assert said.max() <= 1
    assert found.q1.mean() > found.q0.mean()


def test_expected_by_hand():
    # x = -1, 1 and y = 0, 4: slope 2 * 2 / (2 + 1) = 4/3 with a penalty of one row
    found = expected(np.array([[-1.0], [1.0], [2.0]]), np.array([0.0, 4.0, 9.0]), np.array([True, True, False]), False)
    np.testing.assert_allclose(found, [2 - 4 / 3, 2 + 4 / 3, 2 + 8 / 3])
    same = expected(np.ones((3, 1)), np.array([5.0, 5.0, 0.0]), np.array([True, True, False]), False)
    np.testing.assert_array_equal(same, 5.0)


def test_curved_by_hand():
    np.testing.assert_allclose(curved(np.array([[1.0, 0.0], [3.0, 0.0]])), [[-1, 0, 1, 0, 0], [1, 0, 1, 0, 0]])


def test_words_are_those_of_three_texts_at_least():
    found = words(["a b c", "a b", "a b", "a"])
    np.testing.assert_array_equal(found, [[1, 1], [1, 1], [1, 1], [1, 0]])
    assert words(["one", "two", "three"]).shape == (3, 0)


def test_a_view_without_numbers_says_nothing():
    _, t, y = drawn(40, 1)
    fold = split(t, 2, 0)
    found = scores("nothing", np.zeros((40, 0)), t, y, fold)
    assert not found.of_treatment.any()
    assert not found.of_outcome.any()


def test_columns_that_do_not_vary_are_left_out():
    x = np.array([[1.0, 5.0], [3.0, 5.0]])
    np.testing.assert_allclose(standard(x), [[-1.0], [1.0]])


def test_the_words_limit_is_the_documented_one():
    assert "2,000" in (text_nuisance.words.__doc__ or "")
    assert text_nuisance.MOST_WORDS == 2000
