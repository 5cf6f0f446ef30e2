"""Cases as a table, and what of it is held fixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rankwise.causal.cue_table import DISTANCE, adjust, moved_along, read_cues, table_of
from rankwise.causal.edited import edits
from rankwise.causal.narratives import CUES, NAMES, generate
from rankwise.errors import DataError

CASES = generate(60, seed=1, lacking={"tense": 0.4})
TABLE = table_of(CASES, CUES, np.zeros(60))
ALL = np.arange(60)


def test_a_cue_that_is_not_there_is_nan():
    assert np.isnan(TABLE.of("tense")).mean() == pytest.approx(0.4, abs=0.2)
    assert set(TABLE.of("order").tolist()) == {0.0, 1.0}


def test_two_cues_of_one_name_are_refused():
    with pytest.raises(DataError, match="two cues are called 'order'"):
        read_cues(CASES, [CUES[1], CUES[1]])


def test_a_cue_of_three_values_is_refused():
    with pytest.raises(DataError, match="the cue odd is 2"):
        read_cues(CASES, [replace(CUES[0], name="odd", get=lambda plot, place: 2)])


def test_the_cue_itself_is_never_held_fixed():
    fixed = adjust(TABLE, ALL, "order")
    assert "order" not in fixed.factors
    assert {"connective", "tense", "trigger", "distance", "signal"} <= set(fixed.factors)


def test_a_cue_that_some_texts_lack_is_two_columns():
    fixed = adjust(TABLE, ALL, "order")
    value, missing = fixed.x[:, fixed.factors["tense"]].T
    assert set(value.tolist()) == {-0.5, 0.0, 0.5}
    assert ((value == 0) == (missing == 1)).all()
    assert len(fixed.factors["signal"]) == 1


def test_styles_are_columns_less_one():
    assert len(adjust(TABLE, ALL, "order").factors["style"]) == 3


def test_styles_of_few_cases_share_the_base():
    table = replace(TABLE, styles=np.array(["many"] * 55 + ["few"] * 5))
    assert len(adjust(table, ALL, "order").factors["style"]) == 1


def test_styles_that_are_all_rare_have_no_column():
    table = replace(TABLE, styles=np.array([f"source {i // 5}" for i in range(60)]))
    assert "style" not in adjust(table, ALL, "order").factors


def test_what_one_column_says_no_second_says_again():
    assert DISTANCE not in adjust(TABLE, ALL, "order").factors  # a filler or none is near or far


def test_leaving_a_factor_out_keeps_the_columns_of_the_others():
    fixed = adjust(TABLE, ALL, "order")
    less = fixed.without("tense")
    assert less.x.shape[1] == fixed.x.shape[1] - 2
    assert "tense" not in less.factors
    for name, columns in less.factors.items():
        assert (less.x[:, columns] == fixed.x[:, fixed.factors[name]]).all()


def test_what_an_edit_moves_is_a_part_of_the_cue():
    cue = CUES[NAMES.index("distance")]
    made = edits(CASES, cue, TABLE.of("distance"))
    assert moved_along(CASES, cue, CUES, made) == {DISTANCE}
    assert moved_along(CASES, CUES[0], CUES, edits(CASES, CUES[0], TABLE.of("connective"))) == set()
