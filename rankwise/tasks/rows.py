"""Rows of a user's file, one at a time: CSV, TSV, JSON Lines, Parquet, or plain lines of text.

The csv and json modules read; no value is guessed at. "NA" and "None" stay text, "007" keeps its zeros, and
a row with a field too many is refused with its line, not shifted by one. Text must be UTF-8.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from ..errors import BadFile, DataError, MissingExtra, UnknownName, close, explain, nearest

FORMS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
HINTS = {
    ".json": "A .json file is one value; rankwise reads .jsonl, one object a line.",
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "Save the sheet as CSV (UTF-8)."),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zip"), "Unpack it first."),
}
PIPES = ("standard input", "the stream")  # what rows that come from no file are called in messages
Source: TypeAlias = str | Path | Iterable[bytes]
Row: TypeAlias = tuple[int, dict[str, Any]]  # line of the file (row, for Parquet), from 1; column -> value


def rows(source: Source, columns: Sequence[str] = (), *, form: str | None = None, only: bool = False) -> Iterator[Row]:
    """Rows one by one, with every column; memory stays at one row (Parquet: one batch).

    Args:
        source: a file, "-" for standard input, or a stream of lines in bytes.
        columns: must be there; checked before the first row is given.
        form: csv, tsv, jsonl, parquet or lines; by default told by the ending, and lines for streams.
            Plain lines have one column, "text"; empty ones do not count.
        only: read no other columns (saves time with Parquet).

    Raises:
        BadFile: no such file, an unknown ending, bytes that are not UTF-8, or broken JSON, CSV or Parquet.
        DataError: a row that has more or fewer fields than the header; two columns of one name.
        UnknownName: a column that is not there.
    """
    name, form = str(source), form or form_of(source)
    if form == "parquet":
        yield from _parquet(Path(name), list(columns), only)
    elif isinstance(source, str | Path) and name != "-":
        with _opened(Path(source)) as stream:
            yield from _text(stream, name, form, columns)
    else:
        given = sys.stdin.buffer if isinstance(source, str | Path) else source
        yield from _text(given, PIPES[0] if name == "-" or _is_pipe(source) else PIPES[1], form, columns)


def _is_pipe(source: Any) -> bool:
    """Standard input by a handle of its own: a file that has a number for a name."""
    return isinstance(getattr(source, "name", None), int) or source is getattr(sys.stdin, "buffer", None)


def form_of(source: Source) -> str:
    """csv, tsv, jsonl, parquet or lines, by the ending of the file.

    Raises:
        BadFile: another ending.
    """
    if not isinstance(source, str | Path) or str(source) == "-":
        return "lines"
    ending = Path(source).suffix.lower()
    if ending == ".txt":
        return "lines"
    if ending not in FORMS:
        raise BadFile(
            explain(
                f"{source}: the ending {ending!r} is none that rankwise reads.",
                f"It reads {', '.join(FORMS)}.",
                HINTS.get(ending, ""),
            ),
            path=source,
        )
    return FORMS[ending]


def unit_of(form: str) -> str:
    """What the number of a row counts: "row" in Parquet, "line" in text."""
    return "row" if form == "parquet" else "line"


def check_columns(name: str, known: Iterable[str], wanted: Iterable[str]) -> None:
    """Refuse a column that is not there, and a table with two columns of one name."""
    known = list(known)
    twice = sorted({column for column in known if known.count(column) > 1})
    if twice:
        raise DataError(
            explain(f"{name}: two columns are called {twice[0]!r}.", "Rename one of them in the header."),
            column=twice[0],
        )
    for column in wanted:
        if column not in known:
            raise UnknownName(
                explain(
                    f"{name}: there is no column {column!r}.",
                    f"Nearest: {', '.join(map(repr, close(column, known)))}." if close(column, known) else "",
                    f"All columns: {', '.join(map(repr, known[:30]))}{' ...' if len(known) > 30 else ''}.",
                ),
                name=column,
                known=known,
            )


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> BadFile:
    there = sorted(p.name for p in path.parent.iterdir() if p.is_file()) if path.parent.is_dir() else []
    near = ", ".join(close(path.name, there))
    return BadFile(
        explain(
            f"{path}: cannot be read ({error.strerror}).",
            f"Nearest in that folder: {near}." if near else "" if there else f"There are no files in {path.parent}.",
        ),
        path=path,
    )


def _text(stream: Iterable[bytes], name: str, form: str, columns: Sequence[str]) -> Iterator[Row]:
    lines = _decoded(stream, name)
    if form == "lines":
        check_columns(name, ["text"], columns)
        yield from _lines(lines)
    elif form == "jsonl":
        yield from _jsonl(lines, name, columns)
    elif form in ("csv", "tsv"):
        yield from _headed(_csv(lines, name) if form == "csv" else _tsv(lines), name, columns, form)
    else:
        forms = ("csv", "tsv", "jsonl", "lines")
        raise UnknownName(
            explain(f"form={form!r} cannot be read from {name}.", f"Nearest: {', '.join(nearest(form, forms))}."),
            name=form,
        )


def _decoded(stream: Iterable[bytes], name: str) -> Iterator[str]:
    """Lines as text, ends of line kept, a byte order mark dropped; says which byte is not UTF-8."""
    offset = 0
    for number, raw in enumerate(stream, 1):
        if number == 1 and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise BadFile(
                explain(
                    f"{name}: is UTF-16 (byte offset 0); the text must be UTF-8.",
                    _recoded("utf-16", name),
                ),
                offset=0,
            )
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            at = offset + error.start
            raise BadFile(
                explain(
                    f"{name}: byte offset {at} (line {number}) is 0x{raw[error.start]:02x}: not UTF-8.",
                    "If the file came from Windows it is probably cp1252:",
                    _recoded("cp1252", name),
                ),
                offset=at,
                line=number,
            ) from error
        offset += len(raw)
        yield line.removeprefix("\ufeff") if number == 1 else line


def _recoded(encoding: str, name: str) -> str:
    """The command that makes UTF-8 of a file, or of what comes through a pipe."""
    recode = f"iconv -f {encoding} -t utf-8"
    return f"... | {recode} | rankwise ..." if name in PIPES else f"{recode} {name} > utf8-{Path(name).name}"


def _lines(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if text.strip():
            yield number, {"text": text}


def _headed(records: Iterator[tuple[int, list[str]]], name: str, columns: Sequence[str], form: str) -> Iterator[Row]:
    """Records as mappings, by the names in the first one."""
    header = [column.strip() for column in next(records, (0, []))[1]]
    if not header:
        raise DataError(f"{name}: is empty; a header and at least one row are needed.")
    check_columns(name, header, columns)
    for place, fields in records:
        if len(fields) != len(header):
            cause = "A text with a comma needs quotes around it." if form == "csv" else "A text cannot hold a tab."
            raise DataError(
                explain(f"{name}, line {place}: {len(fields)} fields, but the header has {len(header)}.", cause),
                place=place,
            )
        yield place, dict(zip(header, fields, strict=True))


def _csv(lines: Iterator[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Records of a CSV file, each with the line on which it begins."""
    first = next(lines, "")
    # Spreadsheets of many countries write semicolons; a header without a comma tells.
    mark = next((m for m in (",", "\t", ";") if m in first), ",")
    csv.field_size_limit(2**31 - 1)  # 128 KiB by default, less than a long document
    reader = csv.reader(chain([first] if first else [], lines), delimiter=mark, strict=True)
    place = 1
    try:
        for fields in reader:
            if fields:
                yield place, fields
            place = reader.line_num + 1
    except csv.Error as error:
        raise BadFile(
            explain(
                f"{name}, line {place}: is not CSV ({error}).",
                'A quote inside a quoted text is written twice: "He said ""no""."',
            ),
            line=place,
        ) from error


QUOTED = re.compile(r'"(?:[^"]|"")*"')


def _tsv(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Records of a TSV file, one a line. A quote is a character like any other, as corpora have it,
    except around a whole field with every inner quote doubled, as pandas and spreadsheets write it."""
    for place, line in enumerate(lines, 1):
        line = line.rstrip("\r\n")
        if line:
            fields = line.split("\t")
            yield place, [f[1:-1].replace('""', '"') if QUOTED.fullmatch(f) else f for f in fields]


def _jsonl(lines: Iterable[str], name: str, columns: Sequence[str]) -> Iterator[Row]:
    checked = False
    for place, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError) as error:
            raise BadFile(f"{name}, line {place}: is not JSON ({error}).", line=place) from error
        if not isinstance(pairs, _Pairs):
            raise BadFile(
                explain(f"{name}, line {place}: is not a JSON object.", 'Such as: {"text": "...", "label": 1}'),
                line=place,
            )
        keys = [key for key, _ in pairs]
        if not checked or len(set(keys)) != len(keys):
            check_columns(f"{name}, line {place}", keys, [] if checked else columns)
            checked = True
        yield place, {key: _mapping(value) for key, value in pairs}


class _Pairs(list[tuple[str, Any]]):
    """The pairs of a JSON object as they stand in the file, repeated keys and all."""


def _mapping(value: Any) -> Any:
    if isinstance(value, _Pairs):
        return {key: _mapping(item) for key, item in value}
    return [_mapping(item) for item in value] if isinstance(value, list) else value


def _parquet(path: Path, columns: list[str], only: bool) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra(
            explain(f"{path}: Parquet needs pyarrow, which is not installed.", "pip install pyarrow")
        ) from error
    try:
        with _opened(path) as stream, pyarrow.parquet.ParquetFile(stream) as file:
            check_columns(str(path), file.schema_arrow.names, columns)
            parts = file.iter_batches(batch_size=1024, columns=columns if only else None)
            yield from enumerate((row for part in parts for row in part.to_pylist()), 1)
    except pyarrow.ArrowException as error:
        raise BadFile(f"{path}: is not a Parquet file, or a damaged one ({error}).", path=path) from error
