"""Effects of edits within groups of cases: by style, by distance, and by whether the text says the order outright."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .cue_table import MOST_STYLES, STYLE, CueTable
from .edited import Floats, Ints, Mean, mean_of

EXPLICIT, APART = "explicit cue", "sentences apart"
GIVEN, NONE, MIXED = "given", "none", "contradicting"
FAR = 3  # sentences apart from which all count as far


@dataclass(frozen=True)
class Part:
    """by: "style", "sentences apart" or "explicit cue". group: which of them."""

    by: str
    group: str
    effect: Mean


def explicit_of(table: CueTable, names: Sequence[str]) -> list[str]:
    """[n] whether cues of these names say the order: "given" (all that are there alike), "contradicting" or "none"."""
    said = np.stack([table.of(name) for name in names], 1) if names else np.full((len(table.y), 1), np.nan)
    ones, zeros = (said == 1).any(1), (said == 0).any(1)
    return [MIXED if a and b else GIVEN if a or b else NONE for a, b in zip(ones, zeros, strict=True)]


def parts_of(table: CueTable, explicit: Sequence[str], where: Ints, effects: Floats) -> tuple[Part, ...]:
    """Means of effects [m] of the cases number `where` [m], by group; the largest groups, styles by size."""
    near = [f"{int(d)}" if d < FAR else f"{FAR} and more" for d in table.distance.tolist()]
    styles = [str(s) for s in table.styles]
    found: list[Part] = []
    for by, group in ((EXPLICIT, explicit), (STYLE, styles), (APART, near)):
        here = [group[i] for i in where.tolist()]
        counts = Counter(here).most_common(MOST_STYLES)
        if by != EXPLICIT and len(counts) < 2:
            continue
        for name in [n for n, _ in counts] if by == STYLE else sorted(n for n, _ in counts):
            at = np.array([i for i, h in enumerate(here) if h == name])
            effect = mean_of(effects[at], table.documents[where[at]])
            if effect is not None:
                found.append(Part(by, name, effect))
    return tuple(found)
