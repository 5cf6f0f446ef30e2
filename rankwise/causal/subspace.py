"""Two controls on what single directions mean: other seeds, and another basis of the same update.

The factors of LoRA are defined up to rotation only: B A = (B R^-1)(R A). A gate on each direction, driven to 0 by L1,
breaks that in part. So a direction's effect counts for the direction, not for the adapter, unless it is found in
another basis and by another seed too; the effect of a whole site or layer does not depend on the basis at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from ..core.adapter import Adapter
from ..core.cut import cut
from ..core.host import attach, detach, record_of
from ..core.plain import Product, decompose
from ..errors import AttachError, WrongBase, explain


@dataclass(frozen=True)
class Overlap:
    """How much of the smaller of two subspaces lies in the larger: mean squared cosine of principal angles, 0..1.

    writes: of what the site's update adds to its output; reads: of what it looks at in its input. Each beside what two
    random subspaces of the same sizes have on average (the larger rank over the width).
    """

    site: str
    ranks: tuple[int, int]
    writes: float
    writes_chance: float
    reads: float
    reads_chance: float


def overlaps(one: Adapter, other: Adapter) -> tuple[Overlap, ...]:
    """Overlap of two adapters' updates at every site where both have directions.

    Raises:
        WrongBase: no site of one name and size is adapted by both. NotFoldable: a method without the form B A.
    """
    sizes = {s.name: (s.in_features, s.out_features) for s in other.sites}
    common = [s for s in one.sites if sizes.get(s.name) == (s.in_features, s.out_features)]
    if not common:
        raise WrongBase(
            explain(
                "the two adapters have no site in common, so their directions cannot be compared.",
                "Stability is told from two runs on one base with the same targets, with another --seed.",
            )
        )
    found = []
    for site in common:
        a, b = _product(one, site.name), _product(other, site.name)
        if a is None or b is None:
            continue
        ranks = len(a.values), len(b.values)
        found.append(
            Overlap(
                site.name,
                ranks,
                _shared(a.left, b.left),
                max(ranks) / site.out_features,
                _shared(a.right, b.right),
                max(ranks) / site.in_features,
            )
        )
    return tuple(found)


def _product(adapter: Adapter, site: str) -> Product | None:
    factors = adapter.compact().factors.get(site)
    made = decompose(*adapter.method.lora(factors)) if factors is not None else None
    return made if made is not None and len(made.values) else None


def _shared(a: torch.Tensor, b: torch.Tensor) -> float:
    """Orthonormal columns a [d, r], b [d, k]."""
    return float(((a.T @ b) ** 2).sum() / min(a.shape[1], b.shape[1]))


@contextmanager
def svd_basis(model: nn.Module) -> Iterator[Adapter]:
    """Inside the block the same update stands in the basis of its singular vectors, the strongest first at each site.

    The model answers as before, up to rounding; only which numbers a direction is made of is another. After the block
    the adapter is attached as it was.

    Raises:
        AttachError: nothing is attached, or several adapters are. NotFoldable: there is no form B A.
    """
    names = list(record_of(model).adapters)
    if len(names) != 1:
        raise AttachError(explain(f"{len(names)} adapters are attached.", "The basis of one can be changed."))
    taken = detach(model)
    given = taken if isinstance(taken, Adapter) else taken[names[0]]
    try:
        attach(model, cut(given, sum(given.ranks.values())))
        try:
            yield given
        finally:
            detach(model)
    finally:
        attach(model, given if names == ["default"] else {names[0]: given})
