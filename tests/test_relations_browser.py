"""The page in a real browser: choosing, reasons, filters, search, keys; no complaint and no request of any kind."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest

from rankwise.relations.page import to_html
from rankwise.relations.schema import DEADLINE, Document, Event, Relation, Timex
from rankwise.relations.timeline import build
from tests import browser
from tests.reports import flood, harbour, long, model_timeline
from tests.test_relations_page import ATTACK, attack


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with browser.opened(tmp_path_factory.mktemp("profile")) as window:
        yield window


@pytest.fixture
def show(window, tmp_path):
    """Opens a timeline as a file, and afterwards looks for complaints and requests."""
    path = tmp_path / "page.html"

    def opened(timeline):
        path.write_text(to_html(timeline), encoding="utf-8")
        from selenium.webdriver.support.ui import WebDriverWait

        browser.complaints(window)
        window.get(path.as_uri())
        WebDriverWait(window, 30).until(lambda w: w.find_elements("css selector", "#rows li"))  # a loaded machine
        return Page(window)

    yield opened
    assert browser.complaints(window) == []
    asked = browser.requests(window, path.as_uri())
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}


class Page:
    """What a reader does and sees."""

    def __init__(self, window):
        self.window = window

    def all(self, css):
        return self.window.find_elements("css selector", css)

    def one(self, css):
        return self.window.find_element("css selector", css)

    def row(self, word):
        return next(r for r in self.all("#rows li") if r.find_element("css selector", "b").text == word)

    def panel(self):
        return self.one("#panel").text

    def press(self, *keys):
        for key in keys:
            self.window.switch_to.active_element.send_keys(key)

    def slide(self, percent):
        script = "const x = arguments[0]; x.value = arguments[1]; x.dispatchEvent(new Event('input'))"
        self.window.execute_script(script, self.one("#least"), percent)

    def arcs(self, kind):
        return [a for a in self.all(f"#arcs .arc.{kind}") if "off" not in a.get_attribute("class").split()]


def test_choosing_an_event_shows_its_sentence_its_time_and_its_reasons(show):
    page = show(build(flood()))
    assert "At a glance" in page.panel()
    page.row("collapsed").click()
    panel = page.panel()
    assert "On Tuesday the dam collapsed, which destroyed the old bridge." in panel
    assert page.one("#panel blockquote mark").text == "collapsed"
    assert "11 Mar 2031" in panel
    assert page.one("#panel .group.dated").text.splitlines()[1] == "11 Mar 2031"
    titles = [h.text.rstrip(" 0123456789") for h in page.all("#panel h3")]
    assert titles[1:] == ["Caused by", "Causes", "Starts after", "Starts together with", "Starts before"]
    follows = next(x for x in page.all("#panel .link") if "follows" in x.text and "burst" in x.text)
    follows.find_element("css selector", "summary .badge").click()
    assert "burst starts before flooded" in " ".join(follows.text.split())
    assert page.row("collapsed").get_attribute("aria-selected") == "true"
    assert [m.text for m in page.all("#text .chosen")] == ["collapsed"]


def test_what_the_model_said_and_what_decoding_changed_can_be_read(show):
    timeline = harbour()
    change = next(x for x in timeline.of_kind("temporal") if x.change and x.change.because)
    page = show(timeline)
    page.one(f"#rows [data-id='{change.relation.source}']").click()
    link = next(x for x in page.all("#panel .link") if "changed" in x.text)
    link.find_element("css selector", ".badge").click()
    assert f"{round(change.change.p_before * 100)} %" in link.text
    assert "Changed: by itself the model preferred" in link.text
    assert len(link.find_elements("css selector", ".chances li")) == 4
    assert len(link.find_elements("css selector", ".chain li")) >= 2


def test_a_cause_that_the_text_states_says_so(show):
    timeline = build(flood(), stated=[(x.source, x.target, x.kind) for x in flood().relations if x.kind == "causal"])
    (cause, *_) = timeline.of_kind("causal")
    assert cause.origin == "text"
    page = show(timeline)
    page.one(f"#rows [data-id='{cause.relation.source}']").click()
    link = next(x for x in page.all("#panel .link.causal") if "text" in x.text)
    link.find_element("css selector", ".badge").click()
    assert "a causal signal joins the two" in link.text


def test_the_filter_hides_what_is_less_sure_in_chart_and_panel(show):
    timeline = harbour()
    page = show(timeline)
    causes = timeline.of_kind("causal")
    assert len(page.arcs("cause")) == len(causes)
    middle = sorted(x.relation.confidence for x in causes)[len(causes) // 2]
    least = round(middle * 100)
    page.slide(least)
    left = sum(round(x.relation.confidence, 4) >= least / 100 for x in causes)
    assert 0 < left < len(causes)
    assert len(page.arcs("cause")) == left
    assert f"{left} causes" in page.one("#sum").text.replace("1 cause ", "1 causes ")
    assert page.one("#least-says").text == f"{least} %"
    page.all("#rows li")[8].click()
    assert "hidden by the filters above" in page.panel()


def test_causes_and_order_can_be_switched_off(show):
    page = show(build(flood()))
    assert len(page.arcs("cause")) == 6
    page.one("#causal").click()
    assert page.arcs("cause") == []
    assert page.one("#causal").get_attribute("aria-pressed") == "false"
    assert page.arcs("order")
    page.one("#temporal").click()
    assert page.arcs("order") == []


def test_all_of_it_works_from_the_keyboard(show):
    page = show(build(flood()))
    down, up, enter, escape = "\ue015", "\ue013", "\ue007", "\ue00c"
    page.press("/")
    page.press("bridge")
    assert [r.find_element("css selector", "b").text for r in page.all("#rows .hit")] == ["collapsed", "destroyed"]
    page.press(enter)
    assert page.one("#panel h2").text == "collapsed"
    page.press(enter)
    assert page.one("#panel h2").text == "destroyed"
    page.press(escape)
    assert page.all("#rows .hit") == []
    page.press(escape)
    assert "At a glance" in page.panel()
    page.press(down, down)
    assert page.one("#panel h2").text == page.all("#rows b")[1].text
    page.press(up)
    assert page.one("#panel h2").text == page.all("#rows b")[0].text
    page.press("c")
    assert page.arcs("cause") == []


def test_hovering_shows_the_same_event_in_text_and_chart(show, window):
    from selenium.webdriver import ActionChains

    page = show(build(flood()))
    ActionChains(window).move_to_element(page.row("flooded")).perform()
    assert [m.text for m in page.all("#text .over")] == ["flooded"]
    ActionChains(window).move_to_element(page.one("#text .event")).perform()
    assert [r.find_element("css selector", "b").text for r in page.all("#rows .over")] == ["burst"]


def test_contradictions_are_announced_and_explained(show):
    d = flood()
    page = show(build(d, (*d.relations, Relation("e2", "e1", "BEFORE", confidence=0.3))))
    assert "1 contradiction" in page.one("#alert").text
    assert "These cannot all hold" in page.panel()
    assert "Left out" in page.panel()


def test_a_hostile_text_is_shown_as_it_is(show, window):
    page = show(attack())
    assert window.title == f"{ATTACK} · timeline".replace("\u2028", " ") or window.title.startswith("</script><img")
    assert page.one("#text").get_attribute("textContent") == ATTACK
    for row in page.all("#rows li"):
        row.click()
    assert page.all("img, i i, main script, #panel i[onerror]") == []
    assert "owned" not in window.title.split("onerror")[0]


def test_words_beyond_the_basic_plane_are_marked_where_they_are(show):
    text = "😀😀 The tower fell, then 𝒳 rose."
    d = Document("d", text, (Event("a", text.index("fell"), text.index("fell") + 4), Event("b", 26, 30)))
    page = show(build(d, [Relation("a", "b", "BEFORE")]))
    assert [m.text for m in page.all("#text .event")] == ["fell", d.surface("b")]


def test_one_event_and_no_date_is_a_page_that_says_so(show):
    page = show(build(Document("d", "It rained.", (Event("e", 3, 9),))))
    assert "No date fixes these events" in page.one("#axis").text
    page.row("rained").click()
    assert "Nothing is said of its relations" in page.panel()


@pytest.mark.parametrize("dark", [False, True])
def test_a_page_of_forty_events_is_drawn_without_overlap(show, window, tmp_path, dark):
    from PIL import Image

    page = show(harbour())
    before = page.window.execute_script("return getComputedStyle(document.body).backgroundColor")
    if dark:
        page.one("#theme").click()
        after = page.window.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert before != after
    page.all("#rows li")[10].click()
    boxes = [r.rect for r in page.all("#rows li")]
    assert all(a["y"] + a["height"] <= b["y"] + 0.5 for a, b in pairwise(boxes))
    for row in page.all("#rows li")[:12]:
        label, when = (row.find_element("css selector", x).rect for x in (".label", ".when"))
        assert label["x"] + label["width"] <= when["x"]
    assert window.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    picture = tmp_path / "page.png"
    assert window.save_screenshot(str(picture))
    with Image.open(io.BytesIO(picture.read_bytes())) as image:
        colours = image.convert("RGB").getcolors(1 << 24)
    assert len(colours) > 100
    assert max(n for n, _ in colours) < 0.9 * sum(n for n, _ in colours)


def test_a_hundred_and_fifty_events_answer_at_once(show, window):
    page = show(model_timeline(long(), seed=1, reach=1, noise=0.8))
    assert len(page.all("#rows li")) == 150
    loaded = window.execute_script(
        "const [x] = performance.getEntriesByType('navigation'); return x.domContentLoadedEventEnd - x.responseEnd"
    )
    assert loaded < 5000
    script = (
        "const x = performance.now(); document.querySelectorAll('#rows li')[70].click(); return performance.now() - x"
    )
    assert window.execute_script(script) < 1500
    assert page.one("#panel h2").text


def test_a_deadline_is_told_as_one_and_as_the_reason_of_its_bound(show):
    text = "Workers must repair the road by 9 May 2024."
    d = Document(
        "d",
        text,
        (Event("e", 13, 19),),
        (Timex("t", 32, 42, "2024-05-09"),),
        (Relation("e", "t", "VAGUE", original=DEADLINE),),
    )
    page = show(build(d))
    page.row("repair").click()
    panel = page.panel()
    assert "No later than 1\n9 May 2024" in panel
    assert "No clear order to" not in panel
    page.one("#panel .dated details summary").click()
    assert "repair starts no later than 9 May 2024" in page.panel()
    assert page.one("#panel .group.dated").text.splitlines()[1] == "before 10 May 2024"
