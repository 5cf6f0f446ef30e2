"""What if a node were set: means of every node under an intervention, and one row as it would have been.

Every node's mechanism is fitted (see mechanisms.py), the set nodes are held at their new values, and what follows from
them is drawn anew for every row of the table; all else keeps what was observed. Intervals come from fitting and drawing
again on tables of rows drawn with replacement. They hold under the graph: no interval covers a wrong one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, RecipeError, explain
from .graph import Graph, as_graph
from .mechanisms import Fit, Nodes, assigned, calm, expected, fits, fitted, nodes_of
from .policy import Estimate, Z
from .setting import EXAMPLE, Setting, check, functions

Floats = NDArray[np.float64]
DRAWS = 2_000  # rows drawn for each mean, at least


@dataclass(frozen=True)
class Mean:
    """A node (or the share of a word of it) as observed, under an intervention, and the difference."""

    setting: str
    node: str
    observed: float
    set_to: Estimate
    change: Estimate


@dataclass(frozen=True)
class Contrast:
    """A node under `first` less the same under `second`, on the same resampled tables."""

    first: str
    second: str
    node: str
    change: Estimate


@dataclass(frozen=True)
class Interventions:
    """Everything that `interventions` found; resamples: tables that the intervals come from."""

    n: int
    kind: str
    resamples: int
    seed: int
    edges: tuple[tuple[str, str], ...]
    fits: tuple[Fit, ...]
    means: tuple[Mean, ...]
    contrasts: tuple[Contrast, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class WouldBe:
    """A node of one row: as it was, and as it would have been."""

    node: str
    was: float
    would_be: Estimate


@dataclass(frozen=True)
class Counterfactual:
    """One row under an intervention, all else about it as it was. Nodes that it does not reach are left out."""

    row: int
    setting: str
    nodes: tuple[WouldBe, ...]
    note: str


def interventions(
    table: Any, graph: Any, settings: Sequence[str], *, kind: str = "linear", resamples: int = 100, seed: int = 0
) -> Interventions:
    """Means of every node that an intervention reaches, with bootstrap intervals.

    Args:
        table: pandas. graph: `Graph`, networkx.DiGraph or edges; every node a column.
        settings: such as "x=1", "x+=2" or "x=1, z=0"; each an intervention of its own.
        kind: of mechanisms: linear, boosting or auto.
        resamples: tables drawn with replacement, >= 10; the interval is +- 1.96 of their standard deviation.

    Raises:
        DataError: what `Setting.parse` and `nodes_of` refuse, or a value that a node cannot have.
        UnknownName: a name that is no node. RecipeError: too few resamples, or an unknown kind.
    """
    nodes, asked = _prepared(table, as_graph(graph), settings, resamples)
    model = assigned(nodes, kind, seed)
    reached = [_reached(nodes, setting) for setting in asked]
    whole = _means(model, nodes, nodes.table, asked, reached, seed)
    drawn = [_means(model, nodes, part, asked, reached, seed) for part in _resampled(nodes, resamples, seed)]
    observed = {key: _observed(nodes, nodes.table, key[1:]) for key in whole}
    means = tuple(
        Mean(
            key[0],
            _label(*key[1:]),
            observed[key],
            _estimate(whole[key][0], [d[key][0] for d in drawn]),
            _estimate(whole[key][1], [d[key][1] for d in drawn]),
        )
        for key in whole
    )
    contrasts = []
    for setting in asked[1:]:
        for key in whole:
            other = (asked[0].text, *key[1:])
            if key[0] == setting.text and other in whole:
                spread = [d[key][0] - d[other][0] for d in drawn]
                change = _estimate(whole[key][0] - whole[other][0], spread)
                contrasts.append(Contrast(setting.text, asked[0].text, _label(*key[1:]), change))
    explained = fits(model, nodes, seed=seed)
    edges = tuple((p, n) for n in nodes.order for p in nodes.parents[n])
    notes = (*_notes(nodes, asked), *_weak(explained))
    return Interventions(len(nodes.table), kind, resamples, seed, edges, explained, means, tuple(contrasts), notes)


def counterfactual(
    table: Any, graph: Any, row: int, setting: str, *, kind: str = "linear", resamples: int = 100, seed: int = 0
) -> Counterfactual:
    """One row as it would have been: its own noise kept, the set nodes and what follows from them changed.

    Args:
        row: from 0, by position. Others as in `interventions`.

    Raises:
        DataError: no such row; or a node of words, or of 0 and 1, could change: a classifier's noise cannot be read
            off a row (the error's `unknown` names the node).
    """
    nodes, (asked,) = _prepared(table, as_graph(graph), [setting], resamples)
    if not 0 <= row < len(nodes.table):
        raise DataError(f"row {row} is not there: the table has rows 0 to {len(nodes.table) - 1}.", row=row)
    reached = _reached(nodes, asked)
    fixed = {step.node for step in asked.steps}
    for node in reached:
        if node in nodes.words and node not in fixed:
            raise DataError(
                explain(
                    f"{node!r} is one of {', '.join(nodes.words[node])} and could change with {setting!r}: what it "
                    "would have been is not known.",
                    "Many noises fit what was seen. The mean over all rows is known: leave the row out.",
                ),
                unknown=node,
            )
    model = assigned(nodes, kind, seed)
    given = nodes.table.iloc[[row]].reset_index(drop=True)
    whole = _row(fitted(model, nodes.table, seed), nodes, given, asked, reached)
    drawn = [_row(fitted(model, p, seed), nodes, given, asked, reached) for p in _resampled(nodes, resamples, seed)]
    was = {node: float(nodes.value(node, given[node])[0]) for node in reached if len(nodes.words.get(node, ())) < 3}
    changed = tuple(WouldBe(n, was[n], _estimate(whole[n], [d[n] for d in drawn])) for n in was)
    note = (
        "The row's own noise is what its causes do not explain, taken to add up and to stay as it was: an assumption "
        "that no table can test. The interval is that of the fitted functions alone."
    )
    return Counterfactual(row, setting, changed, note)


def _prepared(table: Any, graph: Graph, settings: Sequence[str], resamples: int) -> tuple[Nodes, list[Setting]]:
    if resamples < 10:
        raise RecipeError(explain(f"resamples={resamples} give no interval.", "10 at least; 100 is usual."))
    asked = [Setting.parse(text) for text in settings]
    if not asked:
        raise DataError(explain("nothing is to be set.", EXAMPLE))
    nodes = nodes_of(table, graph)
    for setting in asked:
        for step in setting.steps:
            check(step, nodes)
    return nodes, asked


def _reached(nodes: Nodes, setting: Setting) -> list[str]:
    """The set nodes and what follows from them, causes first."""
    found: set[str] = {step.node for step in setting.steps}
    for node in nodes.order:
        if found & set(nodes.parents[node]):
            found.add(node)
    return [node for node in nodes.order if node in found]


Key = tuple[str, str, str | None]  # intervention, node, word


def _means(
    model: Any, nodes: Nodes, table: Any, asked: Sequence[Setting], reached: Sequence[list[str]], seed: int
) -> dict[Key, tuple[float, float]]:
    """(mean under the intervention, the same less the table's own mean) for every node that it reaches."""
    part = fitted(model, table, seed)
    times = -(-DRAWS // len(table))
    out: dict[Key, tuple[float, float]] = {}
    for setting, names in zip(asked, reached, strict=True):
        with calm(seed) as gcm:  # the same random numbers for each intervention
            many = table.loc[table.index.repeat(times)].reset_index(drop=True)
            drawn = gcm.interventional_samples(part, functions(setting, nodes), observed_data=many)
        for node in names:
            words = nodes.words.get(node, ())
            for word in words if len(words) > 2 else words[-1:] or (None,):
                mean = float(nodes.value(node, drawn[node], word).mean())
                out[setting.text, node, word] = mean, mean - _observed(nodes, table, (node, word))
    return out


def _observed(nodes: Nodes, table: Any, key: tuple[str, str | None]) -> float:
    return float(nodes.value(key[0], table[key[0]], key[1]).mean())


def _label(node: str, word: str | None) -> str:
    return node if word is None or word == "1" else f"{node}={word}"


def _resampled(nodes: Nodes, resamples: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        yield nodes.table.iloc[rng.integers(0, len(nodes.table), len(nodes.table))].reset_index(drop=True)


def _row(model: Any, nodes: Nodes, given: Any, setting: Setting, reached: Sequence[str]) -> dict[str, float]:
    """The row's reached nodes: what was, plus how far the mechanism's answer moves with the changed causes."""
    changes, now = functions(setting, nodes), given.copy()
    for node in reached:
        if nodes.parents[node] and node not in nodes.words:
            moved = expected(model, nodes, node, now) - expected(model, nodes, node, given)
            now[node] = given[node].to_numpy(dtype=float) + moved
        if node in changes:
            now[node] = [changes[node](value) for value in now[node]]
    return {node: float(nodes.value(node, now[node])[0]) for node in reached}


def _estimate(value: float, drawn: Sequence[float]) -> Estimate:
    se = float(np.std(drawn, ddof=1))
    return Estimate(value, se, value - Z * se, value + Z * se)


def _notes(nodes: Nodes, asked: Sequence[Setting]) -> list[str]:
    """Nodes that are set to where no row ever was."""
    notes = []
    for setting in asked:
        for step in setting.steps:
            if step.node in nodes.words:
                continue
            seen = nodes.table[step.node].to_numpy(dtype=float)
            new = np.array([functions(setting, nodes)[step.node](value) for value in seen])
            outside = float(np.mean((new < seen.min()) | (new > seen.max())))
            if outside > 0.05:
                notes.append(
                    f"`{setting.text}` puts {outside:.0%} of the rows where {step.node} never was "
                    f"({seen.min():.4g} to {seen.max():.4g}): what follows is the functions' guess."
                )
    return notes


def _weak(explained: Sequence[Fit]) -> list[str]:
    return [
        f"What {f.node} gets from its causes explains nothing of rows held out ({f.share:.2f}): either they hardly "
        "move it, or the function is the wrong one."
        for f in explained
        if f.share is not None and f.share < 0.01
    ]
