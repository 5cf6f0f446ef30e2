"""rankwise relations: train, score and convert for order and cause of events."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..methods import PATHS
from .common import (
    Base,
    ExtractorFolder,
    Json,
    Out,
    Overwrite,
    counted,
    folder_size,
    in_bytes,
    need_relations,
    packaged,
    print_json,
    table,
    unwrapped,
)
from .common import Choice as Methods
from .corpora import parts as parts_of
from .corpora import read_corpus, without_events
from .failure import Commands
from .settings import method_of, with_recipe

app = typer.Typer(cls=Commands, rich_markup_mode=None, no_args_is_help=True, help="Order and cause of events in text.")
Corpora = Annotated[
    list[str],
    typer.Option(
        "--corpus",
        metavar="NAME[=FOLDER]",
        help="meantime, uds-time, semeval-2010-8, because (inside rankwise), or with your own copy's folder: matres,"
        " tlink, tb-dense, eventstoryline, causal-timebank, jsonl. May be given several times.",
        show_default=False,
    ),
]
Without = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Ids of documents that are never read.", show_default=False)
]
RECIPE = {
    "epochs": 1.0,
    "batch_tokens": 700,
    "weight_decay": 0.01,
    "head_lr": 1e-3,
}  # a row is a window with all its pairs
SOLID_TOKENS = 2400  # a row is a pair
DEFAULT = Methods("lora")


class Markers(StrEnum):
    """As in relations/pairs.py, which is read only once something is asked of it."""

    levitated = "levitated"
    solid = "solid"


def train(
    corpus: Corpora,
    out: Out,
    share: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SHARE", help="Train on part of a corpus: uds-time=0.3.", show_default=False),
    ] = None,
    sure: Annotated[
        float, typer.Option(min=0, max=4, help="uds-time: annotators of a pair were at least so sure, 0 to 4.")
    ] = 0.0,
    pairs_only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A corpus whose events are not all marked.", show_default=False),
    ] = None,
    hold_out: Annotated[float, typer.Option(help="Share of the documents to score on, of each corpus.")] = 0.1,
    without: Without = None,
    base: Annotated[str, typer.Option(metavar="MODEL", help="Base model: minilm, a folder, or a hub name.")] = "minilm",
    window: Annotated[int, typer.Option(help="Tokens of text read at once.")] = 128,
    views: Annotated[
        str, typer.Option(metavar="F,F,...", help="Also learn from windows of so many times its size.")
    ] = "0.75,1,1.5",
    markers: Annotated[
        Markers | None,
        typer.Option(
            help="levitated: a window is read once for all its pairs. solid: markers stand around the two events, one"
            " row a pair: several times slower, and better on other newspapers with thousands of pairs to learn from;"
            f" --batch-tokens is then {SOLID_TOKENS}. Default: levitated.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="ADAPTER",
            help="Go on from this extractor, with its method and ranks.",
            callback=packaged,
            show_default=False,
        ),
    ] = None,
    method: Annotated[Methods, typer.Option(help="What trains.")] = DEFAULT,
    rank: Annotated[int | None, typer.Option(help="Directions a site at the start.", show_default=False)] = None,
    alpha: Annotated[float | None, typer.Option(help="Numerator of the scale.", show_default=False)] = None,
    target_rank: Annotated[
        float | None, typer.Option(help="SoRA: mean rank at the end. Default: half of rank.", show_default=False)
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="On the input of A, in training. Default: 0.1.", show_default=False)
    ] = None,
    causal: Annotated[float, typer.Option(help="Weight of the causal head's loss.")] = 0.5,
    symmetry: Annotated[float, typer.Option(help="Weight: a pair reads alike from both ends.")] = 0.05,
    conjunction: Annotated[float, typer.Option(help="Weight: three pairs agree.")] = 0.02,
    implication: Annotated[float, typer.Option(help="Weight: no effect before its cause.")] = 0.05,
    augment: Annotated[bool, typer.Option("--augment/--no-augment", help="Add edits with certain labels.")] = True,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    overwrite: Overwrite = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no remarks.")] = False,
    as_json: Json = False,
    recipe: Any = None,
) -> None:
    """Train one adapter that orders events, finds causes and, where a corpus teaches it, finds events.

    Reads the corpora and the base model; writes an adapter folder. Prints scores on documents it did not train on,
    whose ids are in relations.json in the folder.

    Example:  rankwise relations train --corpus meantime --corpus because --out out/relations
    """
    need_relations()
    from ..relations.model import Weights
    from ..relations.training import Plan
    from ..relations.training import train as run
    from ..train.workplace import Workplace

    Workplace.check(out, resume=resume, overwrite=overwrite)
    if method.value == "sora" and target_rank is None:
        target_rank = (rank or 8) / 2
    if method.value in PATHS and dropout is None:
        dropout = 0.1
    named = {"rank": rank, "alpha": alpha, "target_rank": target_rank, "dropout": dropout}
    how = method_of(method.value, named, [])
    parts = without_events(parts_of(corpus, share or [], without, quiet, sure), pairs_only or [])
    weights = Weights(causal, symmetry, conjunction, implication)
    marks = markers.value if markers else ""
    whole = "" if how else method.value
    plan = Plan(how, whole, base, window, weights, hold_out, augment, _factors(views), str(start or ""), marks)
    made = run(parts, plan, recipe, out=out, resume=resume, overwrite=overwrite, progress=not quiet)
    adapter = made.result.adapter
    figures = {
        "folder": str(out),
        "scores": made.scores,
        "held_out": made.held,
        "mean_rank": adapter.mean_rank,
        "numbers": {"factors": adapter.size, "whole": adapter.whole_size},
        "steps": made.result.steps,
        "seconds": made.result.seconds,
        "bytes": folder_size(out),
    }
    if as_json:
        print_json(figures)
        return
    print(_scores(made.scores))
    print(f"numbers  {adapter.size:,} in factors, {adapter.whole_size:,} in heads; mean rank {adapter.mean_rank:.2f}")
    print(f"written  {out} ({in_bytes(folder_size(out))}), {counted(made.result.steps, 'step')}")
    print(f"next     rankwise timeline article.txt --adapter {out} --out timeline.html")


def _factors(views: str) -> tuple[float, ...]:
    """Raises RecipeError where one is no number of some use."""
    from ..errors import RecipeError, explain

    try:
        found = tuple(float(word) for word in views.split(","))
    except ValueError:
        found = ()
    if not found or not all(0.25 <= view <= 4 for view in found):
        raise RecipeError(explain(f"--views {views}.", "Numbers from 0.25 to 4, such as --views 0.75,1,1.5"))
    return found


def evaluate(
    adapter: ExtractorFolder,
    corpus: Corpora,
    without: Without = None,
    reach: Annotated[int, typer.Option(help="Sentences between the events of a causal pair, at most.")] = 1,
    base: Base = None,
    as_json: Json = False,
) -> None:
    """Score an extractor on annotated documents: order, order after decoding, causes, events.

    Example:  rankwise relations evaluate out/relations --corpus matres=data/matres
    """
    need_relations()
    from ..relations.extract import Extractor
    from ..relations.measure import measure

    parts = parts_of(corpus, [], without, as_json)
    reader = Extractor.load(adapter, base)
    scores = {part.name: measure(reader, part.documents, reach=reach, mentions=part.mentions) for part in parts}
    if as_json:
        print_json(scores)
    else:
        print(_scores(scores))


def convert(
    corpus: Annotated[str, typer.Argument(metavar="NAME[=FOLDER]", help="A corpus, as for train.", show_default=False)],
    out: Annotated[Path, typer.Option(help="File to write: JSON Lines, one document a line.", show_default=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    as_json: Json = False,
) -> None:
    """Write a corpus in rankwise's own form, and count what is in it and what could not be read.

    Example:  rankwise relations convert meantime --out meantime.jsonl
    """
    need_relations()
    from ..errors import FileThere, explain
    from ..relations.corpora import jsonl

    name, found = read_corpus(corpus, None)
    if out.exists() and not overwrite:
        raise FileThere(
            explain(f"{out} is there already.", "Nothing is overwritten unasked.", "To replace it: --overwrite")
        )
    jsonl.write(found, out)
    if as_json:
        problems = [{"document": p.document, "what": p.what, "value": p.value} for p in found.problems]
        print_json({"corpus": name, "file": str(out), "counts": found.counts(), "problems": problems})
        return
    print("  ".join(f"{what} {number:,}" for what, number in found.counts().items()))
    for problem in found.problems[:10]:
        print(f"left out  {problem.document}: {problem.what} ({problem.value})")
    if len(found.problems) > 10:
        print(f"left out  {len(found.problems) - 10} more; all of them with --json")
    print(f"written  {out}; licence of the corpus: {found.licence}")


def _scores(scores: dict[str, Any]) -> str:
    if not scores:
        return (
            "nothing was held out, so there is no score: --hold-out 0.1 takes a tenth of the documents of each corpus"
        )
    lines = []
    for corpus, each in scores.items():
        for what, s in each.items():
            if what != "documents":
                ends = f"{100 * s['low']:.1f} to {100 * s['high']:.1f}" if "low" in s else ""
                cells = [f"{100 * s[k]:.1f}" for k in ("precision", "recall", "f1")]
                lines.append([corpus, what, *cells, ends, f"{s['gold']:,}", each["documents"]])
    return table(["corpus", "what", "P", "R", "F1", "95 %", "gold", "documents"], lines, left=2)


def _for_markers(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"batch_tokens": SOLID_TOKENS} if values["markers"] == Markers.solid else {}


for command in (with_recipe(train, RECIPE, _for_markers), evaluate, convert):
    app.command(help=unwrapped(command.__doc__ or ""))(command)
