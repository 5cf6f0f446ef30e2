"""Edits whose effect is certain: where they are made, where they are not, and spans that move with the text."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.relations.edits import apply, augment, exchange, flip, inflection, sites, substitute
from rankwise.relations.schema import Document, Event, Relation, Timex


def story(text, *words, label="BEFORE", **fields):
    """Events at these words, the first two related."""
    events, at = [], 0
    for i, word in enumerate(words):
        at = text.index(word, at)
        events.append(Event("abcdef"[i], at, at + len(word)))
        at += len(word)
    ends = [0, *(i + 1 for i, c in enumerate(text) if c == "."), len(text)]
    sentences = tuple((a + (text[a] == " "), b) for a, b in pairwise(ends) if text[a:b].strip())
    return Document("d", text, tuple(events), (), (Relation("a", "b", label),), sentences, **fields)


@pytest.mark.parametrize(
    ("text", "words", "label", "want"),
    [
        ("They voted before they resigned.", ("voted", "resigned"), "BEFORE", "BEFORE"),
        ("They voted after they resigned.", ("voted", "resigned"), "AFTER", "AFTER"),
        ("After they voted, they resigned.", ("voted", "resigned"), "BEFORE", "BEFORE"),
        ("Before they voted, they resigned.", ("voted", "resigned"), "AFTER", "AFTER"),
        # the annotation says otherwise, or nothing
        ("They voted before they resigned.", ("voted", "resigned"), "AFTER", None),
        ("They voted before they resigned.", ("voted", "resigned"), "VAGUE", None),
        # another cue, a perfect tense, no connective, two of them
        ("They voted before they resigned later.", ("voted", "resigned"), "BEFORE", None),
        ("They voted after they had resigned.", ("voted", "resigned"), "AFTER", None),
        ("They voted and they resigned.", ("voted", "resigned"), "BEFORE", None),
        ("They voted before lunch and resigned after it.", ("voted", "resigned"), "BEFORE", None),
        # the connective joins others
        ("They voted and left before they resigned.", ("voted", "left", "resigned"), "BEFORE", None),
        ("After they voted and left, they resigned.", ("voted", "resigned"), "BEFORE", "BEFORE"),
        ("They voted. Before it they resigned.", ("voted", "resigned"), "BEFORE", None),
    ],
)
def test_a_connective_is_taken_only_where_it_alone_orders_the_pair(text, words, label, want):
    found = [s.label for s in sites(story(text, *words, label=label))]
    assert found == ([want] if want else [])


def test_an_annotation_from_the_other_end_counts_as_well():
    d = story("They voted before they resigned.", "voted", "resigned")
    turned = Document("d", d.text, d.events, (), (Relation("b", "a", "AFTER"),), d.sentences)
    assert [s.label for s in sites(turned)] == ["BEFORE"]


def test_flipping_turns_the_label_round_and_moves_the_spans():
    d = story("They voted before they resigned. So be it.", "voted", "resigned", "be", linked=(0, 32))
    (site,) = sites(d)
    made = flip(d, site)
    assert made.text == "They voted after they resigned. So be it."
    assert [made.surface(e.id) for e in made.events] == ["voted", "resigned", "be"]
    assert made.relations == (Relation("a", "b", "AFTER"),)
    assert [made.text[slice(*s)] for s in made.sentences] == ["They voted after they resigned.", "So be it."]
    assert made.linked == (0, 31)
    fronted = story("After they voted, they resigned.", "voted", "resigned")
    assert flip(fronted, sites(fronted)[0]).text == "Before they voted, they resigned."


def test_triggers_change_places_and_the_label_stays():
    d = story("They voted before they resigned.", "voted", "resigned")
    made = exchange(d, sites(d)[0])
    assert made.text == "They resigned before they voted."
    assert [made.surface(e.id) for e in made.events] == ["resigned", "voted"]
    assert made.relations == (Relation("a", "b", "BEFORE"),)
    uneven = story("They voted before resigning.", "voted", "resigning")
    assert exchange(uneven, sites(uneven)[0]) is None


def test_other_triggers_of_the_same_inflection_keep_the_label():
    d = story("They voted before they resigned.", "voted", "resigned")
    rng = np.random.default_rng(0)
    made = substitute(d, sites(d)[0], {"ed": ["voted", "resigned", "danced"]}, rng)
    first, second = (made.surface(e.id) for e in made.events)
    assert first in ("resigned", "danced")
    assert second in ("voted", "danced")
    assert made.relations[0].label == "BEFORE"
    assert substitute(d, sites(d)[0], {"ed": ["voted"]}, rng) is None  # no other word for the first place
    assert substitute(d, sites(d)[0], {}, rng) is None


@pytest.mark.parametrize(
    ("word", "ending"), [("voted", "ed"), ("voting", "ing"), ("votes", "s"), ("red", ""), ("vote", "")]
)
def test_the_inflection_of_a_word(word, ending):
    assert inflection(word) == ending


def test_augmenting_makes_one_pair_documents_the_same_each_time():
    d = story("They voted before they resigned.", "voted", "resigned")
    other = Document("o", "She danced.", (Event("a", 4, 10),), sentences=((0, 11),))
    made = augment([d, other])
    assert [x.id for x in made] == ["d+0", "d+1", "d+2"]
    assert made == augment([d, other])
    assert all(len(x.relations) == 1 for x in made)
    assert augment([other]) == []


@given(st.data())
def test_marks_outside_a_change_keep_their_words_and_marks_inside_take_the_new_ones(data):
    n = data.draw(st.integers(1, 8))
    words = [data.draw(st.text("abc", min_size=1, max_size=4)) for _ in range(n)]
    text = " ".join(words)
    at = [sum(len(w) + 1 for w in words[:i]) for i in range(n)]
    spans = [(start, start + len(w)) for start, w in zip(at, words, strict=True)]
    new = data.draw(st.dictionaries(st.integers(0, n - 1), st.text("xyz", min_size=1, max_size=6)))
    d = Document("d", text, tuple(Event(f"e{i}", *s) for i, s in enumerate(spans)), (Timex("t1", *spans[0]),))
    made = apply(d, [(*spans[i], word) for i, word in new.items()], [])
    assert [made.surface(e.id) for e in made.events] == [new.get(i, w) for i, w in enumerate(words)]
    assert made.surface("t1") == new.get(0, words[0])
    assert made.text == " ".join(new.get(i, w) for i, w in enumerate(words))
