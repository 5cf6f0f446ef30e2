"""How a run ends: the model as it came, whatever happened, and the errors that say what was kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..core.adapter import Adapter
from ..core.host import RECORD, detach
from ..errors import Diverged, Interrupted, RecipeError, explain
from .recipe import Recipe
from .run import Best


@contextmanager
def left_as_it_came(model: nn.Module, recipe: Recipe) -> Iterator[None]:
    """Modules, modes, device, gradient checkpointing, threads and the global generator as they were.

    What is attached inside is taken off.

    Raises:
        RecipeError: gradient checkpointing is asked for, and this model has none.
    """
    modes = [(m, m.training) for m in model.modules()]
    home = next(model.parameters()).device
    threads = torch.get_num_threads()
    clean = not hasattr(model, RECORD)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            if recipe.num_threads:
                torch.set_num_threads(recipe.num_threads)
            with _checkpointing(model, recipe.checkpointing):
                yield
        finally:
            if clean and hasattr(model, RECORD):
                detach(model)
            model.to(home)
            for module, mode in modes:
                module.training = mode
            torch.set_num_threads(threads)


@contextmanager
def _checkpointing(model: nn.Module, wanted: bool) -> Iterator[None]:
    """Activations computed twice, inside; where that is on already it stays as it is.

    Transformers has two names for the switch. Turning it on also hooks the embeddings, so that their output asks
    for gradients: the kind of checkpointing used here needs no such hook, and it would outlive the run.
    """
    switch: Any = model
    if not wanted or any(getattr(m, "gradient_checkpointing", False) is True for m in model.modules()):
        yield
        return
    name = next((n for n in ("activation", "gradient") if hasattr(model, f"{n}_checkpointing_enable")), None)
    if name is None:
        raise RecipeError(
            explain(
                f"checkpointing=True: {type(model).__name__} has no gradient checkpointing.",
                "Models of transformers have it. Without it a smaller batch_rows, with accumulate, saves memory.",
            ),
            name="checkpointing",
        )
    hooks = getattr(model, "_require_grads_hooks", None) or []
    getattr(switch, f"{name}_checkpointing_enable")(**{f"{name}_checkpointing_kwargs": {"use_reentrant": False}})
    for hook in getattr(model, "_require_grads_hooks", None) or []:
        if hook not in hooks:
            hook.remove()
    if hasattr(model, "_require_grads_hooks"):
        switch._require_grads_hooks = hooks
    try:
        yield
    finally:
        getattr(switch, f"{name}_checkpointing_disable")()


def interrupted(step: int, total: int, where: Path | None, adapter: Adapter) -> Interrupted:
    """Ctrl-C after `step`: everything is in the folder, and `adapter` is what there was then."""
    kept = ["No folder was given: what was learnt is on this error (.adapter)."]
    if where:
        kept = [f"Everything is in {where}.", "To go on: the same again, with resume=True"]
    return Interrupted(
        explain(f"stopped at step {step} of {total}.", *kept),
        step=step,
        adapter=adapter,
    )


def diverged(what: str, value: float, step: int, total: int, lr: float, best: Best, where: Path | None) -> Diverged:
    """The loss or the gradient of `step` is not finite. `lr` is the rate of that step."""
    if best.adapter is None:
        good = "There was no evaluation within the budget before it, so there is no best checkpoint."
    else:
        good = f"The best checkpoint (step {best.step}) is "
        good += f"in {where / 'best'}." if where else "on this error (.adapter)."
    last = where is not None and (where / "last").is_dir()
    return Diverged(
        explain(
            f"the {what} is {value} at step {step} of {total}, at learning rate {lr:.3g}.",
            "The step was not taken.",
            good,
            f"The last good state is in {where}/last." if last else "",
            f"Try a lower learning rate, such as lr={lr / 10:.1g}, or clip gradients harder (clip=...).",
        ),
        step=step,
        lr=lr,
        adapter=best.adapter,
    )
