"""Which linear maps of a model take an adapter, and which of them read the same tensor.

A linear map is a torch.nn.Linear or GPT-2's Conv1D (same map, weight stored [in, out]); the latter is
recognised by its shape, so that core needs no model library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import NoSites, close, explain

Factors = dict[str, Tensor]
Targets = str | Sequence[str]

FRESH = "rankwise_fresh"  # attribute of a model: names of parameters that did not come from its checkpoint
HEAD_NAMES = ("classifier", "score", "qa_outputs")  # task heads of stock models when no report was kept


@dataclass(frozen=True, order=True)
class Site:
    """One linear map of the host: its dotted name and its two sizes.

    `rows` is None for the whole map, or the half-open range of output rows that the update reaches.
    `transposed`: the host stores the weight as [in, out] (Conv1D); PEFT's folders must say so.
    """

    name: str
    in_features: int
    out_features: int
    rows: tuple[int, int] | None = None
    transposed: bool = field(default=False, compare=False)

    @property
    def largest_rank(self) -> int:
        return min(self.in_features, self.out_features)


def is_conv1d(module: nn.Module) -> bool:
    """transformers' Conv1D: y = x W + b with W [in, out]."""
    weight = getattr(module, "weight", None)
    return type(module).__name__ == "Conv1D" and hasattr(module, "nf") and getattr(weight, "ndim", 0) == 2


def is_linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear) or is_conv1d(module)


def is_plain(module: nn.Module) -> bool:
    """Exactly nn.Linear or Conv1D with a floating weight: the fused path and merging may read the weight."""
    plain = type(module) is nn.Linear or is_conv1d(module)
    return plain and isinstance(module.weight, Tensor) and module.weight.is_floating_point()


def oriented(module: nn.Module) -> Tensor:
    """The weight as [out, in], a view."""
    weight: Tensor = module.weight  # type: ignore[assignment]
    return weight.T if is_conv1d(module) else weight


def site_of(name: str, module: nn.Module) -> Site:
    out_features, in_features = oriented(module).shape
    return Site(name, int(in_features), int(out_features), transposed=is_conv1d(module))


def linear_maps(model: nn.Module) -> dict[str, nn.Module]:
    """Every linear map by dotted name, in the order of the model."""
    return {name: m for name, m in model.named_modules() if name and is_linear(m)}


def mark_fresh(model: nn.Module, parameter_names: Iterable[str]) -> None:
    """Remember which parameters were newly initialised by loading (not in the checkpoint)."""
    setattr(model, FRESH, frozenset(parameter_names))


def fresh_modules(model: nn.Module) -> list[str]:
    """Modules that own a newly initialised parameter, by name; empty when no loading report was kept."""
    fresh: frozenset[str] = getattr(model, FRESH, frozenset())
    return sorted({name.rpartition(".")[0] for name in fresh})


def _not_the_body(model: nn.Module, maps: dict[str, nn.Module]) -> set[str]:
    """Linear maps that "all-linear" leaves out: newly initialised ones, and the output embedding.

    A model that was never loaded (built from a config, on meta tensors) has no report: then the task heads
    of stock classes go by their names.
    """
    fresh = set(fresh_modules(model))
    if not hasattr(model, FRESH):
        tops = {name for name in maps if name.split(".")[0] in HEAD_NAMES}
        fresh |= tops
    get: Any = getattr(model, "get_output_embeddings", None)
    out = get() if callable(get) else None
    return fresh | {name for name, m in maps.items() if m is out}


def _matches(name: str, pattern: str) -> bool:
    """PEFT's rules: a suffix at a dot, or a regular expression for the whole name."""
    return name == pattern or name.endswith("." + pattern)


def find_sites(model: nn.Module, targets: Targets, exclude: Targets = ()) -> list[Site]:
    """The sites that `targets` names, in the order of the model.

    Args:
        targets: "all-linear"; a list of names or dotted suffixes (["query", "value"]); or one string, a
            regular expression for the whole name (a string that is a plain suffix works as one).
        exclude: suffixes or one regular expression, taken away again.

    Raises:
        NoSites: nothing is left, or a pattern, or one entry of a list, matches nothing.
    """
    maps = linear_maps(model)
    if targets == "all-linear":
        left_out = _not_the_body(model, maps)
        chosen = [n for n in maps if n not in left_out]
    else:
        check_patterns(model, targets)
        chosen = [n for n in maps if _named(n, targets)]
    if not chosen:
        raise _no_sites("targets", targets, maps)
    if exclude:
        check_patterns(model, exclude, "exclude")
        left = [n for n in chosen if not _named(n, exclude, "exclude")]
        if not left:
            raise NoSites(
                explain(
                    f"exclude={_shown(exclude)!r} takes away all {len(chosen)} maps that targets={_shown(targets)!r} "
                    "names.",
                    "To see every name: rankwise sites <model>",
                ),
                pattern=exclude,
                names=chosen,
            )
        chosen = left
    return [site_of(n, maps[n]) for n in chosen]


def check_patterns(model: nn.Module, patterns: Targets, what: str = "targets") -> None:
    """Refuse a pattern, or an entry of a list of them, that matches no linear map of the model. Raises NoSites."""
    maps = linear_maps(model)
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        listed: Targets = pattern if isinstance(patterns, str) else [pattern]
        if not any(_named(name, listed, what) for name in maps):
            raise _no_sites(what, listed, maps)


def _named(name: str, patterns: Targets, what: str = "targets") -> bool:
    if not isinstance(patterns, str):
        return any(_matches(name, p) for p in patterns)
    try:
        return re.fullmatch(patterns, name) is not None or _matches(name, patterns)
    except re.error as problem:
        raise NoSites(
            explain(f"{what}={patterns!r} is not a regular expression: {problem}."), pattern=patterns
        ) from None


def _shown(patterns: Targets) -> str:
    return patterns if isinstance(patterns, str) else ", ".join(patterns)


def _rule(patterns: Targets, example: str) -> str:
    """What a pattern of this form has to match."""
    plain = re.fullmatch(r"[\w.-]+", _shown(patterns)) is not None
    leaf = example.rpartition(".")[2]
    if plain:
        return f"It is a name, or the end of one after a dot, such as {leaf!r} of {example!r}."
    if not isinstance(patterns, str):
        return "In a list each is a name or the end of one after a dot; a regular expression stands alone, as a string."
    mixed = " Names with commas and a regular expression do not mix." if "," in patterns else ""
    return f"A regular expression must match a whole name (re.fullmatch), for instance {example!r}.{mixed}"


def _no_sites(what: str, patterns: Targets, maps: dict[str, nn.Module]) -> NoSites:
    shown = _shown(patterns)
    leaves = sorted({name.rpartition(".")[2] for name in maps})
    kinds = list(dict.fromkeys(re.sub(r"\.\d+\.", ".*.", name) for name in maps))
    leaf = close(re.split(r"[|.]", shown)[-1], leaves)
    near = [k for k in kinds if k.rpartition(".")[2] in leaf][:4]
    message = explain(
        f"{what}={shown!r} matches none of the {len(maps)} linear layers of this model.",
        _rule(patterns, next(iter(maps))) if maps else "",
        f"Nearest kinds of layer here: {', '.join(near)}" if near else "",
        f"Kinds of layer here: {', '.join(kinds[:8])}" if kinds and not near else "",
        "To see every name: rankwise sites <model>",
    )
    return NoSites(message, pattern=shown, names=list(maps))


SHARED_INPUT = (
    ("query", "key", "value"),
    ("query_proj", "key_proj", "value_proj"),
    ("q_proj", "k_proj", "v_proj"),
    ("q", "k", "v"),
    ("gate_proj", "up_proj"),
    ("wi_0", "wi_1"),
)


def shared_inputs(sites: Sequence[Site]) -> list[tuple[str, ...]]:
    """Groups of sites that may read the same tensor: siblings whose names are a known trio or pair.

    The names only propose; the fused path checks at every call that the inputs really are one tensor
    (cross-attention's key and value read another one than its query).
    """
    present = {s.name: s for s in sites}
    groups = []
    for site in sites:
        stem, _, leaf = site.name.rpartition(".")
        for trio in SHARED_INPUT:
            if leaf == trio[0]:
                names = tuple(n for n in (f"{stem}.{t}" for t in trio) if n in present)
                if len(names) > 1 and len({present[n].in_features for n in names}) == 1:
                    groups.append(names)
    return groups


def dtype_of(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
