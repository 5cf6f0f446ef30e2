"""Drawings: causes stand left of effects, edges keep clear of nodes, and scales hold what is on them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.causal.draw import Interval, _ticks, forest_svg, graph_svg
from rankwise.errors import DataError

SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg):
    """name -> (left, top, right, bottom) of each node's box."""
    found = {}
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        box, word = group.find(f"{SVG}rect"), group.find(f"{SVG}text")
        if box is not None:
            x, y, w, h = (float(box.get(k)) for k in ("x", "y", "width", "height"))
            found[word.text] = (x, y, x + w, y + h)
    return found


def test_causes_stand_left_of_their_effects():
    at = boxes(graph_svg([("a", "t"), ("a", "y"), ("t", "y")]))
    assert at["a"][2] < at["t"][0] < at["t"][2] < at["y"][0]


@settings(max_examples=30, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda e: e[0] < e[1]), max_size=16))
def test_no_two_nodes_overlap_and_every_edge_runs_to_the_right(edges):
    named = [(f"n{a}", f"n{b}") for a, b in edges]
    svg = graph_svg(named, nodes=["alone"])
    at = boxes(svg)
    assert set(at) == {"alone", *(n for e in named for n in e)}
    places = list(at.values())
    for i, (l1, t1, r1, b1) in enumerate(places):
        for l2, t2, r2, b2 in places[i + 1 :]:
            assert r1 < l2 or r2 < l1 or b1 < t2 or b2 < t1
    for a, b in named:
        assert at[a][2] < at[b][0]
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in places)


def test_an_edge_over_two_layers_passes_beside_the_node_between():
    at = boxes(graph_svg([("a", "b"), ("b", "c"), ("a", "c")]))
    svg = graph_svg([("a", "b"), ("b", "c"), ("a", "c")])
    long_path = max(re.findall(r'd="(M[^"]+)" fill="none"', svg), key=len)
    through = [(float(x), float(y)) for x, y in re.findall(r"[CL ]?([\d.]+) ([\d.]+)(?=[LC]|$)", long_path)]
    middle = [y for x, y in through if at["b"][0] - 1 <= x <= at["b"][2] + 1]
    assert middle
    assert all(not at["b"][1] <= y <= at["b"][3] for y in middle)


def test_a_circle_is_refused_and_named():
    with pytest.raises(DataError, match=r"circle: (b -> c -> b|c -> b -> c)"):
        graph_svg([("a", "b"), ("b", "c"), ("c", "b")])


def test_highlights_and_labels_are_drawn_and_names_are_escaped():
    svg = graph_svg([("t", "y <z>")], highlight=["t", ("t", "y <z>")], labels={("t", "y <z>"): "2 d"})
    root = ET.fromstring(svg)
    assert [g.get("class") for g in root.iter(f"{SVG}g")] == ["mark", "mark", "node"]
    assert [t.text for t in root.iter(f"{SVG}text")] == ["2 d", "t", "y <z>"]
    assert root.find(f"{SVG}title").text == "Graph: t to y <z>"


def test_a_long_name_is_cut_and_told_whole_in_a_tip():
    name = "a_column_with_a_name_that_goes_on_and_on"
    word = next(t for t in ET.fromstring(graph_svg([], nodes=[name])).iter(f"{SVG}text"))
    assert word.text == name[:25] + "…"
    assert word.find(f"{SVG}title").text == name


def test_an_empty_graph_and_an_empty_forest_are_drawings():
    for drawn in (graph_svg([]), forest_svg([])):
        assert ET.fromstring(drawn).tag == f"{SVG}svg"


def test_intervals_stand_where_the_scale_says():
    svg = forest_svg([("one", 0.0, -1.0, 1.0), Interval("two", None), ("three", 0.5, None, None, True)])
    root = ET.fromstring(svg)
    dots = [float(c.get("cx")) for c in root.iter(f"{SVG}circle")]
    low, high = map(float, re.search(r'd="M([\d.]+) [\d.]+H([\d.]+)" stroke="currentColor" stroke-width', svg).groups())
    assert dots[0] == pytest.approx((low + high) / 2, abs=0.1)
    assert dots[1] - dots[0] == pytest.approx((high - low) / 4, abs=0.1)
    assert len(dots) == 2
    assert "not estimated" in svg
    assert "0 [-1, 1]" in svg


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_hold_both_ends_and_are_few(low, span):
    ticks = _ticks(low, low + span)
    slack = 1e-6 * max(abs(low), span)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack
    assert 3 <= len(ticks) <= 8
