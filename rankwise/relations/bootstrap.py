"""How sure a score is, and the difference of two, by drawing documents with replacement.

Pairs of one document share its events and their errors, so drawing pairs would make intervals too narrow. A draw is a
vector of how often each document comes up; counts are summed with these weights and the measure taken of the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UnknownName, explain
from .score import Score, total

Floats = NDArray[np.float64]
_BLOCK = 2_000  # draws made together


@dataclass(frozen=True, slots=True)
class Interval:
    """value: of all documents. low, high: percentiles of the draws; error: their standard deviation."""

    value: float
    low: float
    high: float
    error: float
    documents: int
    draws: int


@dataclass(frozen=True, slots=True)
class Difference(Interval):
    """value: first less second. p: how often chance alone makes a difference as large, either way.

    Source: Efron and Tibshirani 1993, chapter 16: the draws, moved to lie about 0, that are at least as large as the
    value; one is added to both numbers, so that p is never 0.
    """

    p: float


def interval(
    scores: Sequence[Score], measure: str = "f1", *, draws: int = 10_000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Interval of a measure of these documents' scores.

    Args:
        scores: one for each document.
        measure: "f1", "precision" or "recall".

    Raises:
        DataError: fewer than two documents, a level outside 0 to 1. UnknownName: another measure.
    """
    of = _measure(measure)
    counts = _counts(scores)
    drawn = np.concatenate([of(w @ counts) for w in _weights(len(scores), draws, seed)])
    low, high = _ends(drawn, level)
    return Interval(float(getattr(total(scores), measure)), low, high, float(drawn.std(ddof=1)), len(scores), draws)


def paired(
    first: Sequence[Score],
    second: Sequence[Score],
    measure: str = "f1",
    *,
    draws: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Difference:
    """Difference of two systems on the same documents: each draw takes the same documents for both.

    Raises:
        DataError: not the same documents (their number, or what is in the gold of one); as interval().
    """
    if len(first) != len(second):
        given = f"One system has {len(first)} documents, the other {len(second)}."
        raise DataError(explain(given, "A paired comparison needs the same documents in the same order."))
    of, ours, theirs = _measure(measure), _counts(first), _counts(second)
    if len(other := np.nonzero(ours[:, 3] != theirs[:, 3])[0]):
        at = int(other[0])
        given = f"In document {at} the gold has {first[at].gold} things for one, {second[at].gold} for the other."
        raise DataError(explain(given, "A paired comparison needs the same documents in the same order."))
    drawn = np.concatenate([of(w @ ours) - of(w @ theirs) for w in _weights(len(first), draws, seed)])
    value = float(getattr(total(first), measure) - getattr(total(second), measure))
    beyond = int((np.abs(drawn - value) >= abs(value) - 1e-12).sum())
    low, high = _ends(drawn, level)
    return Difference(value, low, high, float(drawn.std(ddof=1)), len(first), draws, p=(beyond + 1) / (draws + 1))


def _counts(scores: Sequence[Score]) -> Floats:
    """[documents, 4]: found, predicted, recalled, gold."""
    if len(scores) < 2:
        raise DataError(explain(f"{len(scores)} documents cannot be drawn from.", "An interval needs at least two."))
    return np.array([[s.found, s.predicted, s.recalled, s.gold] for s in scores], dtype=np.float64)


def _weights(documents: int, draws: int, seed: int) -> Iterator[Floats]:
    """[block, documents]: how often each document comes up in each draw."""
    rng, even = np.random.default_rng(seed), np.full(documents, 1 / documents)
    for start in range(0, draws, _BLOCK):
        yield rng.multinomial(documents, even, size=min(_BLOCK, draws - start)).astype(np.float64)


def _measure(name: str) -> Callable[[Floats], Floats]:
    """[draws, 4] summed counts -> [draws]; 0 where nothing is there to be right about, as in Score."""
    if name not in ("f1", "precision", "recall"):
        raise UnknownName(explain(f"No measure is called {name!r}.", "Known: f1, precision, recall."))

    def ratio(part: Floats, of: Floats) -> Floats:
        return np.divide(part, of, out=np.zeros_like(part), where=of > 0)

    def f1(c: Floats) -> Floats:
        p, r = ratio(c[:, 0], c[:, 1]), ratio(c[:, 2], c[:, 3])
        return ratio(2 * p * r, p + r)

    return {"f1": f1, "precision": lambda c: ratio(c[:, 0], c[:, 1]), "recall": lambda c: ratio(c[:, 2], c[:, 3])}[name]


def _ends(drawn: Floats, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise DataError(explain(f"The level is {level}.", "It lies between 0 and 1, for instance 0.95."))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
