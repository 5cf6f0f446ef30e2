"""The order in which a run sees batches: a pure function of the recipe, so that resuming is exact."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .data import batches, padding_waste
from .recipe import Recipe
from .task import Task

Batch = tuple[int, list[int]]  # number of the task, its row numbers


def epoch_of(tasks: Sequence[Task], recipe: Recipe, epoch: int) -> list[Batch]:
    """The batches of one epoch: each task's rows once, the tasks' batches in random order."""
    mixed: list[Batch] = []
    for number, task in enumerate(tasks):
        groups = batches(
            [len(r) for r in task.train],
            rows=None if recipe.batch_tokens else recipe.batch_rows,
            tokens=recipe.batch_tokens,
            seed=recipe.seed + 7919 * number,
            epoch=epoch,
        )
        mixed += [(number, group) for group in groups]
    if len(tasks) > 1:
        order = np.random.default_rng([recipe.seed, epoch, 1]).permutation(len(mixed))
        mixed = [mixed[i] for i in order]
    return mixed


def steps_in(tasks: Sequence[Task], recipe: Recipe) -> int:
    """Real optimizer steps of one epoch."""
    return math.ceil(len(epoch_of(tasks, recipe, 0)) / recipe.accumulate)


def total_steps(tasks: Sequence[Task], recipe: Recipe) -> int:
    """Of the whole run; part of a step, but for rounding, is a step."""
    return recipe.steps or max(1, math.ceil(recipe.epochs * steps_in(tasks, recipe) - 1e-9))


def steps(tasks: Sequence[Task], recipe: Recipe, done: int = 0) -> Iterator[tuple[int, bool, list[Batch]]]:
    """(step from 1, whether it ends an epoch, its micro-batches), going on after `done` steps, without end."""
    step, epoch = 0, 0
    while True:
        mixed = epoch_of(tasks, recipe, epoch)
        groups = [mixed[i : i + recipe.accumulate] for i in range(0, len(mixed), recipe.accumulate)]
        if step + len(groups) > done:
            for number, group in enumerate(groups, 1):
                if step + number > done:
                    yield step + number, number == len(groups), group
        step, epoch = step + len(groups), epoch + 1


def shares(tasks: Sequence[Task], group: Sequence[Batch]) -> list[float]:
    """What each micro-batch of one step weighs, 1 in all: tasks by their numbers of micro-batches, and the
    micro-batches of one task by their rows (labelled tokens), so that they weigh as one large batch would."""
    items = [tasks[n].items([tasks[n].train[i] for i in rows]) for n, rows in group]
    found = []
    for (number, _), own in zip(group, items, strict=True):
        same = [i for i, (n, _) in zip(items, group, strict=True) if n == number]
        found.append((own / sum(same) if sum(same) else 1 / len(same)) * len(same) / len(group))
    return found


def waste(tasks: Sequence[Task], recipe: Recipe) -> float:
    """Share of padding among the tokens of the first epoch."""
    mixed = epoch_of(tasks, recipe, 0)
    shares, tokens = 0.0, 0.0
    for number, task in enumerate(tasks):
        lengths = [len(r) for r in task.train]
        groups = [g for n, g in mixed if n == number]
        padded = sum(len(g) * max(lengths[i] for i in g) for g in groups)
        shares += padding_waste(lengths, groups) * padded
        tokens += padded
    return shares / tokens if tokens else 0.0
