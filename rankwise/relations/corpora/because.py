"""BECAUSE 2.1, Congressional hearings: causes and effects stated by a connective, as clauses; in the package.

Arguments are clauses, not words. The event of a clause is its first verb that is neither an auxiliary nor "to" by a
short list, or its first word where there is none: a rule, not an annotation. Consequence and Motivation are CAUSES
(cause to effect); in Purpose the annotators' cause is the aim, so the means causes it: effect to cause.
Source: Dunietz, Levin and Carbonell 2017. MIT; the text is of the US government.
"""

from __future__ import annotations

import re
from pathlib import Path

from ...data import folder as embedded
from ..schema import Corpus, Document, Event, Problem, Relation, Span
from ..sentences import split
from .source import members, need

CAUSAL = ("Consequence", "Motivation", "Purpose")
DENSE = frozenset({"causal"})  # among the clauses that some connective joins
LICENCE = "MIT (text: US government, public domain)"
AUXILIARY = re.compile(
    r"""(?ix) a|an|the|i|you|he|she|it|we|they|this|that|these|those|there|who|which|what|not|to|be|am|is|are|was|were|
    been|being|have|has|had|having|do|does|did|will|would|shall|should|can|could|may|might|must|and|or|but|if|as|of|in|
    on|at|for|by|with|from|into|their|our|your|his|her|its|my|so|also|just|more|very"""
)
WORD = re.compile(r"[A-Za-z][\w'’-]*")


def read(folder: str | Path | None = None) -> Corpus:
    """The hearings, one document each; other brat files below the folder as well. Raises BadFile for another folder."""
    path = Path(folder) if folder is not None else embedded("because")
    files = dict(members(path, "*.txt", "*.ann"))
    names = sorted(
        n.removesuffix(".ann") for n in files if n.endswith(".ann") and n.removesuffix("ann") + "txt" in files
    )
    need(names, path, "BECAUSE", "pair of .ann and .txt")
    found, problems = [], []
    for name in names:
        text = files[name + ".txt"].decode()
        document, wrong = _document(Path(name).name, text, files[name + ".ann"].decode())
        found.append(document)
        problems += wrong
    return Corpus("because", tuple(found), tuple(problems), LICENCE, embeddable=True)


def _document(name: str, text: str, brat: str) -> tuple[Document, list[Problem]]:
    spans: dict[str, Span] = {}
    said: list[tuple[str, str, dict[str, str]]] = []
    for line in brat.splitlines():
        key, _, rest = line.partition("\t")
        if key.startswith("T"):
            where = rest.split("\t")[0].split(" ", 1)[1]
            start, end = (int(x) for x in where.split(";")[0].split())  # of a broken argument, its first piece
            spans[key] = (start, end)
        elif key.startswith("E"):
            fields = [part.split(":") for part in rest.split()]
            said.append((key, fields[0][0], dict(fields[1:])))
    events: dict[Span, Event] = {}
    relations, problems = [], []
    for key, kind, roles in said:
        if kind not in CAUSAL:
            continue
        if not {"Cause", "Effect"} <= set(roles) or not {roles["Cause"], roles["Effect"]} <= set(spans):
            problems.append(Problem(name, f"{kind} without a cause or an effect", key))
            continue
        ends = [anchor(text, spans[roles[role]]) for role in ("Cause", "Effect")]
        ids = [events.setdefault(at, Event(f"c{at[0]}", *at, "CLAUSE")).id for at in ends]
        if ids[0] == ids[1]:
            problems.append(Problem(name, f"{kind} of a clause with itself", key))
            continue
        label = "CAUSED_BY" if kind == "Purpose" else "CAUSES"
        relations.append(Relation(ids[0], ids[1], label, "causal", kind))
    order = tuple(sorted(events.values(), key=lambda e: e.start))
    return Document(name, text, order, (), tuple(relations), split(text), group=name, dense=DENSE), problems


def anchor(text: str, clause: Span) -> Span:
    """The word that stands for a clause; see the top of this file."""
    words = [m.span() for m in WORD.finditer(text, *clause)] or [clause]
    verbs = [at for at in words if not AUXILIARY.fullmatch(text[slice(*at)])]
    return next(iter([at for at in verbs if _inflected(text[slice(*at)])] or verbs or words))


def _inflected(word: str) -> bool:
    return word.lower().endswith(("ed", "ing", "es", "en"))
