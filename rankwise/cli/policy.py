"""rankwise policy: what treating all, none, or those whom a rule picks would bring."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Json, TableFile, names, need_causal, note, print_json, table


class Nuisance(StrEnum):
    """Models of the outcome and of the treatment."""

    linear = "linear"
    boosting = "boosting"
    network = "network"


class Mechanisms(StrEnum):
    """Functions of a whole graph; auto: chosen for each node by cross-validation."""

    linear = "linear"
    boosting = "boosting"
    auto = "auto"


def policy(
    data: TableFile,
    treatment: Annotated[str, typer.Option(metavar="COLUMN", help="0 and 1, or true and false.", show_default=False)],
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="A number, or 0 and 1.", show_default=False)],
    common_causes: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Columns that move both; all of them.", show_default=False),
    ] = None,
    graph: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead: which column causes which, in TOML.", show_default=False),
    ] = None,
    effect_modifiers: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Further columns by which effects may differ.", show_default=False),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE", help="Whom to treat: \"age > 40 and region in ['north']\". Repeatable.", show_default=False
        ),
    ] = None,
    cost: Annotated[float, typer.Option(help="Of treating one row, in units of the outcome.")] = 0.0,
    smaller_is_better: Annotated[bool, typer.Option("--smaller-is-better", help="The outcome is a loss.")] = False,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="X=VALUE",
            help='With --graph: hold "x=1", shift "x+=2", scale "x*=2". Repeatable.',
            show_default=False,
        ),
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(metavar="N", help="With --set: this row as it would have been, from 0.", show_default=False),
    ] = None,
    mechanisms: Annotated[Mechanisms, typer.Option(help="With --set: functions of the graph.")] = Mechanisms.linear,
    resamples: Annotated[int, typer.Option(help="With --set: resampled tables for intervals.")] = 100,
    nuisance: Annotated[Nuisance, typer.Option(help="Models of outcome and treatment.")] = Nuisance.linear,
    folds: Annotated[int, typer.Option(min=2, help="A row is held out with its fold.")] = 5,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Its rows of one value are held out together.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of folds, models and resampling.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the report.", show_default=False)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the report.")] = False,
    as_json: Json = False,
) -> None:
    """Tell what treating all, none, or those whom a rule picks would bring.

    Values are doubly robust and cross-fitted, each with its interval, and policies are compared on the same rows.
    Beside your rules, one is learned: treat where the effect exceeds the cost. With a graph of all columns, --set says
    what follows from setting any of them. Right only if the common causes, or the graph, are.

    Example:  rankwise policy data.csv --treatment t --outcome y --common-causes a,b --cost 0.5 --rule "age > 40"
    """
    need_causal()
    from ..causal.frames import read_frame
    from ..causal.graph import read
    from ..causal.policy import Decision, Fitting
    from ..causal.policy_report import figures, report
    from ..causal.policy_study import Asked, study
    from ..causal.report import check_free, jsonable, write

    if out is not None:
        check_free(out, overwrite)
    found = study(
        read_frame(data),
        treatment,
        outcome,
        common_causes=None if common_causes is None else names(common_causes),
        graph=None if graph is None else read(graph),
        effect_modifiers=names(effect_modifiers or ""),
        decision=Decision(cost, smaller_is_better, tuple(rule or ())),
        fitting=Fitting(nuisance.value, folds, seed, group),
        asked=Asked(tuple(setting or ()), row, mechanisms.value, resamples),
    )
    files = [] if out is None else write(report(found), out, overwrite)
    if as_json:
        print_json(jsonable(figures(found) | {"files": [str(f) for f in files]}))
        return
    _tell(found)
    if files:
        print("written  " + ", ".join(str(f) for f in files))


def _tell(found: Any) -> None:
    """Overlap and values as a table; differences and the rest are in the report."""
    from ..causal.policy_report import summary
    from ..causal.report import figure

    p = found.policies
    also = found.interventions.notes if found.interventions else ()
    for text in dict.fromkeys((p.overlap.sentence, *p.notes, *also)):
        note(f"note: {text}".replace("`", "'"))
    rows = [
        (v.policy, f"{v.treated:.1%}", figure(v.outcome.value), figure(v.net.value), _ends(v.net)) for v in p.values
    ]
    print(table(("policy", "treated", p.outcome, "after cost", "95 % interval"), rows))
    print(summary(p).replace("`", "'"))
    if found.interventions:
        means = [
            (m.setting, m.node, *map(figure, (m.observed, m.set_to.value, m.change.value)), _ends(m.change))
            for m in found.interventions.means
        ]
        print("\n" + table(("set", "node", "observed", "mean", "change", "95 % interval"), means, left=2))
    for c in found.counterfactuals:
        lines = [(w.node, figure(w.was), figure(w.would_be.value), _ends(w.would_be)) for w in c.nodes]
        print(f"\nrow {c.row}, had {c.setting} been so{'' if c.nodes else ': ' + c.note}")
        if lines:
            print(table(("node", "was", "would have been", "95 % interval"), lines))


def _ends(estimate: Any) -> str:
    from ..causal.report import interval

    return interval(estimate.low, estimate.high)
