"""rankwise train: a table in, an adapter folder out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .common import (
    Choice,
    Json,
    Layout,
    LayoutOption,
    Out,
    Overwrite,
    TableFile,
    counted,
    folder_size,
    in_bytes,
    note,
    print_json,
    ranks_text,
    score_text,
)
from .settings import method_of, patterns, with_recipe

POOLER = "pooler.dense"
DEFAULT = Choice("sora")


@with_recipe
def train(
    table: TableFile,
    text: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the text.", show_default=False)],
    label: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the label.", show_default=False)],
    out: Out,
    pair: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of a second text.", show_default=False)
    ] = None,
    valid: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="Rows to evaluate on.", show_default=False)
    ] = None,
    valid_fraction: Annotated[float, typer.Option(help="Share of TABLE to evaluate on, without --valid.")] = 0.1,
    kind: Annotated[
        str | None,
        typer.Option(help="Of label: single, multi or regression; told from the column.", show_default=False),
    ] = None,
    sep: Annotated[str, typer.Option(help="Between the labels of a row (--kind multi).")] = "|",
    base: Annotated[str, typer.Option(metavar="MODEL", help="Base model: minilm, a folder, or a hub name.")] = "minilm",
    method: Annotated[Choice, typer.Option(help="What trains: factors, or parameters whole.")] = DEFAULT,
    rank: Annotated[int | None, typer.Option(help="Directions a site at the start.", show_default=False)] = None,
    alpha: Annotated[float | None, typer.Option(help="Numerator of the scale.", show_default=False)] = None,
    dropout: Annotated[float | None, typer.Option(help="On the input of A, in training.", show_default=False)] = None,
    target_rank: Annotated[
        float | None, typer.Option(help="SoRA: mean rank at the end. Default: half of --rank.", show_default=False)
    ] = None,
    target_params: Annotated[
        int | None, typer.Option(help="SoRA: numbers in A and B at the end.", show_default=False)
    ] = None,
    sparsity: Annotated[
        float | None, typer.Option(help="SoRA: a lambda by hand; 0 shrinks nothing.", show_default=False)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other setting of the method.", show_default=False),
    ] = None,
    targets: Annotated[
        str, typer.Option(help="Sites: all-linear, names or suffixes with commas, or a regular expression.")
    ] = "all-linear",
    exclude: Annotated[str, typer.Option(help="Sites to leave out, written as --targets.", show_default=False)] = "",
    task_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What the head is called; as --label if not given.", show_default=False),
    ] = None,
    pooling: Annotated[str, typer.Option(help="How tokens become one row: mean, cls, max or last.")] = "mean",
    layout: LayoutOption = Layout.compact,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    overwrite: Overwrite = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no remarks.")] = False,
    as_json: Json = False,
    recipe: Any = None,
) -> None:
    """Train an adapter on a table of texts and labels.

    Reads TABLE and the base model; writes a folder that stock PEFT loads, with a record of the run in it. Prints
    the score on rows it did not train on, the rank of the sites, and how many numbers are left. While it runs,
    everything is in <out>.run, and Ctrl-C loses nothing. No GPU is needed, and no network for minilm.

    Example:  rankwise train reviews.csv --text review --label stars --out out/stars
    """
    from dataclasses import replace

    from ..core.create import new
    from ..models import tokenizer
    from ..tasks.folder import lasting_name, open_base, refuse_two_stacks
    from ..tasks.notes import NOTES, Notes, Reading
    from ..tasks.table import Columns, train_and_valid
    from ..tasks.text import row_length, text_task
    from ..train.evaluate import evaluate
    from ..train.loop import fit
    from ..train.recipe import Recipe
    from ..train.workplace import Output, Workplace

    Workplace.check(out, resume=resume, overwrite=overwrite)
    how, remark = _method(method.value, locals())
    columns = Columns(text, pair, label)
    rows, held_out, names = train_and_valid(
        table, columns, valid=valid, fraction=valid_fraction, seed=recipe.seed, kind=kind, sep=sep
    )
    base = lasting_name(base)
    model = open_base(base, seed=recipe.seed)
    refuse_two_stacks(model, base)
    words = tokenizer(base)
    recipe = replace(recipe, max_length=row_length(words, recipe.max_length, Recipe.max_length))
    task = text_task(
        rows, held_out, names, words, int(model.config.hidden_size),  # type: ignore[union-attr, arg-type]
        name=task_name or label, pooling=pooling, metric=recipe.metric, max_length=recipe.max_length,
    )  # fmt: skip
    adapter = new(
        model,
        how,
        patterns(targets),
        exclude=_without_pooler(exclude, model),
        whole=method.value if how is None else (),
        heads={task.name: task.head},
        seed=recipe.seed,
    )
    trained = adapter.stored + adapter.whole_size
    notes = Notes(base, {task.name: Reading(text, pair, label, sep, recipe.max_length)})
    place = Output(out, layout.value, {NOTES: notes.to_bytes()})
    if not quiet:
        if remark:
            note(remark)
        kinds = f"{task.head.kind}, {counted(len(names), 'label')}" if names else task.head.kind
        note(f"{len(rows):,} rows to train on, {len(held_out):,} to evaluate on ({kinds}); {trained:,} numbers train")
    result = fit(model, adapter, task, recipe, out=place, resume=resume, overwrite=overwrite, progress=not quiet)
    scores = evaluate(model, result.adapter, task).to_dict()
    figures = {
        "folder": str(out),
        "method": result.adapter.method.kind if how else method.value,
        "scores": scores,
        "mean_rank": result.adapter.mean_rank,
        "ranks": result.adapter.ranks,
        "numbers": {
            "trained": trained,
            "factors": result.adapter.size,
            "whole": result.adapter.whole_size,
            "base": sum(p.numel() for p in model.parameters()),
        },
        "steps": result.steps,
        "seconds": result.seconds,
        "padding": result.waste,
        "bytes": folder_size(out),
    }
    if as_json:
        print_json(figures)
    else:
        print(_told(figures, table))


def _method(kind: str, given: dict[str, Any]) -> tuple[Any, str]:
    """The method, and a remark about a target that was not given."""
    named = {n: given[n] for n in ("rank", "alpha", "dropout", "target_rank", "target_params", "sparsity")}
    how = method_of(kind, named, given["set_"] or [])
    wanted = ("target_rank", "target_params", "sparsity")
    if how is None or how.kind != "sora" or any(getattr(how, n) is not None for n in wanted):
        return how, ""
    half = how.rank / 2
    remark = f"no target was given: --target-rank {half:g}, half of rank {how.rank}"
    return method_of(kind, named | {"target_rank": half}, given["set_"] or []), remark


def _without_pooler(exclude: str, model: Any) -> str | list[str]:
    """What is left out of the sites, BERT's pooler among it.

    Our own head pools the hidden states. The pooler's output is then never used: factors there would get no
    gradient, and count in the mean rank for nothing.

    Raises:
        NoSites: what is to be left out is not there.
    """
    from ..core.site import check_patterns, linear_maps

    given = patterns(exclude) if exclude else []
    check_patterns(model, given, "exclude")
    if not any(f".{name}".endswith(f".{POOLER}") for name in linear_maps(model)):
        return given
    return [*given, POOLER] if isinstance(given, list) else rf"(?:{given})|(?:.*\.)?{POOLER}"


def _told(figures: dict[str, Any], table: Path) -> str:
    numbers, folder = figures["numbers"], figures["folder"]
    share = (numbers["factors"] + numbers["whole"]) / numbers["base"]
    sites = figures["ranks"]
    lines = [
        score_text(figures["scores"]),
        f"ranks    {ranks_text(sites)}" if sites else "",
        f"numbers  {numbers['factors']:,} in factors, {numbers['whole']:,} whole (head included): "
        f"{share:.2%} of the base model's {numbers['base']:,}; {numbers['trained']:,} trained",
        f"run      {counted(figures['steps'], 'step')}, {figures['seconds']:.0f} s, {figures['padding']:.0%} padding",
        f"folder   {folder} ({in_bytes(figures['bytes'])})",
        f"next     rankwise predict {folder} {table}",
        f"         rankwise show {folder}",
    ]
    directions, empty = sum(sites.values()), sum(not rank for rank in sites.values())
    if directions >= 2 * len(sites) > 0 and 4 * empty <= len(sites):  # else there is little left to cut
        lines.append(f"         rankwise cut {folder} --budget {directions // 2} --out {folder}-{directions // 2}")
    return "\n".join(filter(None, lines))
