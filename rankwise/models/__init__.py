"""Where base models come from, and how text becomes token numbers.

Needs the extra `train` (or `serve`): transformers is imported here and nowhere below.
"""

from __future__ import annotations

from rankwise.models.base import KINDS, MINILM_SHA256, Source, load, resolve
from rankwise.models.tokens import encode, pad, tokenizer

__all__ = ["KINDS", "MINILM_SHA256", "Source", "encode", "load", "pad", "resolve", "tokenizer"]
