"""What edits share: parts exchanged with their marks, sentences supplied, first letters made small."""

from __future__ import annotations

from dataclasses import replace

from rankwise.causal.editing import changed, exchanged, places, small, with_sentences
from rankwise.causal.reading import reading
from rankwise.relations.schema import Relation, Timex
from tests.test_causal_connectives import case


def test_exchanged_parts_take_their_marks_along() -> None:
    given = case("One [two] xx three [four] end. [Five] go.")
    document = replace(given.document, timexes=(Timex("t1", 0, 3), Timex("t2", 27, 30)), linked=(0, 27))
    text = document.text
    assert (text[0:7], text[11:21]) == ("One two", "three four")
    made = exchanged(
        replace(given, document=document), (0, 7), (11, 21), ("three four", "One two", ""), " yyyy "
    ).document
    assert made.text == "three four yyyy One two end. Five go."
    assert {e.id: made.surface(e.id) for e in made.events} == {"e1": "two", "e2": "four", "e3": "Five"}
    assert [e.id for e in made.events] == ["e2", "e1", "e3"]
    assert [made.text[t.start : t.end] for t in made.timexes] == ["One", "Fiv"]
    assert [made.text[a:b] for a, b in made.sentences] == ["three four yyyy One two end.", "Five go."]
    assert made.linked == (0, 29)


def test_a_changed_case_loses_its_label() -> None:
    given = case("Ann [left]. Bob [came].")
    told = replace(given, label="BEFORE", document=replace(given.document, relations=(Relation("e1", "e2", "BEFORE"),)))
    made = changed(told, [(0, 3, "Johanna")])
    assert made.document.text == "Johanna left. Bob came."
    assert (made.label, made.document.relations) == (None, ())
    assert made.document.surface("e2") == "came"


def test_sentences_are_supplied_once() -> None:
    given = case("Ann [left]. Bob [came].")
    assert with_sentences(given) is given
    assert with_sentences(replace(given, document=replace(given.document, sentences=()))).document == given.document


def test_a_first_word_is_made_small_unless_it_may_be_a_name() -> None:
    def first(text: str) -> str | None:
        return small(reading(case(text).document).words[0])

    assert first("The man [left] and [came].") == "the"
    assert first("I [left] and [came].") == "I"
    assert first("Ann [left] and [came].") == "Ann"
    assert first("American teams [left] and [came].") is None


def test_overlapping_events_have_no_places() -> None:
    given = case("Ann [left] and [came].")
    assert places(given) is not None
    events = (given.document.events[0], replace(given.document.events[1], start=5))
    assert places(replace(given, document=replace(given.document, events=events))) is None
