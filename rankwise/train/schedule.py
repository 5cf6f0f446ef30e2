"""The sparsifying schedule: one run that leaves an adapter for every sparsity.

Source: Ding et al. 2023 (SoRA, arXiv:2311.11696), Algorithm 1: from a trained dense adapter, lambda grows in
stages. Here the learning rate restarts in every stage; in the released code it stays at the 0 on which the first
stage ended, so that gates only shrank and nothing adapted to it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from ..core.adapter import Adapter
from ..errors import BadFile, NotFoldable, RecipeError, explain
from ..io import load
from ..io.files import atomic_write
from .loop import Result, fit
from .recipe import Recipe
from .task import Task
from .workplace import Output

SHAPES = ("linear", "log", "exp")


@dataclass(frozen=True)
class Stage:
    """One stage: its lambda, what was left at its end, and its validation scores."""

    number: int
    sparsity: float
    mean_rank: float
    size: int
    ranks: dict[str, int]
    scores: dict[str, float]
    seconds: float
    folder: str | None = None


def lambdas(start: float, end: float, stages: int, shape: str = "linear") -> list[float]:
    """`stages` values from `start` to `end`: evenly spaced; rising fast first (log); or slowly first (exp).

    With x in 0..1 evenly spaced: linear x; log: ln(1 + 9x) / ln 10; exp: (10^x - 1) / 9.
    """
    if shape not in SHAPES:
        raise RecipeError(explain(f"shape={shape!r} is unknown.", f"It is one of {', '.join(SHAPES)}."))
    if stages < 1 or not 0 <= start <= end:
        raise RecipeError(
            explain(f"{stages} stages from {start} to {end}.", "It needs at least 1 stage and 0 <= start <= end.")
        )
    warp = {"linear": lambda x: x, "log": lambda x: math.log10(1 + 9 * x), "exp": lambda x: (10**x - 1) / 9}[shape]
    return [start + (end - start) * warp(i / max(stages - 1, 1)) for i in range(stages)]


def sparsify(
    model: nn.Module,
    adapter: Adapter,
    tasks: Task | Sequence[Task],
    recipe: Recipe,
    values: Sequence[float],
    *,
    out: str | Path | Output | None = None,
    resume: bool = False,
    progress: bool = False,
) -> tuple[list[Stage], list[Adapter]]:
    """Train on with a growing lambda; every stage starts from the last one's adapter and leaves a checkpoint.

    Args:
        adapter: a trained dense adapter of a method with `sparsity` (SoRA); not changed.
        recipe: of one stage; its learning rate restarts in each.
        values: a lambda for each stage, see `lambdas`.
        out: folder for stage-00, stage-01, ... and stages.json, or an Output; `resume` goes on after the last
            whole stage.

    A stage that leaves no direction is the last one.

    Raises:
        NotFoldable: the method has no `sparsity`.
        FolderExists: a stage is there already. RecipeError: resumed with other lambdas.
    """
    if not hasattr(adapter.method, "sparsity"):
        raise NotFoldable(
            explain(f"method {adapter.method.kind!r} has no gates to shrink.", "The schedule needs SoRA.")
        )
    output = out if isinstance(out, Output) or out is None else Output(Path(out))
    root = output.path if output else None
    stages: list[Stage] = []
    found: list[Adapter] = []
    now = adapter
    if root and resume and (root / "stages.json").exists():
        stages, found = _stages_in(root, values)
        now = found[-1] if found else adapter
    for number in range(len(stages), len(values)):
        if not now.factors:  # a larger lambda changes nothing any more
            break
        # nothing to warm up in a trained adapter; what dies in a stage is gone for the next one
        asked: dict[str, Any] = {"sparsity": values[number], "target_rank": None, "target_params": None, "warmup": 0.0}
        start = replace(now, method=replace(now.method, **asked))
        folder = root / f"stage-{number:02d}" if root else None
        going_on = resume and folder is not None and (folder.with_name(folder.name + ".run") / "last").is_dir()
        target = replace(output, path=folder) if output and folder else None
        # overwrite: a stage that a kill left without a checkpoint, or whole but not yet in stages.json, is run again
        result = fit(model, start, tasks, recipe, out=target, resume=going_on, overwrite=resume, progress=progress)
        now = result.adapter
        stages.append(_stage(number, values[number], result, folder))
        found.append(now)
        if root:
            _write(root, stages)
    return stages, found


def _stage(number: int, value: float, result: Result, folder: Path | None) -> Stage:
    now = result.adapter
    name = folder.name if folder else None
    return Stage(number, value, now.mean_rank, now.size, now.ranks, result.scores, result.seconds, name)


def _write(root: Path, stages: list[Stage]) -> None:
    atomic_write(root / "stages.json", json.dumps([asdict(s) for s in stages], indent=1).encode())


def _stages_in(root: Path, values: Sequence[float]) -> tuple[list[Stage], list[Adapter]]:
    try:
        stages = [Stage(**s) for s in json.loads((root / "stages.json").read_text())]
    except (ValueError, TypeError) as error:
        raise BadFile(f"{root / 'stages.json'} is not what this schedule wrote ({error}).", path=root) from error
    began = [s.sparsity for s in stages]
    if began != list(values)[: len(began)]:
        raise RecipeError(
            explain(
                f"the stages in {root} have lambdas {began}, and {list(values)} were given.",
                "A schedule is resumed with the lambdas that it began with.",
                "Give those, or another folder.",
            ),
            began=began,
        )
    return stages, [load(root / s.folder) for s in stages if s.folder]
