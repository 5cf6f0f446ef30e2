"""Options that are not written down twice: one for every field of Recipe, and the method's from its own fields."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import RecipeError, UnknownName, explain, nearest
from ..methods import METHODS, PATHS
from ..train.recipe import Recipe
from .common import PRESETS

TYPES: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str}


def with_recipe(
    command: Callable[..., None],
    defaults: Mapping[str, Any] | None = None,
    depending: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> Callable[..., None]:
    """Give a command --recipe and an option for every field of Recipe; it gets one Recipe as `recipe`.

    An option overrides the file, the file overrides the default; `defaults` are the command's own, and `depending`
    gives those that are others for the values of its other options.
    """
    own_defaults = dict(defaults or {})
    items = {item.name: item for item in fields(Recipe)}

    def wrapped(**values: Any) -> None:
        given = {name: values.pop(name) for name in items}
        chosen = {name: getattr(v, "value", v) for name, v in given.items() if v is not None}
        file = values.pop("recipe")
        usual = own_defaults | dict(depending(values) if depending else {})
        start = Recipe.from_toml(file).to_dict() if file else usual
        command(recipe=Recipe.from_dict(start | chosen, source="options"), **values)

    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "recipe"]
    extra = [_recipe_file(), *(_option(item, own_defaults.get(name, item.default)) for name, item in items.items())]
    wrapped.__signature__ = inspect.Signature([*own, *extra])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in (*own, *extra)}
    wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
    return wrapped


def _recipe_file() -> inspect.Parameter:
    what = "TOML file of the settings below; options override it."
    told = typer.Option(metavar="FILE", help=what, show_default=False)
    return inspect.Parameter(
        "recipe", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[Path | None, told]
    )


def _option(item: Field[Any], default: Any) -> inspect.Parameter:
    kind = str(item.type).partition(" | ")[0]
    choices = item.metadata["choices"]
    annotation: Any = StrEnum(item.name, {c: c for c in choices}) if choices else TYPES[kind]  # type: ignore[misc]
    told = item.metadata["help"]
    if default is not None and not isinstance(default, bool):
        told += f" Default: {default}."
    flag = "--" + item.name.replace("_", "-")
    both = f"{flag}/--no-{flag[2:]}" if kind == "bool" else flag
    return inspect.Parameter(
        item.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[annotation | None, typer.Option(both, help=told, show_default=False)],
    )


def method_of(kind: str, named: Mapping[str, Any], sets: Sequence[str]) -> Any:
    """The method called `kind` with these settings, or None for a preset of what is trained whole.

    Args:
        named: settings with an option of their own; None where not given.
        sets: "name=value" for any field of the method.

    Raises:
        RecipeError: a value outside its range or of another type; a setting for a preset, which has none.
        UnknownName: no such setting; names the nearest, and all of them.
    """
    given: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    for text in sets:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise RecipeError(explain(f"--set {text!r} is no setting.", "It is NAME=VALUE: --set rslora=true"))
        given[name.strip().replace("-", "_")] = value.strip()
    if kind in PRESETS:
        if given:
            name = next(iter(given))
            raise RecipeError(
                explain(
                    f"{name}={given[name]} goes with a method that has factors; {kind!r} has none.",
                    f"Methods: {', '.join(PATHS)}. Use --method {next(iter(PATHS))}, or leave --{name} out.",
                ),
                name=name,
            )
        return None
    cls = METHODS[kind]
    known = {item.name: str(item.type) for item in fields(cls)}
    for name, value in given.items():
        if name not in known:
            raise UnknownName(
                explain(
                    f"method {kind!r} has no setting {name!r}.",
                    f"Nearest: {', '.join(nearest(name, known))}.",
                    f"All settings: {', '.join(known)}.",
                ),
                name=name,
            )
        if isinstance(value, str):
            given[name] = _read(name, known[name], value)
    try:
        return cls(**given)
    except RecipeError as error:  # what has no option of its own is named as it was given
        by_set = "|".join(name for name in known if name not in named)
        raise RecipeError(re.sub(rf"\b({by_set})=", r"--set \1=", error.message)) from None


def _read(name: str, annotation: str, text: str) -> Any:
    """The text of a setting as its field's type."""
    kind, _, optional = annotation.partition(" | ")
    if optional and text.lower() == "none":
        return None
    if kind == "bool":
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise RecipeError(f"--set {name}={text!r}: it must be true or false.", name=name)
    try:
        return TYPES[kind](text)
    except ValueError:
        word = {"int": "a whole number", "float": "a number"}[kind]
        raise RecipeError(f"--set {name}={text!r}: it must be {word}.", name=name) from None


def patterns(given: str) -> str | list[str]:
    """Targets as written on a command line: "all-linear", names or suffixes with commas, or a regular expression."""
    parts = [part.strip() for part in given.split(",") if part.strip()]
    plain = all(part.replace(".", "").replace("_", "").replace("-", "").isalnum() for part in parts)
    return parts if plain and given != "all-linear" else given
