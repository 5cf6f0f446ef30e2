"""Shortest walks through labelled pairs, each with what it says about its two ends.

Composing the labels along a walk gives a set of labels. Only six sets say anything (the rest is "anything"), so a walk
is a path through pairs (node, set), and all shortest ones are found by breadth-first search with matrix products.

Nothing else is needed to reason in this algebra. A labelling is consistent when no walk excludes the label of its own
two ends: every pair that no walk decides can then be VAGUE without breaking the table (the tests enumerate this).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .composition import ANYTHING, COMPOSED, CONVERSE_CODE, EQUAL, Mask

STATES = (1, 2, 4, 8, 9, 10)  # BEFORE, AFTER, EQUAL, VAGUE, BEFORE or VAGUE, AFTER or VAGUE
_MOVES = tuple(  # (position of a set, label) -> position of the composed set, where that says anything
    (s, label, STATES.index(int(COMPOSED[state, 1 << label])))
    for s, state in enumerate(STATES)
    for label in range(4)
    if COMPOSED[state, 1 << label] != ANYTHING
)
_START = STATES.index(1 << EQUAL)  # a walk of no steps: a thing starts when it starts
_FAR = np.iinfo(np.int16).max

Step = tuple[int, int, int]  # from node, label, to node


class Walks:
    """Shortest walks from some nodes to all others over labelled pairs.

    Args:
        adjacent: [4, n, n] bool: is the pair (row, column) labelled so? Both directions must be filled in.
        sources: [s] nodes to start from; all n by default.

    length [6, s, n] holds the steps of the shortest walk with each composed set (32767: there is none).
    Cost: at most 18 products [s, n] x [n, n] for each step of the longest one.
    """

    def __init__(self, adjacent: NDArray[np.bool_], sources: NDArray[np.int64] | None = None) -> None:
        n = adjacent.shape[1]
        self.adjacent = adjacent
        self.sources = np.arange(n) if sources is None else np.asarray(sources)
        self.length = np.full((len(STATES), len(self.sources), n), _FAR, dtype=np.int16)
        self.length[_START, np.arange(len(self.sources)), self.sources] = 0
        weights = adjacent.astype(np.float32)
        frontier = (self.length == 0).astype(np.float32)
        steps = 0
        while frontier.any():
            steps += 1
            reached = np.zeros_like(frontier)
            for state, label, to in _MOVES:
                if frontier[state].any():
                    reached[to] += frontier[state] @ weights[label]
            new = (reached > 0) & (self.length == _FAR)
            self.length[new] = steps
            frontier = new.astype(np.float32)

    @property
    def masks(self) -> Mask:
        """[s, n]: labels that no walk excludes, as bits; 0 where walks contradict each other."""
        found = np.full(self.length.shape[1:], ANYTHING, dtype=np.uint8)
        for state, length in zip(STATES, self.length, strict=True):
            found[length < _FAR] &= state
        return found

    def shortest(self, source: int, target: int, *, without: int | None = None) -> int | None:
        """Position in STATES of the shortest walk from row `source`; None where there is none.

        without: only walks that exclude this label (its position in TEMPORAL).
        """
        lengths = self.length[:, source, target]
        fits = [s for s, state in enumerate(STATES) if without is None or not state >> without & 1]
        best = min(fits, key=lambda s: int(lengths[s]))
        return best if lengths[best] < _FAR else None

    def steps(self, source: int, target: int, state: int) -> list[Step]:
        """The shortest walk from row `source` to `target` whose labels compose to STATES[state]."""
        found: list[Step] = []
        while (left := int(self.length[state, source, target])) > 0:
            for earlier, label, to in _MOVES:
                if to == state:
                    ways = (self.length[earlier, source] == left - 1) & self.adjacent[label][:, target]
                    if ways.any():
                        node = int(ways.argmax())
                        found.append((node, label, target))
                        state, target = earlier, node
                        break
        return found[::-1]


def adjacency(codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """[n, n] label codes (-1: no label) -> [4, n, n] bool for Walks."""
    return codes[None] == np.arange(4, dtype=np.int8)[:, None, None]


def codes_of(n: int, i: NDArray[np.int64], j: NDArray[np.int64], labels: NDArray[np.integer]) -> NDArray[np.int8]:
    """[n, n] label codes in both directions from pairs; -1 where there is none."""
    codes = np.full((n, n), -1, dtype=np.int8)
    codes[i, j] = labels
    codes[j, i] = CONVERSE_CODE[labels]
    return codes
