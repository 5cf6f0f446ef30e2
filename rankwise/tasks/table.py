"""A user's own table: texts, or pairs of texts, and their labels.

    table = read_table("reviews.csv", Columns("review", label="stars"))
    train, valid = split(table, 0.1, seed=0)
    names = labels_of(table)                                  # ["1", "2", ..., "5"]
    rows = examples(train, encode(tokenizer, train.text), names)

Nothing is dropped or filled in: a row that cannot be learnt from is refused with its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, RecipeError, explain
from ..train.data import Example
from . import labels as label_rules
from .labels import Place
from .rows import Source, check_columns, form_of, rows, unit_of


@dataclass(frozen=True)
class Columns:
    """Names of the columns: the text, a second text if rows are pairs, and the label if it is known."""

    text: str = "text"
    pair: str | None = None
    label: str | None = None

    def named(self) -> list[str]:
        """Those that are given."""
        return [name for name in (self.text, self.pair, self.label) if name is not None]


@dataclass(frozen=True)
class Table:
    """Texts and labels, row by row.

    Attributes:
        text, pair: one text a row; pair is None where rows are single texts.
        labels: by kind: names (single), tuples of names (multi), floats (regression); None if unlabelled.
        kind: single, multi or regression; None if unlabelled.
        places, unit: the line of each row in its file (the row, where it was no text file), for messages.
        source, columns: where it came from.
    """

    text: tuple[str, ...]
    pair: tuple[str, ...] | None
    labels: tuple[Any, ...] | None
    kind: str | None
    places: tuple[int, ...]
    unit: str
    source: str
    columns: Columns

    def __len__(self) -> int:
        return len(self.text)

    def take(self, index: Sequence[int]) -> Table:
        """The rows of these numbers, from 0, in this order."""
        return replace(
            self,
            text=tuple(self.text[i] for i in index),
            pair=None if self.pair is None else tuple(self.pair[i] for i in index),
            labels=None if self.labels is None else tuple(self.labels[i] for i in index),
            places=tuple(self.places[i] for i in index),
        )


def read_table(path: str | Path, columns: Columns | None = None, *, kind: str | None = None, sep: str = "|") -> Table:
    """A table from a .csv, .tsv, .jsonl, .ndjson or .parquet file, held in memory.

    Args:
        kind: of label: single, multi or regression; None takes single where that is beyond doubt.
        sep: between the labels of a row, for multi labels that are written as one text.

    Raises:
        BadFile, UnknownName: as `rows`.
        DataError: no rows, a missing text or label, labels that do not fit the kind, and as `rows`.
    """
    columns = columns or Columns()
    wanted = columns.named()
    places, found = [], []
    for place, row in rows(path, wanted, only=True):
        places.append(place)
        found.append([row.get(name) for name in wanted])
    values = {name: [row[i] for row in found] for i, name in enumerate(wanted)}
    return _table(values, columns, (kind, sep), places, (str(path), unit_of(form_of(path))))


def table_of(
    data: Mapping[str, Any], columns: Columns | None = None, *, kind: str | None = None, sep: str = "|"
) -> Table:
    """A table from columns in memory: a dict of lists, or a pandas DataFrame. Raises as `read_table`."""
    columns = columns or Columns()
    wanted = columns.named()
    check_columns("the table", map(str, data.keys()), wanted)
    values = {name: [v.item() if hasattr(v, "item") else v for v in data[name]] for name in wanted}
    size = {name: len(column) for name, column in values.items()}
    if len(set(size.values())) > 1:
        raise DataError(f"the table: columns of different length: {size}.")
    places = range(1, size[columns.text] + 1)
    return _table(values, columns, (kind, sep), places, ("the table", "row"))


def _table(
    values: Mapping[str, list[Any]],
    columns: Columns,
    how: tuple[str | None, str],
    places: Sequence[int],
    origin: tuple[str, str],
) -> Table:
    source, unit = origin
    if not places:
        raise DataError(explain(f"{source}: holds no rows.", "At least one is needed below the header."))
    texts = {}
    for column in filter(None, (columns.text, columns.pair)):
        where = Place(source, column, unit, places)
        label_rules.refuse_missing(values[column], where)
        texts[column] = tuple(_text(value, i, where) for i, value in enumerate(values[column]))
    kind, labels = None, None
    if columns.label is not None:
        where = Place(source, columns.label, unit, places)
        kind, labels = label_rules.parse(values[columns.label], where, *how)
    pair = None if columns.pair is None else texts[columns.pair]
    known = None if labels is None else tuple(labels)
    return Table(texts[columns.text], pair, known, kind, tuple(places), unit, source, columns)


def _text(value: Any, index: int, where: Place) -> str:
    if isinstance(value, list | tuple | dict):
        raise DataError(f"{where.at(index)}: column {where.column!r} holds a {type(value).__name__}, not a text.")
    return str(value)


def labels_of(table: Table) -> list[str]:
    """Names of the labels that a head for this table needs, numbers by value; none for regression.

    Raises:
        DataError: nothing to learn: no labels, one class, one number, or a label of its own in every row.
    """
    if table.labels is None or table.kind is None:
        raise DataError(f"{table.source}: has no labels; name the column that holds them (--label).")
    label_rules.refuse_unlearnable(table.kind, table.labels, table.source, table.columns.label or "label")
    if table.kind == "regression":
        return []
    flat = [name for row in table.labels for name in row] if table.kind == "multi" else table.labels
    return label_rules.ordered(flat)


def encode_labels(table: Table, names: Sequence[str]) -> list[Any]:
    """Labels as a head has them: class indices, tuples of 0/1, or floats; None for each if unlabelled.

    Raises:
        DataError: a label that is not among `names`: its value, its line and the known labels.
    """
    if table.labels is None or table.kind == "regression":
        return list(table.labels or [None] * len(table))
    index = {name: i for i, name in enumerate(names)}
    where = Place(table.source, table.columns.label or "label", table.unit, table.places)
    out: list[Any] = []
    for i, label in enumerate(table.labels):
        if table.kind == "single":
            out.append(label_rules.number_of(label, index, where.at(i)))
        else:
            on = {label_rules.number_of(name, index, where.at(i)) for name in label}
            out.append(tuple(int(k in on) for k in range(len(names))))
    return out


def examples(table: Table, tokens: Sequence[Mapping[str, Sequence[int]]], names: Sequence[str]) -> list[Example]:
    """Rows for batching, from a table and its tokens: input_ids, token_type_ids if the base has them."""
    return [
        Example(
            ids=tuple(row["input_ids"]),
            label=label,
            types=tuple(row["token_type_ids"]) if "token_type_ids" in row else None,
        )
        for row, label in zip(tokens, encode_labels(table, names), strict=True)
    ]


def split(table: Table, fraction: float, seed: int = 0) -> tuple[Table, Table]:
    """Two tables, the second with this fraction of the rows, at random; each keeps the order of the file.

    One label a row: every class gives its share, within one row, and keeps at least one row in the
    first table, so that no label of the second is unknown to the first.

    Raises:
        RecipeError: a fraction outside (0, 1). DataError: too few rows to give any.
    """
    if not 0 < fraction < 1:
        raise RecipeError(f"fraction={fraction}: it must lie between 0 and 1, such as 0.1.", value=fraction)
    rng = np.random.default_rng(seed)
    if table.kind == "single" and table.labels is not None:
        members: dict[str, list[int]] = {name: [] for name in label_rules.ordered(table.labels)}
        for i, label in enumerate(table.labels):
            members[label].append(i)
        groups = list(members.values())
    else:
        groups = [list(range(len(table)))]
    taken: set[int] = set()
    for group, count in zip(groups, _shares([len(g) for g in groups], fraction), strict=True):
        taken.update(group[i] for i in rng.permutation(len(group))[:count])
    if not taken:
        raise DataError(
            explain(
                f"{table.source}: {fraction:g} of {len(table)} rows is no row to evaluate on.",
                "Take a larger fraction, or a second file.",
            )
        )
    return table.take([i for i in range(len(table)) if i not in taken]), table.take(sorted(taken))


def _shares(sizes: Sequence[int], fraction: float) -> list[int]:
    """Rows to take of each group: its quota rounded down, and one more for the largest remainders until
    the total is right; a group is never emptied."""
    quota = [size * fraction for size in sizes]
    out = [int(q) for q in quota]
    able = sorted(
        (i for i, size in enumerate(sizes) if out[i] < min(quota[i], size - 1)),
        key=lambda i: out[i] - quota[i],
    )
    for i in able[: max(0, round(sum(quota)) - sum(out))]:
        out[i] += 1
    return out


def train_and_valid(
    path: str | Path,
    columns: Columns,
    *,
    valid: str | Path | None = None,
    fraction: float = 0.1,
    seed: int = 0,
    kind: str | None = None,
    sep: str = "|",
) -> tuple[Table, Table, list[str]]:
    """The table to train on, the one to evaluate on (a second file, or a fraction), and the label names.

    Raises as `read_table`, `labels_of`, `encode_labels` and `split`, before anything is trained.
    """
    whole = read_table(path, columns, kind=kind, sep=sep)
    names = labels_of(whole)
    if valid is None:
        return *split(whole, fraction, seed), names
    second = read_table(valid, columns, kind=whole.kind, sep=sep)
    encode_labels(second, names)
    return whole, second, names


@dataclass(frozen=True, slots=True)
class Asked:
    """One row to predict: its texts, its line, and every column of it, to be written beside the answer."""

    place: int
    text: str
    pair: str | None
    values: dict[str, Any]


def stream(source: Source, columns: Columns | None = None, *, form: str | None = None) -> Iterator[Asked]:
    """Rows to predict, one by one as they are read, from a file, "-" (standard input) or a stream of lines.

    Args:
        form: csv, tsv, jsonl, parquet or lines; by default told by the ending, and lines for streams.
            Lines are the text, whatever `columns` calls it.

    Raises:
        BadFile, UnknownName: as `rows`. DataError: a missing text, when its row is reached.
    """
    form = form or form_of(source)
    columns = replace(columns or Columns(), label=None)
    if form == "lines":
        columns = replace(columns, text="text")
    name = "standard input" if str(source) == "-" else str(source) if isinstance(source, str | Path) else "stream"
    for place, row in rows(source, columns.named(), form=form):
        found = []
        for column in columns.named():
            where = Place(name, column, unit_of(form), [place])
            label_rules.refuse_missing([row.get(column)], where)
            found.append(_text(row[column], 0, where))
        yield Asked(place, found[0], found[1] if columns.pair is not None else None, row)
