"""From tables of text to a Task: tokenised rows and a head of the right kind."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from ..core.head import Head
from ..errors import DataError, RecipeError, explain
from ..models import encode
from ..train.data import Example
from ..train.task import Task
from .table import Table, examples


def text_task(
    train: Table,
    valid: Table | None,
    names: Sequence[str],
    tokenizer: Any,
    hidden: int,
    *,
    name: str = "label",
    pooling: str = "mean",
    layers: Sequence[int] = (),
    metric: str | None = None,
    max_length: int = 128,
) -> Task:
    """A task of one text (or a pair) a row: classes, several labels, or a number.

    Args:
        train, valid, names: from `train_and_valid`.
        tokenizer: of the base model. hidden: width of the base model's hidden states.
        pooling, layers: see Head.
        max_length: tokens of a row; longer ones are cut.

    Raises:
        DataError: no labels to learn from; the column to name is said.
    """
    if train.kind is None or train.labels is None:
        raise DataError(
            explain(
                f"{train.source}: no label column was named, so there is nothing to learn.",
                f"The text is column {train.columns.text!r}.",
                "Name the other one: Columns(text, label=...), or --label on the command line",
            ),
            source=train.source,
        )
    kind, center, spread = train.kind, 0.0, 1.0
    if kind == "regression":
        center = statistics.fmean(train.labels)
        spread = statistics.pstdev(train.labels) or 1.0
    head = Head(kind, tuple(names), hidden, pooling, tuple(layers), center=center, spread=spread)
    return Task(
        name=name,
        head=head,
        train=rows_of(train, names, tokenizer, max_length),
        valid=rows_of(valid, names, tokenizer, max_length) if valid is not None else (),
        metric=metric,
        pad_id=tokenizer.pad_token_id or 0,
    )


def row_length(tokenizer: Any, asked: int, default: int) -> int:
    """Tokens of a row at most: what is asked, as far as the base model goes; `default` is more of a wish.

    Raises:
        RecipeError: more is asked than the base model can read.
    """
    limit = int(tokenizer.model_max_length)
    if asked > limit and asked != default:
        raise RecipeError(
            explain(
                f"max_length={asked} is more than the base model reads: {limit} tokens.",
                f"Longer rows are cut. Nearest: max_length={limit}",
            ),
            max_length=asked,
            limit=limit,
        )
    return min(asked, limit)


def rows_of(table: Table, names: Sequence[str], tokenizer: Any, max_length: int) -> list[Example]:
    """The table's rows tokenised, with numbered labels where it has labels."""
    pairs = None if table.pair is None else list(table.pair)
    return examples(table, encode(tokenizer, list(table.text), pairs, max_length), names)
