"""Estimators of an average effect side by side: our AIPW as an estimator of DoWhy, and DoWhy's own beside it.

The class works in DoWhy's own calls too, and in its refuters:

    model.estimate_effect(estimand, method_name="backdoor.rankwise.causal.estimators.AIPW", effect_modifiers=[])

DoWhy deep-copies an estimator and gives it another estimand (a placebo for the treatment, one more cause), so nothing
about the columns is kept from before `fit`, and the data are never written to. Both are where DoWhy's own propensity
and doubly robust estimators go wrong.
"""

from __future__ import annotations

import contextlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from dowhy.causal_estimator import CausalEstimate, CausalEstimator
from dowhy.causal_estimators.linear_regression_estimator import LinearRegressionEstimator
from dowhy.causal_estimators.propensity_score_matching_estimator import PropensityScoreMatchingEstimator
from dowhy.causal_estimators.propensity_score_stratification_estimator import PropensityScoreStratificationEstimator
from dowhy.causal_estimators.propensity_score_weighting_estimator import PropensityScoreWeightingEstimator
from dowhy.causal_identifier.auto_identifier import EstimandType, construct_adjustment_estimand
from dowhy.causal_identifier.identified_estimand import IdentifiedEstimand

from .aipw import CLIP, Floats, Nuisances, cross_fit, mean_and_error, models, predicted, psi

Z = 1.959963984540054  # 97.5 % point of the normal distribution
ECONML = {"LinearDRLearner": "doubly robust, linear effect", "CausalForestDML": "causal forest"}


@dataclass(frozen=True)
class Estimate:
    """One estimator's answer; low and high are None where no right interval is to be had cheaply."""

    name: str
    ate: float
    low: float | None = None
    high: float | None = None
    seconds: float = 0.0
    note: str = ""


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """DoWhy's warnings (40 a refuter) and log lines off; both as before afterwards."""
    logger = logging.getLogger("dowhy")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def estimand(treatment: str, outcome: str, adjust: Sequence[str]) -> IdentifiedEstimand:
    """What DoWhy's estimators and refuters take, for a set that was found already: no search."""
    symbols = construct_adjustment_estimand([treatment], [outcome], list(adjust))
    return IdentifiedEstimand(
        None,
        treatment_variable=[treatment],
        outcome_variable=[outcome],
        estimand_type=EstimandType.NONPARAMETRIC_ATE,
        estimands={"backdoor": symbols},
        backdoor_variables={"backdoor": list(adjust)},
        instrumental_variables=[],
        default_backdoor_id="backdoor",
        identifier_method="backdoor",
    )


class AIPW(CausalEstimator):
    """Cross-fitted augmented inverse propensity weighting with closed-form errors.

    After `fit`: psi_ [n], nuisances_ (q0, q1, g). Rows that a bootstrap drew more than once (one label in the index)
    are held out together, or a model would be asked about rows that it saw.

    Args:
        nuisance, folds, seed, clip: see aipw.cross_fit and aipw.psi.
        groups: column whose rows belong together; it sets folds and errors and is not adjusted for.
    """

    def __init__(
        self,
        identified_estimand: IdentifiedEstimand,
        nuisance: str = "linear",
        folds: int = 5,
        seed: int = 0,
        clip: float = CLIP,
        groups: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(identified_estimand, **options)  # test_significance, confidence_intervals, ...
        self.nuisance, self.folds, self.seed, self.clip, self.groups = nuisance, folds, seed, clip, groups

    def fit(self, data: pd.DataFrame, effect_modifier_names: list[str] | None = None, **_: Any) -> AIPW:
        """effect_modifier_names: recorded; the average is the same whatever modifies the effect."""
        self.reset_encoders()
        self._set_effect_modifiers(data, effect_modifier_names or [])
        x = self.matrix(data)
        t = data[self._target_estimand.treatment_variable[0]].to_numpy().astype(np.int64)
        y = data[self._target_estimand.outcome_variable[0]].to_numpy(dtype=np.float64)
        labels = self._labels(data)
        self.nuisances_: Nuisances = cross_fit(
            x, t, y, nuisance=self.nuisance, folds=self.folds, seed=self.seed, groups=labels
        )
        self.psi_: Floats = psi(y, t, self.nuisances_.q0, self.nuisances_.q1, self.nuisances_.g, self.clip)
        self.ate_, self.se_ = mean_and_error(self.psi_, labels)
        return self

    def outcome_alone(self, data: pd.DataFrame) -> Floats:
        """[n] what one model, fitted on all untreated rows, expects without the treatment: a world to simulate from."""
        t = data[self._target_estimand.treatment_variable[0]].to_numpy().astype(np.int64)
        y = data[self._target_estimand.outcome_variable[0]].to_numpy(dtype=np.float64)
        outcome, _ = models(self.nuisance, binary=bool(np.isin(y, (0.0, 1.0)).all()), seed=self.seed)
        x = self.matrix(data)
        return predicted(outcome, x[t == 0], y[t == 0], x)

    def matrix(self, data: pd.DataFrame) -> Floats:
        """[n, k] the columns to adjust for as numbers, words one column a value."""
        columns = list(dict.fromkeys(self._target_estimand.get_adjustment_set() or []))
        if not columns:
            return np.empty((len(data), 0))
        return np.asarray(self._encode(data[columns], "adjust").to_numpy(dtype=np.float64))

    def _labels(self, data: pd.DataFrame) -> Any:
        if self.groups is not None:
            return data[self.groups].to_numpy()
        return None if data.index.is_unique else data.index.to_numpy()

    def estimate_effect(
        self,
        data: pd.DataFrame,
        treatment_value: Any = 1,
        control_value: Any = 0,
        target_units: Any = "ate",
        **_: Any,
    ) -> CausalEstimate:
        """The average over the rows of `fit`; target_units is recorded, only "ate" is estimated."""
        self._treatment_value, self._control_value, self._target_units = treatment_value, control_value, target_units
        found = CausalEstimate(
            data=data,
            treatment_name=self._target_estimand.treatment_variable,
            outcome_name=self._target_estimand.outcome_variable,
            estimate=self.ate_,
            target_estimand=self._target_estimand,
            realized_estimand_expr=self.construct_symbolic_estimator(self._target_estimand),
            control_value=control_value,
            treatment_value=treatment_value,
        )
        found.add_estimator(self)
        return found

    def construct_symbolic_estimator(self, estimand: IdentifiedEstimand) -> str:
        t, y = estimand.treatment_variable[0], estimand.outcome_variable[0]
        w = ", ".join(estimand.get_adjustment_set() or [])
        return f"E[q1 - q0 + {t} ({y} - q1) / g - (1 - {t}) ({y} - q0) / (1 - g)], q and g given {w or 'nothing'}"

    def _estimate_std_error(self, method: Any = None, **_: Any) -> float:
        return self.se_

    def _estimate_confidence_intervals(self, confidence_level: float, method: Any = None, **_: Any) -> Any:
        from scipy.stats import norm

        half = float(norm.ppf(0.5 + confidence_level / 2)) * self.se_
        return np.array([self.ate_ - half, self.ate_ + half])


def aipw(data: pd.DataFrame, wanted: IdentifiedEstimand, **options: Any) -> tuple[CausalEstimate, AIPW]:
    """Fitted and asked; options as of the class."""
    with quietly():
        fitted = AIPW(wanted, confidence_intervals=True, **options).fit(data)
        return fitted.estimate_effect(data), fitted


def beside(data: pd.DataFrame, treatment: str, outcome: str, adjust: Sequence[str], seed: int = 0) -> list[Estimate]:
    """The difference of means, DoWhy's estimators, and EconML's learners where it is installed, to compare with AIPW.

    data: treatment 0 and 1, no missing values. An estimator that fails says so in its note, with NaN for the effect.
    """
    rows = [_timed("difference of means", lambda: _difference(data, treatment, outcome))]
    if not adjust:
        return rows
    wanted = estimand(treatment, outcome, adjust)
    rows.append(_timed("linear regression", lambda: _regression(data, wanted)))
    rows += [
        _timed("matching", lambda: _of_dowhy(PropensityScoreMatchingEstimator, data, wanted)),
        _timed("weighting", lambda: _weighting(data, wanted)),
        _timed("stratification", lambda: _of_dowhy(PropensityScoreStratificationEstimator, data, wanted)),
    ]
    return rows + _of_econml(data, wanted, seed)


def _timed(name: str, ask: Callable[[], tuple[Any, ...]]) -> Estimate:
    start = time.perf_counter()
    try:
        with quietly():
            ate, low, high, note = ask()
    except Exception as error:
        # others' code on a table that it was not tried on: its failure is a result, and must not end ours
        why = " ".join(str(error).split())[:160]
        return Estimate(name, float("nan"), note=f"failed: {type(error).__name__}: {why}")
    return Estimate(name, float(ate), low, high, time.perf_counter() - start, note)


def _difference(data: pd.DataFrame, treatment: str, outcome: str) -> tuple[Any, ...]:
    y, t = data[outcome].to_numpy(dtype=np.float64), data[treatment].to_numpy().astype(bool)
    ate = y[t].mean() - y[~t].mean()
    half = Z * np.sqrt(y[t].var(ddof=1) / t.sum() + y[~t].var(ddof=1) / (~t).sum())
    return ate, float(ate - half), float(ate + half), "adjusts for nothing"


def _fitted(kind: Any, data: pd.DataFrame, wanted: IdentifiedEstimand) -> tuple[Any, Any]:
    """A fresh estimator of DoWhy, fitted on a copy, for some of them write their propensities into the data."""
    copy = data.copy()
    made = kind(wanted).fit(copy, effect_modifier_names=[])
    return made, made.estimate_effect(copy, treatment_value=1, control_value=0, target_units="ate")


def _of_dowhy(kind: Any, data: pd.DataFrame, wanted: IdentifiedEstimand) -> tuple[Any, ...]:
    _, found = _fitted(kind, data, wanted)
    return found.value, None, None, "no interval: a bootstrap of it is not valid, or keeps the propensities fixed"


def _regression(data: pd.DataFrame, wanted: IdentifiedEstimand) -> tuple[Any, ...]:
    made, found = _fitted(LinearRegressionEstimator, data, wanted)
    robust = made.model.get_robustcov_results("HC1")  # the effect may differ between rows, and so may the noise
    half = Z * float(robust.bse[1])
    return (
        found.value,
        float(found.value - half),
        float(found.value + half),
        "right if the outcome is linear in every column",
    )


def _weighting(data: pd.DataFrame, wanted: IdentifiedEstimand) -> tuple[Any, ...]:
    _, found = _fitted(PropensityScoreWeightingEstimator, data, wanted)
    probe = AIPW(wanted).fit(data)
    t = data[wanted.treatment_variable[0]].to_numpy(dtype=np.float64)
    y = data[wanted.outcome_variable[0]].to_numpy(dtype=np.float64)
    g = probe.nuisances_.g.clip(CLIP, 1 - CLIP)
    w1, w0 = t / g, (1 - t) / (1 - g)
    m1, m0 = np.average(y, weights=w1), np.average(y, weights=w0)
    influence = w1 * (y - m1) / w1.mean() - w0 * (y - m0) / w0.mean()
    half = Z * float(influence.std(ddof=1)) / np.sqrt(len(y))  # as if g were known: never too narrow (Hirano et al.)
    return found.value, float(found.value - half), float(found.value + half), "right if the model of the treatment is"


def _of_econml(data: pd.DataFrame, wanted: IdentifiedEstimand, seed: int) -> list[Estimate]:
    try:
        from econml.dml import CausalForestDML
        from econml.dr import LinearDRLearner
    except ImportError:
        return []
    t, y = data[wanted.treatment_variable[0]].to_numpy(), data[wanted.outcome_variable[0]].to_numpy(dtype=np.float64)
    x = AIPW(wanted).matrix(data)

    def ask(kind: str) -> tuple[Any, ...]:
        from sklearn.linear_model import LogisticRegression

        simple = LogisticRegression(max_iter=1000)
        if kind == "LinearDRLearner":
            learner: Any = LinearDRLearner(model_propensity=simple, random_state=seed).fit(y, t, X=x)
            mean, ends = learner.ate(x), learner.ate_interval(x, alpha=0.05)
        else:
            forest = CausalForestDML(model_t=simple, discrete_treatment=True, n_estimators=200, random_state=seed)
            mean, ends = forest.fit(y, t, X=x).ate_, forest.ate__inference().conf_int(alpha=0.05)  # doubly robust
        value, low, high = (float(np.ravel(v)[0]) for v in (mean, *ends))
        return value, low, high, f"EconML: {ECONML[kind]}"

    return [_timed(f"EconML {kind}", lambda kind=kind: ask(kind)) for kind in ECONML]  # type: ignore[misc]
