"""Augmented inverse propensity weighting: an average effect that is right if either of two models is, with its error.

    psi_i = q1_i - q0_i + t_i (y_i - q1_i) / g_i - (1 - t_i) (y_i - q0_i) / (1 - g_i)

The mean of psi estimates the average effect, and sd(psi) / sqrt(n) its standard error: no bootstrap. The three models
are fitted on other rows than they are asked about (cross-fitting), so that a flexible model cannot fit its own noise
into the estimate.

Source: Robins, Rotnitzky and Zhao 1994; Chernozhukov et al. 2018, "Double/debiased machine learning", arXiv:1608.00060.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, RecipeError, explain, nearest
from .linear import LeastSquares, Logistic

Floats = NDArray[np.float64]
CLIP = 0.01
LEAST = 10
"""Rows of each arm without which no model is fitted."""
RARE = 5
"""Rows of one kind below which a classifier is a constant: a network cannot even hold some of them out."""
NUISANCES = ("linear", "boosting", "network")


@dataclass(frozen=True)
class Nuisances:
    """What the models said about rows that they were not fitted on.

    Args:
        q0, q1: [n] expected outcome without and with the treatment.
        g: [n] probability of treatment, not clipped.
        fold: [n] int, which fold a row was held out in.
    """

    q0: Floats
    q1: Floats
    g: Floats
    fold: NDArray[np.int64]


def psi(y: ArrayLike, t: ArrayLike, q0: ArrayLike, q1: ArrayLike, g: ArrayLike, clip: float = CLIP) -> Floats:
    """[n] doubly robust score of each row; their mean is the average effect.

    Args:
        y: [n] outcome. t: [n] of 0 and 1. q0, q1: [n] expected outcome of either arm. g: [n] probability of t = 1.
        clip: g is kept in clip..1 - clip, so that one row cannot weigh more than 1 / clip.

    Raises:
        RecipeError: clip outside 0 to 0.5.
        DataError: arrays of unequal length, or t holds something besides 0 and 1.
    """
    if not 0 <= clip < 0.5:
        raise RecipeError(explain(f"clip={clip} leaves no probability.", "At least 0 and below 0.5; 0.01 is usual."))
    arrays = [np.asarray(a, dtype=np.float64).ravel() for a in (y, t, q0, q1, g)]
    if len({a.size for a in arrays}) > 1:
        raise DataError(
            f"y, t, q0, q1 and g have {', '.join(str(a.size) for a in arrays)} rows: they must be one length."
        )
    y_, t_, q0_, q1_, g_ = arrays
    if not np.isin(t_, (0.0, 1.0)).all():
        bad = t_[~np.isin(t_, (0.0, 1.0))][0]
        raise DataError(explain(f"the treatment holds {bad}.", "Only 0 and 1 can be compared."), value=bad)
    g_ = g_.clip(clip, 1 - clip)
    return q1_ - q0_ + t_ * (y_ - q1_) / g_ - (1 - t_) * (y_ - q0_) / (1 - g_)


def mean_and_error(psi: ArrayLike, groups: ArrayLike | None = None) -> tuple[float, float]:
    """The average of scores and its standard error, sd / sqrt(n).

    Args:
        groups: [n] labels of rows that belong together, such as pairs of one document. The error is then of sums by
            group, with the factor G / (G - 1) for G groups (Liang and Zeger 1986).

    Raises:
        DataError: fewer than two rows, or fewer than two groups.
    """
    s = np.asarray(psi, dtype=np.float64).ravel()
    if s.size < 2:
        raise DataError(f"{s.size} rows: an error needs two at least.")
    ate = float(s.mean())
    if groups is None:
        return ate, float(s.std(ddof=1) / np.sqrt(s.size))
    labels = np.asarray(groups).ravel()
    if labels.size != s.size:
        raise DataError(f"{labels.size} groups for {s.size} rows.")
    _, where = np.unique(labels, return_inverse=True)
    sums = np.bincount(where, weights=s - ate)
    if sums.size < 2:
        raise DataError(explain("all rows are in one group.", "An error between groups needs two of them at least."))
    return ate, float(np.sqrt((sums**2).sum() * sums.size / (sums.size - 1)) / s.size)


def cross_fit(
    x: ArrayLike,
    t: ArrayLike,
    y: ArrayLike,
    *,
    nuisance: str = "linear",
    folds: int = 5,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> Nuisances:
    """Fit the three models on all folds but one and ask them about that one, in turn.

    Args:
        x: [n, k] numbers to adjust for; k may be 0, and then the arms are compared as they are.
        t: [n] of 0 and 1. y: [n]; where it holds 0 and 1 only, the outcome models are classifiers.
        nuisance: "linear" (least squares and logistic regression), "boosting" (trees), or "network" (one hidden layer).
        groups: [n] labels of rows that are held out together.

    Raises:
        RecipeError: an unknown nuisance, or fewer than 2 folds.
        DataError: fewer than `LEAST` rows of an arm.
    """
    X, t_, y_ = np.asarray(x, dtype=np.float64), np.asarray(t).astype(np.int64).ravel(), np.asarray(y, dtype=np.float64)
    X = X.reshape(len(t_), -1)
    _check(t_, nuisance, folds)
    fold = split(t_, folds, seed, groups)
    outcome, treatment = models(nuisance, binary=bool(np.isin(y_, (0.0, 1.0)).all()), seed=seed)
    q0, q1, g = np.empty(len(t_)), np.empty(len(t_)), np.empty(len(t_))
    for k in range(int(fold.max()) + 1):
        held = fold == k
        rest = ~held
        for arm, q in ((0, q0), (1, q1)):
            seen = rest & (t_ == arm)
            if not seen.any():
                raise DataError(f"all rows with the treatment at {arm} are in one group: none is left to learn from.")
            q[held] = predicted(outcome, X[seen], y_[seen], X[held])
        g[held] = predicted(treatment, X[rest], t_[rest].astype(np.float64), X[held])
    return Nuisances(q0, q1, g, fold)


def split(t: ArrayLike, folds: int, seed: int = 0, groups: ArrayLike | None = None) -> NDArray[np.int64]:
    """[n] fold of each row: both arms in equal shares in each, rows of one group together."""
    t_ = np.asarray(t, dtype=np.float64).ravel()
    labels = np.arange(t_.size) if groups is None else np.asarray(groups).ravel()
    _, where, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if sizes.size < folds:
        raise RecipeError(explain(f"folds={folds} for {sizes.size} groups.", "No more folds than groups."))
    share = np.bincount(where, weights=t_) / sizes
    order = np.random.default_rng(seed).permutation(sizes.size)
    order = order[np.argsort(share[order], kind="stable")]  # like groups in a row, then dealt out in turn
    fold = np.empty(sizes.size, dtype=np.int64)
    fold[order] = np.arange(sizes.size) % folds
    return fold[where]


def models(nuisance: str, *, binary: bool, seed: int = 0) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Makers of an outcome model and of a treatment model, with the calls of scikit-learn."""
    if nuisance == "linear":
        return (Logistic if binary else LeastSquares), Logistic
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # Small trees: with 100 of 15 leaves the probabilities run to 0 and 1 on 2,000 rows, and the error doubles.
    trees: dict[str, Any] = {"max_iter": 60, "learning_rate": 0.1, "max_leaf_nodes": 6, "min_samples_leaf": 30}
    net: dict[str, Any] = {"hidden_layer_sizes": (32,), "alpha": 1e-2, "learning_rate_init": 1e-2, "random_state": seed}
    net |= {"early_stopping": True, "max_iter": 300, "n_iter_no_change": 15}
    regress: dict[str, Callable[[], Any]] = {
        "boosting": lambda: HistGradientBoostingRegressor(random_state=seed, **trees),
        "network": lambda: make_pipeline(StandardScaler(), MLPRegressor(**net)),
    }
    classify: dict[str, Callable[[], Any]] = {
        "boosting": lambda: HistGradientBoostingClassifier(random_state=seed, **trees),
        "network": lambda: make_pipeline(StandardScaler(), MLPClassifier(**net)),
    }
    return (classify if binary else regress)[nuisance], classify[nuisance]


def predicted(make: Callable[[], Any], X: Floats, y: Floats, new: Floats) -> Floats:
    """[m] what a fresh model, fitted on X [n, k] and y [n], expects for `new` [m, k]."""
    if X.shape[1] == 0 or (y == y[0]).all():  # nothing to learn from, or nothing to learn
        return np.full(len(new), y.mean())
    if not hasattr(model := make(), "predict_proba"):
        scale = y.std()  # in units of the outcome, so that no setting of a model depends on them
        return np.asarray(model.fit(X, (y - y.mean()) / scale).predict(new)) * scale + y.mean()
    if min(y.sum(), len(y) - y.sum()) < RARE:
        return np.full(len(new), y.mean())
    return np.asarray(model.fit(X, y.astype(np.int64)).predict_proba(new))[:, 1]


def _check(t: NDArray[np.int64], nuisance: str, folds: int) -> None:
    if nuisance not in NUISANCES:
        known = f"Nearest: {nearest(nuisance, NUISANCES, 1)[0]}. All: {', '.join(NUISANCES)}."
        raise RecipeError(explain(f"nuisance={nuisance!r} is not known.", known))
    if folds < 2:
        raise RecipeError(explain(f"folds={folds}: a row must be held out of something.", "At least 2; 5 is usual."))
    for arm in (0, 1):
        if (count := int((t == arm).sum())) < max(LEAST, folds):
            raise DataError(
                explain(
                    f"{count} row{' has' if count == 1 else 's have'} the treatment at {arm}.",
                    f"Each arm needs {max(LEAST, folds)} rows at least, for models to be fitted on.",
                ),
                arm=arm,
                count=count,
            )
