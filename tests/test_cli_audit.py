"""rankwise audit from the command line, on tiny untrained extractors."""

from __future__ import annotations

import json

import pytest

import rankwise as rw
from rankwise.causal.narratives import generate
from rankwise.methods import SoRA
from rankwise.relations.corpora.jsonl import write
from rankwise.relations.extract import FILE, settings
from rankwise.relations.model import heads
from tests import cli_case, tiny
from tests.cli_case import figures, run
from tests.stories import WIDTH, base_model


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    where = tmp_path_factory.mktemp("cli-audit")
    model = rw.models.load(base_model(where / "base"))
    for seed in (0, 1):
        made = rw.new(model, SoRA(rank=2), ["query"], heads=heads(WIDTH), seed=seed)
        rw.save(tiny.shaken(made, seed), where / f"reader{seed}", extra={FILE: settings(40, ["x"])})
    write([case.document for case in generate(30, seed=0)], where / "docs.jsonl")
    return where


def words(place, *more):
    return ("audit", place / "reader0", "--data", place / "docs.jsonl", "--base", place / "base", "--quick", *more)


def test_a_verdict_for_each_cue_and_a_report(place):
    printed = run(*words(place, "--cues", "connective, order", "--out", place / "out")).stdout
    assert "30 pairs of events in 30 documents" in printed
    assert "by edits" in printed
    assert "contrast pairs: both right" in printed
    facts = json.loads((place / "out" / "report.json").read_text())["data"]["audits"]
    assert list(facts[str(place / "reader0")]["cues"]) == ["connective", "order"]
    refused = run(*words(place, "--cues", "order", "--out", place / "out"), code=2)
    assert "is there already" in refused.stderr


def test_two_adapters_as_json_alone_on_standard_output(place):
    more = ("--cues", "order", "--against", place / "reader1", "--out", place / "two", "--seed", 2)
    made = figures(*words(place, *more))
    assert [a["seed"] for a in made["audits"].values()] == [2, 2]
    assert made["change"]["order"]["n"] == 30
    assert "side by side" in (place / "two" / "report.md").read_text().lower()


def test_an_adapter_without_a_temporal_head_is_refused_in_one_line(place):
    shop = cli_case.shop()
    refused = run("audit", shop.adapter, "--data", place / "docs.jsonl", "--out", place / "no", code=2)
    assert "not trained for relations" in refused.stderr
    assert not (place / "no").exists()


def test_an_unknown_cue_names_the_nearest(place):
    refused = run(*words(place, "--cues", "conective", "--out", place / "no"), code=2)
    assert "Nearest: connective" in refused.stderr


def test_the_extractor_in_the_package_goes_by_connectives(place, tmp_path):
    options = ("--data", place / "docs.jsonl", "--cues", "connective", "--quick", "--out", tmp_path / "a")
    made = run("audit", "packaged", *options)
    line = next(line for line in made.stdout.splitlines() if line.startswith("connective"))
    assert line.endswith("used")


def test_a_folder_that_is_not_there_is_refused_before_any_text_is_read(place, tmp_path):
    refused = run("audit", "packagd", "--data", place / "docs.jsonl", "--out", tmp_path / "b", code=2)
    assert "Nearest: packaged" in refused.stderr
    assert "relations train" in refused.stderr
    assert "pairs of events" not in refused.stderr
    refused = run("audit", tmp_path / "adapters", "--data", tmp_path / "none.jsonl", "--out", tmp_path / "b", code=2)
    assert "inside rankwise: packaged" in refused.stderr
