"""Stories on disk: the house format, a table of cues that reads back, and the truth beside them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from rankwise.causal.narratives import NAMES, Story
from rankwise.causal.story_cues import values
from rankwise.causal.story_files import files_beside, write_stories
from rankwise.errors import FileThere
from rankwise.relations import corpora


def test_stories_read_back_with_their_cues(tmp_path: Path) -> None:
    story = Story(confounding=0.5, lacking={"tense": 0.3})
    made = write_stories(story, 30, tmp_path / "new" / "a.jsonl", seed=3)
    cases = story.draw(30, 3)
    assert list(corpora.read("jsonl", made["stories"])) == [c.document for c in cases]
    with open(made["cues"], newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "style", *NAMES, "before"]
    for row, case in zip(rows, cases, strict=True):
        assert {n: int(row[n]) if row[n] else None for n in NAMES} == values(case)
        assert (row["id"], row["style"]) == (case.document.id, case.style)
        assert row["before"] == str(int(case.label == "BEFORE"))


def test_the_truth_is_that_of_the_model(tmp_path: Path) -> None:
    story = Story({"connective": 2.0}, confounding=0.5, joined=True)
    made = write_stories(story, 5, tmp_path / "a.jsonl")
    written = json.loads(Path(made["truth"]).read_text())
    assert written["ace"]["connective"] == pytest.approx(story.ace("connective"))
    assert written["naive"]["order"] == pytest.approx(story.naive("order"))
    assert written["naive"]["distance"] is None
    assert (written["n"], written["seed"], written["confounding"]) == (5, 0, 0.5)


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    files_beside(out)[1].write_text("mine")
    with pytest.raises(FileThere, match=r"a\.cues\.csv is there already"):
        write_stories(Story(), 2, out)
    assert not out.exists()
    write_stories(Story(), 2, out, overwrite=True)
    assert out.exists()


def test_names_of_the_files() -> None:
    assert [p.name for p in files_beside(Path("x/b.jsonl"))] == ["b.jsonl", "b.cues.csv", "b.truth.json"]
    assert [p.name for p in files_beside(Path("c"))] == ["c", "c.cues.csv", "c.truth.json"]
