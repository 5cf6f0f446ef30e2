"""Temporal labels of at most five events by trying everything: no walks, no cuts, no propagation.

The rules are the strict table written out once more, from: b then b is b, b then e is b, e then x is x, e then v is v,
b then v is b or v; everything else about a triple follows by reading it from its other sides.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, permutations, product

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

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


def best_by_rows(n, scores):
    """The same optimum for up to a dozen events, all pairs scored: four 0/1 variables a pair and, for every ordered
    triple and every two labels, the row x_ij^r1 + x_jk^r2 - (sum over allowed r3 of x_ik^r3) <= 1; no cut is left out.
    """
    pairs = list(combinations(range(n), 2))
    place = {pair: p for p, pair in enumerate(pairs)}

    def column(i, j, label):
        return 4 * place[i, j] + label if i < j else 4 * place[j, i] + (1, 0, 2, 3)[label]

    rows = []
    for i, j, k in permutations(range(n), 3):
        for first, second in product(range(4), repeat=2):
            allowed = [z for z in range(4) if triple_is_fine("baev"[first], "baev"[second], "baev"[z])]
            if len(allowed) < 4:
                row = np.zeros(4 * len(pairs))
                row[column(i, j, first)] += 1
                row[column(j, k, second)] += 1
                row[[column(i, k, z) for z in allowed]] -= 1
                rows.append(row)
    one = np.kron(np.eye(len(pairs)), np.ones(4))
    cost = -np.concatenate([scores[pair] for pair in pairs])
    whole = [LinearConstraint(csr_matrix(np.array(rows)), -np.inf, 1), LinearConstraint(one, 1, 1)]
    found = milp(
        cost, integrality=np.ones(len(cost)), bounds=Bounds(0, 1), constraints=whole, options={"mip_rel_gap": 0}
    )
    return -float(found.fun)
