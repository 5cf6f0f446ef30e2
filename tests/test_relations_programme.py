"""The search is exact, keeps its promises when stopped, and leaves decided pairs alone."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.relations.cuts import Pairs, broken_paths
from rankwise.relations.greedy import Domains
from rankwise.relations.programme import Programme, solve, worth
from tests.reference import temporal


def programme(n, seed, sharp=2.0):
    g = np.random.default_rng(seed)
    i, j = np.triu_indices(n, 1)
    gain = g.normal(0, sharp, (len(i), 4))
    return Programme(Pairs(n, i.astype(np.int64), j.astype(np.int64)), gain, Domains(n))


def scores(p):
    return {(int(a), int(b)): row for a, b, row in zip(p.pairs.i, p.pairs.j, p.gain, strict=True)}


@pytest.mark.parametrize("seed", range(5))
def test_scores_without_any_order_in_them_are_solved_exactly(seed):
    p = programme(8, seed)
    found = solve(p, 60.0)
    assert found.exact
    assert worth(p.gain, found.labels) == pytest.approx(temporal.best_by_rows(8, scores(p)), abs=1e-5)
    assert found.bound == pytest.approx(worth(p.gain, found.labels), abs=1e-5)
    assert broken_paths(p.pairs, found.labels) == []


def test_a_search_without_time_still_gives_consistent_labels_below_its_bound():
    p = programme(8, 0)
    hasty, best = solve(p, 0.0), solve(p, 60.0)
    assert (hasty.exact, hasty.rounds) == (False, 0)
    assert broken_paths(p.pairs, hasty.labels) == []
    assert worth(p.gain, hasty.labels) <= worth(p.gain, best.labels) + 1e-9
    assert worth(p.gain, best.labels) <= hasty.bound


def test_decided_pairs_stay_and_the_rest_is_the_best_that_agrees():
    p = programme(5, 3)
    p.domains.restrict(0, 1, 1)
    p.domains.restrict(1, 2, 1 << 3)
    found = solve(p, 60.0)
    assert found.exact
    assert (found.labels[0], found.labels[4]) == (0, 3)
    every = temporal.possible(5, {(0, 1): 0, (1, 2): 3})
    best = np.take_along_axis(np.broadcast_to(p.gain, (len(every), 10, 4)), every[:, :, None], axis=2).sum((1, 2)).max()
    assert worth(p.gain, found.labels) == pytest.approx(best, abs=1e-6)


def test_there_may_be_nothing_to_decide():
    none = np.zeros(0, dtype=np.int64)
    found = solve(Programme(Pairs(0, none, none), np.zeros((0, 4)), Domains(0)), 1.0)
    assert (len(found.labels), found.exact) == (0, True)
