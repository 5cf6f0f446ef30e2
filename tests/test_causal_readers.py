"""Planted readers answer by their rule, and their effects are known without editing anything."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rankwise.causal.narratives import CUES, NAMES, Story
from rankwise.causal.readers import LogitReader, learnt, reads_only, sigmoid
from rankwise.errors import DataError, RecipeError, UnknownName

CASES = Story(confounding=0.5).draw(300, seed=1)
BY_NAME = {cue.name: cue for cue in CUES}


def by_editing(reader: LogitReader, name: str) -> float:
    ends = [[BY_NAME[name].edit(c, v) for c in CASES] for v in (0, 1)]
    low, high = ([c for c in end if c is not None] for end in ends)
    assert len(low) == len(high) == len(CASES)
    return float((reader(high) - reader(low)).mean())


def test_an_answer_is_worked_by_hand() -> None:
    case = next(c for c in CASES if BY_NAME["connective"].value(c) == 1 and BY_NAME["order"].value(c) == 0)
    reader = LogitReader({"connective": 2.0, "order": 0.5}, bias=0.25, together={("connective", "order"): 0.4})
    assert reader([case])[0] == pytest.approx(1 / (1 + math.exp(-(0.25 + 1.0 - 0.25 - 0.2))), abs=1e-15)


def test_a_reader_of_connectives_is_moved_by_nothing_else() -> None:
    reader = reads_only("connective")
    for name in NAMES:
        effect = by_editing(reader, name)
        assert effect == pytest.approx(math.tanh(1.5) if name == "connective" else 0.0, abs=1e-12), name


@pytest.mark.parametrize("name", NAMES)
def test_the_stated_effect_is_the_effect_of_editing(name: str) -> None:
    reader = LogitReader(
        {"connective": 2.0, "tense": -1.0, "distance": 0.5}, noise=0.7, seed=3, together={("order", "trigger"): 1.0}
    )
    assert reader.ace(name, CASES) == pytest.approx(by_editing(reader, name), abs=1e-12)
    assert abs(reader.ace("signal", CASES)) < 1e-12


def test_the_effect_over_all_stories_is_that_of_many_stories() -> None:
    story, reader = Story(confounding=0.5), LogitReader({"connective": 2.0, "order": 1.0}, noise=1.0)
    many = story.draw(4000, seed=2)
    for name in NAMES:
        exact = story.ace(name, reader.mean)
        assert reader.ace(name, many) == pytest.approx(exact, abs=0.006), name
    assert LogitReader({}, noise=2.0).mean({}) == pytest.approx(0.5, abs=1e-12)


def test_noise_belongs_to_the_document_and_not_to_its_words() -> None:
    reader = LogitReader({}, noise=1.0)
    edited = [c for case in CASES if (c := BY_NAME["order"].edit(case, 0))]
    assert np.array_equal(reader(edited), reader(CASES))
    assert reader(CASES).std() > 0.15
    assert not np.array_equal(reader(CASES), LogitReader({}, noise=1.0, seed=1)(CASES))


def test_what_is_learnt_is_what_drew_the_labels_and_nothing_from_permuted_ones() -> None:
    many = Story({"connective": 2.0, "tense": 1.0}).draw(4000, seed=5)
    learned, blind = learnt(many), learnt(many, permuted=1)
    assert learned.coefficients["connective"] == pytest.approx(2.0, abs=0.2)
    assert learned.coefficients["tense"] == pytest.approx(1.0, abs=0.2)
    assert max(abs(learned.coefficients[n]) for n in ("order", "trigger", "distance", "signal")) < 0.2
    assert max(map(abs, blind.coefficients.values())) < 0.2
    assert max(abs(by_editing(blind, n)) for n in NAMES) < 0.05


def test_separable_labels_leave_a_finite_reader() -> None:
    labels = [BY_NAME["order"].value(c) or 0 for c in CASES]
    reader = learnt(CASES, labels)
    assert 3 < reader.coefficients["order"] < 30
    assert np.array_equal(reader(CASES) > 0.5, np.array(labels) == 1)


def test_a_sigmoid_of_great_numbers_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_wrong_readers_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match=r"'connectiv' is no cue.\n  Nearest: connective"):
        LogitReader({"connectiv": 1.0})
    with pytest.raises(UnknownName, match=r"'orders'"):
        LogitReader({}, together={("tense", "orders"): 1.0})
    with pytest.raises(RecipeError, match=r"noise=-1"):
        LogitReader({}, noise=-1)
    with pytest.raises(DataError, match=r"2 labels for 300 cases"):
        learnt(CASES, [0, 1])
    unlabelled = BY_NAME["order"].edit(CASES[0], 1 - (BY_NAME["order"].value(CASES[0]) or 0))
    assert unlabelled is not None
    with pytest.raises(DataError, match=r"the label None"):
        learnt([unlabelled])
    assert math.isnan(LogitReader({"tense": 1.0}).ace("tense", []))
