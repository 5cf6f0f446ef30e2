"""Factorial experiments over switches: which masks to run, effects by least squares, and how well they predict.

A mask opens each of G switches with probability 1/2, which is near the best that a design can do for sums of effects of
few switches at once ("probabilistic factorial design", arXiv:2506.03363). In coordinates z = +1 (open) and -1 (shut)
all such effects are orthogonal on average, so plain least squares needs no adjustment: nothing confounds a coin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..errors import RecipeError, explain

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]

PER_SWITCH = 12
"""Runs a switch, of everything: to fit, held out, and one switch left out at a time."""
PAIRS = 15
"""Up to so many switches, pairs are estimated too; beyond, the runs do not suffice for them."""
DRAWS = 16


@dataclass(frozen=True)
class Design:
    """Which masks to run, [runs, G] bool each, True for open.

    fit: least squares is done on these. fresh: what it is judged by, none of them in `fit`; empty where `fit` holds
        every mask there is. left_out: the mask with all open but one, for each switch in turn.
    mirrored: each mask of `fit` is followed by its opposite, so that pairs of switches cannot leak into main effects.
    """

    fit: Masks
    fresh: Masks
    mirrored: bool

    @property
    def switches(self) -> int:
        return int(self.fit.shape[1])

    @property
    def complete(self) -> bool:
        return len(self.fit) == 2**self.switches

    @property
    def left_out(self) -> Masks:
        return ~np.eye(self.switches, dtype=bool)

    @property
    def all(self) -> Masks:
        """Every mask that is run, each once: also all open and all shut."""
        ends = np.array([[True] * self.switches, [False] * self.switches])
        return np.unique(np.concatenate([ends, self.left_out, self.fit, self.fresh]), axis=0)


def every_mask(switches: int) -> Masks:
    """[2^G, G]: row k is the binary form of k, switch 0 its lowest bit."""
    return (np.arange(2**switches)[:, None] >> np.arange(switches)[None]) & 1 == 1


def design(switches: int, *, per_switch: int = PER_SWITCH, seed: int = 0) -> Design:
    """At most `per_switch` runs a switch, counted with all open, all shut and each left out.

    All 2^G masks where they are no more than that. Otherwise a sixth of the runs is held out, and the others are the
    best of a few random draws in which each switch is open in half of the masks.

    Raises:
        RecipeError: no switch, or fewer than 6 runs for each.
    """
    if switches < 1:
        raise RecipeError(explain("there is no switch to experiment with.", "Every direction is shut already."))
    if per_switch < 6:
        raise RecipeError(
            explain(f"{per_switch} runs a switch are too few.", f"At least 6; {PER_SWITCH} is the default.")
        )
    most = per_switch * switches
    if switches <= 16 and 2**switches <= most:
        return Design(every_mask(switches), np.empty((0, switches), dtype=bool), mirrored=False)
    rng = np.random.default_rng([seed, switches])
    held = 2 * switches - 2
    mirrored = switches > PAIRS
    runs = (most - held - switches - 2) // 2 * 2
    drawn = [_balanced(runs, switches, mirrored, rng) for _ in range(DRAWS)]
    fit = min(drawn, key=_looseness)
    return Design(fit, _fresh(held, fit, rng), mirrored)


def _balanced(runs: int, switches: int, mirrored: bool, rng: np.random.Generator) -> Masks:
    """Random masks in which each switch is open in half of the runs."""
    if mirrored:
        half = rng.random((runs // 2, switches)) < 0.5
        return np.stack([half, ~half], 1).reshape(runs, switches)
    column = np.arange(runs) < runs // 2
    return np.stack([rng.permutation(column) for _ in range(switches)], 1)


def _looseness(fit: Masks) -> float:
    """Mean variance of the effects, up to the error's: the trace of (X'X)^-1, or infinite."""
    x = terms(fit, pairs=fit.shape[1] <= PAIRS)
    values = np.linalg.eigvalsh(x.T @ x)
    return float((1 / values).sum()) if values[0] > 1e-9 else float("inf")


def _fresh(count: int, fit: Masks, rng: np.random.Generator) -> Masks:
    known = {fit[k].tobytes() for k in range(len(fit))}
    found: list[Masks] = []
    while len(found) < count:
        row: Masks = np.asarray(rng.random(fit.shape[1]) < 0.5)
        if row.tobytes() not in known:
            known.add(row.tobytes())
            found.append(row)
    return np.array(found)


def terms(masks: Masks, pairs: bool) -> Floats:
    """[runs, 1 + G (+ G (G - 1) / 2)]: ones, z of each switch, and their products in the order of combinations."""
    z = np.where(masks, 1.0, -1.0)
    columns = [np.ones((len(z), 1)), z]
    if pairs and z.shape[1] > 1:
        columns.append(np.stack([z[:, i] * z[:, j] for i, j in combinations(range(z.shape[1]), 2)], 1))
    return np.concatenate(columns, 1)


@dataclass(frozen=True)
class Fit:
    """Least squares on the runs of a design.

    main [G]: mean outcome with the switch open less with it shut, the others at random. pairs [G (G - 1) / 2] or None:
        by how much opening one raises the effect of the other, in the order of combinations.
    main_error, pair_error: half widths of their 95 % intervals over masks; 0 where every mask was run.
    coefficients: of `terms`.
    """

    main: Floats
    main_error: Floats
    pairs: Floats | None
    pair_error: Floats | None
    coefficients: Floats

    def predict(self, masks: Masks) -> Floats:
        return terms(masks, self.pairs is not None) @ self.coefficients


def fit(plan: Design, y: Floats, *, pairs: bool) -> Fit:
    """y [runs]: the outcome under each mask of `plan.fit`.

    Intervals are Student's, with the residual variance of the fit. In a mirrored design half the difference of a mask
    and its opposite holds the odd part alone, so main effects are fitted on that and pairs do not widen them.

    Raises:
        RecipeError: more terms than runs.
    """
    x = terms(plan.fit, pairs)
    if len(x) < x.shape[1] or (len(x) == x.shape[1] and not plan.complete):
        raise RecipeError(explain(f"{x.shape[1]} effects cannot be told from {len(x)} runs.", "More runs a switch."))
    beta = _solve(x, y)
    if plan.complete:
        error = np.zeros(len(beta))
    elif plan.mirrored and not pairs:
        error = np.concatenate([[0.0], _half_widths(x[::2, 1:], (y[::2] - y[1::2]) / 2)])
    else:
        error = _half_widths(x, y)
    g = plan.switches
    return Fit(
        main=2 * beta[1 : g + 1],
        main_error=2 * error[1 : g + 1],
        pairs=4 * beta[g + 1 :] if pairs else None,
        pair_error=4 * error[g + 1 :] if pairs else None,
        coefficients=beta,
    )


def _solve(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)


def _half_widths(x: Floats, y: Floats) -> Floats:
    from scipy.stats import t

    beta = _solve(x, y)
    free = len(x) - x.shape[1]
    variance = float(((y - x @ beta) ** 2).sum()) / free
    inverse = np.linalg.pinv(x.T @ x)
    return np.asarray(t.ppf(0.975, free) * np.sqrt(variance * np.diag(inverse)))


def left_out(plan: Design, y: Floats, *, pairs: bool) -> Floats | None:
    """[runs] each run of the fit predicted by least squares on all the others (PRESS); None with no run to spare."""
    x = terms(plan.fit, pairs)
    if len(x) <= x.shape[1]:
        return None
    leverage = (x @ np.linalg.pinv(x.T @ x) * x).sum(1)
    residual = (y - x @ _solve(x, y)) / np.clip(1 - leverage, 1e-9, None)
    return np.asarray(y - residual)


def left_out_r2(plan: Design, y: Floats, *, pairs: bool) -> float:
    """R2 of `left_out`: which model to prefer, without the held-out runs; -inf where it says nothing."""
    predicted = left_out(plan, y, pairs=pairs)
    return float("-inf") if predicted is None else r2(y, predicted)


def r2(y: Floats, predicted: Floats) -> float:
    """Share of the variance about the mean that is predicted; nan where y does not vary."""
    total = float(((y - y.mean()) ** 2).sum()) if len(y) else 0.0
    if total <= 1e-20 * max(1.0, float((y**2).sum())):
        return float("nan")
    return 1 - float(((y - predicted) ** 2).sum()) / total


def r2_interval(y: Floats, predicted: Floats, *, seed: int = 0, draws: int = 1000) -> tuple[float, float]:
    """95 % percentile interval of R2 by drawing the runs anew with replacement."""
    rng = np.random.default_rng(seed)
    found = []
    for index in rng.integers(0, len(y), (draws, len(y))):
        value = r2(y[index], predicted[index])
        if np.isfinite(value):
            found.append(value)
    if not found:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def pair_names(names: Sequence[str]) -> list[tuple[str, str]]:
    """Names of pairs in the order of `Fit.pairs`."""
    return list(combinations(names, 2))
