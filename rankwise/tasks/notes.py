"""task.json: which base model an adapter belongs to, and how the rows of each of its tasks are read.

`rankwise train` writes these notes; cutting, exporting and the like carry them on, combining puts them together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import BadFile, explain

NOTES = "task.json"
INSIDE = ".."  # base of the heads of a merged model: the folder around theirs, wherever that was moved


@dataclass(frozen=True)
class Reading:
    """How the rows of one task are read.

    text, pair, label, sep: columns of the table, and what separates several labels. max_length: in tokens.
    """

    text: str = "text"
    pair: str | None = None
    label: str | None = None
    sep: str = "|"
    max_length: int = 128


@dataclass(frozen=True)
class Notes:
    """What prediction needs beside the adapter.

    base: name of the base model; a folder's is an absolute path, or, beginning with a dot, relative to the adapter's.
    tasks: name of the head -> how its rows are read.
    """

    base: str
    tasks: Mapping[str, Reading] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        values = {"base": self.base, "tasks": {name: asdict(reading) for name, reading in self.tasks.items()}}
        return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()

    @classmethod
    def read(cls, folder: Path) -> Notes | None:
        """The notes in a folder, or None where there are none.

        Raises:
            BadFile: they are not what `to_bytes` wrote.
        """
        path = folder / NOTES
        if not path.is_file():
            return None
        try:
            values = json.loads(path.read_bytes())
            if "tasks" not in values:  # the form of one task, as it was written at first
                return cls(str(values["base"]), {str(values["task"]): _reading(values)})
            return cls(str(values["base"]), {str(name): _reading(one) for name, one in values["tasks"].items()})
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise BadFile(
                explain(f"{path} is not what rankwise train wrote ({error}).", "Train again, or restore the file."),
                path=path,
            ) from error

    def base_in(self, folder: Path) -> str:
        """The base model's name, seen from the adapter folder that holds these notes."""
        return str((folder / self.base).resolve()) if self.base.startswith(".") else self.base

    def renamed(self, names: Mapping[str, str]) -> Notes:
        """The same tasks, some of them under new names."""
        return Notes(self.base, {names.get(name, name): reading for name, reading in self.tasks.items()})


def together(parts: list[tuple[Path, Notes]]) -> Notes | None:
    """The notes of adapters of one base model as one, of a task that two bring the first ones; None without any."""
    if not parts:
        return None
    tasks: dict[str, Reading] = {}
    for _, notes in parts:
        tasks = {**notes.tasks, **tasks}
    folder, first = parts[0]
    order = {name: tasks[name] for _, notes in parts for name in notes.tasks}
    return Notes(first.base_in(folder), order)


def _reading(values: Mapping[str, Any]) -> Reading:
    known = {f.name for f in fields(Reading)}
    return Reading(**{name: value for name, value in values.items() if name in known})
