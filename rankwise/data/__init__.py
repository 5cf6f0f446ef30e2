"""Corpora that travel inside the package, each in its own folder with LICENSE and SOURCE.md.

Read with the standard library alone. Nothing here is downloaded, and nothing is needed beside the wheel.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from rankwise.errors import BadFile, UnknownName, explain, nearest

SPLITS = ("train", "dev", "test")


def sentence_polarity(split: str) -> tuple[list[str], list[str]]:
    """Texts and labels ("negative" or "positive") of one split: train 8,530, dev and test 1,066 each.

    Snippets of film reviews, balanced, in a fixed shuffled order. CC BY 4.0.
    Raises UnknownName for another split and BadFile when the file in the package is damaged.
    Source: Pang and Lee 2005, ACL.
    """
    return _jsonl("sentence_polarity", split)


def folder(name: str) -> Path:
    """The folder of an embedded corpus inside the package. Raises BadFile where an installation lacks it."""
    path = Path(str(files(__name__) / name))
    if not path.is_dir():
        raise BadFile(
            explain(
                f"{path} is not there: the installed package is damaged.",
                "To repair: pip install --force-reinstall --no-deps rankwise",
            ),
            path=str(path),
        )
    return path


EMBEDDED: dict[str, Callable[[str], tuple[list[str], list[str]]]] = {"sentence-polarity": sentence_polarity}
"""Embedded corpora by the name that a user writes; each takes a split and gives (texts, labels)."""


def corpus(name: str, split: str) -> tuple[list[str], list[str]]:
    """Texts and labels of one split of the embedded corpus called `name`. Raises UnknownName."""
    if name not in EMBEDDED:
        raise UnknownName(
            explain(
                f"corpus={name!r} is not embedded in rankwise.",
                f"Embedded: {', '.join(EMBEDDED)}. Nearest: {', '.join(nearest(name, EMBEDDED))}",
            ),
            name=name,
            known=list(EMBEDDED),
        )
    return EMBEDDED[name](split)


def _jsonl(folder: str, split: str) -> tuple[list[str], list[str]]:
    if split not in SPLITS:
        raise UnknownName(
            explain(
                f"split={split!r} is not a split of {folder}.",
                f"Splits: {', '.join(SPLITS)}. Nearest: {nearest(split, SPLITS)[0]}",
            ),
            name=split,
            known=list(SPLITS),
        )
    file = files(__name__) / folder / f"{split}.jsonl.xz"
    try:
        rows = [json.loads(line) for line in lzma.decompress(file.read_bytes()).decode().split("\n") if line]
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise BadFile(
            explain(
                f"{file} of the installed package is missing or damaged ({error}).",
                "To repair: pip install --force-reinstall --no-deps rankwise",
            ),
            path=str(file),
        ) from error
    return [row["text"] for row in rows], [row["label"] for row in rows]
