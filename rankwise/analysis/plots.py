"""Pictures of ranks: layers by maps, as text for a screen and as a file; and scores against numbers kept.

Pictures need the extra `plots` (matplotlib, imported when one is drawn); the text needs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import MissingExtra, UnknownName, explain, nearest

ENDINGS = (".png", ".svg", ".pdf")
ALONE = "-"  # the row of sites outside any numbered layer


@dataclass(frozen=True)
class Grid:
    """Sites as layers by maps. cells: (row, column) -> name of the site there."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class Point:
    """One adapter of a curve: numbers kept, its score, its mean rank."""

    size: int
    score: float
    mean_rank: float


def grid(names: Sequence[str]) -> Grid:
    """Rows are layers (what stands before and at the first number of a name), columns the rest of the name.

    Columns are named by the shortest dotted suffix that no other column shares; layers by their number alone
    where they all belong to one stack.
    """
    parts = [_split(name) for name in names]
    rows = list(dict.fromkeys(row for row, _ in parts))
    columns = list(dict.fromkeys(column for _, column in parts))
    stacks = {stack for stack, number in rows if number is not None}
    titles = [_row_title(stack, number, len(stacks)) for stack, number in rows]
    cells = {(rows.index(r), columns.index(c)): name for name, (r, c) in zip(names, parts, strict=True)}
    return Grid(tuple(titles), tuple(_short(column, columns) for column in columns), cells)


def _split(name: str) -> tuple[tuple[str, int | None], str]:
    """'encoder.layer.3.output.dense' -> (('encoder.layer', 3), 'output.dense')."""
    pieces = name.split(".")
    at = next((i for i, piece in enumerate(pieces) if piece.isdigit()), None)
    if at is None or at == len(pieces) - 1:
        return ("", None), name
    return (".".join(pieces[:at]), int(pieces[at])), ".".join(pieces[at + 1 :])


def _row_title(stack: str, number: int | None, stacks: int) -> str:
    if number is None:
        return ALONE
    return str(number) if stacks == 1 else f"{stack.split('.')[0]} {number}"


def _short(column: str, columns: Sequence[str]) -> str:
    pieces = column.split(".")
    for length in range(1, len(pieces)):
        suffix = pieces[-length:]
        if sum(other.split(".")[-length:] == suffix for other in columns) == 1:
            return ".".join(suffix)
    return column


def text_grid(ranks: Mapping[str, int], before: Mapping[str, int] | None = None) -> str:
    """The ranks as lines of text, layers by maps; with `before`, every cell is before>after."""
    if not ranks:
        return "no sites"
    laid = grid(list(ranks))

    def cell(r: int, c: int) -> str:
        name = laid.cells.get((r, c))
        if name is None:
            return ""
        return str(ranks[name]) if before is None else f"{before[name]}>{ranks[name]}"

    body = [[row, *(cell(r, c) for c in range(len(laid.columns)))] for r, row in enumerate(laid.rows)]
    lines = [["layer", *laid.columns], *body]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(text.rjust(w) for text, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def rank_picture(ranks: Mapping[str, int], path: str | Path, most: int | None = None, title: str = "") -> Path:
    """Draw the rank of every site, layers by maps: colour and number are the rank.

    Args:
        ranks: site -> rank.
        path: .png, .svg or .pdf; its folder is made if need be.
        most: the rank at the top of the colour scale, which begins at 0; the largest rank if not given.

    Raises:
        MissingExtra, UnknownName: see `check_picture`.
    """
    path = check_picture(path)
    laid = grid(list(ranks))
    top = max(1, most or 0, *ranks.values())
    wide, high = max(1, len(laid.columns)), max(1, len(laid.rows))
    figure = _figure(2.6 + 1.15 * wide, 1.9 + 0.48 * high)
    axes = figure.add_subplot()
    values = [
        [ranks[laid.cells[r, c]] if (r, c) in laid.cells else float("nan") for c in range(wide)] for r in range(high)
    ]
    image = axes.imshow(values, cmap="viridis", vmin=0, vmax=top, aspect="auto")
    for (r, c), name in laid.cells.items():
        light = ranks[name] > 0.6 * top  # viridis is bright at its top
        axes.text(c, r, str(ranks[name]), ha="center", va="center", color="black" if light else "white", fontsize=11)
    axes.set_xticks(range(wide), [column.replace(".", ".\n") for column in laid.columns] or [""], fontsize=9)
    axes.set_yticks(range(high), list(laid.rows) or [""], fontsize=9)
    axes.set_ylabel("layer")
    axes.set_xticks([i + 0.5 for i in range(wide - 1)], minor=True)
    axes.set_yticks([i + 0.5 for i in range(high - 1)], minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(title, fontsize=11, loc="left")
    bar = figure.colorbar(image, ax=axes, label="rank", fraction=0.05, pad=0.03)
    bar.ax.yaxis.get_major_locator().set_params(integer=True)
    return _save(figure, path)


def curve_picture(points: Sequence[Point], path: str | Path, score: str, title: str = "") -> Path:
    """Draw scores against the numbers kept in the factors, with the mean rank beside every point. Raises as above."""
    path = check_picture(path)
    figure = _figure(6.4, 4.0)
    axes = figure.add_subplot()
    ordered = sorted(points, key=lambda p: p.size)
    axes.plot([p.size for p in ordered], [p.score for p in ordered], marker="o", color="#31688e")
    for p in ordered:
        axes.annotate(f"{p.mean_rank:.2g}", (p.size, p.score), (0, 7), textcoords="offset points", ha="center")
    axes.margins(x=0.08, y=0.2)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("numbers kept in the factors (beside each point: mean rank)")
    axes.set_ylabel(score)
    axes.grid(color="#dddddd")
    axes.set_title(title, fontsize=11, loc="left")
    return _save(figure, path)


def check_picture(path: str | Path) -> Path:
    """The path of a picture, before any work is done for it.

    Raises:
        MissingExtra: matplotlib is not installed. UnknownName: an ending that is not drawn.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        near = nearest(path.suffix or "png", ENDINGS, most=1)[0]
        raise UnknownName(
            explain(
                f"{path}: a picture cannot be drawn with the ending {path.suffix!r}.",
                f"It is one of {', '.join(ENDINGS)}.",
                f"Nearest: {path.with_suffix(near).name}",
            ),
            path=path,
        )
    _figure(1, 1)
    return path


def _figure(width: float, height: float) -> Any:
    """A figure in inches, of no window and no global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(
            explain("Pictures need matplotlib, which is not installed.", "pip install 'rankwise[plots]'"),
            extra="plots",
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path
