"""The report of an effect, in the order in which it is to be read: graph, overlap, effect, groups, refuters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .draw import Edge, Interval, forest_svg, graph_svg
from .estimate import Effect
from .estimators import Estimate
from .overlap import QUANTILES, Overlap
from .report import Picture, Report, Section, Table, Text, figure, interval

DRAWN = 24  # nodes up to which a graph is drawn with all of its columns


def report(found: Effect) -> Report:
    sections = [
        _short(found),
        _graph(found),
        *([overlap_section(found.overlap)] if found.overlap else []),
        estimates_section(found.estimators, found.outcome),
        *([_groups(found)] if found.cate else []),
        *([refuters_section(found)] if found.refuters else []),
        _how(found),
    ]
    return Report(f"The effect of {found.treatment} on {found.outcome}", tuple(sections), figures(found))


def figures(found: Effect) -> dict[str, Any]:
    """All numbers, for `--json` and report.json."""
    how, seen = found.settings, found.overlap
    return {
        "treatment": found.treatment,
        "outcome": found.outcome,
        "n": found.n,
        "ate": found.ate,
        "ci": found.ci,
        "se": found.se,
        "overlap": None
        if seen is None
        else {
            "ok": seen.ok,
            "outside": seen.outside,
            "low": seen.low,
            "high": seen.high,
            "quantiles": {f"{q:g}": v for q, v in zip(QUANTILES, seen.quantiles, strict=True)},
            "sentence": seen.sentence,
        },
        "identification": found.way,
        "estimators": found.estimators,
        "refuters": found.refuters,
        "cate": [{"column": m.column, "p": m.p, "levels": m.levels, "sentence": m.sentence} for m in found.cate],
        "independences": {
            "implied": found.independences.implied,
            "informative": found.independences.informative,
            "tested": found.independences.tested,
            "contradicted": found.independences.contradicted,
            "sentence": found.independences.sentence,
        },
        "notes": found.notes,
        "settings": how,
    }


def summary(found: Effect) -> str:
    """One or two sentences: the effect with its interval, and what it is not."""
    pair = f"`{found.treatment}` on `{found.outcome}`"
    naive = next((e for e in found.estimators if e.name == "difference of means"), None)
    beside = f" The means of the two arms differ by {figure(naive.ate)}, before any adjustment." if naive else ""
    if found.ate is None or found.ci is None:
        return f"No average effect of {pair} over all {found.n:,} rows can be told from this table.{beside}"
    low, high = found.ci
    clear = (
        "Its interval leaves out zero."
        if low > 0 or high < 0
        else "Its interval holds zero: no effect is not excluded."
    )
    return (
        f"Average effect of {pair}: {figure(found.ate)}, 95 % interval {interval(low, high)}, {found.n:,} rows. "
        f"{clear}{beside}"
    )


def _short(found: Effect) -> Section:
    """The overlap comes first, here too."""
    said = [f"Overlap: {found.overlap.sentence}"] if found.overlap else []
    return Section("In short", (Text("\n\n".join([*said, summary(found), *found.notes])),))


def _graph(found: Effect) -> Section:
    graph, way = found.graph, found.way
    held = {found.treatment, found.outcome, *way.adjust, *way.through, *graph.hidden}
    edges = list(graph.edges)
    caption = "The graph as it was stated. Marked: the treatment and the outcome."
    if len(graph.nodes) > DRAWN:
        edges = [(a, b) for a, b in edges if {a, b} <= held] if len(held) <= DRAWN else []
        edges = edges or [("common causes", found.treatment), ("common causes", found.outcome)]
        edges += [] if (found.treatment, found.outcome) in edges else [(found.treatment, found.outcome)]
        caption = f"The graph as it was stated, of {len(graph.nodes)} nodes, drawn in short."
    marked: set[str | Edge] = {found.treatment, found.outcome, (found.treatment, found.outcome)}
    blocks: list[Any] = [Picture(graph_svg(edges, highlight=marked), caption), Text(way.sentence)]
    if graph.hidden:
        blocks.append(Text(f"Nobody measured: {', '.join(sorted(graph.hidden))}."))
    blocks.append(Text(found.independences.sentence))
    if found.independences.tested:
        rows = [
            (i.a, i.b, ", ".join(i.given) or "nothing", i.p, i.held_up, "contradicted" if i.contradicted else "holds")
            for i in sorted(found.independences.tested, key=lambda i: i.p)
        ]
        columns = ("one", "other", "given", "p", "p (Holm)", "verdict")
        blocks.append(Table(columns, tuple(rows[:20]), "Independences that the graph implies, least likely first."))
    return Section("What the graph says", tuple(blocks))


def overlap_section(seen: Overlap) -> Section:
    names = tuple("least" if q == 0 else "most" if q == 1 else f"{q:.0%}" for q in QUANTILES)
    table = Table(names, (seen.quantiles,), "Probability of treatment at these shares of the rows.")
    return Section("Overlap, before any estimate", (Text(seen.sentence), table))


def estimates_section(estimators: Sequence[Estimate], outcome: str) -> Section:
    rows = [Interval(e.name, e.ate, e.low, e.high, i == 0) for i, e in enumerate(estimators)]
    cells = [(e.name, e.ate, interval(e.low, e.high), e.note) for e in estimators]
    unit = f"effect on {outcome}"
    return Section(
        "The effect, and other estimators beside it",
        (
            Text(
                "The first is the answer. The others are there to be compared, not to be chosen from: where they "
                "disagree, one of their assumptions is wrong."
            ),
            Picture(forest_svg(rows, unit=unit), "Estimates with 95 % intervals, where a right one is to be had."),
            Table(("estimator", "effect", "95 % interval", "what it rests on"), tuple(cells)),
        ),
    )


def _groups(found: Effect) -> Section:
    blocks: list[Any] = []
    for m in found.cate:
        rows = [Interval(f"{m.column} {v.level}", v.ate, v.low, v.high) for v in m.levels]
        cells = [(v.level, v.n, v.ate, interval(v.low, v.high)) for v in m.levels]
        blocks += [Text(m.sentence), Picture(forest_svg(rows), f"Average effect by {m.column}.")]
        blocks.append(Table((m.column, "rows", "effect", "95 % interval"), tuple(cells)))
    if found.overlap is not None and not found.overlap.ok:
        blocks.insert(0, Text("Without overlap these too are guesses, in groups where it is missing."))
    return Section("By group", tuple(blocks))


def refuters_section(found: Effect) -> Section:
    said = {True: "passed", False: "FAILED", None: "measured"}
    rows = [(r.name, "not run" if math.isnan(r.new) else said[r.passed], r.new, r.sentence) for r in found.refuters]
    ran = max((r.simulations for r in found.refuters), default=0)
    caption = f"{ran} simulations each, where there are any; seed {found.settings.seed}."
    return Section("Refuters", (Table(("refuter", "verdict", "new value", "what it means"), tuple(rows), caption),))


def _how(found: Effect) -> Section:
    how = found.settings
    said = (
        f"{found.n:,} rows, {how.folds} folds, {how.nuisance} models, seed {how.seed}. "
        "The estimate is augmented inverse propensity weighting, cross-fitted: each row is answered for by models that "
        "did not see it, and the error is that of a mean."
    )
    if found.overlap is None:
        said = f"{found.n:,} rows, seed {how.seed}. Linear in every step, with errors that hold for unequal noise."
    if how.groups:
        said += f" Rows of one {how.groups} were held out together and count as one in the error."
    return Section("How it was made", (Text(said),))
