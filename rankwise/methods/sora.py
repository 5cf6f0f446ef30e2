"""SoRA: low-rank factors with a gate a direction, driven to exact zero while training, then cut away.

Source: Ding et al., "Sparse Low-rank Adaptation of Pre-trained Language Models", EMNLP 2023, arXiv:2311.11696.
What differs from the released code, and why, is in docs/sora.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..core.budget import Plan, lay_out, threshold
from ..core.linear import lowrank
from ..core.method import Method, Rule
from ..core.site import Factors, Site
from ..errors import RecipeError, explain
from .lora import check_rank, start_a


@dataclass(frozen=True)
class SoRA(Method):
    """y = W x + s B (g * (A x)), s = alpha / rank; after each step g <- sign(g) max(|g| - lr lambda, 0).

    Factors of one site (in, out: sizes of the map; r: rank before pruning):
        A     [r, in]   uniform in +-1/sqrt(in)
        B     [out, r]  zeros, so that a new adapter leaves the model unchanged
        gate  [r]       ones; direction i is dead when gate[i] == 0 exactly

    Give one of target_rank, target_params and sparsity. **Without any, no direction is ever dropped**: SoRA(rank=8)
    trains like LoRA with gates, and training says so. (The command line takes half of the rank as its target.)

    Args:
        rank: directions a site before pruning, >= 1.
        alpha: numerator of the scale; the scale keeps `rank` after gates die.
        dropout: on the input of A, in training.
        target_rank: mean rank a site at the end; a controller finds lambda.
        target_params: numbers in A and B over all sites at the end; likewise.
        sparsity: a lambda set by hand, per unit of the gates' learning rate. Under Adam a gate's step is at
            most about one learning rate, so useful values lie between 0 and 1.
        measure: "size" shrinks |g| |a| |b|, the norm of the direction's update, so that scale cannot hide in A
            and B; "gate" shrinks |g| alone, the paper's step to the letter.
        gate_lr: learning rate of the gates, as a multiple of the recipe's.
        warmup: share of the steps before the first shrinkage.
        settle: share of the steps at the end in which the live set is fixed and trains on.
        patience: a gate that stays 0 for so many steps is closed for good.
    """

    kind: ClassVar[str] = "sora"
    rank_axis: ClassVar[dict[str, int]] = {"A": 0, "B": 1, "gate": 0}

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    target_rank: float | None = None
    target_params: int | None = None
    sparsity: float | None = None
    measure: str = "size"
    gate_lr: float = 10.0
    warmup: float = 0.15
    settle: float = 0.25
    patience: int = 10

    def __post_init__(self) -> None:
        check_rank(self.rank, self.dropout)
        asked = [n for n in ("target_rank", "target_params", "sparsity") if getattr(self, n) is not None]
        if len(asked) > 1:
            raise RecipeError(explain(f"{' and '.join(asked)} exclude each other.", "Give one of them."))
        if self.target_rank is not None and not 0 <= self.target_rank <= self.rank:
            raise RecipeError(
                explain(f"target_rank={self.target_rank} is outside 0..{self.rank}.", f"rank is {self.rank}.")
            )
        for name in ("target_params", "sparsity", "gate_lr", "warmup", "settle", "patience"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise RecipeError(explain(f"{name}={value} is negative.", "It is 0 or more."))
        if self.warmup + self.settle >= 1:
            raise RecipeError(
                explain(
                    f"warmup={self.warmup} and settle={self.settle} leave no steps to shrink in.",
                    "Their sum is below 1.",
                )
            )
        if self.measure not in ("size", "gate"):
            raise RecipeError(explain(f"measure={self.measure!r} is unknown.", "It is size or gate."))

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    def init(self, site: Site, layer: nn.Module, rng: torch.Generator) -> Factors:
        """Gates start at 1; the released code draws them from a standard normal, and then the draw decides."""
        return {
            "A": start_a(self.rank, site.in_features, "kaiming", rng),
            "B": torch.zeros(site.out_features, self.rank),
            "gate": torch.ones(self.rank),
        }

    def forward(self, x: Tensor, layer: nn.Module, f: Factors) -> Tensor:
        return lowrank(x, layer, f["A"], f["B"] * (f["gate"] * self.scale), self.dropout)

    def lora(self, f: Factors) -> tuple[Tensor, Tensor]:
        return f["A"], f["B"] * (f["gate"] * self.scale)

    def keep(self, f: Factors) -> Tensor:
        return f["gate"] != 0

    def group(self, name: str) -> dict[str, Any]:
        return {"weight_decay": 0.0, "lr_scale": self.gate_lr} if name == "gate" else {}

    def remarks(self, params: Mapping[str, Factors]) -> list[str]:
        if self.target_rank is None and self.target_params is None and self.sparsity is None:
            return [
                f"SoRA without a target drops no direction: every site stays at rank {self.rank}.\n"
                f"  For a mean rank at the end: target_rank={self.rank / 2:g}; if this is meant: sparsity=0"
            ]
        target = None if self.target_rank is None else round(self.target_rank * len(params))
        if params and (target == 0 or self.target_params == 0):
            asked = f"target_rank={self.target_rank:g}" if target == 0 else "target_params=0"
            return [f"{asked} keeps none of the directions over {len(params)} sites: no factors will be left."]
        return []

    def rule(self, params: Mapping[str, Factors], total_steps: int, sites: int | None = None) -> Rule | None:
        if self.target_rank is None and self.target_params is None and self.sparsity is None:
            return None
        return Shrinkage(self, params, total_steps, sites)


def soft_threshold(g: Tensor, t: Tensor | float) -> Tensor:
    """sign(g) max(|g| - t, 0): the proximal step of t |g|_1 (Parikh and Boyd 2014, 6.5.2)."""
    return g.sign() * (g.abs() - t).clamp(min=0)


def sizes_of(f: Factors) -> Tensor:
    """[r] |g_i| |a_i| |b_i|: the Frobenius norm of each direction's update, before the scale."""
    a: Tensor = torch.linalg.vector_norm(f["A"], dim=1)
    b: Tensor = torch.linalg.vector_norm(f["B"], dim=0)
    return f["gate"].abs() * a * b


UNUSED = 1e-100  # below any size that training leaves


class Shrinkage(Rule):
    """The proximal step after each optimizer step, its lambda, and which gates are closed for good.

    Three phases: warm-up (nothing shrinks), shrinking, and settling, in which the live set is fixed. Counting
    is done after the proximal step, because Adam moves closed gates in every step.
    """

    def __init__(self, method: SoRA, params: Mapping[str, Factors], total_steps: int, sites: int | None = None) -> None:
        self.method, self.sites = method, sites or len(params)
        self.start, self.stop = lay_out(total_steps, method.warmup, method.settle)
        if method.sparsity is not None and method.warmup == method.settle == 0:
            self.start, self.stop = 0, total_steps
        self.step, self.lam = 0, 0.0
        self.zero_for = {s: torch.zeros(len(f["gate"]), dtype=torch.long) for s, f in params.items()}
        self.closed = {s: torch.zeros(len(f["gate"]), dtype=torch.bool) for s, f in params.items()}
        self.before: dict[str, Tensor] = {}  # sizes right after the last proximal step
        self.plan = self._plan(params)
        self.horizon = max(1, (self.stop - self.start) // 8)

    def _weight(self, f: Factors) -> float:
        return 1.0 if self.method.target_params is None else float(f["A"].shape[1] + f["B"].shape[0])

    def _plan(self, params: Mapping[str, Factors]) -> Plan | None:
        full = sum(self._weight(f) * len(f["gate"]) for f in params.values())
        if self.method.target_rank is not None:
            target = float(round(self.method.target_rank * self.sites))
        elif self.method.target_params is not None:
            target = float(self.method.target_params)
        else:
            return None
        least = min((self._weight(f) for f in params.values()), default=0.0)
        if self.method.target_params and target < least:
            raise RecipeError(
                explain(
                    f"target_params={self.method.target_params} holds not one direction.",
                    f"The smallest direction has {least:.0f} numbers; all together have {full:.0f} "
                    f"at rank {self.method.rank}.",
                ),
                least=least,
            )
        if target > full:
            raise RecipeError(
                explain(
                    f"target_params={self.method.target_params} is more than there is.",
                    f"The factors hold {full:.0f} numbers at rank {self.method.rank}.",
                ),
                full=full,
            )
        return Plan(full, target, self.start, self.stop)

    @property
    def settled(self) -> bool:
        return self.step >= self.stop

    def _sizes(self, params: Mapping[str, Factors]) -> dict[str, Tensor]:
        """What the threshold is taken from, on the CPU in float64; one transfer for all sites.

        A gate that isn't 0 is alive, also while its B is: such directions (no gradient ever came) go first.
        """
        measure = sizes_of if self.method.measure == "size" else lambda f: f["gate"].abs()
        sizes = []
        for f in params.values():
            size = measure(f).detach().double()
            unused = UNUSED * torch.arange(1, len(size) + 1, device=size.device, dtype=size.dtype)
            sizes.append(torch.where((size == 0) & (f["gate"] != 0), unused, size))
        parts = torch.split(torch.cat(sizes).cpu(), [len(s) for s in sizes])
        return dict(zip(params, parts, strict=True))

    def before_step(self, params: Mapping[str, Factors]) -> None:
        for site, f in params.items():
            if f["gate"].grad is not None and bool(self.closed[site].any()):
                f["gate"].grad[self.closed[site].to(f["gate"].device)] = 0

    def after_step(self, params: Mapping[str, Factors], step: int, lr: Mapping[str, float]) -> None:
        self.step = step
        for site, f in params.items():
            f["gate"][self.closed[site].to(f["gate"].device)] = 0
        if step <= self.start:
            return
        if step <= self.stop:
            self._shrink(params, step, lr["gate"])
        for site, f in params.items():  # count after the proximal step
            zero = (f["gate"] == 0).cpu()
            self.zero_for[site] = torch.where(zero, self.zero_for[site] + 1, 0)
            if step < self.stop:
                self.closed[site] = self.closed[site] | (self.zero_for[site] >= max(1, self.method.patience))
            elif step == self.stop:
                self.closed[site] = self.closed[site] | zero

    def _shrink(self, params: Mapping[str, Factors], step: int, lr: float) -> None:
        sizes = self._sizes(params)
        if all(float(size.max()) < 1e-90 for size in sizes.values() if len(size)):
            return  # no step has moved anything (rates often start at 0): nothing tells the directions apart
        if self.plan is None:
            self.lam = self.method.sparsity or 0.0
            t = lr * self.lam
        else:
            weights = torch.cat(
                [torch.full((len(sizes[s]),), self._weight(f), dtype=torch.float64) for s, f in params.items()]
            )
            everything = torch.cat(list(sizes.values()))
            before = torch.cat([self.before.get(s, sizes[s]) for s in params])
            t = threshold(everything, before, weights, self.plan, step, self.horizon)
            self.lam = t / lr if lr else float("inf")
        for site, f in params.items():
            gate = f["gate"]
            if self.method.measure == "gate":
                gate.copy_(soft_threshold(gate, t))
            else:  # size - t, all of it taken from the gate
                left = (sizes[site] - t).clamp(min=0) / sizes[site].clamp(min=1e-300)
                gate.mul_(left.to(gate.device, gate.dtype))
        self.before = self._sizes(params)

    def removable(self, params: Mapping[str, Factors]) -> dict[str, Tensor]:
        return {site: self.closed[site].clone() for site in params}

    def shrunk(self, kept: Mapping[str, Tensor]) -> None:
        for site, keep in kept.items():
            for state in (self.zero_for, self.closed, self.before):
                if site in state:
                    state[site] = state[site][keep.cpu()]

    def status(self) -> dict[str, float]:
        return {"lambda": self.lam}

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "start": self.start,
            "stop": self.stop,
            "full": self.plan.full if self.plan else None,
            "target": self.plan.target if self.plan else None,
            "lam": self.lam,
            "zero_for": dict(self.zero_for),
            "closed": dict(self.closed),
            "before": dict(self.before),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step, self.lam = state["step"], state["lam"]
        self.start, self.stop = state["start"], state["stop"]
        self.horizon = max(1, (self.stop - self.start) // 8)
        if self.plan is not None:  # a shrunk adapter holds fewer directions than the run began with
            self.plan = Plan(state["full"], state["target"], self.start, self.stop)
        self.zero_for, self.closed = dict(state["zero_for"]), dict(state["closed"])
        self.before = dict(state["before"])
