"""The order of events drawn out: layers by longest paths, and the fewest edges that say it all.

Both take relations between events; BEFORE, AFTER and EQUAL count, and they must be consistent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import networkx as nx
import numpy as np

from .schema import Relation

Layers = tuple[tuple[str, ...], ...]


def layers(events: Sequence[str], relations: Iterable[Relation]) -> tuple[Layers, tuple[str, ...]]:
    """(layers, events without any order), each in the order of `events`.

    An event stands in the layer after the last one that starts before it. Where nothing is known to start before it,
    it stands in the layer before the first one that it precedes, next to it rather than at the top.
    """
    graph, known = nx.DiGraph(), set(events)
    for r in relations:
        if r.label != "VAGUE" and {r.source, r.target} <= known:
            _order(graph, r)
    whole = nx.condensation(graph)
    rank = {name: at for at, name in enumerate(events)}
    level: dict[int, int] = {}
    order = list(nx.topological_sort(whole))
    for node in order:
        level[node] = 1 + max((level[before] for before in whole.predecessors(node)), default=0)
    for node in order:  # a first one waits for its successors, so that it stands near what it is known to precede
        if not whole.in_degree(node) and whole.out_degree(node):
            level[node] = min(level[after] for after in whole.successors(node)) - 1
    found: dict[int, list[str]] = {}
    for node in order:
        found.setdefault(level[node], []).extend(whole.nodes[node]["members"])
    made = tuple(tuple(sorted(found[at], key=rank.__getitem__)) for at in sorted(found))
    return made, tuple(name for name in events if name not in graph)


def reduced(events: Iterable[str], relations: Sequence[Relation], worth: Sequence[tuple[bool, float]]) -> list[int]:
    """Positions of the fewest BEFORE and AFTER relations that say the whole order: its transitive reduction.

    worth: of several relations that say the same edge (of events that start together), the one worth most is taken.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(events)
    for r in relations:
        if r.label != "VAGUE":
            _order(graph, r)
    whole = nx.condensation(graph)
    of = whole.graph["mapping"]
    edges = set(_reduction(whole))
    best: dict[tuple[int, int], int] = {}
    for at, r in enumerate(relations):
        if r.label not in ("BEFORE", "AFTER"):
            continue
        source, target = (r.source, r.target) if r.label == "BEFORE" else (r.target, r.source)
        edge = of[source], of[target]
        if edge in edges and (edge not in best or worth[at] > worth[best[edge]]):
            best[edge] = at
    return list(best.values())


def _order(graph: nx.DiGraph, r: Relation) -> None:
    if r.label == "AFTER":
        r = r.converse
    graph.add_edge(r.source, r.target)
    if r.label == "EQUAL":
        graph.add_edge(r.target, r.source)


def _reduction(graph: nx.DiGraph) -> list[tuple[int, int]]:
    """Edges of an acyclic graph that no longer path replaces; matrix products, for thousands of edges."""
    nodes = list(nx.topological_sort(graph))
    if not nodes:
        return []
    direct = nx.to_numpy_array(graph, nodes, dtype=np.float32) > 0
    reach = direct.copy()
    for at in range(len(nodes) - 1, -1, -1):
        reach[at] |= reach[direct[at]].any(0)
    longer = (direct.astype(np.float32) @ reach.astype(np.float32)) > 0
    return [(nodes[i], nodes[j]) for i, j in np.argwhere(direct & ~longer)]
