"""An adapter folder that can answer again: the adapter, its notes, and its base model once it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .. import io
from ..core.adapter import Adapter
from ..core.head import Head
from ..errors import BadFile, DataError, RecipeError, UnknownName, WrongBase, explain, nearest
from ..models import encode, load, tokenizer
from ..models.source import MINILM
from ..train.data import Example
from ..train.task import Task
from .notes import NOTES, Notes, Reading
from .table import Asked, Columns, Table
from .text import rows_of


@dataclass(frozen=True)
class Opened:
    """An adapter folder, and its base model once it is asked for.

    Args:
        base: another name for the base model (it was moved, say); its weights must be the same.
    """

    folder: Path
    adapter: Adapter
    notes: Notes | None
    base: str | None = None

    @classmethod
    def read(cls, folder: str | Path, base: str | None = None) -> Opened:
        """Raises as `rankwise.io.load` does."""
        folder = Path(folder)
        return cls(folder, io.load(folder), Notes.read(folder), base)

    @property
    def carried(self) -> dict[str, bytes]:
        """Files that a folder made from this one takes along."""
        if self.notes is None:
            return {}
        return {NOTES: replace(self.notes, base=self.notes.base_in(self.folder)).to_bytes()}

    @property
    def base_name(self) -> str:
        """Raises DataError where nobody says which base model it was."""
        noted = self.notes.base_in(self.folder) if self.notes and self.notes.base else None
        name = self.base or noted or self.adapter.base.get("name")
        if not name:
            raise DataError(explain(f"{self.folder} does not say its base model.", "Name it: --base <model>"))
        return str(name)

    def model(self, kind: str = "encoder", **config: Any) -> nn.Module:
        """The base model.

        Raises:
            WrongBase: its weights are not those that the adapter was trained on. Others as `models.load`.
        """
        with self._base_may_have_moved():
            model = open_base(self.base_name, kind, **config)
        check_base(self.adapter, model, self.folder)
        return model

    @cached_property
    def tokenizer(self) -> Any:
        with self._base_may_have_moved():
            return tokenizer(self.base_name)

    @contextmanager
    def _base_may_have_moved(self) -> Iterator[None]:
        """A base model that was noted and is not there: the error says how to name its new place."""
        try:
            yield
        except (UnknownName, BadFile) as error:
            if self.base is not None or (Path(self.base_name) / "config.json").is_file():
                raise
            moved = f"{self.folder} was trained on it. If it has moved, name its place: --base <model>"
            raise type(error)(explain(error.message, moved), name=self.base_name) from error

    def reading(self, name: str | None = None) -> Reading:
        """How the rows of a task are read: as in training, or the defaults where nothing is noted. Raises as `head`."""
        task, _ = self.head(name)
        return self.notes.tasks.get(task, Reading()) if self.notes else Reading()

    def columns(
        self, text: str | None = None, pair: str | None = None, label: str | None = None, task: str | None = None
    ) -> Columns:
        """The columns of a task as in training, but for those that are given. Raises as `head`."""
        noted = self.reading(task)
        return Columns(text or noted.text, pair or noted.pair, label or noted.label)

    def head(self, name: str | None = None) -> tuple[str, Head]:
        """The head called `name`, or the only one.

        Raises:
            UnknownName: no such head, or several and none was named.
            DataError: the folder has none, so that it cannot answer.
        """
        heads = self.adapter.heads
        if not heads:
            raise DataError(
                explain(
                    f"{self.folder} holds no head of rankwise, so it gives no answers by itself.",
                    "A head comes with: rankwise train <table> --text <column> --label <column> --out <folder>",
                    "An adapter on a model with a head of its own works through: "
                    f"rankwise merge {self.folder} --out <folder>",
                )
            )
        if name is None and len(heads) == 1:
            name = next(iter(heads))
        if name not in heads:
            several = f"it holds {len(heads)} heads, and none was named"
            given = several if name is None else f"there is no head {name!r}"
            near = nearest(name or "", heads)
            raise UnknownName(
                explain(f"{self.folder}: {given}.", f"Heads: {', '.join(heads)}.", f"Choose one: --task {near[0]}"),
                name=name,
            )
        return name, heads[name]

    def task(
        self,
        rows: Sequence[Example],
        name: str | None = None,
        metric: str | None = None,
        valid: Sequence[Example] | None = None,
    ) -> Task:
        """A task of these rows: to answer, to score (without `valid`, on the rows themselves), or to train on."""
        name, head = self.head(name)
        held_out = rows if valid is None else valid
        return Task(name, head, train=rows, valid=held_out, metric=metric, pad_id=self.tokenizer.pad_token_id or 0)

    def asked(self, rows: Sequence[Asked], name: str | None = None) -> list[Example]:
        """Streamed rows of a task, tokenised."""
        pairs = [row.pair or "" for row in rows] if rows and rows[0].pair is not None else None
        tokens = encode(self.tokenizer, [row.text for row in rows], pairs, self.reading(name).max_length)
        types = "token_type_ids"
        return [Example(tuple(t["input_ids"]), types=tuple(t[types]) if types in t else None) for t in tokens]

    def rows(self, table: Table, name: str | None = None) -> list[Example]:
        return rows_of(table, self.head(name)[1].labels, self.tokenizer, self.reading(name).max_length)


def open_base(name: str, kind: str = "encoder", seed: int = 0, **config: Any) -> nn.Module:
    """`models.load`, with the parameters that loading has to make up drawn from this seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return load(name, kind, **config)


def refuse_two_stacks(model: nn.Module, name: str) -> None:
    """Raises RecipeError where the model is an encoder with a decoder: its hidden states are not the text's."""
    settings: Any = getattr(model, "config", None)
    if getattr(settings, "is_encoder_decoder", False):
        raise RecipeError(
            explain(
                f"base={name!r} is an encoder with a decoder ({settings.model_type}).",
                "Tables are learnt on the hidden states of one stack: BERT, RoBERTa, DeBERTa, GPT-2 and their kin.",
                f"The packaged encoder is called {MINILM!r}.",
            )
        )


def lasting_name(base: str) -> str:
    """A base model's name that means the same from any folder: folders by their absolute path."""
    path = Path(base).expanduser()
    return str(path.resolve()) if base != MINILM and path.is_dir() else base


def check_base(adapter: Adapter, model: nn.Module, folder: Path) -> None:
    """Raises WrongBase where both sides know their weights and these differ."""
    here: dict[str, Any] = getattr(model, "rankwise_base", {})
    trained, found = adapter.base.get("sha256"), here.get("sha256")
    if trained and found and trained != found:
        raise WrongBase(
            explain(
                f"{folder} was trained on {adapter.base.get('name')!r}, and {here.get('name')!r} has other weights.",
                f"sha256 of the weights in training: {trained}",
                f"sha256 of {here.get('name')!r}: {found}",
                "Name the model it was trained on: --base <model>. rankwise show tells more.",
            ),
            base=adapter.base,
            found=here,
        )
