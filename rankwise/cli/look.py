"""rankwise show and sites: what is in an adapter folder, and where adapters can go in a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .common import AdapterFolder, Json, counted, folder_size, in_bytes, print_json, ranks_text, table


def show(
    adapter: AdapterFolder,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the ranks into a .png, .svg or .pdf.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what an adapter is: method, base model, rank of every site, numbers, heads.

    Reads the adapter's folder alone, PEFT's folders too; the base model is not needed. Writes nothing but the
    picture, if one is asked for. Prints the ranks as layers by maps.

    Example:  rankwise show out/stars --picture ranks.png
    """
    from ..analysis.plots import check_picture, rank_picture, text_grid
    from ..io import load

    if picture:
        check_picture(picture)
    found = load(adapter)
    method: dict[str, Any] = {"kind": found.method.kind} | vars(found.method)
    figures = {
        "folder": str(adapter),
        "method": method,
        "base": found.base,
        "mean_rank": found.mean_rank,
        "ranks": found.ranks,
        "numbers": {"factors": found.size, "stored": found.stored, "whole": found.whole_size},
        "whole": {name: list(tensor.shape) for name, tensor in found.whole.items()},
        "heads": {
            name: {"kind": head.kind, "labels": list(head.labels), "pooling": head.pooling}
            for name, head in found.heads.items()
        },
        "bytes": folder_size(adapter),
        "files": {file.name: file.stat().st_size for file in sorted(adapter.iterdir()) if file.is_file()},
    }
    if picture:
        title = f"{found.method.kind}: {ranks_text(found.ranks)}"
        rank_picture(found.ranks, picture, getattr(found.method, "rank", None), title)
        figures["picture"] = str(picture)
    if as_json:
        print_json(figures)
    else:
        print(_told(figures, text_grid(found.ranks)))


def _told(figures: dict[str, Any], grid: str) -> str:
    settings = ", ".join(f"{n}={v}" for n, v in figures["method"].items() if n != "kind" and v is not None)
    base, numbers = figures["base"], figures["numbers"]
    digest = f", sha256 {base['sha256'][:16]}..." if base.get("sha256") else ""
    lines = [
        f"method   {figures['method']['kind']}" + (f": {settings}" if settings else ""),
        f"base     {base.get('name') or 'not named'}{digest}",
        f"ranks    {ranks_text(figures['ranks'])}",
        *(f"         {line}" for line in (grid.splitlines() if figures["ranks"] else [])),
        f"numbers  {numbers['factors']:,} in factors, {numbers['whole']:,} whole (heads included)",
        *(
            f"head     {name}: {head['kind']}, {head['pooling']} pooling{_labels(head['labels'])}"
            for name, head in figures["heads"].items()
        ),
        f"folder   {figures['folder']} ({in_bytes(figures['bytes'])}, "
        + ", ".join(f"{n} {in_bytes(size)}" for n, size in figures["files"].items() if n.endswith(".safetensors"))
        + ")",
        f"picture  {figures['picture']}" if "picture" in figures else "",
    ]
    return "\n".join(filter(None, lines))


def _labels(names: list[str]) -> str:
    """The first labels of a head, and how many there are."""
    if not names:
        return ""
    return f", {counted(len(names), 'label')}: {', '.join(names[:9])}{' ...' if len(names) > 9 else ''}"


def sites(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="minilm, a folder, or a hub name.", show_default=False)],
    kind: Annotated[str, typer.Option(help="Load it as: encoder, sequence-classification, causal-lm, ...")] = "encoder",
    targets: Annotated[str, typer.Option(help="Mark what these take, written as for rankwise train.")] = "all-linear",
    as_json: Json = False,
) -> None:
    """List every linear map of a model: where an adapter can go.

    Reads the model; writes nothing. Prints name, sizes and whether the targets take it. rankwise train leaves out
    pooler.dense besides, whose output its own heads do not use.

    Example:  rankwise sites minilm --targets query,value
    """
    from ..core.site import find_sites, linear_maps, site_of
    from ..models import load
    from .settings import patterns

    host = load(model, kind)
    taken = {site.name for site in find_sites(host, patterns(targets))}
    every = [site_of(name, module) for name, module in linear_maps(host).items()]
    if as_json:
        print_json(
            [{"name": s.name, "in": s.in_features, "out": s.out_features, "taken": s.name in taken} for s in every]
        )
        return
    rows = [[s.name, s.in_features, s.out_features, "yes" if s.name in taken else "no"] for s in every]
    print(table(["name", "in", "out", targets], rows))
    print(f"{len(taken)} of {len(every)} linear maps")
