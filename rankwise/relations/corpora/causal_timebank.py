"""Causal-TimeBank: 318 CLINKs over TimeBank's documents, one sentence a line.

Its ids were numbered anew: they are not those of TempEval-3, MATRES or TimeBank-Dense. Source: Mirza et al. 2014.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..schema import Corpus, Document, Problem, Relation
from .source import folder_of, need
from .timeml import Parsed, documents, tlinks


def read(folder: str | Path | None = None, *, without: Iterable[str] = ()) -> Corpus:
    """CLINKs (source causes target) and the TLINKs of the same files. Raises BadFile for a folder without CLINKs.

    Pairs of one sentence without a CLINK are negatives, as in the literature: `dense` says so.
    without: ids of documents to leave out; one that is not there is a Problem.
    """
    path = folder_of(folder, "causal-timebank")
    texts, problems = documents(path, "Causal-TimeBank", "*.tml", "*.xml", without=without)
    found = []
    for made in texts.values():
        order, wrong = tlinks(made)
        causes, lost = _clinks(made)
        dense = frozenset({"causal"})
        found.append(replace(made.document, relations=(*order, *causes), dense=dense))
        problems += [*made.problems, *wrong, *lost]
    need(not texts or any(d.of_kind("causal") for d in found), path, "Causal-TimeBank", "CLINK")
    return Corpus("causal-timebank", tuple(found), tuple(problems), "text: research and academic use only")


def _clinks(made: Parsed) -> tuple[list[Relation], list[Problem]]:
    relations, problems = [], []
    for node in made.root.iter("CLINK"):
        ends = [made.instances.get(node.get(f, ""), "") for f in ("eventInstanceID", "relatedToEventInstance")]
        if not all(end in made.names for end in ends) or ends[0] == ends[1]:
            problems.append(Problem(made.document.id, "CLINK to an unknown id", node.get("lid", node.get("id", ""))))
            continue
        relations.append(Relation(made.names[ends[0]], made.names[ends[1]], "CAUSES", "causal", "CLINK"))
    return relations, problems


def folds(documents: Iterable[Document], count: int = 10, seed: int = 0) -> list[list[str]]:
    """Document ids in `count` folds of like size, by a fixed shuffle."""
    names = sorted(d.id for d in documents)
    return [
        [names[i] for i in part] for part in np.array_split(np.random.default_rng(seed).permutation(len(names)), count)
    ]
