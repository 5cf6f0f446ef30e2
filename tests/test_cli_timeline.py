"""rankwise timeline: a file, a folder and standard input in, a page out; one line for each mistake."""

from __future__ import annotations

import json

import pytest

from tests.cli_case import run

STORY = "A ship hit the bridge on Monday after its engines failed. Divers searched the river and found two survivors.\n"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(STORY)
    return path


def test_a_file_becomes_a_page(text):
    out = text.with_suffix(".html")
    made = run("timeline", text, "--out", out, "--date", "2024-05-14")
    assert "a.txt: 7 events, " in made.stdout
    assert f"written  {out}" in made.stdout
    page = out.read_text()
    assert "engines" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    again = run("timeline", text, "--out", out, code=2)
    assert "--overwrite" in again.stderr
    run("timeline", text, "--out", out, "--overwrite")


def test_figures_as_json_and_other_forms(text):
    made = run("timeline", text, "--out", text.with_suffix(".csv"), "--date", "2024-05-14", "--json")
    figures = json.loads(made.stdout)
    assert (figures["events"], figures["date"]) == (7, "2024-05-14")
    assert [f.rsplit("/", 1)[1] for f in figures["files"]] == ["a.events.csv", "a.relations.csv"]


def test_standard_input(tmp_path):
    made = run("timeline", "-", "--out", tmp_path / "x.json", given=STORY)
    assert "standard input: 7 events" in made.stdout
    assert "No date was given" in made.stderr


def test_a_folder_gives_a_page_each_and_names_what_failed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.txt").write_text(STORY)
    (tmp_path / "in" / "bad.txt").write_text("The red house.")
    (tmp_path / "in" / "noise.txt").write_bytes(bytes(range(256)))
    made = run("timeline", tmp_path / "in", "--out", tmp_path / "out", code=2)
    assert "bad.txt: bad.txt: no events were found" in made.stderr
    assert f"noise.txt: {tmp_path / 'in' / 'noise.txt'} is not text" in made.stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["good.html"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--date", "2021-02-30"], "YYYY-MM-DD"),
        (["--adapter", "nowhere"], "nowhere"),
        (["--out", "x.docx"], "Nearest"),
        (["--demo"], "and --demo are both named"),
    ],
)
def test_a_mistake_is_one_message(text, options, says):
    given = options if "--out" in options else [*options, "--out", text.with_suffix(".html")]
    made = run("timeline", text, *given, code=2)
    assert says in made.stderr
    assert "Traceback" not in made.stderr


def test_files_that_are_no_text(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    assert "pdftotext" in run("timeline", tmp_path / "a.pdf", "--out", tmp_path / "x.html", code=2).stderr
    (tmp_path / "empty").mkdir()
    assert "no .txt file" in run("timeline", tmp_path / "empty", "--out", tmp_path / "y", code=2).stderr
    assert "cannot be read" in run("timeline", tmp_path / "no.txt", "--out", tmp_path / "x.html", code=2).stderr


def test_the_demo_needs_no_text_and_a_text_is_needed_without_it(tmp_path):
    made = run("timeline", "--demo", "--out", tmp_path / "x.html")
    assert "temporal relations" in made.stdout
    assert "Name a file" in run("timeline", "--out", tmp_path / "y.html", code=2).stderr


def test_a_package_that_is_missing_is_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "sentencex" else True)
    said = run("timeline", "--demo", "--out", tmp_path / "x.html", code=2).stderr
    assert "need sentencex" in said
    assert "pip install 'rankwise[relations]'" in said


def test_an_extractor_that_is_not_there_names_the_packaged_one(tmp_path):
    (tmp_path / "a.txt").write_text("It rained.")
    said = run(
        "timeline", tmp_path / "a.txt", "--adapter", tmp_path / "none", "--out", tmp_path / "a.json", code=2
    ).stderr
    assert "packaged" in said
    assert "relations train" in said


def test_what_cannot_hold_is_told_in_the_words_of_the_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("On 4 May 2024 the road opened on 8 May 2024.")
    said = run("timeline", path, "--out", tmp_path / "a.json").stderr
    assert 't1 "4 May 2024" EQUAL e1 "opened"' in said
    assert "cannot all hold" in said
    (tmp_path / "b.txt").write_text("The shop closed.")
    said = run("timeline", tmp_path, "--out", tmp_path / "out", "--format", "json").stderr
    assert "note: a.txt: t1" in said
    assert "note: b.txt: No date was given" in said
