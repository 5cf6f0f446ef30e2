"""Scores and intervals against numbers worked out by hand."""

import math

import numpy as np
import pytest

from rankwise.errors import DataError, RecipeError, UnknownName
from rankwise.train import metrics
from rankwise.train.metrics import (
    METRICS,
    bootstrap,
    default_metric,
    higher_is_better,
    interval,
    metric_named,
    score,
    wilson,
)

# class 1: 2 hits, 1 false alarm, 1 miss, 2 right refusals
PREDICTED, GOLD = [1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("accuracy", 4 / 6),
        ("f1", 2 / 3),  # 2 * 2 / (2 * 2 + 1 + 1)
        ("f1_micro", 4 / 6),
        ("matthews", 1 / 3),  # (2 * 2 - 1 * 1) / sqrt(3 * 3 * 3 * 3)
    ],
)
def test_two_classes_by_hand(name, want):
    assert score(name, PREDICTED, GOLD) == pytest.approx(want, abs=1e-15)


def test_more_than_two_classes_take_the_mean_f1():
    # class 0: 1 hit, 0 false, 1 miss: 2/3; class 1: 1 hit, 1 false, 0 miss: 2/3; class 2: 1
    assert score("f1", [0, 1, 1, 2], [0, 0, 1, 2]) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3, abs=1e-15)


def test_three_class_heads_are_not_taken_for_two_class_ones():
    # rows show classes 0 and 1 alone; F1 of class 1 is 0, of class 0 it is 2/3
    assert score("f1", [0, 0], [0, 1], classes=2) == 0
    assert score("f1", [0, 0], [0, 1], classes=3) == pytest.approx(1 / 3, abs=1e-15)


def test_several_labels_a_row_by_hand():
    predicted, gold = [[1, 0], [1, 1]], [[1, 1], [1, 0]]
    assert score("accuracy", predicted, gold) == 0.0  # no row is right throughout
    assert score("f1_micro", predicted, gold) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1), abs=1e-15)
    assert score("f1", predicted, gold) == pytest.approx((1 + 0) / 2, abs=1e-15)


def test_numbers_by_hand():
    # deviations (-1, 0, 1) and (-1, -1, 2): 3 / sqrt(2 * 6)
    assert score("pearson", [1.0, 2.0, 3.0], [0.0, 0.0, 3.0]) == pytest.approx(3 / math.sqrt(12), abs=1e-12)
    assert score("spearman", [1.0, 2.0, 30.0], [5.0, 6.0, 7.0]) == pytest.approx(1, abs=1e-12)
    assert score("spearman", [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]) == pytest.approx(1 - 6 * 2 / 24, abs=1e-12)
    assert score("mse", [1.0, 3.0], [0.0, 1.0]) == 2.5


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_a_constant_prediction_correlates_with_nothing(name):
    assert score(name, [1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) == 0.0


@pytest.mark.parametrize("name", ["f1", "f1_micro", "matthews"])
def test_one_class_alone_warns_of_nothing(name):
    assert score(name, [0, 0], [0, 0]) in (0.0, 1.0)


def test_a_head_gets_a_metric_that_fits_it():
    for kind in ("single", "multi", "regression", "tokens", "spans"):
        assert metric_named(default_metric(kind), kind).higher
    assert default_metric("single") == "accuracy"
    assert [name for name in METRICS if not higher_is_better(name)] == ["mse"]


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(
        UnknownName, match=r"\n  There are: accuracy, f1, f1_micro, matthews, pearson, spearman, mse\.$"
    ):
        metric_named("zzz")
    with pytest.raises(UnknownName, match=r"For a head of kind 'regression': pearson, spearman, mse"):
        metric_named("rouge", "regression")
    with pytest.raises(UnknownName, match="Nearest: accuracy"):
        score("acuracy", [1], [1])
    with pytest.raises(UnknownName, match="does not fit a head of kind 'regression'"):
        metric_named("f1", "regression")


@pytest.mark.parametrize(("predicted", "gold"), [([], []), ([1, 0], [1])])
def test_sides_that_do_not_match_are_refused(predicted, gold):
    with pytest.raises(DataError, match="same shape"):
        score("accuracy", predicted, gold)


def test_wilson_by_hand():
    # p = 0.8, n = 10, z = 1.959964: (0.8 + 0.192073 +- 1.959964 * sqrt(0.016 + 0.0096036)) / 1.384146
    low, high = wilson(8, 10)
    assert low == pytest.approx(0.49016, abs=1e-5)
    assert high == pytest.approx(0.94332, abs=1e-5)


def test_wilson_stays_inside_nought_and_one():
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0
    assert 0 < wilson(0, 7)[1] < 1
    # mirrored: what holds of right answers holds of wrong ones
    assert wilson(3, 7)[0] == pytest.approx(1 - wilson(4, 7)[1], abs=1e-15)


def test_more_confidence_or_fewer_rows_widen_the_interval():
    def width(*args):
        low, high = wilson(*args)
        return high - low

    assert width(80, 100) < width(8, 10)
    assert width(8, 10, 0.9) < width(8, 10, 0.95) < width(8, 10, 0.99)


@pytest.mark.parametrize(("correct", "n"), [(1, 0), (3, 2), (-1, 2)])
def test_an_impossible_count_is_refused(correct, n):
    with pytest.raises(DataError):
        wilson(correct, n)


def test_a_confidence_outside_its_range_is_refused():
    with pytest.raises(RecipeError, match="confidence=95"):
        wilson(1, 2, 95)


def test_the_bootstrap_repeats_and_agrees_with_wilson_on_a_share():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 2, 400)
    predicted = np.where(rng.random(400) < 0.8, gold, 1 - gold)
    drawn = bootstrap("accuracy", predicted, gold, seed=1, samples=400)
    assert drawn == bootstrap("accuracy", predicted, gold, seed=1, samples=400)
    assert drawn != bootstrap("accuracy", predicted, gold, seed=2, samples=400)
    exact = wilson(int((predicted == gold).sum()), 400)
    assert drawn == pytest.approx(exact, abs=0.01)
    assert interval("accuracy", predicted, gold) == exact


def test_the_bootstrap_keeps_rows_together():
    # predictions equal gold in every row, so they do in every draw that has both values
    low, high = bootstrap("mse", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], samples=20)
    assert (low, high) == (0.0, 0.0)


def test_importing_the_metrics_leaves_scikit_learn_alone():
    import subprocess
    import sys

    code = f"import sys, {metrics.__name__}; sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
