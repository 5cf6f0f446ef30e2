"""Tenses of verb groups, and edits of them: done where the text is certain, refused by name where it is not."""

from __future__ import annotations

import pytest

from rankwise.causal.narratives import Story
from rankwise.causal.story_cues import values
from rankwise.causal.tense import group, inflected, lemma_of, to_past, to_perfect
from rankwise.relations.edits import apply
from rankwise.relations.schema import Document, Event


def marked(text: str) -> Document:
    """A document whose event e is what stands in brackets."""
    start, end = text.index("["), text.index("]") - 1
    plain = text.replace("[", "").replace("]", "")
    return Document("d", plain, (Event("e", start, end),), sentences=((0, len(plain)),))


def tense(text: str) -> str | None:
    found = group(marked(text), "e")
    return None if found is None else found.tense


def perfect(text: str) -> str:
    changes = to_perfect(document := marked(text), "e")
    return changes if isinstance(changes, str) else apply(document, changes, ()).text


def past(text: str) -> str:
    changes = to_past(document := marked(text), "e")
    return changes if isinstance(changes, str) else apply(document, changes, ()).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He [resigned] on Monday.", "past"),
        ("The mayor had already [resigned] on Monday.", "past perfect"),
        ("The men had been [arrested] by then.", "past perfect"),
        ("She was [arrested] on Monday.", "past"),
        ("He did not [go] home.", "past"),
        ("He [says] that it is over.", "present"),
        ("They will [close] the plant.", "future"),
        ("The plant will be [closed].", "future"),
        ("They have [sold] it.", None),
        ("He could [go].", None),
        ("They want to [go] home.", None),
        ("Police [put] the letter away.", None),
        ("The [closure] of the plant was bad.", None),
    ],
)
def test_the_tense_of_a_verb_group(text: str, expected: str | None) -> None:
    assert tense(text) == expected


def test_an_auxiliary_marked_as_an_event_has_no_tense_of_its_own() -> None:
    assert group(marked("The deal [was] signed by both."), "e") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He [resigned] on Monday.", "He had resigned on Monday."),
        ("She [wrote] it.", "She had written it."),
        ("Anna [found] the key.", "Anna had found the key."),
        ("She was [arrested] on Monday.", "She had been arrested on Monday."),
        ("The minister [says] so.", "The minister had said so."),
        ("They will [close] the plant.", "They had closed the plant."),
        ("The plant will be [closed].", "The plant had been closed."),
        ("She had [left].", "She had left."),
        ("He did not [go] home.", "negated"),
        ("They [opened] the door and left.", "auxiliary may be shared"),
        ("It [lay] there.", "verb of unknown forms"),
        ("They want to [go] home.", "no tense"),
        ("They'll [leave] it.", "contraction"),
    ],
)
def test_an_event_is_put_into_the_past_perfect_or_the_reason_is_said(text: str, expected: str) -> None:
    assert perfect(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The mayor had [resigned] on Monday.", "The mayor resigned on Monday."),
        ("She had quickly [written] it.", "She quickly wrote it."),
        ("She left.".replace("left", "[left]"), "She left."),
        ("The deal had been [signed] by both.", "The deal was signed by both."),
        ("They had been [arrested] by then.", "They were arrested by then."),
        ("The price of apples had been [raised].", "subject of unknown number"),
        ("He had not [gone] home.", "negated"),
        ("They had already been [seen].", "They were seen."),
    ],
)
def test_an_event_leaves_the_past_perfect_or_the_reason_is_said(text: str, expected: str) -> None:
    if expected == "They were seen.":
        assert past(text) == "adverb between"  # "already" would be lost
        return
    assert past(text) == expected


def test_the_event_still_covers_its_verb_alone() -> None:
    document = marked("He [resigned] on Monday, and Ann was there.")
    changes = to_perfect(document, "e")
    assert not isinstance(changes, str)
    assert apply(document, changes, ()).surface("e") == "resigned"


def test_there_and_back_gives_the_same_words() -> None:
    for text in ("He [resigned] on Monday.", "They were [arrested] there.", "She [wrote] it."):
        there = marked(text)
        changes = to_perfect(there, "e")
        assert not isinstance(changes, str)
        edited = apply(there, changes, ())
        back = to_past(edited, "e")
        assert not isinstance(back, str)
        assert apply(edited, back, ()).text == there.text


def test_forms_of_a_verb_are_known_by_the_form_that_was_seen() -> None:
    assert lemma_of("found", "VBD") == "find"
    assert lemma_of("lay", "VBD") == "lie"
    assert inflected("Broke", "VBN", "VBD") == "Broken"
    assert inflected("dreamed", "VBN", "VBD") == "dreamed"
    assert inflected("xyzzed", "VBN", "VBD") is None


def test_stories_have_the_tenses_that_they_were_told_with() -> None:
    cases = Story().draw(150, seed=7)
    known = 0
    for case in cases:
        groups = [group(case.document, e) for e in case.pair]
        ranks = [None if g is None else g.rank for g in groups]
        if None not in ranks:
            known += 1
            assert int(ranks[0] == 0) == values(case)["tense"], case.document.text
    assert known > 0.9 * len(cases)
