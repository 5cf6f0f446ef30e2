"""Finding what is to be read, with an error that names the nearest thing that is there."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import BadFile, close, explain
from .files import is_adapter, recover


def read(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        BadFile: it is not there.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        there = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
        raise BadFile(
            explain(
                f"{path} is missing.",
                f"In that folder: {', '.join(there) or 'nothing'}.",
            ),
            path=path,
        ) from None


def find_folder(folder: str | os.PathLike[str]) -> Path:
    """An existing folder, or an error that names the nearest ones.

    Raises:
        BadFile: there is no such folder.
    """
    path = Path(folder).expanduser()
    recover(path)
    if path.is_dir():
        return path
    if path.exists():
        raise BadFile(explain(f"{path} is a file.", "An adapter is a folder.", f"Try: {path.parent}"), path=path)
    parent = path.parent
    near, there = [], []
    if parent.is_dir():
        adapters = [p.name for p in sorted(parent.iterdir()) if p.is_dir() and not p.name.startswith(".")]
        near = close(path.name, sorted(adapters, key=lambda n: not is_adapter(parent / n)))
        there = [name for name in adapters if is_adapter(parent / name)]
    raise BadFile(
        explain(
            f"there is no folder {path}.",
            f"Nearest in {parent}: {', '.join(near)}" if near else "",
            f"Adapters in {parent}: {', '.join(there[:8])}" if there and not near else "",
            "To make one: rankwise train <table> --out <folder>",
        ),
        path=path,
        near=near,
    )
