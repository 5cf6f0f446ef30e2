"""Corpora of temporal and causal relations, by name: one file each, all giving the same documents."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import UnknownName, explain, nearest
from ..schema import Corpus

PATHS = {
    "matres": "rankwise.relations.corpora.matres",
    "tlink": "rankwise.relations.corpora.timeml",
    "tb-dense": "rankwise.relations.corpora.tbdense",
    "eventstoryline": "rankwise.relations.corpora.eventstoryline",
    "causal-timebank": "rankwise.relations.corpora.causal_timebank",
    "meantime": "rankwise.relations.corpora.meantime",
    "uds-time": "rankwise.relations.corpora.uds",
    "semeval-2010-8": "rankwise.relations.corpora.semeval",
    "because": "rankwise.relations.corpora.because",
    "jsonl": "rankwise.relations.corpora.jsonl",
}
"""Each module has `read(folder=None, **options) -> Corpus`; folder None takes what travels inside the package."""


def read(name: str, folder: str | Path | None = None, **options: Any) -> Corpus:
    """The corpus called `name`, from `folder`, or from inside the package where it may travel there.

    Raises:
        UnknownName: no such corpus. BadFile: the folder is missing, or is another corpus's; the message says which
            files were looked for. TypeError: an option that this reader does not have.
    """
    if name not in PATHS:
        raise UnknownName(
            explain(
                f"corpus {name!r} is not known.",
                f"Known: {', '.join(PATHS)}. Nearest: {', '.join(nearest(name, PATHS))}.",
            ),
            name=name,
            known=list(PATHS),
        )
    reader: Callable[..., Corpus] = import_module(PATHS[name]).read
    return reader(folder, **options)
