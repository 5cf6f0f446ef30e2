"""The audit: by which cues a reader orders events, by real edits of the text, beside what DoWhy estimates without any.

For each cue: edit the text so that the cue is 1 and 0, ask the reader about both, and take the mean difference. That is
the effect, for nothing else in the text changes. DoWhy's estimate from the texts as they are must adjust for everything
else the reader goes by; where the two part, it did not, and the audit says what is missing.

What it does not say: an edit is an intervention on a string. It tells what the reader does with the text, not what
language does, and edited texts may be unlike any that people write.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError, RecipeError, explain, nearest
from .aipw import NUISANCES
from .contrast import Contrast, Turned, contrast
from .cue import Case, Cue, Reader
from .cue_table import CueTable, adjust, moved_along, read_cues, table_of
from .edited import Edits, Floats, Ints, Mean, ask, edits, mean_of
from .observed import Cells, Observed, naive, observe, refuted
from .overlap import Overlap
from .parts import EXPLICIT, GIVEN, Part, explicit_of, parts_of
from .sensitivity import Closing, Sensitivity, closing, sensitivity
from .verdict import FEW, Verdict, agrees, judge

REFUTERS = ("placebo", "random common cause", "subset")


@dataclass(frozen=True)
class How:
    """What an audit does besides the edits.

    Args:
        refuters: of `refute.ALL`, for cues that have an estimate. simulations: of each.
        nuisance: models of the estimate; see aipw.cross_fit.
        sensitive: whether to leave out each factor in turn, to measure an unseen cue by.
        explicit: cues that say the order outright; default the legitimate ones among the audited.
        decides: cues whose edit turns the label round, for contrast pairs; those not audited are passed over.
    """

    refuters: tuple[str, ...] = REFUTERS
    simulations: int = 20
    nuisance: str = "linear"
    sensitive: bool = True
    explicit: tuple[str, ...] | None = None
    decides: tuple[str, ...] = ("connective",)

    def __post_init__(self) -> None:
        if self.nuisance not in NUISANCES:
            known = f"Nearest: {nearest(self.nuisance, NUISANCES, 1)[0]}. All: {', '.join(NUISANCES)}."
            raise RecipeError(explain(f"nuisance={self.nuisance!r} is not known.", known))
        if self.simulations < 2:
            raise RecipeError(explain(f"simulations={self.simulations}.", "At least 2; 20 is usual."))


@dataclass(frozen=True)
class Audited:
    """One cue.

    Args:
        have: cases with the cue; edits: of those, the ones set both ways for certain. skipped: the others, by reason.
        effect: of the edits. naive: difference of means. observed: DoWhy's estimate; None without overlap or with too
            few cases, `lacking` then says why. gap: edits less estimate on the same cases; agrees: within 3 errors.
        parts: effects of the edits within groups, by what they are grouped by.
        where, effects: [m] numbers of the edited cases, and the answer at 1 less the answer at 0.
    """

    name: str
    legitimate: bool
    have: int
    skipped: dict[str, int]
    effect: Mean | None
    naive: float
    observed: Observed | None
    lacking: str
    overlap: Overlap | None
    gap: Mean | None
    verdict: Verdict
    parts: tuple[Part, ...] = ()
    refuted: tuple[Any, ...] = ()
    sensitivity: Sensitivity | None = None
    closing: Closing | None = None
    where: Ints = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    effects: Floats = field(default_factory=lambda: np.empty(0), repr=False)

    @property
    def agrees(self) -> bool | None:
        return agrees(self.gap)


@dataclass(frozen=True)
class Audit:
    """What an audit found, a row for each cue.

    accuracy: of labelled cases, BEFORE or AFTER, the share on the right side of 1/2. keys: [cases] document and pair.
    """

    cues: tuple[Audited, ...]
    cases: int
    documents: int
    accuracy: Mean | None
    contrast: Contrast | None
    seed: int
    seconds: float
    keys: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)

    def __getitem__(self, name: str) -> Audited:
        for cue in self.cues:
            if cue.name == name:
                return cue
        raise KeyError(name)

    @property
    def flagged(self) -> tuple[str, ...]:
        """Cues about which the texts as they are mislead."""
        return tuple(cue.name for cue in self.cues if cue.verdict.flagged)


def audit(
    cases: Sequence[Case],
    reader: Reader,
    cues: Sequence[Cue],
    *,
    others: Sequence[Cue] = (),
    seed: int = 0,
    how: How | None = None,
) -> Audit:
    """The effect of every cue on a reader, by edits, beside DoWhy's estimate, with a verdict.

    Args:
        cases: pairs of events; several of one document count as one draw.
        others: cues that are not held fixed, but tried where estimate and edits disagree.

    Raises:
        DataError: no cases, none that has a cue, two cues of one name, or answers that are no probabilities.
    """
    start, how = time.perf_counter(), how or How()
    if not cases:
        raise DataError(explain("there are no cases to audit.", "A case is a pair of events of a document."))
    everything = [*cues, *others]
    values = read_cues(cases, everything)
    if np.isnan(values[:, : len(cues)]).all():
        named = ", ".join(cue.name for cue in cues) or "none"
        raise DataError(explain(f"none of {len(cases)} cases has a cue.", f"Cues looked for: {named}."))
    made = [edits(cases, cue, values[:, k]) for k, cue in enumerate(cues)]
    y, *said = ask(reader, cases, *(part for e in made for part in (e.on, e.off)))
    table = table_of(cases, everything, y, values)
    work = _Work(cases, cues, others, table, seed, how)
    rows = [work.one(cue, made[k], said[2 * k] - said[2 * k + 1]) for k, cue in enumerate(cues)]
    decide = [k for k, cue in enumerate(cues) if cue.name in how.decides]
    turned = [Turned(cues[k].name, made[k].where, said[2 * k], said[2 * k + 1]) for k in decide]
    return Audit(
        tuple(rows),
        len(cases),
        len(set(table.documents.tolist())),
        _accuracy(cases, y),
        contrast(cases, values[:, decide], turned),
        seed,
        time.perf_counter() - start,
        tuple((case.document.id, *case.pair) for case in cases),
    )


def _accuracy(cases: Sequence[Case], y: Floats) -> Mean | None:
    labelled = [i for i, case in enumerate(cases) if case.label in ("BEFORE", "AFTER")]
    right = [float((y[i] > 0.5) == (cases[i].label == "BEFORE")) for i in labelled]
    return mean_of(right, [cases[i].document.id for i in labelled])


@dataclass(frozen=True)
class _Work:
    """What all cues of an audit share."""

    cases: Sequence[Case]
    cues: Sequence[Cue]
    others: Sequence[Cue]
    table: CueTable
    seed: int
    how: How

    def one(self, cue: Cue, made: Edits, effects: Floats) -> Audited:
        table, how, documents = self.table, self.how, self.table.documents[made.where]
        rows = np.flatnonzero(~np.isnan(table.of(cue.name)))
        moved = moved_along(self.cases, cue, [*self.cues, *self.others], made)
        cells = self._cells(cue, rows, moved)
        effect = mean_of(effects, documents)
        parts = parts_of(table, explicit_of(table, self._explicit(cue)), made.where, effects)
        given = next((p.effect for p in parts if (p.by, p.group) == (EXPLICIT, GIVEN) and p.effect.n >= FEW), None)
        found, support, lacking = self._observed(cells)
        places = np.searchsorted(rows, made.where)
        gap = None if found is None else mean_of(effects - found.scores[places], documents)
        closes = self._closing(cue, cells, rows, moved, (places, effects)) if agrees(gap) is False else None
        supported = None if support is None else support.ok
        return Audited(
            cue.name,
            cue.legitimate,
            made.have,
            made.skipped,
            effect,
            naive(cells),
            found,
            lacking,
            support,
            gap,
            judge(effect, given, legitimate=cue.legitimate, supported=supported, gap=gap, closes=closes),
            parts,
            () if found is None or not how.refuters else refuted(found, how.refuters, how.simulations, self.seed),
            sensitivity(cells, found, seed=self.seed) if found is not None and how.sensitive else None,
            closes,
            made.where,
            effects,
        )

    def _cells(self, cue: Cue, rows: Ints, moved: set[str], *, added: str = "") -> Cells:
        """added: one of the others that is held fixed too."""
        leave = moved | {other.name for other in self.others if other.name != added}
        fixed = adjust(self.table, rows, cue.name, leave)
        table = self.table
        return Cells(table.of(cue.name)[rows].astype(np.int64), table.y[rows], table.documents[rows], fixed)

    def _observed(self, cells: Cells) -> tuple[Observed | None, Overlap | None, str]:
        """The estimate, the overlap, and why there is no estimate."""
        if cells.lacking:
            return None, None, cells.lacking
        found = observe(cells, nuisance=self.how.nuisance, seed=self.seed)
        if found.overlap.ok:
            return found, found.overlap, ""
        return None, found.overlap, f"{found.overlap.outside:.0%} off support"

    def _closing(self, cue: Cue, cells: Cells, rows: Ints, moved: set[str], edited: tuple[Ints, Floats]) -> Closing:
        names = [other.name for other in self.others if other.name not in moved]
        wider = {name: self._cells(cue, rows, moved, added=name).adjust for name in names}
        return closing(cells, *edited, wider, seed=self.seed)

    def _explicit(self, cue: Cue) -> list[str]:
        """Cues that say the order outright, besides this one."""
        names = self.how.explicit or [c.name for c in self.cues if c.legitimate]
        return [name for name in names if name != cue.name and name in self.table.names]
