"""One loop that trains any method on one task or several; what it needs of data, metrics and records.

The package is callable: `rankwise.train(model, adapter, tasks, recipe)` is `rankwise.train.loop.train`. A plain
function of that name would be hidden by the package as soon as anything in it is imported.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Train(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        from .loop import train

        return train(*args, **options)


sys.modules[__name__].__class__ = _Train
