"""rankwise cut, combine, merge and export: folders made from adapter folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .common import (
    AdapterFolder,
    Base,
    Json,
    Layout,
    LayoutOption,
    Out,
    Overwrite,
    folder_size,
    in_bytes,
    print_json,
    ranks_text,
)


def cut(
    adapter: AdapterFolder,
    out: Out,
    budget: Annotated[
        int | None, typer.Option(min=1, help="Directions to keep over all sites.", show_default=False)
    ] = None,
    params: Annotated[
        int | None, typer.Option(min=1, help="Numbers to keep in A and B over all sites.", show_default=False)
    ] = None,
    energy: Annotated[
        float | None, typer.Option(help="Share of the squared singular values to keep: 0.99.", show_default=False)
    ] = None,
    layout: LayoutOption = Layout.compact,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Drop the weakest directions of an adapter and write the smaller one.

    Reads and writes folders that stock PEFT loads. Prints, per site, the rank before and after, and the largest
    singular value that was dropped. Give one of --budget, --params and --energy. The base model is not needed.

    Example:  rankwise cut out/stars --budget 96 --out out/stars-96
    """
    from ..analysis.plots import text_grid
    from ..core.cut import cut as cut_adapter
    from ..core.cut import spectrum
    from ..io import save
    from ..io.files import check_free
    from ..tasks.folder import Opened

    check_free(out, overwrite)
    opened = Opened.read(adapter)
    before = opened.adapter
    after = cut_adapter(before, budget, params=params, energy=energy)
    save(after, out, layout=layout.value, overwrite=overwrite, extra=opened.carried)
    values = spectrum(before)
    dropped = {site: float(values[site][k]) for site, k in after.ranks.items() if k < len(values[site])}
    figures = _compared(before, after, out) | {"largest_dropped": dropped}
    if as_json:
        print_json(figures)
        return
    print(text_grid(after.ranks, before.ranks))
    if dropped:
        site = max(dropped, key=lambda name: dropped[name])
        kept = min((float(values[s][k - 1]) for s, k in after.ranks.items() if k), default=0.0)
        print(f"dropped  singular values up to {dropped[site]:.4g} ({site}); the least one kept is {kept:.4g}")
    print(_told(figures))


def combine(
    adapters: Annotated[
        list[Path],
        typer.Argument(metavar="ADAPTER...", help="Folders; one alone is scaled, cut or renamed.", show_default=False),
    ],
    out: Out,
    how: Annotated[
        str, typer.Option(help="cat: exact, ranks add up. linear: exact, lowest rank. svd: the strongest --rank.")
    ] = "cat",
    weights: Annotated[
        str | None, typer.Option(help="One number each, with commas. Default: equal, sum 1.", show_default=False)
    ] = None,
    rank: Annotated[
        int | None,
        typer.Option(help="Directions a site (--how svd). Default: the largest rank of any.", show_default=False),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(help="New names of the heads, with commas, in the order of the folders.", show_default=False),
    ] = None,
    layout: LayoutOption = Layout.compact,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Combine adapters of one base model into one: a weighted sum of their updates.

    Reads and writes folders that stock PEFT loads; sites and ranks may differ. Heads are kept side by side, never
    averaged, each with its columns: rankwise evaluate and predict choose one by --task. Two heads of one name need
    new ones, by --names. Prints the ranks. The base model is not needed.

    Example:  rankwise combine out/a out/b --how svd --rank 8 --out out/both
    """
    from ..analysis.plots import text_grid
    from ..core.cut import combine as combine_adapters
    from ..errors import RecipeError, explain
    from ..io import save
    from ..io.files import check_free
    from ..tasks.folder import Opened
    from ..tasks.notes import NOTES, together

    check_free(out, overwrite)
    opened = _renamed([Opened.read(folder) for folder in adapters], names)
    named = _named(opened)
    try:
        one = combine_adapters(named, _numbers(weights), how, rank)
    except RecipeError as error:
        if not getattr(error, "what", "").startswith("head"):
            raise
        heads = [name for o in opened for name in o.adapter.heads]
        says = f"Heads, in the order of the folders: {', '.join(heads)}."
        first = error.message.splitlines()[0]
        raise RecipeError(
            explain(first, "Heads are not averaged.", says, f"To name them anew: {_distinct(heads)}")
        ) from None
    notes = together([(o.folder, o.notes) for o in opened if o.notes])
    extra = {NOTES: notes.to_bytes()} if notes else {}
    save(one, out, layout=layout.value, overwrite=overwrite, extra=extra)
    figures: dict[str, Any] = {
        "folder": str(out),
        "from": {name: {"mean_rank": a.mean_rank, "factors": a.size} for name, a in named.items()},
        "mean_rank": one.mean_rank,
        "ranks": one.ranks,
        "numbers": one.size,
        "heads": list(one.heads),
        "bytes": folder_size(out),
    }
    if as_json:
        print_json(figures)
        return
    print(text_grid(one.ranks))
    for name, a in named.items():
        print(f"from     {name}: {ranks_text(a.ranks)}; {a.size:,} numbers")
    print(f"ranks    {ranks_text(one.ranks)}; {one.size:,} numbers")
    print(f"folder   {out} ({in_bytes(figures['bytes'])})")


def merge(
    adapter: AdapterFolder,
    out: Out,
    base: Base = None,
    as_json: Json = False,
) -> None:
    """Merge an adapter into its base model and write a model folder of transformers.

    Reads the adapter's folder and its base model; writes config, weights (W + B A) and tokenizer, which stock
    transformers load with no word of rankwise. Heads of rankwise are no part of such a model: they go to
    <out>/heads, an adapter folder of their own on the merged model.

    Example:  rankwise merge out/stars --out out/merged
    """
    from ..tasks.folder import Opened
    from ..tasks.merged import write_merged

    written = write_merged(Opened.read(adapter, base), out)
    figures = {"folder": str(out), "class": written.cls, "sites": written.sites, "bytes": folder_size(out)}
    figures["heads"] = str(written.heads) if written.heads else None
    if as_json:
        print_json(figures)
        return
    print(f"merged   {written.sites} sites into {written.cls}")
    print(f"folder   {out} ({in_bytes(folder_size(out))})")
    if written.heads:
        print(f"heads    {written.heads}")
        print(f"next     rankwise predict {written.heads} <table>")


def export(
    adapter: AdapterFolder,
    out: Out,
    layout: LayoutOption = Layout.uniform,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write an adapter anew in another layout, for PEFT and for servers that stack layers.

    Reads and writes folders; what the adapter does stays the same. Prints ranks and sizes. The base model is not
    needed.

    Example:  rankwise export out/stars --layout uniform --out out/stars-uniform
    """
    from ..io import save
    from ..io.files import check_free
    from ..tasks.folder import Opened

    check_free(out, overwrite)
    opened = Opened.read(adapter)
    save(opened.adapter, out, layout=layout.value, overwrite=overwrite, extra=opened.carried)
    figures: dict[str, Any] = {
        "folder": str(out),
        "layout": layout.value,
        "ranks": opened.adapter.ranks,
        "bytes": folder_size(out),
        "bytes_before": folder_size(adapter),
    }
    if as_json:
        print_json(figures)
        return
    print(f"ranks    {ranks_text(opened.adapter.ranks)}")
    print(f"folder   {out}, {layout.value} ({in_bytes(figures['bytes'])}; before: {in_bytes(figures['bytes_before'])})")


def _compared(before: Any, after: Any, out: Path) -> dict[str, Any]:
    return {
        "folder": str(out),
        "directions": {"before": sum(before.ranks.values()), "after": sum(after.ranks.values())},
        "numbers": {"before": before.size, "after": after.size},
        "ranks": {site: {"before": before.ranks[site], "after": rank} for site, rank in after.ranks.items()},
        "bytes": folder_size(out),
    }


def _told(figures: dict[str, Any]) -> str:
    directions, numbers = figures["directions"], figures["numbers"]
    return (
        f"kept     {directions['after']} of {directions['before']} directions, "
        f"{numbers['after']:,} of {numbers['before']:,} numbers\n"
        f"folder   {figures['folder']} ({in_bytes(figures['bytes'])})"
    )


def _named(opened: list[Any]) -> dict[str, Any]:
    """Adapters by folder; one that is given twice counts twice."""
    named: dict[str, Any] = {}
    for one in opened:
        name = str(one.folder)
        named[name if name not in named else f"{name} (again, {len(named)})"] = one.adapter
    return named


def _renamed(opened: list[Any], names: str | None) -> list[Any]:
    """The adapters with their heads, and the notes about these, called by the new names."""
    from dataclasses import replace

    from ..errors import RecipeError, explain

    if names is None:
        return opened
    new = [part.strip() for part in names.split(",")]
    old = [name for one in opened for name in one.adapter.heads]
    if len(new) != len(old) or not all(new):
        raise RecipeError(
            explain(
                f"--names {names!r}: {len(new)} names for {len(old)} heads.",
                f"Heads, in the order of the folders: {', '.join(old) or 'none'}.",
                "One name each, with commas between them.",
            )
        )
    rest, out = iter(new), []
    for one in opened:
        called = {name: next(rest) for name in one.adapter.heads}
        notes = one.notes.renamed(called) if one.notes else None
        out.append(replace(one, adapter=one.adapter.renamed(called), notes=notes))
    return out


def _distinct(heads: list[str]) -> str:
    """An example of --names in which each head has a name of its own."""
    seen: list[str] = []
    for name in heads:
        seen.append(name if name not in seen else f"{name}-{len(seen) + 1}")
    return f"--names {','.join(seen)}"


def _numbers(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a list of numbers such as 0.7,0.3", param_hint="--weights") from None
