"""A standard error by leaving blocks of rows out, for an estimate whose models are a part of what chance moves.

The error of a doubly robust estimate, sd(psi) / sqrt(n), takes the models in it as given. With few rows and models of
hundreds of numbers they are not: fitted on other rows they would have given another estimate. Here they are fitted
anew without each of G blocks, and

    se^2 = (G - 1) / G * sum over k of (estimate without block k - their mean)^2

with Student's t of G - 1 degrees of freedom for the interval, as G is small.

Source: Quenouille 1956, Tukey 1958; blocks: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 11.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

BLOCKS = 20
"""As many as are usual: the interval is then 7 % wider than with the normal distribution."""


def jackknife(estimate: Callable[[NDArray[np.bool_]], float], block: NDArray[np.int64]) -> float:
    """The standard error of an estimate, in its units.

    Args:
        estimate: of the rows where its mask [n] is true. block: [n] of 0, 1, ..., which block a row is in.

    Raises:
        DataError: fewer than two blocks.
    """
    count = int(block.max(initial=-1)) + 1
    if count < 2:
        raise DataError(f"{count} blocks of rows: an error needs two at least.")
    values = np.array([estimate(block != k) for k in range(count)])
    return float(np.sqrt((count - 1) / count * ((values - values.mean()) ** 2).sum()))


def width(blocks: int) -> float:
    """How many standard errors a 95 % interval reaches to either side: Student's t; the normal one's for 0 blocks."""
    from scipy.stats import t

    return float(t.ppf(0.975, blocks - 1 if blocks else np.inf))
