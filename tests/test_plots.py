"""Ranks as layers by maps: the grid, its text, and pictures that show what they were given."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rankwise.analysis.plots import Point, curve_picture, grid, rank_picture, text_grid
from rankwise.errors import UnknownName

RANKS = {
    "encoder.layer.0.attention.self.query": 3,
    "encoder.layer.0.attention.output.dense": 8,
    "encoder.layer.0.output.dense": 0,
    "encoder.layer.1.attention.self.query": 12,
    "encoder.layer.1.attention.output.dense": 1,
    "encoder.layer.1.output.dense": 2,
}


def test_a_column_is_named_by_the_shortest_suffix_that_no_other_has():
    assert grid(list(RANKS)).columns == ("query", "attention.output.dense", "output.dense")


def test_layers_of_one_stack_go_by_their_number_alone():
    assert grid(list(RANKS)).rows == ("0", "1")


def test_layers_of_two_stacks_name_theirs():
    laid = grid(["encoder.block.0.q", "encoder.block.1.q", "decoder.block.0.q"])
    assert laid.rows == ("encoder 0", "encoder 1", "decoder 0")
    assert laid.columns == ("q",)


def test_a_site_outside_every_layer_has_a_row_of_its_own():
    laid = grid(["layer.0.q", "pooler.dense"])
    assert laid.rows == ("0", "-")
    assert laid.cells[1, 1] == "pooler.dense"


def test_every_site_has_one_cell():
    assert sorted(grid(list(RANKS)).cells.values()) == sorted(RANKS)


def test_the_text_stands_right_aligned_under_its_map():
    assert text_grid(RANKS).splitlines() == [
        "layer  query  attention.output.dense  output.dense",
        "    0      3                       8             0",
        "    1     12                       1             2",
    ]


def test_before_and_after_share_a_cell():
    after = {name: rank // 2 for name, rank in RANKS.items()}
    assert text_grid(after, RANKS).splitlines()[1].split() == ["0", "3>1", "8>4", "0>0"]


def test_no_sites_are_said_to_be_none():
    assert text_grid({}) == "no sites"


def test_the_picture_says_every_rank_and_name(tmp_path):
    """SVG keeps text as text only where fonts are not drawn as paths, so the figure is asked for its letters."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none"}):
        drawn = rank_picture(RANKS, tmp_path / "deep" / "ranks.svg", 12, "a title").read_text()
    for word in ("a title", "query", ">12<", ">8<", ">0<", ">layer<", ">rank<"):
        assert word in drawn, word


def test_the_colour_is_the_rank_on_a_scale_from_0_to_most(tmp_path):
    from matplotlib import colormaps
    from matplotlib.image import imread

    image = imread(rank_picture({"a.0.q": 4, "a.1.q": 0}, tmp_path / "two.png", 8))
    cells = image[:, : image.shape[1] // 2].reshape(-1, 4)  # without the scale on the right
    near = {(round(float(r), 2), round(float(g), 2), round(float(b), 2)) for r, g, b, _ in cells}
    for share in (0.5, 0.0):  # 4 of 8, 0 of 8
        r, g, b, _ = colormaps["viridis"](share)
        assert any(abs(r - x) + abs(g - y) + abs(b - z) < 0.04 for x, y, z in near)


def test_a_site_that_is_not_there_leaves_its_cell_empty(tmp_path):
    assert rank_picture({"a.0.q": 1, "a.1.q": 2, "a.1.v": 3}, tmp_path / "ranks.png").stat().st_size > 1000


def test_nothing_left_anywhere_can_be_drawn(tmp_path):
    assert rank_picture(dict.fromkeys(RANKS, 0), tmp_path / "ranks.png", 8).exists()


def test_the_curve_names_its_score_and_mean_ranks(tmp_path):
    import matplotlib

    points = [Point(200, 0.9, 8.0), Point(50, 0.8, 2.25)]
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        drawn = curve_picture(points, tmp_path / "curve.svg", "accuracy", "t").read_text()
    assert ">accuracy<" in drawn
    assert ">2.2<" in drawn
    assert ">8<" in drawn


def test_an_ending_that_is_not_drawn_names_the_nearest(tmp_path):
    with pytest.raises(UnknownName, match=r"\.png, \.svg, \.pdf") as caught:
        rank_picture(RANKS, tmp_path / "ranks.pgn")
    assert "Nearest: ranks.png" in str(caught.value)


def test_without_matplotlib_the_message_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None; sys.modules['matplotlib.figure'] = None\n"
        "from rankwise.analysis.plots import rank_picture, text_grid\n"
        "assert text_grid({'a.0.q': 1})\n"
        f"rank_picture({{'a.0.q': 1}}, {str(tmp_path / 'x.png')!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'rankwise[plots]'" in done.stderr
    assert "MissingExtra" in done.stderr
