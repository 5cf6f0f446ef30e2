"""Means by document, real edits and asking."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rankwise.causal.edited import ask, edits, mean_of
from rankwise.causal.narratives import CUES, generate
from rankwise.errors import DataError

CASES = generate(12, seed=3)


def test_mean_of_two_documents_by_hand():
    found = mean_of([1.0, 3.0], ["a", "b"])
    assert found is not None
    assert (found.value, found.n, found.documents) == (2.0, 2, 2)
    assert found.se == pytest.approx(1.0)  # sd sqrt(2) over sqrt(2)
    assert found.high == pytest.approx(2 + 12.706204736)  # t with one degree of freedom
    assert not found.clear


def test_rows_of_one_document_count_as_one_draw():
    once = mean_of([1.0, 3.0, 5.0], ["a", "b", "c"])
    thrice = mean_of([1.0, 3.0, 5.0] * 3, ["a", "b", "c"] * 3)
    assert once is not None
    assert thrice is not None
    assert thrice.se == pytest.approx(once.se)
    assert thrice.n == 9


def test_one_document_has_a_mean_and_no_interval():
    found = mean_of([0.5, 0.7], ["a", "a"])
    assert found is not None
    assert found.value == pytest.approx(0.6)
    assert found.low is None
    assert not found.clear


def test_nothing_has_no_mean():
    assert mean_of([], []) is None


def test_every_case_with_the_cue_is_set_both_ways():
    cue = CUES[0]
    made = edits(CASES, cue, np.array([cue.value(c) for c in CASES], dtype=float))
    assert [cue.value(c) for c in made.on] == [1] * 12
    assert [cue.value(c) for c in made.off] == [0] * 12
    assert made.have == 12
    assert made.skipped == {}


def test_cases_without_certain_edits_are_counted_by_reason():
    class Stubborn:
        name, legitimate = "stubborn", True

        def value(self, case):
            return 1

        def edit(self, case, value):
            return case if value == 1 else None

        def attempt(self, case, value):
            return "it is stubborn"

    class Silent(Stubborn):
        attempt = None

    assert edits(CASES, Stubborn(), np.ones(12)).skipped == {"it is stubborn": 12}
    made = edits(CASES, Silent(), np.array([1.0] * 11 + [math.nan]))
    assert made.skipped == {"not certain": 11}
    assert made.have == 11


def test_equal_texts_are_asked_about_once():
    seen = []

    def reader(cases):
        seen.extend(cases)
        return np.linspace(0, 1, len(cases))

    first, second = ask(reader, CASES, CASES[::-1])
    assert len(seen) == 12
    assert first.tolist() == second[::-1].tolist()


@pytest.mark.parametrize("answers", [np.zeros(3), np.full(12, 1.2), np.full(12, np.nan), np.zeros((12, 2))])
def test_answers_that_are_no_probabilities_are_refused(answers):
    with pytest.raises(DataError, match="the reader"):
        ask(lambda cases: answers, CASES)
