"""An extractor ready for use: a base, an adapter with its heads, and from a document to scored relations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..core.adapter import Adapter
from ..core.host import attach, detach
from ..errors import BadFile, WrongBase, explain
from ..io import load as load_adapter
from ..models import load as load_model
from ..models import tokenizer
from . import events
from .decode import Decoded, decode
from .model import Said, ask
from .pairs import Ends, Layout, layout
from .schema import DOCUMENT_TIME, Document, Event

FILE = "relations.json"
WINDOW = 128
REACH = 2  # sentences between two events that the model is asked about; the rest follows
HEADS = ("temporal", "causal")


def settings(window: int, corpora: Iterable[str], **more: Any) -> bytes:
    """The file beside an adapter that says how it was trained to read."""
    return json.dumps({"window": window, "corpora": sorted(corpora), **more}, indent=1).encode()


def lean(name: str | Path = "minilm") -> nn.Module:
    """A base without dropout on its attention: half the time on a processor, where the fast kernel has none."""
    return load_model(name, attention_probs_dropout_prob=0.0)


@dataclass(frozen=True)
class Extractor:
    """model has `adapter` attached. window: tokens that it reads at once."""

    model: nn.Module
    adapter: Adapter
    layout: Layout

    @classmethod
    def load(cls, folder: str | Path, base: str | Path | None = None) -> Extractor:
        """The extractor in an adapter folder.

        Raises:
            BadFile: no adapter there, or one that was not trained for relations; the message names its heads.
        """
        adapter = load_adapter(folder)
        missing = [name for name in HEADS if name not in adapter.heads]
        if missing:
            raise BadFile(
                explain(
                    f"{folder} answers {', '.join(adapter.heads) or 'nothing'}: it was not trained for relations.",
                    f"An extractor has the heads {', '.join(HEADS)}.",
                    "To train one: rankwise relations train --corpus meantime --out out/relations",
                ),
                path=Path(folder),
            )
        try:
            how = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
            window = int(how["window"])
        except (OSError, ValueError, KeyError, TypeError):
            window = WINDOW
        name = base or adapter.base.get("name")
        if not name:
            raise WrongBase(explain(f"{folder} does not say which base it belongs to.", "Name it: --base minilm"))
        return cls.of(lean(name), adapter, tokenizer(name), window)

    @classmethod
    def of(cls, model: nn.Module, adapter: Adapter, words: Any, window: int = WINDOW) -> Extractor:
        """Attach `adapter` to `model`; `close` takes it off again."""
        attach(model, adapter)
        return cls(model.eval(), adapter, layout(model, words, window))

    def close(self) -> nn.Module:
        """The model as it came."""
        detach(self.model)
        return self.model

    def find(self, documents: Sequence[Document], threshold: float = 0.5) -> list[tuple[events.Found, ...]]:
        """Events of each document. Raises BadFile where the adapter has no head for them."""
        if events.NAME not in self.adapter.heads:
            raise BadFile(
                explain(
                    "this adapter finds no events: it has no head for them.",
                    "Give documents with events, or train with a corpus that teaches them, such as meantime.",
                )
            )
        return events.detect(self.model, None, documents, self.layout, threshold=threshold)

    def ask(self, asked: Sequence[tuple[Document, Sequence[Ends]]]) -> list[dict[Ends, Said]]:
        """Probabilities for every pair of every document."""
        return ask(self.model, None, asked, self.layout)

    def decode(self, document: Document, reach: int = REACH, **options: Any) -> Reading:
        """Ask about every pair in reach, and decode what is said into one consistent graph."""
        pairs = near_pairs(document, reach)
        (said,) = self.ask([(document, pairs)])
        between = {p: s for p, s in said.items() if _events_only(document, p)}
        order = [e.id for e in document.events]
        scores = {p: log(s.temporal) for p, s in between.items()}
        causes = {p: log(s.causal) for p, s in between.items()}
        decoded = decode(scores, causes, events=order, **options) if scores else None
        return Reading(document, said, decoded)


def log(p: Sequence[float]) -> list[float]:
    """Log-probabilities, finite."""
    return torch.tensor(p, dtype=torch.float64).clamp(min=1e-9).log().tolist()


@dataclass(frozen=True)
class Reading:
    """What the model said of a document, pair by pair, and the graph made of it; None without two events in reach."""

    document: Document
    said: dict[Ends, Said]
    decoded: Decoded | None


def near_pairs(document: Document, reach: int = REACH) -> list[Ends]:
    """Pairs to ask about, in the order of the text: events at most `reach` sentences apart, every event with the times
    of its own sentence, and with the document's own time where there is one."""
    found: list[Ends] = []
    marks = sorted(document.marks, key=lambda x: (x.start, x.end))
    sentence = {x.id: document.sentence_of(x.start) for x in marks}
    for i, a in enumerate(marks):
        for b in marks[i + 1 :]:
            apart = sentence[b.id] - sentence[a.id]
            kinds = isinstance(a, Event) + isinstance(b, Event)
            if (kinds == 2 and apart <= reach) or (kinds == 1 and apart == 0):
                found.append((a.id, b.id))
        if isinstance(a, Event) and document.created:
            found.append((a.id, DOCUMENT_TIME))
    return found


def _events_only(document: Document, pair: Ends) -> bool:
    known = {e.id for e in document.events}
    return set(pair) <= known


def with_events(document: Document, found: Iterable[events.Found]) -> Document:
    """The document with these events instead of its own."""
    return replace(document, events=events.as_events(found), relations=())
