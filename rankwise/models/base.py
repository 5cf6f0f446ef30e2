"""Loading a base model: which class, which numbers in it are new, and which weights exactly these are.

Two facts are kept with the model, because nothing else can tell them later: the parameters that the
checkpoint did not hold (`rankwise.core.site.mark_fresh`), and the digest of the weights (`rankwise_base`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError, safe_open
from torch import nn

from rankwise.core.site import mark_fresh
from rankwise.errors import BadFile, UnknownName, explain, nearest
from rankwise.models.quiet import quiet
from rankwise.models.source import MINILM_SHA256, Source, fetch, identity, resolve, verify, weight_files

__all__ = ["KINDS", "MINILM_SHA256", "Source", "load", "resolve"]

KINDS: dict[str, Any] = {
    "encoder": transformers.AutoModel,
    "sequence-classification": transformers.AutoModelForSequenceClassification,
    "token-classification": transformers.AutoModelForTokenClassification,
    "causal-lm": transformers.AutoModelForCausalLM,
    "seq2seq": transformers.AutoModelForSeq2SeqLM,
}
"""What a model is loaded as. "encoder" has no head: rankwise's own Head goes on top."""


def load(
    name: str | Path,
    kind: str = "encoder",
    dtype: torch.dtype | None = None,
    num_labels: int | None = None,
    **config: Any,
) -> nn.Module:
    """The base model called `name`, in eval mode on the CPU.

    name: "minilm", a folder, or a hub name. kind: one of KINDS. dtype: float32 unless given, whatever the
    file has. num_labels and config: fields of the model's configuration. New parameters are drawn from
    torch's global generator: seed it first. Their names are recorded, so that "all-linear" leaves them out
    and training can say that they are new. `model.rankwise_base` holds name, sha256 of the weights, class.

    Raises UnknownName (kind, or a model that is neither here nor on the hub) and BadFile (no safetensors,
    damaged, foreign, of another architecture, not MiniLM's known bits).
    """
    if kind not in KINDS:
        near = ", ".join(nearest(kind, KINDS, most=len(KINDS)))
        raise UnknownName(explain(f"kind={kind!r} is no kind of model.", f"Nearest first: {near}"), name=kind)
    source = resolve(name)
    folder = fetch(source)
    files = weight_files(folder)
    if source.sha256 is not None:
        verify(files[0], source.sha256)
    for file in files:
        _readable(file)
    fields = config if num_labels is None else config | {"num_labels": num_labels}
    with quiet():
        settings = _configuration(folder, kind, fields)
        model, info = _instantiate(folder, kind, settings, dtype or torch.float32)
    missing = sorted(info["missing_keys"])
    _landed(model, missing, folder)
    mark_fresh(model, missing)
    model.rankwise_base = {"name": source.name, "sha256": identity(files), "class": type(model).__name__}
    return model


def _readable(file: Path) -> None:
    """Read the header of a safetensors file, so that damage has a name. Raises BadFile."""
    try:
        with safe_open(file, framework="pt") as tensors:
            empty = not list(tensors.keys())
    except (SafetensorError, OSError) as error:
        raise BadFile(
            explain(
                f"{file} is not a whole safetensors file ({error}).",
                f"It has {file.stat().st_size:,} bytes; a download that broke off is the usual cause.",
                "Download or save it again.",
            ),
            path=file,
        ) from error
    if empty:
        raise BadFile(explain(f"{file} holds no tensors.", "Save the model again."), path=file)


def _configuration(folder: Path, kind: str, fields: dict[str, Any]) -> Any:
    """The model's settings, checked against the kind before anything large is read."""
    try:
        settings = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, **fields)
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())[:200]
        raise BadFile(
            explain(
                f"{folder / 'config.json'} describes no model of transformers {transformers.__version__}.",
                f"It says: {why}",
                "Models that bring their own code are refused: rankwise runs none of it.",
            ),
            path=folder / "config.json",
        ) from error
    fitting = [k for k, auto in KINDS.items() if type(settings) in auto._model_mapping]
    if kind not in fitting:
        near = ", ".join(fitting) or "none of rankwise's"
        raise UnknownName(
            explain(f"kind={kind!r}: {settings.model_type} has no such form.", f"Its kinds: {near}"),
            name=kind,
            known=fitting,
        )
    return settings


def _instantiate(folder: Path, kind: str, settings: Any, dtype: torch.dtype) -> tuple[Any, dict[str, Any]]:
    try:
        return KINDS[kind].from_pretrained(
            folder,
            config=settings,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=False,
        )
    except (RuntimeError, ValueError, OSError, SafetensorError) as error:
        why = " ".join(str(error).split())[:200]
        labels, classes = getattr(settings, "num_labels", None), kind.endswith("classification")
        raise BadFile(
            explain(
                f"{folder} cannot be loaded as {kind}: its tensors do not fit its config.json.",
                f"A trained head keeps its number of labels; asked for: {labels}." if classes else "",
                f"transformers says: {why}",
            ),
            path=folder,
        ) from error


def _landed(model: nn.Module, missing: list[str], folder: Path) -> None:
    """Refuse weights of which nothing landed in the model: another architecture under this config."""
    names = [name for name, _ in model.named_parameters()]
    if names and set(names) <= set(missing):
        raise BadFile(
            explain(
                f"{folder}: the weights hold none of the {len(names)} parameters of {type(model).__name__}.",
                f"It expects names such as {names[0]!r}; config.json and the weights do not belong together.",
            ),
            path=folder,
        )
