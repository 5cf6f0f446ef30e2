"""rankwise's own JSON Lines: what is written is read again, and every mistake is named with its line."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.errors import BadFile, DataError
from rankwise.relations.corpora import jsonl, read
from rankwise.relations.schema import LABELS, Document, Event, Relation, Timex


@st.composite
def documents(draw):
    text = draw(st.text(min_size=4, max_size=40))
    spans = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 6)).map(
        lambda s: (s[0], min(s[0] + s[1], len(text)))
    )
    events = tuple(
        Event(f"e{i}", *draw(spans), draw(st.sampled_from(["", "VERB"]))) for i in range(draw(st.integers(0, 4)))
    )
    times = tuple(Timex(f"t{i + 1}", *draw(spans), draw(st.text(max_size=4))) for i in range(draw(st.integers(0, 2))))
    ids, relations = [x.id for x in (*events, *times)] + ["t0"], []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(sorted(LABELS)))
        ends = draw(st.sampled_from(ids)), draw(st.sampled_from(ids))
        p = draw(st.floats(0, 1))
        relations.append(Relation(*ends, draw(st.sampled_from(LABELS[kind])), kind, draw(st.text(max_size=3)), p))
    linked = draw(st.none() | st.just((0, len(text))))
    dense = frozenset(draw(st.sets(st.sampled_from(sorted(LABELS)))))
    return Document("d", text, events, times, tuple(relations), ((0, 2), (2, 4)), "2020", "g", linked, dense)


@settings(max_examples=80)
@given(made=st.lists(documents(), max_size=3))
def test_what_is_written_is_read_again(tmp_path_factory, made):
    made = [replace(d, id=f"d{i}") for i, d in enumerate(made)]
    path = tmp_path_factory.mktemp("jsonl") / "d.jsonl"
    jsonl.write(made, path)
    assert list(read("jsonl", path)) == made


EVENT = '{"id": "e", "start": 0, "end": 1}'


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ('"id": "a"', "line 2: text is None(.|\n)*It is needed, and is text"),
        ('"id": 3, "text": "a"', "line 2: id is 3"),
        ('"id": "a", "text": "a\\ud800"', "line 2: text is 'a.*(.|\n)*surrogate"),
        ('"id": "a", "text": "abc", "event": []', "field 'event'(.|\n)*Nearest: events"),
        ('"id": "a", "text": "abc", "events": {}', "events is {}(.|\n)*a list of JSON objects"),
        ('"id": "a", "text": "abc", "events": [3]', "line 2, events 1 is 3"),
        ('"id": "a", "text": "abc", "events": [{"id": "e", "start": 0, "stop": 1}]', "events 1 has a field 'stop'"),
        ('"id": "a", "text": "abc", "events": [{"id": "e", "start": 0, "end": true}]', "events 1: end is True"),
        ('"id": "a", "text": "abc", "events": [{"id": "e", "start": 0.0, "end": 1}]', "events 1: start is 0.0"),
        (
            '"id": "a", "text": "abc", "events": [{"id": "e", "start": 0, "end": 9}]',
            "line 2, document a: e spans 0 to 9",
        ),
        ('"id": "a", "text": "abc", "sentences": [3]', "sentences is \\[3\\]"),
        ('"id": "a", "text": "abc", "sentences": [[0, 1.5]]', "sentences is .*(.|\n)*whole numbers"),
        ('"id": "a", "text": "abc", "sentences": [[0, 2], [1, 3]]', "a sentence starts at 1"),
        ('"id": "a", "text": "abc", "sentences": [[0, 4]]', "spans 0 to 4(.|\n)*3 characters"),
        ('"id": "a", "text": "abc", "linked": [2, 9]', "spans 2 to 9"),
        ('"id": "a", "text": "abc", "linked": [2]', "linked is \\[2\\]"),
        ('"id": "a", "text": "abc", "dense": "causal"', "dense is 'causal'(.|\n)*temporal, causal"),
        ('"id": "a", "text": "abc", "dense": ["cause"]', "dense is \\['cause'\\]"),
        ('"id": "a", "text": "abc", "created": 2020', "created is 2020"),
        (f'"id": "a", "text": "abc", "events": [{EVENT}, {EVENT}]', "line 2, document a: the id 'e' names two things"),
        ('"id": "x", "text": "abc"', "line 2: the document 'x' is there twice(.|\n)*line 1"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, fields, says):
    (tmp_path / "d.jsonl").write_text('{"id": "x", "text": "y"}\n{' + fields + "}")
    with pytest.raises(DataError, match=says):
        read("jsonl", tmp_path / "d.jsonl")


@pytest.mark.parametrize("value", ['"high"', "2", "NaN", "true"])
def test_a_confidence_is_a_share(value):
    relation = f'{{"source": "e", "target": "t0", "label": "BEFORE", "confidence": {value}}}'
    with pytest.raises(DataError, match=r"relations 1: confidence is .*(.|\n)*a number from 0 to 1"):
        jsonl.document(json.loads(f'{{"id": "a", "text": "abc", "events": [{EVENT}], "relations": [{relation}]}}'))


def test_a_line_that_is_no_object_is_shown(tmp_path):
    (tmp_path / "d.jsonl").write_text("[1]")
    with pytest.raises(DataError, match=r"line 1 is \[1\]"):
        read("jsonl", tmp_path / "d.jsonl")


def test_two_documents_of_one_id_are_not_written(tmp_path):
    with pytest.raises(DataError, match="document 2: the document 'a' is there twice"):
        jsonl.write([Document("a", "x"), Document("a", "y")], tmp_path / "d.jsonl")
    assert not list(tmp_path.iterdir())


def test_files_that_are_not_json_lines_are_named(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text("{")
    with pytest.raises(BadFile, match=r"d.jsonl, line 1 is no JSON"):
        read("jsonl", path)
    path.write_bytes(b'{"id": "\xe9"}')
    with pytest.raises(BadFile, match="is not UTF-8 \\(byte 8\\)"):
        read("jsonl", path)
    with pytest.raises(BadFile, match=r"none.jsonl is not there"):
        read("jsonl", tmp_path / "none.jsonl")


def test_a_folder_is_all_its_files(tmp_path):
    jsonl.write([Document("a", "x")], tmp_path / "1.jsonl")
    jsonl.write([Document("b", "y")], tmp_path / "2.jsonl")
    assert [d.id for d in read("jsonl", tmp_path)] == ["a", "b"]


def test_the_documentation_names_every_field_and_its_example_is_read(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "relations-format.md").read_text("utf-8")
    for kind in (Document, Event, Timex, Relation):
        for field in fields(kind):
            assert f"| `{field.name}` |" in page
    (tmp_path / "d.jsonl").write_text(re.search(r"```json\n(.*?)```", page, re.S)[1].replace("\n ", " "))
    (made,) = read("jsonl", tmp_path).documents
    assert made.surface("e1") == "met"
    assert [(r.source, r.target, r.label) for r in made.relations] == [("e1", "e2", "BEFORE"), ("e1", "t1", "EQUAL")]
