"""rankwise effect: what a treatment does to an outcome, from a table and a graph."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Json, TableFile, names, need_causal, note, print_json, table
from .policy import Nuisance


class TextMethod(StrEnum):
    """How a text is read."""

    lora = "lora"
    sora = "sora"
    frozen = "frozen"
    bag = "bag"


def effect(
    data: TableFile,
    treatment: Annotated[str, typer.Option(metavar="COLUMN", help="0 and 1, or true and false.", show_default=False)],
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="A number, or 0 and 1.", show_default=False)],
    graph: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='Which column causes which, in TOML: edges = [["w", "t"], ["t", "y"]], hidden = ["u"].',
            show_default=False,
        ),
    ] = None,
    common_causes: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Instead of a graph: the columns that move both; none where the treatment was random.",
            show_default=False,
        ),
    ] = None,
    instruments: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Use these rather than adjust.", show_default=False),
    ] = None,
    effect_modifiers: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Tell the effect by these columns too.", show_default=False),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="A text that moves both, written before the treatment; --common-causes are what does so besides it.",
            show_default=False,
        ),
    ] = None,
    text_method: Annotated[
        TextMethod | None,
        typer.Option(
            help="With --text: an adapter a fold, the encoder as it is (minutes less), or words alone.",
            show_default="lora",
        ),
    ] = None,
    base: Annotated[str, typer.Option(help="With --text: the encoder.")] = "minilm",
    epochs: Annotated[float, typer.Option(help="With --text: of each adapter.")] = 3.0,
    blocks: Annotated[
        int | None,
        typer.Option(
            help="With --text: of rows, left out in turn for the interval; 0 takes the models as given.",
            show_default="20, or 0 for more than 1,000 rows",
        ),
    ] = None,
    nuisance: Annotated[Nuisance, typer.Option(help="Models of outcome and treatment.")] = Nuisance.linear,
    folds: Annotated[int, typer.Option(help="A row is held out with its fold.")] = 5,
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="COLUMN", help="Its rows of one value belong together.", show_default=False),
    ] = None,
    refuters: Annotated[str, typer.Option(metavar="A,B,...", help="Names of refuters, all or none.")] = "all",
    simulations: Annotated[
        int | None, typer.Option(help="Of each refuter.", show_default="20, or 5 without linear models")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of folds, models and refuters.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the report.", show_default=False)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the report.")] = False,
    as_json: Json = False,
) -> None:
    """Estimate what a treatment does to an outcome, from a table and a graph.

    Checks the graph against the table, looks at overlap before any estimate, estimates doubly robustly with an
    interval, sets other estimators beside it, and runs refuters in forms that are right, each with what passing means.
    Right only if the graph is: no figure here can show that a cause is missing from it.

    With --text, what moves both is a text: it is read by one adapter a fold, cross-fitted.

    Example:  rankwise effect data.csv --treatment t --outcome y --graph g.toml --out report/
    Example:  rankwise effect reviews.csv --treatment t --outcome y --text review --out report/
    """
    need_causal()
    from ..causal import effect_report
    from ..causal.estimate import effect as estimated
    from ..causal.frames import read_frame
    from ..causal.graph import read
    from ..causal.refute import ALL
    from ..causal.report import check_free

    if out is not None:
        check_free(out, overwrite)
    which = ALL if refuters == "all" else tuple(names(refuters))
    if text is not None:
        from ..causal import text_report  # torch and transformers, which columns alone do not need
        from ..causal.text import text_effect

        _refuse_beside_text(graph=graph, instruments=instruments, effect_modifiers=effect_modifiers)
        read_off = text_effect(
            read_frame(data),
            treatment,
            outcome,
            text,
            covariates=names(common_causes or ""),
            method=(text_method or TextMethod.lora).value,
            base=base,
            epochs=epochs,
            blocks=blocks,
            folds=folds,
            group=group,
            refuters=which,
            simulations=simulations,
            seed=seed,
        )
        _finish(read_off, text_report, _tell_text, out, overwrite, as_json)
        return
    _refuse_without_text(text_method=text_method, blocks=blocks)
    found = estimated(
        read_frame(data),
        treatment,
        outcome,
        graph=None if graph is None else read(graph),
        common_causes=None if common_causes is None else names(common_causes),
        instruments=names(instruments or ""),
        effect_modifiers=names(effect_modifiers or ""),
        nuisance=nuisance.value,
        folds=folds,
        groups=group,
        refuters=which,
        simulations=simulations,
        seed=seed,
    )
    _finish(found, effect_report, _tell, out, overwrite, as_json)


def _finish(found: Any, report: Any, tell: Any, out: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write the report where one is wanted, and print the figures."""
    from ..causal.report import jsonable, write

    files = [] if out is None else write(report.report(found), out, overwrite)
    if as_json:
        print_json(jsonable(report.figures(found) | {"files": [str(f) for f in files]}))
        return
    tell(found)
    if files:
        print("written  " + ", ".join(str(f) for f in files))


def _tell(found: Any) -> None:
    """Overlap first, then estimates, groups and refuters as tables; their sentences on lines of their own."""
    from ..causal.effect_report import summary
    from ..causal.report import figure, interval

    for text in (*found.notes, found.way.sentence, found.independences.sentence):
        note(f"note: {text}".replace("`", "'"))
    if found.overlap is not None:
        print(f"overlap  {found.overlap.sentence}\n")
    rows = [(e.name, figure(e.ate), interval(e.low, e.high)) for e in found.estimators]
    print(table(("estimator", f"effect on {found.outcome}", "95 % interval"), rows))
    for m in found.cate:
        lines = [(f"{m.column} {v.level}", v.n, figure(v.ate), interval(v.low, v.high)) for v in m.levels]
        print("\n" + table(("group", "rows", "effect", "95 % interval"), lines) + f"\n{m.sentence}")
    _tell_refuters(found)
    print("\n" + summary(found).replace("`", "'"))


def _tell_refuters(found: Any) -> None:
    from ..causal.report import figure

    if found.refuters:
        print()
    for r in found.refuters:
        verdict = {True: "passed", False: "FAILED", None: "measured"}[r.passed]
        print(f"{r.name}, {verdict}: {figure(r.new)}. {r.sentence}")


def _tell_text(found: Any) -> None:
    """What the text tells and the overlap first, then estimates, quarters and refuters."""
    from ..causal.report import figure, interval
    from ..causal.text_report import share, summary

    for text in found.notes:
        note(f"note: {text}")
    read = found.read
    who = "text and columns tell" if found.covariates else "text     tells"
    print(f"{who} the treatment with an AUC of {read.auc:.2f}, and {share(read.explained)} of the outcome")
    print(f"overlap  {found.overlap.sentence}\n")
    rows = [(e.name, figure(e.ate), interval(e.low, e.high)) for e in found.estimators]
    print(table(("estimator", f"effect on {found.outcome}", "95 % interval"), rows))
    parts = [(p.name, p.n, figure(p.ate), interval(p.low, p.high)) for p in found.parts]
    print("\n" + table(("by predicted effect", "rows", "effect", "95 % interval"), parts))
    _tell_refuters(found)
    print("\n" + summary(found).replace("`", "'"))


def _refuse_beside_text(**given: Any) -> None:
    """Raises RecipeError for what says another graph than that of a text as common cause."""
    from ..errors import RecipeError, explain

    for name, value in given.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            raise RecipeError(
                explain(
                    f"--text and {option} are both given.",
                    "With --text the graph is fixed: text and --common-causes move treatment and outcome.",
                    f"Leave {option} out.",
                )
            )


def _refuse_without_text(**given: Any) -> None:
    """Raises RecipeError for what only a text has a use for."""
    from ..errors import RecipeError, explain

    for name, value in given.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            raise RecipeError(
                explain(f"{option} is given without --text.", "Name the column of texts, or leave it out.")
            )
