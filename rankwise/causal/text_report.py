"""The report of an effect with a text as common cause: what the text tells, overlap, the effect, refuters."""

from __future__ import annotations

from typing import Any

from .draw import Interval, forest_svg, graph_svg
from .effect_report import estimates_section, overlap_section, refuters_section
from .overlap import QUANTILES, Overlap
from .report import Picture, Report, Section, Table, Text, figure, interval
from .text import BY_TEXT, TextEffect, stand_ins

WAYS = {
    "lora": "a LoRA adapter a fold, four layers of the encoder as it is, and the words",
    "sora": "a SoRA adapter a fold, four layers of the encoder as it is, and the words",
    "frozen": "four layers of the encoder as it is, and the words",
    "bag": "the words alone",
}


def report(found: TextEffect) -> Report:
    """What the text tells, then overlap, the effect, its parts, refuters, and how it was made."""
    sections = [
        Section("In short", (Text("\n\n".join([found.overlap.sentence, summary(found), *found.notes])),)),
        _text(found),
        overlap_section(found.overlap),
        estimates_section(found.estimators, found.outcome),
        _parts(found),
        *([refuters_section(found.dowhy)] if found.dowhy is not None and found.refuters else []),
        _how(found),
    ]
    title = f"The effect of {found.treatment} on {found.outcome}, given the text {found.text}"
    return Report(title, tuple(sections), figures(found))


def figures(found: TextEffect) -> dict[str, Any]:
    """All numbers, for `--json` and report.json; names as those of an effect from columns alone."""
    return {
        "treatment": found.treatment,
        "outcome": found.outcome,
        "text": found.text,
        "covariates": found.covariates,
        "n": found.n,
        "ate": found.ate,
        "ci": found.ci,
        "se": found.se,
        "overlap": _overlap(found.overlap),
        "text_overlap": _overlap(found.read.text_overlap),
        "propensity_by": found.read.by,
        "auc": found.read.auc,
        "explained": found.read.explained,
        "ranks": found.read.ranks,
        "estimators": found.estimators,
        "refuters": found.refuters,
        "parts": found.parts,
        "notes": found.notes,
        "settings": found.how,
    }


def summary(found: TextEffect) -> str:
    """One or two sentences: the effect with its interval, and the difference of means beside it."""
    pair = f"`{found.treatment}` on `{found.outcome}`"
    beside = f"The means of the two arms differ by {figure(found.naive.ate)}, before any adjustment."
    if found.ate is None or found.ci is None:
        return f"No average effect of {pair} over all {found.n:,} rows can be told from these texts. {beside}"
    low, high = found.ci
    clear = "leaves out zero" if low > 0 or high < 0 else "holds zero: no effect is not excluded"
    return (
        f"Average effect of {pair}, given `{found.text}`: {figure(found.ate)}, 95 % interval {interval(low, high)}, "
        f"{found.n:,} rows. Its interval {clear}. {beside}"
    )


def share(explained: float) -> str:
    """A share of variance in words: below 0 a mean alone would have predicted better."""
    return f"{explained:.0%}" if explained >= 0.005 else "none"


def _overlap(seen: Overlap) -> dict[str, Any]:
    quantiles = {f"{q:g}": v for q, v in zip(QUANTILES, seen.quantiles, strict=True)}
    bounds = {"outside": seen.outside, "low": seen.low, "high": seen.high}
    return {"ok": seen.ok} | bounds | {"quantiles": quantiles, "sentence": seen.sentence}


def _text(found: TextEffect) -> Section:
    read, causes = found.read, [found.text, *found.covariates]
    edges = [(c, to) for c in causes for to in (found.treatment, found.outcome)]
    edges.append((found.treatment, found.outcome))
    said = (
        f"Read off the text by {WAYS[found.how.method]}. With the other columns, where there are any, it tells the "
        f"treatment with an AUC of {read.auc:.2f} (.5: not at all, 1: wholly), and {share(read.explained)} of "
        "the variance of the outcome within the arms. What the text does not tell these models is not adjusted for; no "
        "figure here shows it."
    )
    if read.by != BY_TEXT:
        said += f"\n\nGiven the text: {read.text_overlap.sentence}"
    if read.ranks:
        said += "\n\nDirections a site that the folds' adapters kept: " + ", ".join(f"{r:.1f}" for r in read.ranks)
    picture = Picture(
        graph_svg(edges, highlight=[found.treatment, found.outcome, (found.treatment, found.outcome)]),
        "What is taken on trust: the text was there before the treatment, and nothing else moves both.",
    )
    return Section("What the text tells", (picture, Text(said)))


def _parts(found: TextEffect) -> Section:
    rows = [Interval(p.name, p.ate, p.low, p.high) for p in found.parts]
    cells = [(p.name, p.n, p.predicted, p.ate, interval(p.low, p.high)) for p in found.parts]
    said = (
        "Quarters of the rows by the effect that was predicted for them without them. Where all are alike, either the "
        "effect is, or the text does not tell by what it differs."
    )
    table = Table(("quarter by predicted effect", "rows", "predicted", "effect", "95 % interval"), tuple(cells))
    return Section("For whom", (Text(said), Picture(forest_svg(rows), "Average effect by quarter."), table))


def _how(found: TextEffect) -> Section:
    how = found.how
    base = "" if how.method == "bag" else f" Encoder {how.base}, {how.max_length} tokens at most."
    said = (
        f"{found.n:,} rows, {how.folds} folds, method {how.method}, seed {how.seed}.{base} Scores of each view are "
        "penalised regressions (or an adapter's heads); propensity and outcomes are fitted on them without the rows "
        "that they are asked about. The estimate is augmented inverse propensity weighting."
    )
    said += f" {_interval(found)}"
    said += f"\n\nDoWhy was given {', '.join(stand_ins(found))} in place of the text."
    if how.group:
        said += f" Rows of one {how.group} were held out together and count as one in the error."
    return Section("How it was made", (Text(said),))


def _interval(found: TextEffect) -> str:
    if not found.blocks:
        return "Its interval takes the models as given; for some hundreds of rows that is too narrow."
    kept = "; the adapters stay as they are" if found.how.method in ("lora", "sora") else ""
    return (
        f"Its interval is from {found.blocks} blocks of rows, left out in turn, the models fitted anew each time"
        f"{kept}. Those of the quarters take the models as given."
    )
