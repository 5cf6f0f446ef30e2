"""Text to token numbers and back to tensors: encode without padding, pad at the last moment.

Rows stay lists of their true length until a batch is made, so that batches can be formed by length.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from rankwise.errors import BadFile, DataError, explain
from rankwise.models.quiet import quiet
from rankwise.models.source import fetch, resolve

Tokens = dict[str, list[int]]
"""One row: "input_ids", and "token_type_ids" where the model tells two texts apart. Equal lengths."""

_UNLIMITED = 1_000_000  # transformers writes 1e30 where a tokenizer names no longest length
_LENGTHS = ("max_position_embeddings", "n_positions")


def tokenizer(name: str | Path) -> Any:
    """The fast tokenizer of a base model ("minilm", a folder, a hub name).

    A tokenizer without a padding token (GPT-2) pads with its end token; padded places are masked out, so
    it is never seen. `model_max_length` is the model's own limit where the tokenizer names none.
    Raises UnknownName and BadFile as `load` does.
    """
    folder = fetch(resolve(name), weights=False)
    try:
        with quiet():
            made = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False)
    except Exception as error:  # the tokenizers library raises bare Exception for a damaged tokenizer.json
        why = " ".join(str(error).split())[:200]
        raise BadFile(
            explain(
                f"{folder} has no tokenizer that can be read ({why}).",
                "It must hold tokenizer.json, or the files that it is made from.",
                "To write it: tokenizer.save_pretrained(folder)",
            ),
            path=folder,
        ) from error
    if made.pad_token is None:
        made.pad_token = made.eos_token
    if made.model_max_length > _UNLIMITED and (limit := _limit(folder)):
        made.model_max_length = limit
    return made


def _limit(folder: Path) -> int | None:
    """The longest row that the model's position table holds, or None (relative positions have no limit)."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    length = next((config[key] for key in _LENGTHS if isinstance(config.get(key), int)), None)
    if length is not None and config.get("model_type") in ("roberta", "xlm-roberta", "camembert"):
        length -= config.get("pad_token_id", 1) + 1  # positions start behind the padding number
    return length


def encode(
    tokenizer: Any,
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    max_length: int | None = None,
) -> list[Tokens]:
    """Token numbers of every text (or of text and pair), special tokens included, cut but not padded.

    max_length: in tokens, at most and by default the tokenizer's `model_max_length`; of a pair, the longer
    text loses first. Raises DataError when texts and pairs differ in number or one is not text.
    """
    for kind, column in (("text", texts), ("pair", pairs or ())):
        bad = next((i for i, value in enumerate(column) if not isinstance(value, str)), None)
        if bad is not None:
            raise DataError(explain(f"{kind} {bad} is {column[bad]!r}, which is not text."), row=bad)
    if pairs is not None and len(pairs) != len(texts):
        raise DataError(explain(f"{len(texts)} texts and {len(pairs)} pairs: one pair is needed per text."))
    if not texts:
        return []
    limit = tokenizer.model_max_length if max_length is None else min(max_length, tokenizer.model_max_length)
    special = tokenizer.num_special_tokens_to_add(pair=pairs is not None)
    if limit <= special:
        raise DataError(
            explain(
                f"max_length={limit}: {special} places go to special tokens, which leaves none for the text.",
                f"It must be at least {special + 1}.",
            ),
            max_length=limit,
        )
    made = tokenizer(
        list(texts),
        None if pairs is None else list(pairs),
        truncation=True,
        max_length=limit if limit < _UNLIMITED else None,
        padding=False,
        return_attention_mask=False,
        verbose=False,
    )
    return [dict(zip(made.keys(), row, strict=True)) for row in zip(*made.values(), strict=True)]


def pad(batch: Sequence[Tokens], tokenizer: Any, multiple: int = 1) -> dict[str, torch.Tensor]:
    """Rows as tensors [rows, length], int64, with "attention_mask" (1 = real token).

    length: of the longest row, rounded up to a multiple. The side, and the numbers that fill, are the
    tokenizer's. Raises DataError for an empty batch.
    """
    if not batch:
        raise DataError("There is no row to pad: a batch holds at least one.")
    longest = max(len(row["input_ids"]) for row in batch)
    length = -(-longest // multiple) * multiple
    fill = {"input_ids": tokenizer.pad_token_id or 0, "token_type_ids": tokenizer.pad_token_type_id}
    columns = {key: [row[key] for row in batch] for key in batch[0]}
    columns["attention_mask"] = [[1] * len(row["input_ids"]) for row in batch]
    left = tokenizer.padding_side == "left"
    out = {}
    for key, rows in columns.items():
        tensor = torch.full((len(rows), length), fill.get(key, 0), dtype=torch.int64)
        for i, row in enumerate(rows):
            start = length - len(row) if left else 0
            tensor[i, start : start + len(row)] = torch.tensor(row, dtype=torch.int64)
        out[key] = tensor
    return out
