"""The pair of files that stock PEFT reads: adapter_config.json and adapter_model.safetensors.

Every scale and gate is folded into B, and lora_alpha = r at every site, so that loaders with one global scale agree.

    compact   every site at its own rank (rank_pattern = alpha_pattern, full names); sites at rank 0 are left out
    uniform   every site zero-padded to one rank, no patterns, for servers that stack layers

Parameters trained whole: a module with all of its parameters (weight and bias, or a bias-free `score`) goes to
modules_to_save. Any other (BitFit's biases, a weight alone, an embedding) is stored under its own name, a tied one
under each of its names, and PEFT loads it straight into the base model, as it does with bias="all";
disable_adapter() does not take that back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..core.adapter import Adapter
from ..core.site import HEAD_NAMES, Site
from ..errors import NotFoldable, UnknownName, explain, nearest
from .files import CONFIG, PAIR
from .tree import pack

LAYOUTS = ("compact", "uniform")
PREFIX = "base_model.model."
NO_BIAS = ("score",)  # heads of stock models that have no bias
TIED = ("embed_tokens", "lm_head")  # PEFT warns about these in modules_to_save where they are tied
NOTHING = "dummy-target-modules"  # PEFT's own name for a LoRA that targets no module


def encode(adapter: Adapter, layout: str = "compact") -> dict[str, bytes]:
    """adapter_config.json and adapter_model.safetensors.

    Raises:
        NotFoldable: the method has no A, B form.
        UnknownName: the layout.
    """
    config, tensors = pair(adapter, layout)
    return {CONFIG: (json.dumps(config, indent=2) + "\n").encode(), PAIR: pack(tensors)}


def pair(adapter: Adapter, layout: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(LoraConfig as a dict, tensors by PEFT's keys)."""
    if layout not in LAYOUTS:
        raise UnknownName(
            explain(
                f"layout={layout!r} is unknown.",
                f"It is one of {', '.join(LAYOUTS)}. Nearest: {nearest(layout, LAYOUTS)[0]}",
            )
        )
    extra, folded = _folded(adapter)
    ranks = {name: len(f["lora_A"]) for name, f in folded.items()}
    largest = max(ranks.values(), default=1)
    if layout == "uniform":
        largest = _round_up(largest)
        names = [s.name for s in adapter.sites]
    else:  # with nothing left anywhere, one site of zeros: PEFT refuses an empty list
        names = [s.name for s in adapter.sites if s.name in folded] or [s.name for s in adapter.sites[:1]]
    sites = {s.name: s for s in adapter.sites}
    tensors: dict[str, Tensor] = {}
    for name in names:
        f = folded.get(name) or _zeros(sites[name], adapter)
        if layout == "uniform":
            f = f | {"lora_A": _pad(f["lora_A"], 0, largest), "lora_B": _pad(f["lora_B"], 1, largest)}
        ranks[name] = len(f["lora_A"])
        tensors |= {f"{PREFIX}{name}.{key}.weight": t for key, t in f.items()}
    modules = _modules(adapter, names)
    alone = [n for n in adapter.whole if n.rpartition(".")[0] not in modules]
    inside = set(names)
    tied = adapter.base.get("tied", {})
    for first, tensor in adapter.whole.items():
        for name in (first, *tied.get(first, ())):  # low_cpu_mem_usage unties: every place needs the tensor
            module, _, leaf = name.rpartition(".")
            tensors[f"{PREFIX}{module}.base_layer.{leaf}" if module in inside else f"{PREFIX}{name}"] = tensor
    ranks = {n: ranks[n] for n in names}
    pattern = _pattern(ranks) if len(set(ranks.values())) > 1 else {}
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": adapter.base.get("name"),
        "r": largest,
        "lora_alpha": largest,
        "lora_dropout": float(getattr(adapter.method, "dropout", 0.0)),
        "target_modules": _targets(names, _known(adapter)),
        "rank_pattern": pattern,
        "alpha_pattern": dict(pattern),
        "modules_to_save": modules or None,
        "bias": "all" if alone and all(n.endswith("bias") for n in alone) else "none",
        "fan_in_fan_out": any(sites[n].transposed for n in names),
        "inference_mode": True,
        **extra,
    }
    return config, tensors


def _folded(adapter: Adapter) -> tuple[dict[str, Any], dict[str, dict[str, Tensor]]]:
    """PEFT's tensors of every site that is left, dead directions cut out, and extra fields of the config."""
    extra: dict[str, Any] = {}
    folded = {}
    for name, f in adapter.compact().factors.items():
        site = next(s for s in adapter.sites if s.name == name)
        if site.rows is not None:
            raise NotFoldable(f"{name} is adapted in rows {site.rows} only, which PEFT's files cannot say.", site=name)
        fields, folded[name] = adapter.method.peft(f)
        extra |= fields
    return extra, folded


def _zeros(site: Site, adapter: Adapter) -> dict[str, Tensor]:
    dtype = next((t.dtype for f in adapter.factors.values() for t in f.values()), torch.float32)
    return {
        "lora_A": torch.zeros(1, site.in_features, dtype=dtype),
        "lora_B": torch.zeros(site.out_features, 1, dtype=dtype),
    }


def _round_up(rank: int) -> int:
    """The power of two at or above: servers have kernels for these."""
    return 1 << (rank - 1).bit_length()


def _pad(tensor: Tensor, axis: int, size: int) -> Tensor:
    more = size - tensor.shape[axis]
    return F.pad(tensor, (0, 0, 0, more) if axis == 0 else (0, more))


def _known(adapter: Adapter) -> list[str]:
    """Every module of the host that the adapter knows of."""
    owners = dict.fromkeys(n.rpartition(".")[0] for n in adapter.whole)
    return list(dict.fromkeys([*(s.name for s in adapter.sites), *owners]))


def _targets(names: Sequence[str], known: Collection[str]) -> list[str] | str:
    """target_modules: the full names. PEFT takes each for a suffix at a dot, so that "dense" would also mean
    "x.dense"; where that may happen, one regular expression for whole names."""
    if not names:
        return NOTHING
    chosen = set(names)
    hit = any(k not in chosen and k.endswith(tuple(f".{n}" for n in names)) for k in known)
    if hit or any("." not in n for n in names):  # a top-level name may be a suffix of anything
        return f"^(?:{'|'.join(re.escape(n) for n in names)})$"
    return list(names)


def _pattern(ranks: Mapping[str, int]) -> dict[str, int]:
    """rank_pattern: full names, or escaped where the plain ones, read as regular expressions, would mislead."""
    found = {name: _first_match(ranks, name) for name in ranks}
    if all(found[name] == name for name in ranks):
        return dict(ranks)
    return {f"^{re.escape(name)}$": rank for name, rank in ranks.items()}


def _first_match(patterns: Collection[str], name: str) -> str | None:
    """Which key PEFT takes for this module: the first that matches at its end (peft.utils.other.get_pattern_key)."""
    for key in patterns:
        try:
            if re.match(rf"(.*\.)?({key})$", name):
                return key
        except re.error:
            return None
    return None


def loose(adapter: Adapter) -> list[str]:
    """Parameters trained whole that are in no module of modules_to_save: PEFT puts them into the base model."""
    modules = _modules(adapter, [s.name for s in adapter.sites])
    return [n for n in adapter.whole if n.rpartition(".")[0] not in modules]


def _modules(adapter: Adapter, targets: Sequence[str]) -> list[str]:
    """The modules for modules_to_save."""
    owned: dict[str, set[str]] = {}
    for name in adapter.whole:
        module, _, leaf = name.rpartition(".")
        owned.setdefault(module, set()).add(leaf)
    known = _known(adapter)
    return [m for m, leaves in owned.items() if _complete(m, leaves) and _alone(m, known) and m not in targets]


def _complete(module: str, leaves: set[str]) -> bool:
    leaf = module.rpartition(".")[2]
    full = leaves == {"weight", "bias"} or (leaves == {"weight"} and leaf in NO_BIAS)
    sure = "." in module or module in HEAD_NAMES  # any other name may end the name of a module that we do not know
    return sure and full and leaf not in TIED


def _alone(module: str, known: Sequence[str]) -> bool:
    """Whether modules_to_save=[module] means this module: PEFT takes any name that ends so, dot or not, and lets
    no target be inside anything that is called so."""
    if not re.fullmatch(r"[\w.]+", module):
        return False
    others = [k for k in known if k != module]
    return not any(k.endswith(module) or re.match(rf"(^|.*\.){module}($|\..*)", k) for k in others)
