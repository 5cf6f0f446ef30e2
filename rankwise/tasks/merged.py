"""A merged model as a folder of transformers, and its heads beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import io
from ..core.adapter import Adapter
from ..core.create import Whole
from ..core.merge import merge
from ..errors import FileThere, FolderExists, explain
from ..models.quiet import quiet
from ..models.source import identity, weight_files
from .folder import Opened
from .notes import INSIDE, NOTES, Notes

HEADS = "heads"
BY_NAME = {  # endings of transformers' class names -> kind of model
    "ForSequenceClassification": "sequence-classification",
    "ForTokenClassification": "token-classification",
    "ForConditionalGeneration": "seq2seq",
    "ForCausalLM": "causal-lm",
    "LMHeadModel": "causal-lm",
}
BY_TASK = {  # PEFT's task types
    "SEQ_CLS": "sequence-classification",
    "TOKEN_CLS": "token-classification",
    "CAUSAL_LM": "causal-lm",
    "SEQ_2_SEQ_LM": "seq2seq",
}


@dataclass(frozen=True)
class Merged:
    """What was written: folder, class of the model, merged sites, folder of the heads if there are any."""

    folder: Path
    cls: str
    sites: int
    heads: Path | None


def write_merged(opened: Opened, out: str | Path) -> Merged:
    """Write base + adapter as a stock model folder with its tokenizer; the folder appears whole or not at all.

    Raises:
        FolderExists, FileThere: `out` is there. NotFoldable: a site or the method does not fold.
        Others as `Opened.model`.
    """
    out = Path(out)
    if out.is_file():
        raise FileThere(explain(f"{out} is a file, and a folder is to be written.", "Choose another name."), path=out)
    if out.exists():
        raise FolderExists(
            explain(f"{out} is there already.", "Merging overwrites nothing.", "Choose another name."),
            path=out,
        )
    adapter = opened.adapter
    kind, config = kind_of(opened)
    model: Any = opened.model(kind, **config)
    merge(model, adapter)
    new = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        new.mkdir(parents=True)
        with quiet():
            model.save_pretrained(new)
            opened.tokenizer.save_pretrained(new)
        if adapter.heads:
            _write_heads(opened, new, out)
        new.rename(out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return Merged(out, type(model).__name__, len(adapter.factors), out / HEADS if adapter.heads else None)


def kind_of(opened: Opened) -> tuple[str, dict[str, Any]]:
    """What the adapter's model was loaded as, and the settings that its head needs.

    The class that was noted in training says it, or PEFT's task type; without either it is the bare encoder.
    """
    name = str(opened.adapter.base.get("class") or "")
    kind = next((kind for end, kind in BY_NAME.items() if name.endswith(end)), None)
    if kind is None and not name:
        try:
            task = json.loads((opened.folder / "adapter_config.json").read_bytes()).get("task_type")
        except (OSError, ValueError):
            task = None
        kind = BY_TASK.get(str(task))
    kind = kind or "encoder"
    labels = _labels(opened.adapter) if kind.endswith("classification") else None
    return kind, {} if labels is None else {"num_labels": labels}


def _labels(adapter: Adapter) -> int | None:
    """Rows of the last map of a classifier that was trained whole."""
    ends = re.compile(r"(^|\.)(classifier|score)(\.out_proj)?\.weight$")
    return next((int(t.shape[0]) for name, t in adapter.whole.items() if ends.search(name)), None)


def _write_heads(opened: Opened, new: Path, out: Path) -> None:
    """The heads as an adapter without sites, on the merged model: both move together."""
    base = {
        "name": str(out.resolve()),
        "sha256": identity(weight_files(new)),
        "class": opened.adapter.base.get("class"),
    }
    alone = replace(opened.adapter, method=Whole(), sites=(), factors={}, whole={}, base=base)
    notes = replace(opened.notes or Notes(INSIDE), base=INSIDE)
    io.save(alone, new / HEADS, extra={NOTES: notes.to_bytes()})
