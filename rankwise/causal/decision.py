"""What is to be decided, how models are fitted for it, and what `policy.policies` finds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .overlap import Overlap

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """What is to be decided.

    Args:
        cost: of treating one row, in units of the outcome, >= 0.
        smaller_is_better: the outcome is a loss; the cost is then added to it.
        rules: texts of rules over columns, see `rule.Rule`.
    """

    cost: float = 0.0
    smaller_is_better: bool = False
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fitting:
    """How the models are fitted.

    Args:
        nuisance: linear, boosting or network. folds: >= 2. seed: of the folds and the models.
        group: a column; its rows of one value are held out together, and errors are between its values.
    """

    nuisance: str = "linear"
    folds: int = 5
    seed: int = 0
    group: str | None = None


PLAIN, USUAL = Decision(), Fitting()


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and 95 % interval."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True)
class Value:
    """One policy.

    Args:
        treated: share of the rows that it treats.
        outcome: expected outcome. net: the same less the cost of treating (plus, where smaller is better).
        unseen: share of the rows for which what it does has a probability below .02 in the data.
    """

    policy: str
    treated: float
    outcome: Estimate
    net: Estimate
    unseen: float


@dataclass(frozen=True)
class Difference:
    """net of `first` less net of `second`, on the same rows."""

    first: str
    second: str
    net: Estimate


@dataclass(frozen=True)
class Part:
    """A fifth of the rows by predicted effect: what was predicted for it, and the estimate without that model."""

    rows: int
    predicted: float
    effect: Estimate


@dataclass(frozen=True)
class Policies:
    """Everything that `policies` found; cate [n]: each row's predicted effect, held out (None without covariates)."""

    treatment: str
    outcome: str
    covariates: tuple[str, ...]
    n: int
    decision: Decision
    fitting: Fitting
    overlap: Overlap
    effect: Estimate
    values: tuple[Value, ...]
    differences: tuple[Difference, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    cate: Floats | None = field(default=None, repr=False, compare=False)

    @property
    def best(self) -> Value:
        """The policy with the best net value; whether it is better than the next, `differences` say."""
        sign = -1 if self.decision.smaller_is_better else 1
        return max(self.values, key=lambda v: sign * v.net.value)
