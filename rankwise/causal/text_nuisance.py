"""What a text says about treatment and outcome, in two stages that never see the row they are asked about.

First, each view of the texts (numbers of a frozen encoder, words, an adapter) gives a few scores a row: the treatment,
the outcome of either arm, and the outcome less its arm's mean over both arms. They are penalised, and so pulled towards
the mean, and what they are pulled by stays in an estimate as confounding. Second, therefore, propensity and outcomes
are fitted on these scores with next to no penalty, which undoes the pull, and weighs the views against each other.

Both stages leave the fold out that is asked about, and the second is fitted on scores of rows that were left out of the
first: by closed form for ridge regressions, whose scores of their own rows would promise too much.

Source: scores as covariates: Hansen 2008, "The prognostic analogue of the propensity score"; views weighed on rows that
were left out: van der Laan, Polley and Hubbard 2007, "Super learner".
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
    """What one view of the texts says, once for each fold that is asked about.

    Attributes:
        name: of the view.
        of_treatment: [folds, n, a]; entry [k] knows nothing of the rows of fold k, and its score of a row outside fold
            k nothing of that row. of_outcome: [folds, n, b], likewise.
    """

    name: str
    of_treatment: Floats
    of_outcome: Floats


def ridge(
    x: NDArray[np.floating], y: Floats, new: NDArray[np.floating], arm: NDArray[np.int64] | None = None
) -> tuple[Floats, Floats]:
    """Scores (what is expected less the mean) of ridge regressions, each target with its best penalty.

    Args:
        x: [n, d]. y: [n, k] targets. new: [m, d].
        arm: [n] of 0 and 1, or None: fit on what differs within the arms. With the numbers as they are, a slope for
            both arms would take up what the arms differ by, and the score of a text would tell its treatment.

    Returns:
        [n, k] of each row by the others; [m, k] of `new`. The penalty is that of least leave-one-out error.

    One eigendecomposition of the smaller of n x n and d x d serves all targets and penalties; the leave-one-out error
    of row i is its residual over 1 - h_i, with h the diagonal of the hat matrix, means of the arms included.
    """
    arm = np.zeros(len(x), dtype=np.int64) if arm is None else arm
    size, known = np.bincount(arm)[arm], np.unique(arm)
    means = np.stack([x[arm == k].mean(0) for k in known])
    xc, yc = x - means[arm], y - np.stack([y[arm == k].mean(0) for k in known])[arm]
    n, d = xc.shape
    if not d or size.min() < 2:
        return np.zeros(yc.shape), np.zeros((len(new), yc.shape[1]))
    values, vectors = np.linalg.eigh(xc @ xc.T if n <= d else xc.T @ xc)
    real = values > 1e-6 * max(float(values[-1]), 1e-12)  # of float32 numbers, the rest is rounding
    values, vectors = values[real].astype(np.float64), vectors[:, real]
    left = (vectors if n <= d else xc @ vectors / np.sqrt(values)).astype(np.float64)
    turned = left.T @ yc  # [r, k]
    penalties = PENALTIES * max(float(values.sum()) / n, 1e-12)
    kept = values / (values + penalties[:, None])  # [penalties, r]
    hat = kept @ (left**2).T + 1 / size
    errors = np.stack(
        [(yc - left @ (k[:, None] * turned)) / (1 - h)[:, None] for k, h in zip(kept, hat, strict=True)]
    )  # [penalties, n, k]
    best = (errors**2).mean(1).argmin(0)  # [k]
    error = np.take_along_axis(errors, best[None, None], 0)[0]
    weights = xc.T @ (left @ (turned / (values[:, None] + penalties[best])))
    count = size[:, None]
    others = -yc / (count - 1)  # the mean of the other rows: what is expected, less it, is the slope of the others
    own = (yc - error - others) * ((count - 1) / count) + (means[arm] - x.mean(0)) @ weights
    return own, np.asarray((new - x.mean(0)) @ weights, dtype=np.float64)


def scores(name: str, x: NDArray[np.floating], t: NDArray[np.int64], y: Floats, fold: NDArray[np.int64]) -> Scores:
    """Scores of one view given as numbers x [n, d]."""
    folds = int(fold.max()) + 1
    of_treatment, of_outcome = np.zeros((folds, len(t), 1)), np.zeros((folds, len(t), 3))
    for k in range(folds):
        rest = fold != k
        own, new = ridge(x[rest], t[rest, None].astype(np.float64), x[~rest])
        of_treatment[k, rest], of_treatment[k, ~rest] = own, new
        own, new = ridge(x[rest], y[rest, None], x[~rest], arm=t[rest])
        of_outcome[k, rest, 2], of_outcome[k, ~rest, 2] = own[:, 0], new[:, 0]
        for arm in (0, 1):
            seen = rest & (t == arm)
            own, new = ridge(x[seen], y[seen, None], x[~seen])
            of_outcome[k, seen, arm], of_outcome[k, ~seen, arm] = own[:, 0], new[:, 0]
    return Scores(name, of_treatment, of_outcome)


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
    views: Sequence[Scores],
    t: NDArray[np.int64],
    y: Floats,
    fold: NDArray[np.int64],
    covariates: Floats | None = None,
    *,
    answers_alone: bool = False,
) -> Nuisances:
    """Propensity from the scores of the treatment, both outcomes from those of the outcome, of all views; from the
    covariates [n, k], all.

    Each from its own scores: what one set of scores misses by chance the other does not, so that a doubly robust
    estimate misses the product of the two alone (with all scores in all models: a bias of .02 in place of none).

    answers_alone: the propensity from the two expected outcomes in place of the scores of the treatment: for texts
        that tell the treatment so well that nothing is left to compare (Gui and Veitch 2022).
    """
    beside = np.empty((len(t), 0)) if covariates is None else covariates
    q, g = np.empty((2, len(t))), np.empty(len(t))
    binary = bool(np.isin(y, (0.0, 1.0)).all())
    for k in np.unique(fold):
        rest = fold != k
        x = np.column_stack([*(v.of_outcome[k] / (y[rest].std() or 1.0) for v in views), beside])
        said = np.empty((2, len(t)))
        for arm in (0, 1):
            said[arm] = expected(x, y, rest & (t == arm), binary)
        q[:, ~rest] = said[:, ~rest]
        of_treatment = [curved(said.T)] if answers_alone else [v.of_treatment[k] / t[rest].std() for v in views]
        z = np.column_stack([*of_treatment, beside])
        g[~rest] = expected(z, t.astype(np.float64), rest, True)[~rest]
    return Nuisances(q[0], q[1], g, fold)


def curved(q: Floats) -> Floats:
    """[n, 5]: two columns in units of their spread, their squares and their product."""
    a, b = ((q - q.mean(0)) / np.maximum(q.std(0), 1e-12)).T
    return np.column_stack([a, b, a * a, b * b, a * b])


def expected(x: Floats, y: Floats, seen: NDArray[np.bool_], binary: bool) -> Floats:
    """[n] what a regression fitted on the rows `seen` expects of all rows of x [n, k].

    The penalty is that of one row's worth: it drops scores that hardly vary, and leaves the others as they are.
    """
    from sklearn.linear_model import LogisticRegression

    target = y[seen]
    if (target == target[0]).all() or not x.shape[1]:
        return np.full(len(x), target.mean())
    mean = x[seen].mean(0)
    if binary:
        model = LogisticRegression(C=1.0, max_iter=1000).fit(x[seen] - mean, target.astype(int))
        return np.asarray(model.predict_proba(x - mean))[:, 1]
    xc, level = x[seen] - mean, target.mean()
    weights = np.linalg.solve(xc.T @ xc + np.eye(x.shape[1]), xc.T @ (target - level))
    return np.asarray((x - mean) @ weights + level)
