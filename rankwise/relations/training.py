"""Train an extractor on a mix of corpora, hold documents out of each, and say how well it reads those."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from ..core.adapter import Adapter
from ..core.create import new
from ..core.head import Head
from ..core.method import Method
from ..errors import BadFile, RecipeError, explain
from ..io import load as load_adapter
from ..models import load, tokenizer
from ..train.loop import Result, fit
from ..train.recipe import Recipe
from ..train.workplace import Output
from . import edits, extract, learn
from .measure import measure
from .model import Weights
from .pairs import MARKERS, layout, longest
from .schema import Document

POOLER = "pooler.dense"  # its output is not read


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs beside the corpora and the recipe.

    window: tokens of text that are read at once. views: sizes of windows to learn from, as factors of `window` (at most
    what the base reads); an epoch asks everything once in each.
    hold_out: share of each corpus's documents that is not trained on.
    augment: add the certain edits of relations/edits.py. method None with `whole`: see `rankwise.new`.
    markers: one of pairs.MARKERS, a window read once for all its pairs or one row a pair; "": levitated, or those of
        `start`.
    start: folder of an extractor to go on from, with its method and ranks; what it held out stays held out.
    """

    method: Method | None
    whole: str = ""
    base: str = "minilm"
    window: int = extract.WINDOW
    weights: Weights = field(default_factory=Weights)
    hold_out: float = 0.1
    augment: bool = True
    views: tuple[float, ...] = (1.0,)
    start: str = ""
    markers: str = ""


@dataclass(frozen=True)
class Trained:
    """result: of the run. held: ids of the documents held out, by corpus; scores: on those, by corpus."""

    result: Result
    held: dict[str, list[str]]
    scores: dict[str, dict[str, Any]]


def train(
    parts: Sequence[learn.Part],
    plan: Plan,
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Trained:
    """One adapter with all heads that these corpora teach; raises as `fit` and `learn.tasks` do."""
    held, mine = {}, []
    before = extract.about(plan.start) if plan.start else {}
    markers = _markers(plan, before.get("markers", MARKERS[0]))
    for part in parts:
        known = set(before.get("held_out", {}).get(part.name, ()))
        again = part.name in before.get("corpora", ()) and (not known or known & {d.id for d in part.documents})
        names = known if again else hold_out(part.documents, plan.hold_out, recipe.seed)
        held[part.name] = sorted(names)
        mine.append(replace(part, documents=tuple(d for d in part.documents if d.id not in names)))
    causes = max(learn.causal_count(mine), before.get("causes", 0))
    if plan.augment:
        more = edits.augment([d for p in mine for d in p.documents], recipe.seed)
        mine += [learn.Part("edits", tuple(more))] if more else []
    model, words = load(plan.base), tokenizer(plan.base)
    width: Any = model.config.hidden_size  # type: ignore[union-attr]
    layout(model, words, plan.window, markers)  # raises for one that cannot be
    sizes = sorted({min(round(plan.window * view), longest(model)) for view in plan.views})
    layouts = [layout(model, words, size, markers) for size in sizes]
    tasks = learn.tasks(mine, layouts, width, plan.weights, seed=recipe.seed)
    heads = {name: head for task in tasks for name, head in task.heads.items()}
    adapter = _begun(model, plan, heads, recipe.seed)
    corpora = {p.name for p in parts} | set(before.get("corpora", ()))
    counts, today = learn.label_counts(tasks), learn.document_time_count(tasks)
    held = before.get("held_out", {}) | held
    learnt = {"markers": markers, "labels": counts, "document_time": today, "causes": causes, "held_out": held}
    extra = {extract.FILE: extract.settings(plan.window, corpora, **learnt)}
    place = None if out is None else Output(Path(out), extra=extra)
    result = fit(model, adapter, tasks, recipe, out=place, resume=resume, overwrite=overwrite, progress=progress)
    reader = extract.Extractor.of(model, result.adapter, words, plan.window, markers)
    scores = {}
    for part in parts:
        mine_held = [d for d in part.documents if d.id in set(held[part.name])]
        if mine_held:
            scores[part.name] = measure(reader, mine_held, reach=part.reach, mentions=part.mentions)
    reader.close()
    return Trained(result, held, scores)


def _markers(plan: Plan, before: str) -> str:
    """Raises RecipeError where an extractor is to go on with other markers than it learnt to read."""
    if plan.start and plan.markers not in ("", before):
        given = f"markers={plan.markers!r}: {plan.start} learnt with {before} ones."
        raise RecipeError(explain(given, "Leave --markers out, or train without --start."))
    return plan.markers or before


def _begun(model: nn.Module, plan: Plan, heads: Mapping[str, Head], seed: int) -> Adapter:
    """A fresh adapter, or that of `plan.start`. Raises BadFile where that one lacks a head that is to be taught."""
    if not plan.start:
        without = [POOLER] if any(POOLER in name for name, _ in model.named_modules()) else []
        return new(model, plan.method, exclude=without, whole=plan.whole or (), heads=heads, seed=seed)
    adapter = load_adapter(plan.start)
    missing = [name for name in heads if name not in adapter.heads]
    if missing:
        rule = f"These corpora teach {', '.join(missing)}, which it has no head for."
        given = f"{plan.start} answers {', '.join(adapter.heads) or 'nothing'}."
        raise BadFile(explain(given, rule, "Leave them out, or train without --start."), path=Path(plan.start))
    return adapter


def hold_out(documents: Sequence[Document], share: float, seed: int) -> set[str]:
    """Ids of that share of each group's documents, drawn by the seed; at least one of a group of two or more."""
    groups: dict[str, list[str]] = defaultdict(list)
    for d in documents:
        groups[d.group].append(d.id)
    found: set[str] = set()
    for number, (_, names) in enumerate(sorted(groups.items())):
        n = min(max(1, round(share * len(names))), len(names) - 1) if share else 0
        order = np.random.default_rng([seed, number, len(names)]).permutation(len(names))
        found |= {sorted(names)[i] for i in order[:n]}
    return found
