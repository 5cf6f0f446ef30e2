"""The four steps on a table: right effects, honest refusals, and what can still be told is told."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from benchmarks.traps import table as made
from rankwise.causal.estimate import effect
from rankwise.causal.graph import Graph
from rankwise.errors import DataError

EDGES = [("w", "t"), ("w", "y"), ("v", "t"), ("v", "y"), ("t", "y")]
QUICK = {"refuters": (), "compare": False}


@pytest.fixture(scope="module")
def table():
    return made(800)


@pytest.fixture(scope="module")
def found(table):
    return effect(table, "t", "y", graph=EDGES, effect_modifiers=["v"], simulations=3)


def test_the_effect_is_found_with_all_that_belongs_to_it(found):
    low, high = found.ci
    assert low < 2 < high
    assert found.n == 800
    assert found.overlap.ok
    assert found.way.adjust == ("w", "v")
    assert [e.name for e in found.estimators][:2] == ["AIPW, linear", "difference of means"]
    assert {r.name: r.passed for r in found.refuters}["placebo"] is True
    assert found.cate[0].column == "v"
    assert sum(v.n for v in found.cate[0].levels) == 800
    assert found.independences.implied == 1
    assert found.scores.mean() == pytest.approx(found.ate)
    assert found.notes == ()


def test_a_list_of_causes_a_networkx_graph_and_edges_give_the_same(table, found):
    for stated in ({"common_causes": ["w", "v"]}, {"graph": nx.DiGraph(EDGES)}):
        assert effect(table, "t", "y", **stated, **QUICK).ate == found.ate


def test_each_kind_of_model_can_be_chosen(table):
    for nuisance in ("boosting", "network"):
        got = effect(table, "t", "y", common_causes=["w", "v"], nuisance=nuisance, **QUICK)
        assert abs(got.ate - 2) < 4 * got.se


def test_where_the_treatment_was_random_nothing_is_adjusted_for():
    rng = np.random.default_rng(0)
    t = rng.integers(0, 2, 400)
    got = effect(pd.DataFrame({"t": t, "y": 2 * t + rng.normal(size=400)}), "t", "y", common_causes=[], **QUICK)
    assert got.ci[0] < 2 < got.ci[1]
    assert got.way.adjust == ()


def test_a_boolean_treatment_is_cast_and_said(table):
    got = effect(table.assign(t=table.t == 1), "t", "y", common_causes=["w", "v"], refuters=["unobserved common cause"])
    assert "taken as 1 and 0" in got.notes[0]
    assert got.refuters[0].new > 0.3


def test_rows_with_gaps_are_left_out_and_counted(table):
    holed = table.assign(w=table.w.where(np.arange(800) % 10 > 0), other=np.nan)
    got = effect(holed, "t", "y", common_causes=["w", "v"], **QUICK)
    assert got.n == 720
    assert "80 of 800 rows are left out, for they have gaps (80 in w)" in got.notes[0]
    with pytest.raises(DataError, match=r"every row has a gap \(800 in other\)"):
        effect(holed, "t", "y", common_causes=["other"], **QUICK)


def test_without_overlap_no_average_is_given_and_what_is_known_is(table):
    steep = table.assign(t=(table.w + 0.3 * table.v > np.random.default_rng(0).normal(size=800) * 0.3).astype(int))
    steep["y"] = 2 * steep.t + 1.5 * steep.w + steep.v
    got = effect(steep, "t", "y", common_causes=["w", "v"])
    assert not got.overlap.ok
    assert got.ate is None
    assert got.ci is None
    names = [e.name for e in got.estimators]
    assert names[:2] == ["AIPW, rows with overlap", "AIPW, all rows"]
    assert abs(got.estimators[0].ate - 2) < 0.2
    assert "a guess" in got.estimators[1].note
    assert got.refuters == ()
    assert any("There is no average over all rows" in n for n in got.notes)


def test_a_cause_that_fixes_the_treatment_leaves_nothing_to_compare(table):
    got = effect(table.assign(w=table.t * 1.0), "t", "y", common_causes=["w", "v"], **QUICK)
    assert got.ate is None
    assert got.overlap.outside > 0.9
    assert [e.name for e in got.estimators] == ["AIPW, all rows"]


def test_an_instrument_is_used_where_the_graph_gives_one():
    rng = np.random.default_rng(0)
    u, z = rng.normal(size=2000), rng.integers(0, 2, 2000)
    t = (z + u + rng.normal(size=2000) > 0.5).astype(int)
    data = pd.DataFrame({"z": z, "t": t, "y": 2 * t + 2 * u + rng.normal(size=2000)})
    graph = Graph((("u", "t"), ("u", "y"), ("z", "t"), ("t", "y")), frozenset("u"))
    got = effect(data, "t", "y", graph=graph)
    assert got.way.kind == "instrument"
    assert got.ci[0] < 2 < got.ci[1]
    assert got.overlap is None
    assert got.estimators[1].ate > 3
    assert any("F = " in n for n in got.notes)
    assert effect(data, "t", "y", common_causes=[], instruments=["z"], **QUICK).ate == pytest.approx(got.ate)


def test_a_front_door_is_used_where_the_graph_gives_one():
    rng = np.random.default_rng(0)
    u = rng.normal(size=2000)
    t = (u + rng.normal(size=2000) > 0).astype(int)
    m = t + rng.normal(size=2000)
    data = pd.DataFrame({"t": t, "m": m, "y": 2 * m + 2 * u + rng.normal(size=2000)})
    got = effect(data, "t", "y", graph=Graph((("u", "t"), ("u", "y"), ("t", "m"), ("m", "y")), frozenset("u")))
    assert got.way.kind == "front door"
    assert got.ci[0] < 2 < got.ci[1]


def test_where_the_graph_leaves_no_way_nothing_is_estimated(table):
    graph = Graph((("u", "t"), ("u", "y"), ("t", "y")), frozenset("u"))
    got = effect(table, "t", "y", graph=graph)
    assert got.ate is None
    assert [e.name for e in got.estimators] == ["difference of means"]
    assert "u cannot be adjusted for" in got.notes[-1]


def test_a_graph_that_the_table_contradicts_is_said():
    rng = np.random.default_rng(0)
    a = rng.normal(size=800)
    data = pd.DataFrame({"a": a, "b": a + 0.2 * rng.normal(size=800), "t": rng.integers(0, 2, 800)})
    got = effect(data.assign(y=data.t + data.b), "t", "y", graph=[("a", "y"), ("b", "y"), ("t", "y")], **QUICK)
    assert got.independences.contradicted
    assert "contradicts" in got.independences.sentence


def test_groups_widen_the_interval(table):
    doubled = pd.concat([table, table], ignore_index=True).assign(doc=[f"d{i}" for i in range(800)] * 2)
    alone = effect(doubled, "t", "y", common_causes=["w", "v"], **QUICK)
    assert effect(doubled, "t", "y", common_causes=["w", "v"], groups="doc", **QUICK).se > 1.3 * alone.se


def test_the_given_table_is_not_changed(table):
    before = table.assign(t=table.t == 1)
    kept = before.copy()
    effect(before, "t", "y", common_causes=["w", "v"], **QUICK)
    pd.testing.assert_frame_equal(before, kept)
