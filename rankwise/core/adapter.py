"""Adapter: a method, factors per site, heads and tensors trained whole. Data; it needs no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ..errors import RecipeError, UnknownName, explain
from .head import Head
from .method import Method
from .site import Factors, Site


@dataclass(frozen=True, eq=False)
class Adapter:
    """Everything that was learnt, and nothing of the base model.

    Args:
        method: the hyperparameters that say what the factors mean.
        sites: every site that was targeted, also those without a direction left.
        factors: site name -> factors; a site at rank 0 has no entry.
        whole: parameters of the host that were trained whole, by their names in the host.
        heads: task name -> Head (pooling, layers, labels).
        head_weights: task name -> the tensors of that head.
        base: what the base model was: name, sha256 of its weights, class. May be empty.
    """

    method: Method
    sites: tuple[Site, ...]
    factors: dict[str, Factors]
    whole: dict[str, Tensor] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)
    head_weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)

    @property
    def ranks(self) -> dict[str, int]:
        """Directions that act, for every site; 0 where nothing is left."""
        return {s.name: self.method.live(self.factors[s.name]) if s.name in self.factors else 0 for s in self.sites}

    @property
    def mean_rank(self) -> float:
        ranks = self.ranks
        return sum(ranks.values()) / len(ranks) if ranks else 0.0

    @property
    def size(self) -> int:
        """Numbers in the factors that act, gates folded: sum of rank * (in + out)."""
        ranks = self.ranks
        return sum(ranks[s.name] * (s.in_features + s.out_features) for s in self.sites)

    @property
    def stored(self) -> int:
        """Numbers in the factor tensors as they are, dead directions and gates included."""
        return sum(t.numel() for f in self.factors.values() for t in f.values())

    @property
    def whole_size(self) -> int:
        """Numbers trained whole: host parameters and heads."""
        heads = sum(t.numel() for w in self.head_weights.values() for t in w.values())
        return sum(t.numel() for t in self.whole.values()) + heads

    def map(self, change: Callable[[Factors], Factors]) -> Adapter:
        """The same adapter with `change` applied to the factors of every site."""
        return replace(self, factors={name: change(f) for name, f in self.factors.items()})

    def compact(self) -> Adapter:
        """Dead directions cut out of the tensors; sites without any left lose their entry."""
        small: dict[str, Factors] = {}
        for name, f in self.factors.items():
            keep = self.method.keep(f)
            if bool(keep.any()):
                small[name] = take(f, self.method.rank_axis, keep)
        return replace(self, factors=small)

    def renamed(self, names: Mapping[str, str]) -> Adapter:
        """The same adapter with heads called anew: old name -> new one.

        Raises:
            UnknownName: no such head. RecipeError: two heads would have one name.
        """
        for name in names:
            if name not in self.heads:
                raise UnknownName(
                    explain(f"there is no head {name!r}.", f"Heads: {', '.join(self.heads) or 'none'}."), name=name
                )
        new = [names.get(name, name) for name in self.heads]
        twice = next((name for name in new if new.count(name) > 1), None)
        if twice is not None:
            raise RecipeError(explain(f"two heads would be called {twice!r}.", "Each needs a name of its own."))
        heads = dict(zip(new, self.heads.values(), strict=True))
        weights = {names.get(name, name): w for name, w in self.head_weights.items()}
        return replace(self, heads=heads, head_weights=weights)

    def to(self, dtype: torch.dtype) -> Adapter:
        cast = {n: t.to(dtype) for n, t in self.whole.items()}
        heads = {k: {n: t.to(dtype) for n, t in w.items()} for k, w in self.head_weights.items()}
        out = self.map(lambda f: {n: t.to(dtype) for n, t in f.items()})
        return replace(out, whole=cast, head_weights=heads)

    def equal(self, other: Adapter) -> bool:
        """Same method, sites, heads, and the same bits in every tensor."""
        same_data = (self.method, self.sites, self.heads) == (other.method, other.sites, other.heads)
        return same_data and all(
            _same(a, b)
            for a, b in (
                (flatten(self.factors), flatten(other.factors)),
                (self.whole, other.whole),
                (flatten(self.head_weights), flatten(other.head_weights)),
            )
        )

    def __str__(self) -> str:
        live = sum(1 for r in self.ranks.values() if r)
        return (
            f"{self.method}: {live} of {len(self.sites)} sites, mean rank {self.mean_rank:.2f}, "
            f"{self.size:,} numbers in factors, {self.whole_size:,} trained whole"
        )


def take(f: Factors, rank_axis: Mapping[str, int], keep: Tensor) -> Factors:
    """Factors with only the directions of `keep` ([r] bool), order kept."""
    index = keep.nonzero().flatten()
    return {n: t.index_select(rank_axis[n], index.to(t.device)) if n in rank_axis else t for n, t in f.items()}


def flatten(nested: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """{"a": {"b": t}} -> {"a/b": t}."""
    return {f"{outer}/{inner}": t for outer, d in nested.items() for inner, t in d.items()}


def _same(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(t.dtype == b[n].dtype and torch.equal(t, b[n]) for n, t in a.items())
