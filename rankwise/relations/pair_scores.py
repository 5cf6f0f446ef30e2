"""Scores of pairs of events, from whatever end and in whatever form they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, explain

Pair = tuple[str, str]
Scores = Mapping[Pair, Any] | tuple[Any, Any, Any]
"""{(source, target): one number for each label}, or arrays (sources, targets, [p, labels]) of names or positions."""
LEAST = -30.0  # log-probabilities below are raised to it, so that an impossible label can still lose to a contradiction


@dataclass(frozen=True)
class PairScores:
    """pairs: each once, from the end from which it came first. logp [p, labels]: log-probabilities, from that end."""

    pairs: tuple[Pair, ...]
    logp: NDArray[np.float64]

    @property
    def names(self) -> list[str]:
        """In order of appearance."""
        return list(dict.fromkeys(name for pair in self.pairs for name in pair))


def pair_scores(scores: Scores, labels: int, converse: Sequence[int], events: Sequence[str] | None) -> PairScores:
    """Bring scores into one form.

    Args:
        scores: see `Scores`; logits will do. -inf stands for an impossible label.
        labels: how many numbers each pair has. converse: position of each label's converse.
        events: names in the order of the text: what positions mean; without it, a position is its own name.

    Raises:
        DataError: wrong shape, nan or +inf, no possible label, an event with itself, a name that is not in `events`.
    """
    pairs, values = _rows(scores, labels, events)
    known = None if events is None else set(events)
    for at, (one, other) in enumerate(pairs):
        if one == other:
            raise DataError(explain(f"A score relates {one!r} to itself.", "It needs two events."))
        if known is not None and not {one, other} <= known:
            stranger = one if one not in known else other
            raise DataError(explain(f"A score names {stranger!r}.", f"It is none of the {len(known)} events given."))
        row = values[at]
        if np.isnan(row).any() or (row == np.inf).any() or (row == -np.inf).all():
            rule = "Scores are log-probabilities or logits: finite, or -inf for a label that cannot be."
            raise DataError(explain(f"The pair ({one}, {other}) has scores {row.tolist()}.", rule))
    first: dict[Pair, Pair] = {}
    sums: dict[Pair, list[NDArray[np.float64]]] = {}
    order = list(converse)
    for pair, row in zip(pairs, _normal(values), strict=True):
        seen = first.setdefault(pair, first.get(pair[::-1], pair))
        sums.setdefault(seen, []).append(row if seen == pair else row[order])
    means = [np.mean(rows, axis=0) for rows in sums.values()]
    return PairScores(tuple(sums), _normal(np.array(means).reshape(-1, labels)))


def _rows(scores: Scores, labels: int, events: Sequence[str] | None) -> tuple[list[Pair], NDArray[np.float64]]:
    if isinstance(scores, Mapping):
        pairs = [(str(one), str(other)) for one, other in scores]
        rows = [np.asarray(row, dtype=np.float64).reshape(-1) for row in scores.values()]
        wrong = [pair for pair, row in zip(pairs, rows, strict=True) if len(row) != labels]
        if wrong:
            raise DataError(
                explain(f"The pair {wrong[0]} has the wrong number of scores.", f"One for each of {labels}.")
            )
        return pairs, np.array(rows).reshape(-1, labels)
    i, j = (np.asarray(end) for end in scores[:2])
    values = np.asarray(scores[2], dtype=np.float64)
    if i.ndim != 1 or i.shape != j.shape or values.shape != (len(i), labels):
        given = f"Scores have the shapes {i.shape}, {j.shape} and {values.shape}."
        raise DataError(explain(given, f"They are arrays [p], [p] and [p, {labels}]."))
    return list(zip(_names(i, events), _names(j, events), strict=True)), values


def _names(ends: NDArray[Any], events: Sequence[str] | None) -> list[str]:
    if not np.issubdtype(ends.dtype, np.integer) or events is None:
        return [str(end) for end in ends]
    if len(ends) and not 0 <= ends.min() <= ends.max() < len(events):
        given = f"Scores name the positions {ends.min()} to {ends.max()}."
        raise DataError(explain(given, f"There are {len(events)} events, counted from 0."))
    return [events[end] for end in ends]


def _normal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows as log-probabilities, none below LEAST."""
    if not len(values):
        return values
    shifted = values - values.max(axis=1, keepdims=True)
    return np.maximum(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), LEAST)
