"""What two relations in a row say about the third: the strict table of MATRES-like labels, as data.

Labels compare start points. VAGUE is a label of its own ("it cannot be told"), not the absence of one, and the table
binds it: what starts before a thing, whose order to a third cannot be told, is either before the third or cannot be
told, never after or equal. Annotated MATRES keeps to this table in every closed triple.

Source: Allen 1983 for points; the rows of VAGUE as in Wang et al. 2020 (EMNLP), "Joint Constrained Learning".
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..errors import UnknownName, explain, nearest
from .schema import CONVERSE, TEMPORAL

BEFORE, AFTER, EQUAL, VAGUE = range(4)  # position of each label in TEMPORAL, and its bit in a set of labels
CONVERSE_CODE = np.array([TEMPORAL.index(CONVERSE[label]) for label in TEMPORAL], dtype=np.int8)
ANYTHING = 15  # all four bits
Mask = NDArray[np.uint8]
"""Sets of labels as bits: 1 << BEFORE = 1, AFTER = 2, EQUAL = 4, VAGUE = 8; 0 is a contradiction."""

_FREE = frozenset(TEMPORAL)
COMPOSITION: dict[tuple[str, str], frozenset[str]] = {
    ("BEFORE", "BEFORE"): frozenset({"BEFORE"}),
    ("BEFORE", "AFTER"): _FREE,
    ("BEFORE", "EQUAL"): frozenset({"BEFORE"}),
    ("BEFORE", "VAGUE"): frozenset({"BEFORE", "VAGUE"}),
    ("AFTER", "BEFORE"): _FREE,
    ("AFTER", "AFTER"): frozenset({"AFTER"}),
    ("AFTER", "EQUAL"): frozenset({"AFTER"}),
    ("AFTER", "VAGUE"): frozenset({"AFTER", "VAGUE"}),
    ("EQUAL", "BEFORE"): frozenset({"BEFORE"}),
    ("EQUAL", "AFTER"): frozenset({"AFTER"}),
    ("EQUAL", "EQUAL"): frozenset({"EQUAL"}),
    ("EQUAL", "VAGUE"): frozenset({"VAGUE"}),
    ("VAGUE", "BEFORE"): frozenset({"BEFORE", "VAGUE"}),
    ("VAGUE", "AFTER"): frozenset({"AFTER", "VAGUE"}),
    ("VAGUE", "EQUAL"): frozenset({"VAGUE"}),
    ("VAGUE", "VAGUE"): _FREE,
}
"""(label of i to j, label of j to k) -> what i to k may be. 29 of the 64 triples are allowed."""


def compose(first: str, second: str) -> frozenset[str]:
    """Labels that i to k may have when i to j is `first` and j to k is `second`. Raises UnknownName for others."""
    for label in (first, second):
        if label not in TEMPORAL:
            close = nearest(label, TEMPORAL)[0]
            raise UnknownName(explain(f"No temporal label is called {label!r}.", f"Nearest: {close}."))
    return COMPOSITION[first, second]


def code(label: str) -> int:
    """Position of a temporal label in TEMPORAL."""
    return TEMPORAL.index(label)


def _compose_sets() -> Mask:
    """[16, 16]: the union of what each member of the first set and each of the second allow."""
    table = np.zeros((16, 16), dtype=np.uint8)
    for (first, second), allowed in COMPOSITION.items():
        bits = sum(1 << code(label) for label in allowed)
        for one, other in product(range(16), repeat=2):
            if one >> code(first) & 1 and other >> code(second) & 1:
                table[one, other] |= bits
    return table


COMPOSED: Mask = _compose_sets()
"""[16, 16]: composition of sets of labels, as bits."""
ALLOWED: NDArray[np.bool_] = (
    COMPOSED[np.ix_(1 << np.arange(4), 1 << np.arange(4))][:, :, None] >> np.arange(4) & 1
).astype(bool)
"""[4, 4, 4]: may (i, j), (j, k), (i, k) be labelled so together?"""
CONVERSE_MASK: Mask = np.array(
    [sum(1 << int(CONVERSE_CODE[bit]) for bit in range(4) if mask >> bit & 1) for mask in range(16)], dtype=np.uint8
)
"""[16]: the same set of labels seen from the other end."""
