"""rankwise's own form of documents: JSON Lines, one document a line, UTF-8.

    {"id": "a", "text": "They met. She left.", "created": "2020-01-06", "group": "", "sentences": [[0, 9], [10, 19]],
     "events": [{"id": "e1", "start": 5, "end": 8, "kind": "VERB"}, ...],
     "timexes": [{"id": "t1", "start": 0, "end": 4, "value": "2020", "type": "DATE"}],
     "relations": [{"source": "e1", "target": "e2", "label": "BEFORE", "kind": "temporal"}],
     "linked": [0, 19], "dense": ["causal"]}

Only id and text are needed. Spans count characters, the end not included. "t0" is the document's own time. Every
field, with its meaning and its default, is in docs/relations-format.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...errors import BadFile, DataError, explain, nearest
from ...io.files import atomic_write
from ..schema import LABELS, Corpus, Document, Event, Relation, Span, Timex

PARTS: dict[str, type] = {"events": Event, "timexes": Timex, "relations": Relation}
NEEDED = frozenset({"id", "text", "start", "end", "source", "target", "label"})


def read(folder: str | Path | None = None) -> Corpus:
    """The documents of a .jsonl file, or of every .jsonl file in a folder.

    Raises:
        BadFile: no such file, or a line that is no JSON; the message names the line.
        DataError: a field that is missing, unknown or of the wrong type; ids and spans that cannot be; an id of a
            document that was there before.
    """
    path = Path(folder) if folder is not None else Path("documents.jsonl")
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise BadFile(explain(f"{path} is not there.", "A .jsonl file, or a folder of them, is needed."), path=path)
    found: list[Document] = []
    seen: dict[str, str] = {}
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
                _new(found[-1].id, f"{file}, line {number}", seen)
    return Corpus("jsonl", tuple(found), (), "the user's own")


def write(documents: Iterable[Document], path: str | Path) -> Path:
    """One line a document, fields that say nothing left out; atomic. Raises DataError for two of one id."""
    lines: list[str] = []
    seen: dict[str, str] = {}
    for number, d in enumerate(documents, 1):
        _new(d.id, f"document {number}", seen)
        lines.append(json.dumps(row(d), ensure_ascii=False) + "\n")
    atomic_write(Path(path), "".join(lines).encode())
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
    given = _checked(values, Document, where)
    for name, kind in PARTS.items():
        parts = enumerate(given.get(name, ()), 1)
        given[name] = tuple(kind(**_checked(p, kind, f"{where}, {name} {i}")) for i, p in parts)
    given["sentences"] = tuple((low, high) for low, high in given.get("sentences", ()))
    given["linked"] = tuple(given["linked"]) if given.get("linked") else None
    given["dense"] = frozenset(given.get("dense", ()))
    _inside(given, where)
    try:
        return Document(**given)
    except DataError as error:
        raise DataError(f"{where}, document {error}") from error


def _document(line: str, where: str) -> Document:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise BadFile(explain(f"{where} is no JSON ({error}).", "Each line is one JSON object.")) from error
    return document(values, where)


def _new(name: str, where: str, seen: dict[str, str]) -> None:
    if name in seen:
        raise DataError(explain(f"{where}: the document {name!r} is there twice.", f"It was at {seen[name]}."))
    seen[name] = where


def _inside(given: dict[str, Any], where: str) -> None:
    """Sentences and the linked part lie in the text, sentences in order and without overlap."""
    length = len(given["text"])
    spans: list[Span] = list(given["sentences"])
    for low, high in [*spans, *([given["linked"]] if given["linked"] else [])]:
        if not 0 <= low <= high <= length:
            rule = f"Spans are half-open and lie in the text's {length} characters."
            raise DataError(explain(f"{where}: a part of the text spans {low} to {high}.", rule))
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            rule = "Sentences are in the order of the text, without overlap."
            raise DataError(explain(f"{where}: a sentence starts at {start}, before the last ends ({end}).", rule))


def _checked(values: Any, kind: type, where: str) -> dict[str, Any]:
    """The fields of one object, each known and of its type; those that are needed are there."""
    if not isinstance(values, dict):
        raise DataError(explain(f"{where} is {_short(values)}.", "It is a JSON object: {...}."))
    known = [f.name for f in fields(kind)]
    for name in values:
        if name not in known:
            near = nearest(name, known)[0]
            raise DataError(explain(f"{where} has a field {name!r}.", f"Nearest: {near}. Known: {', '.join(known)}."))
    for name in known:
        rule, fits = RULES.get(name, TEXT)
        if (name in values and not fits(values[name])) or (name not in values and name in NEEDED):
            need = "It is needed, and is" if name in NEEDED else "It is"
            raise DataError(explain(f"{where}: {name} is {_short(values.get(name))}.", f"{need} {rule}."))
    return dict(values)


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else said[:57] + "..."


def _text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _span(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_whole, value))


def _spans(value: Any) -> bool:
    return isinstance(value, list) and all(map(_span, value))


def _kinds(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) and v in LABELS for v in value)


def _list(value: Any) -> bool:
    return isinstance(value, list)


TEXT: tuple[str, Callable[[Any], bool]] = ("text (no half of a surrogate pair)", _text)
RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "start": ("a whole number", _whole),
    "end": ("a whole number", _whole),
    "confidence": ("a number from 0 to 1", _share),
    "sentences": ("a list of pairs of whole numbers, [[start, end], ...]", _spans),
    "linked": ("a pair of whole numbers, [start, end]", _span),
    "dense": (f"a list of kinds of relation: {', '.join(LABELS)}", _kinds),
    **dict.fromkeys(PARTS, ("a list of JSON objects", _list)),
}
"""What a field holds, in words and as a test; any other is text."""
