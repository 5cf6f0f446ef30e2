"""A timeline goes through JSON unchanged, and other JSON is refused by name."""

from __future__ import annotations

import json

import pytest

from rankwise.errors import BadFile, DataError
from rankwise.relations.schema import Document, Event, Relation
from rankwise.relations.timeline import build
from rankwise.relations.timeline_json import from_json, to_json
from tests.reports import flood, harbour


@pytest.mark.parametrize("make", [lambda: build(flood()), harbour])
def test_nothing_is_lost(make):
    t = make()
    text = to_json(t)
    assert from_json(text) == t
    assert to_json(from_json(text)) == text
    assert from_json(to_json(t, indent=2).encode()) == t


def test_contradictions_and_odd_characters_come_back():
    d = flood()
    lines = (*d.relations, Relation("e2", "e1", "BEFORE", confidence=0.3))
    t = build(d, lines)
    assert t.contradictions
    assert from_json(to_json(t)) == t
    odd = build(Document("\u2028</script>", "a\x00b 😀 fell", (Event("e", 6, 10),)))
    assert from_json(to_json(odd)) == odd


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m | {"format": "other"}, "no timeline"),
        (lambda m: m | {"version": 2}, "version 2"),
        (lambda m: {k: v for k, v in m.items() if k != "links"}, "damaged .*links"),
        (lambda m: m | {"links": [m["links"][0] | {"origin": "hearsay"}]}, "damaged .*hearsay"),
        (lambda m: m | {"bounds": {"e1": 3}}, "damaged"),
        (lambda m: m | {"links": [m["links"][0] | {"because": [0]}]}, "link number 0"),
        (lambda m: m | {"links": [m["links"][0] | {"because": [2]}]}, "link number 2, of 1"),
        (lambda m: m | {"links": [m["links"][0] | {"label": "CAUSES"}]}, "damaged .*CAUSES"),
        (lambda m: [m], "no timeline"),
    ],
)
def test_what_is_no_timeline_is_refused_by_what_is_wrong(change, says):
    with pytest.raises(BadFile, match=says):
        from_json(json.dumps(change(json.loads(to_json(build(flood()))))))
    with pytest.raises(BadFile, match="no JSON"):
        from_json("{")
    for page in ("\n<!doctype html>", b"<!doctype html>"):
        with pytest.raises(BadFile, match=r"a page to look at.*\n.*timeline.json"):
            from_json(page)


def test_a_document_that_cannot_be_is_refused():
    made = json.loads(to_json(build(flood())))
    made["document"]["events"][0]["end"] = 10**6
    with pytest.raises(DataError, match="spans"):
        from_json(json.dumps(made))


def test_a_reason_is_written_as_the_numbers_of_its_links():
    made = json.loads(to_json(build(flood())))
    derived = [x for x in made["links"] if x["origin"] == "inferred"]
    assert derived
    assert all(isinstance(step, int) for x in derived for step in x["because"])
