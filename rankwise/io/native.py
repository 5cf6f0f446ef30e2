"""The exact adapter: every factor, gate and head to the bit, and the state of a run beside it.

rankwise.json holds what is no tensor (method, sites, heads, base, names and digests of the other files);
rankwise.safetensors holds "factors/<site>/<name>", "heads/<task>/<name>" and, where no PEFT pair is written
beside it, "whole/<name>". PEFT ignores both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from .. import __version__
from ..core.adapter import Adapter
from ..core.create import Whole
from ..core.cut import Plain
from ..core.head import Head
from ..core.method import Method
from ..core.site import Site
from ..errors import BadFile, RankwiseError, explain
from ..methods import METHODS
from .files import NATIVE, NATIVE_JSON, STATE, write_folder
from .find import find_folder, read
from .tree import dump, pack, parse, unpack

FORMAT = 1


def encode(adapter: Adapter, others: Mapping[str, bytes] | None = None, whole: bool = True) -> dict[str, bytes]:
    """rankwise.json and rankwise.safetensors.

    others: the further files of the folder, whose names and digests are noted. whole: put the parameters trained
    whole in here too; False when the PEFT pair holds them.
    """
    tensors = {f"factors/{s}/{n}": t for s, f in adapter.factors.items() for n, t in f.items()}
    tensors |= {f"heads/{k}/{n}": t for k, w in adapter.head_weights.items() for n, t in w.items()}
    if whole:
        tensors |= {f"whole/{n}": t for n, t in adapter.whole.items()}
    data = pack(tensors)
    others = dict(others or {})
    about = {
        "format": FORMAT,
        "rankwise": __version__,
        "method": {"kind": adapter.method.kind, **dataclasses.asdict(adapter.method)},
        "base": adapter.base,
        "ranks": adapter.ranks,
        "sites": [dataclasses.asdict(s) for s in adapter.sites],
        "heads": {k: dataclasses.asdict(h) for k, h in adapter.heads.items()},
        "factors": {s: list(f) for s, f in adapter.factors.items()},
        "head_weights": {k: list(w) for k, w in adapter.head_weights.items()},
        "whole": dict.fromkeys(adapter.whole, None if whole else "pair"),
        "files": sorted([*others, NATIVE_JSON, NATIVE]),
        "sha256": {n: digest(d) for n, d in {**others, NATIVE: data}.items()},
    }
    return {NATIVE_JSON: (json.dumps(about, indent=1) + "\n").encode(), NATIVE: data}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_about(folder: Path) -> dict[str, Any]:
    """rankwise.json, checked.

    Raises:
        BadFile: it is damaged, or of a later format.
    """
    path = folder / NATIVE_JSON
    try:
        about = json.loads(read(path))
        number = about["format"]
    except (ValueError, KeyError, TypeError) as problem:
        raise _damaged(path, f"it is no rankwise.json ({problem})") from None
    if number != FORMAT:
        raise BadFile(
            explain(
                f"{path} has format {number!r}; this version reads format {FORMAT}.",
                f"It was written by rankwise {about.get('rankwise')}.",
                "To read it: pip install -U rankwise",
            ),
            path=path,
        )
    return about


def decode(folder: Path, about: Mapping[str, Any], whole: Mapping[str, Tensor] | None = None) -> Adapter:
    """The adapter from rankwise.json (`about`) and rankwise.safetensors; `whole` from the PEFT pair, if there.

    Raises:
        BadFile: a file is truncated, foreign, or does not fit the other.
    """
    path = folder / NATIVE
    tensors, _ = unpack(read(path), path)
    try:
        inside = {n: tensors[f"whole/{n}"] for n, where in about["whole"].items() if where is None}
        outside = {n: (whole or {})[n] for n, where in about["whole"].items() if where is not None}
        return Adapter(
            method=_method(about["method"], folder),
            sites=sites_of(about),
            factors={s: {n: tensors[f"factors/{s}/{n}"] for n in names} for s, names in about["factors"].items()},
            whole={n: inside[n] if n in inside else outside[n] for n in about["whole"]},
            heads={k: _head(h) for k, h in about["heads"].items()},
            head_weights={k: {n: tensors[f"heads/{k}/{n}"] for n in ns} for k, ns in about["head_weights"].items()},
            base=dict(about["base"]),
        )
    except RankwiseError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise _damaged(path, f"it does not fit {NATIVE_JSON} ({type(problem).__name__}: {problem})") from None


def sites_of(about: Mapping[str, Any]) -> tuple[Site, ...]:
    return tuple(Site(**{n: _tuples(v) for n, v in s.items()}) for s in about["sites"])


def save_state(folder: str | os.PathLike[str], adapter: Adapter, state: Any) -> Path:
    """A folder to resume from: the exact adapter and `state`. Replaces the one that is there, atomically.

    state: nested dicts, lists and tuples of tensors, numbers, strings, booleans and None; given back bit for bit.

    Raises:
        TypeError: something else is in `state`; its place is named.
        FolderExists: the folder holds something else than an adapter.
        NoSpace: the device is full; the old folder is untouched.
    """
    others = {STATE: dump(state)}
    write_folder(folder, {**others, **encode(adapter, others)}, overwrite=True)
    return Path(folder)


def load_state(folder: str | os.PathLike[str]) -> tuple[Adapter, Any]:
    """What save_state was given.

    Raises:
        BadFile: a file is missing, truncated, foreign, or not of this run.
    """
    path = find_folder(folder)
    about = read_about(path)
    data = {name: read(path / name) for name in (NATIVE, STATE)}
    for name, content in data.items():
        if digest(content) != about["sha256"].get(name):
            unpack(content, path / name)  # a truncated file says so itself
            raise _damaged(path / name, f"it is not the file that {NATIVE_JSON} was written with")
    return decode(path, about), parse(data[STATE], path / STATE)


def _damaged(path: Path, why: str) -> BadFile:
    return BadFile(
        explain(
            f"{path} cannot be read: {why}.",
            f"{NATIVE_JSON} and {NATIVE} belong together and are written by one save.",
            f"To read the PEFT files alone, without heads: delete {NATIVE_JSON} and {NATIVE}",
        ),
        path=path,
    )


def _method(fields: Mapping[str, Any], folder: Path) -> Method:
    own: dict[str, Callable[..., Method]] = {Whole.kind: Whole, Plain.kind: Plain}
    kind = fields["kind"]
    given = {n: _tuples(v) for n, v in fields.items() if n != "kind"}
    try:
        return (own[kind] if kind in own else METHODS[kind])(**given)
    except (TypeError, RankwiseError) as problem:
        raise BadFile(
            explain(
                f"{folder / NATIVE_JSON} names a method that this version does not know: {kind!r} {given}.",
                str(problem),
                "To read it: pip install -U rankwise",
            ),
            path=folder / NATIVE_JSON,
        ) from None


def _head(fields: Mapping[str, Any]) -> Head:
    return Head(**{n: _tuples(v) for n, v in fields.items()})


def _tuples(value: Any) -> Any:
    """JSON has lists where the dataclasses have tuples."""
    is_list = isinstance(value, Iterable) and not isinstance(value, str | Mapping)
    return tuple(_tuples(v) for v in value) if is_list else value
