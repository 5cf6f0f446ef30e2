"""Pairs of many switches from few runs: shrunk towards 0, the more so where neither switch does anything alone.

G switches have G (G - 1) / 2 pairs, for 31 of them 465, and 12 runs a switch are fewer than that. The pairs of
switches with large main effects are the likelier ones (effect heredity; Chipman 1996, Canadian Journal of Statistics
24), so a pair (i, j) gets a normal prior of mean 0 and a variance in proportion to |main_i main_j|. How large it is
against the rest is chosen by predicting each run, or each mask with its opposite, from the others. Intercept and main
effects are not shrunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .design import Design, Fit, Floats, fit, terms

STRENGTHS = np.logspace(-2, 5, 29)
"""Candidates for the variance of the rest over that of an average pair."""


@dataclass(frozen=True)
class Shrunk:
    """fitted: pairs are posterior means with 95 % credible half widths. press: sum of squares of what the fit runs
    miss, each (or each opposite pair) predicted from the others; plain: the same without pairs."""

    fitted: Fit
    press: float
    plain: float


def fit_shrunk(plan: Design, y: Floats) -> Shrunk | None:
    """y [runs] of plan.fit. None where no switch has a main effect, so that no pair is likelier than another."""
    main = fit(plan, y, pairs=False)
    g = plan.switches
    weight = np.array([abs(main.main[i] * main.main[j]) for i, j in combinations(range(g), 2)])
    if g < 2 or weight.mean() <= 1e-24:
        return None
    weight = np.sqrt(weight / weight.mean())
    products = terms(plan.fit, pairs=True)[:, g + 1 :] * weight
    if plan.mirrored:  # a mask and its opposite agree in all pairs: half their sum holds nothing of the main effects
        free, products, target = np.ones((len(y) // 2, 1)), products[::2], (y[::2] + y[1::2]) / 2
    else:
        free, target = terms(plan.fit, pairs=False), y
    kernel = products @ products.T
    press, strength = min((_press(free, kernel, target, s), s) for s in STRENGTHS)
    beta, gamma, error = _posterior(free, products, target, strength)
    level = main.coefficients.copy()
    level[: len(beta)] = beta
    fitted = Fit(
        main=2 * level[1 : g + 1],
        main_error=main.main_error,
        pairs=4 * gamma * weight,
        pair_error=4 * error * weight,
        coefficients=np.concatenate([level, gamma * weight]),
    )
    return Shrunk(fitted, press, _press(free, np.zeros_like(kernel), target, 1.0))


def _projector(free: Floats, kernel: Floats, strength: float) -> tuple[Floats, Floats]:
    """(V^-1, V^-1 less what the free columns take), V = kernel + strength I."""
    inverse = np.linalg.inv(kernel + strength * np.eye(len(kernel)))
    part = inverse @ free
    return np.asarray(inverse), np.asarray(inverse - part @ np.linalg.solve(free.T @ part, part.T))


def _press(free: Floats, kernel: Floats, y: Floats, strength: float) -> float:
    """Each residual without its own run: (M y)_i / M_ii."""
    _, left = _projector(free, kernel, strength)
    return float((((left @ y) / np.diag(left)) ** 2).sum())


def _posterior(free: Floats, products: Floats, y: Floats, strength: float) -> tuple[Floats, Floats, Floats]:
    """Free coefficients, means of the scaled pairs, and their credible half widths."""
    inverse, left = _projector(free, products @ products.T, strength)
    beta = np.linalg.solve(free.T @ inverse @ free, free.T @ inverse @ y)
    gamma = products.T @ (left @ y)
    scale = max(0.0, float(y @ left @ y)) / max(1, len(y) - free.shape[1])
    spread = 1 - ((left @ products) * products).sum(0)
    error = 1.96 * np.sqrt(scale * np.clip(spread, 0, None))
    return np.asarray(beta), np.asarray(gamma), np.asarray(error)
