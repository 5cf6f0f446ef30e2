"""Every form of file, row by row: what is read, and what is refused with its line."""

import io
import json
import os
import subprocess
import sys

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.errors import BadFile, DataError, UnknownName
from rankwise.tasks.rows import form_of, rows

WANT = [{"text": "good, really", "label": "1"}, {"text": 'he said "no"', "label": "0"}]


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def values(path, *columns, **options):
    return [row for _, row in rows(path, columns, **options)]


def test_csv_with_quotes(tmp_path):
    path = written(tmp_path, "a.csv", 'text,label\n"good, really",1\n"he said ""no""",0\n')
    assert values(path, "text", "label") == WANT


def test_csv_with_the_semicolons_of_a_spreadsheet(tmp_path):
    path = written(tmp_path, "a.csv", '\ufefftext;label\r\ngood, really;1\r\n"he said ""no""";0\r\n')
    assert values(path, "text", "label") == WANT


def test_tsv_takes_quotes_for_characters_unless_they_wrap_the_field(tmp_path):
    path = written(tmp_path, "a.tsv", 'text\tlabel\ngood, really\t1\n"he said ""no"""\t0\n"Oh," he said\t1\n')
    assert values(path) == [*WANT, {"text": '"Oh," he said', "label": "1"}]


def test_an_open_quote_in_tsv_swallows_nothing(tmp_path):
    path = written(tmp_path, "a.tsv", 'text\tlabel\n"open\t1\nnext"\t0\n')
    assert [row["text"] for row in values(path)] == ['"open', 'next"']


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson"])
def test_json_lines_keep_their_types(tmp_path, name):
    path = written(tmp_path, name, '{"text": "x", "label": 1.5, "tags": ["a", {"b": 1}]}\n\n{"text": null}\n')
    assert values(path, "text", "label") == [
        {"text": "x", "label": 1.5, "tags": ["a", {"b": 1}]},
        {"text": None},
    ]


def test_parquet(tmp_path):
    table = pyarrow.table({"text": ["x", None], "label": [1, 2], "tags": [["a"], []]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert list(rows(tmp_path / "a.parquet", ["text"])) == [
        (1, {"text": "x", "label": 1, "tags": ["a"]}),
        (2, {"text": None, "label": 2, "tags": []}),
    ]
    assert values(tmp_path / "a.parquet", "label", only=True) == [{"label": 1}, {"label": 2}]


def test_a_large_parquet_file_is_counted_through(tmp_path):
    pyarrow.parquet.write_table(pyarrow.table({"text": ["x"] * 2500}), tmp_path / "a.parquet")
    assert [place for place, _ in rows(tmp_path / "a.parquet")] == list(range(1, 2501))


def test_plain_lines(tmp_path):
    assert list(rows(written(tmp_path, "a.txt", "one\r\n two \n\n"))) == [
        (1, {"text": "one"}),
        (2, {"text": " two "}),
    ]


def test_an_empty_line_among_others_is_passed_over():
    assert list(rows(io.BytesIO(b"one\n\n  \nthree\n"))) == [(1, {"text": "one"}), (4, {"text": "three"})]


def test_standard_input_is_given_on_line_by_line():
    code = "from rankwise.tasks.rows import rows\nfor place, row in rows('-'): print(row['text'], flush=True)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        run.stdin.write(b"first\n")
        run.stdin.flush()
        assert run.stdout.readline() == b"first\n"  # before the input ends
        run.stdin.close()
        assert run.wait() == 0


def test_a_stream_can_have_a_form():
    assert list(rows(io.BytesIO(b"a,b\n1,2\n"), form="csv")) == [(2, {"a": "1", "b": "2"})]


def test_a_file_is_read_no_further_than_asked():
    def endless():
        yield b"text\n"
        while True:
            yield b"x\n"

    assert next(rows(endless(), form="csv")) == (2, {"text": "x"})


def test_a_row_is_named_by_the_line_on_which_it_begins(tmp_path):
    path = written(tmp_path, "a.csv", 'text\n"two\nlines"\nlast\n')
    assert list(rows(path)) == [(2, {"text": "two\nlines"}), (4, {"text": "last"})]


def test_words_that_look_like_missing_values_stay_words(tmp_path):
    path = written(tmp_path, "a.csv", "text,label\nNA,None\nnull,007\n")
    assert values(path) == [{"text": "NA", "label": "None"}, {"text": "null", "label": "007"}]


def test_a_text_longer_than_the_csv_module_allows_by_itself(tmp_path):
    path = written(tmp_path, "a.csv", "text\n" + "x" * 200_000 + "\n")
    assert len(values(path)[0]["text"]) == 200_000


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\t"), min_size=1)


@given(st.lists(st.tuples(CELL, CELL), min_size=1))
def test_csv_gives_back_what_the_csv_module_wrote(table):
    import csv

    out = io.StringIO(newline="")
    csv.writer(out).writerows([("a", "b"), *table])
    back = list(rows(io.BytesIO(out.getvalue().encode()), form="csv"))
    assert [(row["a"], row["b"]) for _, row in back] == table


@given(st.lists(st.dictionaries(st.text(), CELL, min_size=1), min_size=1))
def test_json_lines_give_back_what_was_dumped(table):
    raw = "\n".join(json.dumps(row, ensure_ascii=False) for row in table)
    assert [row for _, row in rows(io.BytesIO(raw.encode()), form="jsonl")] == table


def test_an_unknown_column_names_the_nearest(tmp_path):
    path = written(tmp_path, "a.csv", "review,stars\nx,1\n")
    with pytest.raises(UnknownName, match="there is no column 'reviews'") as caught:
        values(path, "reviews")
    assert "Nearest: 'review'." in str(caught.value)
    assert "All columns: 'review', 'stars'." in str(caught.value)
    with pytest.raises(UnknownName, match="line 1: there is no column 'label'"):
        values(written(tmp_path, "a.jsonl", '{"text": "x"}\n'), "label")


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "a,b,a\n1,2,3\n"), ("a.tsv", "a\ta\n"), ("a.jsonl", '{"a": 1, "a": 2}')]
)
def test_two_columns_of_one_name_are_refused(tmp_path, name, content):
    with pytest.raises(DataError, match="two columns are called 'a'"):
        values(written(tmp_path, name, content))


@pytest.mark.parametrize("content", ["text,label\nfine,1\nno, good,0\n", "text,label\nfine,1\nno\n"])
def test_a_row_with_more_or_fewer_fields_is_refused(tmp_path, content):
    with pytest.raises(DataError, match=r"line 3: [13] fields, but the header has 2"):
        values(written(tmp_path, "a.csv", content))


@pytest.mark.parametrize("content", ['text\n"never closed\nx\n', 'text\nfine\n"a" b\n'])
def test_broken_quotes_are_refused(tmp_path, content):
    with pytest.raises(BadFile, match=r"line [23]: is not CSV"):
        values(written(tmp_path, "a.csv", content))


def test_bytes_that_are_not_utf8_are_named(tmp_path):
    # "text\n" is 5 bytes, "für\n" 5 more, "caf" 3: the byte is number 13, counting from 0
    path = written(tmp_path, "a.csv", "text\nfür\ncaf".encode() + b"\xe9\n")
    with pytest.raises(BadFile, match=r"byte offset 13 \(line 3\) is 0xe9") as caught:
        values(path)
    assert f"iconv -f cp1252 -t utf-8 {path} > utf8-a.csv" in str(caught.value)
    assert path.read_bytes()[caught.value.offset] == 0xE9


def test_a_handle_without_a_name_is_standard_input():
    read, write = os.pipe()
    with open(write, "wb") as end:
        end.write(b"\xe9\n")
    with open(read, "rb") as stream, pytest.raises(BadFile, match=r"^standard input: byte offset 0"):
        list(rows(stream))


@pytest.mark.parametrize(("raw", "was"), [(b"caf\xe9\n", "cp1252"), ("x\n".encode("utf-16"), "utf-16")])
def test_a_pipe_is_told_where_to_recode(raw, was):
    with pytest.raises(BadFile) as caught:
        list(rows(io.BytesIO(raw)))
    assert str(caught.value).endswith(f"... | iconv -f {was} -t utf-8 | rankwise ...")


def test_utf16_is_named(tmp_path):
    with pytest.raises(BadFile, match="is UTF-16"):
        values(written(tmp_path, "a.csv", "text\nx\n".encode("utf-16")))


@pytest.mark.parametrize(
    ("content", "reason"), [('{"a": 1}\n{"a": \n', "line 2: is not JSON"), ("[1]\n", "line 1: is not a JSON")]
)
def test_broken_json_is_named(tmp_path, content, reason):
    with pytest.raises(BadFile, match=reason):
        values(written(tmp_path, "a.jsonl", content))


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more"])
def test_a_damaged_parquet_file_is_refused(tmp_path, content):
    with pytest.raises(BadFile, match="is not a Parquet file"):
        values(written(tmp_path, "a.parquet", content))


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="is empty"):
        values(written(tmp_path, "a.csv", ""))


def test_a_missing_file_names_its_neighbours(tmp_path):
    written(tmp_path, "reviews.csv", "")
    for name in ("review.csv", "review.parquet"):
        with pytest.raises(BadFile, match=r"Nearest in that folder: reviews\.csv"):
            values(tmp_path / name)
    with pytest.raises(BadFile, match="There are no files"):
        values(tmp_path / "nowhere" / "a.csv")


@pytest.mark.parametrize(
    ("name", "hint"), [("a.json", "one object a line"), ("a.xlsx", "as CSV"), ("a", "It reads .csv")]
)
def test_an_unknown_ending_names_the_known_ones(name, hint):
    with pytest.raises(BadFile, match=hint):
        form_of(name)


def test_an_unknown_form_names_the_nearest():
    with pytest.raises(UnknownName, match="Nearest: csv"):
        list(rows(io.BytesIO(b""), form="cvs"))
