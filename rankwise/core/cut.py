"""Cut an adapter to one global budget over all sites, by the singular values of B A."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..errors import RankError, RecipeError, explain
from .adapter import Adapter
from .combine import combine
from .plain import Plain, Product, decompose, plain_for

__all__ = ["Plain", "combine", "cut", "spectrum"]


def spectrum(adapter: Adapter) -> dict[str, Tensor]:
    """Singular values of B A at every site, falling, float64; empty where nothing is left.

    Raises:
        NotFoldable: the method has no A, B form.
    """
    products = _products(adapter)
    none = torch.empty(0, dtype=torch.float64)
    return {s.name: products[s.name].values if s.name in products else none for s in adapter.sites}


def cut(
    adapter: Adapter, budget: int | None = None, *, params: int | None = None, energy: float | None = None
) -> Adapter:
    """Keep the strongest directions over all sites together; the rest, and empty sites, go.

    The strength of a direction is its singular value in B A, so that for `budget` and `energy` no other choice
    leaves a smaller sum of squared errors of the weights (Eckart and Young 1936; of the weights, not of the
    outputs). Give one of:

    Args:
        adapter: any foldable adapter; not changed.
        budget: directions to keep over all sites, 1 to the sum of ranks.
        params: numbers to keep in A and B over all sites. Sites differ in size, so directions are taken by squared
            singular value a number, and those that no longer fit are passed over.
        energy: share of the sum of squared singular values to keep, 0 < energy <= 1, by the fewest directions.

    Returns:
        A Plain adapter with the same sites, heads and parameters trained whole. Directions that are zero up to
        rounding are never kept, so the sum of ranks is `budget` or the number of directions that act.

    Raises:
        NotFoldable: the method has no A, B form.
        RankError: the budget is outside its range; the message gives both numbers.
        RecipeError: not exactly one of budget, params and energy.
    """
    given = [(n, v) for n, v in (("budget", budget), ("params", params), ("energy", energy)) if v is not None]
    if len(given) != 1:
        raise RecipeError(
            explain(
                f"{' and '.join(f'{n}={v}' for n, v in given)} exclude each other."
                if given
                else "no budget was given.",
                "Exactly one is wanted: budget= (directions), params= (numbers) or energy= (a share).",
                "For instance: budget=96",
            )
        )
    products = _products(adapter)
    _check_range(adapter, budget, params, energy)
    sizes = {s.name: s.in_features + s.out_features for s in adapter.sites}
    values = torch.cat([torch.empty(0, dtype=torch.float64), *(p.values for p in products.values())])
    owners = [name for name, p in products.items() for _ in range(len(p.values))]
    costs = torch.tensor([sizes[name] for name in owners], dtype=torch.float64)
    strength = values**2 / costs if params is not None else values
    # A stable sort breaks ties by the order of the sites: the same adapter is always cut the same way.
    order = torch.sort(strength, descending=True, stable=True).indices.tolist()
    if params is not None:
        order = _fill(order, costs, params)
    elif energy is not None:
        kept = torch.cumsum(values[order] ** 2, 0)
        order = order[: int((kept < energy * kept[-1]).sum()) + 1] if len(order) else order
    else:
        order = order[:budget]
    ranks = dict.fromkeys(products, 0)
    for index in order:
        ranks[owners[index]] += 1
    factors = {name: products[name].factors(k) for name, k in ranks.items() if k}
    return replace(adapter, method=plain_for([adapter], factors), factors=factors)


def _products(adapter: Adapter) -> dict[str, Product]:
    live = adapter.compact()
    pairs = {s.name: adapter.method.lora(live.factors[s.name]) for s in adapter.sites if s.name in live.factors}
    return {name: decompose(a, b) for name, (a, b) in pairs.items()}


def _check_range(adapter: Adapter, budget: int | None, params: int | None, energy: float | None) -> None:
    ranks, size = adapter.ranks, adapter.size
    total = sum(ranks.values())
    if not total:
        what = "was trained without factors: it is a head, or parameters trained whole" if not ranks else "is empty"
        raise RankError(
            explain(f"there is nothing to cut: the adapter {what}.", "Its ranks: rankwise show <folder>"), total=0
        )
    if budget is not None and not 1 <= budget <= total:
        raise RankError(
            explain(
                f"budget={budget} is outside 1..{total}.",
                f"The adapter has {total} directions over {len(ranks)} sites.",
                "To see the rank of every site: rankwise show <folder>",
            ),
            budget=budget,
            total=total,
        )
    least = min((s.in_features + s.out_features for s in adapter.sites if ranks[s.name]), default=0)
    if params is not None and not max(1, least) <= params <= size:
        raise RankError(
            explain(
                f"params={params} is outside {least}..{size}.",
                f"The factors hold {size} numbers, and the smallest direction has {least}.",
            ),
            budget=params,
            total=size,
        )
    if energy is not None and not 0 < energy <= 1:
        raise RankError(
            explain(f"energy={energy} is outside 0..1.", "It is the share of squared singular values to keep: 0.99"),
            budget=energy,
            total=1.0,
        )


def _fill(order: Sequence[int], costs: Tensor, params: int) -> list[int]:
    """Directions in `order` while they fit; one that does not is passed over, and smaller ones may still fit."""
    kept, left = [], float(params)
    for index in order:
        if float(costs[index]) <= left:
            kept.append(index)
            left -= float(costs[index])
    return kept
