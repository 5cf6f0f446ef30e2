"""What follows from temporal relations, which of them break the table, and the shortest reason why not all can hold.

Relations of another kind than "temporal" are left aside by every function here. A pair may be given from either end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, explain
from .composition import ALLOWED, COMPOSITION, CONVERSE_CODE, compose
from .schema import TEMPORAL, Relation
from .walks import STATES, Walks

__all__ = ["COMPOSITION", "Derived", "compose", "closed_triples", "closure", "contradictions", "tell", "violations"]

Triple = tuple[Relation, Relation, Relation]
"""i to j, j to k, i to k."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A relation that nobody gave but that follows.

    because: a shortest chain of given relations from its source to its target whose composition leaves this label
        alone. Two such chains, one after the other, where only both together do (VAGUE only).
    """

    relation: Relation
    because: tuple[Relation, ...]


class _Graph:
    """Relations by number: names in order of appearance, labels as matrices, and the relation that said so."""

    def __init__(self, relations: Iterable[Relation]) -> None:
        self.given = [r for r in relations if r.kind == "temporal"]
        self.names = list(dict.fromkeys(name for r in self.given for name in (r.source, r.target)))
        place = {name: at for at, name in enumerate(self.names)}
        n = len(self.names)
        self.adjacent = np.zeros((4, n, n), dtype=bool)
        self.said: dict[tuple[int, int, int], Relation] = {}
        for r in self.given:
            for one in (r, r.converse):
                if one.source == one.target:
                    raise DataError(explain(f"A relation joins {one.source!r} to itself.", "It needs two ends."))
                key = place[one.source], TEMPORAL.index(one.label), place[one.target]
                self.adjacent[key[1], key[0], key[2]] = True
                self.said.setdefault(key, one)

    def codes(self) -> NDArray[np.int8]:
        """[n, n] labels, -1 where there is none. Raises DataError for a pair with two."""
        twice = np.argwhere(self.adjacent.sum(0) > 1)
        if len(twice):
            one, other = (self.names[at] for at in twice[0])
            rule = "A pair has one label here; contradictions() takes such pairs and explains them."
            raise DataError(explain(f"{one!r} and {other!r} have two labels that differ.", rule))
        return np.where(self.adjacent.any(0), self.adjacent.argmax(0), -1).astype(np.int8)

    def chain(self, walks: Walks, source: int, target: int, state: int) -> tuple[Relation, ...]:
        """The relations along a shortest walk, each as seen in its direction."""
        return tuple(self.said[step] for step in walks.steps(source, target, state))


def _triangles(codes: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """([t, 3] nodes i < j < k of closed triples, [t] bool: does it break the table?)"""
    n = len(codes)
    upper = np.triu(codes >= 0, 1)
    found = [np.empty((0, 3), dtype=np.int64)]
    for j in range(n):
        i, k = np.nonzero(upper[:, j])[0], np.nonzero(upper[j])[0]
        a, b = np.nonzero(upper[np.ix_(i, k)])
        found.append(np.stack([i[a], np.full(len(a), j), k[b]], axis=1))
    nodes = np.concatenate(found)
    i, j, k = nodes.T
    return nodes, ~ALLOWED[codes[i, j], codes[j, k], codes[i, k]]


def closed_triples(relations: Iterable[Relation]) -> int:
    """How many sets of three things have a relation on each of their three pairs."""
    return len(_triangles(_Graph(relations).codes())[0])


def violations(relations: Iterable[Relation]) -> list[Triple]:
    """Every closed triple that breaks the table, once (the table is the same from all of its six sides).

    Raises:
        DataError: a pair with two labels that differ.
    """
    graph = _Graph(relations)
    nodes, wrong = _triangles(codes := graph.codes())
    pairs = ((0, 1), (1, 2), (0, 2))
    return [
        tuple(graph.said[int(t[a]), int(codes[t[a], t[b]]), int(t[b])] for a, b in pairs)  # type: ignore[misc]
        for t in nodes[wrong]
    ]


def closure(relations: Iterable[Relation]) -> list[Derived]:
    """Relations that follow for pairs that have none, each pair once, with a shortest derivation.

    Complete: a pair is left out only if at least two labels for it agree with everything given. The confidence of a
    derived relation is the least of those it follows from.

    Raises:
        DataError: the relations contradict each other, and so imply anything; `.cycle` is the shortest reason.
    """
    graph = _Graph(relations)
    walks = Walks(graph.adjacent)
    if cycles := _cycles(graph, walks):
        what = f"The relations contradict each other: {tell(cycles[0])}."
        raise DataError(explain(what, "From a contradiction anything follows.", "Decode them first."), cycle=cycles[0])
    masks, found = walks.masks, []
    open_pairs = np.triu(~graph.adjacent.any(0), 1) & np.isin(masks, (1, 2, 4, 8))
    for i, k in np.argwhere(open_pairs):
        label = int(masks[i, k]).bit_length() - 1
        state = _decisive(walks, i, k)
        if state is not None:
            because = graph.chain(walks, i, k, state)
        else:  # BEFORE or VAGUE by one chain, AFTER or VAGUE by another
            because = graph.chain(walks, i, k, STATES.index(9)) + graph.chain(walks, i, k, STATES.index(10))
        relation = Relation(
            graph.names[i], graph.names[k], TEMPORAL[label], confidence=min(r.confidence for r in because)
        )
        found.append(Derived(relation, because))
    return found


def _decisive(walks: Walks, i: int, k: int) -> int | None:
    """Position of the set with a single label that a walk from i to k composes to."""
    lengths = walks.length[:4, i, k]
    return int(lengths.argmin()) if lengths.min() < np.iinfo(np.int16).max else None


def contradictions(relations: Iterable[Relation]) -> list[tuple[Relation, ...]]:
    """Cycles of relations that cannot all hold, shortest first; empty when some labelling of all pairs agrees with all.

    For each relation in a contradiction, a shortest cycle through it, each cycle once. No cycle names a thing twice,
    and without any one of its relations the rest of it can hold. Each relation is given as read along the cycle.
    """
    graph = _Graph(relations)
    return _cycles(graph, Walks(graph.adjacent))


def _cycles(graph: _Graph, walks: Walks) -> list[tuple[Relation, ...]]:
    masks = walks.masks
    bits = (1 << np.arange(4, dtype=np.uint8))[:, None, None]
    found: dict[frozenset[Relation], tuple[Relation, ...]] = {}
    for label, i, k in np.argwhere(graph.adjacent & ((masks & bits) == 0)):
        state = walks.shortest(i, k, without=int(label))
        if state is None:
            continue  # excluded by no single walk: a shorter cycle elsewhere is the reason
        back = graph.said[int(k), int(CONVERSE_CODE[label]), int(i)]
        chain = (*graph.chain(walks, i, k, state), back)
        if len({r.source for r in chain}) == len(chain):  # otherwise it goes round a shorter cycle
            found.setdefault(frozenset(min((r, r.converse), key=_order) for r in chain), _turned(chain))
    return sorted(found.values(), key=lambda chain: (len(chain), [_order(r) for r in chain]))


def _order(r: Relation) -> tuple[str, str, str]:
    return r.source, r.target, r.label


def _turned(chain: Sequence[Relation]) -> tuple[Relation, ...]:
    """The same cycle, read towards BEFORE where it has both senses, and from its smallest name on."""
    if any(r.label == "AFTER" for r in chain):
        chain = [r.converse for r in reversed(chain)]
    start = min(range(len(chain)), key=lambda at: chain[at].source)
    return (*chain[start:], *chain[:start])


def tell(chain: Iterable[Relation]) -> str:
    """A chain of relations as a phrase: "a BEFORE b, b BEFORE c, c BEFORE a"."""
    return ", ".join(f"{r.source} {r.word} {r.target}" for r in chain)
