"""An adapter as a reader: from four temporal probabilities to one, that the first event of the pair starts first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..relations.extract import Extractor
from ..relations.schema import TEMPORAL
from .cue import Case
from .edited import Floats
from .gate_outcomes import CaseReader

LEAST = 1e-6  # of BEFORE and AFTER together, below which the adapter says nothing of the order
PART = 512  # texts asked about at a time


def order(temporal: Floats) -> Floats:
    """[n, 4] probabilities of TEMPORAL to [n]: P(BEFORE) / (P(BEFORE) + P(AFTER)).

    What falls to EQUAL and VAGUE says nothing of the order, and how much falls there is not what an audit asks: half of
    it counted for either side would draw every effect towards 0. 1/2 where next to nothing is left.
    """
    before, after = temporal[:, TEMPORAL.index("BEFORE")], temporal[:, TEMPORAL.index("AFTER")]
    said = before + after
    return np.where(said < LEAST, 0.5, before / np.maximum(said, LEAST))


@dataclass(frozen=True)
class OrderReader:
    """A Reader that asks an extractor, as it is attached, before any shift towards the labels' shares of news."""

    extractor: Extractor

    def __call__(self, cases: Sequence[Case]) -> Floats:
        """[n] probabilities."""
        said = [self._of(cases[i : i + PART]) for i in range(0, len(cases), PART)]
        return np.concatenate(said) if said else np.empty(0)

    def _of(self, cases: Sequence[Case]) -> Floats:
        return order(CaseReader(self.extractor).temporal(cases))
