"""rankwise policy: a table in, values of policies out, and one line for each mistake."""

from __future__ import annotations

import pytest

from tests.cli_case import figures, run
from tests.test_causal_policy import shop


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    shop(500).to_csv(folder / "data.csv", index=False)
    (folder / "g.toml").write_text('edges = [["income", "t"], ["income", "y"], ["age", "y"], ["t", "y"]]\n')
    (folder / "circle.toml").write_text('edges = [["t", "y"], ["y", "t"]]\n')
    return folder


def words(place, *more):
    return ("policy", place / "data.csv", "--treatment", "t", "--outcome", "y", *more)


def test_policies_are_told_and_reported(place):
    rule = ("--common-causes", "income,age", "--cost", 0.4, "--rule", "age > 40")
    made = run(*words(place, *rule, "--out", place / "out"))
    for name in ("treat all", "treat none", "treat where the effect exceeds the cost", "age > 40"):
        assert name in made.stdout
    assert "Best in this table" in made.stdout
    assert "note: Good: no row of 500" in made.stderr
    assert {p.name for p in (place / "out").iterdir()} >= {"report.md", "report.html", "report.json"}
    again = run(*words(place, *rule, "--out", place / "out"), code=2)
    assert "--overwrite" in again.stderr
    run(*words(place, *rule, "--out", place / "out", "--overwrite"))


def test_figures_as_json(place):
    held = figures(*words(place, "--common-causes", "income", "--rule", "age > 40", "--seed", 7))
    assert [v["policy"] for v in held["policies"]][:2] == ["treat all", "treat none"]
    assert held["fitting"]["seed"] == 7
    assert held["overlap"]["ok"] is True
    assert held["ci"][0] < held["ate"] < held["ci"][1]
    assert held["files"] == []


def test_a_graph_lets_any_node_be_set(place):
    made = run(*words(place, "--graph", place / "g.toml", "--set", "t=1", "--row", 2, "--resamples", 10))
    assert "set" in made.stdout
    assert "row 2, had t=1 been so" in made.stdout


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--common-causes", "none", "--rule", "agee > 40"], "Nearest: age"),
        ([], "neither --graph nor --common-causes is given"),
        (["--common-causes", "wealth"], "'wealth' is no column"),
        (["--common-causes", "income", "--rule", "agee > 40"], "Nearest: age"),
        (["--common-causes", "income", "--rule", "__import__('os')"], "not called"),
        (["--common-causes", "income", "--rule", "y > 3"], "reads the outcome"),
        (["--common-causes", "income", "--cost", "-1"], "--cost -1.0 is no cost"),
        (["--common-causes", "income", "--set", "t=1"], "need a graph of all columns"),
        (["--graph", "GRAPH", "--common-causes", "income"], "--common-causes and --graph are both given"),
        (["--graph", "GRAPH", "--set", "t=2"], "'t' is one of 0, 1"),
        (["--graph", "CIRCLE"], "circle: t -> y -> t"),
    ],
)
def test_a_mistake_is_one_message(place, more, says):
    paths = {"GRAPH": place / "g.toml", "CIRCLE": place / "circle.toml"}
    made = run(*words(place, *(paths.get(w, w) for w in more)), code=2)
    assert says in made.stderr
    assert "Traceback" not in made.stderr
    assert made.stdout == ""


def test_the_options_are_what_the_library_says(place):
    made = run("policy", "--help").stdout
    assert "Example:  rankwise policy data.csv --treatment t --outcome y" in made
