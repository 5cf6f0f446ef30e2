"""rankwise's own form of documents: JSON Lines, one document a line, UTF-8.

    {"id": "a", "text": "They met. She left.", "created": "2020-01-06", "group": "", "sentences": [[0, 9], [10, 19]],
     "events": [{"id": "e1", "start": 5, "end": 8, "kind": "VERB"}, ...],
     "timexes": [{"id": "t1", "start": 0, "end": 4, "value": "2020", "type": "DATE"}],
     "relations": [{"source": "e1", "target": "e2", "label": "BEFORE", "kind": "temporal"}],
     "linked": [0, 19], "dense": ["causal"]}

Only id and text are needed. Spans count characters, the end not included. "t0" is the document's own time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ...errors import BadFile, DataError, explain, nearest
from ...io.files import atomic_write
from ..schema import Corpus, Document, Event, Relation, Timex

PARTS: dict[str, type] = {"events": Event, "timexes": Timex, "relations": Relation}


def read(folder: str | Path | None = None) -> Corpus:
    """The documents of a .jsonl file, or of every .jsonl file in a folder.

    Raises:
        BadFile: no such file, or a line that is no JSON; the message names the line.
        DataError: a field that is missing, unknown or of the wrong type; ids and spans that cannot be.
    """
    path = Path(folder) if folder is not None else Path("documents.jsonl")
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise BadFile(explain(f"{path} is not there.", "A .jsonl file, or a folder of them, is needed."), path=path)
    found = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadFile(
                explain(f"{file} is not UTF-8 (byte {error.start}).", "Write it as UTF-8."), path=file
            ) from error
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                found.append(_document(line, f"{file}, line {number}"))
    return Corpus("jsonl", tuple(found), (), "the user's own")


def write(documents: Iterable[Document], path: str | Path) -> Path:
    """One line a document, fields that say nothing left out; atomic."""
    lines = [json.dumps(row(d), ensure_ascii=False) for d in documents]
    atomic_write(Path(path), ("\n".join(lines) + "\n").encode())
    return Path(path)


def row(document: Document) -> dict[str, Any]:
    """The document as JSON: only fields that say something."""
    made: dict[str, Any] = {"id": document.id, "text": document.text}
    for name in ("created", "group", "linked"):
        if value := getattr(document, name):
            made[name] = value
    if document.sentences:
        made["sentences"] = [list(span) for span in document.sentences]
    if document.dense:
        made["dense"] = sorted(document.dense)
    for name, kind in PARTS.items():
        defaults = {f.name: f.default for f in fields(kind)}
        parts = [{k: v for k, v in asdict(x).items() if v != defaults[k]} for x in getattr(document, name)]
        if parts:
            made[name] = parts
    return made


def document(values: Any, where: str = "document") -> Document:
    """The opposite of `row`. Raises DataError, naming `where`."""
    given = _checked(values, {f.name for f in fields(Document)}, {"id": str, "text": str}, where)
    for name, kind in PARTS.items():
        known = {f.name for f in fields(kind)}
        needed = {f.name: int if f.name in ("start", "end") else str for f in fields(kind) if f.name in NEEDED}
        parts = given.get(name, [])
        if not isinstance(parts, list):
            raise DataError(explain(f"{where}: {name} is {parts!r}.", "It is a list."))
        given[name] = tuple(kind(**_checked(p, known, needed, f"{where}, {name} {i}")) for i, p in enumerate(parts, 1))
    try:
        spans = [(int(a), int(b)) for a, b in given.get("sentences", ())]
        given["sentences"] = tuple(spans)
        if given.get("linked"):
            low, high = given["linked"]
            given["linked"] = (int(low), int(high))
    except (TypeError, ValueError) as error:
        raise DataError(explain(f"{where}: sentences and linked are [start, end] pairs of numbers.")) from error
    given["dense"] = frozenset(given.get("dense", ()))
    return Document(**given)


NEEDED = frozenset({"id", "start", "end", "source", "target", "label"})


def _document(line: str, where: str) -> Document:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise BadFile(explain(f"{where} is no JSON ({error}).", "Each line is one JSON object.")) from error
    return document(values, where)


def _checked(values: Any, known: set[str], needed: Mapping[str, type], where: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise DataError(explain(f"{where} is {str(values)[:40]!r}.", "It is a JSON object: {...}."))
    for name in values:
        if name not in known:
            near = nearest(name, known)[0]
            raise DataError(
                explain(f"{where} has a field {name!r}.", f"Nearest: {near}. Known: {', '.join(sorted(known))}.")
            )
    for name, kind in needed.items():
        if not isinstance(values.get(name), kind) or isinstance(values.get(name), bool):
            rule = "a whole number" if kind is int else "text"
            raise DataError(explain(f"{where}: {name} is {values.get(name)!r}.", f"It is needed, and is {rule}."))
    return dict(values)
