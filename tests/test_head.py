"""Heads: pooling, logits, losses and answers, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from rankwise.core.head import KINDS, POOLINGS, Head, answers, apply, loss, pool, span_pairs, token_pairs
from rankwise.errors import RecipeError

# One row of three tokens, two wide; the third token is padding.
HIDDEN = torch.tensor([[[1.0, -2.0], [3.0, -4.0], [100.0, 100.0]]])
MASK = torch.tensor([[1, 1, 0]])


@pytest.mark.parametrize(
    ("pooling", "want"),
    [("mean", [2.0, -3.0]), ("cls", [1.0, -2.0]), ("max", [3.0, -2.0]), ("last", [3.0, -4.0])],
)
def test_pooling_by_hand(pooling, want):
    assert pool(HIDDEN, MASK, pooling).tolist() == [want]


def test_the_last_token_is_found_with_padding_on_the_left_too():
    assert pool(HIDDEN, torch.tensor([[0, 1, 1]]), "last").tolist() == [[100.0, 100.0]]
    assert pool(HIDDEN, torch.tensor([[1, 0, 0]]), "last").tolist() == [[1.0, -2.0]]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_padding_never_matters(pooling, dtype):
    hidden = HIDDEN.to(dtype)
    longer = torch.cat([hidden, torch.full((1, 4, 2), 7.0, dtype=dtype)], 1)
    assert torch.equal(pool(longer, torch.tensor([[1, 1, 0, 0, 0, 0, 0]]), pooling), pool(hidden, MASK, pooling))
    assert pool(hidden, MASK, pooling).dtype == dtype


def test_a_row_of_padding_alone_is_finite():
    assert pool(HIDDEN, torch.zeros(1, 3, dtype=torch.long), "mean").tolist() == [[0.0, 0.0]]


def test_span_pairs_by_hand():
    # span a = tokens 0..1: mean [2, -3]; span b = token 2: [100, 100]
    got = span_pairs(HIDDEN, torch.tensor([[[0, 2], [2, 3]]]))
    assert got.tolist() == [[2.0, -3.0, 100.0, 100.0, 200.0, -300.0, 98.0, 103.0]]
    empty = span_pairs(HIDDEN, torch.tensor([[[1, 1], [2, 3]]]))
    assert empty[0, :2].tolist() == [0.0, 0.0]  # no token, no NaN


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("single", (2, 3)),
        ("multi", (2, 3)),
        ("regression", (2,)),
        ("tokens", (2, 4, 3)),
        ("spans", (2, 3)),
        ("pairs", (2, 2, 3)),
    ],
)
@pytest.mark.parametrize("layers", [(), (6, 7)])
def test_the_logits_have_the_shape_that_the_table_says(kind, shape, layers):
    head = Head(kind, () if kind == "regression" else ("a", "b", "c"), hidden=5, layers=layers)
    weights = head.init(torch.Generator().manual_seed(0))
    assert len(weights) == 2 * (len(layers) + 1)
    spans = torch.tensor([[[0, 1], [2, 4]]] * 2)
    got = apply(head, weights, torch.randn(2, 4, 5), torch.ones(2, 4), spans % 4)
    assert got.shape == shape


def test_one_linear_layer_by_hand():
    head = Head("single", ("no", "yes"), hidden=2)
    weights = {"weight_0": torch.tensor([[1.0, 0.0], [1.0, -1.0]]), "bias_0": torch.tensor([0.5, 0.0])}
    # mean [2, -3]: 2 + 0.5, 2 + 3
    assert apply(head, weights, HIDDEN, MASK).tolist() == [[2.5, 5.0]]


def test_hidden_layers_are_tanh():
    head = Head("regression", (), hidden=2, pooling="cls", layers=(1,), center=10.0, spread=2.0)
    weights = {
        "weight_0": torch.tensor([[0.5, 0.0]]),
        "bias_0": torch.zeros(1),
        "weight_1": torch.tensor([[3.0]]),
        "bias_1": torch.tensor([1.0]),
    }
    want = 10 + 2 * (3 * math.tanh(0.5) + 1)
    torch.testing.assert_close(apply(head, weights, HIDDEN, MASK), torch.tensor([want]))


def test_the_start_is_uniform_with_zero_biases_and_seeded():
    head = Head("single", tuple("abcdefgh"), hidden=100)
    one, again = (head.init(torch.Generator().manual_seed(1)) for _ in range(2))
    assert one["weight_0"].shape == (8, 100)
    assert 0.09 < one["weight_0"].abs().max() <= 0.1  # 1 / sqrt(100)
    assert torch.count_nonzero(one["bias_0"]) == 0
    assert all(torch.equal(one[n], again[n]) for n in one)


def test_dropout_acts_in_training_alone():
    head = Head("single", ("a", "b"), hidden=2, dropout=0.5)
    weights = head.init(torch.Generator().manual_seed(0))
    still = apply(head, weights, HIDDEN, MASK)
    assert torch.equal(still, apply(head, weights, HIDDEN, MASK))
    torch.manual_seed(0)
    moving = {tuple(apply(head, weights, HIDDEN, MASK, training=True)[0].tolist()) for _ in range(20)}
    assert len(moving) > 1


def test_losses_by_hand():
    single, multi, number = Head("single", ("a", "b"), 2), Head("multi", ("a", "b"), 2), Head("regression", (), 2)
    zero = torch.zeros(1, 2)
    assert loss(single, zero, torch.tensor([1])).item() == pytest.approx(math.log(2))
    assert loss(multi, zero, torch.tensor([[1, 0]])).item() == pytest.approx(math.log(2))
    assert loss(number, torch.tensor([1.0, 4.0]), torch.tensor([1, 2])).item() == pytest.approx(2.0)  # (0 + 4) / 2
    spread = Head("regression", (), 2, center=50.0, spread=10.0)
    assert loss(spread, torch.tensor([70.0]), torch.tensor([50.0])).item() == pytest.approx(4.0)  # (20 / 10)^2


def test_tokens_without_a_label_do_not_count():
    head = Head("tokens", ("a", "b"), 2)
    logits = torch.tensor([[[2.0, 0.0], [0.0, 5.0], [9.0, 9.0]]])
    want = F.cross_entropy(logits[0, :1], torch.tensor([0]))
    torch.testing.assert_close(loss(head, logits, torch.tensor([[0, -100, -100]])), want)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_are_taken_in_float32(dtype):
    assert loss(Head("single", ("a", "b"), 2), torch.zeros(1, 2, dtype=dtype), torch.tensor([0])).dtype == torch.float32


def test_answers_by_hand():
    logits = torch.tensor([[0.5, -0.5], [-1.0, 2.0]])
    assert answers(Head("single", ("a", "b"), 2), logits).tolist() == [0, 1]
    assert answers(Head("multi", ("a", "b"), 2), logits).tolist() == [[1, 0], [0, 1]]
    assert answers(Head("regression", (), 2), logits[0]).tolist() == [0.5, -0.5]


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.integers(1, 4), st.lists(st.integers(1, 3), max_size=2))
def test_widths_follow_from_the_data(kind, labels, layers):
    head = Head(kind, tuple(map(str, range(labels))), hidden=3, layers=tuple(layers))
    weights = head.init(torch.Generator().manual_seed(0))
    assert weights["weight_0"].shape[1] == {"spans": 12, "pairs": 6}.get(kind, 3)
    assert len(weights[f"bias_{len(layers)}"]) == (1 if kind == "regression" else labels)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Head("singel", ("a",), 2), "head kind 'singel' is unknown"),
        (lambda: Head("single", ("a",), 2, pooling="sum"), "pooling 'sum' is unknown.\n  It is one of mean, cls"),
        (lambda: Head("single", (), 2), "needs at least one label"),
        (lambda: apply(Head("spans", ("a",), 2), {}, HIDDEN, MASK), r"needs spans \[batch, 2, 2\]"),
        (lambda: apply(Head("pairs", ("a",), 2), {}, HIDDEN, MASK), r"needs spans \[batch, pairs, 2\]"),
    ],
)
def test_a_head_that_cannot_be_says_why(build, message):
    with pytest.raises(RecipeError, match=message):
        build()


def test_pairs_are_the_two_tokens_side_by_side():
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    assert token_pairs(hidden, torch.tensor([[[2, 0], [1, 1]]])).tolist() == [[[5, 6, 1, 2], [3, 4, 3, 4]]]
