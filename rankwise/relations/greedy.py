"""Consistent labels without optimisation: the surest pairs first, each with the best label that is still possible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .composition import ANYTHING, COMPOSED, CONVERSE_MASK, EQUAL, Mask


class Impossible(Exception):
    """A pair has no label left."""


class Domains:
    """Which labels each pair of n things may still have, kept path-consistent as pairs are decided.

    mask [n, n] holds them as bits. In this algebra path consistency is enough: whatever bit is left for a pair, it can
    be chosen, and the others still have one.
    """

    def __init__(self, n: int) -> None:
        self.mask: Mask = np.full((n, n), ANYTHING, dtype=np.uint8)
        np.fill_diagonal(self.mask, 1 << EQUAL)

    def copy(self) -> Domains:
        other = Domains(len(self.mask))
        other.mask = self.mask.copy()
        return other

    def restrict(self, i: int, k: int, labels: int) -> None:
        """Leave i to k only these labels (bits) and draw the conclusions. Raises Impossible when none is left."""
        waiting = [(i, k)] if self._narrow(i, k, labels) else []
        while waiting:
            i, k = waiting.pop()
            here = self.mask[i, k]
            for end, other in ((i, k), (k, i)):  # x to i to k, and x to k to i
                step = here if end == i else CONVERSE_MASK[here]
                new = self.mask[:, other] & COMPOSED[self.mask[:, end], step]
                for x in np.nonzero(new != self.mask[:, other])[0]:
                    if self._narrow(int(x), other, int(new[x])):
                        waiting.append((int(x), other))

    def _narrow(self, i: int, k: int, labels: int) -> bool:
        left = int(self.mask[i, k]) & labels
        if left == 0:
            raise Impossible
        changed = left != self.mask[i, k]
        self.mask[i, k], self.mask[k, i] = left, CONVERSE_MASK[left]
        return bool(changed)


def assign(
    domains: Domains,
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    gain: NDArray[np.float64],
    hint: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """[p] labels of the pairs (i, j), consistent with each other and within `domains`, which narrows to them.

    gain: [p, 4] what each label is worth; the pair whose best stands out most from its second decides first.
    hint: [p, 4] from 0 to 1, how much an unfinished solution wants each label; it goes before gain.
    """
    worth = gain if hint is None else gain + hint * (1 + float(np.ptp(gain)))
    ranked = np.sort(worth, axis=1)
    labels = np.zeros(len(i), dtype=np.int64)
    for p in np.argsort(ranked[:, 2] - ranked[:, 3], kind="stable"):
        possible = domains.mask[i[p], j[p]] >> np.arange(4) & 1
        labels[p] = int(np.where(possible, worth[p], -np.inf).argmax())
        domains.restrict(int(i[p]), int(j[p]), 1 << int(labels[p]))
    return labels
