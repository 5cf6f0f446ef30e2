"""Cases as a table: every cue of every case, what the reader said, and what there is to adjust for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, explain
from .cue import Case, Cue
from .edited import Edits, Floats

STYLE, DISTANCE = "style", "sentences apart"
FARTHEST = 5  # sentences apart; more count as so many
FEWEST = 10  # cases of a style that gets a column of its own
MOST_STYLES = 12
LOOKED_AT = 50  # edits of a cue that are read again, to see what changed with it
CHANGED = 0.05
"""Share of the edits of a cue that may move something before it counts as a part of the cue."""


@dataclass(frozen=True)
class CueTable:
    """One case a row.

    names: of the cues. values: [n, cues] 0, 1, or nan where the text does not have the cue.
    y: [n] the reader's answer. documents, styles: [n] names. distance: [n] sentences between the events.
    """

    names: tuple[str, ...]
    values: Floats
    y: Floats
    documents: NDArray[np.str_]
    styles: NDArray[np.str_]
    distance: Floats

    def of(self, name: str) -> Floats:
        """[n] one cue."""
        return self.values[:, self.names.index(name)]


@dataclass(frozen=True)
class Adjust:
    """What is held fixed beside a cue. x: [m, k]; factors: by cue, "style" or "sentences apart", its columns of x."""

    x: Floats
    factors: dict[str, list[int]]

    def without(self, name: str) -> Adjust:
        """The same less one factor."""
        kept = {f: columns for f, columns in self.factors.items() if f != name}
        order = [c for columns in kept.values() for c in columns]
        places = iter(range(len(order)))
        return Adjust(self.x[:, order], {f: [next(places) for _ in columns] for f, columns in kept.items()})


def read_cues(cases: Sequence[Case], cues: Sequence[Cue]) -> Floats:
    """[cases, cues] 0, 1 or nan.

    Raises:
        DataError: two cues of one name, or a value besides 0, 1 and None.
    """
    names = [cue.name for cue in cues]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"two cues are called {twice[0]!r}: each needs a name of its own.", name=twice[0])
    found = np.full((len(cases), len(cues)), np.nan)
    for k, cue in enumerate(cues):
        for i, case in enumerate(cases):
            value = cue.value(case)
            if value is None:
                continue
            if value not in (0, 1):
                raise DataError(explain(f"the cue {cue.name} is {value!r} in {case.document.id}.", "0, 1 or None."))
            found[i, k] = value
    return found


def table_of(cases: Sequence[Case], cues: Sequence[Cue], y: Floats, values: Floats | None = None) -> CueTable:
    """The table of these cases. y: [n]; values: [n, cues], if they have been read already."""
    return CueTable(
        tuple(cue.name for cue in cues),
        read_cues(cases, cues) if values is None else values,
        y,
        np.array([case.document.id for case in cases]),
        np.array([case.style for case in cases]),
        np.array([case.distance for case in cases], dtype=np.float64),
    )


def adjust(table: CueTable, rows: NDArray[np.int64], treatment: str, leave: Collection[str] = ()) -> Adjust:
    """Everything that may be held fixed while `treatment` varies, on these rows: other cues, style, distance.

    A cue is two columns where some texts lack it: its value (-1/2, 1/2, or 0) and whether it is there.
    leave: factors that are left out. So are columns that do not vary on these rows, or say what one before them says.
    """
    if not len(rows):
        return Adjust(np.empty((0, 0)), {})
    columns: list[Floats] = []
    factors: dict[str, list[int]] = {}

    def put(factor: str, column: Floats) -> None:
        if factor not in leave and np.ptp(column) > 0 and not any(_same(column, other) for other in columns):
            factors.setdefault(factor, []).append(len(columns))
            columns.append(column)

    for name in table.names:
        if name != treatment:
            value = table.of(name)[rows]
            put(name, np.where(np.isnan(value), 0.0, value - 0.5))
            put(name, np.isnan(value).astype(np.float64))
    styles = table.styles[rows]
    common = [s for s, count in Counter(styles.tolist()).most_common(MOST_STYLES) if count >= FEWEST]
    for style in common[1:] if np.isin(styles, common).all() else common:
        put(STYLE, (styles == style).astype(np.float64))
    put(DISTANCE, table.distance[rows].clip(0, FARTHEST))
    return Adjust(np.stack(columns, 1) if columns else np.empty((len(rows), 0)), factors)


def moved_along(cases: Sequence[Case], cue: Cue, cues: Sequence[Cue], made: Edits) -> set[str]:
    """Factors that change when the cue is edited: parts of it, or what follows from it, and so not to be held fixed.

    Holding fixed what a treatment moves takes away a part of its effect, or all overlap where the one fixes the other
    (the number of sentences between two events, and the cue that tells near from far).
    """
    step = max(1, len(made.on) // LOOKED_AT)
    pairs = list(zip(made.on, made.off, strict=True))[::step][:LOOKED_AT]
    counts: Counter[str] = Counter()
    for one, none in pairs:
        counts.update(other.name for other in cues if other.name != cue.name and other.value(one) != other.value(none))
        counts[DISTANCE] += one.distance != none.distance
    return {name for name, count in counts.items() if count > CHANGED * len(pairs)}


def _same(a: Floats, b: Floats) -> bool:
    """Whether one column is the other, scaled and shifted."""
    x, y = a - a.mean(), b - b.mean()
    return bool(abs(x @ y) > (1 - 1e-9) * np.sqrt((x @ x) * (y @ y)))
