"""A timeline says what was given, what follows, why, in which layers, and what had to be left out."""

from __future__ import annotations

import math
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.errors import DataError
from rankwise.relations.algebra import contradictions
from rankwise.relations.decode import decode
from rankwise.relations.schema import DEADLINE, Document, Event, Relation, Timex
from rankwise.relations.timeline import build, of_decoded
from tests.reports import Said, flood, harbour

TEXT = "One two three four five six on Monday and Tuesday."


def document(*lines, **more):
    words = ["One", "two", "three", "four", "five", "six"]
    events = tuple(Event(w.lower(), TEXT.index(w), TEXT.index(w) + len(w)) for w in words)
    times = (Timex("mon", 31, 37, "2020-01-06"), Timex("tue", 42, 49, "2020-01-07"))
    relations = tuple(
        x if isinstance(x, Relation) else Relation(*x.split(), *(["causal"] if "CAUSE" in x else [])) for x in lines
    )
    relations = tuple(replace(r, target=r.label, label=r.target) if r.target.isupper() else r for r in relations)
    return Document("d", TEXT, events, times, relations, **more)


def said(timeline, kind="temporal"):
    return {(x.relation.source, x.relation.label, x.relation.target, x.origin) for x in timeline.of_kind(kind)}


def test_what_follows_is_added_with_its_chain():
    t = build(document("one BEFORE two", "two EQUAL three", "one CAUSES two"))
    assert said(t) == {
        ("one", "BEFORE", "two", "given"),
        ("two", "EQUAL", "three", "given"),
        ("one", "BEFORE", "three", "inferred"),
    }
    assert said(t, "causal") == {("one", "CAUSES", "two", "given")}
    (link,) = (x for x in t.links if x.inferred)
    assert [(r.source, r.target) for r in link.because] == [("one", "two"), ("two", "three")]


def test_layers_follow_the_order_and_loose_events_stand_apart():
    t = build(document("two BEFORE one", "two BEFORE three", "three EQUAL four", "four BEFORE five"))
    assert t.layers == (("two",), ("one", "three", "four"), ("five",))
    assert t.loose == ("six",)


def test_a_first_event_stands_just_before_what_it_precedes():
    t = build(document("one BEFORE two", "two BEFORE three", "six BEFORE three"))
    assert t.layers == (("one",), ("two", "six"), ("three",))


def test_dates_order_what_nobody_compared():
    t = build(document("one EQUAL mon", "two AFTER tue"))
    assert ("one", "BEFORE", "two", "dates") in said(t)
    assert t.layers == (("one",), ("two",))


def test_two_things_of_one_day_need_not_start_together():
    t = build(document("one EQUAL mon", "two EQUAL mon", "one BEFORE two"))
    assert not t.contradictions
    assert ("one", "EQUAL", "two", "inferred") not in said(t)


def test_the_skeleton_leaves_out_what_a_longer_path_says():
    t = build(document("one BEFORE two", "three AFTER two", "one BEFORE three"))
    assert {x.pair for x in t.skeleton()} == {("one", "two"), ("three", "two")}


def test_contradictory_annotations_are_explained_and_the_least_sure_one_is_left_out():
    weak = Relation("three", "one", "BEFORE", confidence=0.4)
    t = build(document("one BEFORE two", "two BEFORE three", weak, "four BEFORE five"))
    (found,) = t.contradictions
    assert {r.source for r in found.cycle} == {"one", "two", "three"}
    assert found.left_out == weak
    assert "three BEFORE one" in str(found)
    assert "0.40" in str(found)
    assert ("one", "BEFORE", "three", "inferred") in said(t)


def test_a_contradiction_with_the_calendar_is_explained():
    t = build(document("one EQUAL tue", "two EQUAL mon", "one BEFORE two"))
    (found,) = t.contradictions
    assert found.kind == "dates"
    assert len(found.cycle) == 3


def test_a_pair_that_is_said_twice_is_one_link():
    t = build(document("one BEFORE two", "two AFTER one"))
    assert len(t.links) == 1


@pytest.mark.parametrize(("text", "why"), [("", "The text is empty"), ("Nothing.", "The text has 8 characters")])
def test_a_document_without_events_is_refused_with_the_reason(text, why):
    with pytest.raises(DataError, match=f"d has no events.*\n.*{why}"):
        build(Document("d", text))


def test_one_event_is_a_timeline():
    t = build(Document("d", "It rained.", (Event("e", 3, 9),)))
    assert (t.layers, t.loose, t.links) == ((), ("e",), ())


def test_a_document_time_that_cannot_be_is_refused_and_a_date_in_the_text_is_told():
    with pytest.raises(DataError, match="2020-02-30"):
        build(document(created="2020-02-30"))
    d = replace(document("one EQUAL mon"), timexes=(Timex("mon", 31, 37, "2020-13"),))
    assert "mon is left aside: '2020-13' is no date." in build(d).notes


def test_a_decoded_document_keeps_the_model_probabilities_and_its_changes():
    sure, doubtful, wrong = (0.9, 0.04, 0.03, 0.03), (0.8, 0.1, 0.05, 0.05), (0.2, 0.7, 0.05, 0.05)
    none = (1.0, 0.0, 0.0)
    pairs = {("one", "two"): sure, ("two", "three"): doubtful, ("one", "three"): wrong}
    opinions = {pair: Said(p, none) for pair, p in pairs.items()}
    opinions["one", "mon"] = Said((0.1, 0.1, 0.75, 0.05), none)
    opinions["two", "tue"] = Said((0.3, 0.3, 0.3, 0.1), none)
    logs = {pair: [math.log(x) for x in p] for pair, p in pairs.items()}
    d = document()
    t = of_decoded(d, decode(logs, events=[e.id for e in d.events]), opinions, confidence={"one": 0.7})
    (link,) = (x for x in t.links if x.change)
    assert link.pair == ("one", "three")
    assert (link.change.before, link.relation.label, link.relation.confidence) == ("AFTER", "BEFORE", 0.2)
    assert [(r.source, r.target) for r in link.change.because] == [("one", "two"), ("two", "three")]
    assert link.chances == wrong
    assert set(t.bounds) == {"one", "two", "three"}  # two and three start after one; "two" and Tuesday was too unsure
    assert t.confidence == {"one": 0.7}


def test_a_deadline_does_not_stand_against_what_is_worked_out_anew_after_a_conflict():
    """ "five" is not before Monday, so that goes and closure runs again; "two" is due by a time that begins earlier."""
    due = Relation("two", "tue", "VAGUE", original=DEADLINE)
    guess = Relation("five", "mon", "BEFORE", confidence=0.4)
    given = document("five EQUAL tue", guess, "one BEFORE two", "tue BEFORE one")
    made = build(given, [*given.relations, due], inferred=(), origin="model")
    assert [c.kind for c in made.contradictions] == ["dates"]
    assert ("one", "BEFORE", "two", "model") in said(made)


def test_chances_are_turned_with_their_relation():
    chances = {("two", "one", "temporal"): (0.5, 0.3, 0.2, 0.0), ("two", "one", "causal"): (0.5, 0.3, 0.2)}
    t = build(document("one AFTER two", "one CAUSED_BY two"), chances=chances, origin="model")
    assert [x.chances for x in t.links] == [(0.3, 0.5, 0.2, 0.0), (0.5, 0.2, 0.3)]


def test_what_the_text_states_is_said_by_the_text_for_that_kind_alone():
    stated = [("two", "one", "causal"), ("one", "three", "temporal")]
    t = build(document("one BEFORE two", "one BEFORE three", "one CAUSES two"), origin="model", stated=stated)
    assert said(t, "causal") == {("one", "CAUSES", "two", "text")}
    assert {("one", "BEFORE", "two", "model"), ("one", "BEFORE", "three", "text")} <= said(t)


def test_an_undecoded_document_still_has_its_dates():
    t = of_decoded(document(), None, {("one", "mon"): Said((0.1, 0.1, 0.75, 0.05), (1, 0, 0))})
    assert set(t.bounds) == {"one"}
    assert len(t.loose) == 6


WORDS = ["one", "two", "three", "four", "five", "six", "mon", "tue"]
LINES = st.lists(
    st.tuples(
        st.sampled_from(WORDS[:6]), st.sampled_from(["BEFORE", "AFTER", "EQUAL", "VAGUE"]), st.sampled_from(WORDS)
    )
    .filter(lambda x: x[0] != x[2])
    .map(" ".join),
    max_size=10,
)


@settings(max_examples=120, deadline=None)
@given(LINES)
def test_whatever_was_annotated_the_timeline_is_consistent(lines):
    t = build(document(*lines))
    placed = [name for layer in t.layers for name in layer] + list(t.loose)
    assert sorted(placed) == sorted(e.id for e in t.document.events)
    layer = {name: at for at, names in enumerate(t.layers) for name in names}
    events = {e.id for e in t.document.events}
    order = nx.DiGraph()
    for x in t.of_kind("temporal"):
        r = x.relation if x.relation.label != "AFTER" else x.relation.converse
        if set(x.pair) <= events and r.label in ("BEFORE", "EQUAL"):
            assert (layer[r.source] < layer[r.target]) if r.label == "BEFORE" else layer[r.source] == layer[r.target]
            order.add_edge(r.source, r.target)
            if r.label == "EQUAL":
                order.add_edge(r.target, r.source)
    exact = [x.relation for x in t.links if set(x.pair) <= events and x.origin != "dates"]
    assert contradictions(exact) == []
    skeleton = nx.DiGraph([x.pair if x.relation.label == "BEFORE" else x.pair[::-1] for x in t.skeleton()])
    skeleton.add_edges_from(
        e for x in t.links if x.relation.label == "EQUAL" and set(x.pair) <= events for e in (x.pair, x.pair[::-1])
    )
    assert set(nx.transitive_closure(skeleton).edges) == set(nx.transitive_closure(order).edges)


def test_the_sample_reports_are_what_tests_take_them_for():
    small, large = build(flood()), harbour()
    assert (len(small.document.events), len(large.document.events)) == (12, 40)
    assert not small.contradictions
    assert sum(bool(x.change) for x in large.links) >= 3
    assert len(large.of_kind("causal")) >= 5
