"""rankwise gates: which directions of an adapter carry what it does, measured by shutting them at random."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Base, ExtractorFolder, Json, TaskName, counted, need_causal, need_relations, note, print_json, table

Column = typer.Option(
    metavar="COLUMN", help="Of a table, if it is called otherwise than in training.", show_default=False
)


class By(StrEnum):
    """What is open or shut together."""

    auto = "auto"
    direction = "direction"
    site = "site"
    layer = "layer"


def gates(
    adapter: ExtractorFolder,
    data: Annotated[
        Path,
        typer.Option(help="Documents (.jsonl) for an adapter of relations; a labelled table for others."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the report; refused if one is there.", show_default=False)],
    cues: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...", help="Cues to edit in documents, by name; all of them by default.", show_default=False
        ),
    ] = None,
    by: Annotated[
        By, typer.Option(help="What is shut together; auto: each direction up to 30 of them, then each site.")
    ] = By.auto,
    within: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="Only directions of sites whose name has this.", show_default=False),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option(min=1, help="Pairs of events a cue, or rows, at most.", show_default="16 pairs, 200 rows"),
    ] = None,
    runs: Annotated[int, typer.Option(min=6, help="Masks for each direction, site or layer.")] = 12,
    shapley: Annotated[
        bool | None,
        typer.Option("--shapley/--no-shapley", help="Run all 2^n masks of n switches.", show_default="up to 12"),
    ] = None,
    singular: Annotated[
        bool, typer.Option("--singular", help="Once more with the directions turned into singular vectors.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(metavar="ADAPTER", help="Compare directions with an adapter of another seed.", show_default=False),
    ] = None,
    text: Annotated[str | None, Column] = None,
    pair: Annotated[str | None, Column] = None,
    label: Annotated[str | None, Column] = None,
    task: TaskName = None,
    seed: Annotated[int, typer.Option(help="Of masks, and of which pairs or rows.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the report.")] = False,
    base: Base = None,
    as_json: Json = False,
) -> None:
    """Tell which directions of an adapter carry what it does, by shutting them at random.

    A measurement, not a cure. For an adapter of relations the outcomes are how much each cue moves it, by really
    editing the texts, and its accuracy where documents have labels; for a table, accuracy and likelihood. Writes
    report.html, report.md and report.json. Nothing of the adapter is changed.

    Example:  rankwise gates out/relations --data documents.jsonl --by layer --out report
    """
    need_relations()
    from ..causal.gate_picture import check_plots
    from ..causal.gate_study import Study, is_extractor, study_relations, study_table
    from ..causal.report import check_free, write
    from ..io import load
    from ..tasks.folder import Opened

    check_plots()
    check_free(out, overwrite)
    how = Study(by.value, within, runs, shapley, seed, most, singular, against, base, _Progress())
    if is_extractor(load(adapter)):
        need_causal()
        _refuse(text=text, pair=pair, label=label, task=task)
        names = None if cues is None else [name.strip() for name in cues.split(",") if name.strip()]
        found, report = study_relations(adapter, data, how, cues=names)
    else:
        _refuse(cues=cues)
        columns = Opened.read(adapter, base).columns(text, pair, label, task)
        found, report = study_table(adapter, data, how, columns=columns, task=task)
    files = write(report, out, overwrite)
    if as_json:
        print_json({"adapter": str(adapter), "data": str(data), "files": [str(f) for f in files]} | dict(report.data))
    else:
        _tell(found)
        print("written  " + ", ".join(str(f) for f in files))


def _refuse(**given: str | None) -> None:
    """Raises RecipeError for an option that the kind of adapter has no use for."""
    from ..errors import RecipeError, explain

    for name, value in given.items():
        if value is not None:
            kind = "tables; this adapter reads relations" if name != "cues" else "documents; this adapter reads a table"
            raise RecipeError(explain(f"--{name} {value}: it is for {kind}.", "Leave it out."))


class _Progress:
    """Says how long it will take, once that is known."""

    def __init__(self) -> None:
        self.begun: float | None = None

    def __call__(self, done: int, runs: int) -> None:
        import time

        if done == 1 or self.begun is None:  # the first run also warms up
            self.begun = time.perf_counter()
            return
        if done == 3 and runs > 3:
            left = (time.perf_counter() - self.begun) / 2 * (runs - done)
            note(f"{counted(runs, 'mask')} to run, about {left:.0f} s")


def _tell(found: Any) -> None:
    rows = []
    for m in found.measured:
        best = max(m.effects, key=lambda e: abs(e.main))
        said = [f"{m.units:,}", f"{m.open:.3f}", f"{m.shut:.3f}", f"{m.r2:.2f}"]
        rows.append([m.outcome, *said, best.switch, f"{best.main:+.3f}"])
    for remark in found.notes:
        note(f"note: {remark}")
    print(table(("outcome", "n", "open", "shut", "R2", "strongest", "main effect"), rows))
    kind = "all there are" if found.complete else f"R2 of {found.fresh:,} held out"
    many = f"{len(found.switches):,} switch{'' if len(found.switches) == 1 else 'es'}"
    print(f"{many}, {counted(found.runs, 'mask')} ({kind}), seed {found.seed}, {found.seconds:.1f} s")
