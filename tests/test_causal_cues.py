"""Cues of free text: an edited value is read again, every other cue is held, and what is not certain is refused."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from rankwise.causal import story_cues
from rankwise.causal.cue import Case
from rankwise.causal.cues import CUES, NAMES, TextCue, count
from rankwise.causal.narratives import Story
from rankwise.relations import corpora
from rankwise.relations.schema import Document
from tests.test_causal_connectives import case

BY_NAME = {cue.name: cue for cue in CUES}


def values(given: Case) -> dict[str, int | None]:
    return {cue.name: cue.value(given) for cue in CUES}


def annotated(name: str, most: int, **options: object) -> list[Case]:
    """Cases of annotated pairs of an embedded corpus, a few of a document, in an order by seed."""
    found = []
    for document in corpora.read(name, **options):
        known = {e.id for e in document.events}
        pairs = [r for r in document.of_kind("temporal") if r.source in known and r.target in known]
        if len(document.text) < 6000:
            found += [Case(document, (r.source, r.target), name, r.label) for r in pairs[:6]]
    random.Random(0).shuffle(found)
    return found[:most]


@pytest.fixture(scope="module")
def real() -> list[Case]:
    return annotated("meantime", 200) + annotated("uds-time", 100, splits=("dev",))


def test_both_kinds_of_cues_have_the_same_names_and_rights() -> None:
    assert [(c.name, c.legitimate) for c in CUES] == [(c.name, c.legitimate) for c in story_cues.CUES]
    assert NAMES == story_cues.NAMES


def test_on_stories_every_detector_says_what_was_told() -> None:
    told = Story(confounding=0.5).draw(60) + Story(joined=True, lacking={"tense": 0.5}).draw(60, seed=1)
    told = [replace(c, pair=c.pair[::-1]) if i % 2 else c for i, c in enumerate(told)]
    for name in NAMES:
        known = [(BY_NAME[name].value(c), story_cues.values(c)[name]) for c in told]
        assert all(said == truth for said, truth in known if said is not None), name
        have = sum(said is not None for said, truth in known if truth is not None)
        if name != "signal":  # a story's signal names people, not events
            assert have >= 0.95 * sum(truth is not None for _, truth in known), name


@pytest.mark.parametrize("joined", [False, True])
def test_on_stories_an_edit_of_one_cue_holds_every_other(joined: bool) -> None:
    for given in Story(joined=joined, lacking={"tense": 0.5}).draw(40, seed=2):
        before, truth = values(given), story_cues.values(given)
        for cue in CUES:
            for value in (0, 1):
                made = cue.edit(given, value)
                if made is None:
                    continue
                assert values(made) == {**before, cue.name: value}, made.document.text
                if (again := story_cues.values(made)) and again["order"] is not None:
                    assert again == {**truth, cue.name: value}, made.document.text


def test_on_real_text_an_edit_of_one_cue_holds_every_other(real: list[Case]) -> None:
    made = dict.fromkeys(NAMES, 0)
    for given in real:
        before = values(given)
        for cue in CUES:
            value = before[cue.name]
            edited = None if value is None else cue.edit(given, 1 - value)
            if edited is None:
                continue
            made[cue.name] += 1
            assert values(edited) == {**before, cue.name: 1 - (value or 0)}
            assert [e.id for e in sorted(edited.document.events, key=lambda e: e.id)] == sorted(
                e.id for e in given.document.events
            )
            for event in given.document.events:
                if event.id not in given.pair:
                    assert edited.document.surface(event.id) == given.document.surface(event.id)
            assert (edited.label, edited.document.relations) == (None, ())
    assert made["connective"] >= 1
    assert made["distance"] >= 30
    assert made["tense"] >= 1


def test_a_value_that_is_there_already_needs_no_edit() -> None:
    given = case("They [left] before she [came].")
    assert BY_NAME["connective"].edit(given, 1) is given
    assert BY_NAME["connective"].edit(given, 0) is not None


def test_a_document_without_sentences_is_split_first() -> None:
    given = case("They [left]. She [came].")
    bare = replace(given, document=replace(given.document, sentences=()))
    made = BY_NAME["distance"].edit(bare, 1)
    assert BY_NAME["distance"].value(bare) == 0
    assert made is None or made.distance == 2


def test_an_edit_that_moves_another_cue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given = case("Ann had [left] before Bob [came].")
    assert isinstance(BY_NAME["tense"].attempt(given, 0), Case)
    careless = TextCue("tense", True, BY_NAME["tense"].look, lambda c, v: _both(c, v))
    assert careless.attempt(given, 0) == "connective would change too"
    blind = TextCue("tense", True, BY_NAME["tense"].look, lambda c, v: replace(c, style="x"))
    assert blind.attempt(given, 0) == "not read again"


def _both(given: Case, value: int) -> Case:
    once = BY_NAME["connective"].edit(given, 0)
    twice = None if once is None else BY_NAME["tense"].edit(once, value)
    assert twice is not None
    return twice


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("Ann had [left] before Bob [came].", 1, "Ann left before Bob had come."),
        ("Ann [left] after Bob had [come].", 0, "Ann had left after Bob came."),
        ("The minister [says] that Bob [left].", 0, "The minister had said that Bob left."),
        ("Ann [left], and he [knows] it.", 1, "present or future"),
        ("Ann had not [left] before Bob [came].", 1, "negated"),
        ("Ann [left] before Bob [came].", None, "no such cue"),
    ],
)
def test_tense_is_read_and_edited_or_the_reason_is_said(text: str, value: int | None, expected: str) -> None:
    given, cue = case(text), BY_NAME["tense"]
    assert cue.value(given) == value
    made = cue.attempt(given, 1 - (value or 0))
    assert (made if isinstance(made, str) else made.document.text) == expected


def test_distance_puts_a_sentence_of_ours_between_and_takes_only_that_away() -> None:
    given, cue = case("Ann [left]. Bob [came]. It [rained]."), BY_NAME["distance"]
    made = cue.attempt(given, 1)
    assert isinstance(made, Case)
    assert made.distance == 2
    assert len(made.document.sentences) == 4
    assert [made.document.text[a:b] for a, b in made.document.sentences][2:] == ["Bob came.", "It rained."]
    assert made.document.surface("e3") == "rained"
    back = cue.attempt(made, 0)
    assert isinstance(back, Case)
    assert (back.document.text, back.document.sentences) == (given.document.text, given.document.sentences)
    theirs = case("Ann [left]. Bob slept. She [came].")
    assert cue.value(theirs) == 1
    assert cue.attempt(theirs, 0) == "a sentence of the author between"
    assert cue.attempt(case("Ann [left]. She [came]."), 1) == "second sentence leans on the first"
    assert cue.attempt(case("Ann [left] and [came]."), 1) == "both in one sentence"


def test_refusals_are_counted_by_reason() -> None:
    texts = ("Ann [left] before Bob [came].", "Ann [left] soon after Bob [came].", "Ann [left] and [came].")
    rows = {row.name: row for row in count(map(case, texts))}
    assert (rows["connective"].cases, rows["connective"].have, rows["connective"].edited) == (3, 2, 1)
    assert rows["connective"].skipped == {"connective with an adverb": 1}
    assert rows["order"].have == 3
    assert sum(rows["order"].skipped.values()) + rows["order"].edited == 3


def test_an_empty_document_has_no_cue_to_fail_on() -> None:
    given = case("[Go] [on]")
    assert values(given)["connective"] is None
    assert Document("d", "").sentences == ()
