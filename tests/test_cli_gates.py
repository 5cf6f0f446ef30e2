"""rankwise gates from the command line, on a table adapter and on an extractor, with tiny bases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import rankwise as rw
from rankwise.causal.cues import TextCue
from rankwise.causal.gate_outcomes import cases_of
from rankwise.causal.gate_study import cues_for
from rankwise.causal.narratives import generate
from rankwise.causal.story_cues import StoryCue
from rankwise.methods import SoRA
from rankwise.relations.corpora.jsonl import write
from rankwise.relations.extract import FILE, settings
from rankwise.relations.model import heads
from rankwise.relations.schema import Relation
from tests import cli_case, tiny
from tests.cli_case import figures, run
from tests.stories import WIDTH, base_model, stories


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An untrained extractor, shaken, and eight stories with their labels."""
    where = tmp_path_factory.mktemp("gates")
    model = rw.models.load(base_model(where / "base"))
    for seed in (0, 1):
        made = rw.new(model, SoRA(rank=2), ["query", "output.dense"], heads=heads(WIDTH), seed=seed)
        rw.save(tiny.shaken(made, seed), where / f"reader{seed}", extra={FILE: settings(40, ["x"])})
    labelled = [replace(case.document, relations=(Relation(*case.pair, case.label),)) for case in generate(8, seed=0)]
    write(labelled, where / "docs.jsonl")
    return where


def test_an_extractors_cues_by_layer(place):
    words = ("gates", place / "reader0", "--data", place / "docs.jsonl", "--by", "layer", "--out", place / "out")
    made = figures(*words, "--cues", "connective, order", "--base", place / "base")
    found = made["experiment"]
    assert [m["outcome"] for m in found["measured"]] == ["connective", "order", "accuracy", "log-likelihood"]
    assert list(found["switches"]) == ["encoder.layer.0", "encoder.layer.1"]
    assert (found["runs"], found["complete"], found["seed"]) == (4, True, 0)
    order = found["measured"][1]
    assert order["documents"] == order["units"] == 8
    assert sum(e["shapley"] for e in order["effects"]) == pytest.approx(order["open"] - order["shut"])
    assert json.loads((place / "out" / "report.json").read_text())["data"]["experiment"] == found
    assert "measurement, not a cure" in (place / "out" / "report.md").read_text()
    refused = run(*words, "--base", place / "base", code=2)
    assert "is there already" in refused.stderr


def test_both_controls_and_the_same_again_for_the_same_seed(place):
    words = ("gates", place / "reader0", "--data", place / "docs.jsonl", "--within", "0.*query", "--most", 3)
    words = (*words, "--cues", "order", "--singular", "--against", place / "reader1", "--seed", 4)
    one, other = (figures(*words, "--out", place / f"out{k}") for k in (1, 2))
    assert len(one["singular_basis"]["switches"]) == len(one["experiment"]["switches"]) == 2
    assert {o["site"] for o in one["overlaps"]["sites"]} >= {"encoder.layer.0.attention.self.query"}
    assert one["experiment"]["measured"] == other["experiment"]["measured"]
    assert one["experiment"]["measured"][0]["units"] <= 3


def test_a_table_adapters_accuracy_by_site():
    shop = cli_case.shop()
    out = shop.adapter.parent / "gates"
    printed = run("gates", shop.adapter, "--data", shop.test, "--out", out, "--by", "layer", "--most", 40).stdout
    assert "log-likelihood" in printed
    assert "switches, 4 masks (all there are), seed 0" in printed
    data = json.loads((out / "report.json").read_text())["data"]["experiment"]
    assert data["measured"][0]["outcome"] == "accuracy"
    assert data["measured"][0]["units"] == 40
    opened = figures("evaluate", shop.adapter, shop.test)
    again = figures("gates", shop.adapter, "--data", shop.test, "--out", out, "--by", "layer", "--overwrite")
    assert again["experiment"]["measured"][0]["open"] == pytest.approx(opened["value"])


def test_what_cannot_be_asked_is_refused_in_one_line(place, tmp_path):
    docs, reader, shop = place / "docs.jsonl", place / "reader0", cli_case.shop()
    out = ("--out", tmp_path / "o")
    assert "Nearest: connective" in run("gates", reader, "--data", docs, *out, "--cues", "conective", code=2).stderr
    assert "--text x: it is for tables" in run("gates", reader, "--data", docs, *out, "--text", "x", code=2).stderr
    table = run("gates", shop.adapter, "--data", shop.test, *out, "--cues", "order", code=2).stderr
    assert "--cues order: it is for documents" in table
    (tmp_path / "bare.jsonl").write_text('{"id": "a", "text": "Nothing happened."}\n')
    bare = run("gates", reader, "--data", tmp_path / "bare.jsonl", *out, code=2).stderr
    assert "no document has two events" in bare
    (tmp_path / "two.jsonl").write_text(
        '{"id": "a", "text": "met left", "events": [{"id": "e1", "start": 0, "end": 3},'
        ' {"id": "e2", "start": 4, "end": 8}]}\n'
    )
    two = run("gates", reader, "--data", tmp_path / "two.jsonl", *out, code=2).stderr
    assert "none of 1 pairs of events has a cue" in two
    assert "is no pattern" in run("gates", reader, "--data", docs, *out, "--within", "(", code=2).stderr
    assert not (tmp_path / "o").exists()


def test_help_has_an_example():
    told = run("gates", "--help").stdout
    assert "rankwise gates out/relations --data documents.jsonl" in told
    assert "A measurement, not a cure." in told


def test_stories_have_exact_cues_and_free_texts_their_own():
    told, free = generate(2, seed=1), cases_of(stories(2))
    assert [type(cue) for cue in cues_for(told, ["order"])] == [StoryCue]
    assert [type(cue) for cue in cues_for([*told, *free], ["order"])] == [TextCue]
    assert [cue.name for cue in cues_for(told)] == [cue.name for cue in cues_for(free)]
