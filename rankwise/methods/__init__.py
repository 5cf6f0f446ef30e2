"""The registry of methods: kind -> class, imported on first use so that help texts need no torch.

Adding a method is one new file and one line in `PATHS`. Kinds are permanent: they are written into folders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from ..errors import UnknownName, explain, nearest

if TYPE_CHECKING:
    from ..core.method import Method

PATHS = {
    "lora": ("rankwise.methods.lora", "LoRA"),
    "sora": ("rankwise.methods.sora", "SoRA"),
}


class _Registry(Mapping[str, "type[Method]"]):
    """kind -> Method class; looking one up imports its file."""

    def __getitem__(self, kind: str) -> type[Method]:
        if kind not in PATHS:
            raise UnknownName(
                explain(
                    f"method {kind!r} is unknown.",
                    f"Methods: {', '.join(PATHS)}.",
                    f"Nearest: {nearest(kind, PATHS)[0]}",
                ),
                kind=kind,
            )
        module, name = PATHS[kind]
        return getattr(import_module(module), name)  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(PATHS)

    def __len__(self) -> int:
        return len(PATHS)


METHODS: Mapping[str, type[Method]] = _Registry()


def __getattr__(name: str) -> object:
    for module, public in PATHS.values():
        if name == public:
            return getattr(import_module(module), public)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["METHODS", "LoRA", "SoRA"]
