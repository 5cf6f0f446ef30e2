"""Which model predicts masks that it has not seen, and by what it is chosen."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal.design import design, left_out_r2, r2
from rankwise.causal.gaussian import MOST
from rankwise.causal.mask_models import chosen, models_of


def test_a_sum_is_left_to_main_effects():
    plan = design(20)
    found = models_of(plan, plan.fit @ np.arange(20.0))
    assert chosen(found) == "main"
    assert set(found) == {"main", "shrunk", "gp"}
    assert found["main"].miss == pytest.approx(0, abs=1e-12)


def test_a_product_of_three_is_left_to_the_process():
    plan = design(20)
    y = lambda masks: 4.0 * masks[:, 0] * masks[:, 1] * masks[:, 2]  # noqa: E731
    found = models_of(plan, y(plan.fit))
    assert chosen(found) == "gp"
    assert found["gp"].effects is None
    assert r2(y(plan.fresh), found["gp"].said) > 0.99 > 0.9 > r2(y(plan.fresh), found["main"].said)


def test_of_all_masks_each_is_predicted_by_models_without_it():
    plan = design(5)  # 32 masks, all of them
    rng = np.random.default_rng(0)
    y = rng.normal(size=32)  # nothing to learn
    found = models_of(plan, y)
    assert set(found) == {"main", "pairs", "gp"}
    assert found["gp"].miss == pytest.approx(1 - r2(y, found["gp"].said))
    assert found["gp"].miss > 0.8  # a process that had seen the mask would have its number
    assert found["main"].miss == pytest.approx(1 - left_out_r2(plan, y, pairs=False))


def test_an_outcome_that_does_not_move_and_very_many_switches_have_no_process():
    plan = design(20)
    assert "gp" not in models_of(plan, np.ones(len(plan.fit)))
    many = design(MOST + 1)
    assert "gp" not in models_of(many, many.fit @ np.ones(MOST + 1))
