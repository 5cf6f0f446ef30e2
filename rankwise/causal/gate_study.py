"""From an adapter's folder and data to a report on its gates: the extractor of relations, or an adapter for a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from .. import io
from ..core.adapter import Adapter
from ..core.host import attached
from ..errors import DataError, UnknownName, explain, nearest
from ..relations.corpora import read as read_corpus
from ..relations.extract import HEADS, Extractor
from ..tasks.folder import Opened
from ..tasks.table import Columns, read_table
from . import cues as free
from .cue import Case, Cue
from .design import PER_SWITCH
from .gate_outcomes import CaseReader, cue_outcome, some_cases, table_outcome
from .gate_report import gate_report
from .gates import Outcome, experiment
from .measured import Experiment
from .plots import plot_of
from .report import Report
from .story_cues import CUES, NAMES
from .subspace import overlaps, svd_basis
from .switches import switches

PAIRS, ROWS = 16, 200
"""Pairs of events for each cue, and rows of a table, that are asked about under every mask, unless told otherwise."""
LOOKED = 1_000
"""Pairs that are looked at for cues that can be edited, drawn by seed."""


@dataclass(frozen=True)
class Study:
    """How gates are asked. Arguments as of `switches` and `experiment`, and:

    Args:
        most: pairs of events for each cue, or rows, at most, drawn by seed; default 16 pairs, 200 rows.
        singular: the same experiment again, in the basis of singular vectors.
        against: another adapter's folder, of another seed, whose directions are compared.
        base: the base model, if it is no longer where training found it.
        tell: called with (runs done, runs to do).
    """

    by: str = "auto"
    within: str | None = None
    per_switch: int = PER_SWITCH
    exact: bool | None = None
    seed: int = 0
    most: int | None = None
    singular: bool = False
    against: Path | None = None
    base: str | None = None
    tell: Callable[[int, int], None] | None = None


def is_extractor(adapter: Adapter) -> bool:
    return set(HEADS) <= set(adapter.heads)


def study_relations(
    folder: str | Path, data: str | Path, how: Study | None = None, *, cues: Sequence[str] | None = None
) -> tuple[Experiment, Report]:
    """How much each cue moves an extractor, by its gates; and its accuracy, where documents have labels.

    data: a .jsonl file of documents, or a folder of them. cues: names; default all.

    Raises:
        UnknownName: a cue that is not there. DataError: documents without events, or without any cue that can be
            edited. Others as `Extractor.load`, `relations.corpora.read`, `switches` and `experiment`.
    """
    how = how or Study()
    refuse_cues(cues or ())
    corpus = read_corpus("jsonl", data)
    cases = some_cases(data, corpus, LOOKED, how.seed)
    extractor = Extractor.load(folder, how.base)
    try:
        outcome = cue_outcome(CaseReader(extractor), cases, cues_for(cases, cues), how.most or PAIRS)
        return _study(extractor.model, extractor.adapter, outcome, how, str(folder))
    finally:
        extractor.close()


def study_table(
    folder: str | Path,
    table: str | Path,
    how: Study | None = None,
    *,
    columns: Columns | None = None,
    task: str | None = None,
) -> tuple[Experiment, Report]:
    """Accuracy and likelihood of a table adapter on labelled rows, by its gates. columns: default those of training.

    Raises:
        DataError: nobody says which column holds the label. Others as `read_table`, `switches` and `experiment`.
    """
    how = how or Study()
    opened = Opened.read(folder, how.base)
    _, head = opened.head(task)
    given = columns or opened.columns(task=task)
    if given.label is None:
        raise DataError(explain(f"{folder} does not say which column holds the label.", "Name it: --label <column>"))
    found = read_table(table, given, kind=head.kind, sep=opened.reading(task).sep)
    most = how.most or ROWS
    if len(found) > most:
        found = found.take(np.sort(np.random.default_rng(how.seed).choice(len(found), most, replace=False)).tolist())
    rows = opened.rows(found, task)
    with _on(opened.model(), opened.adapter) as model:
        outcome = table_outcome(model, opened.task(rows, task), rows)
        return _study(model, opened.adapter, outcome, how, str(folder))


@contextmanager
def _on(model: nn.Module, adapter: Adapter) -> Iterator[nn.Module]:
    with attached(model, adapter):
        yield model.eval()


def refuse_cues(names: Sequence[str]) -> None:
    """Raises UnknownName for the first name that is no cue's."""
    for name in names:
        if name not in NAMES:
            near = nearest(name, NAMES, most=1)[0]
            raise UnknownName(
                explain(f"cue {name!r} is not known.", f"Known: {', '.join(NAMES)}. Nearest: {near}"), name=name
            )


def cues_for(cases: Sequence[Case], names: Sequence[str] | None = None) -> tuple[Cue, ...]:
    """The cues of these names, or all: exact ones where every text is a story of ours, else those of free text."""
    stories = all(plot_of(case.document.text) is not None for case in cases)
    known: dict[str, Cue] = {cue.name: cue for cue in (CUES if stories else free.CUES)}
    return tuple(known[name] for name in dict.fromkeys(names or known))


def _study(model: nn.Module, adapter: Adapter, outcome: Outcome, how: Study, name: str) -> tuple[Experiment, Report]:
    shared = overlaps(adapter, io.load(how.against)) if how.against is not None else ()

    def run() -> Experiment:
        given = switches(model, how.by, how.within)
        return experiment(
            model, outcome, given, per_switch=how.per_switch, exact=how.exact, seed=how.seed, tell=how.tell
        )

    found, turned = run(), None
    if how.singular:
        with svd_basis(model):
            turned = run()
    report = gate_report(found, f"Gates of {name}", singular=turned, shared=shared, other=str(how.against or ""))
    return found, report
