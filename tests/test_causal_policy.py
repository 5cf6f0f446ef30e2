"""Values of policies against known ones, and a learned rule that is not judged on the rows it was learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rankwise.causal.aipw import Nuisances, cross_fit, mean_and_error, psi
from rankwise.causal.columns import frame
from rankwise.causal.policy import (
    ALL,
    LEARNED,
    NONE,
    Decision,
    Fitting,
    arm_scores,
    held_out_effects,
    net_scores,
    policies,
)
from rankwise.errors import DataError, RecipeError, UnknownName


def shop(n: int = 1500, seed: int = 0) -> pd.DataFrame:
    """A discount t moves spending y by age / 10 - 4 (age 20 to 60, even: 0 on average), and goes to the rich.

    True means: treat none 10 + 2 * E[income] = 10, treat all 10. Over 40, the effect is 1 on average, so
    age > 40 is worth 10 + 1 / 2 = 10.5, and less a cost of 0.4 for half of the rows 10.3.
    Where the effect exceeds 0.4 (age > 44, 40 % of rows, 1.2 on average) it is 10.48 less 0.16, 10.32.
    """
    rng = np.random.default_rng(seed)
    age, income = rng.uniform(20, 60, n), rng.normal(size=n)
    t = rng.random(n) < 1 / (1 + np.exp(-income))
    y = 10 + 2 * income + t * (age / 10 - 4) + rng.normal(size=n)
    return pd.DataFrame({"t": t.astype(int), "y": y, "age": age, "income": income, "shop": np.arange(n) % 50})


RULE = "age > 40"


def test_scores_of_the_arms_by_hand():
    fits = Nuisances(np.array([1.0, 1.0]), np.array([2.0, 2.0]), np.array([0.5, 0.25]), np.array([0, 1]))
    g0, g1 = arm_scores([4.0, 3.0], [1, 0], fits)
    # row 1: q0 = 1 as it was treated, 2 + (4 - 2) / .5 = 6; row 2: 1 + (3 - 1) / .75 = 11 / 3, q1 = 2
    np.testing.assert_allclose(g0, [1.0, 11 / 3], rtol=1e-12)
    np.testing.assert_allclose(g1, [6.0, 2.0], rtol=1e-12)
    np.testing.assert_allclose(g1 - g0, psi([4.0, 3.0], [1, 0], fits.q0, fits.q1, fits.g), rtol=1e-12)


def test_a_cost_lessens_a_gain_and_adds_to_a_loss():
    g0, g1, treated = np.array([1.0, 1.0]), np.array([3.0, 3.0]), np.array([True, False])
    assert net_scores(g0, g1, treated, Decision(0.5)).tolist() == [2.5, 1.0]
    assert net_scores(g0, g1, treated, Decision(0.5, smaller_is_better=True)).tolist() == [3.5, 1.0]


def test_values_cover_the_true_ones():
    truth = {NONE: 10.0, ALL: 9.6, RULE: 10.3, LEARNED: 10.32}
    inside = dict.fromkeys(truth, 0)
    off = dict.fromkeys(truth, 0.0)
    runs = 25
    for seed in range(runs):
        made = policies(
            shop(800, seed), "t", "y", ["income"], decision=Decision(0.4, rules=(RULE,)), fitting=Fitting(seed=seed)
        )
        for v in made.values:
            inside[v.policy] += v.net.low <= truth[v.policy] <= v.net.high
            off[v.policy] += (v.net.value - truth[v.policy]) / runs
    assert min(inside.values()) >= runs - 5  # 5 misses of 25 at 95 %: 1 in 300
    assert max(map(abs, off.values())) < 0.07  # the error of a mean of 25 is about .1 / 5


def test_differences_are_paired_and_so_better_known_than_either_value():
    made = policies(shop(), "t", "y", ["income"], decision=Decision(rules=(RULE,)))
    by = {v.policy: v for v in made.values}
    d = next(d for d in made.differences if (d.first, d.second) == (NONE, RULE))
    assert d.net.value == pytest.approx(by[NONE].net.value - by[RULE].net.value, abs=1e-12)
    assert d.net.se < 0.8 * np.hypot(by[NONE].net.se, by[RULE].net.se)
    assert d.net.high < 0  # the rule is worth half a unit more
    assert len(made.differences) == 6
    assert made.best.policy in (RULE, LEARNED)
    everyone = next(d for d in made.differences if (d.first, d.second) == (ALL, NONE))
    assert everyone.net.value == pytest.approx(made.effect.value, abs=1e-12)


def test_a_learned_rule_is_not_judged_on_the_rows_it_was_learned_from():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 5))
    t, y = rng.integers(0, 2, 400), rng.normal(size=400)  # no effect at all
    table = pd.DataFrame(x, columns=list("abcde")).assign(t=t, y=y)
    made = policies(table, "t", "y", list("abcde"), fitting=Fitting(nuisance="boosting"))
    gain = next(d for d in made.differences if (d.first, d.second) == (NONE, LEARNED))
    assert gain.net.low < 0 < gain.net.high
    # the same rows for both would have promised a gain of many standard errors
    fits = cross_fit(x, t, y, nuisance="boosting")
    scores = psi(y, t, fits.q0, fits.q1, fits.g)
    from sklearn.ensemble import HistGradientBoostingRegressor

    picked = HistGradientBoostingRegressor(random_state=0).fit(x, scores).predict(x) > 0
    promised, error = mean_and_error(np.where(picked, scores, 0.0))
    assert promised > 4 * error


def test_a_row_does_not_move_its_own_predicted_effect():
    table = shop(200)
    data = frame(table, "t", "y", ["income", "age"])
    fold = cross_fit(data.x, data.t, data.y).fold
    before = held_out_effects(data, fold, Fitting())
    row = int(np.flatnonzero(fold == 2)[0])
    moved = table.copy()
    moved.loc[row, "y"] += 1000.0
    after = held_out_effects(frame(moved, "t", "y", ["income", "age"]), fold, Fitting())
    np.testing.assert_array_equal(before[fold == 2], after[fold == 2])
    assert (before[fold != 2] != after[fold != 2]).all()


def test_predicted_effects_are_checked_against_estimates_without_them():
    made = policies(shop(), "t", "y", ["income"], effect_modifiers=["age"])
    assert [p.rows for p in made.parts] == [300] * 5
    predicted = [p.predicted for p in made.parts]
    assert predicted == sorted(predicted)
    assert predicted[0] < -1
    assert predicted[-1] > 1
    assert sum(p.effect.low <= p.predicted <= p.effect.high for p in made.parts) >= 4


def test_where_smaller_is_better_the_sign_turns():
    table = shop()
    table["y"] = -table["y"]
    loss = policies(table, "t", "y", ["income", "age"], decision=Decision(0.4, smaller_is_better=True))
    gain = policies(shop(), "t", "y", ["income", "age"], decision=Decision(0.4))
    for a, b in zip(loss.values, gain.values, strict=True):
        assert a.net.value == pytest.approx(-b.net.value, abs=1e-9)
    assert loss.best.policy == gain.best.policy == LEARNED


def test_rows_of_one_group_are_held_out_together_and_err_together():
    table = pd.concat([shop(500)] * 2, ignore_index=True)  # every row twice: no more is known than from one
    table["row"] = list(range(500)) * 2
    once = policies(shop(500), "t", "y", ["income"])
    grouped = policies(table, "t", "y", ["income"], fitting=Fitting(group="row"))
    blind = policies(table, "t", "y", ["income"])
    assert grouped.effect.se == pytest.approx(once.effect.se, rel=0.1)
    assert blind.effect.se < 0.8 * once.effect.se


def test_without_covariates_a_trial_is_read_as_a_trial():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"t": np.arange(200) % 2, "y": rng.normal(size=200)})
    made = policies(table, "t", "y")
    assert [v.policy for v in made.values] == [ALL, NONE]
    assert made.cate is None
    assert made.effect.value == pytest.approx(table.y[table.t == 1].mean() - table.y[table.t == 0].mean(), abs=1e-2)
    assert any("by chance" in note for note in made.notes)


def test_rows_with_gaps_are_left_out_and_counted():
    table = shop(300)
    table.loc[[3, 5], "income"] = np.nan
    table.loc[5, "age"] = np.nan
    made = policies(table, "t", "y", ["income"], decision=Decision(rules=(RULE,)))
    assert made.n == 298
    assert made.notes[0].startswith("2 of 300 rows are left out, for they have gaps (2 in income, 1 in age)")
    assert made.values == policies(table.dropna(), "t", "y", ["income"], decision=Decision(rules=(RULE,))).values
    with pytest.raises(DataError, match="every row has a gap"):
        policies(table.assign(age=np.nan), "t", "y", ["income", "age"])


def test_what_the_data_never_show_is_said():
    table = shop(600)
    table["t"] = (table["income"] > 0).astype(int)  # no overlap
    made = policies(table, "t", "y", ["income"], decision=Decision(rules=("income > 0", "age > 100")))
    assert not made.overlap.ok
    by = {v.policy: v for v in made.values}
    assert by["income > 0"].unseen < 0.05  # what was done anyway
    assert by[ALL].unseen > 0.3
    assert any(note.startswith("Bad:") for note in made.notes)
    assert any("`age > 100` treats no row" in note for note in made.notes)


@pytest.mark.parametrize(
    ("decision", "error", "says"),
    [
        (Decision(-1.0), RecipeError, "cost=-1.0 is no cost"),
        (Decision(float("nan")), RecipeError, "no cost"),
        (Decision(rules=("y > 3",)), DataError, "reads the outcome"),
        (Decision(rules=("t == 1",)), DataError, "reads the treatment"),
        (Decision(rules=("agee > 3",)), UnknownName, "Nearest: age"),
    ],
)
def test_mistakes_are_named(decision, error, says):
    with pytest.raises(error, match=says):
        policies(shop(60), "t", "y", ["income"], decision=decision)
