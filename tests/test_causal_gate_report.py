"""The report of an experiment on gates, and its picture."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from rankwise.causal.gate_picture import gates_svg, places
from rankwise.causal.gate_report import MEASUREMENT, carriers, gate_report
from rankwise.causal.gates import experiment
from rankwise.causal.measured import Measured, Switched
from rankwise.causal.report import to_html, to_json, to_markdown, write
from rankwise.causal.subspace import Overlap
from rankwise.causal.switches import Direction, Switch, switches
from tests.test_causal_gates import host, planted


@pytest.fixture(scope="module")
def found():
    model = host(rank=2)
    return experiment(model, planted(lambda g, u: 2 * g[0] - g[5] + 3 * g[1] * g[2] + u, model, units=3))


def made(effects):
    rows = tuple(Switched(str(k), e, e, e, 0.0, e, None) for k, e in enumerate(effects))
    return Measured("y", "", 1, 1, 0.0, 0.0, rows, (), "", 1.0, None, None, None, "main", 1.0, 1.0, 1.0)


def test_carriers_by_hand():
    assert carriers(made([5.0, -4.0, 0.5, 0.5])) == 2  # 9 of 10
    assert carriers(made([5.0, -3.9, 0.6, 0.5])) == 3
    assert carriers(made([0.0, 0.0])) == 0


def test_the_report_says_what_was_done_and_what_it_is_not(found):
    text = to_markdown(gate_report(found, "Gates"))
    assert MEASUREMENT in text
    assert "8 live directions in 8 switches" in text
    assert "256 masks were run (32.0 a switch), seed 0" in text
    assert "that the fit has not seen" in text
    assert "a planted number" in text
    assert found.measured[0].effects[0].switch in text
    assert "raises its effect by" in text
    assert to_html(gate_report(found, "Gates")).count("<svg") == 1


def test_the_data_hold_every_number(found):
    data = json.loads(to_json(gate_report(found, "Gates")))["data"]["experiment"]
    effects = data["measured"][0]["effects"]
    np.testing.assert_allclose([e["main"] for e in effects], [2, 1.5, 1.5, 0, 0, -1, 0, 0], atol=1e-9)
    assert data["runs"] == 256
    assert len(data["switches"]) == 8


def test_controls_are_added_where_they_were_taken(found, tmp_path):
    shared = [Overlap("layer.0", (2, 3), 0.5, 0.1, 0.2, 0.1)]
    report = gate_report(found, "Gates", singular=found, shared=shared, other="out/second")
    text = to_markdown(report)
    assert "against out/second" in text
    assert "In the basis of singular vectors" in text
    assert report.data["overlaps"]["sites"][0]["ranks"] == (2, 3)
    assert {p.name for p in write(report, tmp_path / "r")} >= {"report.md", "report.html", "report.json"}


def test_where_nothing_moves_the_report_says_so():
    model = host(rank=1)
    text = to_markdown(gate_report(experiment(model, planted(lambda g, u: 0.5, model)), "Gates"))
    assert "No switch moves it." in text


def test_switches_stand_where_the_model_has_them():
    given = switches(host(rank=2), "site")
    rows, columns, at = places(given)
    assert rows == ("bert.encoder.layer.0", "bert.encoder.layer.1")
    assert columns == ("attention.self.query", "attention.self.value")
    assert at[given[3].name] == (1, 1)
    rows, columns, at = places(switches(host(rank=2), "direction"))
    assert columns == ("0", "1")
    assert len(rows) == 4
    rows, columns, _ = places(switches(host(rank=2), "layer"))
    assert columns == ("all",)
    assert places([Switch("head", (Direction("head", 0), Direction("head", 1)))])[1] == ("all",)


def test_the_picture_is_well_formed_and_the_same_every_time(found):
    svg = gates_svg(found)
    ElementTree.fromstring(svg)
    assert svg == gates_svg(found)
    assert ">2.00<" in svg  # the first gate's effect, whose interval leaves out 0
