"""Where a run writes: `<out>.run` while it goes on, `<out>` in one move at its end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import io
from ..core.adapter import Adapter
from ..errors import BadFile, Diverged, FolderExists, explain
from ..io import native
from ..io.files import check_free
from .recipe import Recipe
from .record import NAME


@dataclass(frozen=True)
class Output:
    """The folder that a run writes at its end.

    layout: of the ranks, as `save` has it. extra: further files to put into it, by name.
    """

    path: Path
    layout: str = "compact"
    extra: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """A checkpoint to go on from."""

    adapter: Adapter
    state: dict[str, Any]
    best: Adapter | None


@dataclass(frozen=True)
class Workplace:
    """The two folders of a run; both None for a run that writes nothing."""

    output: Output | None
    work: Path | None
    overwrite: bool = False

    @property
    def out(self) -> Path | None:
        return self.output.path if self.output else None

    @classmethod
    def prepare(cls, out: str | Path | Output | None, *, resume: bool, overwrite: bool) -> Workplace:
        """Refuse what is there already, and make the working folder, before anything is computed.

        Raises:
            FolderExists: `out` or `<out>.run` is there. BadFile: nothing to resume.
        """
        if out is None:
            return cls(None, None)
        output = out if isinstance(out, Output) else Output(Path(out))
        work = cls.check(output.path, resume=resume, overwrite=overwrite)
        if work.exists() and not resume:
            shutil.rmtree(work)
        work.mkdir(parents=True, exist_ok=True)
        return cls(output, work, overwrite)

    @staticmethod
    def check(out: Path, *, resume: bool, overwrite: bool) -> Path:
        """The working folder of `out`; raises as `prepare` does, and changes nothing."""
        work = out.with_name(out.name + ".run")
        if out.is_file():
            check_free(out, overwrite)  # says what is wrong
        if out.exists() and not overwrite:
            raise FolderExists(
                explain(f"{out} is there already.", "Nothing is overwritten unasked.", "To replace it: --overwrite"),
                path=out,
            )
        if resume:
            if not (work / "last").is_dir():
                raise BadFile(
                    explain(
                        f"there is nothing to resume in {work}.",
                        "A stopped run leaves a folder named <out>.run with a checkpoint 'last' in it.",
                        "To begin anew, leave --resume out.",
                    ),
                    path=work,
                )
        elif work.exists() and not overwrite:
            saved = (work / "last").is_dir()
            raise FolderExists(
                explain(
                    f"{work} holds a run that was stopped{'' if saved else ' before its first checkpoint'}.",
                    "To go on with it: --resume" if saved else "",
                    "To begin anew: --overwrite",
                ),
                path=work,
            )
        check_free(out, overwrite)  # what may not be replaced at the end is refused now
        return work

    @contextmanager
    def cleared_if_unused(self) -> Iterator[None]:
        """A run that fails before its first checkpoint leaves no folder in the way of the next one; the record of
        one that diverged stays, because its curve says why."""
        try:
            yield
        except Diverged:
            raise
        except BaseException:
            if self.work and not any((self.work / name).is_dir() for name in ("last", "best")):
                shutil.rmtree(self.work, ignore_errors=True)
            raise

    def save(self, adapter: Adapter, state: dict[str, Any]) -> None:
        if self.work:
            native.save_state(self.work / "last", adapter, state)

    def save_best(self, adapter: Adapter) -> None:
        if self.work:
            native.save_state(self.work / "best", adapter, {})

    def load(self) -> Saved:
        if self.work is None:
            raise BadFile("there is nothing to resume: no folder was given. Name it: fit(..., out=..., resume=True)")
        adapter, state = native.load_state(self.work / "last")
        best = None
        if state["run"]["best"]["step"]:  # of this step, or of a later one that the run will come to again
            best, _ = native.load_state(self.work / "best")
        return Saved(adapter, state, best)

    def finish(self, adapter: Adapter, recipe: Recipe) -> Path | None:
        """Write the result, with the run's record and recipe, and clear the working folder."""
        if self.output is None or self.work is None:
            return None
        record = self.work / NAME
        extra = dict(self.output.extra) | {"recipe.toml": recipe.to_toml().encode()}
        if record.exists():
            extra[NAME] = record.read_bytes()
        folder = io.save(adapter, self.output.path, layout=self.output.layout, overwrite=self.overwrite, extra=extra)
        boards = self.work / "tensorboard"
        if boards.is_dir():
            shutil.copytree(boards, self.output.path / "tensorboard", dirs_exist_ok=True)
        shutil.rmtree(self.work)
        return folder
