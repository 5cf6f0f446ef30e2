"""rankwise effect --text: from a file to figures and a report."""

from __future__ import annotations

import json

import pytest

from tests.cli_case import base_model, figures, run
from tests.texts import table


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    made = table(240)
    made["region"] = ["north", "south"] * 120
    made.to_csv(folder / "reviews.csv", index=False)
    table(400, told=True).to_csv(folder / "told.csv", index=False)
    base_model(folder / "base")
    return folder


def asked(home, *more, data="reviews.csv"):
    return ("effect", home / data, "--treatment", "t", "--outcome", "y", "--text", "review", *more)


def test_figures_are_printed_as_json_and_written(home):
    some = ("--text-method", "bag", "--refuters", "placebo,e-value", "--simulations", "2", "--common-causes", "region")
    got = figures(*asked(home, "--out", home / "report", *some))
    assert got["ci"][0] < 1 < got["ci"][1]
    assert got["overlap"]["ok"] is True
    assert got["propensity_by"] == "text"
    assert [r["name"] for r in got["refuters"]] == ["placebo", "e-value"]
    assert [e["name"] for e in got["estimators"]][:2] == ["AIPW on the text", "difference of means"]
    assert got["covariates"] == ["region"]
    assert len(got["parts"]) == 4
    assert json.loads((home / "report" / "report.json").read_text())["data"]["ate"] == got["ate"]
    page = (home / "report" / "report.md").read_text()
    assert page.index("Overlap, before any estimate") < page.index("The effect, and other estimators")
    assert "What the text does not tell these models is not adjusted for" in page
    assert "text_q0, text_q1, text_g in place of the text" in page.replace("\\", "")
    told = run(*asked(home, "--out", home / "report"), code=2)
    assert "--overwrite" in told.stderr


def test_adapters_of_a_base_read_the_text(home):
    some = ("--text-method", "sora", "--base", home / "base", "--epochs", "0.3", "--folds", "2", "--refuters", "none")
    got = figures(*asked(home, *some))
    assert len(got["ranks"]) == 2
    assert got["settings"]["epochs"] == 0.3
    assert got["refuters"] == []


def test_overlap_is_told_before_the_effect_and_what_the_text_tells_beside_it(home):
    told = run(*asked(home, "--text-method", "bag", "--refuters", "placebo", "--simulations", "2", data="told.csv"))
    assert told.stdout.index("overlap") < told.stdout.index("AIPW on the text")
    assert "placebo, passed" in told.stdout
    assert "tells the treatment too well" in told.stderr
    assert "Warning" not in told.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--graph", "g.toml"), "--text and --graph are both given"),
        (("--instruments", "region"), "--text and --instruments are both given"),
        (("--common-causes", "review"), "'review' is named as the text and is a covariate"),
        (("--text", "revue"), "Nearest: review"),
        (("--text", "y"), "is the outcome"),
    ],
)
def test_what_cannot_go_with_a_text_is_named(home, more, says):
    assert says in run(*asked(home, *more), code=2).stderr


@pytest.mark.parametrize("option", [("--blocks", 20), ("--text-method", "bag")])
def test_options_of_a_text_need_one(home, option):
    made = run(
        *("effect", home / "reviews.csv", "--treatment", "t", "--outcome", "y", "--common-causes", "none"),
        *option,
        code=2,
    )
    assert f"{option[0]} is given without --text" in made.stderr
