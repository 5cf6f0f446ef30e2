"""task.json: every task of a folder under its name, the form of one task as first written, and bases that move."""

from __future__ import annotations

import json

import pytest

from rankwise.errors import BadFile
from rankwise.tasks.notes import Notes, Reading, together


def written(folder, notes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "task.json").write_bytes(notes.to_bytes())
    return Notes.read(folder)


def test_every_task_comes_back(tmp_path):
    notes = Notes("minilm", {"stars": Reading("review", label="stars"), "topic": Reading("a", "b", "t", ";", 64)})
    assert written(tmp_path, notes) == notes
    assert Notes.read(tmp_path / "nowhere") is None


def test_the_form_of_one_task_is_still_read(tmp_path):
    old = {"base": "minilm", "task": "y", "text": "t", "pair": None, "label": "y", "sep": "|", "max_length": 64}
    (tmp_path / "task.json").write_text(json.dumps(old))
    assert Notes.read(tmp_path) == Notes("minilm", {"y": Reading("t", None, "y", "|", 64)})


@pytest.mark.parametrize("content", ["{", "[]", '{"tasks": 3}', '{"base": "x"}', '{"base": "x", "tasks": {"a": 1}}'])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "task.json").write_text(content)
    with pytest.raises(BadFile, match=r"task\.json is not what rankwise train wrote"):
        Notes.read(tmp_path)


def test_a_base_with_a_dot_is_seen_from_the_folder(tmp_path):
    assert Notes("..").base_in(tmp_path / "m" / "heads") == str((tmp_path / "m").resolve())
    assert Notes("/models/x").base_in(tmp_path) == "/models/x"
    assert Notes("org/name").base_in(tmp_path) == "org/name"


def test_notes_of_several_folders_hold_every_task_and_the_first_one_s_wins(tmp_path):
    a = Notes("..", {"x": Reading("one")})
    b = Notes("elsewhere", {"y": Reading("two"), "x": Reading("three")})
    found = together([(tmp_path / "m" / "heads", a), (tmp_path, b)])
    assert found == Notes(str((tmp_path / "m").resolve()), {"x": Reading("one"), "y": Reading("two")})
    assert together([]) is None


def test_tasks_are_renamed():
    notes = Notes("b", {"x": Reading("one"), "y": Reading("two")})
    assert notes.renamed({"x": "z"}) == Notes("b", {"z": Reading("one"), "y": Reading("two")})
