"""What the report of an audit shows."""

from __future__ import annotations

import json

import pytest

from rankwise.causal.audit import How, audit
from rankwise.causal.audit_report import audit_report
from rankwise.causal.narratives import CUES, Story, generate
from rankwise.causal.readers import LogitReader
from rankwise.causal.report import to_html, to_json, to_markdown
from rankwise.causal.side_by_side import side_by_side

READER = LogitReader({"connective": 2.0, "order": 1.5})
CASES = generate(150, seed=4)
HOW = How(refuters=("placebo",), simulations=3)
FOUND = audit(CASES, READER, CUES[:2], how=HOW)
REPORT = audit_report({"mine": FOUND}, data="docs.jsonl", notes=["Quick: some."])


def test_every_cue_has_effect_estimate_overlap_agreement_and_verdict():
    said = to_markdown(REPORT)
    assert "| cue | effect by edits | 95 % | DoWhy's estimate | 95 % | overlap | agrees | verdict |" in said
    assert "| ok | yes | used |" in said
    assert "| ok | yes | shortcut |" in said
    assert "`mine` on 150 pairs of events of 150 documents of `docs.jsonl`, seed 0" in said
    assert "Quick: some." in said
    assert "3 simulations each, where there are any; seed 0." in said


def test_figures_are_whole_in_json():
    facts = json.loads(to_json(REPORT))["data"]["audits"]["mine"]
    order = facts["cues"]["order"]
    assert order["effect"]["value"] == pytest.approx(FOUND["order"].effect.value)
    assert order["effect"]["n"] == order["edited"] == 150
    assert order["estimate"]["ci"][0] < order["estimate"]["ate"] < order["estimate"]["ci"][1]
    assert order["refuters"][0]["name"] == "placebo"
    assert facts["contrast"]["both"]["value"] == FOUND.contrast.both.value


def test_what_is_not_estimated_is_said_and_drawn_without_a_dot():
    found = audit(Story(deterministic=True).draw(120, 1), READER, CUES[:2], how=HOW)
    report = audit_report({"mine": found})
    said = to_markdown(report)
    assert "not estimated | 100% off | – | off support" in said
    assert "None was run." in said
    assert 'class="rankwise-drawing"' in to_html(report)


def test_two_adapters_stand_side_by_side():
    other = audit(CASES, LogitReader({"connective": 2.0}), CUES[:2], how=HOW)
    report = audit_report({"mine": FOUND, "theirs": other}, side_by_side(FOUND, other))
    said = to_markdown(report)
    assert "First: mine. Second: theirs." in said
    assert "| shortcut | ignored |" in said
    assert report.data["change"]["order"]["value"] < -0.1
