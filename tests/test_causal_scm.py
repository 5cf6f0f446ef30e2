"""Max-plus inside dowhy.gcm: by hand, against what_if, and fitted to planted lags."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rankwise.causal.maxplus import DAY, Within
from rankwise.causal.mechanisms import calm
from rankwise.causal.scm import MaxPlus, fitted, of_timeline, structural
from rankwise.causal.what_if import Cause, Change, Model, what_if
from rankwise.errors import DataError


def day(x):
    return Within(round(x * DAY), round(x * DAY))


def test_one_row_by_hand():
    # causes at 5 and 9 with lags 3 and 0: max(8, 9) = 9, observed 9.3, delay .3
    mechanism = MaxPlus([3.0, 0.0])
    x = np.array([[5.0, 9.0]])
    delay = mechanism.estimate_noise(np.array([[9.3]]), x)
    np.testing.assert_allclose(delay, [[0.3]], atol=1e-12)
    np.testing.assert_allclose(mechanism.evaluate(np.array([[7.0, 9.0]]), delay), [[10.3]], atol=1e-12)


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 3), min_size=1, max_size=9), st.tuples(*[st.floats(0, 99)] * 2))
def test_a_delay_is_what_gives_the_time_back(rows, lags):
    table = np.array(rows)
    mechanism = MaxPlus(lags)
    delay = mechanism.estimate_noise(table[:, 2:], table[:, :2])
    np.testing.assert_allclose(mechanism.evaluate(table[:, :2], delay), table[:, 2:], atol=1e-9)


def planted(n, rng, sd=0.05):
    a, z, plan = rng.uniform(0, 10, n), rng.uniform(0, 10, n), rng.uniform(2, 12, n)
    b = np.maximum(plan, np.maximum(a + 3, z + 2.5)) + rng.normal(0, sd, n)
    return pd.DataFrame({"a": a, "z": z, "plan": plan, "b": b, "c": b + 2 + rng.exponential(sd, n)})


def test_lags_are_fitted_and_stated_ones_kept():
    table = planted(2000, np.random.default_rng(0))
    mechanism = MaxPlus([None, 0.0, None])
    mechanism.fit(table[["a", "plan", "z"]].to_numpy(), table[["b"]].to_numpy())
    np.testing.assert_allclose(mechanism.lags, [3, 0, 2.5], atol=0.01)
    assert mechanism.held.min() > 300
    assert mechanism.held.sum() == 2000
    assert mechanism.delays.std() == pytest.approx(0.05, abs=0.005)
    assert str(mechanism).startswith("max-plus with lags 3")
    assert mechanism.clone().stated == (None, 0.0, None)


def test_counterfactuals_of_gcm_are_right_and_the_same_again():
    table = planted(500, np.random.default_rng(1))
    edges = {("a", "b"): None, ("z", "b"): None, ("plan", "b"): 0.0, ("b", "c"): None}
    scm = fitted(structural(edges), table)
    with calm(0) as gcm:
        found = gcm.counterfactual_samples(scm, {"a": lambda t: t - 2}, observed_data=table)
        drawn = [gcm.interventional_samples(scm, {"a": lambda t: t - 2}, observed_data=table) for _ in range(2)]
    held = np.maximum(table.plan, table.z + 2.5)
    shift = np.maximum(held, table.a + 1) - np.maximum(held, table.a + 3)
    np.testing.assert_allclose(found.b - table.b, shift, atol=0.03)
    np.testing.assert_allclose(found.c - found.b, table.c - table.b, atol=1e-9)  # one cause: its delay is kept whole
    assert drawn[0].b.mean() == pytest.approx((table.b + shift).mean(), abs=0.03)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=4, max_size=4), st.integers(-6, 6), st.integers(0, 9), st.integers(0, 9))
@example([5, 9, 12, 0], -2, 3, 2)  # the plan holds b
def test_what_if_and_gcm_agree(times, by, first, second):
    model = Model(
        {e: day(t) for e, t in zip("abcd", times, strict=True)},
        (Cause("a", "b", day(first)), Cause("d", "b", day(2)), Cause("b", "c", day(second)), Cause("a", "c", day(1))),
        {"b": day(9), "a": day(2)},
    )
    scm, row = of_timeline(model)
    with calm(0) as gcm:
        found = gcm.counterfactual_samples(scm, {"a": lambda t: t + by}, observed_data=pd.DataFrame([row]))
    answer = what_if(model, [Change("a", by=day(by))])
    for o in answer.outcomes:
        assert o.counterfactual.low / DAY == pytest.approx(float(found[o.event].iloc[0]), abs=1e-9)


def test_what_is_no_point_is_refused():
    with pytest.raises(DataError, match="the lag of a > b is no point"):
        of_timeline(Model({"a": day(1), "b": day(2)}, (Cause("a", "b", Within(0, 9)),)))
    with pytest.raises(DataError, match="the time of b is no point"):
        of_timeline(Model({"a": day(1), "b": Within()}, (Cause("a", "b", day(1)),)))
    with pytest.raises(DataError, match="circle: a > b > a"):
        structural({("a", "b"): 1.0, ("b", "a"): 1.0})
    with pytest.raises(DataError, match="2 lags are stated for 1 causes"):
        MaxPlus([1.0, 2.0]).fit(np.zeros((3, 1)), np.zeros((3, 1)))
    with pytest.raises(DataError, match="a time is missing"):
        MaxPlus().fit(np.array([[np.nan]]), np.zeros((1, 1)))


def test_a_cause_that_never_holds_gets_the_longest_lag_it_can_have():
    mechanism = MaxPlus()
    x = np.column_stack([np.arange(10.0), np.full(10, -100.0)])
    mechanism.fit(x, x[:, :1] + 3)
    assert mechanism.held.tolist() == [10, 0]
    assert mechanism.lags[0] == pytest.approx(3)
    assert mechanism.lags[1] <= 103  # the first row began at 3
