"""The report of an experiment on gates: what was done, what carries what, how well effects predict, and the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .gate_picture import gates_svg
from .measured import Experiment, Measured
from .report import Picture, Report, Section, Table, Text, interval
from .subspace import Overlap

SHOWN = 12
"""Rows of a table of switches or pairs; all of them are in the report's data."""
MEASUREMENT = (
    "This is a measurement, not a cure. It says what the directions of this adapter do to these outcomes on these "
    "texts. Cutting directions because of it has been tried and is a weak remedy: what the frozen base and the heads "
    "do stays, and cues share directions. Counterfactual augmentation of the training texts does more."
)
QUESTIONS = (
    "Three numbers a switch, which answer three questions. `main`: what opening it does on average, the others open or "
    "shut by a coin. `left out`: what is lost when it alone is shut; directions that stand in for one another hide "
    "from this. `Shapley`: its share of the way from all shut to all open, over all orders of opening. The interval is "
    "over masks, with the texts as they are; `over texts` is the standard error over documents, with the masks as they "
    "are."
)
CAUTION = (
    "These are measurements of one adapter on these texts: what an outcome does when directions are shut. They do not "
    "say what a direction is for, and nothing here was refuted or could be. Trust a main effect no further than the R2 "
    "on masks that were not fitted, and no figure from a handful of texts."
)
ROTATION = (
    "The factors of a low-rank update are defined up to rotation (B A = (B R^-1)(R A)), and gates with an L1 pull "
    "break that in part only. An effect of a single direction is a fact about this basis. Effects of whole sites and "
    "layers do not depend on it."
)


def carriers(measured: Measured, share: float = 0.9) -> int:
    """The fewest switches that hold this share of the sum of |main effects|; 0 where there is none."""
    sizes = np.sort([abs(e.main) for e in measured.effects])[::-1]
    total = 0.0 if np.isnan(measured.r2_main) else sizes.sum()
    return int((np.cumsum(sizes) < share * total).sum()) + 1 if total > 0 else 0


def gate_report(
    found: Experiment,
    title: str,
    *,
    singular: Experiment | None = None,
    shared: Sequence[Overlap] = (),
    other: str = "",
) -> Report:
    """A report to write with `report.write`.

    singular: the same experiment in the basis of singular vectors. shared: overlaps with the adapter called `other`.
    """
    sections = [_done(found), _carried(found), *(_outcome(m) for m in found.measured)]
    if singular is not None:
        sections.append(_basis(found, singular))
    if shared:
        sections.append(_stability(shared, other))
    sections.append(Section("What it does not say", (Text(MEASUREMENT), Text(ROTATION))))
    data: dict[str, Any] = {"experiment": found.to_dict()}
    if singular is not None:
        data["singular_basis"] = singular.to_dict()
    if shared:
        data["overlaps"] = {"with": other, "sites": [asdict(o) for o in shared]}
    return Report(title, tuple(sections), data, CAUTION)


def _done(found: Experiment) -> Section:
    directions = sum(len(s.members) for s in found.switches)
    how = (
        f"{directions} live directions in {len(found.switches)} switches, each open or shut by a coin; {found.runs} "
        f"masks were run ({found.runs / len(found.switches):.1f} a switch), seed {found.seed}, {found.seconds:.0f} s. "
    )
    if found.complete:
        how += "That is every mask there is: no effect is left to chance, and for R2 each is predicted from the others."
    else:
        how += f"Effects were fitted on {found.fitted} of them, and R2 is of {found.fresh} that the fit has not seen."
    notes = [Text("\n\n".join(found.notes))] if found.notes else []
    return Section("What was done", (Text(how), Text(QUESTIONS), *notes))


def _carried(found: Experiment) -> Section:
    columns = (
        "outcome",
        "all open",
        "all shut",
        "R2",
        "95 %",
        "R2 main",
        "R2 pairs",
        "R2 shrunk",
        "R2 process",
        "carriers",
        "left out",
        "n",
        "texts",
    )
    rows = [
        (
            *(m.outcome, m.open, m.shut, m.r2, interval(m.low, m.high), m.r2_main),
            *(m.r2_pairs, m.r2_shrunk, m.r2_gp),
            *(f"{carriers(m)} of {len(m.effects)}", m.agreement, m.units, m.documents),
        )
        for m in found.measured
    ]
    caption = (
        "R2: of the best model, chosen on the runs of the fit; of main effects alone, with pairs, with pairs that "
        "are shrunk towards 0, and of a Gaussian process, which has what switches do in threes and more. carriers: "
        "switches that hold 90 % of the sum of main effects. left out: correlation of main effects with leave-one-out "
        "ones."
    )
    meaning = "\n\n".join(f"`{m.outcome}`: {m.legend}." for m in found.measured)
    picture = Picture(
        gates_svg(found),
        "Main effect of each switch on each outcome; numbers (dots for .00) where the interval leaves out 0.",
    )
    return Section("Which switches carry what", (Table(columns, tuple(rows), caption), Text(meaning), picture))


def _outcome(m: Measured) -> Section:
    if np.isnan(m.r2_main):
        return Section(m.outcome, (Text("No switch moves it."),))
    order = sorted(m.effects, key=lambda e: -abs(e.main))[:SHOWN]
    rows = [(e.switch, e.main, interval(e.low, e.high), e.text_error, e.left_out, e.shapley) for e in order]
    columns = ("switch", "main", "95 % over masks", "over texts", "left out", "Shapley")
    caption = f"The {len(order)} of {len(m.effects)} switches with the largest main effects."
    blocks: list[Text | Table] = [Table(columns, tuple(rows), caption)]
    sure = [p for p in m.pairs if p.low > 0 or p.high < 0]
    if sure and m.chosen != "main":
        best = sorted(sure, key=lambda p: -abs(p.effect))[:SHOWN]
        told = tuple((p.first, p.second, p.effect, interval(p.low, p.high)) for p in best)
        count = len(m.effects) * (len(m.effects) - 1) // 2
        note = f"{len(sure)} of {count} pairs have an interval without 0"
        note += "; they are shrunk towards it." if m.pairs_by == "shrunk" else f", {count / 20:.1f} would by chance."
        blocks.append(Table(("first", "second", "raises its effect by", "95 %"), told, note))
    return Section(m.outcome, tuple(blocks))


def _basis(found: Experiment, singular: Experiment) -> Section:
    columns = ("outcome", "R2", "R2 singular", "carriers", "carriers singular")
    rows = tuple(
        (a.outcome, a.r2, b.r2, f"{carriers(a)} of {len(a.effects)}", f"{carriers(b)} of {len(b.effects)}")
        for a, b in zip(found.measured, singular.measured, strict=True)
    )
    told = "The same update with its directions turned into its singular vectors, as a control on the basis."
    return Section("In the basis of singular vectors", (Text(told), Table(columns, rows)))


def _stability(shared: Sequence[Overlap], other: str) -> Section:
    columns = ("site", "ranks", "writes", "by chance", "reads", "by chance ")
    rows = tuple(
        (o.site, f"{o.ranks[0]}, {o.ranks[1]}", o.writes, o.writes_chance, o.reads, o.reads_chance) for o in shared
    )
    told = (
        f"Share of the smaller subspace that lies in the larger one, against {other}. What an update reads stays near "
        "where A was drawn, so that runs of two seeds may read apart and write alike."
    )
    return Section("The same directions in another run?", (Text(told), Table(columns, rows)))
