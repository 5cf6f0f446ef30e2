"""Shapley values by enumeration: each switch's share of the way from all shut to all open.

Source: Shapley 1953, "A value for n-person games"; the sum over subsets is taken as it is written, so there is no
sampling error, and 2^G outcomes are needed.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from ..errors import RecipeError, explain

MOST = 12
"""Switches at most: 4,096 outcomes."""


def shapley(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[G] shares whose sum is values[-1] - values[0].

    values [2^G]: the outcome under each mask; entry k is that of the mask whose bit i says whether switch i is open
        (the order of `design.every_mask`).

    Raises:
        RecipeError: the number of values is no power of two, or there are more than MOST switches.
    """
    switches = len(values).bit_length() - 1
    if len(values) != 2**switches or switches > MOST:
        raise RecipeError(
            explain(f"{len(values)} outcomes.", f"Shapley values need all 2^G of them, for G up to {MOST} switches.")
        )
    masks = np.arange(len(values))
    size = ((masks[:, None] >> np.arange(switches)) & 1).sum(1)
    shares = np.empty(switches)
    for i in range(switches):
        without = masks[(masks >> i) & 1 == 0]
        weight = np.array([1 / (switches * comb(switches - 1, s)) for s in range(switches)])[size[without]]
        shares[i] = float((weight * (values[without | (1 << i)] - values[without])).sum())
    return shares
