"""Device, precision and processes of a run, through Accelerate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..errors import MissingExtra, explain
from .recipe import Recipe

T = TypeVar("T")
CPU_BF16 = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")  # torch has no public names for these


def precision_here(asked: str, kind: str) -> torch.dtype | None:
    """The autocast type on a device of this kind ("cpu", "cuda"), or None for full precision.

    "auto" takes bf16 where the processor computes in it: a GPU that has it, a CPU with AMX tiles or AVX512_BF16.
    On the latter a step of MiniLM took 0.54 of fp32's time (results/step). Elsewhere bf16 is emulated, and slow.
    """
    if asked == "auto":
        if kind == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else None
        has = [getattr(torch.cpu, name, lambda: False) for name in CPU_BF16]
        return torch.bfloat16 if kind == "cpu" and any(check() for check in has) else None
    return {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[asked]


class Device:
    """Where a run computes, how, and which share of each batch this process takes."""

    def __init__(self, recipe: Recipe) -> None:
        try:
            from accelerate import Accelerator
        except ImportError as error:
            raise MissingExtra(
                explain("Training needs accelerate, which is not installed.", "pip install 'rankwise[train]'")
            ) from error
        self.accelerator = Accelerator()  # casting is done here: another precision may be set in this process
        self.device: torch.device = self.accelerator.device
        self.dtype = precision_here(recipe.precision, self.device.type)
        self.scaler = torch.amp.GradScaler(self.device.type) if self.dtype is torch.float16 else None

    @property
    def main(self) -> bool:
        return bool(self.accelerator.is_main_process)

    def prepare(self, model: nn.Module) -> nn.Module:
        """The model for this process group: DDP where there are several, the model itself otherwise."""
        if self.accelerator.num_processes == 1:
            return model
        return self.accelerator.prepare_model(model)  # type: ignore[no-any-return]

    def share(self, rows: Sequence[T]) -> Sequence[T]:
        """This process's rows of a batch."""
        n = self.accelerator.num_processes
        return rows if n == 1 else (rows[self.accelerator.process_index :: n] or rows[:1])

    def autocast(self) -> Any:
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    @contextmanager
    def micro_batch(self, model: nn.Module, last: bool) -> Iterator[None]:
        """Gradients are exchanged between processes in the last micro-batch of a step only."""
        with nullcontext() if last else self.accelerator.no_sync(model):
            yield

    def backward(self, loss: Tensor) -> None:
        (loss if self.scaler is None else self.scaler.scale(loss)).backward()
