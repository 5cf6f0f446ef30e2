"""Sentences are spans of the text: in order, apart, and nothing but white space between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.relations.sentences import split, words


def cut(text, **options):
    return [text[start:end] for start, end in split(text, **options)]


def test_abbreviations_and_quotations_do_not_end_a_sentence():
    text = 'Mr. Smith said the U.S. economy grew 3.5 percent. "It is good," he said. She left on Jan. 5.'
    assert cut(text) == [
        "Mr. Smith said the U.S. economy grew 3.5 percent.",
        '"It is good," he said.',
        "She left on Jan. 5.",
    ]


def test_a_line_ends_a_sentence_only_where_asked_a_blank_line_always():
    text = "A heading\nthat goes on\n\nA second part. And more\n"
    assert cut(text) == ["A heading\nthat goes on", "A second part.", "And more"]
    assert cut(text, newlines=True) == ["A heading", "that goes on", "A second part.", "And more"]


@pytest.mark.parametrize("newlines", [False, True])
@given(text=st.text(st.sampled_from("ab. \n!?\"'é東\t\r\u2028"), max_size=60) | st.text(max_size=60))
def test_spans_are_in_order_and_leave_out_white_space_alone(newlines, text):
    at = 0
    for start, end in split(text, newlines):
        assert at <= start < end
        assert text[at:start].strip() == ""
        assert text[start:end] == text[start:end].strip()
        at = end
    assert text[at:].strip() == ""


def test_words_keep_what_is_inside_them():
    text = "state-of-the-art, it's 3.5%"
    assert [text[a:b] for a, b in words(text)] == ["state-of-the-art", "it's", "3.5"]
    assert words("ab cd", 3) == ((3, 5),)


def test_half_a_surrogate_pair_is_a_character_like_another():
    assert split("A storm \ud800 came. It went.") == ((0, 15), (16, 24))


def test_a_headline_and_a_date_line_are_sentences_and_wrapped_text_is_not_cut():
    told = "Storm hits coast\nMay 3, 2021\nA storm hit the coast on Monday and left. It was over by noon.\n"
    assert [told[a:b] for a, b in split(told)] == [
        "Storm hits coast", "May 3, 2021", "A storm hit the coast on Monday and left.", "It was over by noon.",
    ]  # fmt: skip
    wrapped = "A storm hit the coast on\nMonday and left soon after\nit had come. It was over."
    assert [wrapped[a:b] for a, b in split(wrapped)] == [wrapped[:64], "It was over."]
