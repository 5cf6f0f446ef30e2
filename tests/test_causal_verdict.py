"""The words of the verdict, at their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.edited import Mean
from rankwise.causal.sensitivity import Closing
from rankwise.causal.verdict import (
    DISAGREE,
    FEW_EDITS,
    IGNORED,
    NOT_EDITED,
    OFF_SUPPORT,
    SHORTCUT,
    SLIGHT,
    USED,
    agrees,
    judge,
)


def mean(value: float, se: float = 0.001, n: int = 100) -> Mean:
    return Mean(value, n, n, se, value - 2 * se, value + 2 * se)


def word(effect, explicit=None, legitimate=True, supported=True, gap=None):
    return judge(effect, explicit, legitimate=legitimate, supported=supported, gap=gap).word


@pytest.mark.parametrize(
    ("effect", "expected"),
    [(0.051, USED), (-0.051, USED), (0.05, SLIGHT), (0.02, SLIGHT), (0.0199, IGNORED), (0.0, IGNORED)],
)
def test_the_bounds_of_used_slight_and_ignored(effect, expected):
    assert word(mean(effect)) == expected


def test_an_effect_whose_interval_holds_nothing_is_slight():
    assert word(mean(0.3, se=0.2)) == SLIGHT


def test_a_shortcut_is_one_where_an_explicit_cue_is_given():
    assert word(mean(0.2), mean(0.06), legitimate=False) == SHORTCUT
    assert word(mean(0.2), mean(0.04), legitimate=False) == USED
    assert word(mean(0.2), None, legitimate=False) == USED
    assert word(mean(0.2), mean(0.06), legitimate=True) == USED


def test_no_overlap_takes_the_word_and_keeps_what_edits_say():
    verdict = judge(mean(0.2), None, legitimate=True, supported=False)
    assert (verdict.word, verdict.use, verdict.flagged) == (OFF_SUPPORT, USED, True)
    assert "edits say used" in verdict.sentence


def test_without_an_estimate_the_edits_decide():
    assert word(mean(0.2), supported=None) == USED


def test_without_an_edit_nothing_is_said_of_use():
    verdict = judge(None, None, legitimate=True, supported=True)
    assert (verdict.word, verdict.use, verdict.flagged) == (NOT_EDITED, None, False)


def test_few_edits_have_a_mean_and_no_word():
    verdict = judge(Mean(0.9, 19, 19, 0.01, 0.88, 0.92), None, legitimate=True, supported=True)
    assert (verdict.word, verdict.use) == (FEW_EDITS, None)
    assert "only 19" in verdict.sentence
    assert word(mean(0.9, n=20)) == USED
    assert "too few to tell either" in judge(mean(0.9, n=5), None, legitimate=True, supported=False).sentence


def test_three_errors_of_the_difference_are_still_agreement():
    assert agrees(mean(0.03, se=0.01)) is True
    assert agrees(mean(0.0301, se=0.01)) is False
    assert word(mean(0.2), gap=mean(-0.0301, se=0.01)) == DISAGREE


def test_a_rounding_is_no_disagreement():
    assert agrees(mean(0.004, se=1e-9)) is True


def test_few_edits_are_not_judged():
    assert agrees(mean(0.5, se=0.01, n=19)) is None
    assert agrees(None) is None
    assert word(mean(0.2), gap=mean(0.5, n=19)) == USED


def test_a_disagreement_names_what_closes_it():
    closes = Closing("trigger", -0.3, -0.01, (("trigger", -0.01),))
    said = judge(mean(-0.3), None, legitimate=True, supported=True, gap=mean(-0.3), closes=closes).sentence
    assert said == "the estimate is off by +0.300; trigger closes it most, to +0.010; edits say used"
    nothing = judge(mean(-0.3), None, legitimate=True, supported=True, gap=mean(-0.3)).sentence
    assert "no cue here tells" in nothing


@given(st.floats(-1, 1), st.floats(0, 1), st.booleans(), st.sampled_from([True, False, None]))
def test_a_verdict_that_is_not_flagged_is_what_edits_say(effect, se, legitimate, supported):
    verdict = judge(mean(effect, se), mean(effect, se), legitimate=legitimate, supported=supported)
    assert verdict.flagged or verdict.word == verdict.use
    assert (verdict.word == OFF_SUPPORT) == (supported is False)
