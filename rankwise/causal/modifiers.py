"""Effects by group: the average of doubly robust scores within each, and whether the groups differ at all.

Source: Semenova and Chernozhukov 2021, "Debiased machine learning of conditional average treatment effects": a
regression of the scores on groups has the errors of any regression.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .aipw import Floats, mean_and_error
from .graph import Names

if TYPE_CHECKING:
    import pandas as pd

Z = 1.959963984540054
MOST, PARTS, LEAST = 8, 4, 20


@dataclass(frozen=True)
class Level:
    """The average effect in one group; None where it has fewer than `LEAST` rows."""

    level: str
    n: int
    ate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Modifier:
    """Effects by the values of one column (or by quarters of it, where it has more than `MOST` values).

    Args:
        p: of the hypothesis that all groups have one effect; None with fewer than two of them.
    """

    column: str
    levels: tuple[Level, ...]
    p: float | None

    @property
    def sentence(self) -> str:
        if self.p is None:
            return f"{self.column}: too few rows in all groups but one to compare them."
        if self.p < 0.05:
            return f"The effect differs by {self.column} (p = {self.p:.2g})."
        return f"That the effect is the same in every group of {self.column} cannot be excluded (p = {self.p:.2g})."


def by_group(table: pd.DataFrame, columns: Names, psi: Floats, groups: NDArray[Any] | None = None) -> list[Modifier]:
    """Each column in turn.

    Args:
        psi: [n] scores of the rows of the table. groups: [n] rows that belong together, for the errors.
    """
    return [_modifier(c, _labels(table[c]), psi, groups) for c in columns]


def _modifier(column: str, labels: list[tuple[str, NDArray[np.bool_]]], psi: Floats, groups: Any) -> Modifier:
    levels, known = [], []
    for name, rows in labels:
        n = int(rows.sum())
        if n < LEAST or (groups is not None and len(np.unique(groups[rows])) < 2):
            levels.append(Level(name, n, None, None, None))
            continue
        ate, se = mean_and_error(psi[rows], None if groups is None else groups[rows])
        levels.append(Level(name, n, ate, ate - Z * se, ate + Z * se))
        known.append((ate, max(se, 1e-300)))
    return Modifier(column, tuple(levels), _differ(known))


def _differ(known: list[tuple[float, float]]) -> float | None:
    """Cochran's Q: squares about the mean that is weighted by precision, chi-squared with one less than groups."""
    from scipy.stats import chi2

    if len(known) < 2:
        return None
    ate, se = np.array(known).T
    mean = np.average(ate, weights=se**-2)
    return float(chi2.sf((((ate - mean) / se) ** 2).sum(), len(known) - 1))


def _labels(column: pd.Series[Any]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Names of the groups, and which rows are in each."""
    values = column.to_numpy()
    kinds = sorted(column.unique().tolist())
    if len(kinds) <= MOST or column.dtype.kind not in "iuf":
        return [(_named(k), np.asarray(values == k)) for k in kinds]
    ends = np.unique(np.quantile(values, np.linspace(0, 1, PARTS + 1)))
    out = []
    for i, (low, high) in enumerate(pairwise(ends)):
        rows = (values >= low if i == 0 else values > low) & (values <= high)
        out.append((f"{low:.3g} to {high:.3g}", np.asarray(rows)))
    return out


def _named(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
