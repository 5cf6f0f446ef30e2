"""Batches of like length, and the tensors of one batch, against numbers worked out by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rankwise.errors import DataError, RecipeError, UnknownName
from rankwise.train.data import Example, batches, buckets, collate, padding_waste
from tests import learn

LENGTHS = st.lists(st.integers(0, 60), max_size=120)


@given(lengths=LENGTHS, budget=st.integers(1, 200), seed=st.integers(0, 9), shuffle=st.booleans())
def test_every_row_is_in_one_batch_and_no_batch_is_over_the_budget(lengths, budget, seed, shuffle):
    groups = buckets(lengths, budget, seed=seed, shuffle=shuffle)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(lengths[i] for i in group) <= budget


@given(lengths=LENGTHS, rows=st.integers(1, 40), epoch=st.integers(0, 3), window=st.integers(1, 5))
def test_batches_of_so_many_rows_leave_at_most_one_short_batch(lengths, rows, epoch, window):
    groups = batches(lengths, rows=rows, epoch=epoch, window=window)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    assert sum(len(group) < rows for group in groups) <= 1
    assert len(groups) == -(-len(lengths) // rows)


@given(lengths=LENGTHS, rows=st.integers(1, 10), tokens=st.integers(1, 200))
def test_both_limits_hold_together(lengths, rows, tokens):
    for group in batches(lengths, rows=rows, tokens=tokens):
        assert len(group) <= rows
        assert len(group) == 1 or len(group) * max(lengths[i] for i in group) <= tokens


def test_without_shuffling_the_longest_rows_come_first():
    # 10 tokens: 7 alone (7 * 2 > 10); then 5, 4 (5 * 2 = 10); then 2, 1 (2 * 2 <= 10)
    assert batches([2, 7, 4, 1, 5], tokens=10, shuffle=False) == [[1], [4, 2], [0, 3]]


def test_a_row_longer_than_the_budget_is_a_batch_of_its_own():
    assert batches([30, 2, 2], tokens=4, shuffle=False) == [[0], [1, 2]]


def test_the_order_is_the_same_for_one_seed_and_epoch_and_another_for_others():
    lengths = [i % 17 + 1 for i in range(200)]
    first = batches(lengths, rows=8, seed=3, epoch=1)
    assert first == batches(lengths, rows=8, seed=3, epoch=1)
    assert first != batches(lengths, rows=8, seed=3, epoch=2)
    assert first != batches(lengths, rows=8, seed=4, epoch=1)


def test_rows_meet_other_rows_in_the_next_epoch():
    lengths = [i % 17 + 1 for i in range(1000)]
    together = [{frozenset(group) for group in batches(lengths, rows=8, epoch=e, window=5)} for e in (0, 1)]
    assert not together[0] & together[1]


def test_long_batches_are_not_all_at_one_end_of_the_epoch():
    lengths = [i % 50 + 1 for i in range(800)]  # one window of 50 batches
    longest = [max(lengths[i] for i in group) for group in batches(lengths, rows=16)]
    half = len(longest) // 2
    assert abs(sum(longest[:half]) - sum(longest[half:])) / sum(longest) < 0.25


def test_padding_waste_by_hand():
    # batch 1: 2 rows of 4 = 8 tokens, 4 + 1 real; batch 2: 1 row of 3; so 8 real of 11
    assert padding_waste([4, 1, 3], [[0, 1], [2]]) == pytest.approx(3 / 11, abs=1e-15)
    assert padding_waste([], []) == 0.0


def test_sorting_inside_windows_saves_most_of_the_padding():
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(5, 60, (3200,), generator=generator).tolist()
    plain = [list(range(i, i + 32)) for i in range(0, 3200, 32)]
    assert padding_waste(lengths, plain) > 0.4
    assert padding_waste(lengths, batches(lengths, rows=32)) < 0.05


@pytest.mark.parametrize("wrong", [{}, {"rows": 0}, {"tokens": 0}, {"rows": 4, "window": 0}])
def test_a_batch_without_a_size_is_refused(wrong):
    with pytest.raises(RecipeError):
        batches([1, 2], **wrong)


def test_a_batch_is_padded_on_the_right():
    out = collate([Example((5, 6, 7), 1), Example((8,), 0)], pad_id=9)
    assert out["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert out["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert out["labels"].tolist() == [1, 0]
    assert out["labels"].dtype == torch.long
    assert "token_type_ids" not in out


def test_the_width_can_be_rounded_up():
    assert collate([Example((1, 2, 3))], pad_id=0, multiple=8)["input_ids"].shape == (1, 8)
    assert collate([Example((1,) * 8)], pad_id=0, multiple=8)["input_ids"].shape == (1, 8)


def test_pairs_keep_their_token_types():
    out = collate([Example((1, 2, 3), types=(0, 0, 1)), Example((4, 5), types=(0, 1))], pad_id=0)
    assert out["token_type_ids"].tolist() == [[0, 0, 1], [0, 1, 0]]
    assert "labels" not in out


@pytest.mark.parametrize(
    ("kind", "labels", "dtype", "want"),
    [
        ("single", [2, 0], torch.long, [2, 0]),
        ("multi", [(1, 0, 1), (0, 0, 0)], torch.float32, [[1, 0, 1], [0, 0, 0]]),
        ("regression", [0.5, 2], torch.float32, [0.5, 2.0]),
        ("tokens", [(1, 2), (-100,)], torch.long, [[1, 2], [-100, -100]]),
    ],
)
def test_labels_have_the_type_that_the_head_needs(kind, labels, dtype, want):
    out = collate([Example((5, 6), labels[0]), Example((7,), labels[1])], pad_id=0, kind=kind)
    assert out["labels"].dtype == dtype
    assert out["labels"].tolist() == want


def test_span_pairs_are_positions_of_two_spans():
    out = collate([Example((1, 2, 3, 4), 1, spans=((0, 1), (2, 4)))], pad_id=0, kind="spans")
    assert out["spans"].tolist() == [[[0, 1], [2, 4]]]
    assert out["spans"].dtype == torch.long
    assert out["labels"].tolist() == [1]


@pytest.mark.parametrize("spans", [None, ((0, 1), (2, 9)), ((1, 0), (0, 1)), ((-1, 0), (0, 1))])
def test_spans_outside_the_row_are_refused(spans):
    with pytest.raises(DataError, match="Row 0 of this batch has spans"):
        collate([Example((1, 2, 3), 1, spans=spans)], pad_id=0, kind="spans")


def test_rows_with_and_without_labels_do_not_mix():
    with pytest.raises(DataError, match="Row 1 of this batch has no label"):
        collate([Example((1,), 0), Example((2,))], pad_id=0)


def test_one_label_for_each_token():
    with pytest.raises(DataError, match="Row 0 of this batch has 1 values of label for 2 tokens"):
        collate([Example((1, 2), (0,))], pad_id=0, kind="tokens")


def test_multi_label_rows_need_equally_many_labels():
    with pytest.raises(DataError, match=r"\[1, 2\] labels"):
        collate([Example((1,), (0,)), Example((1,), (0, 1))], pad_id=0, kind="multi")


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(UnknownName, match="Nearest: single"):
        collate([Example((1,))], pad_id=0, kind="singel")


def test_no_rows_are_no_batch():
    assert batches([], rows=4) == []
    with pytest.raises(DataError):
        collate([], pad_id=0)


def test_pairs_are_padded_and_their_labels_are_masked():
    rows = [Example((1, 2, 3), (1, -100), pairs=((0, 1), (2, 0))), Example((4, 5), (0,), pairs=((1, 0),))]
    out = collate(rows, pad_id=0, kind="pairs")
    assert out["spans"].tolist() == [[[0, 1], [2, 0]], [[1, 0], [0, 0]]]
    assert out["labels"].tolist() == [[1, -100], [0, -100]]


@pytest.mark.parametrize(("pairs", "label"), [(None, None), ((), ()), (((0, 3),), (1,)), (((0, 1),), (1, 0))])
def test_pairs_outside_the_row_or_without_labels_are_refused(pairs, label):
    with pytest.raises(DataError, match="Row 0 of this batch has"):
        collate([Example((1, 2, 3), label, pairs=pairs)], pad_id=0, kind="pairs")


def test_a_group_sees_the_text_and_itself_and_nobody_sees_the_padding():
    rows = [
        Example((1, 2, 3, 4), 0, groups=(0, 0, 1, 2), positions=(0, 1, 0, 1)),
        Example((5,), 0, groups=(0,), positions=(0,)),
    ]
    out = collate(rows, pad_id=0)
    sees = [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 0, 1]]
    assert out["attention_mask"].shape == (2, 1, 4, 4)
    assert out["attention_mask"][0, 0].int().tolist() == sees
    assert out["attention_mask"][1, 0].int().tolist() == [[1, 0, 0, 0]] * 4
    assert out["position_ids"].tolist() == [[0, 1, 0, 1], [0, 0, 0, 0]]


def test_questions_in_groups_do_not_change_each_other_nor_the_text():
    """Two questions in one pass of a tiny BERT give what each gives alone, and the text what it gives without them."""
    model = learn.bert()
    text, ask = (5, 6, 7), [((5, 7), (0, 2)), ((6, 7), (1, 2))]

    def hidden(asked):
        tokens = [(t, p, 0) for p, t in enumerate(text)]
        tokens += [(t, p, k) for k, (ids, at) in enumerate(asked, 1) for t, p in zip(ids, at, strict=True)]
        ids, positions, groups = zip(*tokens, strict=True)
        batch = collate([Example(ids, positions=positions, groups=groups)], pad_id=0)
        with torch.no_grad():
            return model(**batch).last_hidden_state[0]

    both, first, second, alone = hidden(ask), hidden(ask[:1]), hidden(ask[1:]), hidden([])
    torch.testing.assert_close(both[:3], alone, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(both[3:5], first[3:], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(both[5:], second[3:], rtol=1e-12, atol=1e-12)
