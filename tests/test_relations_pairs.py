"""Rows of questions: every pair once, its twins over its events, near pairs in one stretch and far ones in two."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.errors import AttachError, DataError, RecipeError
from rankwise.relations.pairs import MOST, Layout, Tokens, layout, rows
from rankwise.relations.schema import DOCUMENT_TIME, Document, Event
from tests import learn
from tests.words import SIGNS, Words

WORDS = Words(SIGNS)


def document(n, events, name="d"):
    """n words of three letters, w0 to wn; events on the words of these numbers."""
    text = " ".join(f"{i:03d}" for i in range(n))
    return Document(name, text, tuple(Event(f"e{i}", 4 * i, 4 * i + 3) for i in sorted(events)))


def all_pairs(data, most):
    """A document with at most so many events, the tokens of a block, and every pair both ways."""
    n = data.draw(st.integers(2, 90))
    events = data.draw(st.sets(st.integers(0, n - 1), min_size=2, max_size=most))
    d = document(n, events)
    return d, data.draw(st.integers(6, 20)), [(a.id, b.id) for a in d.events for b in d.events if a.id != b.id]


def lay(block=10, **fields):
    return Layout(WORDS, block, first=1, last=2, **fields)


def test_a_short_text_is_one_window_with_two_twins_a_pair():
    (row,) = rows(document(4, [0, 2, 3]), [("e0", "e2"), ("e3", "e0")], lay())
    text = (1, *WORDS.numbers("000 001 002 003"), 2)
    assert row.ids == (*text, text[1], text[3], text[4], text[1])
    assert row.positions == (0, 1, 2, 3, 4, 5, 1, 3, 4, 1)
    assert row.types == (0,) * 6 + (1,) * 4
    assert row.groups == (0,) * 6 + (1, 1, 2, 2)
    assert row.pairs == ((6, 7), (8, 9))
    assert row.meta == ("d", (("e0", "e2"), ("e3", "e0")))
    assert row.label is None


def test_the_documents_time_is_asked_about_at_the_first_token():
    (row,) = rows(document(3, [1]), [("e1", DOCUMENT_TIME)], lay())
    assert row.positions[-2:] == (2, 0)
    assert row.ids[-1] == 1


def test_a_far_pair_gets_both_places_and_a_separator_between():
    (row,) = rows(document(100, [3, 90]), [("e3", "e90")], lay(block=10))
    assert len(row) == 1 + 10 + 1 + 10 + 1 + 2
    assert row.ids[11] == 2
    numbers = WORDS.numbers("003 090")
    assert row.ids[-2:] == tuple(numbers)


def test_pairs_of_one_stretch_share_a_row_and_labels_follow_them():
    d = document(60, [0, 4, 30, 33, 35])
    asked = [("e30", "e35"), ("e0", "e4"), ("e33", "e35")]
    found = rows(d, asked, lay(), {pair: at for at, pair in enumerate(asked)})
    assert sorted(row.meta[1] for row in found) == [(("e0", "e4"),), (("e30", "e35"), ("e33", "e35"))]
    assert sorted(row.label for row in found) == [(0, 2), (1,)]


def test_more_pairs_than_a_row_holds_make_another_row():
    d = document(20, range(12))
    asked = [(f"e{i}", f"e{j}") for i in range(12) for j in range(i)]
    assert [len(r.pairs) for r in rows(d, asked, lay())] == [MOST, 66 - MOST]


def test_a_base_without_a_second_type_and_with_shifted_positions():
    (row,) = rows(document(3, [0, 1]), [("e0", "e1")], lay(types=False, offset=2))
    assert row.types is None
    assert row.positions == (2, 3, 4, 5, 6, 3, 4)


@settings(max_examples=60)
@given(st.data())
def test_every_pair_is_asked_once_and_both_twins_are_copies_of_their_events(data):
    d, block, asked = all_pairs(data, most=12)
    found = rows(d, asked, lay(block))
    seen = [pair for row in found for pair in row.meta[1]]
    assert sorted(seen) == sorted(asked)
    tokens = Tokens(d, lay(block))
    for row in found:
        assert len(row) - 2 * len(row.pairs) <= 2 * block + 3
        for pair, twins in zip(row.meta[1], row.pairs, strict=True):
            for end, twin in zip(pair, twins, strict=True):
                number = tokens.ids[int(end[1:])]
                assert row.ids[twin] == number  # words are all different, so this is the event's own token
                assert row.ids[row.positions[twin]] == number
                assert row.groups[row.positions[twin]] == 0


AT, HASH = WORDS.numbers("@ #")


def solid(block=16):
    return lay(block, types=False, marks=(AT, HASH))


def test_solid_markers_stand_around_the_ends_the_earlier_ones_first():
    found = rows(document(6, [1, 4]), [("e4", "e1")], solid(), {("e4", "e1"): 7})
    (row,) = found
    assert row.ids == (1, *WORDS.numbers("000 @ 001 @ 002 003 # 004 # 005"), 2)
    assert row.pairs == ((7, 2),)  # in the order asked
    assert (row.label, row.meta) == ((7,), ("d", (("e4", "e1"),)))
    assert row.types is row.groups is row.positions is None


def test_solid_markers_read_so_much_around_a_pair_and_a_far_one_in_two_stretches():
    near, far = rows(document(100, [40, 50, 90]), [("e40", "e50"), ("e40", "e90")], solid(block=16))
    context = solid(block=16).context
    assert context == 6
    words = [f"{i:03d}" for i in range(40 - context, 51 + context)]
    assert [i for i in near.ids if i not in (1, 2, AT, HASH)] == WORDS.numbers(" ".join(words))
    assert far.ids.count(2) == 2
    assert [i for i in far.ids if i not in (1, 2, AT, HASH)] == WORDS.numbers(
        " ".join(f"{i:03d}" for start in (34, 84) for i in range(start, start + 16))
    )


def test_solid_markers_nest_where_events_overlap_and_the_documents_time_is_the_first_token():
    d = Document("d", "000 001 002", (Event("a", 0, 11), Event("b", 4, 7)))
    both, own = rows(d, [("a", "b"), ("b", DOCUMENT_TIME)], solid())
    assert both.ids == (1, *WORDS.numbers("@ 000 # 001 # 002 @"), 2)
    assert both.pairs == ((1, 3),)
    assert own.ids == (1, *WORDS.numbers("000 @ 001 @ 002"), 2)
    assert own.pairs == ((2, 0),)


@settings(max_examples=60)
@given(st.data())
def test_every_solid_pair_is_a_row_with_four_markers_its_words_behind_the_opening_ones(data):
    d, block, asked = all_pairs(data, most=8)
    found = rows(d, asked, solid(block))
    assert [row.meta[1] for row in found] == [(pair,) for pair in asked]
    for row in found:
        assert len(row) <= 2 * block + 3 + 4
        assert (row.ids.count(AT), row.ids.count(HASH)) == (2, 2)
        for end, at in zip(row.meta[1][0], row.pairs[0], strict=True):
            assert row.ids[at] in (AT, HASH)
            assert row.ids[at + 1] == WORDS.numbers(f"{int(end[1:]):03d}")[0]


def test_an_empty_text_and_an_unknown_end_are_refused():
    with pytest.raises(DataError, match="no tokens"):
        rows(Document("empty", " "), [], lay())
    for made in (lay(), solid()):
        with pytest.raises(KeyError, match="e9"):
            rows(document(3, [0]), [("e0", "e9")], made)


def test_the_layout_of_a_base():
    made = layout(learn.bert(max_position_embeddings=64), WORDS, window=24)
    assert (made.block, made.offset, made.types) == (10, 0, True)
    assert layout(learn.bert(max_position_embeddings=64), WORDS, 24, "solid").marks == (AT, HASH)
    with pytest.raises(AttachError, match="lacks @ or #"):
        layout(learn.bert(max_position_embeddings=64), Words(), 24, "solid")
    with pytest.raises(RecipeError, match=r"(?s)soild.*levitated or solid"):
        layout(learn.bert(max_position_embeddings=64), WORDS, 24, "soild")
    with pytest.raises(DataError, match="window=9999 tokens: this base reads 16 to"):
        layout(learn.bert(max_position_embeddings=64), WORDS, window=9999)
    with pytest.raises(AttachError, match="takes no position numbers"):
        layout(torch.nn.Linear(2, 2), WORDS)
