"""Questions about a document as rows of an encoder: a window of text, and two twin tokens for each pair; or one row a
pair, with markers in the text.

Solid markers stand around the two events, one row a pair (Baldini Soares et al. 2019, ACL, section 3.2), so the text
itself is read with the question in view; and it is read again for every pair. With levitated ones a window is read
once. Each pair adds two twins: copies of its events' first tokens, at the same positions, with the token type that a
base uses for a second text. Twins see the window and each other, and are seen by nobody else, so the text reads the
same whatever is asked, and every pair gets the answer that it would get alone: the levitated markers of Zhong and Chen
2021 (NAACL, section 3.3) and Ye et al. 2022 (ACL), with trained embeddings for markers.

A document is cut into blocks of tokens; a window is two blocks, neighbours for near pairs, any two for far ones, with
a separator between them. The document's own time is asked about at the first token, [CLS].
"""

from __future__ import annotations

import inspect
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from ..errors import AttachError, DataError, RecipeError, explain
from ..train.data import Example
from .schema import DOCUMENT_TIME, Document

Ends = tuple[str, str]
"""Ids of the two ends of a pair; DOCUMENT_TIME for the document's own time."""
MOST = 48  # pairs of a row; more make another row of the same window
MARKERS = ("levitated", "solid")
SIGNS = ("@", "#")
"""Solid markers of the earlier and the later end: words that every vocabulary has trained, so nothing new is learnt
(Zhou and Chen 2022, AACL, "entity marker (punct)")."""


@dataclass(frozen=True)
class Layout:
    """How a base reads rows.

    block: tokens of a block, half a window. first, last: ids of [CLS] and [SEP]. twin_type: token type of twins.
    offset: position number of the first token (RoBERTa counts from behind its padding id). types: rows have types.
    marks: ids of the two solid markers; () for twins.
    """

    tokenizer: Any
    block: int
    first: int
    last: int
    types: bool = True
    offset: int = 0
    marks: tuple[int, ...] = ()

    @property
    def context(self) -> int:
        """Tokens to either side of a pair with solid markers: 23 in a window of 128."""
        return 3 * self.block // 8

    def row(
        self, text: Sequence[int], twins: Sequence[tuple[int, int]], label: Any = None, meta: Any = None
    ) -> Example:
        """text: ids, [CLS] first; twins: places in it of the two ends of each pair."""
        n = len(text)
        places = [*range(n), *(at for pair in twins for at in pair)]
        return Example(
            ids=tuple(text[at] for at in places),
            label=label,
            types=(0,) * n + (1,) * (2 * len(twins)) if self.types else None,
            meta=meta,
            pairs=tuple((n + 2 * k, n + 2 * k + 1) for k in range(len(twins))),
            positions=tuple(at + self.offset for at in places),
            groups=(0,) * n + tuple(k // 2 + 1 for k in range(2 * len(twins))),
        )


def layout(model: nn.Module, tokenizer: Any, window: int = 256, markers: str = "levitated") -> Layout:
    """The layout for a base, a window of so many tokens, and one of MARKERS.

    Raises:
        RecipeError: other markers.
        AttachError: the base takes no position numbers (DeBERTa, T5), so no token can stand where another stands.
        DataError: the window is longer than the base reads, or too short to hold two events.
    """
    if markers not in MARKERS:
        raise RecipeError(explain(f"markers={markers!r}.", f"They are {' or '.join(MARKERS)}."))
    config: Any = getattr(model, "config", None)
    takes = inspect.signature(model.forward).parameters
    if "position_ids" not in takes or not hasattr(config, "max_position_embeddings"):
        raise AttachError(
            explain(
                f"{type(model).__name__} takes no position numbers, which relations need.",
                "Bases that do: BERT, MiniLM, RoBERTa, ELECTRA, MPNet's relatives with absolute positions.",
            )
        )
    offset, most = _offset(config), longest(model)
    if not 16 <= window <= most:
        raise DataError(explain(f"window={window} tokens: this base reads 16 to {most}."), window=window)
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    if first is None or last is None:
        raise AttachError(explain("The base's tokenizer has no [CLS] and [SEP].", "Relations need an encoder's."))
    types = markers != "solid" and getattr(config, "type_vocab_size", 0) > 1
    return Layout(tokenizer, (window - 4) // 2, first, last, types, offset, _signs(tokenizer, markers))


def _signs(tokenizer: Any, markers: str) -> tuple[int, ...]:
    """Ids of SIGNS in the midst of words, or (). Raises AttachError for a vocabulary without them."""
    if markers != "solid":
        return ()
    ids = tuple(tokenizer(f". {sign} .", add_special_tokens=False)["input_ids"][1] for sign in SIGNS)
    if tokenizer.unk_token_id in ids or len(set(ids)) < len(SIGNS):
        raise AttachError(explain(f"The vocabulary lacks {' or '.join(SIGNS)}, the solid markers.", "Try levitated."))
    return ids


def longest(model: nn.Module) -> int:
    """Tokens that a base reads at once."""
    config: Any = model.config
    return int(getattr(config, "max_position_embeddings", 0)) - _offset(config)


def _offset(config: Any) -> int:
    return config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert") else 0


class Tokens:
    """A document's tokens: ids, their characters, and which token holds a character."""

    def __init__(self, document: Document, layout: Layout) -> None:
        made = layout.tokenizer(document.text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        self.ids: list[int] = made["input_ids"]
        self.starts = [start for start, _ in made["offset_mapping"]]
        self.ends = [end for _, end in made["offset_mapping"]]

    def at(self, start: int) -> int:
        """The token that holds the character `start`, or the next one after it."""
        return min(bisect_right(self.ends, start), len(self.ids) - 1)

    def range(self, start: int, end: int) -> tuple[int, int]:
        """Half-open range of the tokens of text[start:end], at least one."""
        first = self.at(start)
        return first, max(first + 1, bisect_left(self.starts, end))


def rows(
    document: Document, asked: Iterable[Ends], layout: Layout, labels: Mapping[Ends, Any] | None = None
) -> list[Example]:
    """Rows that ask about these pairs; every pair is in exactly one row.

    Returns rows whose `meta` is (document id, pairs in the order of `Example.pairs`), and whose `label` is the tuple
        of `labels` of these pairs, where labels are given.
    Raises DataError for an empty text, and KeyError for an id that the document does not have.
    """
    tokens = Tokens(document, layout)
    if not tokens.ids:
        raise DataError(explain(f"{document.id}: the text has no tokens.", "A document needs words."))
    if layout.marks:
        made = ((pair, marked(document, pair, tokens, layout)) for pair in dict.fromkeys(asked))
        return [
            replace(row, label=None if labels is None else (labels[pair],), meta=(document.id, (pair,)))
            for pair, row in made
        ]
    spans = {x.id: tokens.at(x.start) for x in document.marks}
    windows: dict[tuple[tuple[int, int], ...], list[Ends]] = defaultdict(list)
    for pair in dict.fromkeys(asked):
        places = sorted(spans[end] for end in pair if end != DOCUMENT_TIME)
        windows[_window(places or [0], len(tokens.ids), layout.block)].append(pair)
    found = []
    for pieces, pairs in windows.items():
        text, place = _text(tokens, pieces, layout)
        for i in range(0, len(pairs), MOST):
            part = pairs[i : i + MOST]
            twins = [tuple(0 if end == DOCUMENT_TIME else place[spans[end]] for end in pair) for pair in part]
            label = None if labels is None else tuple(labels[pair] for pair in part)
            found.append(layout.row(text, twins, label, (document.id, tuple(part))))  # type: ignore[arg-type]
    return found


def marked(document: Document, pair: Ends, tokens: Tokens, layout: Layout) -> Example:
    """The row of one pair with solid markers around its ends, the earlier one's first; `Example.pairs` is in the order
    asked. Ends too far apart for a window get one stretch each."""
    where = {x.id: tokens.range(x.start, x.end) for x in document.marks if x.id in pair}
    ends = sorted(where, key=lambda end: where[end])
    text, place = [layout.first], {DOCUMENT_TIME: 0}
    for start, stop in _stretches([where[end] for end in ends], len(tokens.ids), layout):
        for at in range(start, stop + 1):
            for mark, end in zip(layout.marks, ends, strict=False):
                if where[end][1] == at and end in place:
                    text.append(mark)
            for mark, end in zip(layout.marks, ends, strict=False):
                if where[end][0] == at and end not in place:
                    place[end] = len(text)
                    text.append(mark)
            text += tokens.ids[at : min(at + 1, stop)]
        text.append(layout.last)
    return Example(ids=tuple(text), pairs=((place[pair[0]], place[pair[1]]),))


def _stretches(ends: Sequence[tuple[int, int]], length: int, layout: Layout) -> list[tuple[int, int]]:
    """Token ranges to read around these ends: from `context` before the first to as far behind the last, or, where that
    is more than a window, a block around each."""
    first, last = ends[0], ends[-1]
    near = [(first[0] - layout.context, last[1] + layout.context)]
    if last[1] - first[0] + 2 * layout.context > 2 * layout.block:
        near = [(start - layout.context, start + layout.block - layout.context) for start, _ in ends]
    return [(max(0, start), min(stop, length)) for start, stop in near]


def _window(places: Sequence[int], length: int, block: int) -> tuple[tuple[int, int], ...]:
    """Token ranges that hold these one or two places: one stretch of two blocks, or two stretches of one each.

    Stretches start at multiples of a block, so that pairs near each other share one; the one where the nearer end of
    the stretch is farthest from both places is taken.
    """
    low, high = places[0], places[-1]
    if length <= 2 * block:
        return ((0, length),)
    if high - low < block:
        return (_best(low, high, length, 2 * block, block),)
    return _best(low, low, length, block, block // 2), _best(high, high, length, block, block // 2)


def _best(low: int, high: int, length: int, size: int, step: int) -> tuple[int, int]:
    starts = [*range(0, length - size, step), length - size]
    start = max(starts, key=lambda s: (min(low - s, s + size - 1 - high), -s))
    return start, start + size


def _text(tokens: Tokens, pieces: Sequence[tuple[int, int]], layout: Layout) -> tuple[list[int], dict[int, int]]:
    """Ids of a row's text, and where each token of the document stands in it."""
    text, place = [layout.first], {}
    for start, end in pieces:
        place.update({at: len(text) + at - start for at in range(start, end)})
        text += [*tokens.ids[start:end], layout.last]
    return text, place
