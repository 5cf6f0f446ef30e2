"""Where a run writes: `<out>.run` while it goes on, `<out>` in one move at its end."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import io
from ..core.adapter import Adapter
from ..errors import BadFile, FolderExists, explain
from ..io import native
from .recipe import Recipe
from .record import NAME


@dataclass(frozen=True)
class Saved:
    """A checkpoint to go on from."""

    adapter: Adapter
    state: dict[str, Any]
    best: Adapter | None


@dataclass(frozen=True)
class Workplace:
    """The two folders of a run; both None for a run that writes nothing."""

    out: Path | None
    work: Path | None
    overwrite: bool = False

    @classmethod
    def prepare(cls, out: str | Path | None, *, resume: bool, overwrite: bool) -> Workplace:
        """Refuse what is there already, before anything is computed.

        Raises:
            FolderExists: `out` or `<out>.run` is there. BadFile: nothing to resume.
        """
        if out is None:
            return cls(None, None)
        out = Path(out)
        work = out.with_name(out.name + ".run")
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
        elif work.exists():
            if not overwrite:
                raise FolderExists(
                    explain(
                        f"{work} holds a run that was stopped.",
                        "To go on with it: --resume",
                        "To begin anew: --overwrite",
                    ),
                    path=work,
                )
            shutil.rmtree(work)
        work.mkdir(parents=True, exist_ok=True)
        return cls(out, work, overwrite)

    def save(self, adapter: Adapter, state: dict[str, Any]) -> None:
        if self.work:
            native.save_state(self.work / "last", adapter, state)

    def save_best(self, adapter: Adapter) -> None:
        if self.work:
            native.save_state(self.work / "best", adapter, {})

    def load(self) -> Saved:
        if self.work is None:
            raise BadFile("there is nothing to resume: no folder was given.")
        adapter, state = native.load_state(self.work / "last")
        best = None
        if state["run"]["best"]["step"] and (self.work / "best").is_dir():
            best, _ = native.load_state(self.work / "best")
        return Saved(adapter, state, best)

    def finish(self, adapter: Adapter, recipe: Recipe) -> Path | None:
        """Write the result, with the run's record and recipe, and clear the working folder."""
        if self.out is None or self.work is None:
            return None
        record = self.work / NAME
        extra = {"recipe.toml": recipe.to_toml().encode()}
        if record.exists():
            extra[NAME] = record.read_bytes()
        folder = io.save(adapter, self.out, overwrite=self.overwrite, extra=extra)
        boards = self.work / "tensorboard"
        if boards.is_dir():
            shutil.copytree(boards, self.out / "tensorboard", dirs_exist_ok=True)
        shutil.rmtree(self.work)
        return folder
