"""Graphs of lags as TOML and JSON, there and back, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal.lag_graph import Edge, LagGraph, Share, Spread, read, write
from rankwise.causal.maxplus import DAY, Within
from rankwise.errors import BadFile, FileThere, UnknownName

NORMAL = Spread("normal", 3.0, 0.5, 3.0, 2.9, 3.1, 78)
GRAPH = LagGraph(
    (
        Edge("merger", "trial", Share(0.8, 0.71, 0.87, 80, 100), NORMAL),
        Edge("trial", "appeal", None, Within(2 * DAY, 5 * DAY)),
        Edge('the "deal"\\\n\x7f', "é", Share(0.1, 0.0, 0.2, 1, 10), None, "only 1 timeline"),
    ),
    100,
    ("a note",),
)


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_a_graph_comes_back_as_it_was(tmp_path, ending):
    path = write(GRAPH, tmp_path / f"g.{ending}")
    assert read(path) == GRAPH
    with pytest.raises(FileThere, match="is there already"):
        write(GRAPH, path)
    assert read(write(LagGraph(), path, overwrite=True)) == LagGraph()


def test_a_person_writes_less(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[edge]]\ncause = "Merger"\neffect = "trial"\nlag = "P1W"\n')
    assert read(path).edges == (Edge("merger", "trial", None, Within(7 * DAY, 7 * DAY)),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[edge]", "is no TOML"),
        ("x = 1", r"has no \[\[edge\]\]"),
        ("version = 9\nedge = []", "version 9"),
        ('[[edge]]\ncause = "a"', "edge 1: cause and effect are needed"),
        ('[[edge]]\ncause = "a"\neffect = "b"\nlga = "3d"', "'lga'.*\n.*Nearest: lag"),
        ('[[edge]]\ncause = "a"\neffect = "b"\nlag = "soon"', "'soon' is no duration"),
        ('[[edge]]\ncause = "a"\neffect = "b"\nlag = "-1d"', "not below 0"),
        ('[[edge]]\ncause = "a"\neffect = "A"', "cannot cause itself"),
        ('[[edge]]\ncause = "a"\neffect = "b"\nlag = {family = "normal"}', "edge 1: "),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, text, says):
    path = tmp_path / "g.toml"
    path.write_text(text)
    with pytest.raises(BadFile, match=says):
        read(path)


def test_other_endings_and_missing_files_are_refused(tmp_path):
    with pytest.raises(UnknownName, match=r"\.toml or \.json"):
        write(GRAPH, tmp_path / "g.yaml")
    with pytest.raises(BadFile, match="is not there"):
        read(tmp_path / "g.toml")


def test_a_spread_gives_its_middle_and_draws():
    # 3 -+ 1.644854 * 0.5 days
    assert [x / DAY for x in (NORMAL.within.low, NORMAL.within.high)] == pytest.approx([2.177573, 3.822427], abs=1e-5)
    log = Spread("lognormal", 0.0, 0.5, 1.133, 1.0, 1.3, 50)
    assert log.quantile(0.5) == pytest.approx(1.0)
    assert log.draw(20_000, np.random.default_rng(0)).mean() == pytest.approx(1.133, abs=0.02)  # exp(.5**2 / 2)
    early = Spread("normal", 0.1, 1.0, 0.1, 0.0, 0.2, 50)
    assert early.within.low == 0
    assert early.draw(100, np.random.default_rng(0)).min() == 0
