"""One form for every causal report: Markdown to read in a repository, one HTML page, and JSON for programs.

The first page of each says, before any figure, what passing a refuter does not mean (`CAUTION`), or where none ran,
what the figures rest on.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from .. import __version__
from ..errors import FileThere, explain
from ..io.files import atomic_write
from .page import html_page

CAUTION = (
    "A refuter that passes does not say that the effect is right. It says that the estimator is not broken in one "
    "particular way. No refuter sees a common cause that is not in the table, a graph that is wrong, or groups that "
    "never overlap: measured on data with one common cause left out, an estimate of 3.00 for an effect of 2.00 passed "
    "placebo, random common cause, subset, bootstrap and dummy outcome, all five (p from .38 to .46). Read the overlap "
    "before the estimate, and the graph before either."
)
FILES = ("report.md", "report.html", "report.json")
Cell: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True)
class Text:
    """Plain sentences; an empty line begins a paragraph, and what stands in `backticks` is set as code."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells as they are: figures are rounded for reading by `figure`, whole in the report's data.

    Args:
        rows: one cell for each column, each a word, a number or None (shown as a dash).
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells under {len(self.columns)} columns: {row!r}")


@dataclass(frozen=True)
class Picture:
    """An SVG document of its own (what draw.py makes, or matplotlib); the caption is also what a blind reader gets."""

    svg: str
    caption: str = ""


Block: TypeAlias = Text | Table | Picture


@dataclass(frozen=True)
class Section:
    heading: str
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))


@dataclass(frozen=True)
class Report:
    """Args: data: everything that the sections show, unrounded, for programs; see `jsonable` for what it may hold.

    caution: what stands before the first section.
    """

    title: str
    sections: tuple[Section, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    caution: str = CAUTION

    def __post_init__(self) -> None:
        object.__setattr__(self, "sections", tuple(self.sections))

    @property
    def pictures(self) -> list[Picture]:
        return [block for section in self.sections for block in section.blocks if isinstance(block, Picture)]


def figure(value: Cell) -> str:
    """A cell as it is read: 0.1234 as 0.123, 12345.6 as 12,346, 0.00001 as 1.0e-05, True as yes, None as a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or math.isinf(value):
        return f"{value:,}"
    size = abs(value)
    if 0 < size < 5e-4:
        return f"{value:.1e}"
    return f"{value:,.3f}" if size < 100 else f"{value:,.1f}" if size < 10_000 else f"{value:,.0f}"


def interval(low: float | None, high: float | None) -> str:
    """Two ends as [0.12, 0.34]; a dash where there is none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "–"
    return f"[{figure(float(low))}, {figure(float(high))}]"


def jsonable(value: Any) -> Any:
    """The same in dicts, lists, strings, numbers and None: dataclasses opened, NaN and infinity as None.

    Raises:
        TypeError: something has no such form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {k if isinstance(k, str) else str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, float):  # numpy's double is one
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):  # numpy arrays and scalars, tensors, pandas columns
        return jsonable(value.tolist())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(v) for v in (value if isinstance(value, (list, tuple)) else sorted(value))]
    raise TypeError(f"{type(value).__name__} has no form in JSON: {value!r}")


def to_json(report: Report) -> str:
    """title, rankwise (version), caution and data."""
    whole = {"title": report.title, "rankwise": __version__, "caution": report.caution, "data": jsonable(report.data)}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_markdown(report: Report) -> str:
    """GitHub's Markdown; pictures are named picture-1.svg, picture-2.svg, ... and lie beside it."""
    lines, pictures = [f"# {_plain(report.title)}", "", f"> {report.caution}"], 0
    for section in report.sections:
        lines += ["", f"## {_plain(section.heading)}"]
        for block in section.blocks:
            lines.append("")
            if isinstance(block, Text):
                lines.append(_plain(block.text))
            elif isinstance(block, Table):
                lines += _markdown_table(block)
            else:
                pictures += 1
                lines.append(f"![{_plain(block.caption)}](picture-{pictures}.svg)")
                lines += ["", f"*{_plain(block.caption)}*"] if block.caption else []
    return "\n".join(lines) + "\n"


def to_html(report: Report) -> str:
    """One page that needs nothing beside it and no network, in the reader's choice of dark or light."""
    body = []
    for section in report.sections:
        blocks: list[tuple[str, Any]] = []
        for block in section.blocks:
            if isinstance(block, Text):
                blocks.append(("text", block.text))
            elif isinstance(block, Table):
                rows = [[figure(cell) for cell in row] for row in block.rows]
                blocks.append(("table", (block.columns, rows, _numeric(block), block.caption)))
            else:
                blocks.append(("picture", (block.svg, block.caption)))
        body.append((section.heading, blocks))
    return html_page(report.title, report.caution, body, f"rankwise {__version__}")


def write(report: Report, folder: str | os.PathLike[str], overwrite: bool = False) -> list[Path]:
    """report.md with its pictures, report.html and report.json, each file whole or not at all; report.json is last.

    The folder is made where it is not there; other files in it are left alone.

    Raises:
        FileThere: a report is there and `overwrite` is False, or the folder is a file.
        NoSpace: the device is full; what was there before is untouched.
    """
    folder = Path(folder)
    check_free(folder, overwrite)
    contents = {f"picture-{i}.svg": p.svg for i, p in enumerate(report.pictures, 1)}
    contents |= dict(zip(FILES, (to_markdown(report), to_html(report), to_json(report)), strict=True))
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        atomic_write(folder / name, text.encode("utf-8", "replace"))
    return [folder / name for name in dict.fromkeys((*FILES, *contents))]


def check_free(folder: str | os.PathLike[str], overwrite: bool) -> None:
    """Refuse a folder that may not be written, to be asked before any work is done.

    Raises:
        FileThere: as `write`.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise FileThere(
            explain(f"{folder} is a file, and a folder is to be written.", "Choose another name."), path=folder
        )
    there = [folder / name for name in FILES if (folder / name).exists()]
    if there and not overwrite:
        raise FileThere(
            explain(f"{there[0]} is there already.", "To replace the report: overwrite=True"), path=there[0]
        )


def _numeric(table: Table) -> list[bool]:
    """Columns that hold figures, shares, or intervals, and are set to the right."""

    def is_figure(cell: Cell) -> bool:
        return cell[:1] in "[–" or cell[-1:] == "%" if isinstance(cell, str) else not isinstance(cell, bool)

    return [bool(table.rows) and all(is_figure(row[i]) for row in table.rows) for i in range(len(table.columns))]


def _markdown_table(table: Table) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(_plain(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |"

    rule = "|" + "|".join(" ---: " if right else " --- " for right in _numeric(table)) + "|"
    said = [line(table.columns), rule, *(line([figure(c) for c in row]) for row in table.rows)]
    return said + (["", f"*{_plain(table.caption)}*"] if table.caption else [])


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, but for what stands in backticks."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an odd backtick is a character like others
        return _escaped(text.replace("`", "\\`"))
    return "`".join(part if i % 2 else _escaped(part) for i, part in enumerate(parts))


def _escaped(text: str) -> str:
    for sign in "*[]<>#~":
        text = text.replace(sign, "\\" + sign)
    return text.replace(" _", " \\_")
