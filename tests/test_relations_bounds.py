"""Bounds on starts from dates and relations: hand-worked, against a literal Floyd-Warshall, and contradictions."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.errors import DataError
from rankwise.relations.bounds import EPOCH, FAR, SCALE, Bounds, fit
from rankwise.relations.schema import DEADLINE, Document, Event, Relation, Timex

TEXT = "x" * 40
DATES = {"t1": "2020-01-06", "t2": "2020-01-10", "t3": "2020-02", "t4": "P3D"}


def document(*relations, created="", **dates):
    dates = dates or DATES
    return Document(
        "d",
        TEXT,
        tuple(Event(f"e{i}", i, i + 1) for i in range(1, 9)),
        tuple(Timex(name, 20 + i, 21 + i, value) for i, (name, value) in enumerate(dates.items())),
        tuple(Relation(*r.split()) if isinstance(r, str) else r for r in relations),
        created=created,
    )


def reorder(line):
    source, label, target = line.split()
    return Relation(source, target, label)


def bounds(*lines, **more):
    found = fit(document(*map(reorder, lines), **more))
    assert not found.conflicts
    return found


def day(text):
    return datetime.fromisoformat(text)


def test_a_chain_from_a_date_to_a_date_bounds_what_lies_between():
    # e1 on the 6th, e1 before e2 before e3, e3 before the 10th
    found = bounds("e1 EQUAL t1", "e1 BEFORE e2", "e2 BEFORE e3", "e3 BEFORE t2").bounds
    e1, e2 = found["e1"], found["e2"]
    assert (e1.earliest, e1.latest, e1.open) == (day("2020-01-06"), day("2020-01-07"), True)
    assert (e2.earliest, e2.latest, e2.open) == (day("2020-01-06"), day("2020-01-10"), True)
    assert [(r.source, r.target) for r in e2.after] == [("e1", "t1"), ("e1", "e2")]
    assert [(r.source, r.target) for r in e2.before] == [("e2", "e3"), ("e3", "t2")]
    assert "e4" not in found


def test_a_deadline_bounds_from_above_alone_and_includes_its_day():
    due = Relation("e1", "t1", "VAGUE", original=DEADLINE)
    (e1,) = fit(document(due)).bounds.values()
    assert (e1.earliest, e1.latest, e1.open) == (None, day("2020-01-07"), True)  # on the 6th or before
    assert fit(document(due, reorder("e1 EQUAL t1"))).bounds["e1"].earliest == day("2020-01-06")
    assert fit(document(Relation("e1", "t1", "VAGUE"))).bounds == {}
    late = fit(document(due, reorder("e1 AFTER t2")))  # after the 10th: cannot be
    assert [set(cycle) for cycle, _ in late.conflicts] == [{due, reorder("e1 AFTER t2")}]


def test_a_relation_read_from_the_time_says_the_same():
    assert bounds("t1 AFTER e1").bounds["e1"].latest == bounds("e1 BEFORE t1").bounds["e1"].latest == day("2020-01-06")
    assert bounds("t1 BEFORE e1").bounds["e1"] == Bounds(day("2020-01-06"), after=(reorder("t1 BEFORE e1"),))


@pytest.mark.parametrize(
    ("original", "label", "earliest", "latest"),
    [
        ("", "AFTER", "2020-01-06", None),  # of start points: it may be that day
        ("AFTER", "AFTER", "2020-01-07", None),  # an annotator's word of the whole day
        ("IS_INCLUDED", "AFTER", "2020-01-06", "2020-01-07"),
        ("", "EQUAL", "2020-01-06", "2020-01-07"),
        ("INCLUDES", "BEFORE", None, "2020-01-06"),
    ],
)
def test_an_annotators_own_word_is_used(original, label, earliest, latest):
    relation = Relation("e1", "t1", label, original=original)
    for r in (relation, relation.converse):
        b = fit(document(r)).bounds["e1"]
        assert (b.earliest, b.latest) == (earliest and day(earliest), latest and day(latest))


def test_an_event_that_goes_on_at_a_date_may_have_begun_with_it():
    b = fit(document(Relation("e1", "t1", "BEFORE", original="INCLUDES"))).bounds["e1"]
    assert not b.open
    assert fit(document(Relation("e1", "t1", "BEFORE"))).bounds["e1"].open


def test_vague_and_times_without_a_date_say_nothing():
    assert bounds("e1 VAGUE t1", "e2 EQUAL t4").bounds == {}


def test_a_time_without_a_date_hands_bounds_on():
    assert bounds("e1 AFTER t4", "t4 AFTER t2").bounds["e1"].earliest == day("2020-01-10")


def test_the_documents_own_time_bounds_too():
    assert bounds("e1 BEFORE t0", created="2020-03-01").bounds["e1"].latest == day("2020-03-01")
    with pytest.raises(DataError, match="d: the document's own time: '2020-02-30' is no date"):
        fit(document(reorder("e1 BEFORE t0"), created="2020-02-30"))


def test_a_date_in_the_text_that_cannot_be_is_left_aside_and_told():
    found = fit(document(reorder("e1 EQUAL t1"), t1="2020-02-31"))
    assert found.bounds == {}
    assert "2020-02-31" in found.unread["t1"]


def test_a_contradiction_with_the_calendar_is_explained_by_its_cycle():
    lines = ["e1 EQUAL t2", "e2 EQUAL t1", "e1 BEFORE e2", "e3 EQUAL t1", "e2 BEFORE e4"]
    found = fit(document(*map(reorder, lines)))
    ((cycle, out),) = found.conflicts
    assert set(cycle) == {reorder(x) for x in lines[:3]}
    assert out == reorder("e2 EQUAL t1")  # all are as sure: one with a time, and of these the last
    assert set(found.bounds) == {"e1", "e2", "e3", "e4"}


def test_the_least_sure_relation_of_a_contradiction_is_left_out():
    unsure = Relation("e1", "e2", "BEFORE", confidence=0.4)
    found = fit(document(reorder("e1 EQUAL t2"), reorder("e2 EQUAL t1"), unsure))
    assert [out for _, out in found.conflicts] == [unsure]


def test_an_order_in_a_circle_is_a_contradiction_without_any_date():
    lines = ["e1 BEFORE e2", "e2 BEFORE e3", "e3 BEFORE e1"]
    ((cycle, _),) = fit(document(*map(reorder, lines))).conflicts
    assert len(cycle) == 3


def test_dates_order_events_that_nobody_compared():
    found = bounds("e1 EQUAL t1", "e2 EQUAL t2", "e3 AFTER t1", "e4 BEFORE t1")
    assert set(found.before) == {("e1", "e2"), ("e4", "e1"), ("e4", "e2"), ("e4", "e3")}  # e3 may be later the same day
    assert set(found.before["e1", "e2"]) == {reorder("e1 EQUAL t1"), reorder("e2 EQUAL t2")}


def floyd_warshall(n, edges):
    """All shortest paths as in Dechter, Meiri and Pearl 1991, word for word, in exact integers."""
    d = [[0 if i == j else FAR for j in range(n)] for i in range(n)]
    for u, v, w in edges:
        d[u][v] = min(d[u][v], w)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if d[i][k] < FAR and d[k][j] < FAR:
                    d[i][j] = min(d[i][j], d[i][k] + d[k][j])
    return d


LINES = st.lists(
    st.tuples(
        st.sampled_from([f"e{i}" for i in range(1, 7)]),
        st.sampled_from(["BEFORE", "AFTER", "EQUAL"]),
        st.sampled_from([*(f"e{i}" for i in range(1, 7)), "t1", "t2", "t3"]),
    ).filter(lambda x: x[0] != x[2]),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_bounds_are_those_of_all_shortest_paths(lines):
    seconds = {
        "t1": ("2020-01-06", "2020-01-07"),
        "t2": ("2020-01-10", "2020-01-11"),
        "t3": ("2020-02-01", "2020-03-01"),
    }
    edges = []
    for a, label, b in lines:
        i = int(a[1])
        if b in seconds:
            low, high = (int((day(x) - EPOCH).total_seconds()) * SCALE for x in seconds[b])
            edges += [(0, i, low - 1)] if label == "BEFORE" else [(i, 0, -low)]
            edges += [(0, i, high - 1)] if label == "EQUAL" else []
        else:
            j = int(b[1])
            edges += [(j, i, -1)] if label == "BEFORE" else [(i, j, -1)] if label == "AFTER" else [(i, j, 0), (j, i, 0)]
    d = floyd_warshall(7, edges)
    found = fit(document(*(reorder(" ".join(x)) for x in lines)))
    consistent = all(d[i][i] >= 0 for i in range(7))
    assert consistent == (not found.conflicts)
    if consistent:
        for i in range(1, 7):
            b = found.bounds.get(f"e{i}", Bounds())
            high, low = d[0][i], d[i][0]
            assert (b.latest is None) == (high >= FAR)
            assert (b.earliest is None) == (low >= FAR)
            if b.latest:
                assert int((b.latest - EPOCH).total_seconds()) == -(-high // SCALE)
                assert b.open == (high % SCALE != 0)
            if b.earliest:
                assert int((b.earliest - EPOCH).total_seconds()) == -low // SCALE
        pairs = {(i, j) for i in range(1, 7) for j in range(1, 7) if d[0][i] < FAR and d[j][0] < FAR}
        assert set(found.before) == {(f"e{i}", f"e{j}") for i, j in pairs if d[0][i] + d[j][0] < 0}


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_every_explanation_is_a_cycle_that_cannot_hold_and_every_chain_suffices(lines):
    relations = [reorder(" ".join(x)) for x in lines]
    found = fit(document(*relations))
    for cycle, out in found.conflicts:
        assert out in cycle
        assert fit(document(*cycle)).conflicts
    for name, b in found.bounds.items():
        alone = fit(document(*{*b.after, *b.before})).bounds[name]
        assert (alone.earliest, alone.latest, alone.open) == (b.earliest, b.latest, b.open)


def test_two_thousand_events_in_a_row_are_bounded_in_time():
    n = 2000
    d = Document(
        "long",
        "x" * (n + 1),
        tuple(Event(f"e{i}", i, i + 1) for i in range(n)),
        (Timex("t", n, n + 1, "2020-01-06"),),
        (Relation("e0", "t", "EQUAL"), *(Relation(f"e{i}", f"e{i + 1}", "BEFORE") for i in range(n - 1))),
    )
    found = fit(d).bounds
    assert len(found) == n
    assert found[f"e{n - 1}"].earliest == day("2020-01-06")
    assert np.all([len(found[f"e{i}"].after) == i + 1 for i in (0, 10, n - 1)])
