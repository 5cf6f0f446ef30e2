"""rankwise effect, from a file to figures and a report."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from benchmarks.traps import table as made
from tests.cli_case import figures, run

QUICK = ("--refuters", "placebo,e-value", "--simulations", "2")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("effect")
    table = made(400).assign(cue=np.arange(400) % 2, text=[f"text {i}" for i in range(400)])
    table.to_csv(folder / "data.csv", index=False)
    table.assign(t=table.t == 1).to_csv(folder / "bool.csv", index=False)
    edges = '[["w", "t"], ["w", "y"], ["v", "t"], ["v", "y"], ["t", "y"]]'
    (folder / "g.toml").write_text(f"edges = {edges}\n")
    return folder


def asked(home, *more, data="data.csv", treatment="t"):
    return ("effect", home / data, "--treatment", treatment, "--outcome", "y", *more)


def test_figures_are_printed_as_json_and_written(home):
    got = figures(*asked(home, "--graph", home / "g.toml", "--out", home / "report", *QUICK))
    assert got["ci"][0] < 2 < got["ci"][1]
    assert got["ci"][0] < got["ate"] < got["ci"][1]
    assert got["overlap"]["ok"] is True
    assert [r["name"] for r in got["refuters"]] == ["placebo", "e-value"]
    assert "linear regression" in [e["name"] for e in got["estimators"]]
    assert json.loads((home / "report" / "report.json").read_text())["data"]["ate"] == got["ate"]
    assert (home / "report" / "report.html").is_file()
    told = run(*asked(home, "--common-causes", "w,v", "--out", home / "report"), code=2)
    assert "--overwrite" in told.stderr


def test_overlap_is_told_before_the_effect_and_remarks_beside_it(home):
    told = run(*asked(home, "--common-causes", "w,v", "--effect-modifiers", "cue", *QUICK, data="bool.csv"))
    assert told.stdout.index("overlap") < told.stdout.index("AIPW")
    assert "placebo, passed" in told.stdout
    assert "cue 1" in told.stdout
    assert "t is true or false: taken as 1 and 0" in told.stderr
    assert "Warning" not in told.stderr


def test_a_random_treatment_has_no_common_causes(home):
    for nothing in ("none", "[]"):  # the second is how the message puts it
        got = figures(*asked(home, "--common-causes", nothing, "--refuters", "none", treatment="cue"))
        assert got["identification"]["adjust"] == []
        assert got["refuters"] == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "neither --graph nor --common-causes is given"),
        (("--common-causes", "age"), "'age' is no column"),
        (("--common-causes", "w", "--folds", "1"), "--folds 1"),
        (("--common-causes", "w", "--refuters", "placebos"), "placebos"),
        (("--graph", "none.toml"), "none.toml cannot be read"),
        (("--common-causes", "text"), "--text text"),
    ],
)
def test_mistakes_are_told_in_the_words_of_the_command(home, more, said):
    assert said in run(*asked(home, *more), code=2).stderr


def test_a_text_treatment_is_refused_and_columns_that_could_stand_in_are_named(home):
    told = run(*asked(home, "--common-causes", "w", treatment="text"), code=2).stderr
    assert "is text (400 different values" in told
    assert "cue" in told


def test_a_circle_and_a_doubled_column_are_named(home):
    (home / "circle.toml").write_text('edges = [["t", "y"], ["y", "t"]]')
    assert "t -> y -> t" in run(*asked(home, "--graph", home / "circle.toml"), code=2).stderr
    (home / "twice.csv").write_text("t,y,w,w\n1,2,3,4\n")
    assert "2 columns are named 'w'" in run(*asked(home, "--common-causes", "w", data="twice.csv"), code=2).stderr


def test_the_help_has_an_example():
    assert "Example:  rankwise effect data.csv" in run("effect", "--help").stdout


def test_what_the_documentation_shows_runs(home, monkeypatch, capsys):
    blocks = dict(
        re.findall(
            r"```(toml|bash|python)\n(.*?)```", (Path(__file__).parents[1] / "docs" / "effects.md").read_text(), re.S
        )
    )
    monkeypatch.chdir(home)
    Path("g.toml").write_text(blocks["toml"])
    run(*shlex.split(blocks["bash"])[1:], *QUICK, "--overwrite")
    exec(compile(blocks["python"].replace("simulations=5", "simulations=2"), "docs/effects.md", "exec"), {})
    assert "placebo True" in capsys.readouterr().out
