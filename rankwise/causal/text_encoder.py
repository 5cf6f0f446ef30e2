"""A frozen encoder for texts: their rows of tokens, and their numbers from several layers, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..core.site import linear_maps
from ..models import encode, load, tokenizer
from ..models.source import MINILM
from ..tasks.folder import refuse_two_stacks
from ..train.data import Example, batches, collate

DEPTHS = 4
"""Layers that are read, from the words themselves to the last: a text's length and words are told by the first ones
better than by the last (R2 .98 against .71 for the log of the length, .56 against .18 for a negation, 600 texts)."""
POOLER = "pooler.dense"  # its output is not read
ROWS = 64


@dataclass(frozen=True)
class Encoder:
    """A base model and its tokenizer; the model is never changed for good.

    Args:
        max_length: tokens of a text, special ones counted; longer texts are cut.
    """

    model: nn.Module
    tokenizer: Any
    max_length: int = 128

    @classmethod
    def open(cls, base: str | Path = MINILM, max_length: int = 128) -> Encoder:
        """base: "minilm", a folder, or a hub name. Raises as models.load does, and RecipeError for two stacks."""
        model = load(base)
        refuse_two_stacks(model, str(base))
        words = tokenizer(base)
        return cls(model, words, min(max_length, int(words.model_max_length)))

    @property
    def width(self) -> int:
        settings: Any = self.model.config
        return int(settings.hidden_size)

    @property
    def pad_id(self) -> int:
        return int(self.tokenizer.pad_token_id or 0)

    @property
    def without(self) -> list[str]:
        """Sites that an adapter leaves out."""
        return [POOLER] if any(f".{name}".endswith(f".{POOLER}") for name in linear_maps(self.model)) else []

    def rows(self, texts: Sequence[str]) -> list[Example]:
        """Tokenised, without labels."""
        found = encode(self.tokenizer, list(texts), None, self.max_length)
        types = [row.get("token_type_ids") for row in found]
        return [
            Example(tuple(row["input_ids"]), types=None if kind is None else tuple(kind))
            for row, kind in zip(found, types, strict=True)
        ]

    def layers(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """[n, depths * width] means over the tokens of each text, of `DEPTHS` layers evenly from first to last."""
        rows = self.rows(texts)
        out: NDArray[np.float32] | None = None
        with torch.inference_mode():
            for group in batches([len(r) for r in rows], rows=ROWS, shuffle=False):
                batch = collate([rows[i] for i in group], self.pad_id)
                answer: Any = self.model(**batch, output_hidden_states=True)
                states = answer.hidden_states
                depths = np.unique(np.linspace(0, len(states) - 1, DEPTHS).round().astype(int))
                real = batch["attention_mask"].unsqueeze(-1).to(states[0].dtype)
                means = torch.cat([(states[d] * real).sum(1) / real.sum(1) for d in depths], 1)
                if out is None:
                    out = np.empty((len(rows), means.shape[1]), dtype=np.float32)
                out[group] = means.float().numpy()
        return np.zeros((0, 0), dtype=np.float32) if out is None else out
