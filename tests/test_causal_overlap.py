"""Overlap, on shares that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.overlap import QUANTILES, overlap
from rankwise.errors import DataError, RecipeError


def test_rows_outside_the_bounds_are_counted():
    seen = overlap([0.01, 0.02, 0.5, 0.98, 0.99])  # the bounds themselves are inside
    assert seen.outside == 2 / 5
    assert seen.n == 5
    assert not seen.ok


def test_five_in_a_hundred_are_still_good_and_six_are_not():
    assert overlap([0.0] * 5 + [0.5] * 95).ok
    assert not overlap([0.0] * 6 + [0.5] * 94).ok


def test_the_quantiles_are_those_of_the_probabilities():
    seen = overlap(np.linspace(0, 1, 101))
    np.testing.assert_allclose(seen.quantiles, QUANTILES, rtol=0, atol=1e-12)


def test_each_verdict_is_said_in_a_sentence():
    assert overlap([0.5, 0.5]).sentence.startswith("Good: no row of 2")
    assert "only 1.0% of 100 rows" in overlap([0.0] + [0.5] * 99).sentence
    assert "Bad: 50.0% of 2 rows" in overlap([0.0, 0.5]).sentence
    assert "no comparison" in overlap([0.0, 0.5]).sentence


@pytest.mark.parametrize("bad", [[0.5, 1.5], [0.5, float("nan")], [-0.1]])
def test_what_is_no_probability_is_named(bad):
    with pytest.raises(DataError, match="no probability"):
        overlap(bad)


def test_no_rows_and_no_bounds_are_refused():
    with pytest.raises(DataError, match="no row"):
        overlap([])
    with pytest.raises(RecipeError, match=r"low=0\.9, high=0\.1"):
        overlap([0.5], 0.9, 0.1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_turning_the_treatment_round_leaves_the_share(values):
    g = np.array(values)
    assert overlap(g, 0.25, 0.75).outside == overlap(1 - (1 - g), 0.25, 0.75).outside
    assert 0 <= overlap(g).outside <= 1
