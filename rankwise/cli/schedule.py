"""rankwise sparsify: score against numbers kept, from one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Base, Json, TableFile, TaskName, note, print_json, table
from .settings import with_recipe


@with_recipe
def sparsify(
    adapter: Annotated[
        Path, typer.Argument(metavar="ADAPTER", help="Folder of a SoRA adapter of rankwise train.", show_default=False)
    ],
    rows: TableFile,
    out: Annotated[Path, typer.Option(help="Folder for all stages; refused if it exists.", show_default=False)],
    valid: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="Rows to evaluate on.", show_default=False)
    ] = None,
    valid_fraction: Annotated[float, typer.Option(help="Share of TABLE to evaluate on, without --valid.")] = 0.1,
    stages: Annotated[int, typer.Option(min=1, help="How many; the learning rate restarts in each.")] = 5,
    start: Annotated[float, typer.Option("--from", help="Lambda of the first stage.")] = 0.01,
    end: Annotated[float, typer.Option("--to", help="Lambda of the last stage.")] = 0.2,
    shape: Annotated[str, typer.Option(help="How it grows: linear, log (fast first) or exp (slow first).")] = "linear",
    task: TaskName = None,
    base: Base = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last whole stage.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no remarks.")] = False,
    as_json: Json = False,
    recipe: Any = None,
) -> None:
    """Train an adapter on in stages that drop more and more directions: score against numbers kept.

    Lambda says how hard a stage shrinks: 0 drops nothing, useful values are below 1. It grows from --from to --to.
    Each stage goes on from the one before, for --epochs passes of its own, so that the whole takes --stages times that.
    Choose the stage that is good enough: each is an adapter for rankwise evaluate, predict, merge and the rest.

    Reads a SoRA adapter, its base model and TABLE, with the columns of training. The adapter is best trained without
    shrinking (--sparsity 0): what an earlier target dropped does not come back. Writes the adapter folders
    <out>/stage-00, stage-01, ..., stages.json, and curve.png where matplotlib is installed. Prints a line for each.

    Example:  rankwise train reviews.csv --text review --label stars --sparsity 0 --out out/dense
              rankwise sparsify out/dense reviews.csv --epochs 1 --out out/curve
    """
    from ..analysis.plots import Point, curve_picture
    from ..errors import FolderExists, MissingExtra, explain
    from ..io.files import check_free
    from ..tasks.folder import Opened
    from ..tasks.table import encode_labels, read_table, split
    from ..train.schedule import lambdas
    from ..train.schedule import sparsify as run
    from ..train.workplace import Output

    values = lambdas(start, end, stages, shape)
    if out.is_file():
        check_free(out, False)  # says what is wrong
    if out.exists() and not resume:
        raise FolderExists(
            explain(f"{out} is there already.", "To go on with it: --resume", "Otherwise choose another name."),
            path=out,
        )
    opened = Opened.read(adapter, base)
    name, head = opened.head(task)
    columns, sep = opened.columns(task=task), opened.reading(task).sep
    known = read_table(rows, columns, kind=head.kind, sep=sep)
    if valid:
        held_out = read_table(valid, columns, kind=head.kind, sep=sep)
    else:
        known, held_out = split(known, valid_fraction, recipe.seed)
    for one in (known, held_out):
        encode_labels(one, head.labels)
    work = opened.task(opened.rows(known, task), task, recipe.metric, valid=opened.rows(held_out, task))
    found, _ = run(
        opened.model(),
        opened.adapter,
        work,
        recipe,
        values,
        out=Output(out, extra=opened.carried),
        resume=resume,
        progress=not quiet,
    )
    picture: Path | None = None
    try:
        points = [Point(s.size, s.scores[name], s.mean_rank) for s in found]
        picture = curve_picture(points, out / "curve.png", work.scored_by, f"{out}: lambda {start:g} to {end:g}")
    except MissingExtra as error:
        if not quiet:
            note(str(error))
    if as_json:
        lines = json.loads((out / "stages.json").read_text())
        print_json({"folder": str(out), "metric": work.scored_by, "stages": lines})
        return
    shown = [
        [s.number, f"{s.sparsity:.4g}", f"{s.mean_rank:.2f}", f"{s.size:,}", f"{s.scores[name]:.4f}", round(s.seconds)]
        for s in found
    ]
    print(table(["stage", "lambda", "mean rank", "numbers", work.scored_by, "seconds"], shown, left=0))
    print(f"folder   {out}" + (f"\ncurve    {picture}" if picture else ""))
