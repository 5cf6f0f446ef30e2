"""How often one kind of event causes another, and how long that takes, fitted over many timelines.

    graph = fit(timelines)                      # events of one kind are those with one word
    write(graph, "graph.toml")                  # what `rankwise what-if --graph` reads

The probability of an edge is the share of the timelines that have both events in which it is marked causal. Lags are
fitted to when events began, by maximum likelihood under t_B = max(plan_B, t_A + lag_AB, ...): as the maximum of
independent arrivals, t_B lies below t with the product of their probabilities, so that an effect that waited for
another cause, or for a plan, does not make a lag look longer. Times are taken as the bounds they are known within: a
cause's time as even in its bounds, an effect's by the probability of its bounds (interval censoring). Noise that the
effect adds is part of its lag. What the data do not tell is said so and not filled in.

Source: Wilson 1927 for shares; Lindsey and Ryan 1998 (Statistics in Medicine 17) on interval-censored times.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import BadFile, DataError, explain
from ..relations.timeline import Timeline
from .ask import open_timeline
from .lag_graph import FAMILIES, LEVEL, Edge, LagGraph, Share, Spread, check_free, write
from .lag_likelihood import Dated, maximise
from .maxplus import DAY, Within, at
from .stated import Events

LEAST = 8
"""Timelines that date both ends of an edge, below which no lag is fitted."""
WIDEST = 31 * DAY
"""A time known less precisely than this is not used."""
Pair = tuple[str, str]


@dataclass(frozen=True)
class Course:
    """What one timeline says of kinds of events: when each began, what caused what, and plans where they are known."""

    times: Mapping[str, Within]
    causes: frozenset[Pair] = frozenset()
    plans: Mapping[str, Within] = field(default_factory=dict)


def course(timeline: Timeline) -> Course:
    """The events of a timeline whose word no other of its events has, by their words."""
    events = Events(timeline)
    word = {i: w for w, i in events.single_words.items()}
    pairs = [
        link.pair if link.relation.label == "CAUSES" else link.pair[::-1]
        for link in timeline.of_kind("causal")
        if link.relation.label in ("CAUSES", "CAUSED_BY")
    ]
    bounds = timeline.bounds
    times = {w: at(bounds[i].earliest, bounds[i].latest) if i in bounds else Within() for i, w in word.items()}
    return Course(times, frozenset((word[a], word[b]) for a, b in pairs if a in word and b in word))


def fit(courses: Iterable[Course | Timeline], *, least: int = LEAST) -> LagGraph:
    """Probabilities and lags of every edge that at least one timeline marks.

    Raises:
        DataError: no timeline, or none that marks an edge between events whose word is theirs alone.
    """
    many = [course(c) if isinstance(c, Timeline) else c for c in courses]
    marked = Counter(pair for c in many for pair in c.causes)
    if not many:
        raise DataError(explain("there is no timeline to fit.", "Lags are fitted over many timelines."))
    if not marked:
        rule = "An edge counts where the timeline marks it causal and no other event has the word of either end."
        raise DataError(explain(f"none of {len(many)} timelines marks a cause.", rule))
    lags: dict[Pair, Spread | str] = {}
    for effect in dict.fromkeys(b for _, b in sorted(marked)):
        lags |= _into(effect, [a for a, b in sorted(marked) if b == effect], many, least)
    edges = []
    for a, b in sorted(marked):
        of = sum(a in c.times and b in c.times for c in many)
        found = lags[a, b]
        lag, why_not = (None, found) if isinstance(found, str) else (found, "")
        edges.append(Edge(a, b, share(marked[a, b], of), lag, why_not))
    return LagGraph(tuple(edges), len(many), tuple(_notes(edges, many)))


def fit_folder(folder: str | Path, out: str | Path, overwrite: bool = False) -> LagGraph:
    """Fit the timelines (.json) of a folder and write the graph.

    Raises:
        BadFile: no such folder, no .json in it, or one that is no timeline.
        DataError: as `fit`. FileThere, UnknownName: as `write`.
    """
    folder, out = Path(folder), Path(out)
    check_free(out, overwrite)
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        how = "To make them: rankwise timeline texts/ --format json --out timelines"
        raise BadFile(explain(f"{folder} holds no .json file.", how), path=folder)
    graph = fit(open_timeline(file) for file in files)
    write(graph, out, overwrite)
    return graph


def share(marked: int, of: int) -> Share:
    """Wilson's interval, which holds near 0 and 1 and for few timelines."""
    from scipy.stats import binomtest

    ends = binomtest(marked, of).proportion_ci(LEVEL, method="wilson")
    return Share(marked / of, float(ends.low), float(ends.high), marked, of)


def _into(effect: str, causes: Sequence[str], many: Sequence[Course], least: int) -> dict[Pair, Spread | str]:
    """Lags of all causes of one effect, together: each may be what the effect waited for."""
    rows = [c for c in many if _usable(c, effect, causes)]
    count = {a: sum((a, effect) in c.causes for c in rows) for a in causes}
    enough = [a for a in causes if count[a] >= least]
    found: dict[Pair, Spread | str] = {
        (a, effect): f"{count[a]} timelines date both, fewer than {least}" for a in causes if a not in enough
    }
    rows = [c for c in rows if all(a in enough for a in causes if (a, effect) in c.causes)]
    if not enough or not rows:
        return found
    data = Dated(
        _ends([c.times[effect] for c in rows]),
        np.stack([_ends([c.times[a] if (a, effect) in c.causes else None for c in rows]) for a in enough]),
        _ends([c.plans.get(effect) for c in rows]),
    )
    best = min((maximise(data, family) for family in FAMILIES), key=lambda fits: fits.loss)
    for j, a in enumerate(enough):
        spread = best.spread(j, sum((a, effect) in c.causes for c in rows))
        found[a, effect] = spread or "the data do not tell it: other causes or plans hide it"
    return found


def _usable(c: Course, effect: str, causes: Sequence[str]) -> bool:
    """Whether all that a timeline says of the causes of an effect is known well enough, and it says something."""
    own = [a for a in causes if (a, effect) in c.causes]
    known = [c.times.get(e, Within()) for e in (effect, *own)] + ([c.plans[effect]] if effect in c.plans else [])
    return bool(own) and all(w.high - w.low <= WIDEST for w in known)


def _ends(times: Sequence[Within | None]) -> np.ndarray:
    """[n, 2] days, nan where there is none."""
    return np.array([(math.nan, math.nan) if w is None else (w.low / DAY, w.high / DAY) for w in times])


def _notes(edges: Sequence[Edge], many: Sequence[Course]) -> list[str]:
    said = []
    if not any(c.plans for c in many):
        said.append("No plans were known: where an effect waited for its plan, its lag looks longer than it is.")
    both = {(e.cause, e.effect) for e in edges}
    for a, b in sorted(both):
        if a < b and (b, a) in both:
            said.append(f"Some timelines say {a} > {b}, others {b} > {a}: what-if takes those from its --sure on.")
    if any(e.lag is None for e in edges):
        left = sum(e.lag is None for e in edges)
        said.append(f"{left} of {len(edges)} edges have no lag: too few dates, or other causes hide it.")
    return said
