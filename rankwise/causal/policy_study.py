"""What `rankwise policy` does: values of policies by common causes or by a graph, and interventions on the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DataError, RecipeError, explain
from .graph import Graph, as_graph, check_columns, from_causes
from .identify import allows, identify
from .interventions import Counterfactual, Interventions, counterfactual, interventions
from .policy import PLAIN, USUAL, Decision, Fitting, Policies, policies
from .question import unsaid
from .rule import Rule


@dataclass(frozen=True)
class Asked:
    """What is asked of a whole graph, beside policies.

    Args:
        settings: interventions, such as "x=1". row: also as this row would have been, from 0; None for no row.
        mechanisms: linear, boosting or auto. resamples: for their intervals.
    """

    settings: tuple[str, ...] = ()
    row: int | None = None
    mechanisms: str = "linear"
    resamples: int = 100


NOTHING = Asked()


@dataclass(frozen=True)
class Study:
    """Everything that was found; `graph` is the stated one, or that of the common causes."""

    policies: Policies
    graph: Graph
    interventions: Interventions | None = None
    counterfactuals: tuple[Counterfactual, ...] = ()


def study(
    table: Any,
    treatment: str,
    outcome: str,
    *,
    common_causes: Sequence[str] | None = None,
    graph: Any = None,
    effect_modifiers: Sequence[str] = (),
    decision: Decision = PLAIN,
    fitting: Fitting = USUAL,
    asked: Asked = NOTHING,
) -> Study:
    """Values of policies, adjusted for the common causes or for what the graph says; and interventions on the graph.

    Raises:
        RecipeError: both common causes and a graph, or neither; interventions without a graph.
        DataError: what `policies` and `interventions` refuse; a graph by which no adjustment gives the effect, or in
            which a rule reads what the treatment moves.
    """
    if graph is not None and common_causes is not None:
        raise RecipeError(explain("common_causes=... and graph=... are both given.", "The graph says both: give that."))
    if (asked.settings or asked.row is not None) and graph is None:
        raise RecipeError(explain("interventions need a graph of all columns.", "Write one: graph=..."))
    if asked.row is not None and not 0 <= asked.row < len(table):
        raise DataError(f"row {asked.row} is not there: the table has rows 0 to {len(table) - 1}.", row=asked.row)
    if asked.row is not None and not asked.settings:
        raise RecipeError(explain(f"row={asked.row}: nothing is to be set for it.", "Say what: settings=..."))
    if graph is None and common_causes is None:
        raise unsaid()
    if graph is None:
        causes = tuple(common_causes or ())
        stated = from_causes(treatment, outcome, causes)
    else:
        stated = as_graph(graph)
        columns = [str(c) for c in table.columns]
        check_columns(stated, columns, treatment, outcome)
        read = [name for text in decision.rules for name in Rule.parse(text, columns).columns]
        causes = adjusting(stated, treatment, outcome, [*effect_modifiers, *read])
    found = policies(
        table, treatment, outcome, causes, effect_modifiers=effect_modifiers, decision=decision, fitting=fitting
    )
    if not asked.settings:
        return Study(found, stated)
    how: dict[str, Any] = {"kind": asked.mechanisms, "resamples": asked.resamples, "seed": fitting.seed}
    means = interventions(table, stated, asked.settings, **how)
    rows = [_row(table, stated, asked.row, text, how) for text in asked.settings if asked.row is not None]
    return Study(found, stated, means, tuple(rows))


def _row(table: Any, graph: Graph, row: int, text: str, how: dict[str, Any]) -> Counterfactual:
    """The row as it would have been, or the reason why nobody can know: the other figures stand without it."""
    try:
        return counterfactual(table, graph, row, text, **how)
    except DataError as error:
        if not hasattr(error, "unknown"):
            raise
        return Counterfactual(row, text, (), " ".join(str(error).split()))


def adjusting(graph: Graph, treatment: str, outcome: str, also: Sequence[str] = ()) -> tuple[str, ...]:
    """The columns that the graph says to adjust for, checked together with those that rules read.

    Raises:
        DataError: adjustment does not give the effect; or one of `also` is moved by the treatment, or opens a path.
    """
    import networkx as nx

    way = identify(graph, treatment, outcome)
    if way.kind != "adjustment":
        raise DataError(
            explain(
                f"by this graph no adjustment gives what {treatment!r} does to {outcome!r}. {way.sentence}",
                "A policy's value needs one. The average effect: rankwise effect ... --graph",
            ),
            way=way.kind,
        )
    moved = nx.descendants(graph.dag, treatment)
    inside = [name for name in dict.fromkeys(also) if name in graph.dag]
    for name in inside:
        if name in moved:
            raise DataError(
                explain(f"the graph says that {treatment!r} moves {name!r}.", "A rule decides before: leave it out."),
                column=name,
            )
    if inside and not allows(graph, treatment, outcome, (*way.adjust, *inside)):
        raise DataError(
            explain(
                f"by this graph, holding {', '.join(inside)} fixed besides opens a path that is no effect.",
                "Leave out the rules and effect modifiers that read it.",
            ),
            columns=tuple(inside),
        )
    return way.adjust
