"""Scores come as a mapping or as arrays, from either end, as probabilities or logits, and become one form."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.errors import DataError
from rankwise.relations.pair_scores import LEAST, pair_scores

TURN = [1, 0, 2, 3]
ROW = np.log([0.4, 0.3, 0.2, 0.1])


def scores(given, events=None):
    return pair_scores(given, 4, TURN, events)


def test_a_mapping_and_arrays_of_names_or_positions_say_the_same():
    one = scores({("a", "b"): ROW})
    names = scores((["a"], ["b"], ROW[None]))
    places = scores((np.array([0]), np.array([1]), ROW[None]), events=["a", "b"])
    for found in (one, names, places):
        assert found.pairs == (("a", "b"),)
        np.testing.assert_allclose(found.logp[0], ROW, rtol=0, atol=1e-12)


def test_positions_without_events_are_names():
    assert scores((np.array([3]), np.array([5]), ROW[None])).pairs == (("3", "5"),)


def test_both_ends_of_a_pair_are_averaged_through_the_converse():
    back = np.log([0.2, 0.5, 0.2, 0.1])  # b to a; from a to b: .5 .2 .2 .1
    found = scores({("a", "b"): ROW, ("b", "a"): back})
    mean = np.sqrt([0.4 * 0.5, 0.3 * 0.2, 0.2 * 0.2, 0.1 * 0.1])
    assert found.pairs == (("a", "b"),)
    np.testing.assert_allclose(np.exp(found.logp[0]), mean / mean.sum(), rtol=0, atol=1e-12)


def test_logits_are_normalised_and_the_impossible_gets_a_floor():
    found = scores({("a", "b"): [5.0, 5.0, -np.inf, -np.inf]})
    np.testing.assert_allclose(found.logp[0], [-np.log(2), -np.log(2), LEAST, LEAST], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("given", "events", "says"),
    [
        ({("a", "a"): ROW}, None, "relates 'a' to itself"),
        ({("a", "b"): ROW[:3]}, None, "wrong number of scores"),
        ({("a", "b"): [np.nan, 0, 0, 0]}, None, "finite, or -inf"),
        ({("a", "b"): [-np.inf] * 4}, None, "finite, or -inf"),
        ({("a", "x"): ROW}, ["a", "b"], "names 'x'"),
        ((np.array([0]), np.array([2]), ROW[None]), ["a", "b"], "positions 2 to 2"),
        ((["a"], ["b", "c"], ROW[None]), None, r"shapes \(1,\), \(2,\) and \(1, 4\)"),
    ],
)
def test_scores_that_cannot_be_read_are_refused(given, events, says):
    with pytest.raises(DataError, match=says):
        scores(given, events)


def test_no_scores_at_all_are_fine():
    assert scores({}).pairs == ()
    assert scores({}).logp.shape == (0, 4)
