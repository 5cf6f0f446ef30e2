"""The page holds everything that it shows, and nothing of a text can become markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime
from html.parser import HTMLParser

import pytest

from rankwise.relations.bounds import Bounds
from rankwise.relations.page import to_html
from rankwise.relations.page.facts import facts, pieces, tell_bounds
from rankwise.relations.schema import Document, Event, Relation, Timex
from rankwise.relations.timeline import build
from tests.reports import flood, harbour

ATTACK = "</script><img src=x onerror=\"document.title='owned'\"><!--<script>@@data@@ \u2028 &lt;b&gt; 😀 fell"


def attack():
    fell = ATTACK.index("fell")
    events = (Event("</script><i>", 0, 9, "<b>kind</b>"), Event("e2", fell, fell + 4), Event("e3", 9, 30))
    relations = (
        Relation("e2", "</script><i>", "BEFORE", original="<img>"),
        Relation("e2", "</script><i>", "CAUSES", "causal"),
        Relation("e3", "t", "EQUAL"),
    )
    d = Document(ATTACK, ATTACK, events, (Timex("t", fell - 2, fell - 1, "2020"),), relations, created="2020-02-03")
    return build(d, notes=["<script>note</script>"])


def data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.addresses = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "action", "srcset")]


def test_a_hostile_text_adds_no_element_and_loses_no_character():
    usual, hostile = Tags(), Tags()
    usual.feed(to_html(build(flood())))
    page = to_html(attack())
    hostile.feed(page)
    assert hostile.tags == usual.tags
    assert "img" not in hostile.tags
    assert "".join(text for text, _ in data(page)["text"]) == ATTACK
    assert data(page)["title"] == ATTACK


def test_the_page_names_no_address_and_allows_its_own_script_and_style_alone():
    page = to_html(harbour())
    found = Tags()
    found.feed(page)
    assert found.addresses == ["data:,"]
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)", page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    script = re.findall(r"<script>(.*?)</script>", page, re.S)[0]
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    for part in (script, style):
        assert "sha256-" + base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() in policy
    assert policy.startswith("default-src 'none'")
    assert "innerHTML" not in script


def test_pieces_put_together_are_the_text_and_know_their_marks():
    d = Document("d", "abcdef", (Event("x", 1, 4), Event("y", 2, 6)))
    assert pieces(d, 0, 6) == [["a", []], ["b", ["x"]], ["cd", ["x", "y"]], ["ef", ["y"]]]
    assert pieces(d, 3, 5) == [["d", ["x", "y"]], ["e", ["y"]]]


def test_rows_are_in_the_order_of_the_layers_and_equals_stand_together():
    d = Document("d", "a b c d", tuple(Event(x, i, i + 1) for x, i in zip("abcd", (0, 2, 4, 6), strict=True)))
    t = build(d, [Relation("d", "a", "BEFORE"), Relation("d", "b", "BEFORE"), Relation("a", "c", "EQUAL")])
    assert [(e["id"], e["layer"]) for e in facts(t)["events"]] == [("d", 1), ("a", 2), ("c", 2), ("b", 2)]


def test_reasons_point_at_the_links_they_are_made_of():
    made = facts(harbour())
    links = made["links"]
    derived = [x for x in links if x["o"] == "inferred"]
    assert derived
    assert all(isinstance(step, int) and 0 < abs(step) <= len(links) for x in derived for step in x["b"])
    for x in derived[:50]:
        ends = [(links[abs(n) - 1]["s"], links[abs(n) - 1]["t"])[:: 1 if n > 0 else -1] for n in x["b"]]
        assert ends[0][0] == x["s"]
        assert ends[-1][1] == x["t"]
    changed = [x for x in links if "g" in x]
    assert all(x["g"]["l"] != x["l"] for x in changed)
    assert changed


def moment(text):
    return text and datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("earliest", "latest", "before", "says"),
    [
        (None, None, False, ""),
        ("1998-02-13", None, False, "from 13 Feb 1998 on"),
        (None, "1998-02-13", True, "before 13 Feb 1998"),
        (None, "1998-02-13", False, "by 13 Feb 1998"),
        ("1998-02-13", "1998-02-14", True, "13 Feb 1998"),
        ("1998-02-13", "1998-02-16", True, "13 to 15 Feb 1998"),
        ("1998-02-27", "1998-03-03", True, "27 Feb to 2 Mar 1998"),
        ("1998-02-01", "1998-03-01", True, "Feb 1998"),
        ("1998-02-01", "1998-05-01", True, "Feb 1998 to Apr 1998"),
        ("1998-01-01", "1999-01-01", True, "1998"),
        ("1990-01-01", "2000-01-01", True, "1990 to 1999"),
        ("1998-12-30", "1999-01-03", True, "30 Dec 1998 to 2 Jan 1999"),
        ("1998-02-13T14:30", "1998-02-13T14:31", True, "13 Feb 1998, 14:30"),
        ("1998-02-13T14:00", "1998-02-13T15:00", True, "13 Feb 1998, 14:00 to 15:00"),
        ("1998-02-13", "1998-02-13T12:00", True, "13 Feb 1998, before 12:00"),
        ("1998-02-13", "1998-02-14T12:00", True, "13 Feb 1998 to 14 Feb 1998, 12:00"),
    ],
)
def test_bounds_are_told_as_one_would_say_them(earliest, latest, before, says):
    assert tell_bounds(Bounds(moment(earliest), moment(latest), before)) == says
