"""A user's table: read, split and turned into rows for training; or refused with its line."""

import io
import math

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.errors import DataError, RecipeError, UnknownName
from rankwise.tasks.table import (
    Columns,
    encode_labels,
    examples,
    labels_of,
    read_table,
    split,
    stream,
    table_of,
    train_and_valid,
)

COLUMNS = Columns("text", label="label")


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def of(labels, **options):
    return table_of({"text": [f"t{i}" for i in range(len(labels))], "label": labels}, COLUMNS, **options)


def test_every_form_of_file_gives_the_same_table(tmp_path):
    files = [
        written(tmp_path, "a.csv", "id,text,label\n1,one,2\n2,two,10\n"),
        written(tmp_path, "a.tsv", "id\ttext\tlabel\n1\tone\t2\n2\ttwo\t10\n"),
        written(tmp_path, "a.jsonl", '{"text": "one", "label": 2}\n{"text": "two", "label": 10}\n'),
        tmp_path / "a.parquet",
    ]
    pyarrow.parquet.write_table(pyarrow.table({"text": ["one", "two"], "label": [2, 10]}), files[-1])
    for path in files:
        table = read_table(path, COLUMNS)
        assert (table.text, table.labels, table.kind) == (("one", "two"), ("2", "10"), "single")
        assert labels_of(table) == ["2", "10"]
        assert encode_labels(table, labels_of(table)) == [0, 1]


def test_pairs_of_texts(tmp_path):
    path = written(tmp_path, "a.csv", "premise,claim,label\np,c,yes\nq,d,no\n")
    table = read_table(path, Columns("premise", "claim", "label"))
    assert (table.text, table.pair) == (("p", "q"), ("c", "d"))
    assert len(table) == 2


def test_a_table_without_labels_can_be_read_but_not_learnt_from(tmp_path):
    table = read_table(written(tmp_path, "a.csv", "text\nx\n"))
    assert (table.labels, table.kind) == (None, None)
    assert encode_labels(table, []) == [None]
    with pytest.raises(DataError, match="--label"):
        labels_of(table)


def test_a_data_frame_is_a_table():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["x", "y"], "label": [1.0, 2.0]})
    table = table_of(frame, COLUMNS)
    assert (table.text, table.labels) == (("x", "y"), ("1", "2"))
    frame.loc[1, "text"] = None
    with pytest.raises(DataError, match="the table, row 2: no value in column 'text'"):
        table_of(frame, COLUMNS)


def test_columns_in_memory_are_checked_too():
    with pytest.raises(UnknownName, match="Nearest: 'text'"):
        table_of({"texts": ["x"], "text": ["x"]}, Columns("txt"))
    with pytest.raises(DataError, match="different length"):
        table_of({"text": ["x"], "label": [1, 2]}, COLUMNS)


def test_missing_texts_are_refused_not_dropped(tmp_path):
    path = written(tmp_path, "a.csv", "text,label\nx,1\n,0\n  ,1\ny,0\n")
    with pytest.raises(DataError, match="line 3: no value in column 'text', and in 1 more of 4 rows"):
        read_table(path, COLUMNS)
    path = written(tmp_path, "a.csv", "text,pair\nx,\n")
    with pytest.raises(DataError, match="line 2: no value in column 'pair'"):
        read_table(path, Columns("text", "pair"))


def test_a_key_that_a_later_json_line_lacks_is_a_missing_value(tmp_path):
    path = written(tmp_path, "a.jsonl", '{"text": "x", "label": 1}\n{"text": "y"}\n')
    with pytest.raises(DataError, match="line 2: no value in column 'label'"):
        read_table(path, COLUMNS)


def test_a_header_alone_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no rows"):
        read_table(written(tmp_path, "a.csv", "text,label\n"), COLUMNS)
    with pytest.raises(DataError, match="holds no rows"):
        read_table(written(tmp_path, "a.jsonl", ""), COLUMNS)


def test_a_list_is_no_text(tmp_path):
    with pytest.raises(DataError, match="line 1: column 'text' holds a list"):
        read_table(written(tmp_path, "a.jsonl", '{"text": ["x"]}'))


def test_a_number_can_be_a_text():
    assert table_of({"text": [7]}).text == ("7",)


def test_labels_become_numbers_by_kind():
    assert encode_labels(of(["b", "a"]), ["a", "b"]) == [1, 0]
    multi = of(["b|a", "", "b"], kind="multi")
    assert labels_of(multi) == ["a", "b"]
    assert encode_labels(multi, ["a", "b"]) == [(1, 1), (0, 0), (0, 1)]
    regression = of([0.5, 2], kind="regression")
    assert labels_of(regression) == []
    assert encode_labels(regression, []) == [0.5, 2.0]


def test_one_class_is_refused():
    with pytest.raises(DataError, match="every row has the same label"):
        labels_of(of(["a", "a", "a"]))


def test_rows_for_training():
    tokens = [{"input_ids": [1, 2], "token_type_ids": [0, 1]}, {"input_ids": [3], "token_type_ids": [0]}]
    first, second = examples(of(["b", "a"]), tokens, ["a", "b"])
    assert (first.ids, first.types, first.label) == ((1, 2), (0, 1), 1)
    assert (second.ids, second.label) == ((3,), 0)
    assert examples(of(["a"]), [{"input_ids": [1]}], ["a"])[0].types is None


LABELS = st.lists(st.sampled_from("aaaabbcd"), min_size=2, max_size=80)


@given(labels=LABELS, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 5))
def test_a_split_takes_its_share_of_every_class(labels, fraction, seed):
    table = of(labels)
    try:
        train, valid = split(table, fraction, seed)
    except DataError:
        capped = [min(labels.count(c) * fraction, labels.count(c) - 1) for c in set(labels)]
        assert round(len(labels) * fraction) == 0 or max(capped) == 0
        return
    assert sorted(train.text + valid.text) == sorted(table.text)
    assert set(train.labels) == set(labels)
    for c in set(labels):
        assert valid.labels.count(c) <= math.ceil(labels.count(c) * fraction)
        assert valid.labels.count(c) >= min(math.floor(labels.count(c) * fraction), labels.count(c) - 1)
    assert list(train.places) == sorted(train.places)


def test_a_split_by_hand():
    # quotas of 0.25: a 1.5, b 0.5, c 0.25; 2.25 rounds to 2: a 1, and the first largest remainder, a's
    train, valid = split(of(["a"] * 6 + ["b"] * 2 + ["c"]), 0.25)
    assert sorted(valid.labels) == ["a", "a"]
    assert len(train) == 7


def test_a_split_repeats_for_its_seed_and_differs_for_another():
    table = of(["a", "b"] * 50)
    assert split(table, 0.2, seed=1) == split(table, 0.2, seed=1)
    assert split(table, 0.2, seed=1) != split(table, 0.2, seed=2)


def test_numbers_and_several_labels_are_split_at_random():
    for table in (of([0.5, 1.5] * 10, kind="regression"), of(["a|b", "b"] * 10, kind="multi")):
        train, valid = split(table, 0.25)
        assert (len(train), len(valid)) == (15, 5)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, math.nan])
def test_a_fraction_outside_its_range_is_refused(fraction):
    with pytest.raises(RecipeError, match="between 0 and 1"):
        split(of(["a", "b"]), fraction)


def test_a_table_too_small_to_split_says_so():
    with pytest.raises(DataError, match="no row to evaluate on"):
        split(of(["a", "b"]), 0.1)


def test_a_second_file_is_held_to_the_labels_of_the_first(tmp_path):
    first = written(tmp_path, "a.csv", "text,label\nx,1\ny,2\n")
    second = written(tmp_path, "b.csv", "text,label\nx,2\ny,2\n")
    train, valid, names = train_and_valid(first, COLUMNS, valid=second)
    assert (names, train.labels, valid.labels) == (["1", "2"], ("1", "2"), ("2", "2"))
    third = written(tmp_path, "c.csv", "text,label\nx,1\ny,three\n")
    with pytest.raises(DataError, match=r"c\.csv, line 3: the label 'three' was not seen in training"):
        train_and_valid(first, COLUMNS, valid=third)


def test_a_fraction_of_one_file(tmp_path):
    path = written(tmp_path, "a.csv", "text,label\n" + "x,1\ny,2\n" * 10)
    train, valid, names = train_and_valid(path, COLUMNS, fraction=0.2)
    assert (len(train), len(valid), names) == (16, 4, ["1", "2"])
    assert sorted(valid.labels) == ["1", "1", "2", "2"]


def test_a_stream_gives_every_column_back(tmp_path):
    path = written(tmp_path, "a.csv", "id,text\n7,x\n8,y\n")
    first, second = stream(path)
    assert (first.place, first.text, first.pair, first.values) == (2, "x", None, {"id": "7", "text": "x"})
    assert second.text == "y"


def test_a_stream_reads_as_the_table_does(tmp_path):
    path = written(tmp_path, "a.csv", 'text,pair\n"two\nlines, and ""quotes""",p\nNA,q\n')
    columns = Columns("text", "pair")
    table = read_table(path, columns)
    asked = list(stream(path, columns))
    assert tuple(row.text for row in asked) == table.text
    assert tuple(row.pair for row in asked) == table.pair
    assert tuple(row.place for row in asked) == table.places


def test_a_stream_of_lines_is_the_text_whatever_it_is_called():
    assert [row.text for row in stream(io.BytesIO(b"one\ntwo\n"), Columns("review"))] == ["one", "two"]
    with pytest.raises(UnknownName, match="there is no column 'claim'"):
        list(stream(io.BytesIO(b"one\n"), Columns("text", "claim")))


def test_a_stream_stops_at_a_missing_text_after_what_came_before():
    rows = stream(io.BytesIO(b"text,n\nx,1\n,2\n"), form="csv")
    assert next(rows).text == "x"
    with pytest.raises(DataError, match="line 3: no value in column 'text'"):
        next(rows)
