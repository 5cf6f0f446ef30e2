"""How the effect of one column on another can be found, by what a graph says.

    way = identify(graph, "t", "y")              # adjust for w; or an instrument; or a front door; or nothing

Decided here by d-separation, which takes milliseconds for a hundred common causes, where a search through their subsets
takes minutes. The set to adjust for is the one with the smallest variance that the graph allows.

Source: Pearl 2009; van der Zander, Liskiewicz and Textor 2014 (which set suffices if any does); Henckel, Perkovic and
Maathuis 2022 (which of them varies least), arXiv:1907.02435; van der Zander, Textor and Liskiewicz 2015 (instruments).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DataError, explain
from .graph import Graph, Names, listed


@dataclass(frozen=True)
class Way:
    """How the graph says that the effect can be found.

    Args:
        kind: "adjustment", "instrument", "front door" or "none".
        adjust: columns to adjust for; with an instrument or a front door, those that it needs beside it.
        through: the instruments, or the columns of the front door.
        sentence: the same in words.
    """

    kind: str
    adjust: Names = ()
    through: Names = ()
    sentence: str = ""


def identify(graph: Graph, treatment: str, outcome: str, instruments: Sequence[str] = ()) -> Way:
    """By adjustment where the graph allows it, else by an instrument, else by a front door.

    Args:
        instruments: use these and nothing else.

    Raises:
        DataError: the graph says that one of `instruments` is none.
    """
    import networkx as nx

    dag = graph.dag
    if instruments:
        return _instrument(graph, treatment, outcome, instruments) or _no_instrument(instruments)
    if nx.has_path(dag, outcome, treatment):
        said = f"The graph has {outcome} as a cause of {treatment}, so {treatment} has no effect on it."
        return Way("none", sentence=said)
    adjust = _adjustment(graph, treatment, outcome)
    if adjust is not None:
        what = f"adjusting for {listed(adjust)}" if adjust else "comparing the arms as they are"
        said = f"The graph says that {what} closes every path but the effect itself."
        if not nx.has_path(dag, treatment, outcome):
            said = f"The graph has no path from {treatment} to {outcome}: it says that the effect is zero. {said}"
        return Way("adjustment", adjust, sentence=said)
    free = [n for n in graph.observed if n not in (treatment, outcome)]
    found = _instrument(graph, treatment, outcome, free) or _front_door(graph, treatment, outcome)
    blame = ", ".join(sorted(graph.hidden)) or "nothing hidden"
    return found or Way("none", sentence=f"The graph leaves no way: {blame} cannot be adjusted for, nor gone round.")


def allows(graph: Graph, treatment: str, outcome: str, columns: Sequence[str]) -> bool:
    """Whether adjusting for exactly these closes every path but the effect; columns that are no nodes close nothing."""
    import networkx as nx

    dag, nodes = graph.dag, {c for c in columns if c in graph.nodes}
    if nodes & (nx.descendants(dag, treatment) | {treatment, outcome} | graph.hidden):
        return False
    cut = dag.copy()
    cut.remove_edges_from(list(dag.out_edges(treatment)))
    return bool(nx.is_d_separator(cut, {treatment}, {outcome}, nodes))


def _adjustment(graph: Graph, t: str, y: str) -> Names | None:
    """The observed set of least variance that closes all paths but causal ones; None where there is none."""
    import networkx as nx

    dag = graph.dag
    causal = (nx.descendants(dag, t) & nx.ancestors(dag, y)) | ({y} if nx.has_path(dag, t, y) else set())
    forbidden = causal | {t, y} | {d for c in causal for d in nx.descendants(dag, c)}
    proper = dag.copy()
    proper.remove_edges_from([(t, c) for c in causal])

    def closes(nodes: set[str]) -> bool:
        return nx.is_d_separator(proper, {t}, {y}, nodes)

    best = {p for c in causal or {y} for p in dag.predecessors(c)} - forbidden
    chosen = (nx.ancestors(dag, t) | nx.ancestors(dag, y)) - forbidden - graph.hidden
    if not best & graph.hidden and closes(best):
        chosen = best
    elif not closes(chosen):
        return None
    for node in [n for n in graph.nodes if n in chosen]:  # what says nothing about y beside the rest only adds noise
        rest = chosen - {node}
        if nx.is_d_separator(dag, {node}, {y}, rest | {t}) and closes(rest):
            chosen = rest
    return tuple(n for n in graph.nodes if n in chosen)


def _instrument(graph: Graph, t: str, y: str, candidates: Sequence[str]) -> Way | None:
    """Those of the candidates that reach y through t alone, with one set to hold fixed that serves the most of them."""
    import networkx as nx

    dag = graph.dag
    after = nx.descendants(dag, t) | nx.descendants(dag, y)
    without = dag.copy()
    without.remove_edges_from([(t, c) for c in after if dag.has_edge(t, c) and (c == y or nx.has_path(dag, c, y))])
    names = [z for z in candidates if z not in after and z in dag]
    best: tuple[Names, Names] = ((), ())
    wide = (nx.ancestors(dag, y) | nx.ancestors(dag, t)) - after - {t, y} - graph.hidden
    for held in (
        {*()},
        wide - set(names),
        *[(nx.ancestors(dag, z) | wide) - {z, t, y} - after - graph.hidden for z in names],
    ):
        good = tuple(
            z
            for z in names
            if z not in held
            and nx.is_d_separator(without, {z}, {y}, held)
            and not nx.is_d_separator(dag, {z}, {t}, held)
        )
        if len(good) > len(best[0]):
            best = good, tuple(n for n in graph.nodes if n in held)
    if not best[0]:
        return None
    said = f"{listed(best[0])} moves {t} and reaches {y} in no other way"
    beside = f", with {listed(best[1])} held fixed" if best[1] else ""
    return Way("instrument", best[1], best[0], f"By instrument, not by adjustment: the graph says that {said}{beside}.")


def _no_instrument(names: Sequence[str]) -> Way:
    raise DataError(
        explain(
            f"the graph says that {listed(names)} is no instrument.",
            "An instrument moves the treatment and reaches the outcome through it alone.",
        ),
        names=tuple(names),
    )


def _front_door(graph: Graph, t: str, y: str) -> Way | None:
    """Columns through which all of the effect goes, and whose own effects can be adjusted for."""
    import networkx as nx

    dag = graph.dag
    between = [n for n in nx.topological_sort(dag) if n in nx.descendants(dag, t) & nx.ancestors(dag, y)]
    seen = [n for n in between if n not in graph.hidden]
    sets = [{m} for m in seen] + [{m for m in seen if dag.has_edge(t, m)}, {m for m in seen if dag.has_edge(m, y)}]
    around = (nx.ancestors(dag, t) | nx.ancestors(dag, y)) - nx.descendants(dag, t) - {t} - graph.hidden
    for doors in filter(None, [*sets, set(seen)]):
        past, no_t, no_doors = dag.copy(), dag.copy(), dag.copy()
        past.remove_nodes_from(doors)
        no_t.remove_edges_from(list(dag.out_edges(t)))
        no_doors.remove_edges_from(list(dag.out_edges(doors)))
        if nx.has_path(past, t, y):
            continue
        for held in (set[str](), around):
            first = nx.is_d_separator(no_t, {t}, doors, held)
            if first and nx.is_d_separator(no_doors, doors, {y}, held | {t}):
                adjust, through = (tuple(n for n in graph.nodes if n in s) for s in (held, doors))
                beside = f", with {listed(adjust)} held fixed" if adjust else ""
                said = f"Adjustment cannot do it, but all of the effect goes through {listed(through)}{beside}."
                return Way("front door", adjust, through, said)
    return None
