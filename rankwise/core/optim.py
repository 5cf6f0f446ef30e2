"""Between an optimizer and a host: parameter groups by factor, the after-step hook, shrinking with moments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .adapter import take
from .host import live, live_heads, live_whole, record_of
from .method import Rule
from .site import Factors


def parameter_groups(
    model: nn.Module,
    lr: float,
    weight_decay: float = 0.0,
    *,
    gate_lr: float | None = None,
    head_lr: float | None = None,
    name: str | None = None,
) -> list[dict[str, Any]]:
    """Groups for any torch optimizer: one for each factor name, one for `whole`, one for heads.

    Each has a key "factor" ("A", "B", "gate", "whole", "head"), by which a Rule is told its learning rate.
    A method's `group(factor)` may set optimizer options, and "lr_scale" times `lr`; `gate_lr` overrides that.
    Biases and norms trained whole get no weight decay.
    """
    record = record_of(model)
    name = name or next(iter(record.adapters))
    method = record.adapters[name].method
    by_factor: dict[str, list[Tensor]] = {}
    for factors in live(model, name).values():
        for factor, tensor in factors.items():
            by_factor.setdefault(factor, []).append(tensor)
    groups = []
    for factor, tensors in by_factor.items():
        options = dict(method.group(factor))
        scale = options.pop("lr_scale", 1.0)
        rate = gate_lr if factor == "gate" and gate_lr is not None else lr * scale
        groups.append({"params": tensors, "factor": factor, "lr": rate, "weight_decay": weight_decay} | options)
    if record.adapters[name].whole:
        unique = {id(p): p for p in live_whole(model).values()}.values()
        matrices, rest = [p for p in unique if p.ndim > 1], [p for p in unique if p.ndim <= 1]
        groups.append({"params": matrices, "factor": "whole", "lr": lr, "weight_decay": weight_decay})
        groups.append({"params": rest, "factor": "whole", "lr": lr, "weight_decay": 0.0})
    heads = [t for w in live_heads(model, name).values() for t in w.values()]
    groups.append(
        {"params": heads, "factor": "head", "lr": lr if head_lr is None else head_lr, "weight_decay": weight_decay}
    )
    return [g for g in groups if g["params"]]


def rates(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """The current learning rate by factor name."""
    return {g["factor"]: float(g["lr"]) for g in optimizer.param_groups if "factor" in g}


class Stepper:
    """Counts an optimizer's real steps and calls the rule after each.

    The hook sits on the inner torch optimizer: with gradient accumulation, or a step that a gradient scaler
    skips, it does not fire. `params()` is looked up each time, so shapes may change between steps.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        rule: Rule | None,
        params: Callable[[], Mapping[str, Factors]],
    ) -> None:
        self.step = 0
        self.optimizer, self.rule, self.params = optimizer, rule, params
        self.handle: RemovableHandle = optimizer.register_step_post_hook(self._after)

    def _after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        self.step += 1
        if self.rule is not None:
            with torch.no_grad():
                self.rule.after_step(self.params(), self.step, rates(optimizer))

    def before_clipping(self) -> None:
        if self.rule is not None:
            with torch.no_grad():
                self.rule.before_step(self.params())

    def remove(self) -> None:
        self.handle.remove()


def shrink(model: nn.Module, optimizer: torch.optim.Optimizer, rule: Rule, name: str | None = None) -> int:
    """Cut directions that are closed for good out of the factors and out of the optimizer's moments.

    Each Parameter stays the same object with new storage; outputs and further steps do not change. Under DDP,
    prepare the model again afterwards. Returns how many directions were cut.
    """
    record = record_of(model)
    method = record.adapters[name or next(iter(record.adapters))].method
    params = live(model, name)
    cut, kept = 0, {}
    with torch.no_grad():
        for site, dead in rule.removable(params).items():
            if not bool(dead.any()):
                continue
            keep = ~dead
            cut += int(dead.sum())
            kept[site] = keep
            for factor, parameter in params[site].items():
                if factor in method.rank_axis:
                    _slice(parameter, optimizer.state.get(parameter, {}), factor, method.rank_axis, keep)
    rule.shrunk(kept)
    return cut


def _slice(parameter: Tensor, state: dict[str, Any], factor: str, rank_axis: Mapping[str, int], keep: Tensor) -> None:
    def small(tensor: Tensor) -> Tensor:
        return take({factor: tensor}, rank_axis, keep)[factor].contiguous()

    shape = parameter.shape
    for key, value in state.items():
        if isinstance(value, Tensor) and value.shape == shape:
            state[key] = small(value)
    grad = parameter.grad
    parameter.grad = None
    smaller = small(parameter.data)
    # Autograd remembers a leaf's shape for as long as an earlier graph lives (a loss that is still held), and
    # forgets it only where the data's type changes: through another type and back.
    parameter.data = smaller.new_empty(0, dtype=torch.float16 if smaller.dtype != torch.float16 else torch.float32)
    parameter.data = smaller
    if grad is not None:
        parameter.grad = small(grad)
