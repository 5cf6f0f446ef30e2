"""How strong a common cause that nobody measured would have to be.

Source: Chernozhukov et al. 2022, arXiv:2112.13398 (the bound on the bias, in closed form for a doubly robust estimate);
VanderWeele and Ding 2017 (the E-value).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from .aipw import CLIP, Floats
from .estimators import AIPW, Z

if TYPE_CHECKING:
    import pandas as pd
    from dowhy.causal_identifier.identified_estimand import IdentifiedEstimand

OF_TEXT = ("text_q0", "text_q1", "text_g")
"""Columns that stand in for a text (text_how.py)."""
MOST_COMPARED = 30
"""Columns up to which each is left out in turn, to measure an unseen cause by."""


def bias_scale(y: Floats, t: Floats, q0: Floats, q1: Floats, g: Floats, clip: float = CLIP) -> float:
    """S, so that the bias is at most S sqrt(r_y r_t / (1 - r_t)): what the outcome models leave, times the weights.

    r_y and r_t: shares of what is left of outcome and treatment that an unseen cause explains.

    Source: Chernozhukov et al. 2022, theorem 2.
    """
    p = g.clip(clip, 1 - clip)
    weights = t / p - (1 - t) / (1 - p)
    left = y - np.where(t == 1, q1, q0)
    return float(np.sqrt(np.mean(left**2) * np.mean(weights**2)))


def robustness(size: float, scale: float) -> float:
    """The share r, of treatment and outcome alike, at which the bias reaches `size`: scale r / sqrt(1 - r) = size."""
    if scale == 0:
        return 1.0 if size else 0.0
    f = (size / scale) ** 2
    return float((np.sqrt(f * f + 4 * f) - f) / 2)


def strongest_cause(data: pd.DataFrame, wanted: IdentifiedEstimand, fitted: AIPW) -> tuple[str, float] | None:
    """The column without which the effect changes most, and the effect without it; by linear models, to be quick.

    What stands in for a text goes together, as "the text": of its numbers each tells most of what the others do.
    """
    columns = list(wanted.get_adjustment_set() or [])
    if not columns or len(columns) > MOST_COMPARED:
        return None

    def effect(adjust: list[str]) -> float:
        fewer = copy.deepcopy(wanted)
        fewer.set_adjustment_set(adjust)
        plain = AIPW(fewer, folds=fitted.folds, seed=fitted.seed, clip=fitted.clip, groups=fitted.groups)
        return plain.fit(data).ate_

    whole = effect(columns)
    parts = {c: {c} for c in columns if c not in OF_TEXT}
    if numbers := set(OF_TEXT) & set(columns):
        parts["the text"] = numbers
    moved = {name: effect([c for c in columns if c not in out]) - whole for name, out in parts.items()}
    name = max(moved, key=lambda c: abs(moved[c]))
    return name, fitted.ate_ + moved[name]


def e_value(ratio: float) -> float:
    """RR + sqrt(RR (RR - 1)), of a risk ratio or its inverse, whichever is above 1."""
    ratio = max(ratio, 1 / ratio) if ratio > 0 else float("inf")
    return ratio + float(np.sqrt(ratio * (ratio - 1))) if np.isfinite(ratio) else float("inf")


def e_value_of(y: Floats, t: Floats, q0: Floats, q1: Floats, g: Floats, clip: float, se: float) -> tuple[float, float]:
    """E-values of the effect and of the end of its 95 % interval that is nearer to none (1 where it holds none)."""
    p = g.clip(clip, 1 - clip)
    one, zero = q1 + t * (y - q1) / p, q0 + (1 - t) * (y - q0) / (1 - p)
    m1, m0 = float(one.mean()), float(zero.mean())
    if np.isin(y, (0.0, 1.0)).all() and min(m1, m0) > 0:
        log, half = np.log(m1 / m0), Z * float(np.std(one / m1 - zero / m0, ddof=1)) / np.sqrt(len(y))
    else:  # VanderWeele and Ding 2017: log risk ratio about 0.91 standardized differences
        sd = float(y.std(ddof=1))
        log, half = 0.91 * (m1 - m0) / sd, 0.91 * Z * se / sd
    near = max(abs(log) - half, 0.0)
    return e_value(float(np.exp(log))), e_value(float(np.exp(near)))
