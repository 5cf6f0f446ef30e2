"""Nested dicts, lists and tuples of tensors and plain values, to one safetensors file and back without a change.

The structure is JSON in the file's metadata. Containers and what JSON cannot hold are tagged one-entry objects:
{"dict": [[key, value], ...]}, {"list": [...]}, {"tuple": [...]}, {"tensor": name}, {"complex": name},
{"float": "nan"}. Everything else stands for itself. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from ..errors import BadFile, explain

KEY = "rankwise"


def dump(value: Any) -> bytes:
    """One safetensors file with the whole tree.

    Raises:
        TypeError: a value is none of dict, list, tuple, tensor, str, int, float, bool, None; its path is named.
    """
    tensors: dict[str, Tensor] = {}
    tree = _encode(value, tensors, "state")
    return pack(tensors, tree)


def parse(data: bytes, path: Path) -> Any:
    """What `dump` was given: tuples stay tuples, int keys stay ints, every float and tensor keeps its bits.

    Raises:
        BadFile: the file is truncated or foreign.
    """
    tensors, tree = unpack(data, path)
    try:
        return _decode(tree, tensors)
    except (KeyError, TypeError, ValueError) as problem:
        raise foreign(path, f"its structure is broken ({problem!r})") from None


def pack(tensors: Mapping[str, Tensor], about: Any = None) -> bytes:
    """A safetensors file; `about` is JSON for its metadata. Tensors may share storage or have any strides."""
    metadata = {"format": "pt"} if about is None else {KEY: json.dumps(about)}
    return safetensors.torch.save({n: plain(t) for n, t in sorted(tensors.items())}, metadata=metadata)


def unpack(data: bytes, path: Path) -> tuple[dict[str, Tensor], Any]:
    """(tensors, the JSON of `about` or None); `path` is for the message.

    Raises:
        BadFile: the file is truncated or no safetensors file.
    """
    try:
        tensors = safetensors.torch.load(data)
        length = int.from_bytes(data[:8], "little")
        about = json.loads(data[8 : 8 + length]).get("__metadata__", {}).get(KEY)
        return tensors, json.loads(about) if about else None
    except (SafetensorError, ValueError, KeyError) as problem:
        raise foreign(path, str(problem)) from None


def foreign(path: Path, why: str) -> BadFile:
    return BadFile(
        explain(
            f"{path} cannot be read: {why}.",
            "Expected a whole safetensors file. It may be truncated, or something else under this name.",
            "Copy or save the folder again.",
        ),
        path=path,
    )


def plain(tensor: Tensor) -> Tensor:
    """A tensor of its own, dense, on the CPU."""
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise TypeError(f"a {tensor.layout} tensor cannot be saved; make it dense first.")
    return tensor.detach().to("cpu").contiguous().clone()


def _encode(value: Any, tensors: dict[str, Tensor], where: str) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, Tensor):
        name = str(len(tensors))
        if value.dtype == torch.complex128:  # the one dtype that safetensors lacks
            tensors[name] = torch.view_as_real(plain(value))
            return {"complex": name}
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, Mapping):
        pairs = [[_encode(k, tensors, where), _encode(v, tensors, f"{where}[{k!r}]")] for k, v in value.items()]
        return {"dict": pairs}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_encode(v, tensors, f"{where}[{i}]") for i, v in enumerate(value)]}
    raise TypeError(f"{where} is a {type(value).__name__}, which cannot be saved without pickling.")


def _decode(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    ((kind, body),) = tree.items()
    if kind == "dict":
        return {_decode(k, tensors): _decode(v, tensors) for k, v in body}
    if kind == "list":
        return [_decode(v, tensors) for v in body]
    if kind == "tuple":
        return tuple(_decode(v, tensors) for v in body)
    if kind == "tensor":
        return tensors[body]
    if kind == "complex":
        return torch.view_as_complex(tensors[body])
    if kind == "float":
        return float(body)
    raise ValueError(f"unknown kind {kind!r}")
