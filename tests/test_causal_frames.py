"""Tables from files, and what is wrong with one."""

from __future__ import annotations

import pandas as pd
import pytest

from rankwise.causal.frames import read_frame
from rankwise.errors import BadFile, DataError


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_each_form_gives_the_same_table(tmp_path, name):
    given = pd.DataFrame({"t": [0, 1], "y": [0.5, -2.25], "w": ["a", "b"]})
    path = tmp_path / name
    if name == "a.jsonl":
        given.to_json(path, orient="records", lines=True)
    elif name == "a.parquet":
        given.to_parquet(path)
    else:
        given.to_csv(path, sep="\t" if name == "a.tsv" else ",", index=False)
    pd.testing.assert_frame_equal(read_frame(path), given, check_dtype=False)


def test_a_name_that_two_columns_have_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("t,y, t\n1,2,3\n")
    with pytest.raises(DataError, match="2 columns are named 't'"):
        read_frame(tmp_path / "a.csv")


def test_a_mark_at_the_start_and_blanks_are_no_part_of_a_name(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbft, y\n1, 2\n")
    assert list(read_frame(tmp_path / "a.csv").columns) == ["t", "y"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.xlsx", "", "Read are .csv"),
        ("a.csv", "", "is empty"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "cannot be read as csv: .*line 3"),
        ("a.csv", "t;y;x\n1;2,5;3\n", "has one column, 't;y;x': its cells stand apart by ';', not by ','"),
        ("a.jsonl", "{", "cannot be read as jsonl"),
        ("a.parquet", "a", "cannot be read as parquet"),
    ],
)
def test_other_contents_are_refused(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadFile, match=said):
        read_frame(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_another_encoding_is_named_with_the_command_that_mends_it(tmp_path, name):
    row = {"a.csv": "t,y\ncafé,1\n", "a.tsv": "t\ty\ncafé\t1\n", "a.jsonl": '{"t": "café", "y": 1}\n'}[name]
    (tmp_path / name).write_text(row, encoding="cp1252")
    with pytest.raises(BadFile, match=f"iconv -f cp1252 -t utf-8 .*> utf8-{name}"):
        read_frame(tmp_path / name)


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(BadFile, match="is a folder"):
        read_frame(tmp_path)


def test_no_file_and_no_rows_are_named(tmp_path):
    with pytest.raises(BadFile, match="is no file"):
        read_frame(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_text("t,y\n")
    with pytest.raises(DataError, match="holds no row"):
        read_frame(tmp_path / "a.csv")
