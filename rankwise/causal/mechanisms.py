"""A whole graph as mechanisms that can be set: each node a function of its causes and noise, fitted by dowhy.gcm.

Numbers are a regression on the causes plus noise that does not depend on them; words, and columns of 0 and 1, are a
classifier. How much of a node its causes explain is measured on rows that the function was not fitted on.
"""

from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, RecipeError, explain, nearest
from .columns import MOST_WORDS, check_columns
from .graph import Graph

Floats = NDArray[np.float64]
RARE = 12  # rows of the rarer of two values; with fewer, a table drawn with replacement may hold none
KINDS = ("linear", "boosting", "auto")


@dataclass(frozen=True)
class Fit:
    """How well a node is explained by its causes, on rows that were held out.

    Args:
        mechanism: the function, in words. share: 1 - squared error / variance (for words, of their probabilities):
            1 all, 0 nothing, below 0 worse than the mean; None for a node without causes, which is drawn as observed.
    """

    node: str
    causes: tuple[str, ...]
    mechanism: str
    share: float | None


@dataclass(frozen=True)
class Nodes:
    """The columns of a graph as the mechanisms need them.

    Attributes:
        table: pandas, one column a node: floats, or strings for words and for 0 and 1.
        words: node -> its different words, for nodes that are no numbers; 0 and 1 are the words "0" and "1".
        parents: node -> its causes, in the order of dowhy.
        order: causes before effects.
    """

    table: Any
    words: dict[str, tuple[str, ...]]
    parents: dict[str, tuple[str, ...]]
    order: tuple[str, ...]

    def value(self, node: str, column: Any, word: str | None = None) -> Floats:
        """[n] numbers of a drawn column: itself, whether it is 1, or whether it is `word`."""
        if node in self.words:
            return (np.asarray(column).astype(str) == (word or "1")).astype(float)
        return np.asarray(column, dtype=float)


def nodes_of(table: Any, graph: Graph) -> Nodes:
    """The columns of a graph.

    Raises:
        DataError: a hidden cause of several columns, a missing value, text, dates, or a rare 0 or 1 with causes.
        UnknownName: a node that is no column.
    """
    import networkx as nx
    import pandas as pd
    from dowhy.graph import get_ordered_predecessors

    dag = graph.dag.copy()
    for node in sorted(graph.hidden & set(dag)):
        if dag.in_degree(node) or dag.out_degree(node) > 1:
            raise DataError(
                explain(
                    f"nobody measured {node!r}, and mechanisms of a whole graph need every node.",
                    "For one effect that may do without it: rankwise effect ... --graph",
                ),
                node=node,
            )
        dag.remove_node(node)  # a cause of one column alone is noise
    order = tuple(nx.topological_sort(dag))
    check_columns(table, order)
    columns: dict[str, Any] = {}
    words: dict[str, tuple[str, ...]] = {}
    for node in order:
        column = table[node]
        values = column.unique()
        if getattr(column.dtype, "kind", "O") in "biuf":
            numbers = column.to_numpy(dtype=float)
            if set(np.unique(numbers).tolist()) == {0.0, 1.0}:
                words[node] = ("0", "1")
                columns[node] = np.where(numbers == 1, "1", "0").astype(object)
            else:
                columns[node] = numbers
        elif getattr(column.dtype, "kind", "O") in "mM" or len(values) > MOST_WORDS:
            raise DataError(
                explain(f"column {node!r} holds dates or text, not up to {MOST_WORDS} words.", "Make numbers of it."),
                column=node,
            )
        else:
            words[node] = tuple(sorted(map(str, values)))
            columns[node] = column.astype(str).to_numpy(dtype=object)
    for node, held in words.items():
        rare = min(int((columns[node] == word).sum()) for word in held)
        if len(held) == 2 and dag.in_degree(node) and rare < RARE:
            raise DataError(
                explain(
                    f"column {node!r} has {rare} rows of one of its two values.",
                    f"What moves it cannot be learnt from fewer than {RARE}; leave it out of the graph.",
                ),
                column=node,
            )
    parents = {node: tuple(get_ordered_predecessors(dag, node)) for node in order}
    return Nodes(pd.DataFrame(columns), words, parents, order)


def assigned(nodes: Nodes, kind: str = "linear", seed: int = 0) -> Any:
    """A dowhy.gcm model whose mechanisms are chosen and not fitted.

    Args:
        kind: "linear", "boosting" (trees), or "auto": dowhy chooses for each node by cross-validation.

    Raises:
        RecipeError: another kind.
    """
    import networkx as nx

    with calm(seed) as gcm:
        if kind not in KINDS:
            near = f"Nearest: {nearest(kind, KINDS, 1)[0]}. All: {', '.join(KINDS)}."
            raise RecipeError(explain(f"mechanisms={kind!r} is not known.", near))
        dag = nx.DiGraph()
        dag.add_nodes_from(nodes.order)
        dag.add_edges_from((p, n) for n in nodes.order for p in nodes.parents[n])
        model = gcm.ProbabilisticCausalModel(dag)
        if kind == "auto":
            gcm.auto.assign_causal_mechanisms(model, nodes.table, quality=gcm.auto.AssignmentQuality.GOOD)
        trees = kind == "boosting"
        for node in nodes.order:
            if not nodes.parents[node]:
                model.set_causal_mechanism(node, gcm.EmpiricalDistribution())
            elif kind != "auto" and node in nodes.words:
                make = (
                    gcm.ml.create_hist_gradient_boost_classifier
                    if trees
                    else gcm.ml.create_logistic_regression_classifier
                )
                model.set_causal_mechanism(node, gcm.ClassifierFCM(make()))
            elif kind != "auto":
                reg = gcm.ml.create_hist_gradient_boost_regressor if trees else gcm.ml.create_linear_regressor
                model.set_causal_mechanism(node, gcm.AdditiveNoiseModel(reg()))
        return model


def fitted(model: Any, table: Any, seed: int = 0) -> Any:
    """A copy of the model whose mechanisms are fitted to the table."""
    with calm(seed) as gcm:
        copy = gcm.ProbabilisticCausalModel(model.graph.copy())
        for node in model.graph.nodes:
            copy.set_causal_mechanism(node, model.causal_mechanism(node).clone())
        gcm.fit(copy, table)
        return copy


def expected(model: Any, nodes: Nodes, node: str, table: Any) -> Floats:
    """[n] what a node's mechanism expects given the causes in the table, or [n, words] probabilities of its words."""
    mechanism = model.causal_mechanism(node)
    causes = table[list(nodes.parents[node])].to_numpy()
    if node in nodes.words:
        said = np.asarray(mechanism.estimate_probabilities(causes))
        place = {str(word): i for i, word in enumerate(mechanism.get_class_names(np.arange(said.shape[1])))}
        none = np.zeros(len(said))
        return np.column_stack([said[:, place[w]] if w in place else none for w in nodes.words[node]])
    return np.asarray(mechanism.prediction_model.predict(causes), dtype=float).reshape(-1)


def fits(model: Any, nodes: Nodes, folds: int = 5, seed: int = 0) -> tuple[Fit, ...]:
    """How well each node is explained by its causes, out of fold; see `Fit`."""
    n = len(nodes.table)
    fold = np.random.default_rng(seed).permutation(np.arange(n) % folds)
    error = {node: 0.0 for node in nodes.order if nodes.parents[node]}
    plain = dict(error)
    for k in range(folds):
        rest, held = nodes.table[fold != k], nodes.table[fold == k]
        part = fitted(model, rest, seed)
        for node in error:
            truth, usual = _indicators(nodes, node, held), _indicators(nodes, node, rest).mean(axis=0)
            with calm(seed):
                said = expected(part, nodes, node, held).reshape(len(held), -1)
            error[node] += float(((truth - said) ** 2).sum())
            plain[node] += float(((truth - usual) ** 2).sum())
    return tuple(
        Fit(
            node,
            nodes.parents[node],
            _in_words(model.causal_mechanism(node)) if node in error else "as observed",
            (1 - error[node] / plain[node] if plain[node] else 0.0) if node in error else None,
        )
        for node in nodes.order
    )


@contextmanager
def calm(seed: int) -> Iterator[Any]:
    """dowhy.gcm without its progress bars and its known warnings, and the global random numbers left as they were.

    gcm draws from numpy's global generator; it is seeded inside and put back at the end.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # while it is imported
        from dowhy import gcm
    state, plain = np.random.get_state(), random.getstate()
    log = logging.getLogger("dowhy")
    level = log.level
    try:
        with warnings.catch_warnings():
            for known in (FutureWarning, DeprecationWarning):
                warnings.simplefilter("ignore", known)
            gcm.config.disable_progress_bars()
            log.setLevel(logging.ERROR)
            gcm.util.general.set_random_seed(seed)
            yield gcm
    finally:
        log.setLevel(level)
        np.random.set_state(state)
        random.setstate(plain)


def _indicators(nodes: Nodes, node: str, table: Any) -> Floats:
    """[n, 1] numbers, or [n, words] of 0 and 1."""
    words: tuple[str | None, ...] = nodes.words.get(node, (None,))
    return np.column_stack([nodes.value(node, table[node], word) for word in words])


def _in_words(mechanism: Any) -> str:
    model = getattr(mechanism, "classifier_model", None) or getattr(mechanism, "prediction_model", None)
    inner = getattr(model, "sklearn_model", model)
    inner = getattr(inner, "steps", [(None, inner)])[-1][1]
    return type(inner).__name__ + ("" if hasattr(mechanism, "classifier_model") else " + noise")
