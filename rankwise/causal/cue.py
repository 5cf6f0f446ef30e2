"""The nouns of an audit: a case, a cue that can be read and edited, and a reader whose answers are explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..relations.pairs import Ends
from ..relations.schema import Document


@dataclass(frozen=True)
class Case:
    """One pair of events of a document: a row of the cue table, and a text that can be edited.

    pair: ids of the two events; an edit keeps the ids, whatever becomes of the words and their order.
    style: a group of documents, for effects by style (source, genre, template).
    label: of pair[0] to pair[1], where somebody annotated it.
    """

    document: Document
    pair: Ends
    style: str = ""
    label: str | None = None

    @property
    def distance(self) -> int:
        """Sentences between the two events."""
        a, b = (self.document.sentence_of(self.document.span(end)[0]) for end in self.pair)
        return abs(a - b)

    @property
    def mentioned(self) -> Ends:
        """The pair in the order of the text."""
        first, second = sorted(self.pair, key=self.document.span)
        return first, second


class Cue(Protocol):
    """An attribute of the text that a reader may use: binary, readable, and sometimes editable.

    name: short, for tables. legitimate: whether it may decide the order by itself (a connective may; the order of
        mention may not where something explicit is said).
    """

    @property
    def name(self) -> str: ...

    @property
    def legitimate(self) -> bool: ...

    def value(self, case: Case) -> int | None:
        """0 or 1; None where the text does not have the cue."""
        ...

    def edit(self, case: Case, value: int) -> Case | None:
        """The case with the cue at this value and all else held; None where the effect on the text is not certain."""
        ...


Reader = Callable[[Sequence[Case]], np.ndarray]
"""Cases to the probability, [n] in 0..1, that pair[0] starts before pair[1]."""
