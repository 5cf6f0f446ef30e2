"""What a reader answers when a cue of a text is really set to 1 and to 0: the effect itself, with its interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, explain
from .aipw import mean_and_error
from .cue import Case, Cue, Reader

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Mean:
    """A mean over cases, with an interval of 95 % that takes the cases of one document as one draw.

    se, low, high are None with fewer than two documents.
    """

    value: float
    n: int
    documents: int
    se: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def mean_of(values: ArrayLike, documents: Sequence[str] | NDArray[Any]) -> Mean | None:
    """The mean of values [n], clustered by document [n]; None of nothing. t distribution, documents less one."""
    v = np.asarray(values, dtype=np.float64)
    if not v.size:
        return None
    groups = len(set(documents))
    if groups < 2:
        return Mean(float(v.mean()), v.size, groups)
    from scipy.stats import t

    mean, se = mean_and_error(v, np.asarray(documents))
    half = float(t.ppf(0.975, groups - 1)) * se
    return Mean(mean, v.size, groups, se, mean - half, mean + half)


@dataclass(frozen=True)
class Edits:
    """The cases of one cue that could be set both ways for certain.

    where: [m] numbers of the cases. on, off: [m] the cases with the cue at 1 and at 0.
    have: cases with the cue. skipped: how many of those were not edited, by reason.
    """

    where: Ints
    on: tuple[Case, ...]
    off: tuple[Case, ...]
    have: int
    skipped: dict[str, int] = field(default_factory=dict)


def edits(cases: Sequence[Case], cue: Cue, values: Floats) -> Edits:
    """Set the cue both ways in every case that has it. values: [n] the cue by case, nan where there is none."""
    where, on, off = [], [], []
    why: Counter[str] = Counter()
    for i in np.flatnonzero(~np.isnan(values)).tolist():
        one, none = cue.edit(cases[i], 1), cue.edit(cases[i], 0)
        if one is None or none is None:
            why[_reason(cue, cases[i], 1 - int(values[i]))] += 1
            continue
        where.append(i)
        on.append(one)
        off.append(none)
    return Edits(np.array(where, dtype=np.int64), tuple(on), tuple(off), len(where) + why.total(), dict(why))


def _reason(cue: Cue, case: Case, value: int) -> str:
    """Why there is no edit, of cues that tell."""
    attempt: Callable[[Case, int], Any] | None = getattr(cue, "attempt", None)
    said = attempt(case, value) if attempt is not None else None
    return said if isinstance(said, str) else "not certain"


def ask(reader: Reader, *parts: Sequence[Case]) -> list[Floats]:
    """What the reader says of each part, every text once and all in one call.

    Raises:
        DataError: not one probability from 0 to 1 for each case.
    """
    places: dict[Hashable, int] = {}
    once: list[Case] = []
    numbers = []
    for part in parts:
        number = []
        for case in part:
            key = (case.document.id, case.document.text, case.document.marks, case.pair)
            if key not in places:
                places[key] = len(once)
                once.append(case)
            number.append(places[key])
        numbers.append(np.array(number, dtype=np.int64))
    said = np.asarray(reader(once), dtype=np.float64)
    if said.shape != (len(once),):
        raise DataError(explain(f"the reader gave {said.shape} answers for {len(once)} cases.", "One number each."))
    bad = said[~((said >= 0) & (said <= 1))]
    if bad.size:
        value = float(bad[0])
        rule = "Each is the probability, from 0 to 1, that the first event of the pair starts first."
        raise DataError(explain(f"the reader said {value:g}.", rule), value=None if math.isnan(value) else value)
    return [said[number] for number in numbers]
