"""Whether the table contradicts the graph: independences that the graph implies, tested on the data.

Two columns without an edge must be independent once some others are held fixed. Each such pair is tested by regression
(does the one help to predict the other, given the rest?), and p-values are held up by Holm. Few graphs can fail: the
report says how many graphs with the same columns in other places would pass as well, and where these are more than one
in twenty, that the test is not informative.

Source: the test is dowhy.gcm's `regression_based`; the count of graphs is the idea of Eulig et al. 2023, "Toward
falsifying causal graphs using a permutation-based test", arXiv:2305.09565.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from .estimators import quietly
from .graph import Graph, Names

if TYPE_CHECKING:
    import pandas as pd

MOST, ROWS, SHUFFLES = 40, 2000, 400
LEVEL = 0.05


@dataclass(frozen=True)
class Independence:
    """a and b, given the others: p of the test, and p as Holm counts it among all tests."""

    a: str
    b: str
    given: Names
    p: float
    held_up: float

    @property
    def contradicted(self) -> bool:
        return self.held_up < LEVEL


@dataclass(frozen=True)
class Independences:
    """All that were tested.

    Args:
        implied: how many the graph implies; at most `MOST` of them are tested, drawn at random.
        others: share of the graphs with the columns in other places that imply all of these too; None without a test.
        sentence: what it comes to.
    """

    tested: tuple[Independence, ...]
    implied: int
    others: float | None
    sentence: str

    @property
    def informative(self) -> bool:
        return self.others is not None and self.others <= LEVEL

    @property
    def contradicted(self) -> tuple[Independence, ...]:
        return tuple(i for i in self.tested if i.contradicted)


def independences(table: pd.DataFrame, graph: Graph, *, most: int = MOST, seed: int = 0) -> Independences:
    """Test what the graph implies, on `ROWS` rows at most.

    Args:
        table: the graph's observed nodes are columns of it, nothing missing.
    """
    if not graph.stated:
        said = "Not informative: a list of common causes implies no independence, so nothing can contradict it."
        return Independences((), 0, None, said)
    implied = implied_by(graph)
    if not implied:
        said = "Not informative: the graph implies no independence between columns, so no table can contradict it."
        return Independences((), 0, None, said)
    rng = np.random.default_rng(seed)
    chosen = implied
    if len(implied) > most:
        chosen = [implied[i] for i in sorted(rng.choice(len(implied), most, replace=False))]
    some = table if len(table) <= ROWS else table.iloc[np.sort(rng.choice(len(table), ROWS, replace=False))]
    with _own_randomness(seed), quietly():
        ps = [_p(some, *one) for one in chosen]
    tested = tuple(
        Independence(a, b, given, p, held)
        for (a, b, given), p, held in zip(chosen, ps, holm(ps), strict=True)
        if not math.isnan(p)
    )
    others = also_implied(graph, [(i.a, i.b, i.given) for i in tested], seed)
    return Independences(tested, len(implied), others, _sentence(tested, len(implied), others))


def implied_by(graph: Graph) -> list[tuple[str, str, Names]]:
    """(a, b, given) for each two columns that some columns separate, with a smallest set that does."""
    import networkx as nx

    seen, found = graph.observed, []
    for a, b in combinations(seen, 2):
        if graph.dag.has_edge(a, b) or graph.dag.has_edge(b, a):
            continue
        given = nx.find_minimal_d_separator(graph.dag, {a}, {b}, restricted=set(seen) - {a, b})
        if given is not None:
            found.append((a, b, tuple(n for n in seen if n in given)))
    return found


def also_implied(graph: Graph, wanted: Sequence[tuple[str, str, Names]], seed: int = 0) -> float | None:
    """Share of the graphs with the columns' names dealt anew that imply all of these too; None for nothing to imply.

    All of up to 6 columns, `SHUFFLES` at random beyond. The graph itself is among all of them.
    """
    import networkx as nx

    if not wanted:
        return None
    names = list(graph.observed)
    if len(names) <= 6:
        orders: list[Sequence[str]] = list(permutations(names))
    else:
        rng = np.random.default_rng([seed, 1])
        orders = [[names[i] for i in rng.permutation(len(names))] for _ in range(SHUFFLES)]
    passed = 0
    for order in orders:
        dealt = nx.relabel_nodes(graph.dag, dict(zip(names, order, strict=True)))
        passed += all(nx.is_d_separator(dealt, {a}, {b}, set(given)) for a, b, given in wanted)
    return passed / len(orders)


def holm(ps: Sequence[float]) -> list[float]:
    """p-values such that the chance of any below .05, where all independences hold, is .05 (Holm 1979). NaN stays."""
    order = sorted((i for i, p in enumerate(ps) if not math.isnan(p)), key=lambda i: ps[i])
    out, least = [math.nan] * len(ps), 0.0
    for place, i in enumerate(order):
        least = max(least, min(1.0, ps[i] * (len(order) - place)))
        out[i] = least
    return out


def _p(table: pd.DataFrame, a: str, b: str, given: Names) -> float:
    """NaN for a column of one value: nothing depends on it.

    DoWhy's test sees bent dependences, but on a few hundred rows nothing at all: of two columns with a correlation of
    .7, p is 1 at 200, 300 and 400 rows. So a partial correlation is tested too; p is twice the smaller (Bonferroni).
    """
    from dowhy.gcm.independence_test import regression_based

    if table[a].nunique() < 2 or table[b].nunique() < 2:
        return math.nan
    held = table[list(given)].to_numpy() if given else None
    x, y, z = _numbers(table[a]), _numbers(table[b]), _mixed(table, given, held)
    ps = [float(regression_based(x, y, z, n_jobs=1))]
    if x.dtype.kind == y.dtype.kind == "f":
        ps.append(_partial(x, y, np.empty((len(x), 0)) if z is None else z))
    return min(1.0, min(ps) * len(ps))


def _partial(x: Any, y: Any, z: Any) -> float:
    """p of the correlation of what is left of x and y [n] after least squares on z [n, k]; 1 where nothing is left."""
    from scipy.stats import t

    design = np.column_stack([np.ones(len(x)), z])
    u, v = (c - design @ np.linalg.lstsq(design, c, rcond=None)[0] for c in (x, y))
    size, free = float(np.sqrt((u @ u) * (v @ v))), len(x) - design.shape[1] - 1
    if free < 1 or size < 1e-12 * max(1.0, float(np.linalg.norm(x) * np.linalg.norm(y))):
        return 1.0
    r = min(abs(float(u @ v)) / size, 1 - 1e-15)
    return float(2 * t.sf(r * np.sqrt(free / (1 - r * r)), free))


def _numbers(column: Any) -> Any:
    """Numbers as float, words as objects, which the test turns into columns."""
    return column.to_numpy(dtype=np.float64) if column.dtype.kind in "biuf" else column.astype(str).to_numpy(object)


def _mixed(table: pd.DataFrame, given: Names, held: Any) -> Any:
    if held is None:
        return None
    if all(table[c].dtype.kind in "biuf" for c in given):
        return held.astype(np.float64)
    import pandas as pd

    words = [c for c in given if table[c].dtype.kind not in "biuf"]
    return pd.get_dummies(table[list(given)], columns=words, drop_first=True).to_numpy(dtype=np.float64)


def _sentence(tested: Sequence[Independence], implied: int, others: float | None) -> str:
    if not tested or others is None:
        return "Not informative: the columns that the graph keeps apart do not vary."
    count = f"{len(tested)} of the {implied} independences that the graph implies were tested"
    if implied == 1:
        count = "The one independence that the graph implies was tested"
    wrong = [i for i in tested if i.contradicted]
    if wrong:
        i = min(wrong, key=lambda i: i.held_up)
        beside = f" given {', '.join(i.given)}" if i.given else ""
        return (
            f"{count}, and the table contradicts {len(wrong)}: {i.a} and {i.b} are not independent{beside} "
            f"(p = {i.held_up:.2g}). The graph is wrong there, or a hidden cause is missing from it."
        )
    if others > LEVEL:
        return (
            f"Not informative: {count[0].lower()}{count[1:]} and not contradicted, but {others:.0%} of the graphs with "
            "the same columns in other places would have passed as well."
        )
    return f"{count} and not contradicted; {others:.1%} of the graphs with the columns in other places would pass."


@contextlib.contextmanager
def _own_randomness(seed: int) -> Iterator[None]:
    """dowhy.gcm draws from the global generators; they are as before afterwards."""
    ours, theirs = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)
