"""Errors by blocks left out: worked by hand, and of means, where the closed form is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.jackknife import BLOCKS, jackknife, width
from rankwise.errors import DataError


def test_two_blocks_by_hand():
    y, block = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 1, 1])
    # without the first block 3.5, without the second 1.5: mean 2.5, (2 - 1) / 2 * (1 + 1) = 1
    assert jackknife(lambda keep: float(y[keep].mean()), block) == pytest.approx(1.0, abs=1e-12)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_of_a_mean_with_single_rows_it_is_the_closed_form(values):
    y = np.array(values)
    found = jackknife(lambda keep: float(y[keep].mean()), np.arange(len(y)))
    assert found == pytest.approx(y.std(ddof=1) / np.sqrt(len(y)), abs=1e-9)


def test_what_the_models_of_an_estimate_add_is_counted():
    # the mean of what a regression of 60 numbers on 100 rows misses: its rows' spread is too small by that
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 60)), rng.normal(size=100)
    new = rng.normal(size=(100, 60))

    def estimate(keep):
        weights = np.linalg.lstsq(x[keep], y[keep], rcond=None)[0]
        return float((new @ weights).mean())

    given_models = (new @ np.linalg.lstsq(x, y, rcond=None)[0]).std(ddof=1) / 10
    assert jackknife(estimate, np.arange(100) % BLOCKS) > 1.2 * given_models


def test_the_interval_is_that_of_student():
    assert width(0) == pytest.approx(1.959964, abs=1e-6)
    assert width(20) == pytest.approx(2.093024, abs=1e-6)  # tables of t, 19 degrees of freedom


def test_one_block_tells_no_error():
    with pytest.raises(DataError, match="1 blocks"):
        jackknife(lambda keep: 0.0, np.zeros(4, dtype=int))
