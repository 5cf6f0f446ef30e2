"""An extractor ready for use: a base, an adapter with its heads, and from a document to scored relations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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
from .bounds import dates_of
from .decode import Decoded, decode
from .instants import Instants, sure
from .model import Said, ask
from .pairs import MARKERS, Ends, Layout, layout
from .schema import CAUSAL, DOCUMENT_TIME, TEMPORAL, Document, Event, Relation
from .stated import FIRM, UNRELATED, WITHIN, Chances, besides, by_dates, by_signals

FILE = "relations.json"
WINDOW = 128
REACH = 2  # sentences between two events that the model is asked about; the rest follows
HEADS = ("temporal", "causal")
NEWS = {"BEFORE": 0.507, "AFTER": 0.337, "EQUAL": 0.035}  # shares of pairs in MATRES (Ning et al. 2018)
MOST_SHIFT = 5.0
RARE = (1.0, 1 / MOST_SHIFT, 1 / MOST_SHIFT)
"""One pair in a hundred of news is causal (Causal-TimeBank); training one in thirteen or more, to learn from."""
ENOUGH_CAUSES = 200
"""Causal pairs in running text from which an extractor's own word on causes is taken. With 42, 10 of 177 that it called
causal in news were (results/dates); with 250 of the same news, F1 is .32 (results/relations_corpora)."""
ENOUGH = 1000
"""Examples from which an extractor is asked about the day of writing; with 606, 33 % were right (results/dates)."""


def settings(window: int, corpora: Iterable[str], **more: Any) -> bytes:
    """The file beside an adapter that says how it was trained to read."""
    return json.dumps({"window": window, "corpora": sorted(corpora), **more}, indent=1).encode()


def about(folder: str | Path) -> dict[str, Any]:
    """What `settings` wrote into an adapter's folder; {} where that is missing or damaged."""
    try:
        found = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def news_shift(labels: Mapping[str, int]) -> tuple[float, ...]:
    """Factors of the temporal probabilities that turn the labels' shares in training into those of news.

    Corpora differ in how often events start together; a model carries its own corpora's shares along. Bayes' rule with
    other priors (Saerens et al. 2002, Neural Computation), for BEFORE, AFTER and EQUAL; VAGUE, which most corpora do
    not annotate, is left as it is. No factor is above 5 or below a fifth. labels: counts in training; ones without.
    """
    total, news = sum(labels.get(name, 0) for name in NEWS), sum(NEWS.values())
    if not total:
        return (1.0,) * len(TEMPORAL)
    factors = {n: (NEWS[n] / news) / max(labels.get(n, 0) / total, 1e-9) for n in NEWS}
    return tuple(min(max(factors.get(name, 1.0), 1 / MOST_SHIFT), MOST_SHIFT) for name in TEMPORAL)


@dataclass(frozen=True)
class Extractor:
    """model has `adapter` attached. shift: factors of its temporal probabilities in `decode`; see `news_shift`.

    rare: the same of its causal ones.
    today: it learnt enough about events and the day of writing to be asked about them in `decode`.
    causes: it learnt enough about causes in running text to be believed; else only those that the text states count.
    """

    model: nn.Module
    adapter: Adapter
    layout: Layout
    shift: tuple[float, ...] = (1.0,) * len(TEMPORAL)
    rare: tuple[float, ...] = (1.0,) * len(CAUSAL)
    today: bool = True
    causes: bool = True

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
        how = about(folder)
        try:
            window, labels = int(how["window"]), dict(how.get("labels", {}))
            today = int(how.get("document_time", ENOUGH)) >= ENOUGH
            causes = int(how.get("causes", ENOUGH_CAUSES)) >= ENOUGH_CAUSES
        except (ValueError, KeyError, TypeError):
            window, labels, today, causes = WINDOW, {}, True, True
        markers = how.get("markers", MARKERS[0])
        name = base or adapter.base.get("name")
        if not name:
            raise WrongBase(explain(f"{folder} does not say which base it belongs to.", "Name it: --base minilm"))
        made = cls.of(load_model(name), adapter, tokenizer(name), window, markers)
        return replace(made, shift=news_shift(labels), rare=RARE, today=today, causes=causes)

    @classmethod
    def of(
        cls, model: nn.Module, adapter: Adapter, words: Any, window: int = WINDOW, markers: str = MARKERS[0]
    ) -> Extractor:
        """Attach `adapter` to `model`; `close` takes it off again."""
        attach(model, adapter)
        return cls(model.eval(), adapter, layout(model, words, window, markers))

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
        pairs = [p for p in near_pairs(document, reach) if self.today or DOCUMENT_TIME not in p]
        (raw,) = self.ask([(document, pairs)])
        dates, _ = dates_of(document)
        said = {pair: self._shifted(s) for pair, s in raw.items()}
        stated = {p: t for p, t in by_dates(document, dates).items() if p in said}
        signals = {p: c for p, c in by_signals(document).items() if p in said}
        said = self._with_text(said, stated, signals)
        known = {e.id for e in document.events}
        between = {p: s for p, s in said.items() if set(p) <= known}
        if not between:
            return Reading(document, said, None, frozenset((*p, "temporal") for p in stated), besides(document))
        placed = {p: s for p, s in said.items() if p not in between and sure(p, s, dates)}
        instants = Instants.of(dates, placed)
        firm = {p: replace(s, temporal=FIRM) for p, s in placed.items() if p in stated}
        against = instants.scores(placed | firm)
        scores = {p: log(s.temporal) for p, s in between.items()} | {p: log(t) for p, t in against.items()}
        causes = {p: log(s.causal) for p, s in between.items()}
        order = [x.id for x in sorted(document.marks, key=lambda x: (x.start, x.end))] + [DOCUMENT_TIME, *instants.ends]
        decoded = decode(scores, causes, instants.calendar(against), events=order, **options)
        kept = {p: s for p, s in placed.items() if instants.agrees(p, s, decoded.labels)}
        own = replace(
            decoded,
            labels={p: label for p, label in decoded.labels.items() if p in between},
            inferred=tuple(d for d in decoded.inferred if {d.relation.source, d.relation.target} <= known),
            changed=tuple(instants.told(c) for c in decoded.changed if {c.source, c.target} <= known),
        )
        held = {(*p, "temporal") for p, t in stated.items() if p in kept or _is(t, TEMPORAL, own.labels.get(p))}
        held |= {(*p, "causal") for p, c in signals.items() if _is(c, CAUSAL, own.causal.get(p))}
        lost = [p for p, t in stated.items() if t == WITHIN and (*p, "temporal") not in held]
        return Reading(document, between | kept, own, frozenset(held), beside=besides(document, lost))

    def _with_text(
        self, said: dict[Ends, Said], stated: Mapping[Ends, Chances], signals: Mapping[Ends, Chances]
    ) -> dict[Ends, Said]:
        """What is said, with what the text states of times and causes in its place."""
        own = said if self.causes else {p: replace(s, causal=UNRELATED) for p, s in said.items()}
        own = own | {p: replace(own[p], temporal=t) for p, t in stated.items()}
        return own | {p: replace(own[p], causal=c) for p, c in signals.items()}

    def _shifted(self, said: Said) -> Said:
        p = [a * b for a, b in zip(said.temporal, self.shift, strict=True)]
        c = [a * b for a, b in zip(said.causal, self.rare, strict=True)]
        return Said(tuple(x / sum(p) for x in p), tuple(x / sum(c) for x in c))


def _is(chances: Chances, labels: Sequence[str], label: str | None) -> bool:
    """Whether `label` is the most probable one."""
    return labels[chances.index(max(chances))] == label


def log(p: Sequence[float]) -> list[float]:
    """Log-probabilities, finite."""
    return torch.tensor(p, dtype=torch.float64).clamp(min=1e-9).log().tolist()


@dataclass(frozen=True)
class Reading:
    """What the model said of a document, and the graph of its events; None without two events in reach.

    said: of every pair of events asked about, and of events with times where it is sure and the graph agrees.
    stated: (source, target, kind) of these of which not the model but the text itself says it (stated.py).
    beside: what the text states besides: deadlines, and dates that cannot hold with the rest.
    """

    document: Document
    said: dict[Ends, Said]
    decoded: Decoded | None
    stated: frozenset[tuple[str, str, str]] = frozenset()
    beside: tuple[Relation, ...] = ()


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


def with_events(document: Document, found: Iterable[events.Found]) -> Document:
    """The document with these events instead of its own."""
    return replace(document, events=events.as_events(found), relations=())
