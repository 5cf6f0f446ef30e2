"""Where base models come from, and how text becomes token numbers.

Needs the extra `train` (or `serve`): transformers is imported here and nowhere below.
"""

from __future__ import annotations

from rankwise.errors import MissingExtra, explain

try:
    import transformers  # noqa: F401 - before the modules below, which all need it
except ImportError as error:
    raise MissingExtra(
        explain(
            f"Base models need transformers, and {error.name} is not installed.",
            "To install: pip install 'rankwise[train]'",
        ),
        extra="train",
    ) from error

from rankwise.models.base import KINDS, MINILM_SHA256, Source, load, resolve
from rankwise.models.tokens import encode, pad, tokenizer

__all__ = ["KINDS", "MINILM_SHA256", "Source", "encode", "load", "pad", "resolve", "tokenizer"]
