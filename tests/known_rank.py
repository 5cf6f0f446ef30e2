"""A problem whose true ranks are known: three frozen maps, each shifted by a random matrix of its own rank, and noise.

`problem(seed)` draws it; `train(method, problem, ...)` is the plainest loop that uses what rankwise offers to any
loop: attach, parameter_groups, Stepper, shrink.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

import rankwise as rw
from rankwise.core.host import current, live, trainable
from rankwise.core.optim import Stepper, parameter_groups, shrink

IN = 24
OUT = {"q": 20, "k": 16, "v": 28}
RANK = {"q": 1, "k": 2, "v": 4}
TOTAL = sum(RANK.values())
NUMBERS = sum(r * (IN + OUT[n]) for n, r in RANK.items())
NOISE = 0.1


class Three(nn.Module):
    def __init__(self, rng: torch.Generator) -> None:
        super().__init__()
        for name, out in OUT.items():
            layer = nn.Linear(IN, out, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.randn(out, IN, generator=rng) / math.sqrt(IN))
                layer.bias.zero_()
            setattr(self, name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([getattr(self, name)(x) for name in OUT], -1)


@dataclass(frozen=True)
class Problem:
    model: Three
    shift: dict[str, Tensor]  # [out, in], of rank RANK[name], singular values 1
    x: Tensor
    y: Tensor

    def loss(self, rows: Tensor | slice = slice(None)) -> Tensor:
        """Sum over the outputs of a row, mean over rows; the noise alone is FLOOR."""
        return (self.model(self.x[rows]) - self.y[rows]).square().sum(-1).mean()


FLOOR = NOISE**2 * sum(OUT.values())


def problem(seed: int = 0, rows: int = 1024, dtype: torch.dtype = torch.float64) -> Problem:
    rng = torch.Generator().manual_seed(1000 + seed)
    model = Three(rng)
    shift = {n: orthonormal(OUT[n], r, rng) @ orthonormal(IN, r, rng).T for n, r in RANK.items()}
    x = torch.randn(rows, IN, generator=rng, dtype=torch.float64)
    with torch.no_grad():
        y = torch.cat([getattr(model, n)(x) + x @ shift[n].T for n in RANK], -1)
    y += NOISE * torch.randn(y.shape, generator=rng, dtype=torch.float64)
    return Problem(model.to(dtype), shift, x.to(dtype), y.to(dtype))


def orthonormal(rows: int, columns: int, rng: torch.Generator) -> Tensor:
    q: Tensor = torch.linalg.qr(torch.randn(rows, columns, generator=rng, dtype=torch.float64))[0]
    return q


def row_space(adapter: Any, site: str) -> Tensor:
    """[in, rank] orthonormal: what the live directions of a site read."""
    a = adapter.factors[site]["A"][adapter.method.keep(adapter.factors[site])].double()
    q: Tensor = torch.linalg.qr(a.T)[0]
    return q


def overlap(u: Tensor, v: Tensor) -> float:
    """Mean squared cosine of the principal angles, 0..1; by chance max(rank) / in (Hu et al. 2022, eq. 4)."""
    return float((u.T @ v).square().sum() / min(u.shape[1], v.shape[1]))


def kept_of_shift(adapter: Any, shift: Mapping[str, Tensor]) -> dict[str, float]:
    """site -> overlap of the directions kept with the row space of the true shift."""
    found = {}
    for name, true in shift.items():
        v = torch.linalg.svd(true)[2][: RANK[name]].T
        u = row_space(adapter, name)
        found[name] = float((u.T @ v).square().sum() / RANK[name])
    return found


@dataclass
class Trace:
    """What a run leaves."""

    adapter: Any = None
    losses: list[float] = field(default_factory=list)
    live: list[int] = field(default_factory=list)  # after every step
    loss: float = math.nan  # over all rows, at the end
    cut: int = 0
    saved: dict[str, Any] = field(default_factory=dict)
    rule: Any = None

    @property
    def deaths(self) -> list[int]:
        return [a - b for a, b in pairwise(self.live)]


@dataclass(frozen=True)
class How:
    steps: int = 600
    lr: float = 5e-3
    decay: float = 0.0
    seed: int = 0
    clip: float = 1.0
    batch: int = 32
    shrink_every: int = 0
    save_at: int = 0


def train(
    method: Any,
    given: Problem,
    how: How,
    after: Callable[[int, Any], None] | None = None,
    start: dict[str, Any] | None = None,
) -> Trace:
    """AdamW with a warm-up of 6 % and a linear decay. `after(step, factors)` looks on; `start` resumes `saved`."""
    model, trace = given.model, Trace()
    adapter = start["adapter"] if start else rw.new(model, method, seed=how.seed).to(given.x.dtype)
    rw.attach(model, adapter)
    optimizer = torch.optim.AdamW(parameter_groups(model, how.lr, how.decay))
    peak = [group["lr"] for group in optimizer.param_groups]
    rule = trace.rule = method.rule(live(model), how.steps)
    stepper = Stepper(optimizer, rule, lambda: live(model))
    rng = torch.Generator().manual_seed(how.seed)
    first = 1
    if start:
        optimizer.load_state_dict(start["optimizer"])
        rule.load_state_dict(start["rule"])
        rng.set_state(start["rng"])
        stepper.step, first = start["step"], start["step"] + 1
    for step in range(first, how.steps + 1):
        now = min(1.0, step / (0.06 * how.steps)) * (1 - (step - 1) / how.steps)
        for group, rate in zip(optimizer.param_groups, peak, strict=True):
            group["lr"] = rate * now
        loss = given.loss(torch.randint(len(given.x), (how.batch,), generator=rng))
        optimizer.zero_grad()
        loss.backward()
        stepper.before_clipping()
        if how.clip:
            torch.nn.utils.clip_grad_norm_(trainable(model), how.clip)
        optimizer.step()
        trace.losses.append(loss.item())
        trace.live.append(sum(method.live(f) for f in live(model).values()))
        if after:
            after(step, live(model))
        if how.shrink_every and rule and step % how.shrink_every == 0:
            trace.cut += shrink(model, optimizer, rule)
        if step == how.save_at:
            state = {"optimizer": optimizer.state_dict(), "rule": rule.state_dict()}
            state |= {"rng": rng.get_state(), "step": step}
            trace.saved = copy.deepcopy(state) | {"adapter": current(model)}
    with torch.no_grad():
        trace.loss = given.loss().item()
    trace.adapter = rw.detach(model)
    return trace
