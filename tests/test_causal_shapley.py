"""Shapley values against games solved by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.causal.shapley import shapley
from rankwise.errors import RecipeError


def test_the_glove_game():
    # Switch 0 a left glove, 1 and 2 right ones; a pair is worth 1. By hand: 2/3, 1/6, 1/6.
    worth = np.array([0, 0, 0, 1, 0, 1, 0, 1.0])  # masks 011, 101 and 111 hold a pair
    np.testing.assert_allclose(shapley(worth), [2 / 3, 1 / 6, 1 / 6])


def test_a_pair_is_shared_in_halves_and_a_sum_is_given_back():
    # v = 1 + 3 g0 - 2 g1 + 4 g0 g1
    np.testing.assert_allclose(shapley(np.array([1.0, 4.0, -1.0, 6.0])), [5.0, 0.0], atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 7), st.integers(0, 100))
def test_shares_add_up_to_the_whole_way(switches, seed):
    values = np.random.default_rng(seed).normal(size=2**switches)
    np.testing.assert_allclose(shapley(values).sum(), values[-1] - values[0], atol=1e-12)


def test_a_switch_that_changes_nothing_has_no_share():
    values = np.array([float(k & 1) for k in range(8)])
    np.testing.assert_allclose(shapley(values), [1, 0, 0], atol=1e-15)


@pytest.mark.parametrize("count", [0, 3, 2**13])
def test_incomplete_or_too_many_outcomes_are_refused(count):
    with pytest.raises(RecipeError, match="need all 2"):
        shapley(np.zeros(count))
