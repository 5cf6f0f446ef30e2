"""AIPW inside DoWhy, and DoWhy's own estimators beside it, quietly."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
import pytest
from dowhy import CausalModel

from rankwise.causal.estimators import AIPW, aipw, beside, estimand, quietly


@pytest.fixture(scope="module")
def table():
    """Effect 2; w and the words of c are common causes."""
    rng = np.random.default_rng(0)
    w, c = rng.normal(size=1500), rng.choice(list("abc"), 1500)
    t = (rng.random(1500) < 1 / (1 + np.exp(-w - (c == "a")))).astype(int)
    return pd.DataFrame({"w": w, "c": c, "t": t, "y": 2 * t + 1.5 * w + (c == "a") + rng.normal(size=1500)})


WANTED = estimand("t", "y", ["w", "c"])


def test_the_effect_is_found_with_its_interval_and_the_table_is_left_alone(table):
    before = table.copy()
    found, fitted = aipw(table, WANTED)
    low, high = found.get_confidence_intervals()
    assert low < 2 < high
    assert high - low == pytest.approx(2 * 1.96 * fitted.se_, rel=1e-3)
    assert found.get_standard_error() == fitted.se_
    pd.testing.assert_frame_equal(table, before)


def test_words_become_a_column_for_each_value(table):
    assert AIPW(WANTED).matrix(table).shape[1] in (3, 4)  # w and two or three columns for a, b, c
    _, fitted = aipw(table, WANTED)
    assert len(fitted.psi_) == 1500


def test_dowhy_finds_the_class_by_its_name(table):
    with quietly():
        model = CausalModel(data=table, treatment="t", outcome="y", common_causes=["w"])
        wanted = model.identify_effect(proceed_when_unidentifiable=True)
        found = model.estimate_effect(
            wanted,
            method_name="backdoor.rankwise.causal.estimators.AIPW",
            effect_modifiers=[],
            confidence_intervals=True,
            method_params={"nuisance": "linear", "folds": 4},
        )
    assert isinstance(found.estimator, AIPW)
    assert found.estimator.folds == 4
    assert "q1 - q0" in str(found.realized_estimand_expr)


def test_another_estimand_is_read_at_every_fit(table):
    """A refuter copies the estimator and changes the treatment; nothing of the first fit may stay."""
    _, fitted = aipw(table, WANTED)
    again = fitted.get_new_estimator_object(estimand("coin", "y", ["w", "c"]))
    again.fit(table.assign(coin=np.arange(1500) % 2))
    assert abs(again.ate_) < 3 * again.se_
    assert abs(fitted.ate_ - 2) < 0.3


def test_rows_drawn_twice_are_held_out_together(table):
    _, fitted = aipw(table.loc[np.repeat(np.arange(400), 2)], WANTED)
    fold = fitted.nuisances_.fold.reshape(-1, 2)
    np.testing.assert_array_equal(fold[:, 0], fold[:, 1])


def test_rows_of_a_group_give_the_error_between_groups(table):
    doubled = pd.concat([table, table], ignore_index=True).assign(g=list(range(1500)) * 2)
    (_, alone), (_, together) = aipw(doubled, WANTED), aipw(doubled, WANTED, groups="g")
    assert together.se_ == pytest.approx(np.sqrt(2) * alone.se_, rel=0.05)


def test_every_estimator_is_beside_it(table):
    rows = {r.name: r for r in beside(table, "t", "y", ["w", "c"])}
    assert {"difference of means", "linear regression", "matching", "weighting", "stratification"} <= set(rows)
    assert rows["difference of means"].low > 2.5
    for name in ("linear regression", "weighting"):
        assert rows[name].low < 2 < rows[name].high
    for name in ("matching", "stratification"):
        assert abs(rows[name].ate - 2) < 0.4
        assert rows[name].low is None
        assert "no interval" in rows[name].note


def test_with_nothing_to_adjust_for_only_the_difference_is_shown(table):
    assert [r.name for r in beside(table, "t", "y", [])] == ["difference of means"]


def test_an_estimator_that_fails_says_so_and_stops_nothing(table):
    rows = {r.name: r for r in beside(table.assign(w=np.inf), "t", "y", ["w", "c"])}
    assert rows["matching"].note.startswith("failed: ")
    assert np.isnan(rows["matching"].ate)
    assert np.isfinite(rows["difference of means"].ate)


def test_warnings_are_off_inside_and_as_before_outside():
    level = logging.getLogger("dowhy").level
    with quietly():
        warnings.warn("a flood", UserWarning, stacklevel=1)
        assert not logging.getLogger("dowhy.causal_model").isEnabledFor(logging.ERROR)
    assert logging.getLogger("dowhy").level == level
    with pytest.raises(UserWarning, match="a flood"):
        warnings.warn("a flood", UserWarning, stacklevel=1)
    with pytest.raises(ZeroDivisionError), quietly():
        raise ZeroDivisionError
    assert logging.getLogger("dowhy").level == level


def test_econml_is_beside_it_where_it_is_installed(table):
    pytest.importorskip("econml")
    rows = {r.name: r for r in beside(table, "t", "y", ["w", "c"])}
    assert abs(rows["EconML LinearDRLearner"].ate - 2) < 0.3
    assert abs(rows["EconML CausalForestDML"].ate - 2) < 0.4
    for name in ("EconML LinearDRLearner", "EconML CausalForestDML"):
        low, high = rows[name].low, rows[name].high
        assert low is not None
        assert low < rows[name].ate < high < low + 1.5
