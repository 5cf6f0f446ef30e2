"""A causal graph as a person states it, checked; what it says about how an effect can be found is in identify.py.

graph = read("g.toml")                       # edges = [["w", "t"], ["t", "y"]], hidden = ["u"]
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


def _is_edge(edge: Any) -> bool:
    return isinstance(edge, list) and len(edge) == 2 and all(isinstance(n, str) for n in edge)


def listed(names: Sequence[str], most: int = 8) -> str:
    """a, b and c; long lists are cut."""
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
