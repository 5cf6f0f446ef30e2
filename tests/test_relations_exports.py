"""GraphML, TimeML and CSV say what the timeline says, and other programs can read them."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET

import networkx as nx
import pytest

from rankwise.errors import FileThere, UnknownName
from rankwise.relations.corpora import timeml
from rankwise.relations.exports import to_csv, to_graphml, to_timeml, write
from rankwise.relations.schema import Document, Event, Relation, Timex
from rankwise.relations.timeline import build
from tests.reports import flood, harbour


def odd():
    text = "=cmd|' <b>&\x01 fell]]> it \ud800 fell on fell"
    d = Document(
        "a&b",
        text,
        (Event("x1", 0, 4), Event("x2", text.index("fell"), text.index("fell") + 4), Event("x3", 0, 6)),
        (Timex("when", len(text) - 4, len(text), '20"20'),),
        (Relation("x1", "x2", "AFTER"), Relation("x1", "x2", "CAUSED_BY", "causal"), Relation("x3", "x2", "BEFORE")),
    )
    return build(d)


def test_graphml_holds_every_event_and_link():
    t = build(flood())
    graph = nx.parse_graphml(to_graphml(t))
    assert graph.is_directed()
    assert set(graph) == {m.id for m in t.document.marks}
    assert graph.number_of_edges() == len(t.links)
    assert graph.nodes["e1"]["label"] == "burst"
    assert graph.nodes["e1"]["earliest"] == "2031-03-10T00:00:00"
    edges = {(a, b): x["label"] for a, b, x in graph.edges(data=True) if x["kind"] == "causal"}
    word = {e.id: t.document.surface(e.id) for e in t.document.events}
    assert {(word[a], word[b]) for a, b in edges} >= {("burst", "flooded"), ("blocked", "resigned")}
    assert set(edges.values()) == {"CAUSES"}


def test_timeml_is_read_back_by_the_reader_of_timeml():
    t = build(flood())
    made = timeml.parse("x.tml", to_timeml(t).encode())
    assert made.document.text == t.document.text
    assert [(e.start, e.end) for e in made.document.events] == [(e.start, e.end) for e in t.document.events]
    assert [x.value for x in made.document.timexes] == [x.value for x in t.document.timexes]
    assert made.document.created == "2031-04-20"
    assert not made.problems
    relations, problems = timeml.tlinks(made)
    assert not problems
    assert {(r.source, r.label, r.target) for r in relations} == {
        (r.source, r.label, r.target) for r in t.document.of_kind("temporal")
    }
    assert len(list(made.root.iter("CLINK"))) == 6
    every = timeml.tlinks(timeml.parse("x.tml", to_timeml(t, inferred=True).encode()))[0]
    assert len(every) == len(t.of_kind("temporal"))


def test_timeml_keeps_an_annotators_word():
    d = flood()
    t = build(d, [Relation("e2", "t1", "AFTER", original="IS_INCLUDED")])
    assert 'relType="IS_INCLUDED"' in to_timeml(t)


@pytest.mark.parametrize("make", [odd, harbour])
def test_the_xml_forms_are_well_formed_whatever_the_text(make):
    t = make()
    root = ET.fromstring(to_timeml(t).encode("utf-8"))
    assert "".join(root.find("TEXT").itertext()).startswith(t.document.text[:4])
    ET.fromstring(to_graphml(t).encode("utf-8"))


def test_marks_that_overlap_are_left_out_of_timeml_with_their_links():
    root = ET.fromstring(to_timeml(odd()).encode())
    assert len(list(root.iter("EVENT"))) == len(list(root.iter("MAKEINSTANCE"))) == 2
    ids = {n.get("eiid") for n in root.iter("MAKEINSTANCE")}
    assert {n.get("eventInstanceID") for n in root.iter("TLINK")} <= ids


def test_csv_has_a_row_for_each_event_and_link_and_no_formula():
    t = odd()
    events, links = (list(csv.DictReader(io.StringIO(x))) for x in to_csv(t))
    assert [e["id"] for e in events] == ["x1", "x2", "x3"]
    assert events[0]["text"] == "'=cmd"
    assert len(links) == len(t.links)
    flat = [c for x in to_csv(harbour()) for row in csv.reader(io.StringIO(x)) for c in row]
    assert not [c for c in flat if c[:1] in tuple("=+-@")]
    changed = [x for x in csv.DictReader(io.StringIO(to_csv(harbour())[1])) if x["why"].startswith("by itself")]
    assert changed
    assert " because " in changed[0]["why"]


def test_the_ending_decides_and_nothing_is_overwritten_unasked(tmp_path):
    t = build(flood())
    for ending in ("html", "json", "graphml", "tml", "xml"):
        assert write(t, tmp_path / f"a.{ending}") == (tmp_path / f"a.{ending}",)
        assert (tmp_path / f"a.{ending}").stat().st_size > 1000
    assert [p.name for p in write(t, tmp_path / "a.csv")] == ["a.events.csv", "a.relations.csv"]
    with pytest.raises(FileThere):
        write(t, tmp_path / "a.csv")
    write(t, tmp_path / "a.json", overwrite=True)
    for ending in ("html", "json", "graphml", "tml", "csv"):
        write(odd(), tmp_path / f"odd.{ending}")
    with pytest.raises(UnknownName, match=r"'\.htm'(.|\n)*Nearest: a\.html"):
        write(t, tmp_path / "a.htm")
