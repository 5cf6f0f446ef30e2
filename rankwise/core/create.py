"""A new adapter for a model: sites, factors, and what is trained whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..errors import NoSites, RankError, UnknownName, explain, nearest
from .adapter import Adapter
from .head import Head
from .method import Method
from .site import FRESH, HEAD_NAMES, Site, Targets, find_sites, fresh_modules

PRESETS = ("full", "bitfit", "head")


class Whole(Method):
    """No factors at all: what trains is `whole=` and the heads."""

    kind = "whole"


def new(
    model: nn.Module,
    method: Method | None = None,
    targets: Targets = "all-linear",
    *,
    exclude: Targets = (),
    whole: str | Sequence[str] = (),
    heads: Mapping[str, Head] | None = None,
    seed: int = 0,
) -> Adapter:
    """An adapter that leaves `model` unchanged until it is trained.

    Args:
        method: LoRA(...), SoRA(...); None for no factors (full fine-tuning, BitFit, head-only).
        targets, exclude: see find_sites. Parameters trained whole are no sites.
        whole: names or suffixes of modules or parameters to train whole, or a preset: "full" (everything),
            "bitfit" (every bias of the body; Ben Zaken et al. 2022), "head" (heads alone).
            Modules that loading reported as newly initialised are added, because frozen they would stay random.
        heads: task name -> Head.
        seed: of the factors' and heads' random start.

    Raises:
        NoSites: a pattern names nothing, or only maps that are trained whole.
        RankError: the rank is larger than a map.
        UnknownName: `method` is the name of one, and not a method.
    """
    if isinstance(method, str):
        raise UnknownName(
            explain(
                f"method={method!r} is a name, and a method with its settings is wanted.",
                "Such as: new(model, methods.SoRA(rank=8, target_rank=4)), or methods.LoRA(rank=8).",
            ),
            name=method,
        )
    rng = torch.Generator().manual_seed(seed)
    heads = dict(heads or {})
    names = whole_names(model, whole, bool(heads))
    layers = dict(model.named_modules())
    parameters = dict(model.named_parameters(remove_duplicate=False))
    sites = _sites(model, method, targets, exclude, names) if method is not None else []
    method = method or Whole()
    return Adapter(
        method=method,
        sites=tuple(sites),
        factors={s.name: method.init(s, layers[s.name], rng) for s in sites},
        whole={n: _copy(parameters[n]) for n in names},
        heads=heads,
        head_weights={task: head.init(rng) for task, head in heads.items()},
        base={**getattr(model, "rankwise_base", {}), **_ties(parameters, names)},
    )


def _ties(parameters: Mapping[str, Tensor], whole: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """{"tied": name trained whole -> its other names}, or {}: a loader that unties needs every one of them."""
    others = {w: [n for n, p in parameters.items() if p is parameters[w] and n != w] for w in whole}
    tied = {w: names for w, names in others.items() if names}
    return {"tied": tied} if tied else {}


def _sites(model: nn.Module, method: Method, targets: Targets, exclude: Targets, whole: Sequence[str]) -> list[Site]:
    """What `targets` names, without maps of which the weight is trained whole; each must hold the rank."""
    layers = dict(model.named_modules())
    parameters = dict(model.named_parameters(remove_duplicate=False))
    taken = {id(parameters[n]) for n in whole}  # by identity: a tied weight has several names
    named = find_sites(model, targets, exclude)
    sites = [s for s in named if id(layers[s.name].weight) not in taken]
    if not sites:
        raise NoSites(
            explain(
                f"targets={targets!r} names {len(named)} maps, and all are trained whole already.",
                "A map is either adapted or trained whole.",
                f"Nearest: whole= without {named[0].name!r}, or method=None for no factors.",
                "To see every name: rankwise sites <model>",
            ),
            pattern=targets,
            names=[s.name for s in named],
        )
    rank = getattr(method, "rank", 0)
    for site in sites:
        if rank > site.largest_rank:
            raise RankError(
                explain(
                    f"rank {rank} is larger than {site.name} ({site.in_features} -> {site.out_features}).",
                    f"A map of that size holds at most rank {site.largest_rank}.",
                    f"Use rank={site.largest_rank} or less, or exclude that layer.",
                ),
                rank=rank,
                site=site,
            )
    return sites


def _copy(parameter: Tensor) -> Tensor:
    return parameter.detach().clone() if parameter.is_meta else parameter.detach().to("cpu", copy=True)


def whole_names(model: nn.Module, whole: str | Sequence[str], has_heads: bool = False) -> list[str]:
    """Parameter names (each once, tied ones under their first name) that `whole` means in this model."""
    first = {id(p): n for n, p in model.named_parameters()}
    known = {n: first[id(p)] for n, p in model.named_parameters(remove_duplicate=False)}  # tied ones by every name
    every = list(first.values())
    if whole == "full":
        return every
    fresh = [m for m in fresh_modules(model) if not (has_heads and m.split(".")[0] == "pooler")]
    chosen = {n for n in every if n.rpartition(".")[0] in fresh}
    if whole in ("bitfit", "head"):
        if not hasattr(model, FRESH):  # no loading report: the task heads of stock classes, by name
            chosen |= {n for n in every if n.split(".")[0] in HEAD_NAMES}
        if whole == "bitfit":
            tops = {*HEAD_NAMES, "pooler"}
            chosen |= {n for n in every if n.endswith("bias") and not tops & set(n.split("."))}
    else:
        patterns = [whole] if isinstance(whole, str) else list(whole)
        for pattern in patterns:
            found = {first_name for n, first_name in known.items() if _inside(n, pattern)}
            if not found:
                raise _nothing_whole(pattern, list(known))
            chosen |= found
    return [n for n in every if n in chosen]


def _inside(name: str, pattern: str) -> bool:
    """`pattern` is this parameter, a module around it, or a dotted suffix of either."""
    parts, want = name.split("."), pattern.split(".")
    return any(parts[i : i + len(want)] == want for i in range(len(parts)))


def _nothing_whole(pattern: str, every: list[str]) -> NoSites:
    tops = list(dict.fromkeys([*(n.split(".")[0] for n in every), *(n.split(".")[-2] for n in every if "." in n)]))
    return NoSites(
        explain(
            f"whole={pattern!r} names no module or parameter of this model.",
            f"It is a name, a dotted suffix, or one of the presets {', '.join(PRESETS)}.",
            f"Nearest here: {', '.join(nearest(pattern, tops))}",
        ),
        pattern=pattern,
        names=every,
    )
