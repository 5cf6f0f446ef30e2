"""From an adapter's folder and documents to an audit and its report: what `rankwise audit` calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..data import folder
from ..errors import BadFile, explain
from ..relations.corpora import read as read_corpus
from ..relations.extract import Extractor
from ..relations.schema import Document
from .audit import Audit, How, audit
from .audit_report import audit_report
from .cue import Case, Cue
from .cue_table import read_cues
from .gate_outcomes import some_cases
from .gate_study import cues_for, refuse_cues
from .order_reader import OrderReader
from .report import Report
from .side_by_side import Beside, side_by_side

PAIRS, QUICK_PAIRS, QUICK_DOCUMENTS, QUICK_SIMULATIONS = 2000, 400, 200, 5
SCANNED = 10  # times as many pairs as are wanted are looked through for rare cues
RARE = 0.1  # share of the pairs below which a cue is rare


@dataclass(frozen=True)
class Asked:
    """How an adapter is audited.

    Args:
        cues: names of those audited and held fixed; default all. Others are tried where edits and estimate disagree.
        pairs: of events at most, drawn by seed; default 2,000, or 400 if quick.
        quick: 200 documents at most and few simulations of each refuter.
        base: the base model, if it is no longer where training found it.
        tell: called with a line on what is done next.
    """

    cues: tuple[str, ...] | None = None
    pairs: int | None = None
    quick: bool = False
    seed: int = 0
    base: str | None = None
    how: How = How()  # noqa: RUF009 frozen, so shared
    tell: Callable[[str], None] | None = None

    def say(self, line: str) -> None:
        if self.tell is not None:
            self.tell(line)


@dataclass(frozen=True)
class Found:
    """audits: by adapter folder, in the order given. beside: both adapters by cue, if there are two."""

    audits: dict[str, Audit]
    beside: tuple[Beside, ...]
    report: Report


def audit_adapter(
    adapter: str | Path, data: str | Path, asked: Asked | None = None, *, against: str | Path | None = None
) -> Found:
    """By which cues an adapter orders the events of documents, and those of another adapter beside it.

    data: a .jsonl file of documents with events, or a folder of them.

    Raises:
        UnknownName: a cue that is not there. BadFile: an adapter that was not trained for relations, or one folder
            given twice. DataError: documents without two events, or without any of the cues.
    """
    asked = asked or Asked()
    refuse_cues(asked.cues or ())
    if against is not None and Path(against).resolve() == Path(adapter).resolve():
        raise BadFile(explain(f"{adapter} is given twice.", "Another adapter is set against it: --against OTHER"))
    cases, cues, others, notes = _cases(data, asked)
    how = replace(asked.how, simulations=QUICK_SIMULATIONS) if asked.quick else asked.how
    audits = {}
    for one in (adapter, *(() if against is None else (against,))):
        asked.say(f"{_said(one)}: {len(cases):,} pairs of events, each cue set both ways")
        extractor = Extractor.load(one, asked.base)
        try:
            audits[_said(one)] = audit(cases, OrderReader(extractor), cues, others=others, seed=asked.seed, how=how)
        finally:
            extractor.close()
    both = list(audits.values())
    beside = side_by_side(both[0], both[1]) if len(both) == 2 else ()
    return Found(audits, beside, audit_report(audits, beside, data=str(data), notes=notes))


def _said(adapter: str | Path) -> str:
    """An adapter as a reader of the report knows it."""
    return "packaged" if Path(adapter) == folder("timeline_reader") else str(adapter)


def _cases(data: str | Path, asked: Asked) -> tuple[list[Case], tuple[Cue, ...], tuple[Cue, ...], list[str]]:
    """Pairs, cues to audit, cues to try beside, and what a reader of the report should know about the choice."""
    documents: Sequence[Document] = read_corpus("jsonl", data).documents
    notes = []
    if asked.quick and len(documents) > QUICK_DOCUMENTS:
        notes.append(f"Quick: {QUICK_DOCUMENTS} of {len(documents):,} documents, drawn by seed.")
        drawn = np.random.default_rng(asked.seed).choice(len(documents), QUICK_DOCUMENTS, replace=False)
        documents = [documents[i] for i in np.sort(drawn)]
    most = asked.pairs or (QUICK_PAIRS if asked.quick else PAIRS)
    cases = some_cases(data, documents, most * SCANNED, asked.seed)
    cues, known = cues_for(cases, asked.cues), cues_for(cases)
    if len(cases) > most:
        notes.append(f"{most:,} of {len(cases):,} pairs; those with a rare cue were taken first, half at most.")
        cases = scarce_first(cases, known, most, asked.seed)
    names = {cue.name for cue in cues}
    return cases, cues, tuple(cue for cue in known if cue.name not in names), notes


def scarce_first(cases: Sequence[Case], cues: Sequence[Cue], most: int, seed: int = 0) -> list[Case]:
    """So many of the cases, in their order: half at most by turns from those with a rare cue, the rest at random.

    A connective stands between one pair in a hundred of news: without this an audit would edit a handful. The effect of
    an edit is over cases that have the cue, which this leaves alone; how common a cue is can no longer be read off.
    """
    rng = np.random.default_rng([seed, 7])
    there = ~np.isnan(read_cues(cases, cues))
    rare = [k for k in range(len(cues)) if 0 < there[:, k].mean() < RARE]
    queues = [rng.permutation(np.flatnonzero(there[:, k])).tolist() for k in rare]
    chosen: set[int] = set()
    while any(queues) and len(chosen) < most // 2:
        for queue in queues:
            if queue and len(chosen) < most // 2:
                chosen.add(queue.pop())
    rest = rng.permutation([i for i in range(len(cases)) if i not in chosen])[: most - len(chosen)]
    return [cases[i] for i in sorted(chosen | set(rest.tolist()))]
