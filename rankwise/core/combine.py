"""Combine several adapters of one base model into one, exactly or at a chosen rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from ..errors import RankError, RecipeError, UnknownName, WrongBase, explain, nearest
from .adapter import Adapter
from .plain import decompose, plain_for
from .site import Factors, Site

WAYS = ("cat", "svd", "linear")
T = TypeVar("T")


def combine(
    adapters: Mapping[str, Adapter] | Sequence[Adapter],
    weights: Mapping[str, float] | Sequence[float] | None = None,
    how: str = "cat",
    rank: int | None = None,
) -> Adapter:
    """One adapter whose update is sum_i w_i B_i A_i; ranks and sites may differ from adapter to adapter.

    Args:
        adapters: foldable adapters of one base model, not changed; by name or in order.
        weights: one a adapter, negative ones subtract. Default: equal ones with sum 1.
        how: "cat" stacks the factors, exact, at the sum of the ranks; "linear" is the same sum brought to its
            numerical rank; "svd" keeps the `rank` strongest directions of it at every site.
        rank: for "svd", default the largest rank among the adapters.

    Returns:
        A Plain adapter on the union of the sites, with the heads of all and the parameters trained whole. Neither
        is averaged: two adapters may bring the same one only when it is the same to the bit.

    Raises:
        NotFoldable: a method has no A, B form.
        WrongBase: the adapters belong to different base models.
        RecipeError: no adapters, other numbers of weights, a head or a parameter that two of them define.
        UnknownName: `how`, or a weight for an adapter that is not there.
        RankError: rank below 1.
    """
    named = dict(adapters) if isinstance(adapters, Mapping) else {str(i): a for i, a in enumerate(adapters)}
    shares = _shares(named, weights)
    if how not in WAYS:
        raise UnknownName(
            explain(f"how={how!r} is unknown.", f"It is one of {', '.join(WAYS)}. Nearest: {nearest(how, WAYS)[0]}")
        )
    if rank is not None and how != "svd":
        raise RecipeError(explain(f"rank={rank} goes with how='svd' only.", f"how={how!r} keeps the exact sum."))
    if rank is not None and rank < 1:
        raise RankError(f"rank={rank} is too small: at least 1 direction a site.", rank=rank)
    sites = _common_sites(named)
    if rank is None:
        rank = max((r for a in named.values() for r in a.ranks.values()), default=1)
    live = {name: a.compact() for name, a in named.items()}
    factors: dict[str, Factors] = {}
    for site in sites:
        pair = _stack(live, shares, site.name)
        if pair is None:
            continue
        a, b, dtype = pair
        if how == "cat":
            factors[site.name] = {"A": a.to(dtype), "B": b.to(dtype)}
            continue
        product = decompose(a, b, dtype)
        k = len(product.values) if how == "linear" else min(rank, len(product.values))
        if k:
            factors[site.name] = product.factors(k)
    first = next(iter(named.values()))
    return replace(
        first,
        method=plain_for(list(named.values()), factors),
        sites=tuple(sites),
        factors=factors,
        whole=_union("whole", {n: a.whole for n, a in named.items()}),
        heads=_union("heads", {n: a.heads for n, a in named.items()}),
        head_weights=_union("head_weights", {n: a.head_weights for n, a in named.items()}),
    )


def _shares(named: Mapping[str, Adapter], weights: Mapping[str, float] | Sequence[float] | None) -> dict[str, float]:
    if not named:
        raise RecipeError("combine() was given no adapters.")
    if weights is None:
        return {name: 1 / len(named) for name in named}
    if isinstance(weights, Mapping):
        for name in weights:
            if name not in named:
                raise UnknownName(
                    explain(f"weights names {name!r}, and there is no such adapter.", f"Adapters: {', '.join(named)}.")
                )
        missing = [name for name in named if name not in weights]
        if missing:
            raise RecipeError(f"weights has none for {', '.join(missing)}.")
        return {name: float(weights[name]) for name in named}
    if len(weights) != len(named):
        raise RecipeError(f"{len(weights)} weights were given for {len(named)} adapters.")
    return dict(zip(named, map(float, weights), strict=True))


def _common_sites(named: Mapping[str, Adapter]) -> list[Site]:
    found: dict[str, Site] = {}
    bases: dict[str, str] = {}
    for name, adapter in named.items():
        digest = adapter.base.get("sha256")
        if digest:
            bases.setdefault(str(digest), name)
        for site in adapter.sites:
            here = found.setdefault(site.name, site)
            if here != site:
                raise WrongBase(
                    explain(
                        f"{site.name!r} is {here.in_features} -> {here.out_features} in one adapter and "
                        f"{site.in_features} -> {site.out_features} in {name!r}.",
                        "Adapters combine only on one base model.",
                    ),
                    site=site,
                )
    if len(bases) > 1:
        a, b = list(bases.values())[:2]
        raise WrongBase(explain(f"{a!r} and {b!r} were trained on different weights.", "Their sum has no meaning."))
    return list(found.values())


def _stack(
    live: Mapping[str, Adapter], shares: Mapping[str, float], site: str
) -> tuple[Tensor, Tensor, torch.dtype] | None:
    """A [sum r, in] and B [out, sum r] in float64, weights inside B; None where nothing acts."""
    pairs = []
    for name, adapter in live.items():
        if site in adapter.factors and shares[name]:
            a, b = adapter.method.lora(adapter.factors[site])
            pairs.append((a, b, shares[name]))
    if not pairs:
        return None
    dtype = pairs[0][0].dtype
    for a, b, _ in pairs:
        dtype = torch.promote_types(dtype, torch.promote_types(a.dtype, b.dtype))
    down = torch.cat([a.detach().double() for a, _, _ in pairs])
    up = torch.cat([b.detach().double() * w for _, b, w in pairs], dim=1)
    return down, up, dtype


def _union(what: str, parts: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """All entries; one that two adapters bring must be the same in both."""
    out: dict[str, T] = {}
    owner: dict[str, str] = {}
    for name, part in parts.items():
        for key, value in part.items():
            if key in out and not _equal(out[key], value):
                raise RecipeError(
                    explain(
                        f"{owner[key]!r} and {name!r} both bring {what}[{key!r}], and they differ.",
                        "Heads and parameters trained whole are not averaged.",
                        f"Give one of the heads another name: adapter.renamed({{{key!r}: 'other'}})"
                        if what != "whole"
                        else "Drop it from one: dataclasses.replace(adapter, whole={})",
                    ),
                    name=key,
                    what=what,
                )
            out[key] = value
            owner.setdefault(key, name)
    return out


def _equal(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(v, other[k]) for k, v in one.items())
    return one == other
