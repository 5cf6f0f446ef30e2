"""Max-plus as a mechanism of dowhy.gcm: t = max(plan, cause + lag, ...) + delay, invertible, lags stated or fitted.

    scm = structural({("merger", "trial"): 3.0, ("plan", "trial"): 0.0, ("trial", "launch"): None})
    fitted(scm, table)                                            # a column of days for each node, a row a timeline
    gcm.counterfactual_samples(scm, {"merger": lambda t: t - 2}, observed_data=table)

A plan is a cause with lag 0 of which there is one in each row. Where `what_if` answers for one timeline within bounds,
this fits and answers for a table of many with points, and with everything that dowhy.gcm has: samples, attribution,
arrow strengths. The plain way, dowhy's automatic mechanisms, smooths over the corner of the max.

Source: Baccelli, Cohen, Olsder and Quadrat 1992 for max-plus; Magnani and Boyd 2009 (Optimization and Engineering 10)
for fitting a maximum of functions by turns: which one holds each row, then the best constants.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from dowhy import gcm
from dowhy.gcm.causal_mechanisms import InvertibleFunctionalCausalModel

from ..errors import DataError, explain
from .maxplus import DAY
from .mechanisms import calm
from .what_if import Model

STARTS = (0.02, 0.1, 0.3, 0.5)
"""Quantiles of (effect - cause) that lags are first taken to be; the best end is kept."""
TURNS = 100
PLAN = "plan of "


class MaxPlus(InvertibleFunctionalCausalModel):
    """t = max over causes (t_cause + lag) + delay; [n, k] times of causes and [n, 1] delays to [n, 1] times.

    Args:
        lags: days of each cause, in dowhy's order of causes (by name); None is fitted. () for all to be fitted.
        delays: [m] days that are drawn from; by default those of the rows that `fit` saw, or 0 before that.

    After `fit`, `held` [k] counts the rows that each cause held: a lag of a cause that held none is only known to be at
    most what it is given as.
    """

    def __init__(self, lags: Sequence[float | None] = (), delays: np.ndarray | None = None) -> None:
        self.stated = tuple(lags)
        self.lags = np.array([math.nan if x is None else x for x in lags], dtype=float)
        self.delays = np.zeros(1) if delays is None else np.asarray(delays, dtype=float).ravel()
        self.held = np.zeros(len(self.lags), dtype=int)

    def fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        """Lags that were not stated, by least squares, and delays.

        Raises:
            DataError: as many lags as causes are needed; times that are no numbers.
        """
        x, y = _columns(X), _columns(Y)[:, 0]
        stated = self.stated or (None,) * x.shape[1]
        if len(stated) != x.shape[1]:
            rule = "One lag for each cause, in the order of their names."
            raise DataError(explain(f"{len(stated)} lags are stated for {x.shape[1]} causes.", rule))
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise DataError(explain("a time is missing.", "Leave rows without a time out, or ask what_if for bounds."))
        free = np.array([lag is None for lag in stated])
        start = np.array([math.nan if lag is None else lag for lag in stated], dtype=float)
        tries = [_by_turns(x, y, start, free, q) for q in (STARTS if free.any() else STARTS[:1])]
        self.lags, _ = min(tries, key=lambda found: found[1])
        self.delays = y - self._begin(x)
        self.held = np.bincount((x + self.lags).argmax(axis=1), minlength=x.shape[1])

    def evaluate(self, parent_samples: np.ndarray, noise_samples: np.ndarray) -> np.ndarray:
        return (self._begin(_columns(parent_samples)) + _columns(noise_samples)[:, 0])[:, None]

    def estimate_noise(self, target_samples: np.ndarray, parent_samples: np.ndarray) -> np.ndarray:
        """The delay that was observed: abduction."""
        return (_columns(target_samples)[:, 0] - self._begin(_columns(parent_samples)))[:, None]

    def draw_noise_samples(self, num_samples: int) -> np.ndarray:
        return np.random.choice(self.delays, num_samples)[:, None]  # gcm seeds numpy's global generator

    def clone(self) -> MaxPlus:
        """Not fitted, with the same stated lags."""
        return MaxPlus(self.stated)

    def __str__(self) -> str:
        return f"max-plus with lags {', '.join(f'{x:.3g}' for x in self.lags)}"

    def _begin(self, x: np.ndarray) -> np.ndarray:
        return (x + self.lags).max(axis=1)


def structural(lags: Mapping[tuple[str, str], float | None]) -> Any:
    """dowhy.gcm's invertible model of these edges: (cause, effect) -> days, None to be fitted. Roots are empirical.

    gcm keeps mechanisms as attributes of the graph's nodes: another model made of `.graph` would have these mechanisms
    too, and `assign_causal_mechanisms` would leave them there.

    Raises:
        DataError: a cycle, which is named.
    """
    graph = nx.DiGraph(list(lags))
    if not nx.is_directed_acyclic_graph(graph):
        ring = [a for a, _ in nx.find_cycle(graph)]
        rule = "Nothing is its own cause: take one of these edges away."
        raise DataError(explain(f"causes run in a circle: {' > '.join([*ring, ring[0]])}.", rule), cycle=tuple(ring))
    made = gcm.InvertibleStructuralCausalModel(graph)
    for node in graph:
        parents = sorted(graph.predecessors(node))
        mechanism = MaxPlus([lags[p, node] for p in parents]) if parents else gcm.EmpiricalDistribution()
        made.set_causal_mechanism(node, mechanism)
    return made


def fitted(model: Any, table: Any, seed: int = 0) -> Any:
    """The same model, fitted to a table of days, quietly."""
    with calm(seed):
        gcm.fit(model, table)
    return model


def of_timeline(model: Model) -> tuple[Any, dict[str, float]]:
    """A what-if model as a fitted dowhy.gcm model, with its one row of observed days; plans are nodes "plan of ...".

    Raises:
        DataError: a time, plan or lag that is no point; the message names it.
    """
    import pandas as pd

    lags: dict[tuple[str, str], float | None] = {}
    for c in model.causes:
        edge = f"the lag of {model.name(c.source)} > {model.name(c.target)}"
        lags[c.source, c.target] = _point(c.lag, edge)
    events = dict.fromkeys(x for edge in lags for x in edge)
    row = {e: _point(model.times[e], f"the time of {model.name(e)}") for e in events}
    for event in events:
        if event in model.plans and any(b == event for _, b in lags):
            lags[PLAN + event, event] = 0.0
            row[PLAN + event] = _point(model.plans[event], f"the plan of {model.name(event)}")
    return fitted(structural(lags), pd.DataFrame([row])), row


def _point(value: Any, what: str) -> float:
    if value is None or not value.exact:
        raise DataError(explain(f"{what} is no point.", "dowhy.gcm needs points; what_if answers within bounds."))
    return float(value.low) / DAY


def _by_turns(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, free: np.ndarray, quantile: float
) -> tuple[np.ndarray, float]:
    """Lags and the sum of squares: which cause holds each row, then the mean gap of those rows, until nothing moves."""
    gaps = y[:, None] - x
    lags = np.where(free, np.quantile(gaps, quantile, axis=0), start)
    for _ in range(TURNS):
        holds = (x + lags).argmax(axis=1)
        new = lags.copy()
        for j in np.flatnonzero(free):
            rows = holds == j
            new[j] = gaps[rows, j].mean() if rows.any() else gaps[:, j].min()
        if np.array_equal(new, lags):
            break
        lags = new
    return lags, float(((y - (x + lags).max(axis=1)) ** 2).sum())


def _columns(values: Any) -> np.ndarray:
    found = np.asarray(values, dtype=float)
    return found[:, None] if found.ndim == 1 else found
