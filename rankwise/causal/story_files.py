"""Narratives as files: rankwise's own JSON Lines, and beside it their cues as a table and what is true of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import FileThere, RecipeError, explain
from ..io.files import atomic_write
from ..relations.corpora.jsonl import write
from .cue import Case
from .narratives import NAMES, Story
from .story_cues import values


def files_beside(out: Path) -> tuple[Path, Path, Path]:
    """Where stories, cues and truth go: NAME.jsonl, NAME.cues.csv and NAME.truth.json."""
    stem = out.name.removesuffix(".jsonl")
    return out, out.with_name(f"{stem}.cues.csv"), out.with_name(f"{stem}.truth.json")


def write_stories(story: Story, n: int, out: str | Path, *, seed: int = 0, overwrite: bool = False) -> dict[str, Any]:
    """Draw n stories and write the three files; what is in the last of them, with their names.

    Raises:
        FileThere: one of them is there already. RecipeError: n below 1, or a name that does not end in .jsonl.
    """
    if Path(out).suffix != ".jsonl":
        raise RecipeError(
            explain(
                f"{out} does not end in .jsonl.", f"Stories are JSON Lines: --out {Path(out).with_suffix('.jsonl')}"
            )
        )
    paths = files_beside(Path(out))
    for path in paths:
        if path.exists() and not overwrite:
            raise FileThere(
                explain(f"{path} is there already.", "To replace it: --overwrite, or another --out."), path=str(path)
            )
    cases = story.draw(n, seed)
    found = {**truth(story), "n": n, "seed": seed, "before": sum(c.label == "BEFORE" for c in cases)}
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    write([case.document for case in cases], paths[0])
    atomic_write(paths[1], table(cases).encode())
    atomic_write(paths[2], (json.dumps(found, indent=2) + "\n").encode())
    return {"stories": str(paths[0]), "cues": str(paths[1]), "truth": str(paths[2]), **found}


def table(cases: Sequence[Case]) -> str:
    """CSV: id, style, the cues as 0 or 1 (empty where a story lacks one), before: 1 where e1 starts before e2."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["id", "style", *NAMES, "before"])
    for case in cases:
        cues = ["" if v is None else v for v in values(case).values()]
        rows.writerow([case.document.id, case.style, *cues, int(case.label == "BEFORE")])
    return text.getvalue()


def truth(story: Story) -> dict[str, Any]:
    """The model that draws the stories, and for each cue its exact effect on the label and the naive difference."""
    return {
        "effects": dict(story.effects),
        "confounding": story.confounding,
        "pull": story.pull,
        "bias": story.bias,
        "deterministic": story.deterministic,
        "lacking": dict(story.lacking),
        "joined": story.joined,
        "ace": {name: _number(story.ace(name)) for name in NAMES},
        "naive": {name: _number(story.naive(name)) for name in NAMES},
    }


def _number(value: float) -> float | None:
    """JSON has no nan: a cue that no story has, or that never varies, has no effect to speak of."""
    return None if value != value else round(value, 12)
