"""Masks predicted by a Gaussian process: switches that act together in threes and more, from runs for pairs at most.

    k(z, z') = c * exp(-sum over switches g of (z_g - z'_g)^2 / (2 l_g^2)) + noise

On switches, which are open or shut, this is a product of a factor a switch, so that products of all orders are in it,
and those of switches that matter (short l_g) weigh most: effect heredity, learnt from the runs by their likelihood.

An outcome that is a share of units past a mark, as accuracy is, moves in steps. Its units' margins (how far past the
mark) do not, and the share is then the mean of P(margin > 0).

Source: Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", 5.1 (a length for each input), 5.4.2
(each run left out, equations 5.10 to 5.12). By scikit-learn.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from .design import Floats, Masks

MOST = 40
"""Switches: with 60 of them, 12 runs each, the lengths of one outcome take 48 s to find, and with 40 six."""
TEACHERS = 24
"""Units whose margins choose the lengths, which all share."""
NOISE = 0.05


@dataclass(frozen=True)
class Process:
    """Fitted to y [runs, units]. steps: of margins, so that what it says is a share of units."""

    model: Any
    y: Floats
    steps: bool

    def predict(self, masks: Masks) -> Floats:
        """[masks]"""
        mean, error = self.model.predict(_ends(masks), return_std=True)
        return self._said(mean.reshape(len(masks), -1), error.reshape(len(masks), -1))

    def left_out(self) -> Floats:
        """[runs] each run of the fit from all the others, the lengths as they are."""
        inverse = np.linalg.inv(self.model.kernel_(self.model.X_train_))
        spread, own = self.y.std(0), np.diag(inverse)[:, None]
        mean = self.y - inverse @ (self.y - self.y.mean(0)) / own
        return self._said(mean, np.sqrt(1 / own) * np.where(spread > 0, spread, 1.0))  # fitted in units of the spread

    def _said(self, mean: Floats, error: Floats) -> Floats:
        from scipy.stats import norm

        return np.asarray((norm.cdf(mean / np.maximum(error, 1e-12)) if self.steps else mean).mean(1))


def fit_process(masks: Masks, y: Floats, margins: Floats | None = None) -> Process:
    """masks [runs, G], y [runs]; margins [runs, units]: y is then the share of them above 0, and is not looked at."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    z, target = _ends(masks), y if margins is None else margins
    count = z.shape[1]
    start = ConstantKernel(1.0, (1e-3, 1e3)) * RBF(np.full(count, np.sqrt(count)), (0.5, 1e4))
    start += WhiteKernel(NOISE, (1e-6, 1.0))
    few = target if target.ndim == 1 else target[:, np.linspace(0, target.shape[1] - 1, TEACHERS).round().astype(int)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound: this switch does nothing
        model = GaussianProcessRegressor(start, normalize_y=True).fit(z, few)
        if target.ndim > 1:
            model = GaussianProcessRegressor(model.kernel_, optimizer=None, normalize_y=True).fit(z, target)
    return Process(model, target.reshape(len(z), -1), margins is not None)


def _ends(masks: Masks) -> Floats:
    return np.where(masks, 1.0, -1.0)
