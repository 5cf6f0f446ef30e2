"""Two audits of the same cases side by side: before and after augmentation, LoRA and SoRA, one seed and another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DataError, explain
from .audit import Audit, Audited
from .edited import Mean, mean_of


@dataclass(frozen=True)
class Beside:
    """One cue in both. change: of the effect from the first to the second, on the cases that both edited."""

    name: str
    first: Audited
    second: Audited
    change: Mean | None


def side_by_side(first: Audit, second: Audit) -> tuple[Beside, ...]:
    """Every cue that both have; changes are paired by case, so what the texts add to the error of both cancels.

    Raises:
        DataError: they are not audits of the same cases.
    """
    if first.keys != second.keys:
        rule = "Audit both on the same documents, with the same seed."
        raise DataError(explain(f"{first.cases} and {second.cases} cases that are not the same.", rule))
    names = {cue.name for cue in second.cues}
    return tuple(_beside(first, cue, second[cue.name]) for cue in first.cues if cue.name in names)


def _beside(audit: Audit, one: Audited, other: Audited) -> Beside:
    both, left, right = np.intersect1d(one.where, other.where, return_indices=True)
    change = mean_of(other.effects[right] - one.effects[left], [audit.keys[i][0] for i in both.tolist()])
    return Beside(one.name, one, other, change)
