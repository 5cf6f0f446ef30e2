"""MATRES over TimeML documents: start points of verb events in reach of each other, BEFORE, AFTER, EQUAL or VAGUE.

A line names event instances; their numbers are not the numbers of the events, and a reader that takes one for the
other is right on Platinum, mostly right on AQUAINT and wrong on TimeBank. Source: Ning, Wu and Roth 2018, ACL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ...errors import UnknownName, explain, nearest
from ..schema import TEMPORAL, Corpus, Problem, Relation
from .source import folder_of, members, need, table
from .timeml import documents

SOURCES = ("timebank", "aquaint", "platinum")


def read(
    folder: str | Path | None = None, *, sources: Iterable[str] = SOURCES[:2], without: Iterable[str] = ()
) -> Corpus:
    """MATRES's relations of these sources over the TimeML documents below the folder; `group` is the source.

    Events are all those of the TimeML file, also those that MATRES says nothing about.
    without: ids of documents to leave out; one that is not there is a Problem.

    Raises:
        BadFile: no list of a source (timebank.txt, ...), or no TimeML documents. UnknownName: another source.
    """
    path, drop = folder_of(folder, "matres"), set(without)
    texts, problems = documents(path, "matres", without=drop)
    found = []
    for source in sources:
        if source not in SOURCES:
            near = ", ".join(nearest(source, SOURCES))
            raise UnknownName(explain(f"source {source!r} is not MATRES's.", f"Nearest: {near}."), name=source)
        lists = dict(members(path, f"*/{source}.txt"))
        need(lists, path, "MATRES", f"{source}.txt")
        lines = defaultdict(list)
        for row in table(*next(iter(lists.items()))):
            lines[row[0]].append(row)
        for name, given in lines.items():
            if name in drop:
                continue
            if name not in texts:
                problems.append(Problem(name, "document without its text", f"{len(given)} relations"))
                continue
            made = texts[name]
            relations, wrong = _relations(name, given, made.instances, made.names)
            found.append(replace(made.document, relations=relations, group=source))
            problems += wrong
    return Corpus("matres", tuple(found), tuple(problems), "text: research and academic use only")


def _relations(
    name: str, lines: list[list[str]], instances: dict[str, str], names: dict[str, str]
) -> tuple[tuple[Relation, ...], list[Problem]]:
    relations, problems = [], []
    for row in lines:
        if len(row) != 6:
            problems.append(Problem(name, "line without six columns", "\t".join(row)))
            continue
        first, second, label = row[3:]
        ends = [instances.get("ei" + number, "") for number in (first, second)]
        if label not in TEMPORAL:
            problems.append(Problem(name, "unknown label", label))
        elif not all(end in names for end in ends):
            problems.append(Problem(name, "relation to an unknown instance", f"{first}, {second}"))
        elif ends[0] == ends[1]:
            problems.append(Problem(name, "relation of a thing with itself", f"{first}, {second}"))
        else:
            relations.append(Relation(names[ends[0]], names[ends[1]], label, "temporal", label))
    return tuple(relations), problems
