"""Run: the training state of one adapter. Optimizer, rule, clipping, schedule, best so far, when to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ..core.adapter import Adapter
from ..core.host import current, live, record_of, trainable
from ..core.optim import Stepper, parameter_groups, rates, shrink
from ..errors import RecipeError, explain
from .recipe import Recipe


def rate_factor(step: int, total: int, warmup: float, decay: str) -> float:
    """Share of the peak learning rate in step `step` (from 1) of `total`: up linearly, then down."""
    rise = round(total * warmup)
    if step <= rise:
        return step / max(rise, 1)
    if decay == "constant":
        return 1.0
    left = (total - step + 1) / max(total - rise, 1)
    return left if decay == "linear" else 0.5 * (1 - math.cos(math.pi * left))


@dataclass
class Best:
    """The best evaluation so far, among those whose ranks were within the budget."""

    score: float = -math.inf
    step: int = 0
    adapter: Adapter | None = None
    stale: int = 0  # evaluations since


@dataclass
class Run:
    """Everything of a run but the data: made for an attached host, and for one of its adapters."""

    model: nn.Module
    recipe: Recipe
    total: int
    scaler: torch.amp.GradScaler | None = None
    best: Best = field(default_factory=Best)

    def __post_init__(self) -> None:
        recipe = self.recipe
        groups = parameter_groups(
            self.model, recipe.lr, recipe.weight_decay, gate_lr=recipe.gate_lr, head_lr=recipe.head_lr
        )
        if not groups:
            raise RecipeError(explain("nothing would be trained.", "Give a method with sites, whole=, or a head."))
        for group in groups:
            group["peak"] = group["lr"]
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.lr)
        adapter = next(iter(record_of(self.model).adapters.values()))
        self.rule = adapter.method.rule(live(self.model), self.total, len(adapter.sites))
        self.stepper = Stepper(self.optimizer, self.rule, lambda: live(self.model))

    @property
    def step(self) -> int:
        return self.stepper.step

    @property
    def settled(self) -> bool:
        return self.rule is None or self.rule.settled

    def update(self) -> float:
        """One real step from the gradients that are there: rate, clipping, optimizer, rule, shrinking.

        Returns the norm of the gradient before clipping. Where it is not finite the step is not taken, and a
        gradient scaler goes down, so that the same step may be tried again.
        """
        factor = rate_factor(self.step + 1, self.total, self.recipe.warmup, self.recipe.decay)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        self.stepper.before_clipping()
        parameters = [p for p in trainable(self.model) if p.grad is not None]
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if bool(norm.isfinite()):
            if self.recipe.clip:
                torch.nn.utils.clip_grads_with_norm_(parameters, self.recipe.clip, norm)
            self.optimizer.step()  # unscaled by now, so the scaler's own step would do the same
            self._shrink_if_due()
        if self.scaler is not None:
            self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return float(norm)

    def _shrink_if_due(self) -> None:
        every = self.recipe.shrink_every
        if every and self.rule is not None and self.step % every == 0:
            shrink(self.model, self.optimizer, self.rule)

    def judge(self, score: float, higher: bool) -> bool:
        """Take note of an evaluation; True when it is the best one that is within the budget."""
        signed = score if higher else -score
        if not self.settled:
            return False
        if signed > self.best.score:
            self.best = Best(signed, self.step, current(self.model))
            return True
        self.best.stale += 1
        return False

    @property
    def out_of_patience(self) -> bool:
        return self.recipe.patience is not None and self.best.stale >= self.recipe.patience

    def mean_rank(self) -> float:
        record = record_of(self.model)
        adapter = next(iter(record.adapters.values()))
        if not adapter.sites:
            return 0.0
        return sum(adapter.method.live(f) for f in live(self.model).values()) / len(adapter.sites)

    def rates(self) -> dict[str, float]:
        return rates(self.optimizer)

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "optimizer": self.optimizer.state_dict(),
            "rule": self.rule.state_dict() if self.rule else None,
            "scaler": self.scaler.state_dict() if self.scaler else None,
            "best": {"score": self.best.score, "step": self.best.step, "stale": self.best.stale},
            "rng": torch.get_rng_state(),
            "cuda_rng": [t.cpu() for t in torch.cuda.get_rng_state_all()] if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state: dict[str, Any], best: Adapter | None) -> None:
        self.stepper.step = state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        if self.rule is not None:
            self.rule.load_state_dict(state["rule"])
        if self.scaler is not None and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        kept = state["best"]
        self.best = Best(kept["score"], kept["step"], best, kept["stale"])
        torch.set_rng_state(state["rng"])
        if state["cuda_rng"]:
            torch.cuda.set_rng_state_all(state["cuda_rng"])


HARMLESS = ("log_every", "num_threads", "save_every", "tensorboard")
"""Fields of a recipe that may differ when a run is resumed."""


def check_same(began: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to resume with another recipe or other rows: the result would be of neither.

    began, now: the recipe's fields, and "rows": task -> number of training rows.

    Raises:
        RecipeError: a field differs; the message gives both values.
    """
    for name, value in now.items():
        if name not in HARMLESS and began.get(name) != value:
            raise RecipeError(
                explain(
                    f"{name} was {began.get(name)!r} when this run began, and is {value!r} now.",
                    "A run is resumed with the recipe and the tasks that it began with.",
                    "To begin anew with other ones: --overwrite without --resume",
                ),
                name=name,
            )
