"""Masks predicted by a Gaussian process: products of many switches, steps, and each run left out."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal.design import design, fit, r2
from rankwise.causal.gaussian import fit_process


def test_what_three_switches_do_together_is_predicted():
    plan = design(20, seed=0)
    y = lambda masks: 3.0 * masks[:, 0] * masks[:, 3] * masks[:, 7] + masks[:, 1]  # noqa: E731
    model = fit_process(plan.fit, y(plan.fit))
    alone = fit(plan, y(plan.fit), pairs=False).predict(plan.fresh)
    assert r2(y(plan.fresh), alone) < 0.8
    assert r2(y(plan.fresh), model.predict(plan.fresh)) > 0.99


def test_a_share_of_units_is_predicted_by_their_margins_better_than_by_itself():
    plan, rng = design(20, seed=1), np.random.default_rng(0)
    weights, level = rng.normal(size=(20, 6)), rng.normal(size=6)
    margins = lambda masks: np.where(masks, 1.0, -1.0) @ weights + level  # noqa: E731
    share = lambda masks: (margins(masks) > 0).mean(1)  # noqa: E731
    by_margins = fit_process(plan.fit, share(plan.fit), margins(plan.fit)).predict(plan.fresh)
    by_itself = fit_process(plan.fit, share(plan.fit)).predict(plan.fresh)
    assert r2(share(plan.fresh), by_margins) > 0.95
    assert r2(share(plan.fresh), by_itself) < 0.85
    assert by_margins.min() >= 0
    assert by_margins.max() <= 1


@pytest.mark.parametrize("units", [1, 3])
def test_each_run_is_left_out_by_the_formula_as_by_doing_it(units):
    from sklearn.gaussian_process import GaussianProcessRegressor

    rng = np.random.default_rng(2)
    masks = rng.random((30, 5)) < 0.5
    z = np.where(masks, 1.0, -1.0)
    margins = z @ rng.normal(size=(5, units)) + 0.3 * rng.normal(size=(30, units))
    model = fit_process(masks, margins[:, 0], margins if units > 1 else None)
    found = model.left_out()
    targets = margins if units > 1 else margins[:, :1]
    for i in (0, 7, 29):
        rest = np.arange(30) != i
        # the same process on the others, in the units of the whole: their mean and deviation stay
        scale, level = targets.std(0), targets.mean(0)
        other = GaussianProcessRegressor(model.model.kernel_, optimizer=None).fit(
            z[rest], (targets[rest] - level) / scale
        )
        mean, error = other.predict(z[[i]], return_std=True)
        said = model._said(mean.reshape(1, -1) * scale + level, error.reshape(1, -1) * scale)
        assert found[i] == pytest.approx(said[0], rel=1e-6, abs=1e-8)


def test_the_same_runs_give_the_same_numbers_without_a_warning(recwarn):
    plan = design(17, seed=0)
    y = plan.fit[:, 0] * 1.0  # sixteen switches do nothing: their lengths run to the bound
    one, two = (fit_process(plan.fit, y).predict(plan.fresh) for _ in range(2))
    assert (one == two).all()
    assert not recwarn.list
