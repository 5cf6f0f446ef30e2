"""Columns of a table as numbers for an estimate of an effect, each checked, each mistake with its remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UnknownName, explain, nearest

Floats = NDArray[np.float64]
TREATED = {"yes", "y", "true", "treated", "treatment", "1", "on"}
UNMEASURED = "A common cause that is only named, and not measured, cannot be adjusted for."
MOST_WORDS = 50  # different words of a column that is read as categories; more is text


@dataclass(frozen=True)
class Frame:
    """One row of the table a row.

    Attributes:
        y: [n] outcome. t: [n] of 0 and 1. x: [n, k] covariates, categories as k - 1 columns of 0 and 1.
        names: [k] of the columns of x.
        groups: [n] labels of rows that belong together, or None.
    """

    y: Floats
    t: NDArray[np.int64]
    x: Floats
    names: tuple[str, ...]
    groups: NDArray[Any] | None = None


def frame(table: Any, treatment: str, outcome: str, covariates: Iterable[str] = (), group: str | None = None) -> Frame:
    """The columns of a pandas table, as numbers.

    Raises:
        UnknownName: a name that is no column.
        DataError: what `treatment_of` and `numbers` refuse, a column in two roles, or an outcome that is no number
            or never varies.
    """
    names = list(dict.fromkeys(covariates))
    roles = {treatment: "the treatment", outcome: "the outcome"}
    if treatment == outcome:
        raise DataError(f"{treatment!r} is named as treatment and as outcome: it cannot be both.", column=treatment)
    for name in names:
        if name in roles:
            raise DataError(
                explain(
                    f"column {name!r} is named as covariate and is {roles[name]}.", "Leave it out of the covariates."
                ),
                column=name,
            )
    others = (treatment, outcome, *([group] if group else []))
    check_columns(table, [*others, *names], others=others)
    y = table[outcome]
    if not _is_number(y):
        words = y[~y.map(_reads_as_number)].dropna().unique()  # those to blame: one of them makes words of all
        seen = ", ".join(map(repr, words[:3].tolist() or y.unique()[:3].tolist()))
        raise DataError(
            explain(
                f"the outcome {outcome!r} holds words ({seen}): an average needs numbers.",
                "Mend or empty those cells, or make a column of 0 and 1 of the word that matters, and name that.",
            ),
            column=outcome,
        )
    t = treatment_of(table, treatment)
    if y.nunique() == 1:
        said = f"the outcome {outcome!r} is {y.iloc[0]} in every row."
        raise DataError(explain(said, "Nothing can have an effect on it: name another column."), column=outcome)
    x, wide = numbers(table, names)
    return Frame(y.to_numpy(dtype=float), t, x, wide, table[group].to_numpy() if group else None)


def check_columns(table: Any, names: Iterable[str], *, others: Collection[str] = ()) -> None:
    """Raises UnknownName for what is no column, DataError for one that is there twice or has missing values.

    others: those of the names that are no common causes.
    """
    columns = [str(c) for c in table.columns]
    for name in names:
        if name not in columns:
            raise UnknownName(
                explain(
                    f"{name!r} is no column of the table.",
                    f"Nearest: {', '.join(nearest(name, columns))}.",
                    *([] if name in others else [UNMEASURED]),
                ),
                name=name,
            )
        if columns.count(name) > 1:
            raise DataError(f"{columns.count(name)} columns are named {name!r}: rename all but one.", column=name)
        gaps = int(table[name].isna().sum())
        if gaps:
            raise DataError(
                explain(
                    f"column {name!r} is empty in {gaps} of {len(table)} rows.",
                    f"Drop these rows (table.dropna(subset=[{name!r}])), or fill them in and say how.",
                ),
                column=name,
                rows=gaps,
            )
        if _is_number(table[name]) and not np.isfinite(table[name].to_numpy(dtype=float)).all():
            raise DataError(f"column {name!r} holds an infinite number: no average can hold it.", column=name)


def whole(table: Any, used: Iterable[str]) -> tuple[Any, tuple[str, ...]]:
    """The rows without a gap in what is used, and a note where that left some out; a name that is no column raises."""
    names = list(dict.fromkeys(used))
    check_columns(table.iloc[:0], names)
    gaps = {name: int(count) for name, count in table[names].isna().sum().items() if count}
    if not gaps:
        return table, ()
    kept = table.dropna(subset=names)
    where = ", ".join(f"{count} in {name}" for name, count in gaps.items())
    if not len(kept):
        raise DataError(explain(f"every row has a gap ({where}).", "Leave such a column out, or fill it in."))
    note = f"{len(table) - len(kept)} of {len(table)} rows are left out, for they have gaps ({where})."
    return kept, (f"{note} What is found is about the others.",)


def treatment_of(table: Any, name: str) -> NDArray[np.int64]:
    """[n] of 0 and 1; booleans are cast.

    Raises:
        DataError: one value only, free text, two words, or more than two values.
    """
    column = table[name]
    values = column.unique()
    if len(values) < 2:
        raise DataError(
            explain(
                f"the treatment {name!r} is {values.tolist()[0]!r} in every row."
                if len(values)
                else "no row is there.",
                "An effect compares rows with and without it: name another column, or take more rows.",
            ),
            column=name,
        )
    if _is_number(column):
        if set(np.unique(column.to_numpy(dtype=float)).tolist()) == {0.0, 1.0}:
            return column.to_numpy(dtype=float).astype(np.int64)
        shown = ", ".join(f"{v:g}" for v in np.unique(column.to_numpy(dtype=float))[:4])
        raise DataError(
            explain(
                f"the treatment {name!r} holds {shown}{', ...' if len(values) > 4 else ''}: 0 and 1 are compared.",
                f"Say what counts as treated, for instance table['treated'] = (table[{name!r}] > ...).astype(int)",
            ),
            column=name,
        )
    if len(values) == 2:
        one = str(next((v for v in values.tolist() if str(v).strip().lower() in TREATED), values.tolist()[-1]))
        raise DataError(
            explain(
                f"the treatment {name!r} holds the words {' and '.join(map(repr, values.tolist()))}: which is treated?",
                f"Say so: table['treated'] = (table[{name!r}] == {one!r}).astype(int)",
            ),
            column=name,
        )
    stand_in = [str(c) for c in table.columns if c != name and _is_number(table[c]) and table[c].nunique() == 2]
    raise DataError(
        explain(
            f"the treatment {name!r} is text ({len(values)} different values in {len(column)} rows).",
            "A text is not one thing that can be set to this or that: no two rows differ in the treatment alone.",
            f"Columns with two values, that could stand in: {', '.join(stand_in)}."
            if stand_in
            else "Make a column of 0 and 1 of one property of the text, such as a word that it holds, and name that.",
        ),
        column=name,
        columns=stand_in,
    )


def numbers(table: Any, names: Iterable[str]) -> tuple[Floats, tuple[str, ...]]:
    """[n, k] numbers of these columns, and a name for each; a category becomes a column for each word but the first.

    Raises:
        DataError: a column of free text, or of dates.
    """
    parts: list[Floats] = []
    wide: list[str] = []
    for name in names:
        column = table[name]
        if _is_number(column):
            parts.append(column.to_numpy(dtype=float))
            wide.append(name)
            continue
        words = sorted(map(str, column.unique()))
        if len(words) > MOST_WORDS or getattr(column.dtype, "kind", "O") in "mM":
            what = "dates" if getattr(column.dtype, "kind", "O") in "mM" else f"text ({len(words)} different values)"
            raise DataError(
                explain(
                    f"column {name!r} holds {what}, which is not adjusted for as it is.",
                    f"Make numbers of it, such as days or lengths; a column of up to {MOST_WORDS} words is read.",
                    "For a text as common cause: rankwise effect ... --text " + name if what[0] == "t" else "",
                ),
                column=name,
            )
        said = column.astype(str).to_numpy()
        parts += [(said == word).astype(float) for word in words[1:]]
        wide += [f"{name}={word}" for word in words[1:]]
    return (np.column_stack(parts) if parts else np.empty((len(table), 0))), tuple(wide)


def _reads_as_number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


def _is_number(column: Any) -> bool:
    return getattr(column.dtype, "kind", "O") in "biuf"
