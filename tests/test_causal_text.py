"""Texts as common causes: effects that are known, texts that tell too much, and input that is refused."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from rankwise.causal.estimators import beside
from rankwise.causal.text import BY_ANSWERS, BY_TEXT, stand_ins, text_effect
from rankwise.causal.text_how import NUMBERS
from rankwise.causal.text_report import share
from rankwise.errors import DataError, RecipeError, UnknownName
from tests.texts import EFFECT, table, with_answers

BAG = {"method": "bag", "refuters": ()}


@pytest.fixture(scope="module")
def found():
    return text_effect(table(500), "t", "y", "review", method="bag", simulations=3)


def test_what_the_text_tells_is_adjusted_for(found):
    assert found.naive.low is not None
    assert found.naive.low > EFFECT + 0.3  # naive: 1 + 2 * (.7 - .3) = 1.8
    assert found.ate == pytest.approx(EFFECT, abs=3 * found.se)
    assert found.se < 0.1
    assert found.ci[0] < found.ate < found.ci[1]
    assert found.read.by == BY_TEXT
    assert found.overlap.ok
    assert found.read.explained > 0.7  # of the variance within the arms, 4 * .21 / (4 * .21 + .25) = .77


def test_dowhy_and_its_refuters_run_on_the_numbers_of_the_text(found):
    assert found.dowhy.ate == pytest.approx(found.ate, abs=0.05)
    assert set(NUMBERS) <= set(found.dowhy.way.adjust)
    by_name = {r.name: r for r in found.refuters}
    assert {"placebo", "random common cause", "subset", "bootstrap", "dummy outcome"} <= set(by_name)
    assert all(r.passed is not False for r in found.refuters), [r for r in found.refuters if r.passed is False]
    assert abs(by_name["placebo"].new) < 0.15
    assert [e.name for e in found.estimators][:2] == ["AIPW on the text", "difference of means"]


def test_an_unseen_cause_is_compared_with_the_whole_text(found):
    said = next(r.sentence for r in found.refuters if r.name == "unobserved common cause")
    assert "as strong as the text, the strongest in the table" in said
    without = float(said.split("leaving the text out gives ")[1].split(")")[0])
    assert without == pytest.approx(found.naive.ate, abs=0.05)


def test_a_node_for_the_document_would_give_the_naive_answer_without_a_word(found):
    data = table(500)[["t", "y"]].assign(doc=np.arange(500))
    regression = next(e for e in beside(data, "t", "y", ["doc"]) if e.name == "linear regression")
    assert regression.ate == pytest.approx(found.naive.ate, abs=0.03)
    assert regression.ate > EFFECT + 0.5


def test_outcomes_of_0_and_1():
    made = text_effect(with_answers(table(900)), "t", "y", "review", **BAG)
    assert made.ate == pytest.approx(0.3, abs=3 * made.se)
    assert made.naive.ate > 0.3 + 0.1  # naive: .3 + .4 * .4
    assert made.read.nuisances.q1.min() >= 0
    assert made.read.nuisances.q1.max() <= 1


def test_a_text_that_tells_the_treatment_is_replaced_by_the_outcomes_that_it_makes_expected():
    made = text_effect(table(600, told=True), "t", "y", "review", **BAG)
    assert not made.read.text_overlap.ok
    assert made.read.by == BY_ANSWERS
    assert made.overlap.ok
    assert made.ate == pytest.approx(EFFECT, abs=3 * made.se)
    assert any("tells the treatment too well" in note for note in made.notes)
    assert NUMBERS[2] not in stand_ins(made)  # its propensity would bring the failing overlap back


def graded(n):
    """0 to 6 good words, and treated are those with 3 or more: what makes the outcome makes the treatment."""
    made, rng = table(n), np.random.default_rng(2)
    good = rng.integers(0, 7, n)
    names = ["good", "warm", "kind", "true", "deep", "bold"]
    made["review"] = [" ".join([*rng.permutation(names)[:k], made["review"][i][5:]]) for i, k in enumerate(good)]
    made["t"] = (good >= 3).astype(int)
    made["y"] = made["t"] + good + 0.2 * rng.normal(size=n)
    return made


def test_where_even_the_expected_outcomes_have_no_counterpart_no_average_is_told():
    made = text_effect(graded(500), "t", "y", "review", method="bag", simulations=2)
    assert made.ate is None
    assert made.se is None
    assert made.ci is None
    assert not made.overlap.ok
    assert any("no average effect" in note for note in made.notes)
    assert made.dowhy.ate is None
    assert made.refuters == ()
    assert made.estimators[-1].name == "difference of means"


def test_a_covariate_beside_the_text_is_adjusted_for():
    made = table(600)
    hidden = np.random.default_rng(3).normal(size=600)
    made["age"] = hidden
    made["t"] = (np.random.default_rng(4).random(600) < 1 / (1 + np.exp(-hidden - made["liked"] + 0.5))).astype(int)
    made["y"] = made["t"] + 2 * made["liked"] + 2 * hidden + 0.5 * np.random.default_rng(5).normal(size=600)
    without = text_effect(made, "t", "y", "review", **BAG)
    adjusted = text_effect(made, "t", "y", "review", covariates=["age"], **BAG)
    assert without.ate > EFFECT + 0.5
    assert adjusted.ate == pytest.approx(EFFECT, abs=3 * adjusted.se)


def test_rows_of_equal_text_are_held_out_together():
    made = table(200, words=8)
    twice = made.loc[made.index.repeat(4)].reset_index(drop=True)
    seen = text_effect(twice, "t", "y", "review", **BAG)
    for _, rows in twice.groupby("review").groups.items():
        assert len(set(seen.read.nuisances.fold[list(rows)])) == 1
    alone = text_effect(twice.assign(id=range(800)), "t", "y", "review", **BAG | {"group": "id"})
    assert seen.se > 1.5 * alone.se  # four copies of a row are no four rows


def test_the_effect_of_a_part_of_the_rows_and_of_quarters_by_predicted_effect(found):
    made = table(500)
    ate, se = found.where(np.ones(500, dtype=bool))
    assert ate == pytest.approx(found.ate)
    assert se == pytest.approx(found.se, rel=0.5)  # the one takes the models as given, the other fits them anew
    liked, _ = found.where(made["liked"] == 1)
    other, _ = found.where(made["liked"] == 0)
    share = made["liked"].mean()
    assert share * liked + (1 - share) * other == pytest.approx(found.ate)
    assert sum(p.n for p in found.parts) == 500
    assert [p.predicted for p in found.parts] == sorted(p.predicted for p in found.parts)
    with pytest.raises(DataError, match="the mask has 3 rows, and 500 were used"):
        found.where([True, False, True])


def test_an_effect_that_the_text_moves_is_told_by_its_quarters():
    made = table(800, noise=0.3)
    made["y"] += 2 * made["t"] * made["liked"]  # 1 for the disliked, 3 for the liked
    parts = text_effect(made, "t", "y", "review", **BAG).parts
    assert parts[0].low < 1 < parts[0].high
    assert parts[-1].low < 3 < parts[-1].high


def test_the_same_seed_gives_the_same_bits_and_the_table_stays_as_it_was():
    made = table(120)
    before = made.copy()
    one, two = (text_effect(made, "t", "y", "review", **BAG) for _ in range(2))
    assert (one.ate, one.se) == (two.ate, two.se)
    assert made.equals(before)


def test_errors_are_by_blocks_up_to_a_thousand_rows_unless_told_otherwise(found):
    assert found.blocks == 20
    half = (found.ci[1] - found.ci[0]) / 2
    assert half == pytest.approx(2.093024 * found.se, rel=1e-6)  # t of 19 degrees of freedom
    assert (found.estimators[0].low, found.estimators[0].high) == found.ci
    given = text_effect(table(500), "t", "y", "review", **BAG, blocks=0)
    assert given.blocks == 0
    assert given.ate == found.ate
    assert (given.ate, given.se) == pytest.approx(given.where(np.ones(500, dtype=bool)))
    assert text_effect(table(1_001), "t", "y", "review", **BAG).blocks == 0
    assert text_effect(table(60), "t", "y", "review", **BAG).blocks == 0  # fewer than two rows of an arm in a block


def test_rows_with_gaps_are_left_out_and_counted():
    made = table(200)
    made.loc[3, "review"] = "  "
    made.loc[4, "y"] = np.nan
    made.loc[5, "review"] = None
    seen = text_effect(made, "t", "y", "review", **BAG)
    assert seen.n == 197
    assert not {3, 4, 5} & set(seen.rows)
    assert "3 of 200 rows are left out" in seen.notes[0]


@pytest.mark.parametrize(
    ("change", "options", "error", "says"),
    [
        ({"review": 1.5}, {}, DataError, "'review' holds 1.5, which is no text"),
        ({"review": "all the same"}, {}, DataError, "holds one text in every row"),
        ({"t": 1}, {}, DataError, "the treatment 't' is 1 in every row"),
        ({"y": "word"}, {}, DataError, "the outcome 'y' holds words"),
        ({}, {"text": "revue"}, UnknownName, "Nearest: review"),
        ({}, {"text": "t"}, DataError, "'t' is named as the text and is the treatment"),
        ({}, {"treatment": "review"}, DataError, "'review' is named as the text and is the treatment"),
        ({}, {"covariates": ["review"]}, DataError, "'review' is named as the text and is a covariate"),
        ({}, {"method": "loora"}, RecipeError, "Nearest: lora. All: lora, sora, frozen, bag"),
        ({}, {"folds": 1}, RecipeError, "folds=1"),
        ({}, {"fold": 5}, UnknownName, "folds"),
        ({}, {"blocks": 3}, RecipeError, r"blocks=3 tell no error.\n  At least 10, or 0"),
        ({}, {"blocks": 50}, RecipeError, r"blocks=50 for 2. rows of one arm.\n  At most 1., or 0"),
        ({"text_q0": 1.0}, {"covariates": ["text_q0"]}, DataError, "rename it"),
        ({"review": None}, {}, DataError, "every row has a gap"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_remedy(change, options, error, says):
    made = table(60).assign(**change)
    asked = {"treatment": "t", "outcome": "y", "text": "review"} | BAG | options
    with pytest.raises(error, match=says):
        text_effect(made, **asked)


def test_a_boolean_treatment_is_as_good_as_0_and_1():
    made = table(200)
    plain, cast = (text_effect(d, "t", "y", "review", **BAG) for d in (made, made.assign(t=made["t"].astype(bool))))
    assert plain.ate == cast.ate


def test_no_warning_reaches_the_user(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text_effect(table(120), "t", "y", "review", method="bag", simulations=2, refuters=("placebo", "bootstrap"))
    assert capfd.readouterr() == ("", "")


def test_settings_are_kept_with_the_result(found):
    assert found.how == replace(found.how, method="bag", simulations=3)
    assert found.n == 500


def test_a_text_that_predicts_worse_than_the_mean_tells_none_of_the_variance():
    assert [share(x) for x in (-0.02, 0.001, 0.734)] == ["none", "none", "73%"]
