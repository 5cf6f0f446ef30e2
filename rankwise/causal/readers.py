"""Planted readers: answers by a rule that is known, so that what an audit says of them can be checked.

A reader reads cues off the text, like a trained adapter that had learnt just these; edits move its answers because they
move the text. `learnt` is the shortest such adapter: a logistic regression on the cues, with its labels or with
permuted ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, RecipeError, UnknownName, explain, nearest
from .cue import Case, Cue
from .story_cues import CUES

Floats = NDArray[np.float64]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@dataclass(frozen=True)
class LogitReader:
    """P(BEFORE) = sigmoid(bias + sum_k c_k (cue_k - 1/2) + noise z), where a cue that the text lacks adds nothing.

    coefficients: log-odds by name of a cue of `cues`. noise: of z ~ N(0, 1), one draw a document by its id and `seed`,
    so an edit, which keeps the id, keeps it: all that the reader goes by besides the cues.
    together: log-odds of cue_j = cue_k for pairs of names, + where they agree and - where not, halved.

    Raises:
        UnknownName: a coefficient of a cue that is not there. RecipeError: noise below 0.
    """

    coefficients: Mapping[str, float]
    bias: float = 0.0
    noise: float = 0.0
    seed: int = 0
    together: Mapping[tuple[str, str], float] = field(default_factory=dict)
    cues: Sequence[Cue] = CUES

    def __post_init__(self) -> None:
        known = [cue.name for cue in self.cues]
        for name in (*self.coefficients, *(n for pair in self.together for n in pair)):
            if name not in known:
                near = nearest(name, known)[0]
                raise UnknownName(explain(f"{name!r} is no cue.", f"Nearest: {near}. Cues: {', '.join(known)}."))
        if not self.noise >= 0:
            raise RecipeError(explain(f"noise={self.noise:g} is out of range.", "A standard deviation, 0 or more."))

    def __call__(self, cases: Sequence[Case]) -> Floats:
        """[n] probabilities."""
        return sigmoid(np.array([self.logit(self.read(c)) + self.noise * self.draw(c.document.id) for c in cases]))

    def read(self, case: Case) -> dict[str, int | None]:
        """The cues it goes by."""
        used = {*self.coefficients, *(n for pair in self.together for n in pair)}
        return {cue.name: cue.value(case) for cue in self.cues if cue.name in used}

    def logit(self, values: Mapping[str, int | None]) -> float:
        """Log-odds without the noise."""
        total = self.bias
        for name, c in self.coefficients.items():
            if (v := values[name]) is not None:
                total += c * (v - 0.5)
        for (a, b), c in self.together.items():
            if (x := values[a]) is not None and (y := values[b]) is not None:
                total += c * (int(x == y) - 0.5)
        return total

    def draw(self, name: str) -> float:
        """z of the document called so."""
        return float(np.random.default_rng([self.seed, zlib.crc32(name.encode())]).standard_normal())

    def mean(self, values: Mapping[str, int | None], style: int = 0) -> float:
        """Expected answer over the noise (Gauss-Hermite, 40 nodes): the `answer` that `Story.ace` enumerates."""
        return float(sigmoid(self.logit(values) + self.noise * NODES) @ WEIGHTS / WEIGHTS.sum())

    def ace(self, name: str, cases: Sequence[Case]) -> float:
        """Exact mean of its answers with the cue at 1 less those with it at 0, over the cases that have the cue.

        nan where none has it. A cue that it does not read has 0.
        """
        having = [c for c in cases if next(cue for cue in self.cues if cue.name == name).value(c) is not None]
        if not having:
            return float("nan")
        gaps = []
        for case in having:
            values, extra = self.read(case), self.noise * self.draw(case.document.id)
            one, none = self.logit({**values, name: 1}), self.logit({**values, name: 0})
            gaps.append(float(sigmoid(one + extra) - sigmoid(none + extra)))
        return float(np.mean(gaps))


def reads_only(name: str, strength: float = 6.0, cues: Sequence[Cue] = CUES) -> LogitReader:
    """A reader that goes by one cue alone: .95 and .05 at a strength of 6."""
    return LogitReader({name: strength}, cues=cues)


def learnt(
    cases: Sequence[Case],
    labels: Sequence[int] | None = None,
    *,
    permuted: int | None = None,
    cues: Sequence[Cue] = CUES,
) -> LogitReader:
    """The logistic regression of labels on cues, as a reader. A ridge of 1 keeps separable data finite.

    labels: 0 or 1, one a case; by default 1 for BEFORE and 0 for AFTER of the case's own label.
    permuted: a seed by which labels are dealt out anew first, so that there is nothing to learn.

    Raises:
        DataError: a case without such a label; another number of labels than of cases; no cases.
    """
    given = list(labels) if labels is not None else [_label(case) for case in cases]
    if len(given) != len(cases) or not cases:
        raise DataError(explain(f"{len(given)} labels for {len(cases)} cases.", "One each, and at least one."))
    y = np.asarray(given, dtype=np.float64)
    if permuted is not None:
        y = np.random.default_rng(permuted).permutation(y)
    rows = [[cue.value(case) for cue in cues] for case in cases]
    x = np.array([[1.0, *(0.0 if v is None else v - 0.5 for v in row)] for row in rows])
    beta = _logistic(x, y)
    return LogitReader({c.name: float(b) for c, b in zip(cues, beta[1:], strict=True)}, float(beta[0]), cues=cues)


def sigmoid(x: Floats | float) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(x, dtype=np.float64) / 2)))


def _label(case: Case) -> int:
    if case.label not in ("BEFORE", "AFTER"):
        raise DataError(explain(f"{case.document.id} has the label {case.label!r}.", "BEFORE or AFTER is needed."))
    return int(case.label == "BEFORE")


def _logistic(x: Floats, y: Floats) -> Floats:
    """Newton's method on the likelihood less half the squared coefficients, the constant's left out."""
    beta, ridge = np.zeros(x.shape[1]), np.diag([0.0, *[1.0] * (x.shape[1] - 1)])
    ridge[0, 0] = 1e-6
    for _ in range(50):
        p = sigmoid(x @ beta)
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + ridge, x.T @ (y - p) - ridge @ beta)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return beta
