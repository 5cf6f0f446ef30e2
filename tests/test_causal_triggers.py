"""Trigger words: a learnt table says which verb comes first, and two verbs are exchanged only where they fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rankwise.causal.plots import SCRIPTS
from rankwise.causal.triggers import MARGIN, change, first, look, stories, table
from rankwise.data import folder
from tests.test_causal_connectives import case


def test_pairs_of_our_stories_come_in_the_order_that_they_are_told() -> None:
    assert len(stories()) == 2 * len(SCRIPTS)
    assert first("order", "receive") == 1
    assert first("receive", "order") == 0


def test_the_table_speaks_only_where_the_scores_are_apart() -> None:
    scores = table()
    assert first("live", "say") == int(scores["live"] > scores["say"]) == 1
    assert first("say", "live") == 0
    near = next(x for x in scores if x != "say" and abs(scores[x] - scores["say"]) < MARGIN)
    assert first("say", near) is None
    assert first("say", "xyzzy") is None


def test_the_table_is_as_good_as_published() -> None:
    published = json.loads((Path(__file__).parents[1] / "results" / "verb_order" / "accuracy.json").read_text())
    assert published["lemmas"] == len(table()) == 449
    assert published["right of these"] > 0.6
    assert "ShareAlike" in (folder("verb_order") / "LICENSE").read_text("utf-8")


def test_a_value_is_read_whatever_the_form_of_the_verbs() -> None:
    assert look(case("Ann [planted] the corn before Bob [harvested] it.")) == 1
    assert look(case("Ann was [harvesting] the corn while Bob [planted] it.")) == 0
    assert look(case("Ann [slept] and Bob [planted] it.")) is None
    assert look(case("The [plan] and the [harvest].")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He [built] the wall before Bob [demolished] the barn.", "He demolished the wall before Bob built the barn."),
        ("The wall was [built] there and then [demolished] there.", "verbs in different frames"),
        ("He [wrote] the book that had been [published] there.", "verbs in different frames"),
        (
            "He had [broken] the clock before Bob [repaired] the door.",
            "He had repaired the clock before Bob broke the door.",
        ),
        ('"The bread is good," [baked] Ann before Bob [ate] the cake.', "verb before its subject"),
        ("He [said] that they would [live] there.", "verb with a frame of its own"),
    ],
)
def test_verbs_are_exchanged_in_the_forms_of_their_places_or_the_reason_is_said(text: str, expected: str) -> None:
    given = case(text)
    now = look(given)
    assert now is not None
    made = change(given, 1 - now)
    assert (made if isinstance(made, str) else made.document.text) == expected
    if not isinstance(made, str):
        assert look(made) == 1 - now
