"""Rows, batches of rows of like length, and the tensors of one batch.

Padding is work that nobody asked for: in shuffled batches of sentence-long text about half of all tokens
can be padding. Batches are therefore cut from windows of rows sorted by length. A window is a random
draw of the whole table, so which rows meet in a batch, and in which order batches come, is still random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, RecipeError, UnknownName, explain, nearest

KINDS = ("single", "multi", "regression", "tokens", "spans", "pairs")
IGNORE = -100  # torch.nn.functional.cross_entropy leaves this label out of the loss


@dataclass(frozen=True, slots=True)
class Example:
    """One tokenised row.

    Attributes:
        ids: token ids, special tokens included, at least one.
        label: by kind of head: single and spans, a class index; multi, a tuple of 0/1 per label;
            regression, a number; tokens and pairs, one class index (or -100) each; None where not known.
        types: token type ids (0 first text, 1 second) for bases that read them; None for others.
        spans: ((start, end), (start, end)) in token positions, for the kind "spans" only.
        pairs: (first, second) token position of every pair, for the kind "pairs" only.
        positions: position number of each token, where that is not its place in the row.
        groups: 0 for tokens that every token of the row sees, k > 0 for those that only group k sees; None: all see
            all. Questions to a text that must not see each other, in one pass (Zhong and Chen 2021, NAACL, 3.3).
        meta: whatever the caller wants back beside the prediction; never looked at here.
    """

    ids: tuple[int, ...]
    label: Any = None
    types: tuple[int, ...] | None = None
    spans: tuple[tuple[int, int], tuple[int, int]] | None = None
    meta: Any = None
    pairs: tuple[tuple[int, int], ...] | None = None
    positions: tuple[int, ...] | None = None
    groups: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.ids)


def batches(
    lengths: Sequence[int],
    *,
    rows: int | None = None,
    tokens: int | None = None,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool = True,
    window: int = 50,
) -> list[list[int]]:
    """Row numbers in batches of like length; every row is in exactly one batch.

    Args:
        lengths: tokens of each row.
        rows: most rows in a batch, >= 1.
        tokens: most tokens in a batch, padding counted: rows of the batch times its longest row.
            A row longer than that is a batch of its own. With `rows` too, both limits hold.
        seed, epoch: the order depends on these two and on the lengths alone.
        shuffle: False sorts the whole table, longest batch first (evaluation: least padding, and a
            batch that does not fit into memory fails at once).
        window: batches that are sorted together; larger means less padding and less mixing.

    Raises:
        RecipeError: neither `rows` nor `tokens`, or one below 1.
    """
    if rows is None and tokens is None:
        raise RecipeError("A batch needs a size: neither rows nor tokens is given.")
    for name, value in (("rows", rows), ("tokens", tokens), ("window", window)):
        if value is not None and value < 1:
            raise RecipeError(explain(f"{name}={value}: a batch holds at least 1."), value=value)
    if not len(lengths):
        return []
    size = np.maximum(np.asarray(lengths, dtype=np.int64), 1)
    if not shuffle:
        return _cut(np.argsort(-size, kind="stable"), size, rows, tokens)
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(size))
    guess = rows if tokens is None else max(1, min(rows or len(size), int(tokens / size.mean())))
    span = window * (guess or 1)
    out: list[list[int]] = []
    for start in range(0, len(order), span):
        part = order[start : start + span]
        out += _cut(part[np.argsort(-size[part], kind="stable")], size, rows, tokens)
    return [out[i] for i in rng.permutation(len(out))]


def _cut(order: np.ndarray, size: np.ndarray, rows: int | None, tokens: int | None) -> list[list[int]]:
    """Cut an order of falling length into batches: the first row of a batch is its longest."""
    out: list[list[int]] = []
    most = 0
    for i in order.tolist():
        if not out or len(out[-1]) >= most:
            by_tokens = len(order) if tokens is None else max(1, tokens // int(size[i]))
            most = min(by_tokens, rows or by_tokens)
            out.append([])
        out[-1].append(i)
    return out


def buckets(
    lengths: Sequence[int],
    token_budget: int,
    *,
    max_rows: int | None = None,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool = True,
) -> list[list[int]]:
    """`batches` under a budget of padded tokens."""
    return batches(lengths, rows=max_rows, tokens=token_budget, seed=seed, epoch=epoch, shuffle=shuffle)


def padding_waste(lengths: Sequence[int], groups: Sequence[Sequence[int]]) -> float:
    """Share of the tokens in these batches that are padding, 0 <= share < 1; 0 for no batches."""
    padded = sum(len(group) * max(lengths[i] for i in group) for group in groups if group)
    real = sum(lengths[i] for group in groups for i in group)
    return 1 - real / padded if padded else 0.0


def collate(examples: Sequence[Example], pad_id: int, kind: str = "single", *, multiple: int = 1) -> dict[str, Tensor]:
    """The tensors of one batch, padded on the right to the longest row.

    Args:
        examples: B rows.
        pad_id: token id of the padding.
        kind: of the head, one of KINDS; decides the labels' type and shape.
        multiple: pad further to a multiple of this (8 suits tensor cores).

    Returns:
        input_ids [B, T] long, attention_mask [B, T] long, or [B, 1, T, T] bool where rows have groups;
        token_type_ids, position_ids [B, T] long where rows have types, positions; spans [B, 2, 2] (spans) or
        [B, P, 2] (pairs; 0 at the padding) long; labels where rows have them: single, spans [B] long; multi [B, L]
        float; regression [B] float; tokens [B, T], pairs [B, P] long, -100 at the padding.

    Raises:
        UnknownName: no such kind.
        DataError: no rows; some rows with and some without labels (or types); labels, types or spans
            that do not fit.
    """
    if kind not in KINDS:
        near = ", ".join(nearest(kind, KINDS))
        raise UnknownName(explain(f"kind={kind!r} is no kind of head.", f"Nearest: {near}."), name=kind)
    if not examples:
        raise DataError("A batch needs at least one row.")
    width = -(-max(len(e) for e in examples) // multiple) * multiple
    out = {
        "input_ids": _padded([e.ids for e in examples], width, pad_id),
        "attention_mask": _padded([(1,) * len(e) for e in examples], width, 0),
    }
    if _all_or_none(examples, "types"):
        _same_length(examples, "types")
        out["token_type_ids"] = _padded([e.types for e in examples], width, 0)
    if _all_or_none(examples, "positions"):
        _same_length(examples, "positions")
        out["position_ids"] = _padded([e.positions for e in examples], width, 0)
    if _all_or_none(examples, "groups"):
        _same_length(examples, "groups")
        out["attention_mask"] = _seen(_padded([e.groups for e in examples], width, -1))
    if kind == "spans":
        out["spans"] = _spans(examples)
    if kind == "pairs":
        out["spans"] = _pairs(examples)
    if _all_or_none(examples, "label"):
        out["labels"] = _labels(examples, kind, width)
    return out


def _padded(rows: Sequence[Any], width: int, fill: int) -> Tensor:
    """[B, width] long: each row, then `fill`."""
    out = np.full((len(rows), width), fill, dtype=np.int64)
    for line, row in zip(out, rows, strict=True):
        line[: len(row)] = row
    return torch.from_numpy(out)


def _seen(groups: Tensor) -> Tensor:
    """[B, 1, T, T] bool, query by key: a token sees group 0 and its own; -1, the padding, is seen by nobody."""
    key, query = groups[:, None, :], groups[:, :, None]
    return ((key == 0) | ((key == query) & (key >= 0)))[:, None]


def _all_or_none(examples: Sequence[Example], field: str) -> bool:
    """Whether the rows have this field; refuse a mixture, which would train on a guess."""
    have = [getattr(e, field) is not None for e in examples]
    if any(have) and not all(have):
        first = have.index(False)
        raise DataError(
            explain(
                f"Row {first} of this batch has no {field}, others have one.",
                f"Either every row of a batch has a {field} or none has.",
            ),
            row=first,
        )
    return all(have)


def _same_length(examples: Sequence[Example], field: str) -> None:
    for row, e in enumerate(examples):
        if len(getattr(e, field)) != len(e.ids):
            raise DataError(
                f"Row {row} of this batch has {len(getattr(e, field))} values of {field} "
                f"for {len(e.ids)} tokens: there must be one for each token.",
                row=row,
            )


def _labels(examples: Sequence[Example], kind: str, width: int) -> Tensor:
    values = [e.label for e in examples]
    if kind == "pairs":
        return _padded(values, max(len(e.pairs or ()) for e in examples), IGNORE)
    if kind == "tokens":
        _same_length(examples, "label")
        return _padded(values, width, IGNORE)
    if kind == "multi":
        sizes = {len(v) for v in values}
        if len(sizes) != 1:
            raise DataError(f"Multi-label rows of one batch have {sorted(sizes)} labels: all need as many.")
    dtype = torch.float32 if kind in ("multi", "regression") else torch.long
    return torch.tensor(values, dtype=dtype)


def _pairs(examples: Sequence[Example]) -> Tensor:
    """[B, P, 2] long: both positions of each pair, (0, 0) where a row has fewer than P."""
    for row, e in enumerate(examples):
        labels = len(e.label) if e.label is not None else len(e.pairs or ())
        if not e.pairs or labels != len(e.pairs) or any(not 0 <= at < len(e) for pair in e.pairs for at in pair):
            raise DataError(
                explain(
                    f"Row {row} of this batch has {labels} labels for pairs={e.pairs} in {len(e)} tokens.",
                    "At least one pair is needed, each of two token positions, with one label each.",
                ),
                row=row,
                pairs=e.pairs,
            )
    out = np.zeros((len(examples), max(len(e.pairs or ()) for e in examples), 2), dtype=np.int64)
    for line, e in zip(out, examples, strict=True):
        line[: len(e.pairs or ())] = np.asarray(e.pairs)
    return torch.from_numpy(out)


def _spans(examples: Sequence[Example]) -> Tensor:
    for row, e in enumerate(examples):
        if e.spans is None or any(not 0 <= s <= t <= len(e) for s, t in e.spans):
            raise DataError(
                explain(
                    f"Row {row} of this batch has spans={e.spans} in {len(e)} tokens.",
                    "Two spans are needed, each (start, end) with 0 <= start <= end <= number of tokens.",
                ),
                row=row,
                spans=e.spans,
            )
    return torch.tensor([e.spans for e in examples], dtype=torch.long)
