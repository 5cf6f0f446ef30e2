"""rankwise evaluate and predict: the same answers by every way in, as the rows come, and clear refusals."""

from __future__ import annotations

import csv
import io as texts
import json
import os
import queue
import shutil
import subprocess
import sys
import threading

import pytest
import torch
from safetensors.torch import save_file

from rankwise import load
from rankwise.cli.use import _as_they_come
from rankwise.tasks.folder import Opened

from .cli_case import base_model, figures, rows, run, shop, table


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_score_of_a_table():
    found = figures("evaluate", shop().adapter, shop().test)
    assert found["metric"] == "accuracy"
    assert found["n"] == 60
    assert found["task"] == "stars"
    assert found["low"] < found["value"] <= found["high"]
    assert f"accuracy {found['value']:.4f} (95 % interval" in run("evaluate", shop().adapter, shop().test).stdout


def test_another_metric_can_be_asked_for():
    assert figures("evaluate", shop().adapter, shop().test, "--metric", "f1")["metric"] == "f1"


def test_columns_may_be_called_otherwise(tmp_path):
    renamed = [{"t": r["review"], "y": r["stars"]} for r in rows(60, seed=1)]
    found = figures("evaluate", shop().adapter, table(tmp_path / "t.csv", renamed), "--text", "t", "--label", "y")
    assert found["value"] == figures("evaluate", shop().adapter, shop().test)["value"]


def test_predictions_agree_with_the_score():
    answers = lines(run("predict", shop().adapter, shop().test))
    right = sum(a["prediction"] == a["stars"] for a in answers)
    assert right / 60 == figures("evaluate", shop().adapter, shop().test)["value"]
    assert [a["id"] for a in answers] == [f"r{i}" for i in range(60)]  # every column, in order
    assert all(0.5 <= a["probability"] <= 1 for a in answers)


def test_probabilities_of_every_label_sum_to_one():
    for answer in lines(run("predict", shop().adapter, shop().test, "--probabilities")):
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
        assert answer["probabilities"][answer["prediction"]] == answer["probability"]


def test_csv_says_the_same_as_json_lines():
    answers = lines(run("predict", shop().adapter, shop().test))
    text = run("predict", shop().adapter, shop().test, "--format", "csv", "--probabilities").stdout
    found = list(csv.DictReader(texts.StringIO(text)))
    assert [f["prediction"] for f in found] == [a["prediction"] for a in answers]
    assert [float(f["probability"]) for f in found] == [a["probability"] for a in answers]
    assert "probability of disliked" in found[0]


@pytest.mark.parametrize("form", ["lines", "csv", "jsonl"])
def test_standard_input_gives_the_answers_of_the_file(form):
    given = {
        "lines": "".join(r["review"] + "\n" for r in rows(60, seed=1)),
        "csv": shop().test.read_text(),
        "jsonl": "".join(json.dumps(r) + "\n" for r in rows(60, seed=1)),
    }[form]
    more = [] if form == "lines" else ["--input", form]
    found = lines(run("predict", shop().adapter, "-", *more, given=given))
    wanted = lines(run("predict", shop().adapter, shop().test))
    assert [f["prediction"] for f in found] == [w["prediction"] for w in wanted]
    assert [f["probability"] for f in found] == pytest.approx([w["probability"] for w in wanted], abs=1e-6)


def test_labels_are_not_needed(tmp_path):
    bare = table(tmp_path / "t.csv", [{"review": r["review"]} for r in rows(5)])
    assert len(lines(run("predict", shop().adapter, bare))) == 5


def test_nothing_in_is_nothing_out():
    assert run("predict", shop().adapter, "-", given="").stdout == ""


def test_answers_go_to_a_new_file_if_asked(tmp_path):
    out = tmp_path / "deep" / "answers.jsonl"
    assert run("predict", shop().adapter, shop().test, "--out", out).stdout == ""
    assert out.read_text() == run("predict", shop().adapter, shop().test).stdout
    said = run("predict", shop().adapter, shop().test, "--out", out, code=2).stderr
    assert "FileThere: " in said
    assert "is there already" in said
    assert "--overwrite" in said
    run("predict", shop().adapter, "-", "--out", out, "--overwrite", given="good\n")
    assert len(out.read_text().splitlines()) == 1
    assert "goes with --out" in run("predict", shop().adapter, shop().test, "--overwrite", code=2).stderr


def test_a_row_that_cannot_be_answered_leaves_no_file(tmp_path):
    bad = table(tmp_path / "t.csv", [*rows(3), {"review": "", "stars": "", "id": ""}])
    run("predict", shop().adapter, bad, "--out", tmp_path / "a.jsonl", code=2)
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_blank_lines_are_skipped():
    given = "good w1\n\n   \nbad w2\n\n"
    assert [a["text"] for a in lines(run("predict", shop().adapter, "-", given=given))] == ["good w1", "bad w2"]


def test_what_a_table_is_can_be_said(tmp_path):
    other = shutil.copy(shop().test, tmp_path / "t.data")
    assert len(lines(run("predict", shop().adapter, other, "--input", "csv"))) == 60
    assert "'.data'" in run("predict", shop().adapter, other, code=2).stderr


def test_a_number_has_no_probability(tmp_path):
    file = table(tmp_path / "t.csv", [r | {"stars": str(i % 7)} for i, r in enumerate(rows(40))])
    start = ("train", file, "--text", "review", "--label", "stars", "--base", shop().base, "--quiet")
    run(*start, "--kind", "regression", "--steps", 2, "--method", "head", "--out", tmp_path / "a")
    (answer,) = lines(run("predict", tmp_path / "a", "-", given="good\n"))
    assert list(answer) == ["text", "prediction"]
    text = run("predict", tmp_path / "a", "-", "--format", "csv", given="good\n").stdout
    assert text.splitlines()[0] == "text,prediction"
    assert "answers with a number" in run("predict", tmp_path / "a", file, "--probabilities", code=2).stderr


def test_each_line_is_answered_before_the_next_is_written():
    """A pipe that stays open: the answer to the first line comes while nothing else was sent."""
    command = [sys.executable, "-m", "rankwise.cli.main", "predict", str(shop().adapter)]
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1, "env": plain}
    process = subprocess.Popen(command, **pipes)
    answers: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda: [answers.put(line) for line in process.stdout], daemon=True)
    reader.start()
    try:
        try:
            for text in ("good w1", "bad w2"):
                process.stdin.write(text + "\n")
                process.stdin.flush()
                assert json.loads(answers.get(timeout=60))["text"] == text
            process.stdin.close()
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()  # or a failure above would wait for ever at the end of the block
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdin.close()
        process.stdout.close()


def test_groups_hold_what_has_come_and_never_more_than_asked():
    groups = list(_as_they_come(iter(range(100)), 8))
    assert [i for group in groups for i in group] == list(range(100))
    assert max(map(len, groups)) <= 8


def test_rows_before_an_error_are_answered():
    def some():
        yield 1
        yield 2
        raise ValueError("third")

    groups, found = _as_they_come(some(), 8), []

    def drain():
        for group in groups:
            found.extend(group)

    with pytest.raises(ValueError, match="third"):
        drain()
    assert found == [1, 2]


def test_a_bad_row_is_named_after_the_answers_to_those_before_it():
    result = run("predict", shop().adapter, "-", "--input", "jsonl", given='{"review": "good"}\n{"reviw": 1}\n', code=2)
    assert len(lines(result)) == 1
    assert "line 2" in result.stderr
    assert "Traceback" not in result.output


def test_a_column_that_is_not_there_is_named(tmp_path):
    other = table(tmp_path / "t.csv", [{"text": "good", "stars": "liked"}])
    for command in ("evaluate", "predict"):
        assert "no column 'review'" in run(command, shop().adapter, other, code=2).stderr


def test_a_label_that_was_not_seen_in_training_is_named(tmp_path):
    other = table(tmp_path / "t.csv", [{"review": "good", "stars": "adored"}])
    said = run("evaluate", shop().adapter, other, code=2).stderr
    assert "'adored' was not seen in training" in said
    assert "liked" in said
    assert "line 2" in said


def test_another_base_model_is_refused_by_its_weights(tmp_path):
    other = base_model(tmp_path / "other", seed=1)
    for command in ("evaluate", "predict"):
        said = run(command, shop().adapter, shop().test, "--base", other, code=2).stderr
        assert "WrongBase" in said
        assert str(shop().base) in said
        assert str(other) in said
        assert load(shop().adapter).base["sha256"] in said


def test_the_same_base_model_may_have_moved(tmp_path):
    moved = shutil.copytree(shop().base, tmp_path / "moved")
    assert figures("evaluate", shop().adapter, shop().test, "--base", moved)["n"] == 60


def test_a_base_model_that_is_gone_asks_for_its_new_place(tmp_path):
    base = shutil.copytree(shop().base, tmp_path / "base")
    folder = shutil.copytree(shop().adapter, tmp_path / "a")
    notes = json.loads((folder / "task.json").read_text())
    (folder / "task.json").write_text(json.dumps(notes | {"base": str(base)}))
    assert figures("evaluate", folder, shop().test)["n"] == 60
    base.rename(tmp_path / "moved")
    for command in ("evaluate", "predict"):
        said = run(command, folder, shop().test, code=2).stderr
        assert "--base <model>" in said
    assert figures("evaluate", folder, shop().test, "--base", tmp_path / "moved")["n"] == 60


def test_a_base_model_of_another_width_is_refused_though_it_has_no_digest(tmp_path):
    folder = shutil.copytree(shop().adapter, tmp_path / "a")
    about = json.loads((folder / "rankwise.json").read_text())
    about["base"].pop("sha256")
    (folder / "rankwise.json").write_text(json.dumps(about))
    run("evaluate", folder, shop().test)  # the weights are not known, the shapes fit
    said = run("evaluate", folder, shop().test, "--base", "minilm", code=2).stderr
    assert "WrongBase" in said
    assert "16 -> 16" in said
    assert "384 -> 384" in said


@pytest.mark.parametrize("name", ["rankwise.safetensors", "adapter_model.safetensors"])
def test_a_truncated_file_is_named(tmp_path, name):
    folder = shutil.copytree(shop().adapter, tmp_path / "a")
    (folder / name).write_bytes((folder / name).read_bytes()[:-100])
    for words in (
        ("show", folder),
        ("evaluate", folder, shop().test),
        ("cut", folder, "--energy", "0.9", "--out", "x"),
    ):
        result = run(*words, code=2)
        assert "BadFile" in result.stderr
        assert name in result.stderr
        assert "Traceback" not in result.output


def test_a_foreign_file_is_named(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 2}))
    save_file({"something.else": torch.zeros(2)}, folder / "adapter_model.safetensors")
    said = run("show", folder, code=2).stderr
    assert "BadFile" in said
    assert "adapter_model.safetensors" in said
    assert "'something.else'" in said


def test_a_folder_without_a_head_says_how_to_get_one(tmp_path):
    from dataclasses import replace

    from rankwise import save

    save(replace(load(shop().adapter), heads={}, head_weights={}), tmp_path / "a")
    said = run("predict", tmp_path / "a", "-", "--base", shop().base, given="good\n", code=2).stderr
    assert "no head of rankwise" in said
    assert "rankwise train" in said
    assert "rankwise merge" in said


def test_a_head_that_is_not_there_is_named():
    said = run("evaluate", shop().adapter, shop().test, "--task", "star", code=2).stderr
    assert "no head 'star'" in said
    assert "--task stars" in said


def test_notes_that_are_damaged_are_named(tmp_path):
    folder = shutil.copytree(shop().adapter, tmp_path / "a")
    (folder / "task.json").write_text("{")
    assert "task.json" in run("predict", folder, "-", given="good\n", code=2).stderr


def test_a_folder_without_notes_answers_if_told_its_base(tmp_path):
    folder = shutil.copytree(shop().adapter, tmp_path / "a")
    (folder / "task.json").unlink()
    assert Opened.read(folder).notes is None
    assert "--label <column>" in run("evaluate", folder, shop().test, "--base", shop().base, code=2).stderr
    found = lines(run("predict", folder, shop().test, "--text", "review", "--base", shop().base))
    assert len(found) == 60
