"""The report of an audit: what moves the answer, what DoWhy makes of the texts alone, and where the two part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .audit import Audit, Audited
from .contrast import Contrast
from .draw import Interval, forest_svg, graph_svg
from .edited import Mean
from .observed import Observed
from .report import Block, Cell, Picture, Report, Section, Table, Text, interval
from .side_by_side import Beside
from .verdict import SHORTCUT, USED

EDITS = (
    "The effect by edits is found by really changing the text: the cue is set to 1 and to 0, all else is held, and the "
    "adapter is asked about both. It is the mean difference in the probability that the first event of the pair starts "
    "first. DoWhy's estimate uses the texts as they are and holds the other cues, the style and the distance fixed. "
    "They agree if they differ by at most 3 standard errors of their difference, on the cases that were edited."
)
LIMITS = (
    "An edit is an intervention on a string: it tells what the adapter does with the text, not what language does. "
    "Edited texts may be unlike any that people write, and the effect is then one on such texts. Cases whose edit is "
    "not certain are left out and counted; the effect is over the others. A cue is what its detector finds: what it "
    "misses counts as absent. That texts and estimate agree does not say that the adapter reads well, only that these "
    "cues, and what goes with them, are what it goes by."
)
REFUTED = (
    "Passing is necessary and not sufficient: with a cue left out, refuters pass a wrong estimate. Here the edits "
    "are the check that refuters cannot be."
)


def audit_report(
    audits: Mapping[str, Audit], beside: Sequence[Beside] = (), *, data: str = "", notes: Sequence[str] = ()
) -> Report:
    """A report to write with `report.write`. audits: one or two, by name; beside: both by cue."""
    sections: list[Section] = []
    for name, found in audits.items():
        head = f"{name}: " if len(audits) > 1 else ""
        sections += [
            Section(f"{head}By which cues it orders events", (_asked(name, found, data, notes), *_cues(found))),
            Section(f"{head}Where the effects lie", (_parts(found),)),
            Section(f"{head}Refuters and unseen cues", (Text(REFUTED), _refuters(found), _unseen(found))),
        ]
    if beside:
        sections.append(Section("Side by side", (_beside(list(audits), beside), *_pairs(audits))))
    else:
        sections.append(Section("Contrast pairs", _pairs(audits)))
    sections.append(Section("How the figures were made", (Text(EDITS), Text(LIMITS))))
    facts = {"data": data, "notes": list(notes), "audits": {name: facts_of(a) for name, a in audits.items()}}
    if beside:
        facts["change"] = {b.name: _plain(b.change) for b in beside}
    return Report(f"Audit of {' and '.join(audits)}", tuple(sections), facts)


def _asked(name: str, found: Audit, data: str, notes: Sequence[str]) -> Text:
    right = ""
    if found.accuracy is not None:
        right = f" It orders {found.accuracy.value:.1%} of {found.accuracy.n:,} labelled pairs right."
    said = f"`{name}` on {found.cases:,} pairs of events of {found.documents:,} documents"
    said += f" of `{data}`" if data else ""
    return Text("\n\n".join([f"{said}, seed {found.seed}, {found.seconds:.0f} s.{right}", *notes]))


def _cues(found: Audit) -> tuple[Block, ...]:
    rows: list[tuple[Cell, ...]] = []
    for c in found.cues:
        ate = None if c.observed is None else c.observed.ate
        span = "not estimated" if c.observed is None else interval(c.observed.low, c.observed.high)
        rows.append((c.name, _value(c.effect), _span(c.effect), ate, span, *_checks(c), c.verdict.word))
    columns = ("cue", "effect by edits", "95 %", "DoWhy's estimate", "95 %", "overlap", "agrees", "verdict")
    table = Table(columns, tuple(rows), "Effects on the probability that the first event of the pair starts first.")
    said = Table(
        ("cue", "what the verdict says", "cases with it", "edited", "skipped, by reason"),
        tuple((c.name, c.verdict.sentence, c.have, len(c.where), _reasons(c)) for c in found.cues),
    )
    drawn = [row for c in found.cues for row in _drawn(c)]
    used = [c.name for c in found.cues if c.verdict.use in (USED, SHORTCUT)]
    edges = [(c.name, "answer") for c in found.cues]
    graph = graph_svg(edges, highlight=[*used, *((name, "answer") for name in used)])
    return (
        table,
        said,
        Picture(forest_svg(drawn, unit="effect"), "By edits and by DoWhy; coloured: shortcuts and disagreements."),
        Picture(graph, "What the answer is asked to depend on; coloured: what edits show that it does."),
    )


def _drawn(c: Audited) -> tuple[Interval, Interval]:
    marked, e, o = c.verdict.word == SHORTCUT or c.verdict.flagged, c.effect, c.observed
    first = Interval(f"{c.name}, edits", None, marked=marked)
    if e is not None:
        first = first._replace(value=e.value, low=e.low, high=e.high)
    second = Interval(f"{c.name}, DoWhy", None, marked=marked)
    return first, second if o is None else second._replace(value=o.ate, low=o.low, high=o.high)


def _checks(c: Audited) -> tuple[Cell, Cell]:
    outside = None if c.overlap is None else f"{c.overlap.outside:.0%} off" if not c.overlap.ok else "ok"
    return outside or (c.lacking and "too few") or None, c.agrees


def _reasons(c: Audited) -> str:
    ordered = sorted(c.skipped.items(), key=lambda item: -item[1])
    return "; ".join(f"{why} {count}" for why, count in ordered) or "none"


def _parts(found: Audit) -> Block:
    rows = [
        (c.name, p.by, p.group or "(none)", p.effect.value, _span(p.effect), p.effect.n, p.effect.documents)
        for c in found.cues
        for p in c.parts
    ]
    columns = ("cue", "by", "group", "effect by edits", "95 %", "cases", "documents")
    said = "A cue that may not decide is a shortcut where it still moves the answer with an explicit cue given."
    return Table(columns, tuple(rows), said) if rows else Text("No case was edited.")


def _refuters(found: Audit) -> Block:
    columns = ("cue", "refuter", "estimate then", "passed", "what it means")
    rows = [(c.name, r.name, r.new, r.passed, r.sentence) for c in found.cues for r in c.refuted]
    ran = max((r.simulations for c in found.cues for r in c.refuted), default=0)
    caption = f"{ran} simulations each, where there are any; seed {found.seed}."
    return Table(columns, tuple(rows), caption) if rows else Text("None was run.")


def _unseen(found: Audit) -> Block:
    rows = [(c.name, c.sensitivity.sentence) for c in found.cues if c.sensitivity is not None]
    columns = ("cue", "how much an unseen cue could change")
    return Table(columns, tuple(rows)) if rows else Text("Nothing was estimated.")


def _pairs(audits: Mapping[str, Audit]) -> tuple[Block, ...]:
    rows: list[tuple[Cell, ...]] = []
    for name, found in audits.items():
        if (c := found.contrast) is not None:
            rows.append((name, c.original.value, c.turned.value, c.both.value, _span(c.both), c.both.n))
    if not rows:
        return (Text("No case has a cue that decides the order and could be turned round for certain."),)
    columns = ("adapter", "original right", "edited right", "both right", "95 %", "pairs")
    said = "A text and its edit that turns the order round. An adapter that never looks at the cue gets no pair right."
    return (Table(columns, tuple(rows), said),)


def _beside(names: Sequence[str], beside: Sequence[Beside]) -> Block:
    rows = tuple(
        (
            b.name,
            _value(b.first.effect),
            _value(b.second.effect),
            _value(b.change),
            _span(b.change),
            b.first.verdict.word,
            b.second.verdict.word,
        )
        for b in beside
    )
    columns = ("cue", "effect, first", "effect, second", "change", "95 %", "verdict, first", "verdict, second")
    return Table(columns, rows, f"First: {names[0]}. Second: {names[1]}. Changes are paired by case.")


def facts_of(found: Audit) -> dict[str, Any]:
    """Everything of an audit for JSON, without the single cases."""
    return {
        "cases": found.cases,
        "documents": found.documents,
        "seed": found.seed,
        "seconds": found.seconds,
        "accuracy": _plain(found.accuracy),
        "contrast": _contrast(found.contrast),
        "flagged": list(found.flagged),
        "cues": {c.name: _facts(c) for c in found.cues},
    }


def _facts(c: Audited) -> dict[str, Any]:
    o = c.observed
    return {
        "legitimate": c.legitimate,
        "verdict": c.verdict.word,
        "use": c.verdict.use,
        "says": c.verdict.sentence,
        "effect": _plain(c.effect),
        "estimate": None if o is None else _estimate(o),
        "not_estimated": c.lacking or None,
        "naive": c.naive,
        "overlap": c.overlap,
        "gap": _plain(c.gap),
        "agrees": c.agrees,
        "cases": c.have,
        "edited": len(c.where),
        "skipped": c.skipped,
        "parts": [{"by": p.by, "group": p.group, "effect": _plain(p.effect)} for p in c.parts],
        "refuters": list(c.refuted),
        "sensitivity": c.sensitivity,
        "closing": c.closing,
    }


def _estimate(o: Observed) -> dict[str, Any]:
    return {"ate": o.ate, "ci": [o.low, o.high], "se": o.se, "n": o.n, "held": o.held}


def _contrast(c: Contrast | None) -> dict[str, Any] | None:
    if c is None:
        return None
    return {"cues": c.cues, "original": _plain(c.original), "edited": _plain(c.turned), "both": _plain(c.both)}


def _plain(m: Mean | None) -> dict[str, Any] | None:
    if m is None:
        return None
    return {"value": m.value, "ci": [m.low, m.high], "se": m.se, "n": m.n, "documents": m.documents}


def _value(m: Mean | None) -> float | None:
    return None if m is None else m.value


def _span(m: Mean | None) -> str:
    return interval(None, None) if m is None else interval(m.low, m.high)
