"""rankwise narratives: what it writes, what it prints, and what it refuses in one clear line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rankwise.causal.narratives import Story
from rankwise.relations import corpora
from tests.cli_case import figures, run


def test_stories_are_written_and_told_of(tmp_path: Path) -> None:
    out = tmp_path / "stories.jsonl"
    said = run("narratives", "--n", 12, "--confounding", 0.5, "--seed", 4, "--out", out).stdout
    assert "12 stories" in said
    assert [d.text for d in corpora.read("jsonl", out)] == [
        c.document.text for c in Story(confounding=0.5).draw(12, seed=4)
    ]
    line = next(x for x in said.splitlines() if x.startswith("connective"))
    assert line.split()[1:] == [
        f"{v:+.3f}" for v in (Story(confounding=0.5).ace("connective"), Story(confounding=0.5).naive("connective"))
    ]


def test_json_is_json_alone_and_options_reach_the_model(tmp_path: Path) -> None:
    words = ("--n", 3, "--effect", "connective=2", "--effect", "tense=1", "--lacking", "signal=1", "--joined")
    made = figures("narratives", *words, "--out", tmp_path / "s.jsonl")
    assert made["effects"] == {"connective": 2.0, "tense": 1.0}
    assert made["lacking"] == {"signal": 1.0}
    assert made["joined"] is True
    assert made["ace"]["order"] == 0
    assert Path(made["truth"]).is_file()
    assert made["ace"]["signal"] is None
    flat = figures("narratives", "--deterministic", "--n", 1, "--out", tmp_path / "d.jsonl")
    assert flat["deterministic"] is True


def test_wrong_options_are_refused_with_the_remedy(tmp_path: Path) -> None:
    out = ("--out", tmp_path / "s.jsonl")
    assert "Nearest: tense" in run("narratives", "--effect", "tens=1", *out, code=2).stderr
    assert "CUE=NUMBER" in run("narratives", "--effect", "tense", *out, code=2).stderr
    for odd in ("inf", "nan", "1e999"):
        assert "finite" in run("narratives", "--effect", f"tense={odd}", *out, code=2).stderr
    assert "--deterministic" in run("narratives", "--confounding", 1, *out, code=2).stderr.replace("=True", "")
    assert "lacking order" in run("narratives", "--lacking", "order=.5", *out, code=2).stderr
    assert "--out" in run("narratives", "--n", 2, "--out", tmp_path / "s.csv", code=2).stderr
    run("narratives", "--n", 0, *out, code=2)
    run("narratives", code=2)
    run("narratives", "--n", 2, *out)
    assert "--overwrite" in run("narratives", "--n", 2, *out, code=2).stderr
    run("narratives", "--n", 2, *out, "--overwrite")


def test_help_needs_no_torch_and_has_an_example() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from rankwise.cli.main import app;"
        "said = CliRunner().invoke(app, ['narratives', '--help']).stdout;"
        "assert 'rankwise narratives --n 200 --confounding 0.5 --seed 0 --out stories.jsonl' in said, said;"
        "assert not {'torch', 'dowhy', 'pandas', 'matplotlib', 'lemminflect'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
