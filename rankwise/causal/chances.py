"""What a change does on average to timelines of one kind: edges and lags drawn from what was fitted over many.

A twin network: both worlds share each draw of edges and lags, and differ in what was set alone. Delays are 0, times
and plans that are known within bounds are drawn evenly from them; events without a time are left out, as are their
effects.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .lag_graph import Spread
from .maxplus import DAY, ZERO, Within
from .what_if import Answer, Cause, Change

DRAWS = 10_000
TOUCH = 60 / DAY
"""A move below a minute is none."""


@dataclass(frozen=True, slots=True)
class Chance:
    """moves: share of draws in which the event moves. mean, low, high: of the move in days; the middle 90 %."""

    event: str
    name: str
    moves: float
    mean: float
    low: float
    high: float
    draws: int

    def row(self) -> dict[str, Any]:
        return asdict(self)


def chances(answer: Answer, seed: int = 0, draws: int = DRAWS) -> tuple[Chance, ...]:
    """Chances of every event reached, causes first; () where no edge that is used was fitted."""
    if not any(c.fitted and (c.fitted.probability or isinstance(c.fitted.lag, Spread)) for c in answer.used):
        return ()
    rng = np.random.default_rng(seed)
    changed = {c.event: c for c in answer.changes}
    sources = dict.fromkeys([*(c.source for c in answer.used), *changed])
    seen = {e: _even(answer.model.times[e], draws, rng) for e in sources}
    before: dict[str, np.ndarray | None] = {}
    after: dict[str, np.ndarray | None] = {}
    found = []
    for o in answer.outcomes:
        if o.chosen:
            before[o.event] = seen[o.event]
            after[o.event] = _changed(changed[o.event], seen[o.event], draws, rng)
            continue
        parts = [_link(c, draws, rng) for c in answer.model.into(o.event)]
        plan = _even(answer.model.plans[o.event], draws, rng) if o.event in answer.model.plans else None
        before[o.event] = _begin(parts, plan, before, seen)
        after[o.event] = _begin(parts, plan, after, seen)
        x, y = before[o.event], after[o.event]
        if x is None or y is None:
            continue
        with np.errstate(invalid="ignore"):
            move = np.where(
                np.isfinite(x) & np.isfinite(y), y - x, 0.0
            )  # nothing holds it: the change does not reach it
        low, high = np.quantile(move, (0.05, 0.95))
        share = float((np.abs(move) > TOUCH).mean())
        found.append(Chance(o.event, o.name, share, float(move.mean()), float(low), float(high), draws))
    return tuple(found)


def _even(time: Within, n: int, rng: np.random.Generator) -> np.ndarray | None:
    """[n] days, drawn evenly within bounds; None where one end is not known."""
    if math.isinf(time.low) or math.isinf(time.high):
        return None
    return rng.uniform(time.low, time.high, n) / DAY


def _changed(change: Change, seen: np.ndarray | None, n: int, rng: np.random.Generator) -> np.ndarray | None:
    if change.to is not None:
        return _even(change.to, n, rng)
    by = _even(change.by or ZERO, n, rng)
    return None if seen is None or by is None else seen + by


def _link(cause: Cause, n: int, rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """[n] lags in days, minus infinity in draws without the edge."""
    if cause.fitted and isinstance(cause.fitted.lag, Spread):
        lag = cause.fitted.lag.draw(n, rng)
    else:
        within = cause.lag or ZERO
        lag = rng.uniform(within.low, within.high, n) / DAY
    if cause.fitted and cause.fitted.probability and cause.why.startswith("the graph"):
        lag = np.where(rng.uniform(size=n) < cause.fitted.probability.value, lag, -np.inf)
    return cause.source, lag


def _begin(
    parts: list[tuple[str, np.ndarray]],
    plan: np.ndarray | None,
    done: Mapping[str, np.ndarray | None],
    seen: Mapping[str, np.ndarray | None],
) -> np.ndarray | None:
    """[n] days; None where a cause has no time. A cause outside the reach of the change begins when it was seen to."""
    times = [(done[name] if name in done else seen[name], lag) for name, lag in parts]
    if any(t is None for t, _ in times):
        return None
    arrivals = [t + lag for t, lag in times if t is not None]
    return np.max(np.stack([*arrivals, *([plan] if plan is not None else [])]), axis=0)
