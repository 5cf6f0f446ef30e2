"""What DoWhy estimates of a cue from texts as they are, without an edit, and whether it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from .aipw import CLIP, LEAST, cross_fit, mean_and_error, psi
from .cue_table import Adjust
from .edited import Floats
from .estimators import Z, aipw, estimand
from .overlap import Overlap, overlap
from .refute import Asked, refute

TREATMENT, OUTCOME, DOCUMENT = "cue", "answer", "document"
FOLDS = 5


@dataclass(frozen=True)
class Cells:
    """The rows of one cue. t: [m] 0 or 1. y: [m] answers. documents: [m]. adjust: what is held fixed."""

    t: NDArray[np.int64]
    y: Floats
    documents: NDArray[np.str_]
    adjust: Adjust

    @property
    def groups(self) -> NDArray[np.str_] | None:
        """None where every row is a document of its own, which saves the search for fair folds."""
        return None if len(np.unique(self.documents)) == len(self.documents) else self.documents

    @property
    def lacking(self) -> str | None:
        """Why nothing can be estimated, in words; None where it can."""
        for arm in (0, 1):
            if (count := int((self.t == arm).sum())) < LEAST:
                return f"{count} cases have it at {arm}, and {LEAST} are needed"
            if len(np.unique(self.documents[self.t == arm])) < FOLDS:
                return f"fewer than {FOLDS} documents have it at {arm}"
        return None


@dataclass(frozen=True)
class Observed:
    """An average effect without an edit. scores: [m] doubly robust score of each row, whose mean is `ate`.

    overlap: of the probabilities of the cue given what is held fixed. held: the factors, by name.
    """

    ate: float
    se: float
    low: float
    high: float
    n: int
    overlap: Overlap
    held: tuple[str, ...]
    scores: Floats
    fitted: Any = None  # DoWhy's estimator with its data, for refuters


def observe(cells: Cells, *, nuisance: str = "linear", seed: int = 0) -> Observed:
    """DoWhy's estimate by cross-fitted AIPW, documents held out whole and errors clustered by them.

    Raises:
        DataError: too few rows of an arm; see `Cells.lacking`.
    """
    if (why := cells.lacking) is not None:
        raise DataError(f"no estimate: {why}.")
    names = [f"x{i}" for i in range(cells.adjust.x.shape[1])]
    data = pd.DataFrame(cells.adjust.x, columns=names)
    data[TREATMENT], data[OUTCOME] = cells.t, cells.y
    options: dict[str, Any] = {"nuisance": nuisance, "folds": FOLDS, "seed": seed}
    if cells.groups is not None:
        data[DOCUMENT] = np.unique(cells.documents, return_inverse=True)[1]
        options["groups"] = DOCUMENT
    wanted = estimand(TREATMENT, OUTCOME, names)
    found, fitted = aipw(data, wanted, **options)
    half = Z * fitted.se_
    return Observed(
        float(found.value),
        fitted.se_,
        float(found.value) - half,
        float(found.value) + half,
        len(cells.t),
        overlap(fitted.nuisances_.g),
        tuple(cells.adjust.factors),
        fitted.psi_,
        (data, wanted, found, fitted),
    )


def scored(cells: Cells, adjust: Adjust, *, nuisance: str = "linear", seed: int = 0) -> tuple[Floats, float, float]:
    """Scores, effect and error with other things held fixed, without the way through DoWhy: to compare many."""
    parts = cross_fit(adjust.x, cells.t, cells.y, nuisance=nuisance, folds=FOLDS, seed=seed, groups=cells.groups)
    scores = psi(cells.y, cells.t, parts.q0, parts.q1, parts.g, CLIP)
    return (scores, *mean_and_error(scores, cells.groups))


def naive(cells: Cells) -> float:
    """The difference of means, which holds nothing fixed; nan where an arm is empty."""
    on = cells.t == 1
    return float(cells.y[on].mean() - cells.y[~on].mean()) if on.any() and not on.all() else float("nan")


def refuted(observed: Observed, which: Sequence[str], simulations: int, seed: int = 0) -> tuple[Any, ...]:
    """`refute.Refuted` of each."""
    data, wanted, found, fitted = observed.fitted
    return tuple(refute(Asked(data, wanted, found, fitted, simulations, seed), which))
