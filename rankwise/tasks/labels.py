"""Labels of a table: what kind they are, what they are called, and their numbers.

A column of labels becomes names (one label a row), tuples of names (several) or floats (regression).
Numbers are named as they would be written: 1 and 1.0 are both "1"; "007" keeps its zeros.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DataError, UnknownName, close, explain, nearest

KINDS = ("single", "multi", "regression")
MANY = 20  # distinct values above which a column is hardly a set of classes
FEW = 5  # rows a value, on average, below which whole numbers are hardly classes
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Place:
    """Where the values of a column come from, for messages: file, column, and the line of each value."""

    source: str
    column: str
    unit: str
    places: Sequence[int]

    def at(self, index: int) -> str:
        return f"{self.source}, {self.unit} {self.places[index]}"


def missing(value: Any) -> bool:
    """None, NaN, pandas' NA, or a text of nothing but blanks."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, float) and math.isnan(value)


def refuse_missing(values: Sequence[Any], place: Place, absent: Any = missing) -> None:
    """DataError with the number of missing values and the first of them, if there are any."""
    gone = [i for i, value in enumerate(values) if absent(value)]
    if gone:
        raise DataError(
            explain(
                f"{place.at(gone[0])}: no value in column {place.column!r}"
                + (f", and in {len(gone) - 1} more of {len(values)} rows." if len(gone) > 1 else "."),
                "Every row needs one; fill it in or remove the row.",
            ),
            place=place.places[gone[0]],
            count=len(gone),
        )


def parse(values: Sequence[Any], place: Place, kind: str | None, sep: str) -> tuple[str, list[Any]]:
    """The kind of a column of labels, inferred if not given, and its values as this module has them.

    Args:
        values: as they stand in the file: texts, numbers, true or false, or lists of those.
        kind: one of KINDS; None takes single, and refuses what looks like regression or multi.
        sep: between the labels of a row, for multi labels written as one text.

    Raises:
        UnknownName: no such kind. DataError: values that are missing or do not fit the kind.
    """
    if kind is not None and kind not in KINDS:
        near = ", ".join(nearest(kind, KINDS))
        raise UnknownName(explain(f"kind={kind!r} is no kind of label of a table.", f"Nearest: {near}."), name=kind)
    if kind == "multi":
        refuse_missing(values, place, lambda v: missing(v) and not isinstance(v, str))
        return kind, [_several(value, sep) for value in values]
    refuse_missing(values, place)
    if kind == "regression":
        return kind, [_number(value, i, place) for i, value in enumerate(values)]
    lists = next((i for i, value in enumerate(values) if isinstance(value, list | tuple | dict)), None)
    if lists is not None:
        raise DataError(
            explain(f"{place.at(lists)}: {values[lists]!r} is not one label.", "For several a row: --kind multi"),
            place=place.places[lists],
        )
    if kind is None:
        _refuse_many_decimals(values, place)
        _warn_of_many_numbers(values, place)
    numeric = all(_numeric(value) for value in values)
    return "single", [name(value, numeric) for value in values]


def name(value: Any, numeric: bool) -> str:
    """What a label is called; in a column of numbers, 1.0 is called as 1 is."""
    text = str(value).lower() if isinstance(value, bool) else str(value).strip()
    whole = numeric and not re.fullmatch(r"[+-]?\d+", text) and float(text).is_integer()
    return str(int(float(text))) if whole else text


def ordered(names: Sequence[str]) -> list[str]:
    """Distinct names, numbers by value, others by spelling."""
    distinct = sorted(set(names))
    return sorted(distinct, key=float) if all(NUMBER.fullmatch(n) for n in distinct) else distinct


def number_of(label: str, index: dict[str, int], where: str) -> int:
    """The number of a label that was seen in training.

    Raises:
        DataError: one that was not; names it, its line and the known ones.
    """
    if label in index:
        return index[label]
    if NUMBER.fullmatch(label) and name(label, True) in index:
        return index[name(label, True)]
    known = list(index)
    shown = ", ".join(map(repr, known[:MANY])) + (f" and {len(known) - MANY} more" if len(known) > MANY else "")
    raise DataError(
        explain(
            f"{where}: the label {label!r} was not seen in training.",
            f"Known labels: {shown}.",
            f"Nearest: {', '.join(map(repr, close(label, known)))}." if close(label, known) else "",
            "Correct it, or train on rows that have it.",
        ),
        label=label,
        known=known,
    )


def refuse_unlearnable(kind: str, values: Sequence[Any], source: str, column: str) -> None:
    """DataError where nothing can be told apart: one class, one number, no label, or only unique ones."""
    flat = [label for row in values for label in row] if kind == "multi" else list(values)
    distinct = len(set(flat))
    if kind == "multi" and not distinct:
        raise DataError(f"{source}: no row has a label in column {column!r}; at least one is needed.")
    if kind != "multi" and distinct == 1:
        raise DataError(
            explain(
                f"{source}: every row has the same label, {flat[0]!r}, in column {column!r}.",
                "Training needs rows of at least two; is this the right column?",
            ),
            label=flat[0],
        )
    if kind == "single" and distinct == len(values) > MANY:
        raise DataError(
            explain(
                f"{source}: all {distinct} rows have different labels in column {column!r}.",
                "A class needs several rows; is this the right column?",
                "For numbers to be predicted as such: --kind regression",
            ),
            count=distinct,
        )


def _numeric(value: Any) -> bool:
    if isinstance(value, str):
        return NUMBER.fullmatch(value.strip()) is not None and math.isfinite(float(value))
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _refuse_many_decimals(values: Sequence[Any], place: Place) -> None:
    """Numbers such as 3.75 in many values are hardly classes; ask rather than train on a guess."""
    if not all(_numeric(value) for value in values) or all(float(v).is_integer() for v in values):
        return
    distinct = len({float(value) for value in values})
    if distinct > MANY or distinct > len(values) / 2:
        raise DataError(
            explain(
                f"{place.source}: column {place.column!r} holds {distinct} different decimal numbers.",
                "To predict a number: --kind regression",
                "If each is a class of its own: --kind single",
            ),
            count=distinct,
        )


def _warn_of_many_numbers(values: Sequence[Any], place: Place) -> None:
    """Whole numbers that hardly repeat (ages, prices, counts) are more likely to be predicted as numbers."""
    if not all(_numeric(value) for value in values):
        return
    distinct = len({float(value) for value in values})
    if MANY < distinct < len(values) < distinct * FEW:  # all different ones are refused
        warnings.warn(
            f"{place.source}: column {place.column!r} holds {distinct} different numbers in {len(values)} rows; "
            "each is taken as a class of its own.\n"
            "  To predict a number: --kind regression. If classes are meant: --kind single",
            stacklevel=2,
        )


def _several(value: Any, sep: str) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else str(value).split(sep)
    return tuple(dict.fromkeys(name(item, False) for item in items if not missing(item)))


def _number(value: Any, index: int, place: Place) -> float:
    if _numeric(value):
        return float(value)
    comma = isinstance(value, str) and _numeric(value.replace(",", ".", 1))
    raise DataError(
        explain(
            f"{place.at(index)}: {value!r} in column {place.column!r} is not a number, as regression needs.",
            f"Write {value.replace(',', '.', 1)}." if comma else "",
            "For labels that are names: --kind single",
        ),
        place=place.places[index],
        value=value,
    )
