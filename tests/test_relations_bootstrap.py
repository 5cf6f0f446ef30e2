"""Intervals draw documents, not pairs, and a paired comparison draws the same ones for both systems."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.errors import DataError, UnknownName
from rankwise.relations.bootstrap import interval, paired
from rankwise.relations.score import Score


def hits(*pairs):
    return [Score(a, n, a, n) for a, n in pairs]


def test_two_documents_by_hand():
    """All right and all wrong: a draw gives 0, 1/2 or 1 with chances 1/4, 1/2, 1/4: error sqrt(1/8)."""
    found = interval(hits((10, 10), (0, 10)), draws=20_000)
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)
    assert found.error == pytest.approx(np.sqrt(1 / 8), abs=0.005)
    assert (found.documents, found.draws) == (2, 20_000)


def test_documents_that_are_all_alike_leave_no_doubt():
    found = interval(hits(*[(7, 10)] * 5), draws=500)
    assert found.low == found.high == pytest.approx(0.7, abs=1e-12)


def test_the_error_of_a_mean_of_documents_is_the_textbook_one():
    g = np.random.default_rng(0)
    right = g.integers(0, 21, 40)
    found = interval([Score(int(a), 20, int(a), 20) for a in right], "precision", draws=20_000)
    assert found.error == pytest.approx((right / 20).std() / np.sqrt(40), rel=0.03)
    assert found.low < found.value < found.high


def test_errors_that_cluster_widen_the_interval():
    """The same 200 right of 400, spread evenly or by whole documents."""
    even, lumps = interval(hits(*[(10, 20)] * 20)), interval(hits(*[(20, 20)] * 10, *[(0, 20)] * 10))
    assert even.value == lumps.value
    assert lumps.high - lumps.low > 0.3 > even.high - even.low


def test_measures_are_those_of_the_summed_counts():
    scores = [Score(3, 4, 2, 8), Score(1, 6, 1, 2)]
    assert interval(scores, "precision").value == pytest.approx(0.4)
    assert interval(scores, "recall").value == pytest.approx(0.3)
    assert interval(scores).value == pytest.approx(2 * 0.4 * 0.3 / 0.7)


def test_a_paired_comparison_sees_a_small_steady_difference_that_intervals_hide():
    g = np.random.default_rng(1)
    right = g.integers(5, 96, 30)
    first, second = hits(*[(int(a) + 3, 100) for a in right]), hits(*[(int(a), 100) for a in right])
    one, other = interval(first), interval(second)
    assert one.low < other.value < one.high
    found = paired(first, second, draws=2_000)
    assert found.value == pytest.approx(0.03)
    np.testing.assert_allclose((found.low, found.high), 0.03, rtol=0, atol=1e-12)
    assert found.p == pytest.approx(1 / 2001)


def test_the_p_value_of_two_documents_by_hand():
    """Differences +.2 and -.2 of equal weight: the value is 0, so that every draw is at least as large."""
    found = paired(hits((6, 10), (4, 10)), hits((4, 10), (6, 10)), draws=1_000)
    assert (found.value, found.p) == (0.0, 1.0)
    found = paired(hits((8, 10), (4, 10)), hits((4, 10), (4, 10)), draws=20_000)
    # +.4 and 0: value .2; draws .4, .2, 0 with chances 1/4, 1/2, 1/4; moved to 0: beyond .2 in half of them
    assert found.p == pytest.approx(0.5, abs=0.02)
    assert (found.low, found.high) == (0.0, pytest.approx(0.4))


def test_systems_that_differ_by_chance_are_called_different_about_as_often_as_promised():
    g = np.random.default_rng(2)
    below = 0
    for _ in range(200):
        base = g.uniform(0.4, 0.9, 25)
        one, other = g.binomial(40, base), g.binomial(40, base)
        pair = [hits(*[(int(a), 40) for a in x]) for x in (one, other)]
        below += paired(*pair, draws=500, seed=int(g.integers(10**6))).p < 0.05
    assert 2 <= below <= 24  # 5 % of 200 is 10; the bootstrap of 25 documents is a little too sure


def test_the_seed_makes_it_repeatable_and_draws_beyond_a_block_work():
    scores = hits((3, 10), (8, 10), (5, 10))
    assert interval(scores, draws=2_500, seed=4) == interval(scores, draws=2_500, seed=4)
    assert interval(scores, draws=2_500, seed=4) != interval(scores, draws=2_500, seed=5)


def test_documents_with_nothing_in_them_do_no_harm():
    assert interval([Score(), Score(), Score(1, 2, 1, 2)]).value == 0.5


def test_what_cannot_be_compared_is_refused():
    three = hits((1, 2), (1, 2), (1, 2))
    with pytest.raises(DataError, match="at least two"):
        interval(three[:1])
    with pytest.raises(DataError, match="the same documents"):
        paired(three, three[:2])
    with pytest.raises(DataError, match="In document 1"):
        paired(three, hits((1, 2), (1, 3), (1, 2)))
    with pytest.raises(UnknownName, match="Known: f1"):
        interval(three, "f2")
    with pytest.raises(DataError, match="level"):
        interval(three, level=95)
