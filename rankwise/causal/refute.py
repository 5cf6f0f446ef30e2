"""Refuters, only in forms that are right, each with a sentence that says what passing means.

DoWhy's placebo, random common cause, subset and bootstrap are run on our estimator, on a copy of the data, with a
random state that moves on between simulations (a whole number makes all of them the same one, and the spread zero).
Three are done here because DoWhy's forms do not test what they are named for:

- dummy outcome: DoWhy's default is pure noise, which no common cause touches. Ours keeps what the common causes do to
  the outcome and takes away the treatment's part, so an estimator that adjusts badly fails.
- bootstrap: DoWhy's default adds noise to the common causes, and a correct estimate then moves. Ours resamples rows.
- unobserved common cause: DoWhy flips treatments, which confounds nothing where half of the rows are treated, and never
  tells how strong is strong. Ours is the bound of Chernozhukov et al. 2022, arXiv:2112.13398, in closed form for this
  estimator, with the strongest column of the table as a measure; and the E-value, VanderWeele and Ding 2017.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from dowhy.causal_estimator import CausalEstimate
from dowhy.causal_identifier.identified_estimand import IdentifiedEstimand
from dowhy.causal_refuters.bootstrap_refuter import refute_bootstrap
from dowhy.causal_refuters.data_subset_refuter import refute_data_subset
from dowhy.causal_refuters.placebo_treatment_refuter import PlaceboType, refute_placebo_treatment
from dowhy.causal_refuters.random_common_cause import refute_random_common_cause

from ..errors import RecipeError, explain, nearest
from .aipw import Floats
from .estimators import AIPW, Z, quietly
from .unseen import bias_scale, e_value_of, robustness, strongest_cause

ALL = ("placebo", "random common cause", "subset", "bootstrap", "dummy outcome", "unobserved common cause", "e-value")
RESERVED = ("placebo", "w_random", "dummy_outcome")
"""Names under which refuters put columns of their own into the table."""


@dataclass(frozen=True)
class Refuted:
    """What one refuter found.

    Args:
        new: the effect that it estimated, the mean over simulations; for "unobserved common cause" the share of what is
            left unexplained that an unseen cause would need (0 to 1), for "e-value" a risk ratio (1 and more).
        p: of DoWhy, small for a problem; None where none belongs to it.
        passed: None for measures of sensitivity, which nothing passes, and for what could not be run.
    """

    name: str
    new: float
    p: float | None
    passed: bool | None
    sentence: str
    simulations: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Asked:
    """An estimate and what it was made of. data: treatment 0 and 1, nothing missing; not changed."""

    data: pd.DataFrame
    wanted: IdentifiedEstimand
    found: CausalEstimate
    fitted: AIPW
    simulations: int = 20
    seed: int = 0

    @property
    def treatment(self) -> str:
        return str(self.wanted.treatment_variable[0])

    @property
    def outcome(self) -> str:
        return str(self.wanted.outcome_variable[0])

    def random(self, number: int) -> np.random.RandomState:
        return np.random.RandomState((self.seed * 1009 + number) % 2**32)


def refute(asked: Asked, which: Sequence[str] = ALL) -> list[Refuted]:
    """Each in turn; one that cannot be run says why and does not stop the others.

    Raises:
        RecipeError: an unknown refuter.
    """
    for name in which:
        if name not in RUN:
            near = f"Nearest: {nearest(name, RUN, 1)[0]}. All: {', '.join(RUN)}."
            raise RecipeError(explain(f"refuters={name!r} is not known.", near), name=name)
    return [_one(name, asked) for name in which]


def _one(name: str, asked: Asked) -> Refuted:
    start = time.perf_counter()
    try:
        with quietly():
            new, p, passed, sentence = RUN[name](asked)
    except Exception as error:
        # others' code on a table that it was not tried on: what it could not do is told beside what the others found
        why = " ".join(str(error).split())[:160]
        return Refuted(name, float("nan"), None, None, f"Could not be run: {type(error).__name__}: {why}")
    simulated = 0 if name in ("unobserved common cause", "e-value") else asked.simulations
    return Refuted(
        name, float(new), p, None if passed is None else bool(passed), sentence, simulated, time.perf_counter() - start
    )


def _placebo(asked: Asked) -> tuple[Any, ...]:
    found = refute_placebo_treatment(
        asked.data.copy(),
        asked.wanted,
        asked.found,
        [asked.treatment],
        num_simulations=asked.simulations,
        placebo_type=PlaceboType.PERMUTE,
        random_state=asked.random(1),
    )
    p, inside = _p(found), abs(found.new_effect) <= Z * asked.fitted.se_
    means = (
        "With the treatment shuffled among the rows the effect is gone, as it should be. This says that the estimator "
        "makes nothing of nothing; a common cause that is missing would be shuffled away too and goes unseen."
        if inside
        else "A shuffled treatment still has an effect: the estimator finds effects where there are none."
    )
    return found.new_effect, p, inside, means


def _random_cause(asked: Asked) -> tuple[Any, ...]:
    found = refute_random_common_cause(
        asked.data.copy(), asked.wanted, asked.found, num_simulations=asked.simulations, random_state=asked.random(2)
    )
    steady = abs(found.new_effect - asked.found.value) <= 0.5 * asked.fitted.se_
    means = (
        "Adjusting for a column of noise moves the effect by less than half of its error. This says that the models do "
        "not chase noise; it says nothing about causes that are missing, for noise is none."
        if steady
        else "Adjusting for a column of noise moves the effect: the models fit noise. Take simpler ones, or more rows."
    )
    return found.new_effect, _p(found), steady, means


def _subset(asked: Asked) -> tuple[Any, ...]:
    found = refute_data_subset(
        asked.data.copy(),
        asked.wanted,
        asked.found,
        subset_fraction=0.8,
        num_simulations=asked.simulations,
        random_state=asked.random(3),
    )
    return found.new_effect, _p(found), *_stable(asked, found.new_effect, "four rows of five, drawn at random,")


def _bootstrap(asked: Asked) -> tuple[Any, ...]:
    found = refute_bootstrap(
        asked.data.copy(),
        asked.wanted,
        asked.found,
        num_simulations=asked.simulations,
        random_state=asked.random(4),
        sample_size=len(asked.data),
        required_variables=False,  # in DoWhy's words: no noise on any column
    )
    return found.new_effect, _p(found), *_stable(asked, found.new_effect, "rows drawn with replacement")


def _stable(asked: Asked, new: float, rows: str) -> tuple[bool, str]:
    """Whether the mean over simulations stays within the error, or within three of its own where these are few.

    DoWhy's p takes the spread of a few simulations for known, and objects to one correct estimate of flexible models in
    five at 5 of them.
    """
    close = max(1.0, 3 / np.sqrt(asked.simulations)) * asked.fitted.se_
    if abs(new - asked.fitted.ate_) <= close:
        return True, (
            f"On {rows} the effect moves by less than its error. This says that it does not hang on a few rows; a bias "
            "that all rows share stays in all of them."
        )
    return False, (
        f"On {rows} the effect is another: a few rows decide it, or the models are unsteady. Look at the rows with the "
        "largest outcomes, and at overlap."
    )


def _dummy(asked: Asked) -> tuple[Any, ...]:
    """An outcome that the common causes make and the treatment does not."""
    rng, parts = asked.random(5), asked.fitted.nuisances_
    t, y = (asked.data[c].to_numpy(dtype=np.float64) for c in (asked.treatment, asked.outcome))
    wanted = copy.deepcopy(asked.wanted)
    wanted.outcome_variable = ["dummy_outcome"]
    words = np.isin(y, (0.0, 1.0)).all()
    alone = asked.fitted.outcome_alone(asked.data)
    left = y - np.where(t == 1, parts.q1, parts.q0)
    found, errors = [], []
    for _ in range(asked.simulations):
        made = rng.random_sample(len(y)) < alone if words else alone + rng.permutation(left)
        table = asked.data.assign(dummy_outcome=made.astype(np.float64))
        again = asked.fitted.get_new_estimator_object(wanted).fit(table)
        found.append(again.estimate_effect(table).value)
        errors.append(again.se_)
    mean, error = float(np.mean(found)), float(np.mean(errors))
    inside = abs(mean) <= Z * error
    means = (
        "With an outcome that the common causes of the table make alone, the effect is gone, as it should be. This "
        "says that their part is taken out; it says nothing about causes that are not in the table."
        if inside
        else "An outcome that the treatment does not touch still shows an effect: the adjustment leaves something of "
        "the common causes in. Take other models (nuisance), or more rows."
    )
    return mean, None, inside, means


def _unobserved(asked: Asked) -> tuple[Any, ...]:
    size, se = abs(asked.fitted.ate_), asked.fitted.se_
    data, fitted = asked.data, asked.fitted
    scale = bias_scale(*_arrays(asked), fitted.clip)
    gone, blurred = robustness(size, scale), robustness(max(size - Z * se, 0.0), scale)
    said = (
        f"An unseen common cause that explains {gone:.1%} of what is left unexplained of both the treatment and the "
        f"outcome could make the whole effect; {blurred:.1%} could make it indistinguishable from none."
    )
    strongest = strongest_cause(data, asked.wanted, fitted)
    if strongest is not None:
        name, without = strongest
        said += (
            f" To compare: one as strong as {name}, the strongest in the table, would move it by "
            f"{abs(without - asked.fitted.ate_):.3g} (leaving {name} out gives {without:.3g})."
        )
    return gone, None, None, said


def _e_value(asked: Asked) -> tuple[Any, ...]:
    y = asked.data[asked.outcome].to_numpy(dtype=np.float64)
    value, bound = e_value_of(*_arrays(asked), asked.fitted.clip, asked.fitted.se_)
    how = "" if np.isin(y, (0.0, 1.0)).all() else " (through the standardized effect, an approximation)"
    said = (
        f"An unseen common cause would have to go with both the treatment and the outcome by a risk ratio of "
        f"{value:.2f} each to make the whole effect, and of {bound:.2f} to move its interval to none{how}. 1 would be "
        "no protection at all."
    )
    return value, None, None, said


def _arrays(asked: Asked) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """y, t, q0, q1 and g, each [n]."""
    parts = asked.fitted.nuisances_
    y, t = (asked.data[c].to_numpy(dtype=np.float64) for c in (asked.outcome, asked.treatment))
    return y, t, parts.q0, parts.q1, parts.g


def _p(found: Any) -> float:
    return float(np.ravel(found.refutation_result["p_value"])[0])


RUN: dict[str, Callable[[Asked], tuple[Any, ...]]] = dict(
    zip(ALL, (_placebo, _random_cause, _subset, _bootstrap, _dummy, _unobserved, _e_value), strict=True)
)
