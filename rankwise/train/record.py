"""What a run wrote down: run.jsonl, one JSON object a line, and TensorBoard files on request.

Lines are only ever appended, and flushed one by one, so a killed run leaves every line but perhaps half of
the last one; `read` and the next `Record` on the same folder cope with that half.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import torch

from ..errors import BadFile, MissingExtra, explain

NAME = "run.jsonl"
KINDS = ("header", "step", "eval", "rank", "event")
PACKAGES = ("rankwise", "torch", "transformers", "accelerate", "safetensors", "numpy")


class Record:
    """Appends lines to <folder>/run.jsonl; a with-block closes it.

    Every line has "kind" (one of KINDS) and, but for the header, "step": the optimizer steps done when it
    was written, which never falls from line to line.

    Args:
        folder: made if need be; None writes nothing (other processes of a distributed run).
        tensorboard: also write every number of step, eval and rank lines to <folder>/tensorboard.

    Raises:
        MissingExtra: TensorBoard was asked for and is not installed.
    """

    def __init__(self, folder: str | Path | None, *, tensorboard: bool = False) -> None:
        self.path = None if folder is None else Path(folder) / NAME
        self._file: IO[bytes] | None = None
        self._board: Any = None
        self._purge: int | None = None
        self._tensorboard = tensorboard and folder is not None
        if self.path is None:
            return
        if self._tensorboard:
            _summary_writer()  # missing? then say so now, not at the first line
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            _cut_at(self.path, _whole(self.path))
        self._file = self.path.open("ab")

    def header(self, *, seed: int, recipe: Mapping[str, Any], method: Mapping[str, Any], **more: Any) -> None:
        """What is needed to repeat the run: versions, machine, seed, recipe and method, and `more`.

        A run that is resumed writes its header again, at the place where it went on.
        """
        facts = {"versions": versions(), "machine": machine(), "seed": seed}
        self._append({"kind": "header", **facts, "recipe": dict(recipe), "method": dict(method), **more})

    def step(self, step: int, **values: Any) -> None:
        """Training figures after a step: loss, learning rates, norm of the gradient, tokens."""
        self._line("step", step, values)

    def eval(self, step: int, **values: Any) -> None:
        """Scores of an evaluation."""
        self._line("eval", step, values)

    def rank(self, step: int, **values: Any) -> None:
        """Ranks: the mean, and a mapping from site to rank."""
        self._line("rank", step, values)

    def event(self, step: int, what: str, **values: Any) -> None:
        """Anything else that happened: "saved", "stopped", "resumed", "shrunk"."""
        self._line("event", step, {"what": what, **values})

    def truncate_after(self, step: int) -> int:
        """Drop every line from the first one written after `step` on; returns how many went.

        A run that resumes from the checkpoint of `step` calls this before it goes on, so that no step
        stands in the file twice.

        Raises:
            BadFile: a line that is not JSON, other than half a line at the end.
        """
        if self.path is None or self._file is None:
            return 0
        keep = dropped = 0
        with self.path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                line = _parse(self.path, number, raw)
                if dropped or line.get("step", 0) > step:
                    dropped += 1
                else:
                    keep += len(raw)
        self._file.close()
        _cut_at(self.path, keep)
        self._file = self.path.open("ab")
        self._purge = step + 1
        return dropped

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._board is not None:
            self._board.close()
            self._board = None

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _line(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        self._append({"kind": kind, "step": int(step), **values})
        if self._tensorboard and kind != "event":
            self._plot(kind, step, values)

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._file is not None:
            text = json.dumps(_plain(line), ensure_ascii=False, allow_nan=False)
            self._file.write(text.encode() + b"\n")
            self._file.flush()

    def _plot(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        if self._board is None and self.path is not None:
            self._board = _summary_writer()(str(self.path.parent / "tensorboard"), purge_step=self._purge)
        for name, value in _numbers(kind, _plain(values)):
            self._board.add_scalar(name, value, step)


def read(path: str | Path) -> list[dict[str, Any]]:
    """The lines of a run.jsonl, or of the one in a folder; half a line at the end is left out.

    Raises:
        BadFile: no such file, or a line in the middle that is not a JSON object.
    """
    path = Path(path)
    path = path / NAME if path.is_dir() else path
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(
            explain(
                f"{path}: cannot be read ({error.strerror}).",
                f"A folder that `rankwise train` wrote has a {NAME}.",
            ),
            path=path,
        ) from error
    whole = raw[: raw.rfind(b"\n") + 1]
    return [_parse(path, number, line) for number, line in enumerate(whole.splitlines(), 1)]


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that decide a result; None for one not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    found["torch"] = str(torch.__version__)  # with its build, such as +cpu
    return found


def machine() -> dict[str, Any]:
    """Platform, processor, cores and threads, and the accelerator if torch sees one."""
    cuda = torch.cuda.is_available()
    return {
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if cuda else None,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv and sys.argv[0] else [],
    }


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtra(
            explain(
                "TensorBoard files were asked for and tensorboard is not installed.",
                "pip install tensorboard",
            )
        ) from error
    return SummaryWriter


def _plain(value: Any) -> Any:
    """Values as JSON has them: tensors and numpy values as numbers and lists, paths as text, and numbers
    that JSON lacks as "nan", "inf", "-inf", which float() reads back."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # tensors, numpy arrays and scalars
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _numbers(prefix: str, values: Any) -> list[tuple[str, float]]:
    """Every number in nested mappings, under its path; lists and texts are left out."""
    if isinstance(values, Mapping):
        return [pair for name, item in values.items() for pair in _numbers(f"{prefix}/{name}", item)]
    number = isinstance(values, int | float) and not isinstance(values, bool)
    return [(prefix, values)] if number else []


def _parse(path: Path, number: int, raw: bytes) -> dict[str, Any]:
    try:
        line = json.loads(raw)
    except ValueError as error:
        raise BadFile(f"{path}: line {number} is not JSON ({error}).", path=path, line=number) from error
    if not isinstance(line, dict):
        raise BadFile(f"{path}: line {number} is not a JSON object.", path=path, line=number)
    return line


def _whole(path: Path) -> int:
    """Bytes up to the end of the last line that was written whole."""
    return path.read_bytes().rfind(b"\n") + 1


def _cut_at(path: Path, size: int) -> None:
    if path.stat().st_size != size:
        os.truncate(path, size)
