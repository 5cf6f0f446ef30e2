"""The published precision of detectors is what the verdicts say, and today's detectors still keep it."""

from __future__ import annotations

import json
from pathlib import Path

from rankwise.causal.cue import Case
from rankwise.causal.cues import CUES
from rankwise.relations import corpora

FOLDER = Path(__file__).parents[1] / "results" / "cues"
VERDICTS = [json.loads(line) for line in (FOLDER / "verdicts.jsonl").read_text().splitlines()]


def test_the_published_counts_are_those_of_the_verdicts() -> None:
    published = json.loads((FOLDER / "precision.json").read_text())
    for cue, samples in published.items():
        for sample, cell in samples.items():
            mine = [v["right"] for v in VERDICTS if (v["cue"], v["sample"]) == (cue, sample)]
            assert (len(mine), sum(mine)) == (cell["judged"], cell["right"])
    text = (FOLDER / "README.md").read_text()
    assert "| connective | fresh | 47 | 44 | 47 | 44 | .94 |" in text


def test_no_verdict_quotes_a_text() -> None:
    assert all(set(v) == {"cue", "sample", "document", "pair", "value", "right"} for v in VERDICTS)


def test_todays_detectors_keep_their_precision_on_news() -> None:
    documents = {d.id: d for d in corpora.read("meantime")}
    by_name = {cue.name: cue for cue in CUES}
    right = read = 0
    for v in VERDICTS:
        if v["document"] in documents:
            said = by_name[v["cue"]].value(Case(documents[v["document"]], tuple(v["pair"])))
            read += said is not None
            right += bool(v["right"]) and said == v["value"]
    assert read > 80
    assert right / read > 0.93
