"""The contract that a method fills, and the state of one run of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from ..errors import NotFoldable, refuse_unknown
from .site import Factors, Site


@dataclass(frozen=True)
class Method:
    """Hyperparameters that know how factors start, act, fold and die. One base class, no grandchildren.

    `rank_axis` says which axis of each factor counts directions; compacting, shrinking, cutting, padding and
    rank plots are written once for every method because of it.
    """

    kind: ClassVar[str] = ""
    rank_axis: ClassVar[dict[str, int]] = {}

    def __new__(cls, *values: Any, **settings: Any) -> Self:
        """Raises UnknownName for a setting that the method does not have; names the nearest."""
        refuse_unknown(cls.__name__, settings, [f.name for f in fields(cls) if f.init])
        return super().__new__(cls)

    def init(self, site: Site, layer: nn.Module, rng: torch.Generator) -> Factors:
        """Factors of one site, float32 on the CPU. The host must be unchanged at the start."""
        raise NotImplementedError

    def forward(self, x: Tensor, layer: nn.Module, f: Factors) -> Tensor:
        """x [..., in] -> [..., out]; `layer` is the frozen map, and layer.training says which mode."""
        raise NotImplementedError

    def lora(self, f: Factors) -> tuple[Tensor, Tensor]:
        """(A [r, in], B [out, r]) with every gate and scale inside B.

        Raises:
            NotFoldable: there is no such form.
        """
        raise NotFoldable(f"method {self.kind!r} has no form W + B A.", kind=self.kind)

    def merge(self, weight: Tensor, f: Factors) -> Tensor:
        """weight [out, in] -> W + B A, summed in float32 or wider and rounded once."""
        a, b = self.lora(f)
        wide = torch.promote_types(weight.dtype, torch.float32)
        return (weight.to(wide) + b.to(wide) @ a.to(wide)).to(weight.dtype)

    def keep(self, f: Factors) -> Tensor:
        """[r] bool: the directions that still act."""
        name, axis = next(iter(self.rank_axis.items()))
        return torch.ones(f[name].shape[axis], dtype=torch.bool, device=f[name].device)

    def penalty(self, f: Factors) -> Tensor | None:
        """A term for the loss, or None."""
        return None

    def group(self, name: str) -> dict[str, Any]:
        """Optimizer options for one factor; "lr_scale" multiplies the recipe's learning rate."""
        return {}

    def rule(self, params: Mapping[str, Factors], total_steps: int, sites: int | None = None) -> Rule | None:
        """What must happen after each real optimizer step; None when nothing must.

        sites: of the adapter, those that hold no direction any more included; default: as many as `params`.
        """
        return None

    def remarks(self, params: Mapping[str, Factors]) -> list[str]:
        """What somebody should know before training with these settings: one text each, said as warnings."""
        return []

    def peft(self, f: Factors) -> tuple[dict[str, Any], Factors]:
        """(extra fields of PEFT's LoraConfig, tensors by PEFT's names: lora_A, lora_B)."""
        a, b = self.lora(f)
        return {}, {"lora_A": a, "lora_B": b}

    def live(self, f: Factors) -> int:
        """How many directions act."""
        return int(self.keep(f).sum())


class Rule:
    """What must happen after each real optimizer step: the only state that a method has.

    A rule holds names and numbers, never Parameter objects, so shapes may change under it.
    """

    def before_step(self, params: Mapping[str, Factors]) -> None:
        """Before clipping: take the gradients of directions that are closed for good out of the norm."""

    def after_step(self, params: Mapping[str, Factors], step: int, lr: Mapping[str, float]) -> None:
        """After the `step`-th real step (from 1). `lr` has the current learning rate by factor name."""

    def removable(self, params: Mapping[str, Factors]) -> dict[str, Tensor]:
        """site -> [r] bool: directions that are closed for good, so that cutting them changes nothing."""
        return {}

    def shrunk(self, kept: Mapping[str, Tensor]) -> None:
        """Directions were cut out of the factors: `kept[site]` [r before] bool says which stayed."""

    def status(self) -> dict[str, float]:
        """Numbers worth a line in the log."""
        return {}

    @property
    def settled(self) -> bool:
        """True when the ranks will not change any more, so a checkpoint may count as the result."""
        return True

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what state_dict gave (JSON-like values and tensors)."""
