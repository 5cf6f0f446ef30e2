"""The one loop. Methods act through three seams: forward, penalty, and the rule after each real step."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.adapter import Adapter
from ..core.host import attach, current, detach, live, record_of
from ..core.method import Method
from ..errors import Diverged, Interrupted, explain
from .accelerate import Device
from .evaluate import evaluate
from .metrics import higher_is_better
from .progress import Progress, stop_on_ctrl_c
from .recipe import Recipe
from .record import Record
from .run import Run
from .stream import Batch, steps, total_steps, waste
from .task import Task, logits_of, loss_of
from .workplace import Workplace


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
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Result:
    """Train an adapter on a model; the model leaves as it came, on its device, in its mode.

    Args:
        adapter: from `new` or `load`; not changed.
        tasks: one or several; their heads are the adapter's, or the host's own.
        out: the folder to write. While the run goes on everything is in `<out>.run`; `<out>` appears at the end.
        resume: go on with `<out>.run`. The rest of the run equals the uninterrupted one's.
        overwrite: replace `<out>`, and begin anew where `<out>.run` is there.
        progress: bars on standard error.

    Raises:
        Diverged: the loss is not finite; the last good checkpoint is kept (`adapter` on the error, `<out>.run`).
        Interrupted: Ctrl-C; saved, and the message says how to resume.
        FolderExists: `out` or `<out>.run` is there.
        WrongBase: the adapter does not fit the model.
    """
    tasks = [tasks] if isinstance(tasks, Task) else list(tasks)
    recipe = recipe or Recipe()
    place = Workplace.prepare(out, resume=resume, overwrite=overwrite)
    device = Device(recipe)
    with _left_as_it_came(model, recipe), stop_on_ctrl_c() as asked_to_stop:
        saved = place.load() if resume else None
        torch.manual_seed(recipe.seed)
        home = next(model.parameters()).device
        attach(model.to(device.device), saved.adapter if saved else adapter)
        try:
            loop = _Loop(model, tasks, recipe, device, place, asked_to_stop, progress)
            if saved:
                loop.restore(saved.state, saved.best)
            return loop.go()
        finally:
            detach(model)
            model.to(home)


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
        self.run = Run(model, recipe, self.total)
        self.method = next(iter(record_of(model).adapters.values())).method
        self.wrapped = device.prepare(model)
        self.history: list[dict[str, Any]] = []
        self.waste = waste(tasks, recipe)
        self.began = time.perf_counter()

    def restore(self, state: dict[str, Any], best: Adapter | None) -> None:
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
        self._train_mode()
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
                raise self._interrupted(step)

    def _one(self, group: list[Batch]) -> float:
        """Gradients of the micro-batches, then one real step; the mean loss."""
        total = 0.0
        for last, (number, rows) in ((i == len(group) - 1, b) for i, b in enumerate(group)):
            task = self.tasks[number]
            with self.device.micro_batch(self.wrapped, last):
                batch = task.batch([task.train[i] for i in self.device.share(rows)], self.device.device)
                with self.device.autocast():
                    logits = logits_of(self.model, task, batch, self.wrapped)
                loss = loss_of(task, logits, batch["labels"]) * task.weight / len(group)
                penalty = self._penalty()
                whole = loss if penalty is None else loss + penalty / len(group)
                self.device.backward(whole)
            total += float(loss.detach())
        if not math.isfinite(total):
            raise self._diverged(total)
        self.run.update(self.device.scaler)
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
        ranks = current(self.model).ranks
        record.rank(step, ranks=ranks)
        scored = {t.name: evaluate(self.model, None, t, ci=False) for t in self.tasks if len(t.valid)}
        self._train_mode()
        if not scored:
            return
        signed = [s.value if higher_is_better(s.metric) else -s.value for s in scored.values()]
        mean = sum(signed) / len(signed)
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
            self.place.save(current(self.model), {"run": self.run.state_dict(), "history": self.history})

    def _train_mode(self) -> None:
        self.model.train()
        if self.recipe.checkpointing and hasattr(self.model, "gradient_checkpointing_enable"):
            enable: Any = self.model.gradient_checkpointing_enable
            enable(gradient_checkpointing_kwargs={"use_reentrant": False})

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

    def _interrupted(self, step: int) -> Interrupted:
        where = self.place.work
        return Interrupted(
            explain(
                f"stopped at step {step} of {self.total}.",
                f"Everything is in {where}." if where else "Nothing was kept: no folder was given.",
                "To go on: the same command with --resume, or fit(..., resume=True)" if where else "",
            ),
            step=step,
        )

    def _diverged(self, loss: float) -> Diverged:
        step = self.run.step + 1
        kept = self.run.best.adapter
        where = self.place.work
        good = "" if kept is None else f"The best checkpoint (step {self.run.best.step}) is "
        return Diverged(
            explain(
                f"the loss is {loss} at step {step} of {self.total}.",
                good + (f"in {where / 'best'}." if where else "on this error (.adapter).") if kept else "",
                f"The last save before it is in {where / 'last'}." if where and (where / "last").exists() else "",
                f"Try a lower learning rate than {self.recipe.lr:g}, or clip below {self.recipe.clip:g}.",
            ),
            step=step,
            adapter=kept,
        )


@contextmanager
def _left_as_it_came(model: nn.Module, recipe: Recipe) -> Iterator[None]:
    """Modes, gradient checkpointing, threads and the global generator as they were."""
    modes = [(m, m.training) for m in model.modules()]
    threads = torch.get_num_threads()
    if recipe.num_threads:
        torch.set_num_threads(recipe.num_threads)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            if recipe.checkpointing and hasattr(model, "gradient_checkpointing_disable"):
                disable: Any = model.gradient_checkpointing_disable
                disable()
            for module, mode in modes:
                module.training = mode
            torch.set_num_threads(threads)
