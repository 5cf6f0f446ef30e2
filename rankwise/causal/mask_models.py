"""Models that predict an outcome under masks, each judged on masks that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .design import PAIRS, Design, Fit, Floats, fit, left_out, left_out_r2
from .gaussian import MOST, fit_process
from .shrunk import fit_shrunk

STILL = 1e-9
"""An outcome that varies by less over the masks is moved by no switch."""
PARTS = 8
"""Of all masks there are, each predicted from the others by a process that was fitted without it."""


@dataclass(frozen=True)
class MaskModel:
    """What a model says.

    Attributes:
        said: [masks] of what it has not seen: fresh masks, or where all were fitted each from the others.
        miss: share of the variance over the fitted runs that it misses, each from the others; models are chosen by it.
        effects: of switches and pairs; None for a model that has none.
    """

    said: Floats
    miss: float
    effects: Fit | None = None


def models_of(plan: Design, y: Floats, margins: Floats | None = None) -> dict[str, MaskModel]:
    """name -> what is fitted to y [runs] of plan.fit.

    margins: [runs, units], where y is the share of units whose margin is above 0.
    """
    main = fit(plan, y, pairs=False)
    made = {"main": MaskModel(_unseen(plan, y, main, pairs=False), 1 - left_out_r2(plan, y, pairs=False), main)}
    if 1 < plan.switches <= PAIRS:
        both = fit(plan, y, pairs=True)
        made["pairs"] = MaskModel(_unseen(plan, y, both, pairs=True), 1 - left_out_r2(plan, y, pairs=True), both)
    shrunk = None if plan.complete else fit_shrunk(plan, y)
    if shrunk is not None and shrunk.plain > 0:
        miss = made["main"].miss * shrunk.press / shrunk.plain
        made["shrunk"] = MaskModel(shrunk.fitted.predict(plan.fresh), miss, shrunk.fitted)
    if 2 < plan.switches <= MOST and np.ptp(y) > STILL:
        made["gp"] = _process(plan, y, margins)
    return made


def chosen(models: dict[str, MaskModel]) -> str:
    """The name of the model that predicts the fitted runs best, each from the others."""
    best = min(models, key=lambda name: models[name].miss)
    return best if np.isfinite(models[best].miss) else "main"


def _unseen(plan: Design, y: Floats, model: Fit, *, pairs: bool) -> Floats:
    if not plan.complete:
        return model.predict(plan.fresh)
    predicted = left_out(plan, y, pairs=pairs)
    return model.predict(plan.fit) if predicted is None else predicted


def _process(plan: Design, y: Floats, margins: Floats | None) -> MaskModel:
    total = float(((y - y.mean()) ** 2).sum())
    if not plan.complete:
        model = fit_process(plan.fit, y, margins)
        return MaskModel(model.predict(plan.fresh), float(((y - model.left_out()) ** 2).sum()) / total)
    said, part = np.empty(len(y)), np.random.default_rng(0).permutation(len(y)) % PARTS
    for k in range(PARTS):  # the lengths too are learnt without the masks that are predicted
        rest = part != k
        model = fit_process(plan.fit[rest], y[rest], None if margins is None else margins[rest])
        said[~rest] = model.predict(plan.fit[~rest])
    return MaskModel(said, float(((y - said) ** 2).sum()) / total)
