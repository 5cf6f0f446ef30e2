"""The one loop. Methods act through three seams: forward, penalty, and the rule after each real step."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.adapter import Adapter
from ..core.host import attach, current, live, record_of
from ..core.method import Method
from .accelerate import Device
from .evaluate import evaluate
from .exits import diverged, interrupted, left_as_it_came
from .metrics import higher_is_better
from .progress import Progress, stop_on_ctrl_c
from .recipe import Recipe
from .record import Record
from .run import Run, check_same, rate_factor
from .stream import Batch, shares, steps, total_steps, waste
from .task import Task, checked
from .workplace import Output, Workplace

TRIES = 40  # of a step in half precision: 2^16, where the scale starts, down to 2^-23


@dataclass(frozen=True)
class Result:
    """What a run leaves.

    adapter: the best checkpoint within the budget (the last state, without validation rows), pruned.
    scores: task -> validation score of that adapter; empty without validation rows.
    history: one dict an evaluation: step, scores, loss, mean rank.
    seconds: of this process's share of the run. waste: share of padding among the tokens.
    folder: where it was written, or None.
    """

    adapter: Adapter
    scores: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    steps: int = 0
    waste: float = 0.0
    folder: Path | None = None


def train(
    model: nn.Module, adapter: Adapter, tasks: Task | Sequence[Task], recipe: Recipe | None = None, **options: Any
) -> Adapter:
    """`fit(...)`, for its adapter alone."""
    return fit(model, adapter, tasks, recipe, **options).adapter


def fit(
    model: nn.Module,
    adapter: Adapter,
    tasks: Task | Sequence[Task],
    recipe: Recipe | None = None,
    *,
    out: str | Path | Output | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Result:
    """Train an adapter on a model; the model leaves as it came, on its device, in its mode.

    Args:
        adapter: from `new` or `load`; not changed.
        tasks: one or several; their heads are the adapter's, or the host's own.
        out: the folder to write, or an Output, which also says its layout and files to put beside. While the run
            goes on everything is in `<out>.run`; `<out>` appears at the end.
        resume: go on with `<out>.run`. The rest of the run equals the uninterrupted one's.
        overwrite: replace `<out>`, and begin anew where `<out>.run` is there.
        progress: bars on standard error.

    Raises:
        Diverged: the loss or the gradient is not finite; the step is not taken, and the last good checkpoint is kept
            (`adapter` on the error, `<out>.run`).
        Interrupted: Ctrl-C; saved, and the message says how to resume. `adapter` on the error is what was learnt.
        FolderExists: `out` or `<out>.run` is there. BadFile: there is nothing to resume, or it is damaged.
        RecipeError: nothing would be trained, or a run is resumed with another recipe.
        DataError, UnknownName: the tasks don't fit the adapter's heads.
        WrongBase: the adapter does not fit the model.
    """
    recipe = recipe or Recipe()
    tasks = checked([tasks] if isinstance(tasks, Task) else list(tasks), adapter, recipe.metric)
    device = Device(recipe)
    with left_as_it_came(model, recipe), stop_on_ctrl_c() as asked_to_stop:
        place = Workplace.prepare(out, resume=resume, overwrite=overwrite)
        with place.cleared_if_unused():
            saved = place.load() if resume else None
            torch.manual_seed(recipe.seed)
            attach(model.to(device.device), saved.adapter if saved else adapter)
            for text in [] if saved else adapter.method.remarks(adapter.factors):
                warnings.warn(text, stacklevel=2)
            loop = _Loop(model, tasks, recipe, device, place, asked_to_stop, progress)
            if saved:
                loop.restore(saved.state, saved.best)
            return loop.go()


class _Loop:
    """One call of `fit`: what is shared between a step, an evaluation and a save."""

    def __init__(
        self,
        model: nn.Module,
        tasks: list[Task],
        recipe: Recipe,
        device: Device,
        place: Workplace,
        asked_to_stop: list[bool],
        progress: bool,
    ) -> None:
        self.model, self.tasks, self.recipe, self.device, self.place = model, tasks, recipe, device, place
        self.asked_to_stop, self.progress = asked_to_stop, progress
        self.total = total_steps(tasks, recipe)
        self.run = Run(model, recipe, self.total, device.scaler)
        self.facts = recipe.to_dict() | {"rows": {t.name: len(t.train) for t in tasks}}
        self.method = next(iter(record_of(model).adapters.values())).method
        self.wrapped = device.prepare(model)
        self.history: list[dict[str, Any]] = []
        self.waste = waste(tasks, recipe)
        self.began = time.perf_counter()

    def restore(self, state: dict[str, Any], best: Adapter | None) -> None:
        check_same(state["facts"], self.facts)
        self.run.load_state_dict(state["run"], best)
        self.history = list(state["history"])

    def go(self) -> Result:
        base = next(iter(record_of(self.model).adapters.values())).base
        with Record(self.place.work, tensorboard=self.recipe.tensorboard) as record:
            if self.run.step:
                record.truncate_after(self.run.step)
                record.event(self.run.step, "resumed")
            else:
                record.header(
                    seed=self.recipe.seed,
                    recipe=self.recipe.to_dict(),
                    method={"kind": self.method.kind} | vars(self.method),
                    total_steps=self.total,
                    padding=self.waste,
                    base=base,
                )
            with Progress(self.total, self.run.step, self.waste, self.progress) as bar:
                self._steps(record, bar)
            record.event(self.run.step, "done", seconds=time.perf_counter() - self.began)
        return self._result()

    def _steps(self, record: Record, bar: Progress) -> None:
        every = self.recipe.eval_every
        evaluated = self.run.step
        self.model.train()
        for step, ends_epoch, group in steps(self.tasks, self.recipe, self.run.step):
            if step > self.total or self.run.out_of_patience:
                break
            loss = self._one(group)
            bar.step(loss, self.run.mean_rank() if self.run.rule else None)
            if step % self.recipe.log_every == 0 or step == self.total:
                self._log(record, step, loss)
            last = step == self.total
            if last or (step % every == 0 if every else ends_epoch):
                self._evaluate(record, bar, step)
                evaluated = step
            self._save_if_due(step, evaluated)
            if self.asked_to_stop[0]:
                self._save(step)
                record.event(step, "interrupted")
                raise interrupted(step, self.total, self.place.work, current(self.model))

    def _one(self, group: list[Batch]) -> float:
        """One real step from the gradients of the micro-batches; the mean loss."""
        step = self.run.step + 1
        for _ in range(TRIES if self.run.scaler else 1):  # a scaler finds a scale that half numbers can hold
            loss = self._gradients(group)
            norm = self.run.update() if math.isfinite(loss) else loss
            if math.isfinite(norm):
                return loss
        what, value = ("gradient", norm) if math.isfinite(loss) else ("loss", loss)
        lr = self.recipe.lr * rate_factor(step, self.total, self.recipe.warmup, self.recipe.decay)
        raise diverged(what, value, step, self.total, lr, self.run.best, self.place.work)

    def _gradients(self, group: list[Batch]) -> float:
        total = 0.0
        for i, ((number, rows), share) in enumerate(zip(group, shares(self.tasks, group), strict=True)):
            task = self.tasks[number]
            with self.device.micro_batch(self.wrapped, i == len(group) - 1):
                batch = task.batch([task.train[r] for r in self.device.share(rows)], self.device.device)
                with self.device.autocast():
                    logits = task.logits(self.model, batch, self.wrapped)
                loss = task.loss(logits, batch) * task.weight * share
                penalty = self._penalty()
                self.device.backward(loss if penalty is None else loss + penalty / len(group))
            total += float(loss.detach())
        return total

    def _penalty(self) -> Tensor | None:
        if type(self.method).penalty is Method.penalty:
            return None
        found = [t for t in map(self.method.penalty, live(self.model).values()) if t is not None]
        return torch.stack(found).sum() if found else None

    def _log(self, record: Record, step: int, loss: float) -> None:
        status = self.run.rule.status() if self.run.rule else {}
        record.step(step, loss=loss, lr=self.run.rates(), mean_rank=self.run.mean_rank(), **status)

    def _evaluate(self, record: Record, bar: Progress, step: int) -> None:
        found = {site: self.method.live(f) for site, f in live(self.model).items()}
        sites = next(iter(record_of(self.model).adapters.values())).sites
        record.rank(step, ranks={s.name: found.get(s.name, 0) for s in sites})
        scored = {t.name: evaluate(self.model, None, t, ci=False) for t in self.tasks if len(t.valid)}
        self.model.train()
        if not scored:
            return
        signed = [s.value if higher_is_better(s.metric) else -s.value for s in scored.values()]
        finite = all(math.isfinite(s.loss) for s in scored.values())  # of answers that are no numbers, some are right
        mean = sum(signed) / len(signed) if finite else math.nan
        best = self.run.judge(mean, True)
        line = {"scores": {n: s.value for n, s in scored.items()}, "loss": {n: s.loss for n, s in scored.items()}}
        row = {"step": step, **line, "mean_rank": self.run.mean_rank(), "best": best}
        self.history.append(row)
        record.eval(step, **{k: v for k, v in row.items() if k != "step"})
        bar.score(mean)
        if best and self.place.work and self.run.best.adapter:
            self.place.save_best(self.run.best.adapter)

    def _save_if_due(self, step: int, evaluated: int) -> None:
        due = step % self.recipe.save_every == 0 if self.recipe.save_every else evaluated == step
        if due and step < self.total:
            self._save(step)

    def _save(self, step: int) -> None:
        if self.place.work and self.device.main:
            state = {"facts": self.facts, "run": self.run.state_dict(), "history": self.history}
            self.place.save(current(self.model), state)

    def _result(self) -> Result:
        best = self.run.best.adapter
        adapter = (best or current(self.model)).compact()
        row = next((h for h in reversed(self.history) if h["best"]), None)
        folder = None
        if self.place.out and self.device.main:
            folder = self.place.finish(adapter, self.recipe)
        return Result(
            adapter=adapter,
            scores=dict(row["scores"]) if row else (self.history[-1]["scores"] if self.history else {}),
            history=self.history,
            seconds=time.perf_counter() - self.began,
            steps=self.run.step,
            waste=self.waste,
            folder=folder,
        )
