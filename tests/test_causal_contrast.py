"""Contrast pairs by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rankwise.causal.contrast import Turned, contrast
from rankwise.causal.narratives import generate

CASES = [replace(c, label=None) for c in generate(4, seed=5)]


def turned(on, off):
    return [Turned("connective", np.arange(4), np.array(on), np.array(off))]


def test_a_reader_that_never_looks_is_right_about_half_of_the_texts_and_of_no_pair():
    found = contrast(CASES, np.array([[1], [1], [0], [0]]), turned([0.9] * 4, [0.9] * 4))
    assert (found.original.value, found.turned.value, found.both.value) == (0.5, 0.5, 0.0)


def test_right_about_both_is_counted_by_pair():
    found = contrast(CASES, np.array([[1], [1], [0], [0]]), turned([0.9, 0.9, 0.2, 0.9], [0.1, 0.6, 0.1, 0.4]))
    assert (found.original.value, found.turned.value, found.both.value) == (1.0, 0.5, 0.5)


def test_a_case_that_its_label_decides_otherwise_is_left_out():
    cases = [replace(CASES[0], label="AFTER"), replace(CASES[1], label="BEFORE"), *CASES[2:]]
    found = contrast(cases, np.array([[1], [1], [0], [0]]), turned([0.9] * 4, [0.1] * 4))
    assert found.both.n == 3


def test_no_deciding_cue_makes_no_pairs():
    assert contrast(CASES, np.empty((4, 0)), []) is None


def test_all_right_is_not_certain_and_the_interval_is_exact_over_documents():
    found = contrast(CASES, np.array([[1], [1], [0], [0]]), turned([0.9] * 4, [0.1] * 4))
    assert (found.both.value, found.both.documents, found.both.high) == (1.0, 4, 1.0)
    assert abs(found.both.low - 0.025 ** (1 / 4)) < 1e-12  # Clopper-Pearson of 4 of 4
