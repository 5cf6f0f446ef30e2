"""One site while something is attached to it, and what a host remembers until everything is taken off again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import AttachError, explain, nearest
from .adapter import Adapter
from .method import Method
from .site import Factors, Site


class Adapted(nn.Module):
    """One site while attached: the frozen map and the factors of each adapter."""

    def __init__(self, layer: nn.Module, site: Site, record: Attached) -> None:
        super().__init__()
        self.layer = layer
        self.site = site
        self.boxes = nn.ModuleList()
        self.slots: list[tuple[int, Method]] = []  # adapter number and method of each box
        self.__dict__["record"] = record  # not a module, and not a part of the state

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:  # T5 reads wo.weight, GPT-2 reads nf
            return getattr(super().__getattr__("layer"), name)

    def add(self, number: int, method: Method, factors: Factors) -> None:
        self.boxes.append(nn.ParameterDict({n: nn.Parameter(t) for n, t in factors.items()}))
        self.slots.append((number, method))

    def forward(self, x: Tensor) -> Tensor:
        rows = self.record.rows
        if rows is None:
            if not self.slots or len(self.record.adapters) > 1:
                return self.layer(x)  # type: ignore[no-any-return]
            return self._of(self.slots[0][0], x)
        return self._by_rows(x, rows)

    def _of(self, number: int, x: Tensor) -> Tensor:
        """What the adapter of that number makes of x; the frozen map where it has no factors here."""
        for (n, method), box in zip(self.slots, self.boxes, strict=True):
            if n == number:
                return method.forward(x, self.layer, box)  # type: ignore[arg-type]
        return self.layer(x)  # type: ignore[no-any-return]

    def _by_rows(self, x: Tensor, rows: Tensor) -> Tensor:
        numbers = sorted(set(rows.tolist()))
        if len(numbers) == 1:  # whatever came: DeBERTa sends a table that all rows share
            return self._of(numbers[0], x)
        if x.shape[0] % len(rows):
            raise self._uneven(len(rows), x.shape[0])
        rows = rows.to(x.device).repeat_interleave(x.shape[0] // len(rows))  # beams follow their row
        index = [(rows == number).nonzero().flatten() for number in numbers]
        parts = [self._of(number, x[at]) for number, at in zip(numbers, index, strict=True)]
        return torch.cat(parts)[torch.cat(index).argsort()]

    def _uneven(self, named: int, came: int) -> AttachError:
        shared = came == 1 and named > 1
        return AttachError(
            explain(
                f"{self.site.name}: {named} rows were named, and a batch of {came} came.",
                "All rows share this input (a table of positions), so that it cannot differ between them."
                if shared
                else "A batch has one row, or one group of beams, for each name.",
                "Send rows of one adapter at a time: rows(model, [name] * len(batch))"
                if shared
                else f"Name all of them: rows(model, names) with {came} names",
            ),
            named=named,
            came=came,
        )


@dataclass
class Attached:
    """What a host remembers until detach: plain bookkeeping, no tensors that train."""

    adapters: dict[str, Adapter]
    modules: dict[str, Adapted] = field(default_factory=dict)
    swapped: list[tuple[str, nn.Module, str, nn.Parameter]] = field(default_factory=list)
    grads: list[tuple[nn.Parameter, bool]] = field(default_factory=list)
    rows: Tensor | None = None

    def number(self, name: str | None) -> int:
        """The number of an adapter, -1 for None.

        Raises:
            AttachError: no adapter of that name is attached.
        """
        known = list(self.adapters)
        if name is not None and name not in known:
            raise AttachError(
                explain(
                    f"no adapter {name!r} is attached.",
                    f"There are {', '.join(known)}. Nearest: {nearest(name, known)[0]}",
                    "A row without an adapter is named None.",
                ),
                name=name,
                known=known,
            )
        return -1 if name is None else known.index(name)
