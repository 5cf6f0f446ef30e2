"""Contrast pairs: a text and its edit that turns the label round, and whether a reader is right about both.

Being right about one of them shows little, for a reader that never looks at the cue is right about half of them.
Source: Gardner et al. 2020 (Findings of EMNLP), "Evaluating models' local decision boundaries via contrast sets".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .cue import Case
from .edited import Floats, Ints, Mean, mean_of

LABELS = {"BEFORE": 1, "AFTER": 0}


@dataclass(frozen=True)
class Contrast:
    """Shares of right answers. original: of the texts as they are; turned: of their edits; both: of pairs.

    cues: whose edits turn the label round.
    """

    cues: tuple[str, ...]
    original: Mean
    turned: Mean
    both: Mean


@dataclass(frozen=True)
class Turned:
    """Edits of one deciding cue. where: [m] numbers of the cases; on, off: [m] answers at 1 and at 0."""

    name: str
    where: Ints
    on: Floats
    off: Floats


def contrast(cases: Sequence[Case], values: Floats, turned: Sequence[Turned]) -> Contrast | None:
    """Of cues that decide the order: at 1, pair[0] starts before pair[1], and at 0 after it.

    A case whose label says otherwise than its cue is left out, for then the cue does not decide it.

    Args:
        values: [n, len(turned)] these cues in the texts as they are.
    """
    original, other, documents = [], [], []
    for k, t in enumerate(turned):
        for i, on, off in zip(t.where.tolist(), t.on.tolist(), t.off.tolist(), strict=True):
            now, label = int(values[i, k]), cases[i].label
            if label is not None and LABELS.get(label) != now:
                continue
            right = {1: float(on > 0.5), 0: float(off < 0.5)}
            original.append(right[now])
            other.append(right[1 - now])
            documents.append(cases[i].document.id)
    first, second = mean_of(original, documents), mean_of(other, documents)
    both = mean_of(np.array(original) * np.array(other), documents)
    if first is None or second is None or both is None:
        return None
    return Contrast(tuple(t.name for t in turned if len(t.where)), *map(_share, (first, second, both)))


def _share(mean: Mean) -> Mean:
    """With an interval that stays within 0 and 1; of none or all right, the exact one (Clopper and Pearson 1934) over
    documents, for no spread does not mean that nothing else could have been seen."""
    if mean.low is not None and mean.low == mean.high and mean.value in (0, 1):
        from scipy.stats import binomtest

        exact = binomtest(round(mean.value * mean.documents), mean.documents).proportion_ci()
        return replace(mean, low=float(exact.low), high=float(exact.high))
    low, high = (None if x is None else min(max(x, 0.0), 1.0) for x in (mean.low, mean.high))
    return replace(mean, low=low, high=high)
