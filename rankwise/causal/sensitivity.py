"""How much a cue that nobody sees could change an estimate, and which one that is seen closes a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .cue_table import Adjust
from .edited import Floats, Ints
from .observed import Cells, Observed, scored
from .unseen import bias_scale, robustness


@dataclass(frozen=True)
class Sensitivity:
    """strongest: the factor without which the estimate changes most. without: the estimate then.

    robustness: share of what is left unexplained, of cue and answer alike, that an unseen common cause would have to
    explain to make the whole estimate (Chernozhukov et al. 2022).
    """

    ate: float
    strongest: str | None
    without: float | None
    robustness: float

    @property
    def shift(self) -> float | None:
        """By how much an unseen cue as strong as the strongest would move the estimate."""
        return None if self.without is None else self.without - self.ate

    @property
    def sentence(self) -> str:
        """What the figures say, for a report."""
        share = f"an unseen cause of {self.robustness:.0%} of what is left of cue and answer would make all of it"
        if self.strongest is None or self.without is None:
            return f"nothing is held fixed to compare with; {share}"
        return f"an unseen cue as strong as {self.strongest} would change {self.ate:.3f} to {self.without:.3f}; {share}"


def sensitivity(cells: Cells, observed: Observed, *, seed: int = 0) -> Sensitivity:
    """Each factor is left out in turn, by linear models."""
    parts = observed.fitted[-1].nuisances_
    scale = bias_scale(cells.y, cells.t.astype(np.float64), parts.q0, parts.q1, parts.g)
    needed = robustness(abs(observed.ate), scale)
    if not cells.adjust.factors:
        return Sensitivity(observed.ate, None, None, needed)
    whole = scored(cells, cells.adjust, seed=seed)[1]
    moved = {f: scored(cells, cells.adjust.without(f), seed=seed)[1] - whole for f in cells.adjust.factors}
    strongest = max(moved, key=lambda f: abs(moved[f]))
    return Sensitivity(observed.ate, strongest, observed.ate + moved[strongest], needed)


@dataclass(frozen=True)
class Closing:
    """What closes a gap most. name: of a cue that was not held fixed, or of richer models, which are tried where no cue
    closes a quarter of it; None where nothing does.

    before, after: the gap, and what is left of it. tried: the gap that each candidate leaves.
    """

    name: str | None
    before: float
    after: float
    tried: tuple[tuple[str, float], ...]


MODELS = "boosted trees instead of linear models"
CLOSED = 0.25  # of the gap at least, to be named


def closing(cells: Cells, rows: Ints, effects: Floats, candidates: Mapping[str, Adjust], *, seed: int = 0) -> Closing:
    """Hold fixed one thing more, each in turn, and see what is left of the gap.

    Args:
        rows: [m] numbers of the edited rows among the cells; effects: [m] what their edits did.
        candidates: by name, what is held fixed with it added.
    """
    before = float(np.mean(effects - scored(cells, cells.adjust, seed=seed)[0][rows]))
    tried = {name: _gap(cells, rows, effects, wider, seed=seed) for name, wider in candidates.items()}

    def enough(name: str) -> bool:
        return abs(tried[name]) <= (1 - CLOSED) * abs(before)

    if not any(map(enough, tried)):  # they take longer than all the rest
        tried[MODELS] = _gap(cells, rows, effects, cells.adjust, nuisance="boosting", seed=seed)
    best = min(tried, key=lambda name: abs(tried[name]))
    return Closing(best if enough(best) else None, before, tried[best], tuple(tried.items()))


def _gap(
    cells: Cells, rows: Ints, effects: Floats, adjust: Adjust, *, nuisance: str = "linear", seed: int = 0
) -> float:
    return float(np.mean(effects - scored(cells, adjust, nuisance=nuisance, seed=seed)[0][rows]))
