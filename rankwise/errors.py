"""Every error that rankwise raises on purpose.

    RankwiseError
    |-- NoSites          (ValueError)       a pattern that names no linear map
    |-- RankError        (ValueError)       a rank or budget that the maps cannot hold
    |-- NotFoldable      (TypeError)        a method, or a layer, without the form W + B A
    |-- AttachError      (RuntimeError)     a host and an adapter that do not fit together
    |-- WrongBase        (ValueError)       an adapter that was trained for another base model
    |-- FolderExists     (FileExistsError)  refusing to overwrite
    |-- FileThere        (FileExistsError)  the same of a file
    |-- BadFile          (ValueError)       a file that is missing, truncated or foreign
    |-- NoSpace          (OSError)          the device is full
    |-- UnknownName      (ValueError)       a method, column, preset or field that is not there
    |-- DataError        (ValueError)       a table that cannot be learnt from or predicted on
    |-- RecipeError      (ValueError)       a number outside its range
    |-- Diverged         (ArithmeticError)  the loss is not finite
    |-- Interrupted      (RuntimeError)     the run was stopped and says how to resume
    `-- MissingExtra     (ImportError)      an optional dependency that is not installed

Each is also the built-in error named beside it. Facts are attributes; the message says what was given,
the rule it broke, the nearest right answer and the next command.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class RankwiseError(Exception):
    """Root of the tree. Keyword arguments become attributes, so a caller need not parse the message."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        for name, value in facts.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        return self.message


class NoSites(RankwiseError, ValueError):
    """A target or `whole` pattern that names nothing in this model."""


class RankError(RankwiseError, ValueError):
    """A rank or a budget that the maps cannot hold."""


class NotFoldable(RankwiseError, TypeError):
    """There is no W + B A for this method or this layer."""


class AttachError(RankwiseError, RuntimeError):
    """The host is not in the state that this call needs, or the adapter does not fit it."""


class WrongBase(RankwiseError, ValueError):
    """The adapter was trained for another base model."""


class FolderExists(RankwiseError, FileExistsError):
    """The output is there already and nothing was said about overwriting."""


class FileThere(RankwiseError, FileExistsError):
    """The file to write is there already and nothing was said about overwriting."""


class BadFile(RankwiseError, ValueError):
    """A file that is missing, truncated or not what its name says."""


class NoSpace(RankwiseError, OSError):
    """No space left on the device; what was there before is untouched."""


class UnknownName(RankwiseError, ValueError):
    """A name that is not among the known ones."""


class DataError(RankwiseError, ValueError):
    """A table that cannot be learnt from, or rows that do not fit what was learnt."""


class RecipeError(RankwiseError, ValueError):
    """A number outside its range, or two settings that exclude each other."""


class Diverged(RankwiseError, ArithmeticError):
    """The loss is not finite; the last good checkpoint was kept."""


class Interrupted(RankwiseError, RuntimeError):
    """The run was stopped by hand after saving; the message says how to resume."""


class MissingExtra(RankwiseError, ImportError):
    """An optional dependency is not installed; the message gives the pip command."""


def explain(given: str, *lines: str) -> str:
    """A message in the house form: what was given, then indented rule, nearest answer, next command."""
    return "\n".join([given, *(f"  {line}" for line in lines if line)])


def close(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that resemble `name`, best first; none where none does."""
    lower = {n.lower(): n for n in reversed(list(dict.fromkeys(known)))}
    return [lower[c] for c in difflib.get_close_matches(name.lower(), list(lower), n=most, cutoff=0.4)]


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names closest to `name`, best first; the first of them when none is close."""
    names = list(dict.fromkeys(known))
    return close(name, names, most) or names[:most]


def refuse_unknown(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raises UnknownName for the first of `given` that is not among `known`, the settings of `what`."""
    names = list(known)
    for name in given:
        if name not in names:
            near = f"Nearest: {', '.join(close(name, names))}." if close(name, names) else ""
            raise UnknownName(
                explain(f"{what} has no setting {name!r}.", near, f"All settings: {', '.join(names)}."), name=name
            )
