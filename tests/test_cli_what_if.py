"""rankwise what-if from the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rankwise.causal.lag_graph import read
from rankwise.relations.timeline_json import to_json
from tests.cli_case import figures, run
from tests.timelines import on, timeline

SAID = ("--lag", "merger>trial=20d", "--plan", "trial=2020-05-01", "--by-day")


@pytest.fixture(scope="module")
def deal(tmp_path_factory):
    made = timeline({"merger": on("04-05"), "trial": on("05-01"), "launch": None}, causes=("merger>trial",))
    path = tmp_path_factory.mktemp("deal") / "timeline.json"
    path.write_text(to_json(made))
    return path


def test_an_answer_says_slack_and_what_must_hold(deal, tmp_path):
    # the plan of May 1 holds the trial; the merger and 20 days are April 25: 6 days of slack
    shown = run("what-if", deal, "--set", "merger -2d", *SAID, "--out", tmp_path / "r")
    lines = shown.stdout.splitlines()
    assert lines[:2] == [
        "merger is set: 2 d earlier, 2020-04-03 instead of 2020-04-05",
        "trial keeps its time: slack 6 d (8 d after the change)",
    ]
    assert "  trial keeps its time as long as the lag from merger is at most 26 d." in lines
    assert {f.name for f in (tmp_path / "r").iterdir()} == {"report.md", "report.html", "report.json", "picture-1.svg"}
    again = run("what-if", deal, "--set", "merger -2d", *SAID, "--out", tmp_path / "r", code=2)
    assert "is there already" in again.stderr
    assert "--overwrite" in again.stderr


def test_figures_as_json(deal):
    made = figures("what-if", deal, "--set", "merger=2020-04-15", *SAID)
    merger, trial = made["outcomes"]
    assert (merger["set"], merger["shift"]) == (True, [10.0, 10.0])
    assert (trial["verdict"], trial["shift"], trial["slack"]) == ("later", [4.0, 4.0], [6.0, 6.0])
    assert trial["counterfactual"] == ["2020-05-05T00:00:00"] * 2
    assert made["edges"][0]["lag"] == [20.0, 20.0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "merger -2d"), 'merger > trial  --lag "merger>trial=..."'),
        (("--set", "mergr -2d"), "Nearest: merger"),
        ((), 'Say what to change, for instance --set "merger -2d"'),
        (("--set", "merger -2d", "--cause", "trial>merger"), "causes run in a circle: "),
        (("--set", "merger -2d", "--graph", "none.toml"), "none.toml is not there"),
        (("--fit", "folder", "--out", "g.toml"), "one thing at a time"),
    ],
)
def test_what_cannot_be_answered_is_one_clear_message(deal, words, says):
    shown = run("what-if", deal, *words, code=2)
    assert says in shown.stderr
    assert shown.stdout == ""


def test_files_that_are_no_timelines_are_named(tmp_path):
    assert "no timeline was named" in run("what-if", "--set", "a -2d", code=2).stderr
    assert "gone.json is no file" in run("what-if", tmp_path / "gone.json", "--set", "a -2d", code=2).stderr
    (tmp_path / "x.json").write_text("[]")
    assert "x.json: this JSON is no timeline" in run("what-if", tmp_path / "x.json", "--set", "a -2d", code=2).stderr


def test_lags_are_fitted_over_a_folder_and_lent_to_an_answer(deal, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(12):
        made = timeline({"merger": on("04-05"), "trial": on(f"04-{18 + i % 5}")}, causes=("merger>trial",))
        (folder / f"{i}.json").write_text(to_json(made))
    out = tmp_path / "graph.toml"
    shown = run("what-if", "--fit", folder, "--out", out)
    assert "merger > trial" in shown.stdout
    assert "12 timelines, 1 edge" in shown.stdout
    assert "No plans were known" in shown.stderr
    assert read(out).edges[0].lag.mean == pytest.approx(14.9, abs=0.3)
    made = figures("what-if", deal, "--set", "merger +20d", "--graph", out, "--plan", "trial=2020-05-01", "--seed", 1)
    assert made["chances"][0]["moves"] > 0.99
    assert made["seed"] == 1
    low, high = made["outcomes"][1]["shift"]
    # April 25 or 26 and 12.5 to 17.3 days, less May 1 or 2
    assert (low, high) == pytest.approx((5.5, 12.3), abs=0.3)
    assert figures("what-if", "--fit", folder, "--out", out, "--overwrite")["timelines"] == 12
    assert "--fit needs a file" in run("what-if", "--fit", folder, code=2).stderr


def test_asking_needs_no_dowhy(deal):
    """The answer is arithmetic; importing dowhy takes seconds."""
    words = ["what-if", str(deal), "--set", "merger -2d", *SAID]
    code = (
        "import sys; from rankwise.cli.main import app; app(sys.argv[1:], standalone_mode=False); "
        "print(sorted({'dowhy', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
