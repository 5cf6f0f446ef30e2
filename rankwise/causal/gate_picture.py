"""A picture of which switches carry which outcome: a panel an outcome, its switches laid out as the model is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from ..errors import MissingExtra, explain
from .gate_outcomes import LIKELY, RIGHT
from .measured import Experiment, Measured
from .switches import Switch, layer_of

ACROSS = 3
"""Panels in a row, at most."""


def places(given: Sequence[Switch]) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, tuple[int, int]]]:
    """(titles of rows, titles of columns, switch -> (row, column)).

    Single directions: a row a site, a column a direction. Sites: a row a layer, a column a map. Layers: one column.
    """
    single = all(s.name == str(s.members[0]) for s in given)
    at: dict[str, tuple[str, str]] = {}
    for s in given:
        site = s.members[0].site
        if single:
            at[s.name] = (site, str(s.members[0].index))
        else:
            layer = layer_of(site)
            at[s.name] = (layer, s.name.removeprefix(layer).strip(".") or "all")
    rows = list(dict.fromkeys(row for row, _ in at.values()))
    columns = list(dict.fromkeys(column for _, column in at.values()))
    if single:
        columns.sort(key=int)
    return tuple(rows), tuple(columns), {n: (rows.index(r), columns.index(c)) for n, (r, c) in at.items()}


def check_plots() -> None:
    """Raises MissingExtra where matplotlib is not installed, before any work is done."""
    if find_spec("matplotlib") is None:
        raise MissingExtra(
            explain("Pictures need matplotlib, which is not installed.", "pip install 'rankwise[plots]'"),
            extra="plots",
        )


def gates_svg(found: Experiment) -> str:
    """An SVG document: red where opening the switch raises the outcome, blue where it lowers it.

    Cues share one scale, so that one that nothing carries stays pale; accuracy and likelihood have their own. A number
    stands where the 95 % interval over masks leaves out 0, a dot where it does and the number would be .00.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    check_plots()
    import matplotlib
    from matplotlib.figure import Figure

    rows, columns, at = places(found.switches)
    across = min(ACROSS, len(found.measured))
    down = -(-len(found.measured) // across)
    wide = 0.62 if max(map(len, columns), default=1) < 4 else 0.95
    label = 0.075 * max(map(len, rows), default=1)
    size = (label + across * (0.9 + wide * len(columns)), down * (1.3 + 0.3 * len(rows)))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).flatten()
    for panel in panels[len(found.measured) :]:
        panel.set_visible(False)
    for number, (panel, measured) in enumerate(zip(panels, found.measured, strict=False)):
        image = _panel(panel, measured, at, (len(rows), len(columns)), _top(found, measured))
        panel.set_yticks(range(len(rows)), rows if number % across == 0 else [""] * len(rows), fontsize=7)
        panel.set_xticks(range(len(columns)), columns, fontsize=7, rotation=0 if wide < 0.7 else 60)
        figure.colorbar(image, ax=panel, fraction=0.06, pad=0.03).ax.tick_params(labelsize=7)
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "rankwise", "svg.fonttype": "none"}):  # the same bytes every time
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _top(found: Experiment, measured: Measured) -> float:
    """The end of the colour scale."""
    own = (RIGHT, LIKELY)
    shared = [measured] if measured.outcome in own else [m for m in found.measured if m.outcome not in own]
    return max((abs(e.main) for m in shared for e in m.effects), default=0.0) or 1.0


def _panel(panel: Any, measured: Measured, at: dict[str, tuple[int, int]], shape: tuple[int, int], top: float) -> Any:
    values = [[float("nan")] * shape[1] for _ in range(shape[0])]
    for e in measured.effects:
        r, c = at[e.switch]
        values[r][c] = e.main
        if e.low > 0 or e.high < 0:
            dark = abs(e.main) > 0.6 * top
            text = f"{e.main:.2f}".replace("0.", ".", 1) if abs(e.main) >= 0.005 else "·"
            panel.text(c, r, text, ha="center", va="center", fontsize=6, color="white" if dark else "black")
    image = panel.imshow(values, cmap="RdBu_r", vmin=-top, vmax=top, aspect="auto")
    panel.set_title(measured.outcome, fontsize=9, loc="left")
    panel.tick_params(length=0)
    panel.set_xticks([k + 0.5 for k in range(shape[1] - 1)], minor=True)
    panel.set_yticks([k + 0.5 for k in range(shape[0] - 1)], minor=True)
    panel.grid(which="minor", color="#dddddd", linewidth=0.8)
    panel.tick_params(which="minor", length=0)
    return image
