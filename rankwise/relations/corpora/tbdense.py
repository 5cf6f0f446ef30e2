"""TimeBank-Dense: every pair of events and times in neighbouring sentences, six labels, 36 documents of TimeBank.

The list names events by eid and times by tid; t0 is the document's time. Labels become start points: INCLUDES says
that the source began first, IS_INCLUDED that the target did. Source: Cassidy et al. 2014, ACL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ...errors import UnknownName, explain
from ..schema import DOCUMENT_TIME, Corpus, Problem, Relation
from .source import folder_of, members, need, table
from .timeml import absent, documents

LABELS = {"b": "BEFORE", "a": "AFTER", "i": "BEFORE", "ii": "AFTER", "s": "EQUAL", "v": "VAGUE"}
NAMES = {"b": "BEFORE", "a": "AFTER", "i": "INCLUDES", "ii": "IS_INCLUDED", "s": "SIMULTANEOUS", "v": "VAGUE"}
"""Of the six labels, as `Relation.original`."""


def read(
    folder: str | Path | None = None,
    *,
    texts: str | Path | None = None,
    split: str | None = None,
    without: Iterable[str] = (),
) -> Corpus:
    """The relations of TimebankDense.T3.txt below the folder, over TimeBank's documents.

    texts: the folder with TimeBank's TimeML files, if not below `folder`.
    split: "train" or "dev" (or "test"): documents named in <split>_docs.txt alone. `group` is the split of each.
    without: ids of documents to leave out; one that is not in the list is a Problem.

    Raises:
        BadFile: no list, or no TimeML. UnknownName: no such split in the folder.
    """
    path = folder_of(folder, "tb-dense")
    lists = dict(members(path, "*TimebankDense.T3.txt"))
    need(lists, path, "TimeBank-Dense", "TimebankDense.T3.txt")
    split_of = _splits(path)
    if split is not None and split not in split_of.values():
        known = ", ".join(sorted(set(split_of.values()))) or "none"
        raise UnknownName(explain(f"split={split!r} is not in {path}.", f"There: {known}."), name=split)
    lines = defaultdict(list)
    for name, *rest in table(*next(iter(lists.items()))):
        lines[name].append(rest)
    drop, found = set(without), []
    problems = absent(drop, lines)
    parsed, _ = documents(folder_of(texts or path, "TimeBank"), "TimeBank")
    for name, given in lines.items():
        if name in drop or (split is not None and split_of.get(name) != split):
            continue
        if name not in parsed:
            problems.append(Problem(name, "document without its text", f"{len(given)} relations"))
            continue
        made = parsed[name]
        relations, wrong = _relations(name, given, {x.id for x in made.document.marks})
        group = split_of.get(name, "")
        found.append(replace(made.document, relations=relations, group=group, dense=frozenset({"temporal"})))
        problems += wrong
    return Corpus("tb-dense", tuple(found), tuple(problems), "text: research and academic use only")


def _splits(path: Path) -> dict[str, str]:
    found = {}
    for name, content in members(path, "*_docs.txt"):
        for line in content.decode().split():
            found[line.removesuffix(".tml")] = Path(name).name.removesuffix("_docs.txt")
    return found


def _relations(name: str, lines: list[list[str]], known: set[str]) -> tuple[tuple[Relation, ...], list[Problem]]:
    relations, problems = [], []
    for row in lines:
        if len(row) != 3:
            problems.append(Problem(name, "line without four columns", "\t".join(row)))
            continue
        source, target, label = row
        if label not in LABELS:
            problems.append(Problem(name, "unknown label", label))
        elif not all(end in known or end == DOCUMENT_TIME for end in (source, target)):
            problems.append(Problem(name, "relation to an unknown id", f"{source}, {target}"))
        elif source == target:
            problems.append(Problem(name, "relation of a thing with itself", source))
        else:
            relations.append(Relation(source, target, LABELS[label], "temporal", NAMES[label]))
    return tuple(relations), problems
