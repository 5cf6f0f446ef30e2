"""rankwise evaluate and predict: an adapter folder, and rows for it."""

from __future__ import annotations

import csv
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TextIO, TypeVar

import typer

from ..errors import DataError, RecipeError, explain
from .common import AdapterFolder, Base, Json, TableFile, TaskName, print_json, score_text

T = TypeVar("T")
Column = typer.Option(metavar="COLUMN", help="Column, if it is called otherwise than in training.", show_default=False)


class Form(StrEnum):
    """How answers are written."""

    jsonl = "jsonl"
    csv = "csv"


class Input(StrEnum):
    """How rows are read."""

    lines = "lines"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"


def evaluate(
    adapter: AdapterFolder,
    table: TableFile,
    text: Annotated[str | None, Column] = None,
    pair: Annotated[str | None, Column] = None,
    label: Annotated[str | None, Column] = None,
    task: TaskName = None,
    metric: Annotated[str | None, typer.Option(help="Another score than the head's own.", show_default=False)] = None,
    base: Base = None,
    as_json: Json = False,
) -> None:
    """Score an adapter on a labelled table.

    Reads the adapter's folder, its base model and TABLE; writes nothing. Prints the score with its 95 % interval.
    The columns are those of training.

    Example:  rankwise evaluate out/stars test.csv
    """
    from ..tasks.folder import Opened
    from ..tasks.table import read_table
    from ..train.evaluate import evaluate as score

    opened = Opened.read(adapter, base)
    _, head = opened.head(task)
    columns = opened.columns(text, pair, label, task)
    if columns.label is None:
        raise DataError(explain(f"{adapter} does not say which column holds the label.", "Name it: --label <column>"))
    found = read_table(table, columns, kind=head.kind, sep=opened.reading(task).sep)
    rows = opened.rows(found, task)
    asked = opened.task(rows, task, metric)
    scores = score(opened.model(), opened.adapter, asked).to_dict()
    if as_json:
        print_json({"adapter": str(adapter), "table": str(table), "task": asked.name} | scores)
    else:
        print(score_text(scores))


def predict(
    adapter: AdapterFolder,
    table: Annotated[str, typer.Argument(metavar="[TABLE|-]", help="Rows, or - for standard input.")] = "-",
    text: Annotated[str | None, Column] = None,
    pair: Annotated[str | None, Column] = None,
    task: TaskName = None,
    to: Annotated[Form, typer.Option("--format", help="jsonl: an object a line. csv: with a header.")] = Form.jsonl,
    read_as: Annotated[
        Input | None,
        typer.Option(
            "--input",
            help="What the rows are; told from a table's ending, and lines, one text each, for standard input.",
            show_default=False,
        ),
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Those of every label too.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write here, whole or not at all; refused if it exists.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file of --out if it exists.")] = False,
    batch_rows: Annotated[int, typer.Option(min=1, help="Rows at once, at most.")] = 32,
    base: Base = None,
) -> None:
    """Predict the label of every row, as the rows come.

    Reads the adapter's folder, its base model and rows: a table with the columns of training, or standard input,
    one text a line, blank ones skipped. Prints every row with "prediction" and, but for numbers, "probability"
    added, in the order of the rows, and holds no more than a batch of them. Labels are not needed. Of several heads
    --task names the one that answers.

    Example:  echo "a warm and funny film" | rankwise predict out/stars
    """
    from ..core.host import attached
    from ..io.files import new_file
    from ..tasks.answers import in_words
    from ..tasks.folder import Opened
    from ..tasks.table import stream
    from ..train.evaluate import predict as logits

    if overwrite and out is None:
        raise RecipeError("--overwrite goes with --out: there is no file to replace.")
    opened = Opened.read(adapter, base)
    _, head = opened.head(task)
    if probabilities and head.kind == "regression":
        raise RecipeError(
            explain("--probabilities: this head answers with a number.", "It has no labels to share out.")
        )
    columns = opened.columns(text, pair, task=task)
    live = table == "-"
    form = read_as.value if read_as else None
    rows = stream(_standard_input() if live else table, columns, form=form or ("lines" if live else None))
    with ExitStack() as stack:
        file = stack.enter_context(new_file(out, overwrite)) if out else sys.stdout
        first = next(rows, None)  # a column that is not there shows before the base model is loaded
        model = stack.enter_context(attached(opened.model(), opened.adapter))
        write = _writer(file, to, probabilities, opened.reading(task).sep)
        everything = _and_then(first, rows)
        for group in _as_they_come(everything, batch_rows) if live else _groups(everything, batch_rows):
            examples = opened.asked(group, task)
            answers = logits(model, None, opened.task(examples, task), examples, batch_rows=batch_rows)
            for row, answer in zip(group, in_words(head, answers), strict=True):
                write(row.values, answer)
            file.flush()


def _and_then(first: T | None, rest: Iterator[T]) -> Iterator[T]:
    if first is not None:
        yield first
        yield from rest


def _groups(rows: Iterator[T], most: int) -> Iterator[tuple[T, ...]]:
    while group := tuple(islice(rows, most)):
        yield group


def _standard_input() -> Iterable[bytes]:
    """Lines of standard input by a handle of its own: a thread may be waiting on it when the program ends."""
    try:
        return open(os.dup(sys.stdin.fileno()), "rb")
    except (OSError, ValueError):  # not a real file: a test, a notebook
        return sys.stdin.buffer


def _as_they_come(rows: Iterator[T], most: int) -> Iterator[tuple[T, ...]]:
    """Groups of rows: whatever has come by the time the last group is done, 1 to `most`.

    A slow writer gets an answer to each line at once, a fast one full batches. An error in reading is raised after
    the rows before it were given.
    """
    box: queue.Queue[Any] = queue.Queue(maxsize=4 * most)
    end = object()

    def read() -> None:
        try:
            for row in rows:
                box.put(row)
            box.put(end)
        except Exception as error:
            box.put(_Failed(error))

    threading.Thread(target=read, daemon=True).start()
    while True:
        group = [box.get()]
        while len(group) < most and not box.empty() and group[-1] is not end and not isinstance(group[-1], _Failed):
            group.append(box.get())
        last = group.pop() if group[-1] is end or isinstance(group[-1], _Failed) else None
        if group:
            yield tuple(group)
        if isinstance(last, _Failed):
            raise last.error
        if last is end:
            return


class _Failed:
    def __init__(self, error: Exception) -> None:
        self.error = error


def _writer(file: TextIO, form: Form, every: bool, sep: str) -> Callable[[dict[str, Any], Any], None]:
    """A function that prints one row with its answer."""
    if form is Form.jsonl:

        def line(values: dict[str, Any], answer: Any) -> None:
            said = {"prediction": answer.label}
            if answer.probability is not None:
                said["probability"] = answer.probability
            more = {"probabilities": answer.probabilities} if every else {}
            print(json.dumps(values | said | more, ensure_ascii=False, default=str), file=file)

        return line
    out = csv.writer(file, lineterminator="\n")
    begun: list[str] = []

    def record(values: dict[str, Any], answer: Any) -> None:
        labels = list(answer.probabilities) if every else []
        sure = [] if answer.probability is None else [answer.probability]
        if not begun:
            begun.extend(values)
            names = ["prediction", *(["probability"] if sure else []), *(f"probability of {name}" for name in labels)]
            out.writerow([*begun, *names])
        label = sep.join(answer.label) if isinstance(answer.label, list) else answer.label
        row = [values.get(name, "") for name in begun]
        out.writerow([*row, label, *sure, *(answer.probabilities[name] for name in labels)])

    return record
