"""A file with one row a unit, read into a pandas table: CSV, TSV, JSON Lines or Parquet, by its ending."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadFile, DataError, explain

if TYPE_CHECKING:
    import pandas as pd

COMMAS = {".csv": ",", ".tsv": "\t"}
LINES = (".jsonl", ".ndjson")


def read_frame(path: str | os.PathLike[str]) -> pd.DataFrame:
    """The whole file; numbers, booleans and words as pandas takes them, names of columns as they stand.

    Raises:
        BadFile: no such file, another ending, or contents that are not of its form.
        DataError: no rows, or a name that two columns have (pandas would call the second one t.1 without a word).
    """
    import pandas as pd

    path = Path(path)
    ending = path.suffix.lower()
    if path.is_dir():
        raise BadFile(explain(f"{path} is a folder.", "Name a file: .csv, .tsv, .jsonl or .parquet."), path=path)
    if ending not in (*COMMAS, *LINES, ".parquet"):
        raise BadFile(explain(f"{path} ends in {ending!r}.", "Read are .csv, .tsv, .jsonl and .parquet."), path=path)
    if not path.is_file():
        raise BadFile(explain(f"{path} is no file.", "Look at the name, and at the folder."), path=path)
    if not path.stat().st_size:
        raise BadFile(explain(f"{path} is empty.", "A table has a line of names and a line for each unit."), path=path)
    try:
        if ending in COMMAS:
            _check_header(path, COMMAS[ending])
            table = pd.read_csv(path, sep=COMMAS[ending], encoding="utf-8-sig", skipinitialspace=True)
        elif ending in LINES:
            table = pd.read_json(path, lines=True)
        else:
            table = pd.read_parquet(path)
    except UnicodeDecodeError:
        raise BadFile(
            explain(
                f"{path} is not UTF-8.",
                "If the file came from Windows it is probably cp1252:",
                f"iconv -f cp1252 -t utf-8 {path} > utf8-{path.name}",
            ),
            path=path,
        ) from None
    except (OSError, ValueError) as error:  # pandas' and pyarrow's parsers raise kinds of ValueError
        if isinstance(error, DataError | BadFile):
            raise
        why = " ".join(str(error).split())[:200]
        raise BadFile(f"{path} cannot be read as {ending[1:]}: {why}", path=path) from None
    if not len(table):
        raise DataError(f"{path} holds no row.", path=path)
    table.columns = [str(c).strip() for c in table.columns]
    return table


def _check_header(path: Path, comma: str) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = [n.strip() for n in next(csv.reader(file, delimiter=comma), [])]
    if len(names) == 1 and (other := next((mark for mark in ";\t|" if mark in names[0]), "")):
        raise BadFile(
            explain(
                f"{path} has one column, {names[0]!r}: its cells stand apart by {other!r}, not by {comma!r}.",
                f"In Python: pandas.read_csv({path.name!r}, sep={other!r}).to_csv('new.csv', index=False)",
                "Where numbers have a comma (2,5), add decimal=',' to read_csv.",
            ),
            path=path,
        )
    twice = [n for n, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(
            explain(
                f"{Counter(names)[twice[0]]} columns are named {twice[0]!r}: which one is meant?",
                f"Rename all but one in the first line of {path.name}.",
            ),
            column=twice[0],
        )
