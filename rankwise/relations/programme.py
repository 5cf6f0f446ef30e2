"""The best consistent labels of scored pairs, exactly: a linear programme whose rows are found as they are needed.

First the relaxation with facets of the triples (see `cuts`), until none is broken. It is nearly always integral; then
it is the answer. Otherwise the integer programme goes on from its rows, still adding broken ones. Both by HiGHS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix, vstack

from .composition import VAGUE
from .cuts import FACETS, Floats, Ints, Pairs, Path, broken_facets, broken_paths, facet_matrix, path_matrix
from .greedy import Domains, assign

MOST_ROWS = 3000  # rows that one round adds
RELAXED_ROUNDS = 40
_LOOSE = 0.5  # a row this far from its bound is dropped while the programme is relaxed


@dataclass(frozen=True)
class Programme:
    """Pairs, what each label of each is worth ([p, 4], finite), and what earlier decisions leave possible.

    since: the nodes before it have been decided among themselves: triples of them alone are left out.
    """

    pairs: Pairs
    gain: Floats
    domains: Domains
    since: int = 0

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """[p, 4]: labels that each pair may have."""
        return (self.domains.mask[self.pairs.i, self.pairs.j][:, None] >> np.arange(4) & 1).astype(bool)


@dataclass(frozen=True)
class Solution:
    """labels [p]; bound: no consistent labels are worth more; exact: these are worth as much."""

    labels: Ints
    bound: float
    exact: bool
    rounds: int


@dataclass
class _Rows:
    """The rows so far."""

    triples: Ints
    pairs: int
    facets: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    paths: list[Path] = field(default_factory=list)

    def add(self, facets: Ints, paths: list[Path]) -> bool:
        """Whether any of them is new."""
        before = len(self.facets), len(self.paths)
        self.facets = np.union1d(self.facets, facets)
        self.paths += [path for path in paths if path not in self.paths]
        return before != (len(self.facets), len(self.paths))

    def constraints(self, sums: csr_matrix, least: Floats) -> LinearConstraint:
        """Every row, then one for each pair: its variables sum to at most 1, and to 1 where VAGUE is out."""
        paths, bounds = path_matrix(self.paths, self.pairs)
        matrix = vstack([facet_matrix(self.facets, self.triples, self.pairs), paths, sums], format="csr")
        upper = np.concatenate([np.ones(len(self.facets)), bounds, np.ones(self.pairs)])
        lower = np.concatenate([np.full(len(self.facets) + len(self.paths), -np.inf), least])
        return LinearConstraint(matrix, lower, upper)

    def drop_loose(self, x: Floats) -> None:
        """Facets that do not bind at x [p, 3]; the objective cannot fall below what it was without them."""
        value = np.einsum("mf,mf->m", x[self.triples[self.facets // len(FACETS)]].reshape(-1, 9), self._coefficients)
        self.facets = self.facets[value > 1 - _LOOSE]

    @property
    def _coefficients(self) -> np.ndarray:
        return FACETS[self.facets % len(FACETS)]


def solve(programme: Programme, seconds: float) -> Solution:
    """Labels worth most; past `seconds` (for each call of HiGHS and between them) the best consistent ones found."""
    end = time.monotonic() + seconds
    pairs, allowed = programme.pairs, programme.allowed
    gain = np.where(allowed, programme.gain, -np.inf)
    base = np.where(allowed[:, VAGUE], programme.gain[:, VAGUE], 0.0)
    cost = np.where(allowed[:, :3], base[:, None] - programme.gain[:, :3], 0.0).ravel()
    bounds = Bounds(0, allowed[:, :3].astype(float).ravel())
    count = len(pairs.i)
    if not count:
        return Solution(np.zeros(0, dtype=np.int64), 0.0, True, 0)
    sums = csr_matrix((np.ones(3 * count), (np.repeat(np.arange(count), 3), np.arange(3 * count))))
    least = np.where(allowed[:, VAGUE], 0.0, 1.0)
    rows = _Rows(pairs.triples(programme.since), count)
    x, bound, rounds, whole = _point(gain.argmax(1)), float(gain.max(1).sum()), 0, False
    while True:
        integral = bool(np.abs(x - x.round()).max(initial=0) < 1e-6)
        facets = broken_facets(x, rows.triples, 1e-4 if not integral else 0.5, MOST_ROWS)
        paths = broken_paths(pairs, _labels(x)) if integral and not len(facets) else []
        if integral and not len(facets) and not paths:
            labels = _labels(x)
            return Solution(labels, bound, True, rounds)
        fresh = rows.add(facets, paths)
        whole = whole or not fresh or rounds >= RELAXED_ROUNDS
        left = end - time.monotonic()
        if left <= 0:
            break
        kinds = np.full(3 * count, int(whole))
        options = {"time_limit": left, "mip_rel_gap": 0.0}
        found = milp(cost, integrality=kinds, bounds=bounds, constraints=rows.constraints(sums, least), options=options)
        rounds += 1
        reached = -found.fun if found.status == 0 else -found.mip_dual_bound if whole and found.x is not None else None
        if reached is not None:
            bound = min(bound, float(reached) + float(base.sum()))
        if found.x is not None:
            x = found.x.round().reshape(-1, 3) if whole else found.x.reshape(-1, 3)
        if found.status != 0:
            break
        if not whole:
            rows.drop_loose(x)
    labels = _consistent(programme, gain, x)
    return Solution(labels, bound, worth(gain, labels) >= bound - 1e-9, rounds)


def worth(gain: Floats, labels: Ints) -> float:
    """Sum of the gains of these labels."""
    return float(np.take_along_axis(gain, labels[:, None], axis=1).sum())


def _point(labels: Ints) -> Floats:
    """[p] labels -> [p, 3] variables."""
    return (labels[:, None] == np.arange(3)).astype(np.float64)


def _labels(x: Floats) -> Ints:
    """The label of each integral point."""
    whole = x.round()
    return np.where(whole.sum(1) == 0, VAGUE, whole.argmax(1)).astype(np.int64)


def _consistent(programme: Programme, gain: Floats, x: Floats) -> Ints:
    """The better of two ways to decide pair by pair: by what they are worth, and along the unfinished solution."""
    whole = np.concatenate([x, 1 - x.sum(1, keepdims=True)], axis=1).clip(0, 1)
    pairs, shape = programme.pairs, programme.domains
    tries = [assign(shape.copy(), pairs.i, pairs.j, programme.gain, hint) for hint in (None, whole)]
    return max(tries, key=lambda labels: worth(gain, labels))
