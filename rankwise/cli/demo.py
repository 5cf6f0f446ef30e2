"""rankwise demo: the main job, one screen of results."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Json, in_bytes, note, print_json, ranks_text, table

PICTURE = "ranks.png"


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier demo's is replaced.")] = Path("out/demo"),
    epochs: Annotated[float, typer.Option(help="Passes over the training sentences.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor threads; torch's choice if not given.", show_default=False)
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few rows, to see that it runs; no meaning.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
    as_json: Json = False,
) -> None:
    """Run the main job: let an adapter find its own rank on real sentences.

    Reads the packaged MiniLM encoder and the embedded corpus of film-review sentences. Trains a head alone, LoRA
    and SoRA on every linear map, prunes what SoRA closed, saves it, reads it back and compares the answers. Writes
    the three adapters, report.json and a picture of the ranks. Prints one table. Needs no network and no GPU;
    minutes on two cores.

    Example:  rankwise demo --out out/demo
    """
    from dataclasses import replace

    from ..errors import MissingExtra
    from ..tasks.demo import BASE_RECIPE, Report, refuse_foreign
    from ..tasks.demo import demo as run

    refuse_foreign(out)
    began = time.perf_counter()
    drawn: list[str] = []

    def draw(report: Report, folder: Path) -> None:
        from ..analysis.plots import rank_picture

        title = f"{report.rows[-1].title}: {ranks_text(report.ranks)}"
        try:
            rank_picture(report.ranks, folder / PICTURE, report.facts["rank"], title)
            drawn.append(str(out / PICTURE))
        except MissingExtra as error:
            note(str(error))

    recipe = replace(BASE_RECIPE, epochs=epochs, seed=seed, num_threads=threads)
    report = run(out, recipe, quick=quick, progress=not quiet, say=(lambda text: None) if quiet else note, draw=draw)
    if as_json:
        print_json(report.to_dict())
        return
    print(_told(report, out, drawn, time.perf_counter() - began))


def _told(report: Any, out: Path, drawn: list[str], seconds: float) -> str:
    from ..analysis.plots import text_grid

    facts = report.facts
    header = ["method", "trained", "kept", "mean rank", "accuracy", "95 % interval", "seconds", "file"]
    rows = [
        [
            r.title,
            f"{r.trained:,}",
            f"{r.kept:,}",
            f"{r.mean_rank:.2f}",
            f"{r.accuracy:.4f}",
            f"{r.low:.4f}-{r.high:.4f}",
            f"{r.seconds:.0f}",
            in_bytes(r.bytes),
        ]
        for r in report.rows
    ]
    corpus = facts["corpus"]
    last = report.rows[-1]
    return "\n".join(
        [
            "QUICK: a sample of the rows; these figures mean nothing." if facts["quick"] else "",
            f"{corpus['name']}: trained on {corpus['train']:,} sentences, tested on {corpus['test']:,}; "
            f"base {facts['base']['name']}, {facts['base']['numbers']:,} numbers",
            "",
            table(header, rows),
            "",
            f"{last.title}, asked for mean rank {facts['target_rank']:g}; the rank of every site:",
            text_grid(report.ranks),
            "",
            f"{last.folder} was read back: {facts['read_back']['rows']:,} answers, equal to the bit",
            f"{out}/report.json" + "".join(f", {name}" for name in drawn) + f"; {seconds:.0f} s in all",
            f'try: echo "a warm and funny film" | rankwise predict {last.folder}',
        ]
    ).lstrip("\n")
