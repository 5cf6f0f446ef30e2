"""A causal graph over kinds of events, with how often each edge is there and how long it takes, as TOML or JSON.

format = "rankwise lags"
version = 1
[[edge]]
cause = "merger"
effect = "trial"
lag = "3d"                                   # as a person states it, or as `rankwise what-if --fit` writes it:
# probability = {value = 0.8, low = 0.71, high = 0.87, marked = 80, of = 100}
# lag = {family = "normal", location = 3.02, scale = 0.5, mean = 3.02, low = 2.9, high = 3.1, n = 78}   # days
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadFile, DataError, FileThere, UnknownName, explain, nearest
from ..io.files import atomic_write
from .durations import duration
from .maxplus import DAY, Within

FORMAT, VERSION, LEVEL = "rankwise lags", 1, 0.95
FAMILIES = ("normal", "lognormal")
ENDINGS = (".toml", ".json")
MIDDLE = 0.9
"""The share of lags that the bounds of a fitted lag hold."""


@dataclass(frozen=True, slots=True)
class Share:
    """In how many timelines with both events the edge is marked; low, high: Wilson's 95 % interval."""

    value: float
    low: float
    high: float
    marked: int
    of: int


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution of lags in days. lognormal: location and scale are those of the logarithm.

    mean, low, high: the mean of the distribution with its 95 % interval. n: timelines that it was fitted on.
    """

    family: str
    location: float
    scale: float
    mean: float
    low: float
    high: float
    n: int

    def quantile(self, p: float) -> float:
        """Days that a share `p` of lags stays below."""
        from scipy.special import ndtri

        value = self.location + self.scale * float(ndtri(p))
        return math.exp(value) if self.family == "lognormal" else value

    @property
    def within(self) -> Within:
        """Bounds in seconds of the middle 90 % of lags, and no less than 0: an effect does not precede its cause."""
        ends = (self.quantile((1 - MIDDLE) / 2), self.quantile((1 + MIDDLE) / 2))
        low, high = (max(0, round(x * DAY)) for x in ends)
        return Within(low, high)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """[n] lags in days, none below 0."""
        made = rng.normal(self.location, self.scale, n)
        return np.exp(made) if self.family == "lognormal" else np.maximum(made, 0.0)


@dataclass(frozen=True, slots=True)
class Edge:
    """One kind of event causes another.

    probability: None where a person states the edge. lag: None where it could not be fitted; `why_not` says why.
    """

    cause: str
    effect: str
    probability: Share | None = None
    lag: Spread | Within | None = None
    why_not: str = ""

    @property
    def within(self) -> Within | None:
        return self.lag.within if isinstance(self.lag, Spread) else self.lag


@dataclass(frozen=True)
class LagGraph:
    """timelines: how many it was fitted on, 0 where a person wrote it. notes: what a reader should know."""

    edges: tuple[Edge, ...] = ()
    timelines: int = 0
    notes: tuple[str, ...] = ()

    def edge(self, cause: str, effect: str) -> Edge | None:
        return next((e for e in self.edges if (e.cause, e.effect) == (cause, effect)), None)


def read(path: str | Path) -> LagGraph:
    """The graph in a .toml or .json file.

    Raises:
        BadFile: no such file, another format, or an edge that cannot be; the message names it.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        made = json.loads(raw) if path.suffix == ".json" else tomllib.loads(raw.decode("utf-8-sig"))
    except FileNotFoundError:
        raise BadFile(explain(f"{path} is not there.", _MAKE), path=path) from None
    except ValueError as problem:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise BadFile(explain(f"{path} is no {kind} ({problem}).", _MAKE), path=path) from None
    if not isinstance(made, dict) or made.get("format", FORMAT) != FORMAT or not isinstance(made.get("edge"), list):
        raise BadFile(explain(f"{path} is no graph of lags: it has no [[edge]].", _MAKE), path=path)
    if made.get("version", VERSION) != VERSION:
        raise BadFile(explain(f"{path} has version {made['version']!r}.", f"This rankwise reads version {VERSION}."))
    edges = tuple(_edge(e, f"{path}, edge {i}") for i, e in enumerate(made["edge"], 1))
    return LagGraph(edges, int(made.get("timelines", 0)), tuple(made.get("notes", ())))


_MAKE = "To fit one over a folder of timelines: rankwise what-if --fit folder/ --out graph.toml"


def _edge(made: Any, where: str) -> Edge:
    known = ("cause", "effect", "probability", "lag", "why_not")
    if not isinstance(made, dict) or not all(isinstance(made.get(x), str) and made[x] for x in known[:2]):
        raise BadFile(explain(f"{where}: cause and effect are needed.", 'cause = "merger"', 'effect = "trial"'))
    if unknown := [x for x in made if x not in known]:
        near = f"Nearest: {nearest(unknown[0], known, 1)[0]}."
        raise BadFile(explain(f"{where} has {unknown[0]!r}, which no edge has.", near))
    try:
        share = Share(**made["probability"]) if "probability" in made else None
        lag = made.get("lag")
        if isinstance(lag, dict):
            lag = Spread(**lag)
            if lag.family not in FAMILIES or not lag.scale > 0:
                raise ValueError(f"family {lag.family!r} with scale {lag.scale!r}")
        elif lag is not None:
            lag = duration(lag)
            if lag.low < 0:
                raise ValueError("a lag is not below 0: an effect does not start before its cause")
    except (TypeError, ValueError, AttributeError) as problem:
        raise BadFile(explain(f"{where}: {str(problem).splitlines()[0]}", _MAKE)) from None
    cause, effect = made["cause"].casefold(), made["effect"].casefold()
    if cause == effect:
        raise BadFile(explain(f"{where}: {cause!r} cannot cause itself.", "Name another effect."))
    return Edge(cause, effect, share, lag, made.get("why_not", ""))


def write(graph: LagGraph, path: str | Path, overwrite: bool = False) -> Path:
    """The graph as TOML or JSON by the ending of `path`, whole or not at all.

    Raises:
        UnknownName: another ending. FileThere: the file is there and `overwrite` is False.
        DataError: two edges with one cause and effect.
    """
    path = Path(path)
    check_free(path, overwrite)
    names = [(e.cause, e.effect) for e in graph.edges]
    if len(set(names)) < len(names):
        raise DataError(explain("the graph has an edge twice.", "Each cause and effect has one edge."))
    rows = [_row(e) for e in graph.edges]
    head = {"format": FORMAT, "version": VERSION, "timelines": graph.timelines, "level": LEVEL, "notes": graph.notes}
    if path.suffix == ".json":
        text = json.dumps({**head, "edge": rows}, indent=2, ensure_ascii=False) + "\n"
    else:
        lines = [f"{name} = {_toml(value)}" for name, value in head.items()]
        for row in rows:
            lines += ["", "[[edge]]", *(f"{name} = {_toml(value)}" for name, value in row.items())]
        text = "\n".join([*(lines if rows else [*lines, "edge = []"]), ""])
    atomic_write(path, text.encode())
    return path


def check_free(path: Path, overwrite: bool) -> None:
    """Refuse a file that may not be written, before any work is done. Raises as `write`."""
    if path.suffix not in ENDINGS:
        raise UnknownName(explain(f"{path}: a graph is written as .toml or .json.", "For instance: --out graph.toml"))
    if path.exists() and not overwrite:
        raise FileThere(explain(f"{path} is there already.", "To replace it: overwrite=True"), path=path)


def _row(e: Edge) -> dict[str, Any]:
    row: dict[str, Any] = {"cause": e.cause, "effect": e.effect}
    if e.probability:
        row["probability"] = {name: getattr(e.probability, name) for name in Share.__slots__}
    if isinstance(e.lag, Spread):
        row["lag"] = {name: getattr(e.lag, name) for name in Spread.__slots__}
    elif e.lag is not None:
        row["lag"] = "..".join(f"{x:.0f}s" for x in ([e.lag.low] if e.lag.exact else [e.lag.low, e.lag.high]))
    return row | ({"why_not": e.why_not} if e.why_not else {})


def _toml(value: Any) -> str:
    """Strings, numbers, lists and tables in one line; JSON's escapes are TOML's, but for the character 127."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_toml(x)}" for name, x in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(x) for x in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(float(value) if isinstance(value, float) else value)  # numpy's double prints its type
