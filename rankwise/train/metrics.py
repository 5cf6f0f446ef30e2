"""Scores of predictions against gold labels, and intervals around them.

The arithmetic is scikit-learn's and scipy's, imported when a score is first asked for.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..errors import DataError, MissingExtra, RecipeError, UnknownName, close, explain

Values = Sequence[Any] | np.ndarray
CLASSES = ("single", "tokens", "spans", "pairs")  # kinds of head whose predictions are class indices


@dataclass(frozen=True)
class Metric:
    """One score: what it is called, which heads it fits, which way is better, and the function.

    `function(predicted, gold, classes)` takes two arrays of equally many rows: class indices [n] for
    single, tokens and spans (tokens without the -100 ones), 0/1 [n, labels] for multi, numbers [n] for
    regression; and the number of classes, which tells two-class data from data that shows two classes.
    """

    name: str
    kinds: tuple[str, ...]
    function: Callable[[np.ndarray, np.ndarray, int], float]
    higher: bool = True


def _sklearn() -> Any:
    try:
        import sklearn.metrics
    except ImportError as error:
        raise MissingExtra(
            explain("Scores need scikit-learn, which is not installed.", "pip install 'rankwise[train]'")
        ) from error
    return sklearn.metrics


def _accuracy(predicted: np.ndarray, gold: np.ndarray, classes: int) -> float:
    """Share of rows that are right; of a multi-label row, every label."""
    return float(_sklearn().accuracy_score(gold, predicted))


def _f1(predicted: np.ndarray, gold: np.ndarray, classes: int) -> float:
    """Two classes: F1 of class 1, as GLUE has it. More, or multi-label: mean over classes (macro)."""
    average = "binary" if gold.ndim == 1 and classes == 2 else "macro"
    return float(_sklearn().f1_score(gold, predicted, average=average, zero_division=0))


def _f1_micro(predicted: np.ndarray, gold: np.ndarray, classes: int) -> float:
    """F1 of all decisions counted together; equals accuracy where each row has one label."""
    return float(_sklearn().f1_score(gold, predicted, average="micro", zero_division=0))


def _matthews(predicted: np.ndarray, gold: np.ndarray, classes: int) -> float:
    """Matthews correlation, any number of classes; 0 where one side is constant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns where only one class is there
        return float(_sklearn().matthews_corrcoef(gold, predicted))


def _correlation(name: str) -> Callable[[np.ndarray, np.ndarray, int], float]:
    def function(predicted: np.ndarray, gold: np.ndarray, classes: int) -> float:
        """0 where one side is constant: it orders nothing, and a NaN would never be beaten."""
        if len(gold) < 2 or np.ptp(gold) == 0 or np.ptp(predicted) == 0:
            return 0.0
        try:
            from scipy import stats
        except ImportError as error:
            raise MissingExtra(
                explain("Correlations need scipy, which is not installed.", "pip install 'rankwise[train]'")
            ) from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nearly constant input
            value = float(getattr(stats, name)(predicted, gold).statistic)
        return 0.0 if math.isnan(value) and np.isfinite(predicted).all() else value

    return function


def _mse(predicted: np.ndarray, gold: np.ndarray, classes: int) -> float:
    return float(np.mean((predicted - gold) ** 2))


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", (*CLASSES, "multi"), _accuracy),
        Metric("f1", (*CLASSES, "multi"), _f1),
        Metric("f1_micro", (*CLASSES, "multi"), _f1_micro),
        Metric("matthews", CLASSES, _matthews),
        Metric("pearson", ("regression",), _correlation("pearsonr")),
        Metric("spearman", ("regression",), _correlation("spearmanr")),
        Metric("mse", ("regression",), _mse, higher=False),
    )
}


def metric_named(name: str, kind: str | None = None) -> Metric:
    """The metric of that name, checked against the kind of head where one is given.

    Raises:
        UnknownName: no such metric, or none that fits this kind; names the nearest that do.
    """
    fitting = [m.name for m in METRICS.values() if kind is None or kind in m.kinds]
    if name not in METRICS:
        raise UnknownName(
            explain(
                f"metric={name!r} is not known.",
                f"Nearest: {', '.join(close(name, fitting))}." if close(name, fitting) else "",
                f"For a head of kind {kind!r}: {', '.join(fitting)}." if kind else f"There are: {', '.join(fitting)}.",
            ),
            name=name,
        )
    if name not in fitting:
        raise UnknownName(
            explain(
                f"metric={name!r} does not fit a head of kind {kind!r}.",
                f"It scores {', '.join(METRICS[name].kinds)}; for {kind}: {', '.join(fitting) or 'none'}.",
            ),
            name=name,
        )
    return METRICS[name]


def default_metric(kind: str) -> str:
    """accuracy for one label, f1_micro for several, pearson for numbers."""
    return {"multi": "f1_micro", "regression": "pearson"}.get(kind, "accuracy")


def higher_is_better(name: str) -> bool:
    """Whether the larger value of this metric is the better one."""
    return metric_named(name).higher


def score(name: str, predicted: Values, gold: Values, classes: int | None = None) -> float:
    """One score of predictions against gold; see `Metric` for the shapes.

    Args:
        classes: number of classes of the head; read off the values where not given.

    Raises:
        UnknownName: no such metric.
        DataError: no rows, or two sides of different shape.
    """
    metric = metric_named(name)
    p, g = np.asarray(predicted), np.asarray(gold)
    if p.shape != g.shape or not len(g):
        raise DataError(
            f"{name} of predictions {list(p.shape)} against gold labels {list(g.shape)}: "
            "both need the same shape and at least one row."
        )
    if classes is None:
        classes = int(max(p.max(), g.max())) + 1 if p.dtype.kind in "iub" else 0
    return metric.function(p, g, max(classes, 2))


def wilson(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share, correct / n, by Wilson's score method; never leaves [0, 1].

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if not 0 <= correct <= n or n == 0:
        raise DataError(f"{correct} right of {n}: the interval needs 0 <= right <= rows and at least one row.")
    z = NormalDist().inv_cdf(0.5 + _confidence(confidence) / 2)
    p, zz = correct / n, z * z
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = z / (1 + zz / n) * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    low = 0.0 if correct == 0 else middle - half  # exact at both ends, where rounding would leave 1e-17
    high = 1.0 if correct == n else middle + half
    return low, high


def bootstrap(
    metric: str,
    predicted: Values,
    gold: Values,
    *,
    seed: int = 0,
    samples: int = 1000,
    confidence: float = 0.95,
    classes: int | None = None,
) -> tuple[float, float]:
    """Percentile interval of a metric over rows drawn with replacement; the same for the same seed.

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    p, g = np.asarray(predicted), np.asarray(gold)
    score(metric, p, g, classes)  # refuses what cannot be scored before drawing
    if classes is None and p.dtype.kind in "iub":
        classes = int(max(p.max(), g.max())) + 1  # of all rows: a draw may miss a class
    rng = np.random.default_rng(seed)
    tail = (1 - _confidence(confidence)) / 2
    draws = []
    for _ in range(samples):
        rows = rng.integers(0, len(g), len(g))
        draws.append(score(metric, p[rows], g[rows], classes))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def interval(
    metric: str, predicted: Values, gold: Values, *, seed: int = 0, classes: int | None = None
) -> tuple[float, float]:
    """95 % interval of a score: Wilson's for accuracy, bootstrap for the others."""
    p, g = np.asarray(predicted), np.asarray(gold)
    value = score(metric, p, g, classes)
    if metric == "accuracy":
        return wilson(round(value * len(g)), len(g))
    return bootstrap(metric, p, g, seed=seed, classes=classes)


def _confidence(value: float) -> float:
    if not 0 < value < 1:
        raise RecipeError(f"confidence={value}: it must lie between 0 and 1, such as 0.95.", value=value)
    return value
