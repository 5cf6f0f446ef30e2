"""Directions of an attached adapter as switches: found, grouped, shut in place and opened again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import nn

from ..core.host import live, record_of
from ..core.method import Method
from ..core.site import Factors
from ..errors import NotFoldable, RankError, UnknownName, explain, nearest

WAYS = ("auto", "direction", "site", "layer")
MOST = 30
"""Live directions up to which each is a switch of its own; beyond, the directions of a site are one."""


@dataclass(frozen=True)
class Direction:
    """Direction number `index` of the factors at `site`, as they are attached."""

    site: str
    index: int

    def __str__(self) -> str:
        return f"{self.site}:{self.index}"


@dataclass(frozen=True)
class Switch:
    """Directions that are open or shut together."""

    name: str
    members: tuple[Direction, ...]


def directions(model: nn.Module) -> tuple[Direction, ...]:
    """Every direction that acts, in the order of sites.

    Raises:
        AttachError: nothing is attached. NotFoldable: the method has no directions. RankError: none of them acts.
    """
    method = _method(model)
    found = [
        Direction(site, index)
        for site, f in live(model).items()
        for index in torch.nonzero(method.keep(f)).flatten().tolist()
    ]
    if not found:
        raise RankError(
            explain(
                "the adapter has no direction that acts, so there is nothing to shut.",
                "It is a head, or parameters trained whole, or every gate is at 0.",
                "Its ranks: rankwise show <folder>",
            )
        )
    return tuple(found)


def switches(model: nn.Module, by: str = "auto", within: str | None = None) -> tuple[Switch, ...]:
    """The directions of an attached adapter in groups.

    Args:
        by: "direction": each alone. "site": those of a site together. "layer": those of a numbered layer. "auto":
            direction up to 30 of them, site beyond.
        within: a pattern; only directions of sites whose name it occurs in (re.search), the others stay open.

    Raises:
        UnknownName: `by`, or a pattern that names no site with directions. Others as `directions`.
    """
    if by not in WAYS:
        raise UnknownName(
            explain(f"by={by!r} is unknown.", f"It is one of {', '.join(WAYS)}. Nearest: {nearest(by, WAYS)[0]}"),
            name=by,
        )
    found = directions(model)
    if within is not None:
        chosen = [d for d in found if _matches(within, d.site)]
        if not chosen:
            sites = list(dict.fromkeys(d.site for d in found))
            raise UnknownName(
                explain(
                    f"within={within!r} occurs in the name of no site with directions.",
                    f"Nearest of {len(sites)}: {', '.join(nearest(within, sites))}",
                ),
                name=within,
            )
        found = tuple(chosen)
    if by == "auto":
        by = "direction" if len(found) <= MOST else "site"
    if by == "direction":
        return tuple(Switch(str(d), (d,)) for d in found)
    name = (lambda d: d.site) if by == "site" else (lambda d: layer_of(d.site))
    groups = groupby(sorted(found, key=lambda d: _numbers(name(d))), key=name)
    return tuple(Switch(group, tuple(members)) for group, members in groups)


def layer_of(site: str) -> str:
    """ "encoder.layer.3.output.dense" -> "encoder.layer.3"; the name itself where it has no number."""
    found = re.match(r"(?:.*?\.)??\d+(?=\.)", site)
    return found.group() if found else site


def _numbers(name: str) -> tuple[tuple[int, int | str], ...]:
    """A key that sorts layer 2 before layer 10."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in name.split("."))


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error as error:
        raise UnknownName(
            explain(f"within={pattern!r} is no pattern: {error}.", "A part of a name will do: layer.0"), name=pattern
        ) from error


@contextmanager
def shut(model: nn.Module, given: Sequence[Switch]) -> Iterator[None]:
    """Inside the block the directions of these switches add nothing; after it every number is as it was, error or not.

    Nothing is attached anew: one factor of each site is set to 0 in place where its directions are shut (the gate,
    where the method has one). Heads and parameters trained whole are left alone.

    Raises:
        UnknownName: a direction that is not attached. AttachError, NotFoldable: as `directions`.
    """
    method, factors = _method(model), live(model)
    at: dict[str, list[int]] = {}
    for switch in given:
        for d in switch.members:
            at.setdefault(d.site, []).append(d.index)
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []
    name = _factor(method)
    for site, index in at.items():
        if site not in factors or max(index) >= factors[site][name].shape[method.rank_axis[name]]:
            raise UnknownName(f"direction {site}:{max(index)} is not attached.", name=site)
    try:
        with torch.no_grad():
            for site, index in at.items():
                tensor = factors[site][name]
                kept.append((tensor, tensor.detach().clone()))
                tensor.index_fill_(method.rank_axis[name], torch.tensor(index, device=tensor.device), 0)
        yield
    finally:
        with torch.no_grad():
            for tensor, before in kept:
                tensor.copy_(before)


def _method(model: nn.Module) -> Method:
    """The method of the first adapter that is attached. Raises AttachError, NotFoldable."""
    method = next(iter(record_of(model).adapters.values())).method
    if not method.rank_axis:
        raise NotFoldable(
            explain(
                f"method {method.kind!r} has no directions that could be shut one by one.",
                "SoRA, LoRA and plain low-rank factors have.",
            ),
            kind=method.kind,
        )
    return method


def _factor(method: Method) -> str:
    """The factor that is linear in each direction and cheapest to keep: the gate, or the last named (B)."""
    return "gate" if "gate" in method.rank_axis else list(method.rank_axis)[-1]


def strength(factors: Factors, method: Method) -> torch.Tensor:
    """[r] float64: the Frobenius norm of each direction's update."""
    a, b = (t.detach().double() for t in method.lora(factors))
    return torch.linalg.vector_norm(a, dim=1) * torch.linalg.vector_norm(b, dim=0)
