"""A callback that makes rules (SoRA's shrinking, a rank budget) work under Hugging Face's own Trainer.

    rankwise.attach(model, adapter)
    trainer = Trainer(model=model, ..., callbacks=[rankwise.hf_callback(model)])

The Trainer puts every trained parameter in one group with one learning rate. A factor whose method asks for a
multiple of it (SoRA's gates) has its step scaled after the optimizer took it, which for steps that are
proportional to the rate (SGD, Adam, AdamW) is the same thing.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .. import io
from ..core.host import RECORD, current, live, record_of
from ..core.method import Rule
from ..core.site import Factors
from ..errors import BadFile, MissingExtra, explain
from ..io import native

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise MissingExtra(
        explain("hf_callback needs transformers, which is not installed.", "pip install 'rankwise[train]'")
    ) from error

STATE = "rankwise_state"


def hf_callback(model: nn.Module) -> RankwiseCallback:
    """The callback for a Trainer of `model`, which must have an adapter attached.

    Checkpoints hold the trained numbers alone: each `checkpoint-N` is a folder that stock PEFT reads, and
    `trainer.train(resume_from_checkpoint=...)` goes on exactly, the rule's state included. After training:
    `adapter = rankwise.detach(model)`.

    Raises:
        AttachError: nothing is attached.
    """
    return RankwiseCallback(model)


class RankwiseCallback(TrainerCallback):
    """See hf_callback."""

    def __init__(self, model: nn.Module) -> None:
        record = record_of(model)
        self.model = model
        adapter = next(iter(record.adapters.values()))
        self.method, self.sites = adapter.method, len(adapter.sites)
        self.rule: Rule | None = None
        self.step = 0
        self.handles: list[RemovableHandle] = []
        self.scaled: dict[int, tuple[Tensor, float, bool]] = {}
        self.earlier: dict[int, Tensor] = {}
        # the Trainer's own switch for "save without these, and do not warn when they are missing"
        given = getattr(model, "_keys_to_ignore_on_save", None)
        model._keys_to_ignore_on_save = _Frozen(model, given)  # type: ignore[assignment]

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        optimizer = given["optimizer"]
        optimizer = getattr(optimizer, "optimizer", optimizer)  # Accelerate's wrapper
        params = live(self.model)
        self.rule = self.method.rule(params, state.max_steps, self.sites)
        self.step = state.global_step
        for text in [] if self.step else self.method.remarks(params):
            warnings.warn(text, stacklevel=2)
        if self.step and self.rule is not None:
            self.rule.load_state_dict(self._saved(args, self.step)["rule"])
        self._hook(optimizer, params)

    def _hook(self, optimizer: torch.optim.Optimizer, params: Mapping[str, Factors]) -> None:
        self._unhook()
        self.scaled = {}
        for site, factors in params.items():
            for name, tensor in factors.items():
                options = self.method.group(name)
                scale, decays = float(options.get("lr_scale", 1.0)), options.get("weight_decay") != 0
                if (scale != 1.0 or not decays) and not _grouped(optimizer, tensor):
                    self.scaled[id(tensor)] = (tensor, scale, decays)
                if self.rule is not None and name == "gate":  # closed gates stay out of the clipping norm
                    self.handles.append(tensor.register_post_accumulate_grad_hook(partial(self._mask, site)))
        self.handles.append(optimizer.register_step_pre_hook(self._before))
        self.handles.append(optimizer.register_step_post_hook(self._after))

    def _mask(self, site: str, gate: Tensor) -> None:
        if self.rule is not None:
            with torch.no_grad():
                self.rule.before_step({site: {"gate": gate}})

    def _before(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        self.earlier = {key: t.detach().clone() for key, (t, _, _) in self.scaled.items()}

    @torch.no_grad()
    def _after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        self.step += 1
        rate = float(optimizer.param_groups[0]["lr"])
        decay = {id(p): g["lr"] * g.get("weight_decay", 0.0) for g in optimizer.param_groups for p in g["params"]}
        for key, (tensor, scale, decays) in self.scaled.items():
            old = self.earlier[key]
            kept = old if decays else old * (1 - decay.get(key, 0.0))  # what decoupled decay alone would leave
            tensor.copy_(old + scale * (tensor - kept))
        self.earlier = {}
        if self.rule is not None:
            names = {n for f in live(self.model).values() for n in f}
            own = {g["factor"]: float(g["lr"]) for g in optimizer.param_groups if "factor" in g}
            rates = {n: own.get(n, rate * float(self.method.group(n).get("lr_scale", 1.0))) for n in names}
            self.rule.after_step(live(self.model), self.step, rates)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **given: Any) -> None:
        if logs is not None and self.rule is not None:
            sites = record_of(self.model).adapters
            count = len(next(iter(sites.values())).sites)
            more = {"mean_rank": sum(self.method.live(f) for f in live(self.model).values()) / max(count, 1)}
            more |= self.rule.status()
            logs.update(more)  # for the callbacks after this one
            if state.log_history:
                state.log_history[-1].update(more)

    def on_save(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if not state.is_world_process_zero:
            return
        adapter = current(self.model)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            written = io.save(adapter, Path(place) / "adapter")
            for file in Path(written).iterdir():
                if not (folder / file.name).exists():
                    shutil.move(file, folder / file.name)
        rule = self.rule.state_dict() if self.rule else None
        native.save_state(folder / STATE, adapter, {"rule": rule, "step": state.global_step})

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        self._unhook()

    def _unhook(self) -> None:
        for handle in self.handles:
            handle.remove()
        self.handles = []

    def _saved(self, args: Any, step: int) -> dict[str, Any]:
        """The rule's state of the checkpoint that the Trainer resumed from."""
        named = args.resume_from_checkpoint
        places = [Path(args.output_dir) / f"checkpoint-{step}"]
        if isinstance(named, str) and named not in ("True", "False"):
            places.insert(0, Path(named))
        for place in places:
            if (place / STATE).is_dir():
                _, state = native.load_state(place / STATE)
                if state["step"] == step:
                    return state
        raise BadFile(
            explain(
                f"the checkpoint of step {step} has no state of the {self.method.kind} rule.",
                f"Looked for {STATE} in {', '.join(map(str, places))}.",
                "Resume from a checkpoint-N folder inside output_dir that was written with this callback.",
            ),
            step=step,
        )


class _Frozen(Set[str]):
    """Names in the host's state that don't train, looked up anew each time: none after detach, when a saved model
    must be whole again."""

    def __init__(self, model: nn.Module, given: Iterable[str] | None) -> None:
        self.model, self.given = model, set(given or ())

    def _names(self) -> set[str]:
        if not hasattr(self.model, RECORD):
            return self.given
        trained = {n for n, p in self.model.named_parameters(remove_duplicate=False) if p.requires_grad}
        return {n for n in self.model.state_dict() if n not in trained}

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())


def _grouped(optimizer: torch.optim.Optimizer, tensor: Tensor) -> bool:
    """Whether the optimizer was made from parameter_groups, which set the rate of each factor already."""
    return any("factor" in g and any(p is tensor for p in g["params"]) for g in optimizer.param_groups)
