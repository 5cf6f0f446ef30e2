"""Stories are told and read back letter for letter; what differs by a letter is no story."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.plots import FILLERS, LEADS, LIFES, NAMES, WORDS, Plot, plot_of, tell

CLAUSES = st.none() | st.integers(0, 1)


@st.composite
def plots(draw: st.DrawFn) -> Plot:
    script = draw(st.integers(0, len(LIFES) - 1))
    who = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True))
    what = draw(st.lists(st.sampled_from(LIFES[script][2]), min_size=2, max_size=2, unique=True))
    joined = draw(st.booleans())
    filler = None if joined else draw(st.none() | st.integers(0, len(FILLERS) - 1))
    said = [draw(CLAUSES) for _ in range(3)]
    style, opener = draw(st.integers(0, len(LEADS) - 1)), draw(st.integers(0, 1))
    return Plot(style, script, opener, (who[0], who[1]), (what[0], what[1]), *said, filler, joined)


LENA = Plot(0, 1, 0, ("Lena", "Omar"), ("the lamp", "the stove"), earlier=0, perfect=0, cause=0, filler=0)


def test_a_story_is_told_in_these_words() -> None:
    document = tell(LENA, "d", ("e1", "e2"))
    assert document.text == (
        "From the newswire. Lena had ordered the lamp. The square was quiet. Later, Omar received the stove. "
        "What Lena did led to what Omar did."
    )
    assert [document.surface(e) for e in ("e1", "e2")] == ["ordered", "received"]
    assert [document.text[a:b] for a, b in document.sentences][3] == "Later, Omar received the stove."
    assert document.group == "newswire"


def test_a_joined_story_has_one_sentence_for_both_events() -> None:
    plot = replace(LENA, earlier=1, perfect=None, cause=None, filler=None, joined=True)
    assert (
        tell(plot, "d", ("e1", "e2")).text == "From the newswire. Lena ordered the lamp after Omar received the stove."
    )


@given(plots())
def test_what_is_told_is_read_back(plot: Plot) -> None:
    document = tell(plot, "d", ("a", "b"))
    assert plot_of(document.text) == plot
    assert tell(plot_of(document.text) or plot, "d", ("a", "b")) == document
    assert [document.text[a:b] for a, b in document.sentences] == document.text.replace(". ", ".\n").split("\n")
    verbs = [document.surface(e.id) for e in document.events]
    assert all(any(v in forms for forms in LIFES[plot.script][:2]) for v in verbs)


@given(plots())
def test_swapping_twice_changes_nothing_and_once_keeps_who_did_what(plot: Plot) -> None:
    assert plot.swapped.swapped == plot
    assert plot.swapped.who[0] == plot.who[1]
    assert plot.swapped.what[0] == plot.what[1]


def test_a_text_that_differs_by_a_word_is_no_story() -> None:
    text = tell(LENA, "d", ("e1", "e2")).text
    for old, new in [
        ("Later", "Soon"),
        ("had ordered", "had order"),
        ("quiet", "loud"),
        ("received", "planted"),
        ("What Lena", "What Ines"),
        ("newswire", "wire"),
        ("Later,", WORDS[1][0] + ","),
        ("Omar received", "Omar had received"),
    ]:
        assert old in text
        assert plot_of(text.replace(old, new, 1)) is None, new
    assert plot_of(text.replace("ordered", "ordered", 1)) == LENA
    assert plot_of("") is None
    assert plot_of(LEADS[0] + " Nothing.") is None
    assert plot_of(text + " The end.") is None
