"""Corpora as they are named on the command line: NAME or NAME=FOLDER, with shares and what they teach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .common import counted, note

TEACH_EVENTS = ("meantime", "tlink", "matres", "tb-dense", "jsonl")  # every event of a document is annotated


def read_corpus(given: str, without: Path | None, sure: float = 0.0) -> tuple[str, Any]:
    """A corpus as named on the command line, with its documents dropped that must not be read."""
    from dataclasses import replace

    from ..errors import BadFile, explain
    from ..relations.corpora import read

    name, _, folder = given.partition("=")
    found = read(name, folder or None, **({"min_confidence": sure} if sure and name == "uds-time" else {}))
    if without is not None:
        try:
            drop = set(without.read_text(encoding="utf-8").split())
        except OSError as error:
            raise BadFile(
                explain(f"{without} cannot be read ({error.strerror}).", "One id a line."), path=without
            ) from error
        found = replace(found, documents=tuple(d for d in found.documents if d.id not in drop))
    return name, found


def parts(corpora: list[str], shares: list[str], without: Path | None, quiet: bool, sure: float = 0.0) -> list[Any]:
    from ..errors import DataError, RecipeError, UnknownName, explain, nearest
    from ..relations.learn import Part

    share: dict[str, float] = {}
    for text in shares:
        name, _, value = text.partition("=")
        try:
            share[name] = float(value)
        except ValueError as error:
            raise RecipeError(explain(f"--share {text!r}.", "It is NAME=SHARE: --share uds-time=0.3")) from error
    found: list[Any] = []
    for given in corpora:
        name, corpus = read_corpus(given, without, sure)
        if name in {p.name for p in found}:
            raise DataError(explain(f"--corpus {name} is given twice.", "Name each corpus once."))
        found.append(Part(name, corpus.documents, share.pop(name, 1.0), mentions=name in TEACH_EVENTS))
        if not quiet:
            counts = corpus.counts()
            lost = f", {counts['problems']} left out" if counts["problems"] else ""
            what = f"{counts['temporal']:,} temporal and {counts['causal']:,} causal relations{lost}"
            note(f"{name}: {counted(counts['documents'], 'document')}, {what}")
    for name in share:
        near = ", ".join(nearest(name, [p.name for p in found]))
        raise UnknownName(explain(f"--share {name}=... names no --corpus.", f"Nearest: {near}."), name=name)
    return found


def without_events(parts: list[Any], names: list[str]) -> list[Any]:
    """The parts, of which those named teach relations and not which words are events."""
    from dataclasses import replace

    from ..errors import UnknownName, explain, nearest

    known = [p.name for p in parts]
    for name in names:
        if name not in known:
            near = ", ".join(nearest(name, known))
            raise UnknownName(explain(f"--pairs-only {name} names no --corpus.", f"Nearest: {near}."), name=name)
    return [replace(p, mentions=p.mentions and p.name not in names) for p in parts]
