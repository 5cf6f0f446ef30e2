"""Ask a timeline what if, from its file to a report: what `rankwise what-if` calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BadFile, explain
from ..relations.timeline import Timeline
from ..relations.timeline_json import from_json
from . import lag_graph
from .chances import Chance, chances
from .report import check_free, write
from .stated import Stated, changes_of, model_of
from .what_if import Answer, what_if
from .what_if_report import data, report, sentence


@dataclass(frozen=True)
class Asked:
    """An answer with all that is said of it; files: of the report, where one was written."""

    answer: Answer
    chances: tuple[Chance, ...]
    sentences: tuple[str, ...]
    data: dict[str, Any]
    files: tuple[Path, ...] = ()


def ask(
    timeline: Timeline | str | Path | None,
    changes: Sequence[str],
    stated: Stated = Stated(),  # noqa: B008 frozen, so shared
    *,
    graph: str | Path | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> Asked:
    """What if these changes to a timeline, or to the one in a file.

    Args:
        changes: "merger -2d", "merger=2020-05-01".
        graph: a file of lags; in place of stated.graph.
        out: a folder to write report.md, report.html and report.json to.

    Raises:
        BadFile: no such file, or not a timeline. UnknownName, DataError, LagsNeeded: as `model_of`, `what_if`.
        FileThere: a report is there already.
    """
    if out is not None:
        check_free(out, overwrite)
    if graph is not None:
        stated = replace(stated, graph=lag_graph.read(graph))
    source = "" if isinstance(timeline, Timeline) or timeline is None else str(timeline)
    opened = timeline if isinstance(timeline, Timeline) else open_timeline(timeline)
    answer = what_if(model_of(opened, stated), changes_of(opened, changes, stated.by_day))
    drawn = chances(answer, seed)
    made = data(answer, drawn, seed, source)
    files = tuple(write(report(answer, drawn, seed, source), out, overwrite)) if out is not None else ()
    return Asked(answer, drawn, tuple(map(sentence, answer.outcomes)), made, files)


def open_timeline(path: str | Path | None) -> Timeline:
    """The timeline in a file. Raises BadFile: none was named, it is not there, or it is not a timeline."""
    how = "To make one: rankwise timeline article.txt --out timeline.json"
    if path is None:
        raise BadFile(explain("no timeline was named.", how))
    path = Path(path)
    try:
        return from_json(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise BadFile(explain(f"{path} is no file that is there.", how), path=path) from None
    except BadFile as problem:
        raise BadFile(f"{path}: {problem}", path=path) from None
