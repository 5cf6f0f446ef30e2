"""Drawings of causal reports as SVG text: a graph in layers and a forest of intervals. No Graphviz, no matplotlib.

Each drawing stands alone (a file beside Markdown) and inside a page, and takes the reader's dark or light.
The graph is Sugiyama's drawing (Sugiyama, Tagawa and Toda 1981) in small: layers by longest path, places for long edges
to pass through, and sweeps that put each node at the mean place of its neighbours.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from ..errors import DataError, explain

GAP_X, GAP_Y, TALL, LETTER = 64, 14, 30, 7.4  # pixels: between layers and nodes, height of a node, width of a letter
LONGEST = 26  # letters of a name that are drawn; the whole of it shows when pointed at
FACE = 'font-family="ui-sans-serif, system-ui, Segoe UI, Roboto, Liberation Sans, Arial, sans-serif"'
STYLE = (
    "<style>.rankwise-drawing{color:#1f2430}.rankwise-drawing .mark{color:#b8432a}"
    ".rankwise-drawing .soft{color:#767d8c}"
    "@media (prefers-color-scheme: dark){.rankwise-drawing{color:#e8e6e1}.rankwise-drawing .mark{color:#f08a6c}"
    ".rankwise-drawing .soft{color:#8991a0}}</style>"
)
Edge: TypeAlias = tuple[str, str]
Node: TypeAlias = Any  # a name, or a stop (edge number, layer) of an edge that passes through a layer


class Interval(NamedTuple):
    """A row of a forest: an estimate with the ends of its interval; value None where nothing was estimated."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    marked: bool = False


def graph_svg(
    edges: Iterable[Edge],
    *,
    highlight: Collection[str | Edge] = (),
    nodes: Iterable[str] = (),
    labels: Mapping[Edge, str] | None = None,
) -> str:
    """A directed graph without cycles, causes to the left of their effects.

    Args:
        highlight: names, and (from, to) edges, drawn in the accent colour.
        nodes: further nodes that no edge touches.
        labels: words on edges.

    Raises:
        DataError: a cycle, which is named.
    """
    edges = list(dict.fromkeys((str(a), str(b)) for a, b in edges))
    names = list(dict.fromkeys([*(n for edge in edges for n in edge), *map(str, nodes)]))
    layers, chains = _layers(names, edges)
    widths = [max((_width(n) for n in layer if isinstance(n, str)), default=0.0) for layer in layers]
    left = [GAP_X * i + sum(widths[:i]) + 1 for i in range(len(layers))]
    tall = max((len(layer) for layer in layers), default=0) * (TALL + GAP_Y)
    at: dict[Node, tuple[float, float]] = {}
    words = labels or {}
    for layer, x, width in zip(layers, left, widths, strict=True):
        top = (tall - len(layer) * (TALL + GAP_Y)) / 2 + (TALL + GAP_Y) / 2
        at |= {n: (x + width / 2, top + i * (TALL + GAP_Y)) for i, n in enumerate(layer)}
    out = [_edge(chain, at, layers, widths, highlight, words.get((chain[0], chain[-1]), "")) for chain in chains]
    out += [_node(n, *at[n], n in highlight) for n in names]
    said = "; ".join(f"{a} to {b}" for a, b in edges) or "no edges"
    return _svg(sum(widths) + GAP_X * max(len(layers) - 1, 0) + 2, tall, out, f"Graph: {said}")


def forest_svg(rows: Iterable[Interval | Sequence], *, zero: float | None = 0.0, unit: str = "") -> str:
    """Estimates under each other on one scale, with their intervals and a line at `zero` (None for no line).

    Args:
        rows: `Interval`s, or tuples (name, value, low, high[, marked]); value None where there is none.
        unit: what the scale counts, written under it.
    """
    given = [row if isinstance(row, Interval) else Interval(*row) for row in rows]
    ends = [v for r in given for v in (r.value, r.low, r.high) if v is not None and math.isfinite(v)]
    ticks = _ticks(min([*ends, *([] if zero is None else [zero])], default=0.0), max([*ends, zero or 0.0], default=1.0))
    names = max((20 + LETTER * len(_short(r.name, 48)) for r in given), default=60.0)
    wide, line = 380.0, 26

    def x(value: float) -> float:
        return round(names + 10 + wide * (value - ticks[0]) / (ticks[-1] - ticks[0]), 1)

    foot = len(given) * line + 14
    out = [f'<g class="soft"><path d="M{x(ticks[0])} {foot}H{x(ticks[-1])}" stroke="currentColor" fill="none"/>']
    for tick in ticks:
        out.append(
            f'<path d="M{x(tick)} {foot}v5" stroke="currentColor"/>' + _word(x(tick), foot + 18, f"{tick:g}", 11)
        )
    if unit:
        out.append(_word(x((ticks[0] + ticks[-1]) / 2), foot + 34, unit, 11))
    if zero is not None and ticks[0] <= zero <= ticks[-1]:
        out.append(f'<path d="M{x(zero)} 4V{foot}" stroke="currentColor" stroke-dasharray="3 3"/>')
    out.append("</g>")
    for i, row in enumerate(given):
        y = i * line + 16
        out.append(f'<g class="{"mark" if row.marked else "row"}">')
        out.append(_word(names, y + 4, _short(row.name, 48), 13, "end", row.name))
        out.append(_whisker(row, x, y) + _word(names + wide + 24, y + 4, _figures(row), 12, "start") + "</g>")
    said = "; ".join(f"{r.name} {_figures(r)}" for r in given)
    return _svg(names + wide + 190, foot + (42 if unit else 26), out, f"Estimates: {said}")


def _layers(names: list[str], edges: list[Edge]) -> tuple[list[list[Node]], list[list[Node]]]:
    """Nodes by layer, from causes to effects, in an order with few crossings; and for each edge its stops.

    A stop in a layer between is (edge number, layer).
    """
    import networkx as nx

    graph = nx.DiGraph(edges)
    graph.add_nodes_from(names)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [a for a, _ in nx.find_cycle(graph)]
        raise DataError(
            explain(
                f"the graph runs in a circle: {' -> '.join([*cycle, cycle[0]])}.",
                "A cause cannot be its own effect; remove one of these edges.",
            ),
            cycle=cycle,
        )
    layers: list[list[Node]] = [[n for n in names if n in layer] for layer in nx.topological_generations(graph)]
    level = {n: i for i, layer in enumerate(layers) for n in layer}
    chains: list[list[Node]] = []
    beside: dict[Node, tuple[list[Node], list[Node]]] = {n: ([], []) for n in names}
    for number, (a, b) in enumerate(edges):
        stops: list[Node] = [(number, i) for i in range(level[a] + 1, level[b])]
        for stop in stops:
            layers[stop[1]].append(stop)
            beside[stop] = ([], [])
        chains.append([a, *stops, b])
        for one, next_one in zip(chains[-1], chains[-1][1:], strict=False):
            beside[next_one][0].append(one)
            beside[one][1].append(next_one)
    for sweep in range(8):
        side = sweep % 2  # even: by what is to the left, from left to right; odd: the other way
        order = layers[1:] if side == 0 else layers[-2::-1]
        place = {n: i - (len(layer) - 1) / 2 for layer in layers for i, n in enumerate(layer)}
        for layer in order:
            means = {n: _mean([place[m] for m in beside[n][side]], place[n]) for n in layer}
            layer.sort(key=means.__getitem__)
            place |= {n: i - (len(layer) - 1) / 2 for i, n in enumerate(layer)}
    return layers, chains


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _edge(
    chain: list[Node],
    at: Mapping[Node, tuple[float, float]],
    layers: list[list[Node]],
    widths: list[float],
    highlight: Collection[str | Edge],
    label: str,
) -> str:
    """A curve from the right side of a node, level through the places kept for it, to the left side of another."""
    level = {n: i for i, layer in enumerate(layers) for n in layer}
    (x, y), points = at[chain[0]], []
    start = (x + _width(str(chain[0])) / 2, y)
    for stop in chain[1:-1]:
        half, (x, y) = widths[level[stop]] / 2, at[stop]
        points += [(x - half, y), (x + half, y)]
    x, y = at[chain[-1]]
    points.append((x - _width(str(chain[-1])) / 2 - 7, y))  # the head of the arrow is 7 long
    path, (px, py) = f"M{start[0]:.1f} {start[1]:.1f}", start
    for i, (x, y) in enumerate(points):
        bend = (x - px) / 2
        path += f"L{x:.1f} {y:.1f}" if i % 2 else f"C{px + bend:.1f} {py:.1f} {x - bend:.1f} {y:.1f} {x:.1f} {y:.1f}"
        px, py = x, y
    head = f'<path d="M{px + 7:.1f} {py:.1f}l-9 -4.5v9z" fill="currentColor"/>'
    kind = "mark" if (chain[0], chain[-1]) in highlight else "soft"
    word = _word((start[0] + points[0][0]) / 2, (start[1] + points[0][1]) / 2 - 5, label, 11) if label else ""
    line = f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.4"/>'
    return f'<g class="{kind}">{line}{head}{word}</g>'


def _node(name: str, x: float, y: float, marked: bool) -> str:
    width = _width(name)
    box = (
        f'<rect x="{x - width / 2:.1f}" y="{y - TALL / 2:.1f}" width="{width:.1f}" height="{TALL}" rx="8" '
        f'fill="currentColor" fill-opacity="{0.16 if marked else 0.05}" stroke="currentColor"/>'
    )
    return f'<g class="{"mark" if marked else "node"}">{box}{_word(x, y + 4.5, _short(name), 13, "middle", name)}</g>'


def _whisker(row: Interval, place: Callable[[float], float], y: float) -> str:
    """The dot and the line; place: pixels of a value."""
    if row.value is None or not math.isfinite(row.value):
        return ""
    dot = f'<circle cx="{place(row.value)}" cy="{y}" r="4.5" fill="currentColor"/>'
    if row.low is None or row.high is None or not (math.isfinite(row.low) and math.isfinite(row.high)):
        return dot
    return f'<path d="M{place(row.low)} {y}H{place(row.high)}" stroke="currentColor" stroke-width="2"/>{dot}'


def _figures(row: Interval) -> str:
    if row.value is None or not math.isfinite(row.value):
        return "not estimated"
    ends = f" [{row.low:.4g}, {row.high:.4g}]" if row.low is not None and row.high is not None else ""
    return f"{row.value:.4g}{ends}"


def _ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers that hold both ends."""
    if high <= low:
        low, high = low - 1, high + 1
    raw = (high - low) / 5
    step = next(s for s in (m * 10 ** math.floor(math.log10(raw)) for m in (1, 2, 5, 10)) if s >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _width(name: str) -> float:
    return max(44.0, 20 + LETTER * len(_short(name)))


def _short(name: str, most: int = LONGEST) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _word(x: float, y: float, word: str, size: int, anchor: str = "middle", whole: str = "") -> str:
    tip = f"<title>{html.escape(whole)}</title>" if whole and whole != word else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="currentColor">'
        f"{html.escape(word)}{tip}</text>"
    )


def _svg(width: float, height: float, parts: Sequence[str], said: str) -> str:
    size = (
        f'width="{math.ceil(width)}" height="{math.ceil(height)}" viewBox="0 0 {math.ceil(width)} {math.ceil(height)}"'
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="rankwise-drawing" role="img" {size} {FACE}>'
    return "\n".join([head, f"<title>{html.escape(said)}</title>", STYLE, *parts, "</svg>"]) + "\n"
