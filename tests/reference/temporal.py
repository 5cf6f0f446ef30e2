"""Temporal labels of at most five events by trying everything: no walks, no cuts, no propagation.

The rules are the strict table written out once more, from: b then b is b, b then e is b, e then x is x, e then v is v,
b then v is b or v; everything else about a triple follows by reading it from its other sides.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, permutations, product

import numpy as np

LABELS = ("BEFORE", "AFTER", "EQUAL", "VAGUE")
TURNED = {"b": "a", "a": "b", "e": "e", "v": "v"}
RULES = {("b", "b"): "b", ("b", "e"): "b", ("b", "v"): "bv", **{("e", x): x for x in "baev"}}


def triple_is_fine(ij: str, jk: str, ik: str) -> bool:
    """Whether no rule is broken from any of the six sides of a triple."""
    r = {(0, 1): ij, (1, 2): jk, (0, 2): ik}
    r |= {(b, a): TURNED[x] for (a, b), x in r.items()}
    return all(r[a, c] in RULES.get((r[a, b], r[b, c]), "baev") for a, b, c in permutations(range(3)))


@cache
def consistent(n: int) -> tuple[list[tuple[int, int]], np.ndarray]:
    """(pairs i < j of n events, [m, pairs] every labelling that breaks no triple, labels by position)."""
    pairs = list(combinations(range(n), 2))
    fine = np.array([[[triple_is_fine(x, y, z) for z in "baev"] for y in "baev"] for x in "baev"])
    every = np.indices((4,) * len(pairs)).reshape(len(pairs), -1)
    keep = np.ones(every.shape[1], dtype=bool)
    for i, j, k in combinations(range(n), 3):
        keep &= fine[tuple(every[pairs.index(pair)] for pair in ((i, j), (j, k), (i, k)))]
    return pairs, every[:, keep].T


def possible(n: int, given: dict[tuple[int, int], int]) -> np.ndarray:
    """[m, pairs]: consistent labellings of all pairs that agree with `given` (pairs i < j)."""
    pairs, every = consistent(n)
    for pair, label in given.items():
        every = every[every[:, pairs.index(pair)] == label]
    return every


def best(n, scores, causal=None, vague_cost=0.0):
    """Highest objective over all consistent labellings and all causal labels that agree (a cause is never AFTER).

    scores: {(i, j): [4]}, causal: {(i, j): [3]} with i < j.
    """
    pairs, every = consistent(n)
    total = np.zeros(len(every), dtype=np.float64)
    for pair, row in scores.items():
        total += np.asarray(row, dtype=np.float64)[every[:, pairs.index(pair)]]
    for pair, row in (causal or {}).items():
        price = vague_cost if pair in scores else 0.0
        worth = np.full(4, -np.inf)
        for label, cause in product(range(4), range(3)):
            if not (cause == 1 and label == 1) and not (cause == 2 and label == 0):
                worth[label] = max(worth[label], row[cause] - price * (cause != 0 and label == 3))
        total += worth[every[:, pairs.index(pair)]]
    return float(total.max())
