"""Overlap: whether rows that are alike were seen both with and without the treatment, to be read before any estimate.

Where the probability of treatment is near 0 or 1, the other outcome was never seen, and every estimator extrapolates
there without a word. No refuter notices: measured on text cues that fix each other, an estimate of -0.99 for an effect
of -0.64 passed all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError, RecipeError, explain

LOW, HIGH = 0.02, 0.98
MOST_OUTSIDE = 0.05
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Overlap:
    """Where the probabilities of treatment lie.

    Args:
        outside: share of the rows, 0 to 1, whose probability is below `low` or above `high`.
        quantiles: of the probabilities, at `QUANTILES`.
    """

    outside: float
    low: float
    high: float
    n: int
    quantiles: tuple[float, ...]

    @property
    def ok(self) -> bool:
        return self.outside <= MOST_OUTSIDE

    @property
    def sentence(self) -> str:
        """What the figure says, for a report."""
        share = (
            f"{self.outside:.1%} of {self.n:,} rows have a probability of treatment outside [{self.low}, {self.high}]"
        )
        if self.outside == 0:
            return f"Good: no row of {self.n:,} has a probability of treatment outside [{self.low}, {self.high}]."
        if self.ok:
            return f"Good: only {share}."
        return (
            f"Bad: {share}. For these the table holds no comparison, so an average over all rows is a guess. "
            "Leave out what fixes the treatment without touching the outcome, or ask about rows where both are seen."
        )


def overlap(g: ArrayLike, low: float = LOW, high: float = HIGH) -> Overlap:
    """How many rows lack a counterpart.

    Args:
        g: [n] probability of treatment, before any clipping.

    Raises:
        RecipeError: not 0 <= low < high <= 1.
        DataError: no row, or something that is no probability.
    """
    p = np.asarray(g, dtype=np.float64).ravel()
    if not 0 <= low < high <= 1:
        raise RecipeError(explain(f"low={low}, high={high} are no bounds.", "0 <= low < high <= 1 is needed."))
    if not p.size:
        raise DataError("there is no row to judge the overlap of.")
    if not (np.isfinite(p).all() and p.min() >= 0 and p.max() <= 1):
        bad = p[~(np.isfinite(p) & (p >= 0) & (p <= 1))][0]
        raise DataError(explain(f"{bad} is no probability of treatment.", "Each must lie between 0 and 1."), value=bad)
    outside = float(np.mean((p < low) | (p > high)))
    return Overlap(outside, low, high, p.size, tuple(float(q) for q in np.quantile(p, QUANTILES)))
