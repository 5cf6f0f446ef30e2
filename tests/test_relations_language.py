"""The guess of a language, and texts that are none."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from rankwise.errors import BadFile
from rankwise.relations import language as module
from rankwise.relations.corpora import read
from rankwise.relations.language import language
from rankwise.relations.textfile import decode, read_text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The company said on Monday that it had closed two of its factories after sales fell.", "en"),
        ("L'entreprise a annoncé lundi la fermeture de deux usines après la baisse des ventes.", "fr"),
        ("Das Unternehmen teilte am Montag mit, dass es nach dem Rückgang zwei Werke geschlossen hat.", "de"),
        ("公司周一表示，由于销售下滑，已关闭两家工厂。", "zh"),
    ],
)
def test_languages_by_hand(text, code):
    found, sure = language(text)
    assert found == code
    assert sure > 0.5


def test_a_text_without_letters_is_not_guessed():
    assert language("1998, 42!") == ("en", 0.0)


def test_articles_in_english_need_no_model(monkeypatch):
    unsure = []

    class Asked:
        def classify(self, text):
            unsure.append(text)
            return "en", 0.9

    monkeypatch.setattr(module, "_identifier", Asked)
    assert {language(d.text)[0] for d in read("meantime").documents} == {"en"}
    assert len(unsure) == 2  # two short ones


DUTCH = """De raad heeft woensdag besloten dat de bouw van het stadion dit jaar begint. Het was de wens van de
burgemeester, die in de pers had gezegd dat de stad met de opdracht zou winnen. Of de provincie het plan steunt, is nog
niet bekend. De oppositie was tegen, want de kosten waren volgens haar te hoog, en het geld is nodig voor de wijken."""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (DUTCH, "nl"),
        (DUTCH + " The mayor and the council had the last word, of which the press was told by the mayor.", "nl"),
        ("Storm. " * 60, "en"),
    ],
)
def test_words_that_other_languages_share_do_not_settle_it(text, code, monkeypatch):
    class Asked:
        def classify(self, text):
            return code, 0.9

    monkeypatch.setattr(module, "_identifier", Asked)
    assert language(text) == (code, 0.9)


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
