"""rankwise what-if: had one event begun at another time, what else would have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Json, counted, need_causal, need_relations, note, print_json, table


def _many(metavar: str, text: str) -> Any:
    return typer.Option(metavar=metavar, help=text, show_default=False)


def what_if(
    timeline: Annotated[
        Path | None,
        typer.Argument(metavar="TIMELINE", help="A .json file of rankwise timeline.", show_default=False),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="CHANGE", help='"merger -2d", "merger +1w" or "merger=2020-05-01".', show_default=False
        ),
    ] = None,
    lag: Annotated[
        list[str] | None, _many("A>B=3d", "Least time from the start of A to that of B; 2d..5d for bounds.")
    ] = None,
    plan: Annotated[
        list[str] | None, _many("B=DATE", "B does not begin before; events without one follow their causes.")
    ] = None,
    time: Annotated[
        list[str] | None, _many("A=DATE", "When A began, where the timeline does not know or is wrong.")
    ] = None,
    cause: Annotated[list[str] | None, _many("A>B", "A causes B, though the timeline does not say so.")] = None,
    not_cause: Annotated[list[str] | None, _many("A>B", "A does not cause B, though the timeline says so.")] = None,
    graph: Annotated[
        Path | None, typer.Option(help="Lags and causes that --fit wrote, or a person.", show_default=False)
    ] = None,
    sure: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="An edge of the graph counts as a cause from this probability on.")
    ] = 0.5,
    by_day: Annotated[
        bool, typer.Option("--by-day", help="A date is the beginning of its day, not some time of it.")
    ] = False,
    fit: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Fit lags over the timelines in a folder instead.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the report; with --fit, the graph to write (.toml or .json).", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draws from fitted lags.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Tell what else would have begun at another time, had one event done so, and what keeps its time.

    An event waits for its plan and for each of its causes with their lags. Only causes carry a change; what is merely
    earlier or later does not. Causes, lags and plans are what you state: lags that the answer needs and nobody stated
    are asked for. Events are named by id, or by their word where no other event has it.

    Example:  rankwise what-if timeline.json --set "merger -2d" --lag "merger>trial=3d" --out report
    """
    need_relations()
    need_causal()
    if fit is not None:
        _fit(fit, out, timeline, overwrite, as_json)
        return
    from ..causal.ask import ask
    from ..causal.stated import Stated

    said = Stated(
        tuple(cause or ()), tuple(not_cause or ()), tuple(lag or ()), tuple(plan or ()), tuple(time or ()),
        sure=sure, by_day=by_day,
    )  # fmt: skip
    asked = ask(timeline, changes or (), said, graph=graph, out=out, seed=seed, overwrite=overwrite)
    if as_json:
        print_json(asked.data)
        return
    for remark in asked.answer.notes:
        note(f"note: {remark}")
    for sentence in asked.sentences:
        print(sentence)
    print("\nif all of this holds:")
    for condition in asked.data["conditions"]:
        print(f"  {condition}")
    for c in asked.chances:
        print(f"over many such timelines {c.name} moves in {c.moves:.0%}, by {c.mean:.2f} d on average (seed {seed})")
    if asked.files:
        print("written  " + ", ".join(map(str, asked.files)))


def _fit(folder: Path, out: Path | None, timeline: Path | None, overwrite: bool, as_json: bool) -> None:
    from ..causal.lag_graph import Spread
    from ..causal.lags import fit_folder
    from ..errors import DataError, explain

    if timeline is not None:
        raise DataError(
            explain(f"{timeline} and --fit {folder}: one thing at a time.", "Fit first, then ask with --graph.")
        )
    if out is None:
        raise DataError(explain("--fit needs a file to write.", "For instance: --out graph.toml"))
    made = fit_folder(folder, out, overwrite)
    if as_json:
        from ..causal.report import jsonable

        print_json(jsonable(made) | {"file": str(out)})
        return
    for remark in made.notes:
        note(f"note: {remark}")
    rows = []
    for e in made.edges:
        p, lag = e.probability, e.lag
        share = f"{p.value:.2f} [{p.low:.2f}, {p.high:.2f}]" if p else "–"
        mean = f"{lag.mean:.2f} d [{lag.low:.2f}, {lag.high:.2f}]" if isinstance(lag, Spread) else f"– ({e.why_not})"
        rows.append([f"{e.cause} > {e.effect}", share, p.of if p else 0, mean, lag.n if isinstance(lag, Spread) else 0])
    print(table(("edge", "probability [95 %]", "of", "mean lag [95 %]", "n"), rows))
    print(f"{counted(made.timelines, 'timeline')}, {counted(len(made.edges), 'edge')}\nwritten  {out}")
