"""rankwise's own JSON Lines: what is written is read again, and every mistake is named with its line."""

from __future__ import annotations

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
    path = tmp_path_factory.mktemp("jsonl") / "d.jsonl"
    jsonl.write(made, path)
    assert list(read("jsonl", path)) == made


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"id": "a"}', "line 2: text is None"),
        ('{"id": 3, "text": "a"}', "line 2: id is 3"),
        ('{"id": "a", "text": "abc", "event": []}', "field 'event'(.|\n)*Nearest: events"),
        ('{"id": "a", "text": "abc", "events": {}}', "events is {}"),
        ('{"id": "a", "text": "abc", "events": [{"id": "e", "start": 0, "stop": 1}]}', "events 1 has a field 'stop'"),
        ('{"id": "a", "text": "abc", "events": [{"id": "e", "start": 0, "end": true}]}', "events 1: end is True"),
        ('{"id": "a", "text": "abc", "events": [{"id": "e", "start": 0, "end": 9}]}', "a: e spans 0 to 9"),
        ('{"id": "a", "text": "abc", "sentences": [3]}', "sentences and linked are"),
        ("[1]", "line 2 is '\\[1\\]'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, line, says):
    (tmp_path / "d.jsonl").write_text('{"id": "x", "text": "y"}\n' + line)
    with pytest.raises(DataError, match=says):
        read("jsonl", tmp_path / "d.jsonl")


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
