"""rankwise: low-rank adapters that find their own rank. The public names, looked up on first use (PEP 562)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "Adapter": "core.adapter",
    "Head": "core.head",
    "METHODS": "methods",
    "Method": "core.method",
    "RankwiseError": "errors",
    "Recipe": "train.recipe",
    "Site": "core.site",
    "Task": "train.task",
    "attach": "core.host",
    "attached": "core.host",
    "combine": "core.cut",
    "cut": "core.cut",
    "detach": "core.host",
    "evaluate": "train.evaluate",
    "fit": "train.loop",
    "find_sites": "core.site",
    "hf_callback": "train.hf",
    "load": "io",
    "merge": "core.merge",
    "methods": "",
    "new": "core.create",
    "predict": "train.evaluate",
    "rows": "core.host",
    "save": "io",
    "shrink": "core.optim",
    "sparsify": "train.schedule",
    "train": "",
    "unmerge": "core.merge",
}

__all__ = sorted([*_WHERE, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'rankwise' has no attribute {name!r}")
    if not _WHERE[name]:  # a package that is public itself
        return import_module(f"rankwise.{name}")
    return getattr(import_module(f"rankwise.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
