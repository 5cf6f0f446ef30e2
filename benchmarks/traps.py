"""Five traps of DoWhy 0.14, each fallen into with stock calls and then avoided with rankwise's.

Every trap is run on a table where the true effect is 2 and a linear adjustment is right, so a refuter that objects is
wrong, and one that returns the same number to the last digit has not looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from dowhy import CausalModel

from rankwise.causal.estimators import aipw, estimand, quietly
from rankwise.causal.refute import Asked, refute

TRUE = 2.0


@dataclass(frozen=True)
class Trap:
    """stock, ours: what came out, in words. fails: DoWhy is wrong here. holds: rankwise is right."""

    name: str
    stock: str
    fails: bool
    ours: str
    holds: bool


def table(n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """w and v cause treatment and outcome; the effect is 2, the difference of means about 3.4."""
    rng = np.random.default_rng(seed)
    w, v = rng.normal(size=n), rng.normal(size=n)
    t = (rng.random(n) < 1 / (1 + np.exp(-w - 0.5 * v))).astype(int)
    return pd.DataFrame({"w": w, "v": v, "t": t, "y": TRUE * t + 1.5 * w + v + rng.normal(size=n)})


def stock(data: pd.DataFrame, method: str) -> tuple[Any, Any, Any]:
    """Model, estimand and estimate as a tutorial makes them."""
    model = CausalModel(data=data.copy(), treatment="t", outcome="y", common_causes=["w", "v"])
    wanted = model.identify_effect(proceed_when_unidentifiable=True)
    return model, wanted, model.estimate_effect(wanted, method_name=f"backdoor.{method}", effect_modifiers=[])


def ours(data: pd.DataFrame, refuter: str, simulations: int = 10) -> tuple[float, Any]:
    """The effect, and what one refuter says of it."""
    wanted = estimand("t", "y", ["w", "v"])
    found, fitted = aipw(data, wanted)
    return found.value, refute(Asked(data, wanted, found, fitted, simulations), [refuter])[0]


def placebo(method: str) -> Trap:
    """Traps 1 and 2: what was fitted to the real treatment is used again for the shuffled one."""
    data = table()
    model, wanted, found = stock(data, method)
    said = model.refute_estimate(
        wanted, found, method_name="placebo_treatment_refuter", placebo_type="permute", num_simulations=10
    )
    p = float(np.ravel(said.refutation_result["p_value"])[0])
    _, mine = ours(data, "placebo")
    return Trap(
        f"placebo on {method}",
        f"{said.new_effect:.3f}, p = {p:.3f}, on a correct estimate of {found.value:.3f}",
        abs(said.new_effect) > 0.5 and p < 0.05,
        f"{mine.new:.3f}, p = {mine.p:.3f}",
        abs(mine.new) < 0.2 and mine.passed,
    )


def same_number() -> Trap:
    """Trap 3: a random common cause that never reaches the models."""
    data, unmoved = table(), []
    methods = ("propensity_score_matching", "propensity_score_stratification", "propensity_score_weighting")
    for method in (*methods, "doubly_robust"):
        model, wanted, found = stock(data, method)
        said = model.refute_estimate(wanted, found, method_name="random_common_cause", num_simulations=3)
        unmoved.append(said.new_effect == found.value or abs(said.new_effect - found.value) < 1e-12)
    value, mine = ours(data, "random common cause")
    return Trap(
        "random common cause",
        f"exactly the same number in {sum(unmoved)} of {len(unmoved)} methods",
        any(unmoved),
        f"{value:.5f} becomes {mine.new:.5f}",
        bool(mine.passed) and 0 < abs(mine.new - value) < 0.1,
    )


def one_seed() -> Trap:
    """Trap 4: a whole number for random_state makes every simulation the same."""
    data = table()
    model, wanted, found = stock(data, "linear_regression")
    ps = []
    for seed in range(5):
        said = model.refute_estimate(
            wanted, found, method_name="data_subset_refuter", random_state=seed, num_simulations=10
        )
        ps.append(float(np.ravel(said.refutation_result["p_value"])[0]))
    _, mine = ours(data, "subset")
    return Trap(
        "random_state as a whole number",
        f"subset refutes a correct estimate with {sum(p < 0.05 for p in ps)} of 5 seeds",
        sum(p < 0.05 for p in ps) >= 3,
        f"p = {mine.p:.3f}",
        bool(mine.passed),
    )


def boolean() -> Trap:
    """Trap 5: a boolean treatment ends the unobserved common cause with an error."""
    data = table()
    told = data.assign(t=data.t.astype(bool))
    model, wanted, found = stock(told, "linear_regression")
    try:
        model.refute_estimate(
            wanted,
            found,
            method_name="add_unobserved_common_cause",
            confounders_effect_on_treatment="binary_flip",
            confounders_effect_on_outcome="linear",
            effect_strength_on_treatment=0.05,
            effect_strength_on_outcome=0.5,
        )
        said, fails = "an estimate", False
    except TypeError as error:
        said, fails = "TypeError: " + str(error).partition(" '")[0], True
    _, mine = ours(told.assign(t=told.t.astype(int)), "unobserved common cause")
    return Trap("boolean treatment", said, fails, f"robustness {mine.new:.3f}", bool(np.isfinite(mine.new)))


TRAPS: dict[str, Callable[[], Trap]] = {
    "placebo keeps old propensities": lambda: placebo("propensity_score_weighting"),
    "placebo keeps old models": lambda: placebo("doubly_robust"),
    "random common cause is not used": same_number,
    "one seed for every simulation": one_seed,
    "boolean treatment": boolean,
}


def fall(name: str) -> Trap:
    """One of them, the same at every run: stock calls draw from numpy's global generator, which is put back."""
    state = np.random.get_state()
    np.random.seed(0)
    try:
        with quietly():
            return TRAPS[name]()
    finally:
        np.random.set_state(state)
