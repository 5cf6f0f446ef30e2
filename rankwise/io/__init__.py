"""Adapter folders: what stock PEFT reads, and beside it the exact adapter. Reading both, and what PEFT wrote."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.adapter import Adapter
from ..errors import BadFile, explain
from . import native, peft, peft_read
from .card import card
from .files import CARD, CONFIG, NATIVE, NATIVE_JSON, PAIR, check_free, is_adapter, write_folder
from .find import find_folder, read
from .tree import unpack

__all__ = ["load", "save"]


def save(
    adapter: Adapter,
    folder: str | os.PathLike[str],
    *,
    layout: str = "compact",
    overwrite: bool = False,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """Write an adapter folder, whole or not at all: the PEFT pair, the exact native files and a card.

    Stock PEFT loads the folder without a warning and computes the same; see io/peft.py for the layouts and for
    what becomes of parameters trained whole. Heads of rankwise, gates and exact factors are in the native files.

    Args:
        layout: "compact" (own rank a site) or "uniform" (one rank, zero-padded).
        overwrite: replace an adapter folder of that name; files that others put into it are kept.
        extra: further files by name.

    Raises:
        FolderExists: it exists and `overwrite` is False, or it holds something else than an adapter.
        NoSpace: the device is full; what was there before is untouched.
        NotFoldable: the method has no A, B form.
    """
    check_free(Path(folder).expanduser(), overwrite)
    files = {**peft.encode(adapter, layout), **(extra or {})}
    files[CARD] = card(adapter, layout, tuple(_notes(adapter))).encode()
    return write_folder(folder, {**files, **native.encode(adapter, files, whole=False)}, overwrite=overwrite)


def load(folder: str | os.PathLike[str]) -> Adapter:
    """The adapter in a folder that rankwise or PEFT wrote.

    Native files win over the PEFT pair beside them, because they are exact. Where PEFT has written a new pair since,
    or the native tensors were deleted or replaced, the pair is taken, and a warning says so; heads of rankwise
    stay as long as they can be read.

    Raises:
        BadFile: no such folder (the nearest is named), or a file in it is missing, truncated, pickled or foreign.
    """
    path = find_folder(folder)
    if not (path / NATIVE_JSON).is_file():
        if not (path / CONFIG).is_file():
            raise _no_adapter(path)
        return peft_read.decode(path)
    about = native.read_about(path)
    noted = about.get("sha256", {})
    if PAIR not in noted or not (path / PAIR).is_file():  # a state folder, or one without PEFT's files
        return native.decode(path, about)
    stored = read(path / PAIR)
    if native.digest(stored) != noted[PAIR]:
        return _from_pair(path, about, stored, f"{PAIR} was changed after rankwise wrote the folder (by PEFT, say)")
    if not (path / NATIVE).is_file():
        return _from_pair(path, about, stored, f"{NATIVE} is missing")
    exact = read(path / NATIVE)
    if native.digest(exact) != noted.get(NATIVE):
        unpack(exact, path / NATIVE)  # a truncated file says so itself
        return _from_pair(path, about, stored, f"{NATIVE} was changed after rankwise wrote the folder")
    return native.decode(path, about, peft_read.whole_of(stored, path / PAIR))


def _from_pair(path: Path, about: Mapping[str, Any], stored: bytes, why: str) -> Adapter:
    """The PEFT pair of a folder whose native files do not go with it any more, and the heads if they can be had."""
    adapter = peft_read.decode(path, stored)
    if about["heads"]:
        intact = (path / NATIVE).is_file() and native.digest(read(path / NATIVE)) == about["sha256"].get(NATIVE)
        if not intact:
            raise BadFile(
                explain(
                    f"{path} was saved with heads ({', '.join(about['heads'])}), and they are lost: {why}.",
                    f"Heads are in {NATIVE}, which belongs to {NATIVE_JSON}.",
                    f"To read the PEFT files alone, without heads: delete {NATIVE_JSON} and {NATIVE}",
                ),
                path=path / NATIVE,
            )
        old = native.decode(path, {**about, "whole": {}})
        adapter = replace(adapter, heads=old.heads, head_weights=old.head_weights)
    warnings.warn(f"{path}: {why}, so the PEFT files are read; gates and unfolded factors are gone.", stacklevel=3)
    sites = native.sites_of(about)
    if {s.name for s in sites} >= set(adapter.factors):
        adapter = replace(adapter, sites=sites)
    return replace(adapter, base=dict(about["base"]) or adapter.base)


def _notes(adapter: Adapter) -> Iterator[str]:
    if adapter.heads:
        names = ", ".join(f"`{h}`" for h in adapter.heads)
        yield f"Heads of rankwise, which PEFT does not load: {names}"
    loose = peft.loose(adapter)
    if loose:
        yield (
            f"{len(loose)} parameters (such as `{loose[0]}`) are loaded by PEFT straight into the base model: "
            "disable_adapter() does not take them back"
        )


def _no_adapter(path: Path) -> BadFile:
    inside = sorted(p.name for p in path.iterdir() if p.is_dir() and is_adapter(p))
    there = sorted(p.name for p in path.iterdir())[:8]
    return BadFile(
        explain(
            f"{path} is no adapter folder: it has neither {NATIVE_JSON} nor {CONFIG}.",
            f"Adapters in it: {', '.join(inside)}" if inside else f"In it: {', '.join(there) or 'nothing'}.",
            f"Try: {path / inside[0]}" if inside else "To make one: rankwise train <table> --out <folder>",
        ),
        path=path,
        near=inside,
    )
