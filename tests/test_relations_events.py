"""Finding events: windows that judge each token once, labels by hand, whole words, and a tiny model that learns it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import rankwise as rw
from rankwise.methods import LoRA
from rankwise.relations import events
from rankwise.relations.pairs import Layout, Tokens
from rankwise.relations.schema import Document, Event
from rankwise.train.data import IGNORE
from rankwise.train.recipe import Recipe
from tests import learn
from tests.words import SIZE, Words

WORDS = Words()
LAY = Layout(WORDS, 6, first=1, last=2)


@given(n=st.integers(0, 200), size=st.integers(2, 40).map(lambda x: 2 * x))
def test_windows_judge_every_token_once_and_hold_what_they_judge(n, size):
    found = events._windows(n, size)
    judged = [at for _, _, low, high in found for at in range(low, high)]
    assert judged == list(range(n))
    for start, end, low, high in found:
        assert 0 <= start <= low <= high <= end <= n
        assert end - start <= size


def test_labels_by_hand_and_nothing_outside_what_was_annotated():
    text = "they met and left . they slept"
    marks = (Event("a", 5, 8), Event("b", 9, 17), Event("c", 25, 30))
    (row,) = events.rows(Document("d", text, marks, linked=(0, 19)), LAY, labelled=True)
    assert row.label == (IGNORE, 0, 1, 1, 2, 0, IGNORE, IGNORE, IGNORE)
    (whole,) = events.rows(Document("d", text, marks), LAY, labelled=True)
    assert whole.label == (IGNORE, 0, 1, 1, 2, 0, 0, 1, IGNORE)
    assert events.rows(Document("d", text, marks), LAY)[0].label is None


def test_a_long_text_is_judged_in_the_window_in_which_a_token_is_nearest_the_middle():
    text = " ".join(f"{i:03d}" for i in range(30))
    found = events.rows(Document("d", text, (Event("a", 80, 83),)), LAY, labelled=True)
    assert sum(label == 1 for row in found for label in row.label) == 1
    assert sum(label != IGNORE for row in found for label in row.label) == 30


@pytest.mark.parametrize(
    ("p", "spans"),
    [
        ([[0.9, 0.1, 0], [0.1, 0.9, 0], [0.9, 0.1, 0]], ["met"]),
        ([[0.9, 0.1, 0], [0.1, 0.9, 0], [0.1, 0, 0.9]], ["met left"]),
        ([[0.9, 0.1, 0], [0.1, 0.9, 0], [0.1, 0.9, 0]], ["met", "left"]),
        ([[0.1, 0, 0.9], [0.9, 0.1, 0], [0.1, 0, 0.9]], ["rain", "left"]),
    ],
)
def test_mentions_begin_go_on_and_end(p, spans):
    text = "rain met left"
    found = events._mentions(text, Tokens(Document("d", text), LAY), p, 0.5)
    assert [text[slice(*span)] for span, _ in found] == spans


def test_a_part_of_a_word_is_the_whole_word_and_punctuation_is_no_event():
    class Pieces:
        starts, ends = [0, 3, 6], [3, 6, 7]

    found = events._mentions("meeting.", Pieces(), [[0.9, 0.1, 0], [0.2, 0.8, 0], [0.2, 0.8, 0]], 0.5)
    assert [span for span, _ in found] == [(0, 7)]
    dots = Tokens(Document("d", ". ,"), LAY)
    assert events._mentions(". ,", dots, [[0, 1, 0], [0, 1, 0]], 0.5) == []


def test_a_tiny_model_learns_to_find_verbs():
    texts = ["they met . they left", "they slept , they woke", "rain came . flood went", "they left and they met"]
    verbs = {"met", "left", "slept", "woke", "came", "went"}
    documents = []
    for number, text in enumerate(texts):
        at = [text.index(word, sum(len(w) + 1 for w in text.split()[:i])) for i, word in enumerate(text.split())]
        spans = [(start, start + len(w)) for start, w in zip(at, text.split(), strict=True) if w in verbs]
        documents.append(Document(str(number), text, tuple(Event(f"e{i}", *s) for i, s in enumerate(spans, 1))))
    model = learn.bert(torch.float64, vocab_size=SIZE, max_position_embeddings=64)
    task = events.task([row for d in documents for row in events.rows(d, LAY, labelled=True)], learn.WIDTH)
    adapter = rw.new(model, LoRA(rank=4), heads=task.heads, seed=0)
    adapter = rw.train(model, adapter, task, Recipe(epochs=60, lr=3e-2, batch_rows=4, precision="fp32"))
    bare = [replace(d, events=()) for d in documents]
    found = events.detect(model, adapter, [*bare, Document("empty", "  ")], LAY)
    assert [events.as_events(f) for f in found] == [*(d.events for d in documents), ()]
    assert all(0.5 <= f.confidence <= 1 for each in found for f in each)
    assert events.detect(model, adapter, bare[:1], LAY, threshold=1.0) == [()]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Was the", "Was"),
        ("triggered a", "triggered"),
        ("not because", None),
        ("Because", None),
        ("t", None),
        ("the price fell", "price fell"),
        ("don't", None),
        ("the first strike.", "first strike"),
        ("this", "this"),  # annotators of news mark it where it stands for an event
    ],
)
def test_function_words_at_the_ends_of_a_mention_are_cut_off(text, left):
    span = events._trimmed(text, (0, len(text)))
    assert (span and text[slice(*span)]) == left
