"""The best consistent labels of scored pairs, exactly: a linear programme whose rows are found as they are needed.

First the relaxation with facets of the triples (see `cuts`), until none is broken. It is nearly always integral; then
it is the answer. Otherwise the integer programme goes on from its rows, still adding broken ones. Both by HiGHS.

Each relaxed solution is also followed to consistent labels. What those are worth and the prices of the relaxation tell
which labels cannot be in anything better; they are left out from then on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import csr_matrix, vstack

from .composition import VAGUE
from .cuts import FACETS, Floats, Ints, Pairs, Path, broken_facets, broken_paths, facet_matrix, path_matrix
from .greedy import Domains, assign

MOST_ROWS = 3000  # rows that one round adds
RELAXED_ROUNDS = 40
_EQUAL = 1e-6  # HiGHS proves no finer difference between two objectives
_MARGIN = 1e-5  # how far beyond the gap a label's price must lie before it is given up
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

    def matrix(self) -> tuple[csr_matrix, Floats]:
        """([m, 3 pairs] coefficients, [m] upper bounds)."""
        paths, bounds = path_matrix(self.paths, self.pairs)
        facets = facet_matrix(self.facets, self.triples, self.pairs)
        return vstack([facets, paths], format="csr"), np.concatenate([np.ones(len(self.facets)), bounds])

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
    search = _Search(programme)
    while not search.settle():
        left = end - time.monotonic()
        if left <= 0 or not search.improve(left):
            search.try_along(search.x)
            search.try_along(None)
            break
    exact = search.value >= search.bound - _EQUAL
    return Solution(search.labels, search.bound, exact, search.rounds)


class _Search:
    """What is known so far: a point x, an upper bound, the best consistent labels, and labels that cannot be in better.

    x [p, 3] solves the programme with the rows so far. value: what `labels` are worth, -inf before there are any.
    """

    def __init__(self, programme: Programme) -> None:
        self.programme, self.gain, self.allowed = programme, programme.gain, programme.allowed
        self.pairs = len(self.gain)
        every = np.arange(3 * self.pairs)
        self.sums = csr_matrix((np.ones(3 * self.pairs), (every // 3, every)), shape=(self.pairs, 3 * self.pairs))
        self.rows = _Rows(programme.pairs.triples(programme.since), self.pairs)
        gain = np.where(self.allowed, self.gain, -np.inf)
        self.bound = float(gain.max(1).sum()) if self.pairs else 0.0
        self.x = _point(gain.argmax(1)) if self.pairs else np.zeros((0, 3))
        self.labels, self.value = np.zeros(self.pairs, dtype=np.int64), -np.inf
        self.whole, self.rounds = False, 0

    def settle(self) -> bool:
        """Add the rows that x breaks; True when `labels` are proven to be best."""
        integral = bool(np.abs(self.x - self.x.round()).max(initial=0) < 1e-6)
        facets = broken_facets(self.x, self.rows.triples, 0.5 if integral else 1e-4, MOST_ROWS)
        paths = broken_paths(self.programme.pairs, _labels(self.x)) if integral and not len(facets) else []
        if integral and not len(facets) and not paths:
            self._keep(_labels(self.x))
        fresh = self.rows.add(facets, paths)
        self.whole = self.whole or not fresh or self.rounds >= RELAXED_ROUNDS
        return self.value >= self.bound - _EQUAL

    def improve(self, seconds: float) -> bool:
        """Solve again with the rows so far; False when time ran out."""
        self.rounds += 1
        found = self._integer(seconds) if self.whole else self._relaxed(seconds)
        if found.x is not None:
            x = found.x.reshape(-1, 3)
            self.x = x.round() if self.whole else x
        return found.status == 0

    def _relaxed(self, seconds: float) -> OptimizeResult:
        base, cost = self._objective()
        matrix, upper = self.rows.matrix()
        exact = ~self.allowed[:, VAGUE]
        found = linprog(
            cost,
            A_ub=vstack([matrix, self.sums[~exact]], format="csr"),
            b_ub=np.concatenate([upper, np.ones((~exact).sum())]),
            A_eq=self.sums[exact] if exact.any() else None,
            b_eq=np.ones(exact.sum()) if exact.any() else None,
            bounds=np.stack([np.zeros(3 * self.pairs), self.allowed[:, :3].ravel()], axis=1),
            options={"time_limit": seconds},
        )
        if found.status == 0:
            self.bound = min(self.bound, base - found.fun)
            self.try_along(found.x.reshape(-1, 3))
            slack = np.zeros(self.pairs)  # what one unit of VAGUE costs
            slack[~exact] = -found.ineqlin.marginals[len(upper) :]
            reduced = np.concatenate([found.lower.marginals.reshape(-1, 3), slack[:, None]], axis=1)
            self.allowed = self.allowed & (reduced <= base - found.fun - self.value + _MARGIN)
            self.rows.drop_loose(found.x.reshape(-1, 3))
        return found

    def _integer(self, seconds: float) -> OptimizeResult:
        base, cost = self._objective()
        matrix, upper = self.rows.matrix()
        least = np.where(self.allowed[:, VAGUE], 0.0, 1.0)
        found = milp(
            cost,
            integrality=np.ones(3 * self.pairs),
            bounds=Bounds(0, self.allowed[:, :3].astype(float).ravel()),
            constraints=[
                LinearConstraint(matrix, -np.inf, upper),
                LinearConstraint(self.sums, least, 1.0),
            ],
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
        reached = found.fun if found.status == 0 else found.mip_dual_bound
        if reached is not None:
            self.bound = min(self.bound, base - float(reached))
        return found

    def _objective(self) -> tuple[float, Floats]:
        """(worth of VAGUE everywhere it is possible, [3 p] cost of each other label against it)."""
        base = np.where(self.allowed[:, VAGUE], self.gain[:, VAGUE], 0.0)
        return float(base.sum()), np.where(self.allowed[:, :3], base[:, None] - self.gain[:, :3], 0.0).ravel()

    def try_along(self, x: Floats | None) -> None:
        """Consistent labels pair by pair: along x, or by what they are worth."""
        hint = None if x is None else np.concatenate([x, 1 - x.sum(1, keepdims=True)], axis=1).clip(0, 1)
        pairs, domains = self.programme.pairs, self.programme.domains.copy()
        self._keep(assign(domains, pairs.i, pairs.j, self.gain, hint))

    def _keep(self, labels: Ints) -> None:
        value = worth(self.gain, labels)
        if value > self.value:
            self.labels, self.value = labels, value


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
