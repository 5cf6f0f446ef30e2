"""The effect of a treatment where a text moves both the treatment and the outcome: the text is the common cause.

    found = text_effect(table, "discount", "bought", "review", method="lora")
    found.overlap.sentence, found.ate, found.ci, [r.sentence for r in found.refuters]

A text is no column: DoWhy has no node that is a vector. What it says about treatment and outcome is therefore first
read off it, cross-fitted, as a few numbers a row (text_nuisance.py), by one adapter a fold (text_adapter.py), by a
frozen encoder, or by its words. The effect is estimated from these doubly robustly, and they are also common causes of
a kind that DoWhy's estimators and refuters take as they are.

Why these numbers, and not a node for the document with an estimator that looks the text up: on such a graph DoWhy's own
estimators regress on the document's number, and return the naive answer without a word; its bootstrap adds noise to
that number; and each of 100 simulations of the refuters would train all adapters anew. Given the expected outcomes of
both arms, Y(0) and Y(1) go with nothing else in the text that goes with treatment (Hansen 2008), so that adjusting for
these two is adjusting for the text, as far as they are right; nothing tests how right they are.

Where the text tells the treatment so well that no row has a counterpart, the same two numbers stand in for the text in
the propensity as well (Gui and Veitch 2022, arXiv:2210.00079): what the text says about the treatment alone need not be
adjusted for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import columns as column_rules
from .aipw import Floats, Nuisances, mean_and_error, split
from .estimate import Effect, effect
from .estimators import Estimate, Z
from .jackknife import width
from .overlap import Overlap
from .refute import Refuted
from .text_how import NUMBERS, How, blocks_for, how_of, prepared, together
from .text_read import BY_ANSWERS, BY_TEXT, Read, error_by_blocks, of_nuisances, read, views_of

if TYPE_CHECKING:
    import pandas as pd

PARTS = 4


@dataclass(frozen=True)
class Part:
    """The effect on one part of the rows, by what the models expected of them without having seen them."""

    name: str
    n: int
    predicted: float
    ate: float
    low: float
    high: float


@dataclass(frozen=True)
class TextEffect:
    """What was found.

    Attributes:
        ate, se: the average effect and its standard error; None where even the expected outcomes leave no overlap.
        blocks: of rows that were left out in turn for that error (jackknife.py); 0: the models were taken as given.
        naive: the difference of means. dowhy: the same from DoWhy, with the text's numbers as common causes.
        parts: the effect on quarters of the rows by predicted effect.
        scores: [n] doubly robust score of each row that was used; `rows`: [n] their labels in the table's index.
    """

    treatment: str
    outcome: str
    text: str
    covariates: tuple[str, ...]
    how: How
    n: int
    ate: float | None
    se: float | None
    naive: Estimate
    read: Read
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    dowhy: Effect | None = None
    scores: Floats = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    rows: NDArray[Any] = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    blocks: int = 0
    groups: NDArray[Any] | None = field(default=None, repr=False, compare=False)

    @property
    def ci(self) -> tuple[float, float] | None:
        """95 %."""
        if self.ate is None or self.se is None:
            return None
        half = width(self.blocks) * self.se
        return self.ate - half, self.ate + half

    @property
    def overlap(self) -> Overlap:
        return self.read.overlap

    @property
    def refuters(self) -> tuple[Refuted, ...]:
        return () if self.dowhy is None else self.dowhy.refuters

    @property
    def estimators(self) -> tuple[Estimate, ...]:
        """Ours, the difference of means, and DoWhy's on the text's numbers; without ours, DoWhy's first."""
        others = [] if self.dowhy is None else [e for e in self.dowhy.estimators if e.name != self.naive.name]
        if self.ate is None or self.ci is None:
            return (*others, self.naive)
        ours = Estimate("AIPW on the text", self.ate, *self.ci, note="right if what is read off the text is")
        return (ours, self.naive, *others)

    def where(self, mask: Any) -> tuple[float, float]:
        """The effect on the rows where mask [n] is true, and its standard error with the models taken as given.

        Raises DataError for fewer than 2 rows.
        """
        keep = np.asarray(mask, dtype=bool).ravel()
        if keep.size != self.n:
            raise DataError(f"the mask has {keep.size} rows, and {self.n} were used: see `rows`.")
        return mean_and_error(self.scores[keep], None if self.groups is None else self.groups[keep])


def text_effect(
    table: pd.DataFrame, treatment: str, outcome: str, text: str, *, covariates: Any = (), **how: Any
) -> TextEffect:
    """The average effect of a treatment of two values, adjusted for a text and further columns.

    Args:
        table: one row a unit; rows with gaps in a column that is used are left out, and counted in `notes`.
        text: a column of texts, each written before the treatment; what came after it cannot be adjusted for.
        covariates: columns that move both treatment and outcome besides the text.
        how: of How.

    Raises:
        UnknownName: no such column. DataError: a column that cannot be used in its role; the message says the remedy.
        RecipeError: a setting outside its range.
    """
    asked = how_of(how)
    table = table.set_axis([str(c) for c in table.columns], axis=1)
    data, notes = prepared(table, treatment, outcome, text, tuple(covariates), asked)
    frame = column_rules.frame(data, treatment, outcome, covariates, asked.group)
    texts = data[text].tolist()
    groups = together(texts, frame.groups)
    fold = split(frame.t, asked.folds, asked.seed, groups)
    blocks = blocks_for(asked, frame.t, groups)
    views, adapters = views_of(texts, frame.t, frame.y, fold, asked)
    seen = read(views, frame.t, frame.y, fold, frame.x, [a.mean_rank for a in adapters])
    found = of_nuisances(seen.nuisances, frame.t, frame.y, groups)
    if seen.by == BY_ANSWERS:
        notes.append(_told(seen))
    if not seen.overlap.ok:
        notes.append(f"There is no average effect over all rows. {seen.overlap.sentence}")
    se = found[2]
    if blocks and seen.overlap.ok:
        rows = (frame.t, frame.y, fold, frame.x)
        se = error_by_blocks(views, *rows, by=seen.by, blocks=blocks, seed=asked.seed, groups=groups)
    made = TextEffect(
        treatment,
        outcome,
        text,
        tuple(covariates),
        asked,
        len(data),
        ate=found[1] if seen.overlap.ok else None,
        se=se if seen.overlap.ok else None,
        naive=_naive(frame.t, frame.y),
        read=seen,
        parts=parts_of(found[0], seen.nuisances, groups),
        notes=tuple(notes),
        scores=found[0],
        rows=data.index.to_numpy(),
        blocks=blocks,
        groups=groups,
    )
    return replace(made, dowhy=_by_dowhy(made, data)) if asked.refuters else made


def parts_of(found: Floats, parts: Nuisances, groups: NDArray[Any] | None = None) -> tuple[Part, ...]:
    """The effect on quarters of the rows, from the least predicted effect to the largest.

    The prediction for a row was made without it, so the quarters are no selection by its own outcome (Chernozhukov et
    al. 2018, "Generic machine learning inference on heterogeneous treatment effects", sorted group effects).
    """
    predicted = parts.q1 - parts.q0
    out = []
    for i, rows in enumerate(np.array_split(np.argsort(predicted, kind="stable"), PARTS), 1):
        ate, se = mean_and_error(found[rows], None if groups is None else groups[rows])
        name = {1: "least", PARTS: "most"}.get(i, f"quarter {i}")
        out.append(Part(name, len(rows), float(predicted[rows].mean()), ate, ate - Z * se, ate + Z * se))
    return tuple(out)


def stand_ins(found: TextEffect) -> dict[str, Floats]:
    """The columns that stand in for the text: both expected outcomes, and the propensity where it has overlap.

    Its logit, so that a logistic regression on it is as good as the propensity itself.
    """
    parts = found.read.nuisances
    out = dict(zip(NUMBERS, (parts.q0, parts.q1), strict=False))
    if found.read.by == BY_TEXT:
        g = parts.g.clip(1e-4, 1 - 1e-4)
        out[NUMBERS[2]] = np.log(g / (1 - g))
    return out


def _by_dowhy(found: TextEffect, data: pd.DataFrame) -> Effect:
    how, numbers = found.how, stand_ins(found)
    used = [found.treatment, found.outcome, *found.covariates, *([how.group] if how.group else [])]
    return effect(
        data[used].reset_index(drop=True).assign(**numbers),
        found.treatment,
        found.outcome,
        common_causes=[*numbers, *found.covariates],
        folds=how.folds,
        seed=how.seed,
        refuters=how.refuters,
        simulations=how.simulations,
        groups=how.group,
    )


def _naive(t: NDArray[np.int64], y: Floats) -> Estimate:
    treated, others = y[t == 1], y[t == 0]
    error = float(np.sqrt(treated.var(ddof=1) / len(treated) + others.var(ddof=1) / len(others)))
    ate = float(treated.mean() - others.mean())
    return Estimate("difference of means", ate, ate - Z * error, ate + Z * error, note="adjusts for nothing")


def _told(seen: Read) -> str:
    return (
        f"The text tells the treatment too well (AUC {seen.auc:.2f}): given the text, "
        f"{seen.text_overlap.outside:.0%} of the rows have no counterpart. The propensity is therefore fitted on the "
        "expected outcomes alone (Gui and Veitch 2022). That is right if what the text says about the treatment, and "
        "does not say about the outcome, may be left out, and if the outcome of one arm can be told from texts of the "
        "other."
    )
