"""The four steps on a table and a graph, in an order that keeps one honest: model, identify, estimate, refute.

    found = effect(table, "t", "y", graph=[("w", "t"), ("w", "y"), ("t", "y")])
    found.overlap.sentence, found.ate, found.ci, [r.sentence for r in found.refuters]

The overlap is looked at before any estimate. Where rows lack a counterpart, there is no average over all of them: `ate`
is None, and the effect on the rows that have one is told under `estimators`. The estimate is a cross-fitted AIPW
(aipw.py); others stand beside it to be compared, not to choose from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import columns as column_rules
from .aipw import LEAST, Floats, mean_and_error
from .estimators import AIPW, Estimate, Z, aipw, beside, estimand
from .graph import Graph, Names
from .identify import Way, identify
from .independence import Independences, independences
from .indirect import front_door, instrument
from .modifiers import Modifier, by_group
from .overlap import Overlap, overlap
from .question import Settings, prepared, settings_of, stated_graph, with_modifiers
from .refute import Asked, Refuted, refute

if TYPE_CHECKING:
    import pandas as pd

NOT_REFUTED = "Refuters are not run: each of them passes where there is no overlap, right or wrong."


@dataclass(frozen=True)
class Effect:
    """What was found.

    Args:
        way: how the graph lets the effect be found. n: rows used.
        ate, se: the average effect and its standard error; None where there is none, and `notes` says why.
        overlap: None with an instrument or a front door, which compare no like with like.
        estimators: the main one first. cate: by group. notes: what was done to the table, and what to beware of.
        scores: [n] doubly robust scores, whose mean is the effect; None with an instrument or a front door.
    """

    treatment: str
    outcome: str
    graph: Graph
    way: Way
    settings: Settings
    n: int
    ate: float | None
    se: float | None
    overlap: Overlap | None
    independences: Independences
    estimators: tuple[Estimate, ...] = ()
    refuters: tuple[Refuted, ...] = ()
    cate: tuple[Modifier, ...] = ()
    notes: tuple[str, ...] = ()
    scores: Floats | None = field(default=None, repr=False, compare=False)

    @property
    def ci(self) -> tuple[float, float] | None:
        """95 %."""
        if self.ate is None or self.se is None:
            return None
        return self.ate - Z * self.se, self.ate + Z * self.se


def effect(
    table: pd.DataFrame,
    treatment: str,
    outcome: str,
    *,
    graph: Any = None,
    common_causes: Sequence[str] | None = None,
    instruments: Sequence[str] = (),
    effect_modifiers: Sequence[str] = (),
    **settings: Any,
) -> Effect:
    """The average effect of a treatment of two values.

    Args:
        table: one row a unit; rows with gaps in a column that is used are left out, and counted in `notes`.
        graph: a graph.Graph, a networkx.DiGraph or edges; or else common_causes, [] where the treatment was random.
        instruments: use these, rather than adjust.
        effect_modifiers: columns by which the effect is also told group by group.
        settings: of Settings.

    Raises:
        UnknownName: a column, node or setting that is not there.
        DataError: a cycle, a column in two roles or twice, or one that cannot be used; the message says which and how.
        RecipeError: neither graph nor common_causes, or both; a setting outside its range.
    """
    how = settings_of(settings)
    table = table.set_axis([str(c) for c in table.columns], axis=1)
    stated = stated_graph(table, treatment, outcome, graph, common_causes, instruments)
    way = identify(stated, treatment, outcome, tuple(instruments))
    modifiers = tuple(dict.fromkeys(effect_modifiers))
    way, notes = with_modifiers(stated, way, treatment, outcome, modifiers)
    used = tuple(dict.fromkeys((*way.adjust, *way.through, *modifiers)))
    data, more = prepared(table, treatment, outcome, used, how.groups)
    nodes = [n for n in stated.observed if stated.stated]
    implied = independences(table[nodes].dropna(), stated, seed=how.seed)
    asked = _Question(data, treatment, outcome, stated, way, how, implied, (*notes, *more), modifiers)
    return _adjusted(asked) if way.kind == "adjustment" else _indirect(asked)


@dataclass(frozen=True)
class _Question:
    """What all ways of estimating start from. data: [n] rows without gaps, the treatment 0 and 1."""

    data: pd.DataFrame
    treatment: str
    outcome: str
    graph: Graph
    way: Way
    settings: Settings
    implied: Independences
    notes: Names
    modifiers: Names

    def answer(self, ate: float | None, se: float | None, seen: Overlap | None, **found: Any) -> Effect:
        return Effect(
            self.treatment,
            self.outcome,
            self.graph,
            self.way,
            self.settings,
            len(self.data),
            ate,
            se,
            seen,
            self.implied,
            **found,
        )


def _adjusted(asked: _Question) -> Effect:
    """By AIPW, after a look at the overlap."""
    how, data, adjust = asked.settings, asked.data, asked.way.adjust
    wanted = estimand(asked.treatment, asked.outcome, adjust)
    found, fitted = aipw(data, wanted, nuisance=how.nuisance, folds=how.folds, seed=how.seed, groups=how.groups)
    labels = data[how.groups].to_numpy() if how.groups else None
    seen = overlap(fitted.nuisances_.g)
    others = beside(data, asked.treatment, asked.outcome, adjust, how.seed) if how.compare else []
    by = by_group(data, asked.modifiers, fitted.psi_, labels)
    if not seen.ok:
        rows = [*_within(fitted, seen, data[asked.treatment].to_numpy(), labels)]
        rows.append(_row("AIPW, all rows", fitted.ate_, fitted.se_, f"a guess for {seen.outside:.0%} of them"))
        warned = (*asked.notes, f"There is no average over all rows. {seen.sentence}", NOT_REFUTED)
        return asked.answer(
            None, None, seen, estimators=(*rows, *others), cate=tuple(by), notes=warned, scores=fitted.psi_
        )
    main = _row(f"AIPW, {how.nuisance}", fitted.ate_, fitted.se_, "right if the outcome or the treatment model is")
    refuted = refute(Asked(data, wanted, found, fitted, how.runs, how.seed), how.refuters)
    return asked.answer(
        fitted.ate_,
        fitted.se_,
        seen,
        estimators=(main, *others),
        refuters=tuple(refuted),
        cate=tuple(by),
        notes=asked.notes,
        scores=fitted.psi_,
    )


def _within(fitted: AIPW, seen: Overlap, t: Any, labels: Any) -> list[Estimate]:
    """The average over the rows that have a counterpart (Crump et al. 2009); none where they are too few."""
    keep = (fitted.nuisances_.g >= seen.low) & (fitted.nuisances_.g <= seen.high)
    if min(int((t[keep] == arm).sum()) for arm in (0, 1)) < LEAST:
        return []
    ate, se = mean_and_error(fitted.psi_[keep], None if labels is None else labels[keep])
    return [_row("AIPW, rows with overlap", ate, se, f"{int(keep.sum()):,} rows; of the others nothing is known")]


def _indirect(asked: _Question) -> Effect:
    """By instrument or front door; or by nothing, and then only what can be compared is told."""
    data, way, how = asked.data, asked.way, asked.settings
    y, t = (data[c].to_numpy(dtype=np.float64) for c in (asked.outcome, asked.treatment))
    adjust = way.adjust if way.kind != "none" else ()
    others = beside(data, asked.treatment, asked.outcome, adjust, how.seed) if how.compare else []
    plain = [e for e in others if e.name in ("difference of means", "linear regression")]
    if way.kind == "none":
        notes = (*asked.notes, f"No effect is estimated. {way.sentence}")
        return asked.answer(None, None, None, estimators=tuple(plain), notes=notes)
    through, _ = column_rules.numbers(data, way.through)
    x, _ = column_rules.numbers(data, way.adjust)
    found = (instrument if way.kind == "instrument" else front_door)(y, t, through, x)
    name = "two-stage least squares" if way.kind == "instrument" else "front door"
    notes = (*asked.notes, found.sentence, "Refuters of an adjustment do not apply to it, and none is run.")
    if how.groups:
        notes += (f"Its error takes rows of one {how.groups} for independent, and is too small if they are not.",)
    rows = (_row(name, found.ate, found.se, "linear"), *plain)
    return asked.answer(found.ate, found.se, None, estimators=rows, notes=notes)


def _row(name: str, ate: float, se: float, note: str) -> Estimate:
    return Estimate(name, ate, ate - Z * se, ate + Z * se, note=note)
