"""rankwise narratives: short stories from a model with known effects."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from .common import Json, counted, need_relations, print_json, table


def narratives(
    out: Annotated[
        Path,
        typer.Option(help="JSON Lines to write; NAME.cues.csv and NAME.truth.json go beside it.", show_default=False),
    ],
    n: Annotated[int, typer.Option("--n", min=1, help="Stories.")] = 200,
    confounding: Annotated[
        float, typer.Option(help="How far style moves cues and label: 0 (not at all) to below 1.")
    ] = 0.0,
    effect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CUE=LOG-ODDS",
            help="Effect of a cue on the label; may be given several times, and the others are then 0.",
            show_default="connective=3 order=.5 tense=1.5 trigger=1 distance=0 signal=1.5",
        ),
    ] = None,
    lacking: Annotated[
        list[str] | None,
        typer.Option(metavar="CUE=SHARE", help="Share of stories without a cue.", show_default=False),
    ] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Style fixes every cue: no overlap is left.")
    ] = False,
    joined: Annotated[
        bool, typer.Option("--joined", help='Both events in one sentence, with "before" or "after".')
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="One seed, one set of stories, letter for letter.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    as_json: Json = False,
) -> None:
    """Tell short stories of two events from a model in which the effect of every cue is known.

    To test and calibrate audits and effects. Each story has a connective, an order of mention, a tense, trigger
    words, a distance and a causal signal, each drawn by itself or moved by the story's style (--confounding). The true
    effects, exact, are in NAME.truth.json, the cues in NAME.cues.csv.

    Example:  rankwise narratives --n 200 --confounding 0.5 --seed 0 --out stories.jsonl
    """
    need_relations()
    from ..causal.narratives import EFFECTS, Story
    from ..causal.story_files import write_stories

    story = Story(
        effects=_numbers("effect", effect) if effect else EFFECTS,
        confounding=confounding,
        lacking=_numbers("lacking", lacking or []),
        deterministic=deterministic,
        joined=joined,
    )
    made = write_stories(story, n, out, seed=seed, overwrite=overwrite)
    if as_json:
        print_json(made)
        return
    print(f"{counted(n, 'story').replace('storys', 'stories')}, {made['before']:,} of them BEFORE: {made['stories']}")
    rows = [[name, _said(made["ace"][name]), _said(made["naive"][name])] for name in made["ace"]]
    print(table(["cue", "true effect", "expected difference of means"], rows))
    print(f"cues: {made['cues']}\ntruth: {made['truth']}")


def _numbers(option: str, given: list[str]) -> dict[str, float]:
    """ "tense=0.5" as {"tense": 0.5}. Raises RecipeError for another form."""
    from ..errors import RecipeError, explain

    found = {}
    for word in given:
        name, _, number = word.partition("=")
        try:
            found[name] = float(number)
            if not math.isfinite(found[name]):
                raise ValueError(number)
        except ValueError as error:
            rule = "is not of the form CUE=NUMBER, with a finite number."
            raise RecipeError(explain(f"--{option} {word} {rule}", f"For example: --{option} tense=0.5")) from error
    return found


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"
