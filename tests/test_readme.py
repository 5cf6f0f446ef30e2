"""What the README shows is run: its commands, its Python, and the figures that it takes from results/."""

from __future__ import annotations

import csv
import json
import re
import shlex
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rankwise import data

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "README.zh-CN.md")


def blocks(page: str, language: str) -> list[str]:
    """Fenced blocks of one language ("" for none named), in order."""
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("```"):
            inside = not inside
            if inside:
                found.append((line[3:].strip(), []))
        elif inside:
            found[-1][1].append(line)
    return ["".join(lines) for name, lines in found if name == language]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """An empty folder with reviews.csv in it: 160 sentences of the embedded corpus."""
    monkeypatch.chdir(tmp_path)
    text, label = data.sentence_polarity("dev")
    with open("reviews.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        rows.writerows(list(zip(text, label, strict=True))[::7][:160])
    return tmp_path


def test_every_command_runs(table):
    from rankwise.cli.main import app

    (block,) = blocks("README.md", "bash")
    for line in block.splitlines():
        name, *arguments = shlex.split(line)
        assert name == "rankwise"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
    assert (table / "out/answers.jsonl").exists()
    assert (table / "out/merged/model.safetensors").exists()


def test_every_snippet_runs(table):
    names: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the Trainer's own, about pinned memory and the like
        for block in blocks("README.md", "python"):
            exec(compile(block, "README.md", "exec"), names)
    assert (table / "out/classifier/adapter_config.json").exists()


def test_both_languages_show_the_same_commands_and_snippets():
    for language in ("bash", "python", ""):
        strip = [re.sub(r"\s*#.*", "", b) for b in blocks("README.md", language)]
        other = [re.sub(r"\s*#.*", "", b) for b in blocks("README.zh-CN.md", language)]
        assert strip == other, language


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_and_linked_files_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake (\w+)", text):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / link).exists(), link
    assert "@@" not in text


@pytest.mark.parametrize("page", PAGES)
def test_figures_of_the_main_job_come_from_the_committed_run(page):
    report = json.loads((ROOT / "results/demo/report.json").read_text())
    text = (ROOT / page).read_text(encoding="utf-8")
    for row in report["methods"]:
        assert f"{row['accuracy']:.4f}" in text
        assert f"{row['kept']:,}" in text
