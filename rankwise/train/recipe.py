"""Every number needed to repeat a run, as one frozen dataclass and one flat TOML file."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from ..errors import BadFile, RecipeError, UnknownName, close, explain, nearest, refuse_unknown
from .metrics import metric_named


def _set(
    default: Any,
    text: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field with its help text and its range: least <= value <= most, or value > above."""
    rule = {"help": text, "least": least, "above": above, "most": most, "choices": choices}
    return field(default=default, metadata=rule)


@dataclass(frozen=True)
class Recipe:
    """The settings of a run; what each means stands beside it and in `Recipe.help()`.

    Numbers are checked when a recipe is made: RecipeError for a value outside its range or of another
    type, UnknownName for a metric that is not there.
    """

    epochs: float = _set(3.0, "Passes over the training rows; part of one is allowed.", above=0)
    steps: int | None = _set(None, "Optimizer steps in all; overrides epochs.", least=1)
    lr: float = _set(1e-3, "Peak learning rate of the adapter.", above=0)
    head_lr: float | None = _set(None, "Peak learning rate of the head; as lr if not given.", above=0)
    gate_lr: float | None = _set(None, "Peak learning rate of the gates; the method's own multiple of lr.", above=0)
    weight_decay: float = _set(0.0, "Decoupled weight decay (AdamW).", least=0)
    batch_rows: int = _set(32, "Rows of one batch; not used where batch_tokens is given.", least=1)
    batch_tokens: int | None = _set(None, "Tokens of one batch, padding counted.", least=1)
    max_length: int = _set(128, "Tokens of a row, special ones counted; longer rows are cut.", least=2)
    accumulate: int = _set(1, "Batches whose gradients are added up for one step.", least=1)
    clip: float = _set(1.0, "Largest norm of the gradient; 0 turns clipping off.", least=0)
    warmup: float = _set(0.06, "Share of the steps in which the learning rate rises.", least=0, most=1)
    decay: str = _set("linear", "How the rate falls after it.", choices=("linear", "cosine", "constant"))
    precision: str = _set(
        "auto",
        "Type of the arithmetic; auto: bf16 where the processor has it.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    checkpointing: bool = _set(False, "Compute activations twice rather than keep them.")
    seed: int = _set(0, "Seed of everything random.", least=0, most=2**32 - 1)
    eval_every: int | None = _set(None, "Steps between evaluations; each epoch if not given.", least=1)
    patience: int | None = _set(None, "Evaluations without a better score before stopping.", least=1)
    metric: str | None = _set(None, "Score that picks the best checkpoint; the head's own if not given.")
    save_every: int | None = _set(None, "Steps between checkpoints; each evaluation if not given.", least=1)
    log_every: int = _set(10, "Steps between lines of run.jsonl.", least=1)
    shrink_every: int = _set(0, "Steps between cutting dead directions out; 0: never.", least=0)
    tensorboard: bool = _set(False, "Write TensorBoard files beside run.jsonl.")
    num_threads: int | None = _set(None, "Processor threads; torch's choice if not given.", least=1)

    def __new__(cls, *values: Any, **settings: Any) -> Self:
        """Raises UnknownName for a field that a recipe does not have; names the nearest."""
        refuse_unknown("Recipe", settings, [item.name for item in fields(cls)])
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for item in fields(self):
            given = getattr(self, item.name)
            value = _typed(item.name, str(item.type), given)
            if value is not None:
                _in_range(item.name, given, item.metadata)
            object.__setattr__(self, item.name, value)
        if self.metric is not None:
            metric_named(self.metric)

    @classmethod
    def help(cls) -> dict[str, str]:
        """What each field means, by name, in order: the command line prints these."""
        return {item.name: item.metadata["help"] for item in fields(cls)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "recipe") -> Recipe:
        """A recipe from fields by name; fields that are left out keep their defaults.

        Raises:
            UnknownName: a field that a recipe does not have; names the nearest.
            RecipeError: a value outside its range, of another type, or not flat.
        """
        known = [item.name for item in fields(cls)]
        for name in values:
            if name not in known:
                near = ", ".join(nearest(name, known))
                raise UnknownName(
                    explain(
                        f"{source}: {name!r} is no field of a recipe.",
                        f"Nearest: {near}.",
                        f"All fields: {', '.join(known)}.",
                    ),
                    name=name,
                )
        return cls(**values)

    @classmethod
    def from_toml(cls, path: str | Path) -> Recipe:
        """A recipe from a flat TOML file.

        Raises:
            BadFile: not there, not UTF-8, or not TOML.
            UnknownName, RecipeError: as `from_dict`.
        """
        path = Path(path)
        try:
            values = tomllib.loads(path.read_bytes().decode("utf-8"))
        except OSError as error:
            there = sorted(p.name for p in path.parent.glob("*.toml")) if path.parent.is_dir() else []
            near = ", ".join(close(path.name, there))
            raise BadFile(
                explain(
                    f"{path}: cannot be read ({error.strerror}).",
                    f"Nearest here: {near}." if near else "" if there else f"There is no .toml file in {path.parent}.",
                ),
                path=path,
            ) from error
        except UnicodeDecodeError as error:
            raise BadFile(f"{path}: byte {error.start} is not UTF-8, which TOML must be.", path=path) from error
        except tomllib.TOMLDecodeError as error:
            raise BadFile(
                explain(f"{path}: is not TOML: {error}.", "A recipe holds lines such as: lr = 1e-3"),
                path=path,
            ) from error
        return cls.from_dict(values, source=str(path))

    def to_dict(self) -> dict[str, Any]:
        """Fields by name, in order, None ones included."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def to_toml(self) -> str:
        """Flat TOML that `from_toml` reads back to an equal recipe; TOML has no None, so those stay out."""
        lines = [f"{name} = {_scalar(value)}" for name, value in self.to_dict().items() if value is not None]
        return "\n".join(lines) + "\n"


def _scalar(value: bool | int | float | str) -> str:
    """One TOML value. Python's repr of a finite float is TOML, and reads back to the same bits."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _typed(name: str, annotation: str, value: Any) -> Any:
    """The value as its field's type: whole numbers may stand for floats; nothing else is converted."""
    kind, _, optional = annotation.partition(" | ")
    if value is None and optional:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "float" and number and math.isfinite(value):
        return float(value)
    if kind == "int" and number and math.isfinite(value) and value == int(value):
        return int(value)
    if (kind == "bool" and isinstance(value, bool)) or (kind == "str" and isinstance(value, str)):
        return value
    words = {"float": "a finite number", "int": "a whole number", "bool": "true or false", "str": "a text"}
    raise RecipeError(f"{name}={value!r}: it must be {words[kind]}.", name=name, value=value)


def _in_range(name: str, value: Any, rule: Mapping[str, Any]) -> None:
    wrong = ""
    if rule["choices"] and value not in rule["choices"]:
        near = nearest(value, rule["choices"], most=1)[0]
        wrong = f"one of {', '.join(rule['choices'])}; nearest: {near}"
    elif rule["least"] is not None and value < rule["least"]:
        wrong = f"at least {rule['least']:g}"
    elif rule["above"] is not None and value <= rule["above"]:
        wrong = f"above {rule['above']:g}"
    elif rule["most"] is not None and value > rule["most"]:
        wrong = f"at most {rule['most']:.10g}"
    if wrong:
        raise RecipeError(explain(f"{name}={value!r}: it must be {wrong}.", rule["help"]), name=name, value=value)
