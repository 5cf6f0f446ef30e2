"""rankwise audit: by which cues an adapter orders events, by really editing the text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Base, ExtractorFolder, Json, need_causal, need_relations, note, packaged, print_json, table


def audit(
    adapter: ExtractorFolder,
    data: Annotated[Path, typer.Option(help="Documents with events (.jsonl), or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the report; refused if one is there.", show_default=False)],
    cues: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Cues to audit and hold fixed; all by default.", show_default=False),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="ADAPTER",
            help="Audit another adapter beside it, case by case.",
            callback=packaged,
            show_default=False,
        ),
    ] = None,
    pairs: Annotated[
        int | None,
        typer.Option(min=1, help="Pairs of events at most.", show_default="2000; 400 with --quick"),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="200 documents at most, few simulations; under a minute.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of documents, pairs, folds and refuters.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the report.")] = False,
    base: Base = None,
    as_json: Json = False,
) -> None:
    """Tell by which cues an adapter orders events: edit the text, ask again, and set DoWhy's estimate beside it.

    For each cue (connective, order of mention, tense, trigger words, distance, causal signal): the effect of really
    editing it, DoWhy's estimate from the texts as they are, whether the two agree, and a verdict. Writes report.html,
    report.md and report.json. Nothing of the adapter is changed.

    Example:  rankwise audit packaged --data documents.jsonl --out report
    """
    need_relations()
    need_causal()
    from ..causal.audit_adapter import Asked, audit_adapter
    from ..causal.report import check_free, write

    check_free(out, overwrite)
    names = None if cues is None else tuple(name.strip() for name in cues.split(",") if name.strip())
    asked = Asked(names, pairs, quick, seed, base, tell=note)
    found = audit_adapter(adapter, data, asked, against=against)
    files = write(found.report, out, overwrite)
    if as_json:
        figures = {"adapter": str(adapter), "files": [str(f) for f in files]} | dict(found.report.data)
        print_json(_jsonable(figures))
        return
    for name, one in found.audits.items():
        if len(found.audits) > 1:
            print(name)
        _tell(one)
    if found.beside:
        print("change from the first to the second")
        rows = [(b.name, _signed(b.change), _span(b.change)) for b in found.beside]
        print(table(("cue", "change", "95 %"), rows))
    print("written  " + ", ".join(str(f) for f in files))


def _jsonable(figures: Any) -> Any:
    from ..causal.report import jsonable

    return jsonable(figures)


def _tell(one: Any) -> None:
    right = "" if one.accuracy is None else f", {one.accuracy.value:.1%} of {one.accuracy.n:,} labelled ones right"
    print(f"{one.cases:,} pairs of events in {one.documents:,} documents{right}")
    rows = []
    for c in one.cues:
        o = c.observed
        ate = c.lacking or "-" if o is None else f"{o.ate:+.3f} [{o.low:+.3f}, {o.high:+.3f}]"
        agrees = "-" if c.agrees is None else "yes" if c.agrees else "no"
        overlap = "-" if c.overlap is None else "ok" if c.overlap.ok else f"{c.overlap.outside:.0%} off"
        rows.append((c.name, f"{len(c.where):,}/{c.have:,}", _signed(c.effect), ate, overlap, agrees, c.verdict.word))
    print(table(("cue", "edited", "by edits", "DoWhy [95 %]", "overlap", "agrees", "verdict"), rows))
    for c in one.cues:
        print(f"  {c.name}: {c.verdict.sentence}")
    failed = [f"{c.name}: {r.name}" for c in one.cues for r in c.refuted if r.passed is False]
    ran = sum(r.passed is not None for c in one.cues for r in c.refuted)
    if ran:
        passed = f"refuters: {ran - len(failed)} of {ran} passed, which is necessary and not sufficient"
        print("; but not ".join([passed, *failed]))
    for c in one.cues:
        if c.sensitivity is not None and c.verdict.use in ("used", "shortcut"):
            print(f"  {c.name}: {c.sensitivity.sentence}")
    if one.contrast is not None:
        pairs = one.contrast.both
        ends = "" if pairs.low is None else f" [{pairs.low:.1%}, {pairs.high:.1%}]"
        print(f"contrast pairs: both right {pairs.value:.1%}{ends} of {pairs.n:,}")


def _signed(mean: Any) -> str:
    return "-" if mean is None else f"{mean.value:+.3f}"


def _span(mean: Any) -> str:
    return "-" if mean is None or mean.low is None else f"[{mean.low:+.3f}, {mean.high:+.3f}]"
