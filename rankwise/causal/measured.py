"""What an experiment on gates gives: effects of switches and pairs of them, for each outcome."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .switches import Switch


@dataclass(frozen=True)
class Switched:
    """One switch and one outcome. low, high: 95 % interval of main over masks, the texts as they are; main itself where
    every mask ran.

    text_error: standard error of main over documents; nan with a single one. shapley: None beyond 12 switches.
    """

    switch: str
    main: float
    low: float
    high: float
    text_error: float
    left_out: float
    shapley: float | None


@dataclass(frozen=True)
class PairEffect:
    """By how much opening one switch raises the effect of the other, with its 95 % interval over masks."""

    first: str
    second: str
    effect: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """One outcome over the whole experiment.

    open, shut: the outcome with every switch open, and with every one shut.
    r2_main, r2_pairs, r2_shrunk, r2_gp: share of the variance over masks that main effects predict; those and pairs, by
        least squares (15 switches or fewer); those and pairs shrunk (where some masks did not run); a Gaussian process,
        with products of all orders (3 to 40 switches). On masks that were held out, or where all were fitted each
        predicted from the others. nan where no switch moves the outcome.
    chosen: "main", "pairs", "shrunk" or "gp": what predicts the runs of the fit best, each from the others. r2, low
        and high are its.
    pairs: of the model that was chosen, or where it has none of the better one that has ("pairs" or "shrunk", in
        pairs_by). With more than 15 switches only those whose interval leaves out 0.
    agreement: correlation of main effects with leave-one-out ones; nan with fewer than three switches.
    """

    outcome: str
    legend: str
    units: int
    documents: int
    open: float
    shut: float
    effects: tuple[Switched, ...]
    pairs: tuple[PairEffect, ...]
    pairs_by: str
    r2_main: float
    r2_pairs: float | None
    r2_shrunk: float | None
    r2_gp: float | None
    chosen: str
    low: float
    high: float
    agreement: float

    @property
    def r2(self) -> float:
        value = {"main": self.r2_main, "pairs": self.r2_pairs, "shrunk": self.r2_shrunk, "gp": self.r2_gp}[self.chosen]
        return self.r2_main if value is None else value


@dataclass(frozen=True)
class Experiment:
    """runs: outcomes taken in all; fitted and fresh of them for least squares and for R2. complete: every mask ran."""

    switches: tuple[Switch, ...]
    measured: tuple[Measured, ...]
    runs: int
    fitted: int
    fresh: int
    complete: bool
    seed: int
    seconds: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; nan as None."""
        made: dict[str, Any] = _plain(asdict(self))
        made["switches"] = {s.name: [str(d) for d in s.members] for s in self.switches}
        for row, m in zip(made["measured"], self.measured, strict=True):
            row["r2"] = _plain(m.r2)
        return made


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
