"""Inequalities that every consistent labelling keeps, and the search for those that a given point breaks.

A pair has three variables from 0 to 1 (BEFORE, AFTER, EQUAL; what is left to 1 is VAGUE). The 29 allowed labellings of
three pairs span a polytope whose facets are, besides the bounds, the 39 rows of FACETS, each <= 1: seven shapes and
what the six orders of three things make of them. They are much tighter than one row for each forbidden triple, so that
the linear relaxation is nearly always integral. Longer cycles, where no pair of the document closes a triple,
get one row each.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from .composition import AFTER, BEFORE, CONVERSE_CODE, EQUAL, VAGUE
from .walks import Walks, adjacency, codes_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SHAPES = (  # coefficients of (BEFORE, AFTER, EQUAL) for i to j, j to k, i to k
    ((1, 1, 1), (0, 0, 1), (-1, -1, -1)),  # VAGUE goes through EQUAL
    ((1, 1, 0), (0, 0, 1), (-1, -1, 0)),  # as do BEFORE and AFTER
    ((1, 1, -1), (-1, -1, 1), (-1, -1, 1)),
    ((1, 0, 1), (1, 0, 1), (-1, 0, -1)),  # not after, twice: not after
    ((1, 0, 1), (1, 0, 0), (-1, 0, 0)),  # not after, then before: before
    ((1, 0, 1), (0, -1, 0), (0, 1, 0)),
    ((1, -1, 1), (1, -1, 1), (-1, 1, -1)),
)
_BLOCK = 50_000  # triples looked at together: 39 numbers each


def _facets() -> NDArray[np.float32]:
    """[39, 9]: the shapes from all sides."""
    place = {(0, 1): 0, (1, 2): 1, (0, 2): 2}
    rows = set()
    for shape in _SHAPES:
        for order in permutations(range(3)):
            row = np.zeros((3, 3), dtype=int)
            for (one, other), pair in place.items():
                a, b = order[one], order[other]
                labels = np.arange(3) if (a, b) in place else CONVERSE_CODE[:3]
                row[place.get((a, b), place.get((b, a), 0)), labels] = shape[pair]
            rows.add(tuple(row.ravel()))
    return np.array(sorted(rows), dtype=np.float32)


FACETS = _facets()


@dataclass(frozen=True)
class Pairs:
    """Pairs i < j of n things. i, j: [p]."""

    n: int
    i: Ints
    j: Ints

    def numbers(self) -> Ints:
        """[n, n] number of the pair in either direction, -1 where there is none."""
        found = np.full((self.n, self.n), -1, dtype=np.int64)
        found[self.i, self.j] = found[self.j, self.i] = np.arange(len(self.i))
        return found

    def triples(self, since: int = 0) -> Ints:
        """[t, 3] numbers of the pairs (i, j), (j, k), (i, k) of i < j < k, since <= k, where all three exist."""
        number = np.triu(self.numbers(), 1)
        number[np.tril_indices(self.n)] = -1
        found = [np.empty((0, 3), dtype=np.int64)]
        for j in range(self.n):
            i, k = np.nonzero(number[:, j] >= 0)[0], np.nonzero(number[j] >= 0)[0]
            k = k[k >= since]
            a, b = np.nonzero(number[np.ix_(i, k)] >= 0)
            found.append(np.stack([number[i[a], j], number[j, k[b]], number[i[a], k[b]]], axis=1))
        return np.concatenate(found)


def broken_facets(x: Floats, triples: Ints, tolerance: float, most: int) -> Ints:
    """The `most` rows that x breaks worst, by more than `tolerance`: [m] triple * 39 + facet.

    x: [p, 3] values of the variables.
    """
    found, excess = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.float32)]
    narrow = x.astype(np.float32)
    for start in range(0, len(triples), _BLOCK):
        value = narrow[triples[start : start + _BLOCK]].reshape(-1, 9) @ FACETS.T - 1
        t, f = np.nonzero(value > tolerance)
        found.append((start + t) * len(FACETS) + f)
        excess.append(value[t, f])
    rows, by = np.concatenate(found), np.concatenate(excess)
    return rows[np.argsort(-by, kind="stable")[:most]]


def facet_matrix(rows: Ints, triples: Ints, pairs: int) -> csr_matrix:
    """[m, 3 pairs]: the coefficients of rows as broken_facets names them; each row is <= 1."""
    columns = (3 * triples[rows // len(FACETS)][:, :, None] + np.arange(3)).reshape(-1, 9)
    values = FACETS[rows % len(FACETS)].astype(np.float64)
    number = np.repeat(np.arange(len(rows)), 9)
    there = values.ravel() != 0
    where = (number[there], columns.ravel()[there])
    return csr_matrix((values.ravel()[there], where), shape=(len(rows), 3 * pairs))


Path = tuple[tuple[int, ...], tuple[float, ...], float]
"""Columns, coefficients and upper bound of a row that belongs to a longer walk."""


def broken_paths(pairs: Pairs, labels: Ints, most: int = 500) -> list[Path]:
    """Rows against the shortest walks of BEFORE and EQUAL that the label of their two ends denies.

    Empty exactly when the labels are consistent, whatever pairs there are: a walk that denies VAGUE or takes part in a
    contradiction some other way is one of these seen from elsewhere.
    """
    codes = codes_of(pairs.n, pairs.i, pairs.j, labels)
    walks = Walks(adjacency(np.where(codes == VAGUE, -1, codes).astype(np.int8)))
    number = pairs.numbers()
    found: dict[tuple[float, ...], Path] = {}
    for before, lengths in ((True, walks.length[0]), (False, walks.length[2])):
        fine = (codes == BEFORE) if before else (codes == EQUAL) | (codes == BEFORE)
        i, k = np.nonzero((codes >= 0) & (lengths < np.iinfo(np.int16).max) & ~fine)
        for p in np.argsort(lengths[i, k], kind="stable")[:most]:
            row = _row(walks, number, int(i[p]), int(k[p]), before)
            found.setdefault(row[0] + row[1], row)
    return list(found.values())[:most]


def _row(walks: Walks, number: Ints, i: int, k: int, before: bool) -> Path:
    """All steps not after, one of them before (if so asked): then i is before k (or not after it)."""
    steps = walks.steps(i, k, 0 if before else 2)
    strict = next((s for s in steps if s[1] == BEFORE), None) if before else None
    columns: list[int] = []
    values: list[float] = []
    for one, other, labels, sign in [
        *((s[0], s[2], (BEFORE,) if s is strict else (BEFORE, EQUAL), 1.0) for s in steps),
        (i, k, (BEFORE,) if before else (BEFORE, EQUAL), -1.0),
    ]:
        for label in labels:
            seen = label if one < other or label == EQUAL else AFTER
            columns.append(3 * int(number[one, other]) + seen)
            values.append(sign)
    return tuple(columns), tuple(values), float(len(steps) - 1)


def path_matrix(rows: list[Path], pairs: int) -> tuple[csr_matrix, Floats]:
    """([m, 3 pairs] coefficients, [m] upper bounds)."""
    columns = [c for row in rows for c in row[0]]
    values = [v for row in rows for v in row[1]]
    number = np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows])
    matrix = csr_matrix((values, (number, columns)), shape=(len(rows), 3 * pairs))
    return matrix, np.array([row[2] for row in rows], dtype=np.float64)
