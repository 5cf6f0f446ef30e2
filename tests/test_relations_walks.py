"""Shortest walks through labelled pairs, by hand."""

from __future__ import annotations

import numpy as np

from rankwise.relations.walks import STATES, Walks, adjacency, codes_of

B, A, E, V = range(4)


def walks(n, *labelled, sources=None):
    i, j, labels = np.array(labelled).T
    return Walks(adjacency(codes_of(n, i, j, labels)), sources)


def test_labels_are_filled_in_from_both_ends():
    codes = codes_of(3, np.array([0, 1]), np.array([1, 2]), np.array([B, V]))
    assert codes.tolist() == [[-1, B, -1], [A, -1, V], [-1, V, -1]]
    assert adjacency(codes).sum((1, 2)).tolist() == [1, 1, 0, 2]


def test_a_walk_says_what_its_labels_compose_to():
    w = walks(4, (0, 1, B), (1, 2, E), (2, 3, V))
    assert w.masks[0].tolist() == [0b0100, 0b0001, 0b0001, 0b1001]  # itself EQUAL; BEFORE; BEFORE; BEFORE or VAGUE
    assert w.masks[3, 0] == 0b1010
    assert w.steps(0, 3, STATES.index(0b1001)) == [(0, B, 1), (1, E, 2), (2, V, 3)]


def test_opposite_directions_say_nothing():
    w = walks(3, (0, 1, B), (1, 2, A))
    assert w.masks[0, 2] == 15
    assert w.shortest(0, 2) is None


def test_the_shortest_of_two_walks_is_taken_and_one_that_excludes_a_label_can_be_asked_for():
    w = walks(4, (0, 1, B), (1, 2, B), (2, 3, B), (0, 3, V))
    assert w.masks[0, 3] == 0  # BEFORE by three steps, VAGUE by one
    assert STATES[w.shortest(0, 3)] == 0b1000
    assert STATES[w.shortest(0, 3, without=V)] == 0b0001
    assert len(w.steps(0, 3, w.shortest(0, 3, without=V))) == 3


def test_walks_can_start_from_some_nodes_alone():
    w = walks(3, (0, 1, B), (1, 2, B), sources=np.array([1]))
    assert w.masks.tolist() == [[0b0010, 0b0100, 0b0001]]
    assert w.steps(0, 2, STATES.index(0b0001)) == [(1, B, 2)]
