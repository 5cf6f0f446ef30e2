"""Which words are a time expression: whole, apart, in every sentence, and none that only look like one."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.relations.time_mentions import mentions

WEDNESDAY = datetime(2009, 5, 20)


def said(text):
    return [text[f.start : f.end] for f in mentions(text, WEDNESDAY)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The airline announced it Friday. In a joint statement it agreed.", ["Friday"]),  # lost in the whole text
        ("An answer is expected by Jan. 14.", ["Jan. 14"]),  # the library begins inside "expected"
        ("It stayed open until now.", ["now"]),
        ("It closes by the end of this year.", ["the end of this year"]),
        ("It was open from May 3 to May 8.", ["May 3", "May 8"]),
        ("It was open Friday to Monday.", ["Friday", "Monday"]),
        ("In the two weeks after, it closed.", ["the two weeks"]),
        ("It will open next\nweek.", ["next\nweek"]),
        ("İİİ left on Monday.", ["Monday"]),  # small letters of it are longer
        ("They left on 🎉 Monday.", ["Monday"]),
    ],
)
def test_expressions_are_whole_and_begin_where_they_begin(text, words):
    assert said(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "The company may buy it.",
        "Markets continue to fall.",
        "They march.",
        "The stock fell 7/8.",
        "A 52-year-old man, 52 years old.",
        "It rose 13 percent.",
        "The previously announced plan.",
        "",
        " \n ",
    ],
)
def test_words_that_only_look_like_times_are_left_out(text):
    assert said(text) == []


@pytest.mark.parametrize(("text", "words"), [("It opened in May.", ["May"]), ("It opened in the fall.", ["the fall"])])
def test_the_same_words_where_they_are_times(text, words):
    assert said(text) == words


@given(st.text(max_size=60) | st.text(st.sampled_from("İon Monday in 1990s may 3, to ago. \n"), max_size=50))
def test_whatever_the_text_they_are_in_order_apart_and_without_white_space(text):
    at = 0
    for f in mentions(text, WEDNESDAY):
        assert at <= f.start < f.end <= len(text)
        assert text[f.start : f.end] == text[f.start : f.end].strip()
        assert f.values
        at = f.end
