"""What a text says about treatment and outcome, in two stages that never see the row they are asked about.

First, each view of the texts (numbers of a frozen encoder, words, an adapter) gives four scores a row by ridge
regression, with the penalty that leave-one-out error picks: the treatment, the outcome of either arm, and the outcome
less its arm's mean over both arms. Penalised scores are pulled towards the mean, and what they are pulled by stays in
an estimate as confounding. Second, therefore, propensity and outcomes are fitted without a penalty on these few scores,
which undoes the pull, and weighs the views against each other.

Source: scores as covariates: Hansen 2008, "The prognostic analogue of the propensity score"; views weighed on rows
that were held out: van der Laan, Polley and Hubbard 2007, "Super learner".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .aipw import Floats, Nuisances

PENALTIES = np.logspace(-4, 3, 15)
"""Tried, in units of the mean square of a row's numbers."""
RAREST, MOST_WORDS = 3, 2000


@dataclass(frozen=True)
class Scores:
    """What one view of the texts says about rows that it was not fitted on.

    Attributes:
        name: of the view. t: [n] treatment, about 0 to 1. q0, q1: [n] outcome of either arm. both: [n] outcome less
            its arm's mean, from both arms.
    """

    name: str
    t: Floats
    q0: Floats
    q1: Floats
    both: Floats

    @property
    def columns(self) -> Floats:
        """[n, 4]"""
        return np.column_stack([self.t, self.q0, self.q1, self.both])


def ridge(x: NDArray[np.floating], y: NDArray[np.floating], new: NDArray[np.floating]) -> Floats:
    """[m, k] what ridge regressions expect for `new`, each target with the penalty of least leave-one-out error.

    Args:
        x: [n, d]. y: [n, k] targets. new: [m, d].

    One eigendecomposition of the smaller of n x n and d x d serves all targets and penalties; the leave-one-out error
    of row i is its residual over 1 - h_i, with h the diagonal of the hat matrix.
    """
    mean, level = x.mean(0), y.mean(0)
    xc, yc = x - mean, np.asarray(y - level, dtype=np.float64)
    n, d = xc.shape
    if not d:
        return np.tile(np.asarray(level, dtype=np.float64), (len(new), 1))
    values, vectors = np.linalg.eigh(xc @ xc.T if n <= d else xc.T @ xc)
    real = values > 1e-6 * max(float(values[-1]), 1e-12)  # of float32 numbers, the rest is rounding
    values, vectors = values[real].astype(np.float64), vectors[:, real]
    left = vectors if n <= d else xc @ vectors / np.sqrt(values)
    turned = left.T @ yc  # [r, k]
    penalties = PENALTIES * max(float(values.sum()) / n, 1e-12)
    kept = values / (values + penalties[:, None])  # [penalties, r]
    hat = kept @ (left.astype(np.float64) ** 2).T + 1 / n
    left_out = [((yc - left @ (k[:, None] * turned)) / (1 - h)[:, None]) ** 2 for k, h in zip(kept, hat, strict=True)]
    best = penalties[np.mean(left_out, axis=1).argmin(0)]  # [k]
    weights = xc.T @ (left @ (turned / (values[:, None] + best)))
    return np.asarray((new - mean) @ weights + level, dtype=np.float64)


def scores(name: str, x: NDArray[np.floating], t: NDArray[np.int64], y: Floats, fold: NDArray[np.int64]) -> Scores:
    """Scores of one view given as numbers x [n, d], each fold by the others."""
    out = np.empty((len(t), 4))
    for k in np.unique(fold):
        held, rest = fold == k, fold != k
        level = np.array([y[rest & (t == arm)].mean() for arm in (0, 1)])
        out[held] = np.column_stack(
            [
                ridge(x[rest], np.column_stack([t, y - level[t]])[rest], x[held]),
                *(ridge(x[rest & (t == arm)], y[rest & (t == arm), None], x[held]) for arm in (0, 1)),
            ]
        )
    return Scores(name, t=out[:, 0], q0=out[:, 2], q1=out[:, 3], both=out[:, 1])


def standard(x: NDArray[np.floating]) -> NDArray[np.float32]:
    """Columns with mean 0 and deviation 1, those that do not vary left out."""
    spread = x.std(0)
    varies = spread > 1e-6 * max(float(spread.max()), 1e-12)
    return np.asarray((x[:, varies] - x[:, varies].mean(0)) / spread[varies], dtype=np.float32)


def words(texts: Sequence[str]) -> NDArray[np.float32]:
    """[n, d] of 0 and 1: which words, of those in three texts at least, a text holds; the 2,000 most frequent."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(
        binary=True, min_df=min(RAREST, len(texts)), max_features=MOST_WORDS, token_pattern=r"(?u)\S+"
    )
    try:
        return counter.fit_transform(texts).toarray().astype(np.float32)
    except ValueError:  # no word is in three texts
        return np.zeros((len(texts), 0), dtype=np.float32)


def refit(
    views: Sequence[Scores], t: NDArray[np.int64], y: Floats, fold: NDArray[np.int64], covariates: Floats | None = None
) -> Nuisances:
    """Propensity and both outcomes from all scores and the covariates [n, k], each fold by the others."""
    x = np.column_stack([*(v.columns for v in views), *([] if covariates is None else [covariates])])
    return second_stage(x, x, t, y, fold)


def second_stage(
    for_treatment: Floats, for_outcome: Floats, t: NDArray[np.int64], y: Floats, fold: NDArray[np.int64]
) -> Nuisances:
    """Logistic regression of the treatment on [n, k] numbers, least squares (or logistic) of the outcome by arm."""
    binary = bool(np.isin(y, (0.0, 1.0)).all())
    q, g = np.empty((2, len(t))), np.empty(len(t))
    for k in np.unique(fold):
        held, rest = fold == k, fold != k
        g[held] = _expected(for_treatment[rest], t[rest].astype(np.float64), for_treatment[held], True)
        for arm in (0, 1):
            seen = rest & (t == arm)
            q[arm, held] = _expected(for_outcome[seen], y[seen], for_outcome[held], binary)
    return Nuisances(q[0], q[1], g, fold)


def _expected(x: Floats, y: Floats, new: Floats, binary: bool) -> Floats:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if (y == y[0]).all() or not x.shape[1]:
        return np.full(len(new), y.mean())
    if binary:  # C and alpha keep scores that copy each other apart, no more
        model = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=1000)).fit(x, y.astype(int))
        return np.asarray(model.predict_proba(new))[:, 1]
    return np.asarray(make_pipeline(StandardScaler(), Ridge(1e-2 * len(y) ** 0.5)).fit(x, y).predict(new))
