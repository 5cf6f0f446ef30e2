"""A causal graph as a person states it, checked, and what it says about how an effect can be found.

    graph = read("g.toml")                       # edges = [["w", "t"], ["t", "y"]], hidden = ["u"]
    way = identify(graph, "t", "y")              # adjust for w; or an instrument; or a front door; or nothing

Identification is decided here by d-separation, which takes milliseconds for a hundred common causes, where a search
through their subsets takes minutes. The set to adjust for is the one with the smallest variance that the graph allows.

Source: Pearl 2009; van der Zander, Liskiewicz and Textor 2014 (which set suffices if any does); Henckel, Perkovic and
Maathuis 2022 (which of them varies least), arXiv:1907.02435; van der Zander, Textor and Liskiewicz 2015 (instruments).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import BadFile, DataError, UnknownName, close, explain

if TYPE_CHECKING:
    import networkx as nx

Edge: TypeAlias = tuple[str, str]
Names: TypeAlias = tuple[str, ...]
UNSEEN = "(unseen)"
EXAMPLE = 'It holds edges = [["w", "t"], ["w", "y"], ["t", "y"]] and, where causes were not measured, hidden = ["u"].'


@dataclass(frozen=True)
class Graph:
    """Which column causes which.

    Args:
        edges: (cause, effect).
        hidden: nodes that are no columns: causes that nobody measured.
        stated: False where it was made of a list of common causes, which says nothing about how these hang together.

    Raises:
        DataError: a cycle, which is named, or an edge from a node to itself.
    """

    edges: tuple[Edge, ...]
    hidden: frozenset[str] = frozenset()
    stated: bool = True

    def __post_init__(self) -> None:
        import networkx as nx

        graph = nx.DiGraph(self.edges)
        if not nx.is_directed_acyclic_graph(graph):
            cycle = [a for a, _ in nx.find_cycle(graph)]
            raise DataError(
                explain(
                    f"the graph runs in a circle: {' -> '.join([*cycle, cycle[0]])}.",
                    "A cause cannot be its own effect; remove one of these edges, or split a column by time.",
                ),
                cycle=cycle,
            )

    @cached_property
    def dag(self) -> nx.DiGraph:
        import networkx as nx

        return nx.DiGraph(self.edges)

    @property
    def nodes(self) -> Names:
        """In the order of the edges."""
        return tuple(dict.fromkeys(n for edge in self.edges for n in edge))

    @property
    def observed(self) -> Names:
        return tuple(n for n in self.nodes if n not in self.hidden)


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


def read(path: str | os.PathLike[str]) -> Graph:
    """A graph from a TOML file with `edges` and, optionally, `hidden`.

    Raises:
        BadFile: no such file, no TOML, or other contents; the message shows the form.
        DataError: a cycle.
    """
    path = Path(path)
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFile(explain(f"{path} cannot be read: {error.strerror}.", EXAMPLE), path=path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(explain(f"{path} is no TOML: {error}.", EXAMPLE), path=path) from None
    if wrong := sorted(set(held) - {"edges", "hidden"}):
        raise BadFile(explain(f"{path} holds {wrong[0]!r}, which a graph has not.", EXAMPLE), path=path)
    edges, hidden = held.get("edges"), held.get("hidden", [])
    if not isinstance(edges, list) or not edges or not all(_is_edge(e) for e in edges):
        bad = next((e for e in edges if not _is_edge(e)), None) if isinstance(edges, list) else edges
        raise BadFile(explain(f"{path}: {bad!r} is no edge of two names.", EXAMPLE), path=path)
    if not isinstance(hidden, list) or not all(isinstance(h, str) for h in hidden):
        raise BadFile(explain(f"{path}: hidden = {hidden!r} is no list of names.", EXAMPLE), path=path)
    return Graph(tuple((a, b) for a, b in edges), frozenset(hidden))


def as_graph(given: Any) -> Graph:
    """A Graph from itself, a networkx.DiGraph (hidden nodes have observed="no", as DoWhy writes it), or edges.

    Raises:
        DataError: a cycle, or an edge that is not of two names.
    """
    if isinstance(given, Graph):
        return given
    if hasattr(given, "edges") and hasattr(given, "nodes"):
        hidden = frozenset(str(n) for n, facts in given.nodes(data=True) if facts.get("observed") in ("no", False))
        if not given.is_directed():
            raise DataError(explain("the graph has edges without a direction.", "Give a networkx.DiGraph."))
        return Graph(tuple((str(a), str(b)) for a, b in given.edges()), hidden)
    edges = [tuple(e) if isinstance(e, Iterable) and not isinstance(e, str) else (e,) for e in given]
    for edge in edges:
        if len(edge) != 2:
            raise DataError(explain(f"{edge!r} is no edge.", "An edge is (cause, effect)."))
    return Graph(tuple((str(a), str(b)) for a, b in edges))


def from_causes(treatment: str, outcome: str, causes: Sequence[str], instruments: Sequence[str] = ()) -> Graph:
    """The graph of a list of common causes.

    Where instruments are named, something unseen is a cause of both too, and the common causes may move them.
    """
    edges = [(treatment, outcome)]
    edges += [edge for c in causes for edge in ((c, treatment), (c, outcome))]
    if instruments:
        edges += [(z, treatment) for z in instruments] + [(c, z) for z in instruments for c in causes]
        edges += [(UNSEEN, treatment), (UNSEEN, outcome)]
    return Graph(tuple(edges), frozenset({UNSEEN} if instruments else ()), stated=False)


def check_columns(graph: Graph, columns: Sequence[str], treatment: str, outcome: str) -> None:
    """Raises UnknownName for a node that is neither a column nor hidden, or for a question about no node."""
    for node in graph.nodes:
        if node in graph.hidden and node in columns:
            raise DataError(f"{node!r} is a column of the table and is listed as hidden: it cannot be both.", name=node)
        if node not in graph.hidden and node not in columns:
            near = close(node, columns, 1)
            raise UnknownName(
                explain(
                    f"the graph has {node!r}, which is no column.",
                    f"Nearest column: {near[0]}." if near else f"Columns: {', '.join(columns)}.",
                    f'If nobody measured it, say so: hidden = ["{node}"]',
                ),
                name=node,
            )
    for role, name in (("treatment", treatment), ("outcome", outcome)):
        if name not in graph.nodes:
            raise UnknownName(
                explain(f"the {role} {name!r} is not in the graph.", f"Its nodes: {', '.join(graph.nodes)}."), name=name
            )


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
        what = f"adjusting for {_listed(adjust)}" if adjust else "comparing the arms as they are"
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
    said = f"{_listed(best[0])} moves {t} and reaches {y} in no other way"
    beside = f", with {_listed(best[1])} held fixed" if best[1] else ""
    return Way("instrument", best[1], best[0], f"By instrument, not by adjustment: the graph says that {said}{beside}.")


def _no_instrument(names: Sequence[str]) -> Way:
    raise DataError(
        explain(
            f"the graph says that {_listed(names)} is no instrument.",
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
                beside = f", with {_listed(adjust)} held fixed" if adjust else ""
                said = f"Adjustment cannot do it, but all of the effect goes through {_listed(through)}{beside}."
                return Way("front door", adjust, through, said)
    return None


def _is_edge(edge: Any) -> bool:
    return isinstance(edge, list) and len(edge) == 2 and all(isinstance(n, str) for n in edge)


def _listed(names: Sequence[str], most: int = 8) -> str:
    """a, b and c; long lists are cut."""
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
