"""Effects where adjustment cannot reach: by an instrument, or through a front door. Linear, with closed-form errors.

Instrument: two-stage least squares with whatever must be held fixed beside it, which DoWhy's estimator leaves out.
Front door: what the treatment does to the columns between, times what these do to the outcome given the treatment.

Source: Angrist and Pischke 2009, chapter 4; Pearl 1995; White 1980 for the errors; Staiger and Stock 1997 for F < 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, explain

Floats = NDArray[np.float64]
WEAK = 10.0


@dataclass(frozen=True)
class Indirect:
    """An effect with its error.

    Args:
        strength: F of the instruments in the first stage; None for a front door.
        sentence: what it rests on, and what is weak about it.
    """

    ate: float
    se: float
    strength: float | None
    sentence: str


def instrument(y: Floats, t: Floats, z: Floats, x: Floats) -> Indirect:
    """Two-stage least squares.

    Args:
        y, t: [n]. z: [n, instruments]. x: [n, k] held fixed; k may be 0.

    Raises:
        DataError: the instruments do not move the treatment at all.
    """
    held = np.column_stack([np.ones(len(y)), x])
    y_, t_, z_ = (_without(v, held) for v in (y, t, z))
    first, *_ = np.linalg.lstsq(z_, t_, rcond=None)
    moved = z_ @ first
    if float(moved @ moved) <= 1e-12 * float(t_ @ t_):
        raise DataError(
            explain("the instrument does not move the treatment.", "Without a first stage there is no second.")
        )
    ate = float(moved @ y_ / (moved @ moved))
    left = y_ - ate * t_
    n, k = z_.shape[0], z_.shape[1]
    free = n - held.shape[1] - k
    se = float(np.sqrt((moved**2 * left**2).sum() * n / free) / (moved @ moved))
    strength = _f(z_, t_ - moved, first, free)
    said = (
        f"By instrument: right if it reaches the outcome through the treatment alone, which no table can show. "
        f"It moves the treatment with F = {strength:.1f}"
    )
    if strength < WEAK:
        said += (
            f", which is weak (below {WEAK:g}): the estimate leans to the confounded one, its interval is too narrow"
        )
    return Indirect(ate, se, strength, said + ". It is an effect on those whom the instrument moves.")


def front_door(y: Floats, t: Floats, m: Floats, x: Floats) -> Indirect:
    """Product of two regressions.

    Args:
        m: [n, doors] columns that carry all of the effect. x: [n, k] held fixed.
    """
    n = len(y)
    base = np.column_stack([np.ones(n), x])
    a, va = _robust(np.column_stack([t, base]), m, 1)
    b, vb = _robust(np.column_stack([m, t, base]), y[:, None], m.shape[1])
    a, b = a.ravel(), b.ravel()
    se = float(np.sqrt(b @ va @ b + a @ vb @ a))  # the two errors are of independent noises
    said = "Through the front door: right if all of the effect goes through these columns and both steps are linear."
    return Indirect(float(a @ b), se, None, said)


def _without(v: Floats, held: Floats) -> Floats:
    """What is left of v [n] or [n, k] after regressing on `held`."""
    return np.asarray(v - held @ np.linalg.lstsq(held, v, rcond=None)[0])


def _robust(x: Floats, y: Floats, first: int) -> tuple[Floats, Floats]:
    """Coefficients of the first columns of x for every column of y, and their covariance over all of these.

    With one column of y, [first] coefficients; with several, `first` is 1 and there is one for each.
    """
    bread = np.linalg.pinv(x.T @ x)
    beta = bread @ x.T @ y
    left = y - x @ beta
    influence = x @ bread[:, :first]  # [n, first]
    scores = np.concatenate([influence * left[:, [j]] for j in range(y.shape[1])], axis=1)
    return beta[:first].T.reshape(-1), scores.T @ scores * len(y) / (len(y) - x.shape[1])


def _f(z: Floats, left: Floats, first: NDArray[Any], free: int) -> float:
    """Robust Wald statistic of the first stage, by the number of instruments."""
    bread = np.linalg.pinv(z.T @ z)
    meat = (z * left[:, None]).T @ (z * left[:, None]) * len(z) / free
    cov = bread @ meat @ bread
    return float(first @ np.linalg.pinv(cov) @ first / z.shape[1])
