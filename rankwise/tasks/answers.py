"""Logits in words: a label and its probability, several labels, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core.head import Head, answers
from ..errors import RecipeError, explain

KINDS = ("single", "multi", "regression")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a head says about one row.

    label: a name (single), a list of names (multi), or a number (regression).
    probability: of that label (single), of the least sure of the yes-or-no decisions (multi), None (regression).
    probabilities: of every label by name; empty for regression.
    """

    label: Any
    probability: float | None
    probabilities: dict[str, float]


def in_words(head: Head, logits: Sequence[Tensor]) -> list[Answer]:
    """Answers for rows of logits, as `predict` gives them.

    Raises:
        RecipeError: the head answers for tokens or spans, which are no rows of a table.
    """
    if head.kind not in KINDS:
        raise RecipeError(
            explain(f"a head of kind {head.kind!r} does not answer one row at a time.", f"Kinds: {', '.join(KINDS)}.")
        )
    return [_answer(head, row) for row in logits]


def _answer(head: Head, logits: Tensor) -> Answer:
    wide = logits.double()
    choice = answers(head, wide)
    if head.kind == "regression":
        return Answer(float(choice), None, {})
    shares = torch.sigmoid(wide) if head.kind == "multi" else torch.softmax(wide, -1)
    named = dict(zip(head.labels, shares.tolist(), strict=True))
    if head.kind == "single":
        label = head.labels[int(choice)]
        return Answer(label, named[label], named)
    chosen = [label for label, on in zip(head.labels, choice.tolist(), strict=True) if on]
    return Answer(chosen, min(max(p, 1 - p) for p in named.values()), named)
