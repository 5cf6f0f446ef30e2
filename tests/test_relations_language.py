"""The guess of a language, and texts that are none."""

from __future__ import annotations

import pytest

from rankwise.relations import language as module
from rankwise.relations.corpora import read
from rankwise.relations.language import language


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
