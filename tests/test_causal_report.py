"""A causal report: the caution first, figures rounded for reading and whole for programs, one page without network."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
import pytest

from rankwise.causal.draw import forest_svg
from rankwise.causal.report import (
    CAUTION,
    Picture,
    Report,
    Section,
    Table,
    Text,
    figure,
    interval,
    jsonable,
    to_html,
    to_markdown,
    write,
)
from rankwise.errors import FileThere


@pytest.fixture
def report():
    table = Table(("cue", "effect", "interval"), (("a|b", 0.12345, interval(0.1, 0.2)), ("c", None, "–")), "Two cues")
    picture = Picture(forest_svg([("a", 0.1, 0.05, 0.2)]), "One <interval>")
    blocks = (Text("First <script>alert(1)</script>.\n\nRun `rankwise effect x*y*z`."), table, picture)
    return Report("Why *so*?", (Section("Effects", blocks),), {"ate": np.float64(0.5), "bad": float("nan")})


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0.12345, "0.123"),
        (-0.0004, "-4.0e-04"),
        (0.0, "0.000"),
        (123.456, "123.5"),
        (12345.6, "12,346"),
        (12345, "12,345"),
        (True, "yes"),
        (None, "–"),
        (float("nan"), "–"),
        ("as it is", "as it is"),
    ],
)
def test_figures_are_rounded_for_reading(value, read):
    assert figure(value) == read


def test_an_interval_without_an_end_is_a_dash():
    assert interval(-0.5, 0.25) == "[-0.500, 0.250]"
    assert interval(None, 1.0) == interval(float("nan"), 1.0) == "–"


def test_the_first_thing_said_is_what_passing_does_not_mean(report):
    markdown, page = to_markdown(report), to_html(report)
    assert markdown.splitlines()[2] == f"> {CAUTION}"
    assert page.index("A refuter that passes does not say") < page.index("<h2")
    assert "3.00 for an effect of 2.00" in CAUTION


def test_names_of_columns_cannot_break_the_markdown_or_the_page(report):
    markdown, page = to_markdown(report), to_html(report)
    assert "| a\\|b | 0.123 | [0.100, 0.200] |".replace("[", "\\[").replace("]", "\\]") in markdown
    assert "`rankwise effect x*y*z`" in markdown
    assert "# Why \\*so\\*?" in markdown
    assert "<script>" not in page
    assert "<code>rankwise effect x*y*z</code>" in page


def test_the_page_needs_no_network_and_knows_dark_and_light(report):
    page = to_html(report)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") == 1


def test_drawings_of_others_keep_their_ids_apart_and_stand_on_white():
    svg = (
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><g id="a"/><use href="#a" fill="url(#a)"/></svg>'
    )
    page = to_html(Report("t", (Section("s", (Picture(svg), Picture(svg))),)))
    assert "<?xml" not in page
    for own in ("p1-a", "p2-a"):
        assert f'<g id="{own}"/><use href="#{own}" fill="url(#{own})"/>' in page
    assert page.count('<figure class="foreign">') == 2


def test_three_files_and_the_pictures_are_written(report, tmp_path):
    files = write(report, tmp_path / "out")
    assert [f.name for f in files] == ["report.md", "report.html", "report.json", "picture-1.svg"]
    data = json.loads(files[2].read_text())
    assert data["data"] == {"ate": 0.5, "bad": None}
    assert data["caution"] == CAUTION
    assert "](picture-1.svg)" in files[0].read_text()
    ET.parse(files[3])
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(f.name for f in files)


def test_a_report_is_not_overwritten_unasked(report, tmp_path):
    write(report, tmp_path)
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(FileThere, match="overwrite=True"):
        write(report, tmp_path)
    write(report, tmp_path, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "kept"
    with pytest.raises(FileThere, match="is a file"):
        write(report, tmp_path / "mine.txt")


def test_what_is_no_json_is_refused_before_anything_is_written(report, tmp_path):
    with pytest.raises(TypeError, match="no form in JSON"):
        write(Report("t", (), {"x": object()}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_jsonable_opens_dataclasses_and_arrays():
    @dataclass(frozen=True)
    class Point:
        x: float
        y: tuple[int, ...]

    made = jsonable({1: Point(np.inf, (1, 2)), "a": np.array([1, 2]), "b": {"z", "y"}, "c": np.bool_(True)})
    assert made == {"1": {"x": None, "y": [1, 2]}, "a": [1, 2], "b": ["y", "z"], "c": True}


def test_a_row_has_a_cell_for_each_column():
    with pytest.raises(ValueError, match="1 cells under 2 columns"):
        Table(("a", "b"), (("x",),))
