"""Logits in words, with probabilities worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from rankwise.core.head import Head
from rankwise.errors import RecipeError
from rankwise.tasks.answers import in_words


def test_one_label_with_its_share():
    head = Head("single", ("no", "yes"), 4)
    (answer,) = in_words(head, [torch.tensor([0.0, math.log(3)])])  # shares 1/4 and 3/4
    assert answer.label == "yes"
    assert answer.probability == pytest.approx(0.75)
    assert answer.probabilities == pytest.approx({"no": 0.25, "yes": 0.75})


def test_several_labels_are_as_sure_as_the_least_sure_decision():
    head = Head("multi", ("a", "b", "c"), 4)
    (answer,) = in_words(head, [torch.tensor([math.log(3), -math.log(9), math.log(4)])])  # 0.75, 0.1, 0.8
    assert answer.label == ["a", "c"]
    assert answer.probability == pytest.approx(0.75)
    assert answer.probabilities == pytest.approx({"a": 0.75, "b": 0.1, "c": 0.8})


def test_a_number_has_no_probability():
    (answer,) = in_words(Head("regression", (), 4), [torch.tensor(2.5)])
    assert (answer.label, answer.probability, answer.probabilities) == (2.5, None, {})


def test_tokens_are_no_rows_of_a_table():
    with pytest.raises(RecipeError, match="'tokens' does not answer one row at a time"):
        in_words(Head("tokens", ("a",), 4), [torch.zeros(3, 1)])
