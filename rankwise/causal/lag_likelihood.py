"""The likelihood of times of an effect that began at the latest of several arrivals, each a cause and its lag."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from .lag_graph import LEVEL, Spread

POINT = 0.5 / 1440
"""Half a minute, in days: a time known to the point is a cell of a minute."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(5)
FLOOR = 1e-12
"""No timeline is less probable than this, so that one wrong date cannot decide a fit."""
NARROWEST = 1 / 1440


@dataclass(frozen=True)
class Dated:
    """Times of one effect in n timelines, in days.

    effect: [n, 2], the bounds of its time. causes: [k, n, 2], of each cause, nan where it is none in that timeline.
    plans: [n, 2], nan where there is none.
    """

    effect: np.ndarray
    causes: np.ndarray
    plans: np.ndarray


@dataclass(frozen=True)
class Fits:
    """loss: -log-likelihood. at: [2k], location and log scale of each lag. covariance: [2k, 2k], nan where flat."""

    family: str
    loss: float
    at: np.ndarray
    covariance: np.ndarray

    def spread(self, j: int, n: int) -> Spread | None:
        """The lag of cause j, fitted on n timelines; None where its mean is not bounded by the data.

        The interval of the mean is Wald's by the delta method, with Student's t and n / (n - 2): with few timelines the
        normal one falls short of its level.
        """
        from scipy.stats import t

        location, log_scale = self.at[2 * j : 2 * j + 2]
        scale = math.exp(log_scale)
        part = self.covariance[2 * j : 2 * j + 2, 2 * j : 2 * j + 2]
        slope = np.array([1.0, scale**2 if self.family == "lognormal" else 0.0])
        variance = float(slope @ part @ slope)
        if n < 3 or not np.isfinite(part).all() or not variance > 0:
            return None
        half = float(t.ppf((1 + LEVEL) / 2, n - 2)) * math.sqrt(variance * n / (n - 2))
        mean = location + (scale**2 / 2 if self.family == "lognormal" else 0.0)
        if half > (1.0 if self.family == "lognormal" else max(abs(mean), 5 * scale)):
            return None
        ends = [mean, mean - half, mean + half]
        if self.family == "lognormal":
            ends = [math.exp(x) for x in ends]
        return Spread(self.family, float(location), scale, float(ends[0]), float(ends[1]), float(ends[2]), n)


def maximise(data: Dated, family: str) -> Fits:
    """The most likely lags of one family; infinite loss where the family cannot give the times at all."""
    from scipy.optimize import minimize

    starts = _starts(data, family)
    if starts is None:
        return Fits(family, math.inf, np.zeros(0), np.zeros((0, 0)))
    many = data.causes.shape[0]
    spans = [(None, None), (math.log(NARROWEST), 8.0)] * many
    loss = partial(_loss, data, family)
    found = [minimize(loss, start, method="L-BFGS-B", bounds=spans) for start in starts]
    best = min(found, key=lambda f: f.fun)
    return Fits(family, float(best.fun), best.x, _covariance(loss, best.x))


def _starts(data: Dated, family: str) -> list[np.ndarray] | None:
    """By moments of all differences, and of their lower half: where another cause held the effect they are too long."""
    starts: list[list[float]] = [[], []]
    low, high = data.effect[:, 0], data.effect[:, 1]
    for cause in data.causes:
        if family == "lognormal" and np.nanmin(high - cause[:, 0]) <= 0:
            return None  # an effect before its cause
        gaps = ((low + high) / 2 - cause.mean(axis=1))[np.isfinite(cause[:, 0])]
        if family == "lognormal":
            gaps = np.log(np.maximum(gaps, 1 / 24))
        early = np.sort(gaps)[: max(2, (len(gaps) + 1) // 2)]
        for start, some in zip(starts, (gaps, early), strict=True):
            start += [float(some.mean()), math.log(max(float(some.std()), 0.05))]
    return [np.array(s) for s in starts]


def _loss(data: Dated, family: str, at: np.ndarray) -> float:
    low, high = data.effect[:, 0], data.effect[:, 1]
    point = high - low < 2 * POINT
    low, high = np.where(point, low - POINT, low), np.where(point, high + POINT, high)
    chance = _below(data, family, at, high) - _below(data, family, at, low)
    return -float(np.log(np.maximum(chance, FLOOR)).sum())


def _below(data: Dated, family: str, at: np.ndarray, t: np.ndarray) -> np.ndarray:
    """[n] probability that everything has arrived by t [n]."""
    begin, end = data.plans[:, 0], data.plans[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        even = np.clip((t - begin) / (end - begin), 0.0, 1.0)
    all_there = np.where(np.isnan(begin), 1.0, np.where(end - begin > 0, even, t >= begin))
    for j, cause in enumerate(data.causes):
        width = cause[:, 1] - cause[:, 0]
        nodes = cause[:, :1] + width[:, None] * (NODES + 1) / 2
        arrived = _cdf(family, at[2 * j], math.exp(at[2 * j + 1]), t[:, None] - nodes) @ (WEIGHTS / 2)
        all_there = all_there * np.where(np.isnan(width), 1.0, arrived)
    return all_there


def _cdf(family: str, location: float, scale: float, x: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    if family == "lognormal":
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.log(np.maximum(x, 0.0))
    return ndtr((x - location) / scale)


def _covariance(loss: partial[float], at: np.ndarray) -> np.ndarray:
    """The Hessian's inverse by central differences; nan for parameters that lie flat, 0 for scales at an end."""
    scales = np.exp(at[1::2])
    steps = np.full(len(at), 0.01)
    steps[::2] = np.clip(scales / 50, 1e-6, 1e-3)  # small beside what the likelihood varies over
    free = np.ones(len(at), dtype=bool)
    free[1::2] = scales > NARROWEST * 1.01
    units = np.diag(steps)[free]
    n = len(units)
    hessian = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            up = loss(at + units[i] + units[j]) + loss(at - units[i] - units[j])
            across = loss(at + units[i] - units[j]) + loss(at - units[i] + units[j])
            hessian[i, j] = hessian[j, i] = (up - across) / 4
    values, vectors = np.linalg.eigh(hessian)  # in units of the steps
    good = values > 1e-9
    inverse = (vectors[:, good] / values[good]) @ vectors[:, good].T
    flat = (np.abs(vectors[:, ~good]) > 1e-2).any(axis=1)
    inverse[flat, :] = np.nan
    inverse[:, flat] = np.nan
    whole = np.zeros((len(at), len(at)))
    whole[np.ix_(free, free)] = inverse * np.outer(steps[free], steps[free])
    return whole
