"""Reading folders that PEFT wrote: LoRA and rsLoRA, rank and alpha patterns, heads. Nothing is ever unpickled."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.adapter import Adapter
from ..core.create import Whole
from ..core.method import Method
from ..core.site import Factors, Site
from ..errors import BadFile, explain
from ..methods import METHODS
from .files import CONFIG, PAIR, PICKLED
from .find import read
from .peft import PREFIX
from .tree import unpack

OTHER_MATH = (  # fields of LoraConfig that change what A and B mean
    "use_dora",
    "use_qalora",
    "use_bdlora",
    "velora_config",
    "alora_invocation_tokens",
    "monteclora_config",
    "kasa_config",
    "arrow_config",
    "layer_replication",
    "lora_bias",
    "target_parameters",
    "trainable_token_indices",
    "megatron_config",
)
SHADOWED = frozenset({"original_module", "modules_to_save"})  # bias="all" writes these beside the plain name
CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")  # starts that rewrite the base's weights


def read_config(folder: Path) -> dict[str, Any]:
    """adapter_config.json of a LoRA that rankwise can follow.

    Raises:
        BadFile: it is missing, damaged, of another type, or of a LoRA variant with other arithmetic.
    """
    path = folder / CONFIG
    data = read(path)
    try:
        config = json.loads(data)
        kind = config["peft_type"]
    except (ValueError, KeyError, TypeError) as problem:
        raise BadFile(
            explain(f"{path} cannot be read: it is no PEFT configuration ({problem}).", "Copy the folder again."),
            path=path,
        ) from None
    if kind != "LORA":
        raise _unread(path, f"peft_type {kind}")
    for name in OTHER_MATH:
        if config.get(name):
            raise _unread(path, "DoRA (use_dora)" if name == "use_dora" else f"a LoRA with {name}")
    start = config.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(CHANGES_BASE):
        raise BadFile(
            explain(
                f"{path} holds a LoRA started with {start!r}, which rewrites the weights of the base model.",
                "The factors fit only those rewritten weights, and they are not in this folder.",
                "In PEFT: save_pretrained(..., path_initial_model_for_weight_conversion=...) makes it a plain LoRA.",
            ),
            path=path,
        )
    return config  # type: ignore[no-any-return]


def decode(folder: Path, data: bytes | None = None) -> Adapter:
    """The adapter in a PEFT folder: LoRA with scale 1, every scale inside B; heads and biases in `whole`.

    data: the bytes of adapter_model.safetensors, where they were read already.

    Raises:
        BadFile: see read_config; or the weights are missing, pickled, truncated, foreign, or do not fit.
    """
    config = read_config(folder)
    path = folder / PAIR
    if data is None:
        if not path.is_file() and (folder / PICKLED).is_file():
            raise BadFile(
                explain(
                    f"{folder / PICKLED} is a pickle, and rankwise never unpickles: that may run any code.",
                    f"Expected {PAIR}.",
                    "In PEFT, where you trust the file: load it, then save_pretrained(folder, safe_serialization=True)",
                ),
                path=folder / PICKLED,
            )
        data = read(path)
    tensors, _ = unpack(data, path)
    halves: dict[str, dict[str, Tensor]] = {}
    whole: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        if not key.startswith(PREFIX):
            raise _misfit(path, f"{key!r} is not a name that PEFT writes, which begin with {PREFIX!r}")
        name = key.removeprefix(PREFIX)
        found = re.fullmatch(r"(.+)\.lora_([AB])\.weight", name)
        if found:
            halves.setdefault(found[1], {})[found[2]] = tensor
        elif ".lora_" in name:
            raise _misfit(path, f"{key!r} is not a factor of a linear map (embeddings and other layers are not read)")
        elif SHADOWED.isdisjoint(name.split(".")):
            whole[_host_name(key)] = tensor
    factors = {n: _factors(path, n, halves[n], config) for n in sorted(halves, key=_natural)}
    transposed = bool(config.get("fan_in_fan_out"))
    sites = [Site(n, f["A"].shape[1], f["B"].shape[0], transposed=transposed) for n, f in factors.items()]
    base = config.get("base_model_name_or_path")
    return Adapter(
        method=_method(factors, config),
        sites=tuple(sites),
        factors=factors,
        whole=whole,
        base={"name": base} if base else {},
    )


def whole_of(data: bytes, path: Path) -> dict[str, Tensor]:
    """The parameters trained whole, by their names in the host, from the bytes of adapter_model.safetensors."""
    tensors, _ = unpack(data, path)
    return {_host_name(k): t for k, t in tensors.items() if ".lora_" not in k}


def _host_name(key: str) -> str:
    return key.removeprefix(PREFIX).replace(".base_layer.", ".")


def _factors(path: Path, name: str, half: Mapping[str, Tensor], config: Mapping[str, Any]) -> Factors:
    if set(half) != {"A", "B"}:
        raise _misfit(path, f"{name} has lora_{next(iter(half))} alone")
    a, b = half["A"], half["B"]
    if a.ndim != 2 or b.ndim != 2 or len(a) != b.shape[1] or 0 in (*a.shape, *b.shape):
        raise _misfit(path, f"{name} has lora_A {tuple(a.shape)} and lora_B {tuple(b.shape)}: no factors of a map")
    rank = _of_pattern(config.get("rank_pattern"), name, config.get("r", 8))
    if rank != len(a):
        raise _misfit(path, f"{name} has rank {len(a)}, and {CONFIG} says {rank}")
    alpha = _of_pattern(config.get("alpha_pattern"), name, config.get("lora_alpha", 8))
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    wide = torch.promote_types(torch.promote_types(a.dtype, b.dtype), torch.float32)  # as PEFT: halves are widened
    return {"A": a.to(wide), "B": b.to(wide) * scale}


def _of_pattern(pattern: Mapping[str, Any] | None, name: str, default: Any) -> Any:
    """The value of the first key that matches at the end of the name (peft.utils.other.get_pattern_key)."""
    for key, value in (pattern or {}).items():
        if re.match(rf"(.*\.)?({key})$", name):
            return value
    return default


def _method(factors: Mapping[str, Factors], config: Mapping[str, Any]) -> Method:
    if not factors:
        return Whole()
    rank = max(len(f["A"]) for f in factors.values())
    return METHODS["lora"](rank=rank, alpha=float(rank), dropout=float(config.get("lora_dropout") or 0.0))  # type: ignore[call-arg]


def _natural(name: str) -> list[tuple[int, str]]:
    """layer.2 before layer.10: a file has no order of its own."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]


def _unread(path: Path, what: str) -> BadFile:
    return BadFile(
        explain(
            f"{path} holds {what}, which rankwise does not read.",
            "It reads LoRA and rsLoRA of linear maps, with rank and alpha patterns and saved heads.",
            "In PEFT: save_as_lora(folder, model, rank) makes a LoRA of many other types.",
        ),
        path=path,
    )


def _misfit(path: Path, why: str) -> BadFile:
    return BadFile(
        explain(f"{path} does not fit {CONFIG}: {why}.", "The two files belong together. Copy the folder again."),
        path=path,
    )
