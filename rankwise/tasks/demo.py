"""The main job: what a rank that finds itself is worth, on real sentences, in minutes.

Three adapters of the packaged encoder on the embedded corpus: a head alone, LoRA, and SoRA, which is pruned, saved,
read back and asked again. Every figure of the report comes from the run.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .. import io
from ..core.adapter import Adapter
from ..core.create import new
from ..core.method import Method
from ..data import corpus
from ..errors import BadFile, FolderExists, explain
from ..methods import METHODS
from ..models import tokenizer
from ..models.source import MINILM
from ..train.evaluate import evaluate, predict
from ..train.loop import Result, fit
from ..train.recipe import Recipe
from ..train.record import machine, versions
from ..train.task import Task
from ..train.workplace import Output
from .folder import open_base
from .notes import NOTES, Notes, Reading
from .table import Columns, Table, table_of
from .text import rows_of, text_task

WHAT = "rankwise demo"
CORPUS, REPORT = "sentence-polarity", "report.json"
RANK, TARGET = 8, 4.0  # directions a site at the start; mean rank that SoRA is asked for
POOLER = ("pooler.dense",)  # its output is not used by a head that pools hidden states
QUICK_ROWS = 64
BASE_RECIPE = Recipe(epochs=1, lr=1e-3, batch_rows=32, max_length=64)


@dataclass(frozen=True)
class Entry:
    """One method of the comparison: its settings, what trains whole, and its learning rate."""

    name: str
    title: str
    method: Method | None
    lr: float
    whole: str | tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of the table. trained, kept: numbers, the head's among them. bytes: of the file that PEFT loads."""

    name: str
    title: str
    trained: int
    kept: int
    mean_rank: float
    accuracy: float
    low: float
    high: float
    seconds: float
    bytes: int
    folder: str


@dataclass(frozen=True)
class Report:
    """Everything that the job found; `to_dict` is what report.json holds."""

    rows: tuple[Row, ...]
    ranks: dict[str, int]
    facts: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {"what": WHAT, **self.facts, "methods": [asdict(r) for r in self.rows], "ranks": self.ranks}


def entries() -> list[Entry]:
    """The three. Learning rates come from a sweep on a tenth of train (results/polarity): the best for the head; for
    LoRA and SoRA alike the second best, since at the best one LoRA fails in one of three seeds.
    """
    lora, sora = METHODS["lora"], METHODS["sora"]
    return [
        Entry("head", "head only", None, 1e-2, "head"),
        Entry("lora", f"LoRA r={RANK}", lora(rank=RANK), 2e-3),  # type: ignore[call-arg]
        Entry("sora", f"SoRA r_max={RANK}", sora(rank=RANK, target_rank=TARGET), 2e-3),  # type: ignore[call-arg]
    ]


def demo(
    out: str | Path,
    recipe: Recipe = BASE_RECIPE,
    *,
    quick: bool = False,
    progress: bool = False,
    say: Callable[[str], None] = lambda text: None,
    draw: Callable[[Report, Path], None] = lambda report, folder: None,
) -> Report:
    """Run the main job and write it to `out`, which appears at the end, whole.

    Args:
        out: holds head/, lora/, sora/ and report.json afterwards; an earlier demo's folder is replaced.
        recipe: of all three, but for the learning rates.
        quick: a sample of the rows, to see that it runs; the figures mean nothing.
        say: told what is being done. draw: adds pictures to the folder before it is put in place.

    Raises:
        FolderExists: `out` is something else than a demo's folder.
        BadFile: the saved adapter does not answer as the trained one did.
    """
    out = Path(out)
    refuse_foreign(out)
    began = time.perf_counter()
    with _threads(recipe.num_threads), _scratch(out) as work:
        model, words = open_base(MINILM, seed=recipe.seed), tokenizer(MINILM)
        task, test = _task(model, words, recipe, quick)
        rows, ranks, checked = [], {}, {}
        for number, entry in enumerate(entries(), 1):
            say(f"{number}/3 {entry.title}: {len(task.train):,} sentences, {recipe.epochs:g} epoch(s)")
            result, row = _one(model, entry, task, test, recipe, work / entry.name, progress)
            rows.append(replace(row, folder=str(out / entry.name)))
            if entry.name == "sora":
                ranks = result.adapter.ranks
                checked = _read_back(model, result.adapter, work / entry.name, task, test)
        report = Report(
            tuple(rows),
            ranks,
            {
                "quick": quick,
                "corpus": {"name": CORPUS, "train": len(task.train), "test": len(test)},
                "base": dict(model.rankwise_base) | {"numbers": sum(p.numel() for p in model.parameters())},  # type: ignore[arg-type, call-overload, operator]
                "rank": RANK,
                "target_rank": TARGET,
                "read_back": checked,
                "seed": recipe.seed,
                "recipe": recipe.to_dict(),
                "learning_rates": {e.name: e.lr for e in entries()},
                "versions": versions(),
                "machine": machine() | {"threads": torch.get_num_threads()},
                "seconds": time.perf_counter() - began,
            },
        )
        draw(report, work)
        (work / REPORT).write_text(json.dumps(report.to_dict(), indent=2) + "\n")
    return report


def refuse_foreign(out: Path) -> None:
    """Raises FolderExists where `out` is something else than what an earlier demo wrote."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        ours = json.loads((out / REPORT).read_bytes())["what"] == WHAT
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise FolderExists(
            explain(
                f"{out} is there already, and no demo wrote it.",
                f"Only a demo's own folder, with its {REPORT}, is replaced.",
                "Choose another: rankwise demo --out <folder>",
            ),
            path=out,
        )


def _task(model: nn.Module, words: Any, recipe: Recipe, quick: bool) -> tuple[Task, list[Any]]:
    """The training rows as a task, and the test rows."""
    most = QUICK_ROWS if quick else None

    def table(split: str) -> Table:
        texts, labels = corpus(CORPUS, split)
        return table_of({"text": texts[:most], "label": labels[:most]}, Columns("text", label="label"))

    train, test = table("train"), table("test")
    names = sorted(set(train.labels or ()))
    width: int = model.config.hidden_size  # type: ignore[union-attr, assignment]
    task = text_task(train, None, names, words, width, max_length=recipe.max_length)
    return task, rows_of(test, names, words, recipe.max_length)


def _one(
    model: nn.Module, entry: Entry, task: Task, test: Sequence[Any], recipe: Recipe, folder: Path, progress: bool
) -> tuple[Result, Row]:
    start = new(
        model,
        entry.method,
        exclude=POOLER,
        whole=entry.whole,
        heads={task.name: task.head},
        seed=recipe.seed,
    )
    notes = Notes(MINILM, {task.name: Reading("text", None, "label", max_length=recipe.max_length)})
    output = Output(folder, extra={NOTES: notes.to_bytes()})
    result = fit(model, start, task, replace(recipe, lr=entry.lr), out=output, progress=progress)
    found = result.adapter
    scores = evaluate(model, found, task, test)
    row = Row(
        name=entry.name,
        title=entry.title,
        trained=start.stored + start.whole_size,
        kept=found.size + found.whole_size,
        mean_rank=found.mean_rank,
        accuracy=scores.value,
        low=scores.low,
        high=scores.high,
        seconds=result.seconds,
        bytes=_peft_bytes(folder),
        folder=str(folder),
    )
    return result, row


def _peft_bytes(folder: Path) -> int:
    """Bytes of the adapter's tensors; the head of rankwise is among them in the native file only."""
    return (folder / io.files.NATIVE).stat().st_size


def _read_back(model: nn.Module, trained: Adapter, folder: Path, task: Task, test: Sequence[Any]) -> dict[str, Any]:
    """Ask the adapter in the folder what the trained one was asked; every logit must be the same."""
    read = io.load(folder)
    before = torch.stack(predict(model, trained, task, test))
    after = torch.stack(predict(model, read, task, test))
    difference = float((before - after).abs().max())
    if not torch.equal(before, after):
        raise BadFile(
            explain(
                f"the adapter read back from {folder} answers differently, by up to {difference:.3g} in a logit.",
                "It must answer the same to the bit. This is a fault of rankwise, or of the disk.",
            ),
            path=folder,
        )
    return {"rows": len(test), "equal": True, "largest_difference": difference}


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if number:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its place at the end of the block, and goes if the block fails."""
    work = out.with_name(f".{out.name}.{os.getpid()}.new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
        refuse_foreign(out)
        shutil.rmtree(out, ignore_errors=True)
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
