"""What the commands share: names of choices, options that several have, and how figures are printed."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..methods import PATHS

NOTHING = ("none", "[]")
PRESETS = ("full", "bitfit", "head")  # of `new(whole=...)`; a test compares them, for core would import torch


class Layout(StrEnum):
    """compact: each site its own rank. uniform: all padded to the largest, for servers that stack layers."""

    compact = "compact"
    uniform = "uniform"


Choice: Any = StrEnum("Choice", {name: name for name in (*PATHS, *PRESETS)})  # type: ignore[misc]
"""Methods of the registry, and presets of what is trained whole."""

AdapterFolder = Annotated[
    Path, typer.Argument(metavar="ADAPTER", help="Folder written by rankwise train or by PEFT.", show_default=False)
]


def packaged(path: Path | None) -> Path | None:
    """The folder of the extractor inside rankwise for the word "packaged", where no folder is called so.

    Raises BadFile for a folder that is not there, before any text is read for it.
    """
    from ..data import folder

    if path is None or path.exists():
        return path
    if path == Path("packaged"):
        return folder("timeline_reader")
    from ..errors import BadFile, close, explain
    from ..io.find import find_folder

    try:
        return find_folder(path)
    except BadFile as problem:
        near = [*close(str(path), ["packaged"]), *getattr(problem, "near", ())]
        raise BadFile(
            explain(
                f"there is no folder {path}.",
                f"Nearest: {', '.join(near)}" if near else "The extractor inside rankwise: packaged",
                "To train one: rankwise relations train --corpus meantime --out out/relations",
            ),
            path=path,
            near=near,
        ) from None


ExtractorFolder = Annotated[
    Path,
    typer.Argument(
        metavar="ADAPTER",
        help="Folder of an adapter; packaged: the extractor inside rankwise.",
        callback=packaged,
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option(help="Folder to write; refused if it exists.", show_default=False)]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the folder if it exists.")]
TableFile = Annotated[
    Path, typer.Argument(metavar="TABLE", help="CSV, TSV, JSON Lines or Parquet.", show_default=False)
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print the figures as JSON, alone on standard output; remarks go to standard error."),
]
Base = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Base model, if it is no longer where training found it.", show_default=False),
]
LayoutOption = Annotated[
    Layout,
    typer.Option(help="compact: each site its own rank. uniform: every site padded to one, for servers that stack."),
]
TaskName = Annotated[
    str | None, typer.Option("--task", metavar="NAME", help="Which head, if there are several.", show_default=False)
]


def unwrapped(doc: str) -> str:
    """The docstring of a command, with its example kept on a line of its own length, to be copied."""
    return inspect.cleandoc(doc).replace("\n\nExample:", "\n\n\b\nExample:")


def need_relations() -> None:
    """Raises MissingExtra where a package of the extra `relations` is not installed, naming the first."""
    from importlib.util import find_spec

    from ..errors import MissingExtra, explain

    for name in ("scipy", "networkx", "sentencex", "recognizers_date_time", "py3langid", "charset_normalizer"):
        if find_spec(name) is None:
            raise MissingExtra(
                explain(f"relations and timelines need {name}.", "To install: pip install 'rankwise[relations]'"),
                name=name,
            )


def need_causal() -> None:
    """Raises MissingExtra where a package of the extra `causal` is not installed, naming the first."""
    from importlib.util import find_spec

    from ..errors import MissingExtra, explain

    for name in ("dowhy", "networkx", "pandas", "sklearn", "matplotlib"):
        if find_spec(name) is None:
            raise MissingExtra(
                explain(f"effects and audits need {name}.", "To install: pip install 'rankwise[causal]'"), name=name
            )


def note(text: str) -> None:
    """Say something beside the result, on standard error."""
    print(text, file=sys.stderr, flush=True)


def names(text: str) -> list[str]:
    """Of a list with commas; nothing for the word none."""
    return [] if text.strip() in NOTHING else [name.strip() for name in text.split(",") if name.strip()]


def print_json(figures: Any) -> None:
    print(json.dumps(figures, indent=2, ensure_ascii=False))


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], left: int = 1) -> str:
    """Lines of aligned columns, the first `left` of them to the left, numbers to the right."""
    lines = [[str(c) for c in line] for line in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]

    def padded(line: list[str]) -> str:
        cells = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join(map(padded, lines))


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def counted(number: int, what: str) -> str:
    """1 as "1 step", 1,234 as "1,234 steps"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def in_bytes(size: int) -> str:
    """1,234 bytes as "1.2 kB"."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} B"


def score_text(scores: dict[str, Any]) -> str:
    return (
        f"{scores['metric']} {scores['value']:.4f} (95 % interval {scores['low']:.4f} to {scores['high']:.4f}) "
        f"on {counted(scores['n'], 'row')}, loss {scores['loss']:.4f}"
    )


def ranks_text(ranks: dict[str, int]) -> str:
    """One line about the ranks of an adapter."""
    if not ranks:
        return "no sites"
    mean, gone = sum(ranks.values()) / len(ranks), sum(not r for r in ranks.values())
    empty = f", {gone} with nothing left" if gone else ""
    return f"mean {mean:.2f} over {counted(len(ranks), 'site')}, {min(ranks.values())} to {max(ranks.values())}{empty}"
