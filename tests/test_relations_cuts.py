"""The rows of the decoder's programme hold for every consistent labelling, and for no other."""

from __future__ import annotations

from itertools import product

import numpy as np

from rankwise.relations.composition import ALLOWED
from rankwise.relations.cuts import (
    FACETS,
    Pairs,
    broken_facets,
    broken_paths,
    facet_matrix,
    path_matrix,
)
from rankwise.relations.schema import TEMPORAL
from tests.reference import temporal

B, A, E, V = range(len(TEMPORAL))


def point(labels):
    """[p] labels -> [p, 3] variables."""
    return (np.asarray(labels)[:, None] == np.arange(3)).astype(float)


def pairs_of(*ends):
    i, j = np.array(ends, dtype=np.int64).T
    return Pairs(int(j.max()) + 1, i, j)


def test_the_facets_part_the_29_allowed_triples_from_the_35_others():
    assert FACETS.shape == (39, 9)
    for labels in product(range(4), repeat=3):
        fine = bool((FACETS @ point(labels).ravel() <= 1).all())
        assert fine == ALLOWED[labels]


def test_each_facet_touches_nine_independent_points_of_the_polytope():
    """That makes it a facet: none can be tightened."""
    allowed = np.array([point(x).ravel() for x in product(range(4), repeat=3) if ALLOWED[x]])
    for facet in FACETS:
        touching = allowed[allowed @ facet == 1]
        assert np.linalg.matrix_rank(touching[1:] - touching[0]) == 8


def test_triples_are_those_whose_three_pairs_are_there():
    pairs = pairs_of((0, 1), (0, 2), (1, 2), (2, 3), (1, 3))
    assert pairs.triples().tolist() == [[0, 2, 1], [2, 3, 4]]  # (01, 12, 02) and (12, 23, 13)
    assert pairs.triples(since=3).tolist() == [[2, 3, 4]]


def test_the_worst_broken_rows_come_first_and_their_matrix_says_by_how_much():
    pairs = pairs_of((0, 1), (0, 2), (1, 2))
    triples, x = pairs.triples(), point([B, A, B])
    rows = broken_facets(x, triples, 0.5, 100)
    value = facet_matrix(rows, triples, 3) @ x.ravel()
    assert value.max() == 3  # b - a + e of both sides, less that of the third: 1 + 1 + 1
    assert (np.diff(value) <= 0).all()
    assert (value > 1.5).all()
    assert len(broken_facets(point([B, B, B]), triples, 0.5, 100)) == 0
    assert len(broken_facets(x, triples, 0.5, 2)) == 2


def test_a_cycle_without_triples_is_cut_by_the_rows_of_its_walks():
    pairs = pairs_of((0, 1), (1, 2), (2, 3), (0, 3))  # a square: no triple is closed
    labels = np.array([B, E, B, A])
    rows = broken_paths(pairs, labels)
    matrix, upper = path_matrix(rows, 4)
    assert (matrix @ point(labels).ravel() > upper).all()
    for fine in temporal.consistent(4)[1]:
        x = point(fine[[0, 3, 5, 2]])  # of 01 02 03 12 13 23
        assert (matrix @ x.ravel() <= upper).all()


def test_no_walk_row_is_found_exactly_for_consistent_labels():
    g = np.random.default_rng(0)
    every = temporal.consistent(5)[0]
    for _ in range(200):
        keep = np.sort(g.choice(10, g.integers(3, 11), replace=False))
        labels = g.choice(4, len(keep), p=[0.35, 0.15, 0.3, 0.2])
        chosen = [every[p] for p in keep]
        i, j = np.array(chosen).T
        fine = len(temporal.possible(5, dict(zip(chosen, labels.tolist(), strict=True)))) > 0
        assert (broken_paths(Pairs(5, i, j), labels) == []) == fine
