"""Layers and transitive reduction of an order, by hand."""

from __future__ import annotations

import networkx as nx
import numpy as np

from rankwise.relations.layers import layers, reduced
from rankwise.relations.schema import Relation


def relations(*lines):
    return [Relation(a, b, label) for a, label, b in (line.split() for line in lines)]


def test_layers_are_longest_paths_and_what_is_equal_shares_one():
    order = relations("a BEFORE b", "c AFTER b", "a BEFORE c", "c EQUAL d", "e VAGUE a")
    assert layers("abcde", order) == ((("a",), ("b",), ("c", "d")), ("e",))


def test_a_first_event_waits_for_what_it_precedes():
    order = relations("a BEFORE b", "b BEFORE c", "c BEFORE d", "x BEFORE d")
    assert layers("xabcd", order)[0] == (("a",), ("b",), ("x", "c"), ("d",))


def test_an_edge_that_a_longer_path_says_is_left_out():
    order = relations("a BEFORE b", "b BEFORE c", "a BEFORE c", "d AFTER c", "a VAGUE e")
    assert reduced("abcde", order, [(True, 1.0)] * 5) == [0, 1, 3]


def test_of_relations_that_say_the_same_the_one_worth_most_is_taken():
    order = relations("a BEFORE b", "b EQUAL c", "a BEFORE c")
    assert reduced("abc", order, [(False, 0.9), (True, 1.0), (True, 0.2)]) == [2]


def test_the_reduction_is_that_of_networkx():
    rng = np.random.default_rng(0)
    for _ in range(20):
        edges = [(i, j) for i in range(9) for j in range(i + 1, 9) if rng.random() < 0.4]
        order = [Relation(f"e{i}", f"e{j}", "BEFORE") for i, j in edges]
        kept = {edges[at] for at in reduced([f"e{i}" for i in range(9)], order, [(True, 1.0)] * len(order))}
        assert kept == set(nx.transitive_reduction(nx.DiGraph(edges)).edges)
