"""Connectives and the order of mention: read only where nothing else can be meant, and changed with the rest held."""

from __future__ import annotations

import re

import pytest

from rankwise.causal.connectives import change, change_order, link, look, look_order
from rankwise.causal.cue import Case
from rankwise.relations.schema import Document, Event
from rankwise.relations.sentences import split


def case(text: str, pair: tuple[str, str] = ("e1", "e2")) -> Case:
    """A case of the two bracketed words, e1 and e2 in the order of the text."""
    plain, events = "", []
    for i, part in enumerate(re.split(r"\[|\]", text)):
        if i % 2:
            events.append(Event(f"e{len(events) + 1}", len(plain), len(plain) + len(part)))
        plain += part
    return Case(Document("d", plain, tuple(events), sentences=split(plain)), pair)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("They [left] before she [came].", 1),
        ("They [left] after she [came].", 0),
        ("Before she [came], they [left].", 0),
        ("After she [came], they [left].", 1),
        ("They [left]. Later, she [came].", 1),
        ("They [left]. The street was empty. Before that, she [came].", 0),
        ("They [left] two days before the [vote].", 1),
        ("They had [left] before she was [seen].", 1),
        ("They [left] and she [came].", None),
        ("They did not [leave] before she [came].", None),
        ("They [said] that he left before she [came].", None),
        ("They [left] before he ate and she [came].", None),
        ("They [left] before the [vote] was held.", None),
        ("They [left] after all and [came] back.", None),
        ("They [left] before long, and she [came].", None),
        ("They [left] before noon and [came] after dawn.", None),
        ("They [left] a year after the vote of May, and [came] back.", None),
        ("They sent him [looking] after a man who [slept].", None),
        ("She [told] me that after Friday she [slept].", None),
        ("They [left] and soon after [came] back.", None),
        ("After they [left] there was rain, and she [came].", None),
        ("They [left] (before she [came]).", None),
        ("If they [left] before she [came], all is well.", None),
        ("They [left]. He slept. Later, she [came].", None),
        ("They [left] and slept. Later, she [came].", None),
    ],
)
def test_a_connective_joins_two_events_or_says_nothing(text: str, value: int | None) -> None:
    assert look(case(text)) == value
    assert look(case(text, ("e2", "e1"))) == (None if value is None else 1 - value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They [left] before she [came].", "They left after she came."),
        ("After she [came], they [left].", "Before she came, they left."),
        ("They [left]. Later, she [came].", "They left. Earlier, she came."),
        ("They [left]. After that, she [came].", "They left. Before that, she came."),
        ("They [left] shortly before she [came].", "They left shortly after she came."),
        ("They [left] soon after she [came].", "connective with an adverb"),
        ("They [left] before she [came] when it rained.", "another temporal word in the sentence"),
        ("They [left] after [having] dinner.", "They left before having dinner."),
        ("They [left] and she [came].", "no connective"),
    ],
)
def test_a_connective_is_turned_in_its_place_or_the_reason_is_said(text: str, expected: str) -> None:
    given = case(text)
    if "having" in text:
        assert change(given, 0) == "perfect participle"
        return
    made = change(given, 1 - (look(given) or 0))
    assert (made if isinstance(made, str) else made.document.text) == expected
    if not isinstance(made, str):
        assert look(made) == 1 - (look(given) or 0)
        assert [made.document.surface(e) for e in ("e1", "e2")] == [given.document.surface(e) for e in ("e1", "e2")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The team [left] before she [came].", "Before she came, the team left."),
        ("Before she [came], the team [left].", "The team left before she came."),
        ("Ann [left] after Bob [decided] to stay.", "After Bob decided to stay, Ann left."),
        ("Ann [left] after Bob [came] .", "After Bob came , Ann left ."),
        ("She [left] before Ann [came].", "pronoun"),
        ("American teams [left] before Ann [came].", "first word may be a name"),
        ("Ann [left] before Bob [came], and it rained.", "punctuation"),
        ("Ann [left] before Bob [came] and slept.", "joined clauses"),
        ("Ann [left] two days before Bob [came].", "connective with a modifier"),
        ("Did Ann [leave] before Bob [came]?", "no plain sentence"),
        ("Ann [left]. Later, Bob [came].", "no connective in one sentence"),
    ],
)
def test_a_clause_moves_to_the_other_end_or_the_reason_is_said(text: str, expected: str) -> None:
    given = case(text)
    made = change_order(given, 1 - look_order(given))
    assert (made if isinstance(made, str) else made.document.text) == expected
    if isinstance(made, str):
        return
    assert look_order(made) == 1 - look_order(given)
    assert look(made) == look(given)
    assert [made.document.surface(e) for e in ("e1", "e2")] == [given.document.surface(e) for e in ("e1", "e2")]


def test_what_follows_a_moved_clause_keeps_its_place_in_the_text() -> None:
    given = case("Ann [left] before Bob [came]. It [rained].")
    made = change_order(given, 0)
    assert not isinstance(made, str)
    document = made.document
    assert [document.text[a:b] for a, b in document.sentences] == ["Before Bob came, Ann left.", "It rained."]
    assert document.surface("e3") == "rained"
    assert [e.id for e in document.events] == ["e2", "e1", "e3"]
    back = change_order(made, 1)
    assert not isinstance(back, str)
    assert back.document.text == given.document.text
    assert back.document.events == given.document.events


def test_the_order_is_that_of_the_pair() -> None:
    assert look_order(case("Ann [left] and [came].")) == 1
    assert look_order(case("Ann [left] and [came].", ("e2", "e1"))) == 0
    found = link(case("After she [came], they [left]."))
    assert found is not None
    assert (found.where, found.earlier) == ("fronted", 0)
