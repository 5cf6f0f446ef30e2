"""An extractor: which pairs it asks about, what it loads and refuses, and a document as one consistent graph."""

from __future__ import annotations

from dataclasses import replace

import pytest

import rankwise as rw
from rankwise.errors import BadFile
from rankwise.methods import LoRA
from rankwise.relations import events
from rankwise.relations.extract import FILE, Extractor, near_pairs, news_shift, settings, with_events
from rankwise.relations.model import Said, heads
from rankwise.relations.schema import DOCUMENT_TIME, Document, Event, Timex
from rankwise.relations.timeline import of_decoded
from tests.stories import WIDTH, base_model, story


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A base and an untrained extractor for it."""
    where = tmp_path_factory.mktemp("extract")
    base = base_model(where / "base")
    model = rw.models.load(base)
    made = rw.new(model, LoRA(rank=2), heads=heads(WIDTH), seed=0)
    rw.save(made, where / "pairs", extra={FILE: settings(40, ["x"])})
    both = rw.new(model, LoRA(rank=2), heads=heads(WIDTH) | {events.NAME: events.head(WIDTH)}, seed=0)
    rw.save(both, where / "all", extra={FILE: settings(40, ["x"])})
    other = rw.new(model, LoRA(rank=2), heads={"stars": rw.Head("single", ("a", "b"), WIDTH)}, seed=0)
    rw.save(other, where / "stars")
    return where


def test_pairs_in_reach_by_hand():
    text = "a b c. d. e. f."
    marks = tuple(Event(c, text.index(c), text.index(c) + 1) for c in "abdf")
    times = (Timex("t1", 4, 5), Timex("t2", 10, 11))
    d = Document("x", text, marks, times, (), ((0, 6), (7, 9), (10, 12), (13, 15)), "2020")
    assert set(near_pairs(d, 1)) == {
        *(("a", "b"), ("a", "d"), ("b", "d"), ("a", "t1"), ("b", "t1")),
        *((e, DOCUMENT_TIME) for e in "abdf"),
    }
    assert ("d", "f") in near_pairs(d, 2)
    assert ("a", "f") not in near_pairs(d, 2)
    assert near_pairs(Document("x", text, marks, (), (), d.sentences), 0) == [("a", "b")]


def test_what_was_trained_is_loaded_with_its_window_and_the_model_leaves_as_it_came(place):
    reader = Extractor.load(place / "pairs")
    assert reader.layout.block == (40 - 4) // 2
    assert not reader.model.training
    model = reader.close()
    assert not any("lora" in name.lower() for name, _ in model.named_modules())


def test_a_document_becomes_one_consistent_graph(place):
    reader = Extractor.load(place / "pairs")
    reading = reader.decode(story(0))
    assert set(reading.said) >= {("e1", "e2"), ("e1", "e3"), ("e2", "e3")}
    assert set(reading.decoded.labels) == {("e1", "e2"), ("e1", "e3"), ("e2", "e3")}
    assert reading.decoded.violated == 0
    one = Document("one", "they met .", (Event("e1", 5, 8),), sentences=((0, 10),))
    assert reader.decode(one).decoded is None


def test_an_adapter_for_something_else_is_refused_with_what_it_answers(place):
    with pytest.raises(BadFile, match=r"stars answers stars: it was not trained for relations"):
        Extractor.load(place / "stars")
    with pytest.raises(BadFile, match="finds no events"):
        Extractor.load(place / "pairs").find([story(0)])


def test_found_events_take_the_place_of_the_documents_own(place):
    d = story(0)
    found = Extractor.load(place / "all", base=place / "base").find([d], threshold=0.0)[0]
    made = with_events(d, found)
    assert made.relations == ()
    assert [e.id for e in made.events] == [f"e{i}" for i in range(1, len(found) + 1)]


def dated(text="they met 2008 they left 2009", created="2010"):
    events = (Event("e1", 5, 8), Event("e2", 19, 23))
    times = (Timex("t1", 9, 13, "2008"), Timex("t2", 24, 28, "2009"), Timex("t3", 14, 18, "P3D", "DURATION"))
    return Document("d", text, events, times, (), ((0, len(text)),), created)


def test_times_bind_events_and_what_the_graph_rules_out_is_dropped(place, monkeypatch):
    """met is surely in 2008, left surely in 2009, and "left before met" is weak: the calendar turns it round."""
    sure, none = (0.02, 0.02, 0.94, 0.02), (0.9, 0.05, 0.05)
    said = {
        ("e1", "e2"): Said((0.3, 0.5, 0.1, 0.1), none),
        ("e1", "t1"): Said(sure, none),
        ("e1", DOCUMENT_TIME): Said((0.97, 0.01, 0.01, 0.01), none),
        ("e2", DOCUMENT_TIME): Said((0.01, 0.97, 0.01, 0.01), none),
        ("e2", "t2"): Said((0.05, 0.05, 0.05, 0.85), none),
    }
    reader = Extractor.load(place / "pairs")
    monkeypatch.setattr(Extractor, "ask", lambda self, asked: [said])
    reading = reader.decode(dated())
    assert reading.decoded.labels == {("e1", "e2"): "BEFORE"}
    assert [(c.before, c.after) for c in reading.decoded.changed] == [("AFTER", "BEFORE")]
    assert set(reading.said) == {("e1", "e2"), ("e1", "t1"), ("e1", DOCUMENT_TIME), ("e2", DOCUMENT_TIME)}


def test_a_date_in_the_clause_of_an_event_binds_whatever_the_model_says(place, monkeypatch):
    text = "they met in 2008 . they left in 2009 ."
    d = Document(
        "d",
        text,
        (Event("e1", 5, 8), Event("e2", 24, 28)),
        (Timex("t1", 12, 16, "2008"), Timex("t2", 32, 36, "2009")),
        sentences=((0, 18), (19, 38)),
    )
    wrong = Said((0.97, 0.01, 0.01, 0.01), (1.0, 0.0, 0.0))
    said = {("e1", "e2"): Said((0.1, 0.8, 0.05, 0.05), (1.0, 0.0, 0.0)), ("e1", "t1"): wrong, ("e2", "t2"): wrong}
    monkeypatch.setattr(Extractor, "ask", lambda self, asked: [said])
    reading = Extractor.load(place / "pairs").decode(d)
    assert reading.stated == {(*p, "temporal") for p in (("e1", "t1"), ("e2", "t2"), ("e1", "e2"))}
    assert reading.decoded.labels == {("e1", "e2"): "BEFORE"}


def test_what_is_within_a_time_does_not_begin_after_its_end(place, monkeypatch):
    """met is in 2008, and left surely not before 2009 begins: the end of 2008 rules out that met came after left."""
    text = "they met in 2008 . they left since 2009 ."
    d = Document(
        "d",
        text,
        (Event("e1", 5, 8), Event("e2", 24, 28)),
        (Timex("t1", 12, 16, "2008"), Timex("t2", 35, 39, "2009")),
        sentences=((0, 18), (19, 41)),
    )
    none = (1.0, 0.0, 0.0)
    said = {
        ("e1", "e2"): Said((0.03, 0.9, 0.05, 0.02), none),
        ("e1", "t1"): Said((0.97, 0.01, 0.01, 0.01), none),  # the text says otherwise
        ("e2", "t2"): Said((0.02, 0.96, 0.01, 0.01), none),
    }
    monkeypatch.setattr(Extractor, "ask", lambda self, asked: [said])
    reading = Extractor.load(place / "pairs").decode(d)
    assert reading.decoded.labels == {("e1", "e2"): "BEFORE"}
    (change,) = reading.decoded.changed
    because = {(r.source, r.label, r.target) for r in change.because}
    assert because == {("e1", "EQUAL", "t1"), ("t1", "BEFORE", "t2"), ("t2", "BEFORE", "e2")}
    assert build_of(d, reading).contradictions == ()


def build_of(d, reading):
    return of_decoded(d, reading.decoded, reading.said, stated=reading.stated, beside=reading.beside)


def test_a_date_that_cannot_be_orders_nothing_and_raises_nothing(place, monkeypatch):
    text = "they met in 2008 . they left in 2009 ."
    d = Document(
        "d",
        text,
        (Event("e1", 5, 8), Event("e2", 24, 28)),
        (Timex("t1", 12, 16, "2008"), Timex("t2", 32, 36, "1998-02-31")),
        sentences=((0, 18), (19, 38)),
    )
    sure = Said((0.01, 0.97, 0.01, 0.01), (1.0, 0.0, 0.0))
    said = {("e1", "e2"): sure, ("e1", "t1"): sure, ("e2", "t2"): sure}
    monkeypatch.setattr(Extractor, "ask", lambda self, asked: [said])
    reading = Extractor.load(place / "pairs").decode(d)
    assert reading.stated == {("e1", "t1", "temporal")}
    assert reading.decoded.labels == {("e1", "e2"): "AFTER"}


def test_a_cause_that_the_text_states_counts_and_without_much_training_no_other(place, monkeypatch):
    text = "sales fell because of the strike . rivals gained ."
    d = Document(
        "d", text, (Event("e1", 6, 10), Event("e2", 26, 32), Event("e3", 42, 48)), sentences=((0, 34), (35, 50))
    )
    unsure = (0.4, 0.4, 0.1, 0.1)
    said = {p: Said(unsure, (0.05, 0.9, 0.05)) for p in (("e1", "e2"), ("e1", "e3"), ("e2", "e3"))}
    monkeypatch.setattr(Extractor, "ask", lambda self, asked: [said])
    reader = Extractor.load(place / "pairs")
    believed, not_believed = reader.decode(d), replace(reader, causes=False).decode(d)
    assert believed.decoded.causal == {("e1", "e2"): "CAUSED_BY", ("e1", "e3"): "CAUSES", ("e2", "e3"): "CAUSES"}
    assert not_believed.decoded.causal == {("e1", "e2"): "CAUSED_BY", ("e1", "e3"): "NONE", ("e2", "e3"): "NONE"}
    assert not_believed.decoded.labels["e1", "e2"] == "AFTER"  # a cause does not start after its effect
    assert believed.stated == not_believed.stated == {("e1", "e2", "causal")}


@pytest.mark.parametrize(("learnt", "believed"), [({}, True), ({"causes": 199}, False), ({"causes": 200}, True)])
def test_who_learnt_of_few_causes_in_running_text_is_not_believed_about_them(place, learnt, believed):
    (place / "pairs" / FILE).write_bytes(settings(64, ["x"], **learnt))
    reader = Extractor.load(place / "pairs")
    assert reader.causes is believed


def test_who_learnt_little_of_the_day_of_writing_is_not_asked_about_it(place, monkeypatch):
    asked = []
    monkeypatch.setattr(Extractor, "ask", lambda self, given: asked.append(given[0][1]) or [{}])
    reader = Extractor.load(place / "pairs")
    for today in (True, False):
        replace(reader, today=today).decode(dated())
    assert any(DOCUMENT_TIME in pair for pair in asked[0])
    assert not any(DOCUMENT_TIME in pair for pair in asked[1])


def test_the_shift_to_news_by_hand():
    """Half BEFORE, a quarter AFTER, a quarter EQUAL in training; news has .507, .337 and .035 of .879."""
    shift = news_shift({"BEFORE": 50, "AFTER": 25, "EQUAL": 25, "VAGUE": 900})
    assert shift == pytest.approx((0.507 / 0.879 / 0.5, 0.337 / 0.879 / 0.25, 1 / 5, 1.0))
    assert news_shift({}) == (1.0, 1.0, 1.0, 1.0)
    assert news_shift({"BEFORE": 10})[1:3] == (5.0, 5.0)


def test_decoding_sees_shifted_probabilities(place, monkeypatch):
    said = {("e1", "e2"): Said((0.4, 0.1, 0.45, 0.05), (1.0, 0.0, 0.0))}
    monkeypatch.setattr(Extractor, "ask", lambda self, asked: [said])
    reader = Extractor.load(place / "pairs")
    d = dated(created="")
    assert reader.decode(d).decoded.labels == {("e1", "e2"): "EQUAL"}
    shifted = replace(reader, shift=(1.0, 1.0, 0.2, 1.0)).decode(d)
    assert shifted.decoded.labels == {("e1", "e2"): "BEFORE"}
    assert sum(shifted.said["e1", "e2"].temporal) == pytest.approx(1)
