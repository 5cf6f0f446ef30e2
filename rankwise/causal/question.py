"""What a person asks of `effect`, checked before anything is computed: settings, the graph, modifiers, the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, RecipeError, explain, refuse_unknown
from . import columns as column_rules
from .aipw import NUISANCES
from .graph import Graph, Names, as_graph, check_columns, from_causes
from .identify import Way, allows
from .refute import ALL, RESERVED

if TYPE_CHECKING:
    import pandas as pd


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


def settings_of(given: dict[str, Any]) -> Settings:
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


def stated_graph(
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
        raise unsaid()
    roles = {treatment: "the treatment", outcome: "the outcome"}
    for name, role in [*((c, "a common cause") for c in causes), *((z, "an instrument") for z in instruments)]:
        if name in roles:
            raise DataError(explain(f"column {name!r} is named as {role} and is {roles[name]}.", "Name it once."))
        roles[name] = role
    column_rules.check_columns(table.iloc[:0], list(roles))
    return from_causes(treatment, outcome, list(causes), list(instruments))


def with_modifiers(graph: Graph, way: Way, treatment: str, outcome: str, modifiers: Names) -> tuple[Way, Names]:
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


def prepared(
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


def unsaid() -> RecipeError:
    """For a question about an effect that says nothing of what else moves treatment and outcome."""
    return RecipeError(
        explain(
            "neither graph=... nor common_causes=... is given.",
            "An effect is one only if every column that moves both treatment and outcome is named.",
            "Where the treatment was given at random there is none: common_causes=[], or --common-causes none",
        )
    )
