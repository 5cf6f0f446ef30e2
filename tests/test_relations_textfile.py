"""What a text file that is none is said to be."""

from __future__ import annotations

import pytest

from rankwise.errors import BadFile
from rankwise.relations.textfile import decode


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Le café a ouvert à midi.".encode("latin-1"), "looks like cp1252"),
        ("“Quoted” text – with a dash.".encode("cp1252"), "looks like cp1252"),
        (b'{\n "format": "rankwise timeline",\n "version": 1}', "is a timeline already"),
        (b"%PDF-1.4", "is a PDF"),
        (b"a\0b", "holds a NUL"),
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
