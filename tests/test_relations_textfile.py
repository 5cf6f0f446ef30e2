"""What a text file that is none is said to be."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from rankwise.errors import BadFile
from rankwise.relations.textfile import decode, read_text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Le café a ouvert à midi.".encode("latin-1"), "looks like cp1252"),
        ("“Quoted” text – with a dash.".encode("cp1252"), "looks like cp1252"),
        (b'{\n "format": "rankwise timeline",\n "version": 1}', "is a timeline already"),
        (b"\xff\x00\x01\x02\x03", "control bytes"),
    ],
)
def test_what_is_no_utf8_text_is_named(content, said):
    with pytest.raises(BadFile, match=said):
        decode(content, "a.txt")


def test_polish_is_not_taken_for_french():
    with pytest.raises(BadFile, match="looks like") as caught:
        decode("Zażółć gęślą jaźń, powiedział sędzia w sądzie okręgowym.".encode("cp1250"), "a.txt")
    assert "cp1252" not in str(caught.value)


def test_a_mark_at_the_start_is_no_text():
    assert decode("\ufeffIt rained.".encode(), "a.txt") == "It rained."


def test_text_is_read_with_and_without_a_mark(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffCafé".encode())
    assert read_text(tmp_path / "a.txt") == "Café"


def test_standard_input_is_read_as_bytes(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Café".encode())))
    assert read_text(Path("-")) == "Café"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Le café est fermé depuis le début de l'été.".encode("cp1252"), r"0xe9 at position 6(.|\n)*iconv -f"),
        (b"%PDF-1.7 ...", r"is a PDF(.|\n)*pdftotext a.txt a.txt"),
        (b"PK\x03\x04...", "zip archive, as .docx"),
        (b"\n<HTML><body>", "is a web page"),
        (b"a\0b", "NUL at position 1"),
    ],
)
def test_what_is_no_text_is_named_with_the_way_out(content, says):
    with pytest.raises(BadFile, match=says):
        decode(content, "a.txt")


def test_a_file_that_is_not_there_names_its_neighbours(tmp_path):
    (tmp_path / "b.txt").write_text("x")
    with pytest.raises(BadFile, match=r"cannot be read(.|\n)*b.txt"):
        read_text(tmp_path / "a.txt")
    with pytest.raises(BadFile, match="cannot be read"):
        read_text(tmp_path)
