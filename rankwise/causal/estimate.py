"""The four steps on a table and a graph, in an order that keeps one honest: model, identify, estimate, refute.

    found = effect(table, "t", "y", graph=[("w", "t"), ("w", "y"), ("t", "y")])
    found.overlap.sentence, found.ate, found.ci, [r.sentence for r in found.refuters]

The overlap is looked at before any estimate. Where rows lack a counterpart, there is no average over all of them: `ate`
is None, and the effect on the rows that have one is told under `estimators`. The estimate is a cross-fitted AIPW
(aipw.py); others stand beside it to be compared, not to choose from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, RecipeError, explain, refuse_unknown
from . import columns as column_rules
from .aipw import LEAST, NUISANCES, Floats, mean_and_error
from .estimators import AIPW, Estimate, Z, aipw, beside, estimand
from .graph import Graph, Names, Way, allows, as_graph, check_columns, from_causes, identify
from .independence import Independences, independences
from .indirect import front_door, instrument
from .modifiers import Modifier, by_group
from .overlap import Overlap, overlap
from .refute import ALL, RESERVED, Asked, Refuted, refute

if TYPE_CHECKING:
    import pandas as pd

NOT_REFUTED = "Refuters are not run: each of them passes where there is no overlap, right or wrong."


@dataclass(frozen=True)
class Settings:
    """How to estimate.

    Args:
        nuisance: models of outcome and treatment: linear, boosting or network.
        folds: >= 2. seed: of folds, models and refuters.
        refuters: names, see refute.ALL; () for none.
        simulations: of each refuter; 20 with linear models and 5 with others, which take longer.
        groups: column whose rows belong together, such as documents: for folds and errors.
        compare: other estimators beside it.
    """

    nuisance: str = "linear"
    folds: int = 5
    seed: int = 0
    refuters: tuple[str, ...] = ALL
    simulations: int | None = None
    groups: str | None = None
    compare: bool = True

    @property
    def runs(self) -> int:
        return self.simulations or (20 if self.nuisance == "linear" else 5)


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
    how = _settings(settings)
    table = table.set_axis([str(c) for c in table.columns], axis=1)
    stated = _graph(table, treatment, outcome, graph, common_causes, instruments)
    way = identify(stated, treatment, outcome, tuple(instruments))
    modifiers = tuple(dict.fromkeys(effect_modifiers))
    way, notes = _with_modifiers(stated, way, treatment, outcome, modifiers)
    used = tuple(dict.fromkeys((*way.adjust, *way.through, *modifiers)))
    data, more = _prepared(table, treatment, outcome, used, how.groups)
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


def _settings(given: dict[str, Any]) -> Settings:
    """Raises UnknownName or RecipeError."""
    refuse_unknown("effect()", given, [f.name for f in fields(Settings)])
    how = Settings(**given)
    if isinstance(how.refuters, str):
        raise RecipeError(explain(f"refuters={how.refuters!r} is one word.", f'A list: refuters=["{how.refuters}"]'))
    how = replace(how, refuters=tuple(how.refuters))
    for name in how.refuters:
        if name not in ALL:
            raise RecipeError(explain(f"refuters={name!r} is not known.", f"All: {', '.join(ALL)}."), name=name)
    if how.nuisance not in NUISANCES:
        raise RecipeError(explain(f"nuisance={how.nuisance!r} is not known.", f"All: {', '.join(NUISANCES)}."))
    if how.folds < 2:
        raise RecipeError(explain(f"folds={how.folds}: a row must be held out of something.", "At least 2."))
    if how.simulations is not None and how.simulations < 2:
        raise RecipeError(explain(f"simulations={how.simulations} have no spread.", "At least 2; 20 is usual."))
    return how


def _graph(
    table: pd.DataFrame,
    treatment: str,
    outcome: str,
    graph: Any,
    causes: Sequence[str] | None,
    instruments: Sequence[str],
) -> Graph:
    """What the user stated, checked against the table."""
    if graph is not None and causes is not None:
        raise RecipeError(explain("graph=... and common_causes=... are both given.", "The graph says it already."))
    column_rules.check_columns(table.iloc[:0], [treatment, outcome])
    if treatment == outcome:
        raise DataError(f"{treatment!r} is named as treatment and as outcome: it cannot be both.", column=treatment)
    if graph is not None:
        stated = as_graph(graph)
        check_columns(stated, list(table.columns), treatment, outcome)
        column_rules.check_columns(table.iloc[:0], stated.observed)
        return stated
    if causes is None:
        raise RecipeError(
            explain(
                "neither graph=... nor common_causes=... is given.",
                "An effect is one only if every column that moves both treatment and outcome is named.",
                "Where the treatment was given at random there is none: common_causes=[]",
            )
        )
    roles = {treatment: "the treatment", outcome: "the outcome"}
    for name, role in [*((c, "a common cause") for c in causes), *((z, "an instrument") for z in instruments)]:
        if name in roles:
            raise DataError(explain(f"column {name!r} is named as {role} and is {roles[name]}.", "Name it once."))
        roles[name] = role
    column_rules.check_columns(table.iloc[:0], list(roles))
    return from_causes(treatment, outcome, list(causes), list(instruments))


def _with_modifiers(graph: Graph, way: Way, treatment: str, outcome: str, modifiers: Names) -> tuple[Way, Names]:
    """The way with the modifiers adjusted for, or a note where there are no effects by group."""
    import networkx as nx

    for name in modifiers:
        if name in (treatment, outcome):
            raise DataError(
                f"{name!r} is the {'treatment' if name == treatment else 'outcome'}, and no modifier of it."
            )
        if name in graph.dag and name in nx.descendants(graph.dag, treatment):
            raise DataError(
                explain(
                    f"the graph has {name!r} as an effect of {treatment!r}.",
                    "Groups that the treatment itself makes cannot be compared. Name columns from before it.",
                ),
                column=name,
            )
    if way.kind != "adjustment":
        return way, (f"By {way.kind} there are no effects by group.",) if modifiers and way.kind != "none" else ()
    more = tuple(m for m in modifiers if m not in way.adjust)
    if not more:
        return way, ()
    if not allows(graph, treatment, outcome, (*way.adjust, *more)):
        raise DataError(
            explain(
                f"the graph forbids adjusting for {', '.join(more)}: it opens a path that was closed.",
                "Leave it out of effect_modifiers=..., or mend the graph.",
            )
        )
    said = f"{', '.join(more)}: adjusted for as well, to tell effects by group."
    return replace(way, adjust=(*way.adjust, *more)), (said,)


def _prepared(
    table: pd.DataFrame, treatment: str, outcome: str, used: Names, groups: str | None
) -> tuple[pd.DataFrame, Names]:
    """The columns that are used, rows with gaps left out, and notes of what was done."""
    names = list(dict.fromkeys((treatment, outcome, *used, *([groups] if groups else []))))
    column_rules.check_columns(table.iloc[:0], names)
    for name in names:
        if name in RESERVED:
            raise DataError(f"a column named {name!r} stands in the way of DoWhy's refuters: rename it.", column=name)
    notes = []
    gaps = {c: int(k) for c, k in table[names].isna().sum().items() if k}
    if gaps:
        whole = table.dropna(subset=names)
        where = ", ".join(f"{k} in {c}" for c, k in gaps.items())
        notes.append(
            f"{len(table) - len(whole)} of {len(table)} rows are left out, for they have gaps ({where}). What is found "
            "is about the others; fill the gaps, and say how, if these rows are of another kind."
        )
        if not len(whole):
            raise DataError(explain(f"every row has a gap ({where}).", "Leave such a column out, or fill it."))
        table = whole
    checked = column_rules.frame(table, treatment, outcome, list(used), groups)
    if table[treatment].dtype.kind == "b":
        notes.append(f"{treatment} is true or false: taken as 1 and 0.")
    data = table[names].reset_index(drop=True)
    for name in names:
        kind = data[name].dtype.kind
        if kind == "b":
            data[name] = data[name].astype(np.int64)
        elif kind not in "iuf" and name != groups:
            data[name] = data[name].astype(str)
    data[treatment], data[outcome] = checked.t, checked.y
    return data, tuple(notes)
