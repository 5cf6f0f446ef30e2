"""What is read off texts for an effect: views of them, nuisances from these, and an estimate with its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .aipw import Floats, Nuisances, mean_and_error, psi, split
from .jackknife import jackknife
from .overlap import Overlap, overlap
from .text_adapter import adapter_scores, method_of
from .text_encoder import Encoder
from .text_how import How
from .text_nuisance import Scores, refit, scores, standard, words

if TYPE_CHECKING:
    from ..core.adapter import Adapter

BY_TEXT, BY_ANSWERS = "text", "expected outcomes"


@dataclass(frozen=True)
class View:
    """One way to look at the texts.

    Attributes:
        scores: what it says of treatment and outcome, cross-fitted. numbers: [n, d] that these were made of; None for
            an adapter, which takes minutes to train, so that its scores are taken as they are where rows are left out.
    """

    scores: Scores
    numbers: NDArray[np.floating] | None = None

    @staticmethod
    def of(name: str, x: NDArray[np.floating], t: NDArray[np.int64], y: Floats, fold: NDArray[np.int64]) -> View:
        return View(scores(name, x, t, y, fold), x)

    def only(self, keep: NDArray[np.bool_], t: NDArray[np.int64], y: Floats, fold: NDArray[np.int64]) -> Scores:
        """Scores made of the rows `keep` [n] alone; t, y and fold are of all rows."""
        if self.numbers is not None:
            return scores(self.scores.name, self.numbers[keep], t[keep], y[keep], fold[keep])
        folds = int(fold[keep].max()) + 1
        return Scores(self.scores.name, self.scores.of_treatment[:folds, keep], self.scores.of_outcome[:folds, keep])


@dataclass(frozen=True)
class Read:
    """What was read off the texts.

    Attributes:
        nuisances: what the estimate is made of. by: what the propensity is fitted on, BY_TEXT or BY_ANSWERS.
        text_overlap: of the propensity given the text. overlap: of the one that is used.
        auc: how well the text tells the treatment, .5 to 1. explained: share of the outcome's variance within the arms.
        ranks: mean directions a site of each fold's adapter; () without adapters.
    """

    nuisances: Nuisances
    by: str
    text_overlap: Overlap
    overlap: Overlap
    auc: float
    explained: float
    ranks: tuple[float, ...] = ()


def views_of(
    texts: list[str], t: NDArray[np.int64], y: Floats, fold: NDArray[np.int64], how: How
) -> tuple[list[View], list[Adapter]]:
    """What the method reads off the texts, and the adapters of the folds where it trains any."""
    bag = View.of("words", words(texts), t, y, fold)
    if how.method == "bag":
        return [bag], []
    encoder = Encoder.open(how.base, how.max_length)
    views = [bag, View.of("layers", standard(encoder.layers(texts)), t, y, fold)]
    if how.method == "frozen":
        return views, []
    recipe = replace(how.recipe, seed=how.seed, epochs=how.epochs)
    adapted, adapters = adapter_scores(encoder, texts, t, y, fold, method_of(how.method), recipe)
    return [*views, View(adapted)], adapters


def read(
    views: Sequence[View],
    t: NDArray[np.int64],
    y: Floats,
    fold: NDArray[np.int64],
    covariates: Floats,
    ranks: list[float] | None = None,
) -> Read:
    """Nuisances of an estimate: given the text, or given the expected outcomes where the text leaves no overlap."""
    from sklearn.metrics import roc_auc_score

    made = [v.scores for v in views]
    parts = refit(made, t, y, fold, covariates)
    given_text = overlap(parts.g)
    auc, by, used = float(roc_auc_score(t, parts.g)), BY_TEXT, given_text
    if not given_text.ok:
        parts = refit(made, t, y, fold, covariates, answers_alone=True)
        by, used = BY_ANSWERS, overlap(parts.g)
    left = y - np.where(t == 1, parts.q1, parts.q0)
    level = np.array([y[t == arm].mean() for arm in (0, 1)])[t]
    total = float(((y - level) ** 2).mean())
    explained = 1 - float((left**2).mean()) / total if total else 0.0
    return Read(parts, by, given_text, used, auc, explained, tuple(ranks or ()))


def of_nuisances(
    parts: Nuisances, t: NDArray[np.int64], y: Floats, groups: NDArray[Any] | None = None
) -> tuple[Floats, float, float]:
    """[n] scores, their mean, and its standard error with the models taken as given."""
    found = psi(y, t, parts.q0, parts.q1, parts.g)
    return (found, *mean_and_error(found, groups))


def error_by_blocks(
    views: Sequence[View],
    t: NDArray[np.int64],
    y: Floats,
    fold: NDArray[np.int64],
    covariates: Floats,
    *,
    by: str,
    blocks: int,
    seed: int = 0,
    groups: NDArray[Any] | None = None,
) -> float:
    """The standard error with the models fitted anew without each block of rows, both arms in equal shares in each.

    by: of Read, so that every block is left out of the same kind of estimate. groups: rows of one are in one block.
    """

    def estimate(keep: NDArray[np.bool_]) -> float:
        made = [v.only(keep, t, y, fold) for v in views]
        parts = refit(made, t[keep], y[keep], fold[keep], covariates[keep], answers_alone=by == BY_ANSWERS)
        return of_nuisances(parts, t[keep], y[keep])[1]

    return jackknife(estimate, split(t, blocks, seed + 1, groups))  # + 1: blocks across the folds, not along them
