"""Effects by group, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rankwise.causal.modifiers import LEAST, by_group


def test_groups_have_the_mean_of_their_scores_and_the_error_of_it():
    psi = np.concatenate([np.tile([1.0, 3.0], 20), np.tile([5.0, 7.0], 20)])
    (found,) = by_group(pd.DataFrame({"c": ["a"] * 40 + ["b"] * 40}), ("c",), psi)
    assert [(v.level, v.n, v.ate) for v in found.levels] == [("a", 40, 2.0), ("b", 40, 6.0)]
    half = 1.96 * np.std([1, 3] * 20, ddof=1) / np.sqrt(40)
    assert found.levels[0].high == pytest.approx(2 + half, abs=1e-4)
    assert found.p < 1e-6
    assert "differs by c" in found.sentence


def test_numbers_of_many_values_are_cut_into_quarters_that_hold_every_row():
    x = np.arange(400) / 10
    (found,) = by_group(pd.DataFrame({"x": x}), ("x",), np.tile([1.0, 2.0], 200))
    assert [v.n for v in found.levels] == [100, 100, 100, 100]
    assert found.levels[0].level == "0 to 9.97"
    assert found.p == pytest.approx(1.0)
    assert "cannot be excluded" in found.sentence


def test_few_values_of_a_number_are_groups_of_their_own():
    (found,) = by_group(pd.DataFrame({"x": [0, 1] * 30}), ("x",), np.arange(60.0))
    assert [v.level for v in found.levels] == ["0", "1"]


def test_a_small_group_is_counted_and_not_estimated():
    (found,) = by_group(pd.DataFrame({"c": ["a"] * 50 + ["b"] * (LEAST - 1)}), ("c",), np.arange(69.0))
    assert (found.levels[1].n, found.levels[1].ate) == (LEAST - 1, None)
    assert found.p is None
    assert "too few rows" in found.sentence


def test_rows_that_belong_together_widen_the_interval():
    table, psi = pd.DataFrame({"c": ["a"] * 80}), np.repeat(np.arange(20.0), 4)
    alone = by_group(table, ("c",), psi)[0].levels[0]
    together = by_group(table, ("c",), psi, np.repeat(np.arange(20), 4))[0].levels[0]
    assert together.high - together.low > 1.8 * (alone.high - alone.low)


def test_equal_effects_are_called_different_one_time_in_twenty():
    rng, rejected = np.random.default_rng(0), 0
    table = pd.DataFrame({"c": np.tile(list("abcd"), 50)})
    for _ in range(200):
        rejected += by_group(table, ("c",), rng.normal(size=200))[0].p < 0.05
    assert 3 <= rejected <= 20
