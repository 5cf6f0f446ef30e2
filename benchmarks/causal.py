"""The audit against known effects: stories of a structural model, read by planted readers.

    OMP_NUM_THREADS=1 nice -n 5 python benchmarks/causal.py [--replicates 200] [--only NAME ...]

writes results/audit: README.md, a JSON for each part, a log. Parts:

    calibrated  confounded stories, everything held fixed: bias, RMSE and coverage by edits and by DoWhy; false flags
    left-out    style unseen and the strongest cue left out: how often an audit is flagged, and what refuters say
    no-overlap  style fixes every cue: how often it is flagged
    falsified   a reader of connectives alone, readers of permuted labels, and two disjoint samples of stories
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest, spearmanr

from rankwise.causal.audit import Audit, How, audit
from rankwise.causal.narratives import CUES, NAMES, Story
from rankwise.causal.readers import LogitReader, learnt, reads_only

OUT = Path(__file__).parents[1] / "results" / "audit"
READER = LogitReader(
    {"connective": 2.5, "order": 0.6, "tense": 1.0, "trigger": 0.8, "distance": -0.4, "signal": 1.0}, noise=0.5
)
CONFOUNDED = Story(confounding=0.7)
STRONGLY = Story(confounding=0.9)
STORIES = 700
PLAIN = How(refuters=(), sensitive=False)
REFUTED = 20
"""Replicates of `left-out` in which refuters are run too."""
FIRST = 1000
"""Seeds count from here, and are used for nothing else."""


def calibrated(replicates: int, log: Callable[[str], None]) -> dict[str, Any]:
    truth = {name: CONFOUNDED.ace(name, READER.mean) for name in NAMES}
    drawn = [
        audit(CONFOUNDED.draw(STORIES, FIRST + r), READER, CUES, seed=r, how=PLAIN) for r in _each(replicates, log)
    ]
    rows = []
    for name in NAMES:
        cues = [a[name] for a in drawn]
        edits = [(c.effect.value, c.effect.low, c.effect.high) for c in cues if c.effect and c.effect.low is not None]
        texts = [(o.ate, o.low, o.high) for o in (c.observed for c in cues) if o is not None]
        naive = float(np.mean([c.naive for c in cues]) - truth[name])
        for how, found in (("edits", edits), ("DoWhy", texts)):
            rows.append({"cue": name, "by": how, "truth": truth[name]} | _scores(found, truth[name]) | {"naive": naive})
    flagged = [a.flagged for a in drawn]
    return {
        "replicates": replicates,
        "stories": STORIES,
        "rows": rows,
        "audits flagged": _share([bool(f) for f in flagged]),
        "cues flagged": _share([name in f for f in flagged for name in NAMES]),
    }


def left_out(replicates: int, log: Callable[[str], None]) -> dict[str, Any]:
    """The connective is not among the cues, and the style that moves all of them is not told."""
    flagged, named, gaps, passed, whole = [], [], [], [], []
    for r in _each(replicates, log):
        cases = [replace(case, style="") for case in STRONGLY.draw(STORIES, FIRST + r)]
        how = How(("placebo", "random common cause", "subset"), simulations=10, sensitive=False)
        found = audit(cases, READER, CUES[1:], others=CUES[:1], seed=r, how=how if r < REFUTED else PLAIN)
        flagged.append(bool(found.flagged))
        named += [c.closing.name == "connective" for c in found.cues if c.closing is not None]
        gaps.append([c.observed.ate - c.effect.value for c in found.cues if c.observed and c.effect])
        passed += [bool(x.passed) for c in found.cues if c.verdict.flagged for x in c.refuted]
        whole.append(bool(audit(cases, READER, CUES, seed=r, how=PLAIN).flagged))
    return {
        "replicates": replicates,
        "stories": STORIES,
        "audits flagged": _share(flagged),
        "the connective named": _share(named),
        "mean gap by cue": dict(zip(NAMES[1:], np.mean(gaps, 0).tolist(), strict=True)),
        "refuters passed of flagged estimates": _share(passed),
        "audits flagged with the connective": _share(whole),
    }


def no_overlap(replicates: int, log: Callable[[str], None]) -> dict[str, Any]:
    fixed = Story(deterministic=True)
    found = [audit(fixed.draw(STORIES, FIRST + r), READER, CUES, seed=r, how=PLAIN) for r in _each(replicates, log)]
    return {
        "replicates": replicates,
        "stories": STORIES,
        "audits flagged": _share([bool(a.flagged) for a in found]),
        "cues off support": _share([c.verdict.word == "off support" for a in found for c in a.cues]),
        "share outside, mean": float(np.mean([c.overlap.outside for a in found for c in a.cues if c.overlap])),
    }


def falsified(replicates: int, log: Callable[[str], None]) -> dict[str, Any]:
    few = max(replicates // 10, 1)
    alone, permuted, ranks, ranks_dowhy = [], [], [], []
    for r in _each(few, log):
        cases = CONFOUNDED.draw(2 * STORIES, FIRST + r)
        one = audit(cases[:STORIES], reads_only("connective"), CUES, seed=r, how=PLAIN)
        alone.append(max(*map(abs, _edits(one)[1:]), *map(abs, _texts(one)[1:])))
        train = CONFOUNDED.draw(4000, 10 * FIRST + r)
        permuted.append(
            np.abs(_edits(audit(cases[:STORIES], learnt(train, permuted=r), CUES, seed=r, how=PLAIN))).max()
        )
        halves = [audit(half, learnt(train), CUES, seed=r, how=PLAIN) for half in (cases[:STORIES], cases[STORIES:])]
        ranks.append(float(spearmanr(_edits(halves[0]), _edits(halves[1])).statistic))
        ranks_dowhy.append(float(spearmanr(_texts(halves[0]), _texts(halves[1])).statistic))
    return {
        "replicates": few,
        "largest effect besides the connective": float(max(alone)),
        "largest effect, labels permuted": float(max(permuted)),
        "rank correlation of two samples, edits": [float(np.mean(ranks)), min(ranks)],
        "rank correlation of two samples, DoWhy": [float(np.mean(ranks_dowhy)), min(ranks_dowhy)],
    }


PARTS = {"calibrated": calibrated, "left-out": left_out, "no-overlap": no_overlap, "falsified": falsified}


def _each(replicates: int, log: Callable[[str], None]) -> Any:
    start = time.perf_counter()
    for r in range(replicates):
        yield r
        if (r + 1) % max(replicates // 5, 1) == 0:
            log(f"{r + 1} of {replicates}, {time.perf_counter() - start:.0f} s")


def _scores(found: Sequence[tuple[float, float, float]], truth: float) -> dict[str, float]:
    value, low, high = np.array(found).T
    hits = int(((low <= truth) & (truth <= high)).sum())
    return {
        "n": len(value),
        "bias": float(value.mean() - truth),
        "rmse": float(np.sqrt(((value - truth) ** 2).mean())),
        "coverage": hits / len(value),
        "p": float(binomtest(hits, len(value), 0.95).pvalue),
    }


def _share(found: Sequence[bool]) -> dict[str, float]:
    if not found:
        return {"share": float("nan"), "of": 0}
    ci = binomtest(sum(found), len(found)).proportion_ci(method="wilson")
    return {"share": sum(found) / len(found), "low": float(ci.low), "high": float(ci.high), "of": len(found)}


def _edits(found: Audit) -> list[float]:
    return [c.effect.value if c.effect else float("nan") for c in found.cues]


def _texts(found: Audit) -> list[float]:
    return [c.observed.ate if c.observed else float("nan") for c in found.cues]


def summary(parts: dict[str, dict[str, Any]]) -> str:
    """README.md of the results."""
    lines = ["# The audit against known effects", "", (__doc__ or "").split("\n\n")[1].strip(), ""]
    lines[2] = "Made by `" + " ".join(lines[2].split()) + "`; the log is beside this page."
    if (c := parts.get("calibrated")) is not None:
        lines += [
            f"## Calibration: {c['replicates']} audits of {c['stories']} confounded stories",
            "",
            "Truth by enumeration of the structural model. p: exact binomial test of coverage against .95.",
            "",
            "| cue | by | truth | bias | RMSE | coverage | p | bias of a difference of means |",
            "|---|---|---:|---:|---:|---:|---:|---:|",
        ]
        for r in c["rows"]:
            lines.append(
                f"| {r['cue']} | {r['by']} | {r['truth']:+.3f} | {r['bias']:+.4f} | {r['rmse']:.4f} | "
                f"{r['coverage']:.3f} | {r['p']:.2f} | {r['naive']:+.3f} |"
            )
        lines += ["", f"False flags: {_told(c['audits flagged'])} of audits, {_told(c['cues flagged'])} of cues.", ""]
    for name in ("left-out", "no-overlap", "falsified"):
        if (found := parts.get(name)) is not None:
            lines += [f"## {name.capitalize()}", "", *(f"- {k}: {_told(v)}" for k, v in found.items()), ""]
    return "\n".join(lines)


def _told(value: Any) -> str:
    if isinstance(value, dict) and "share" in value:
        return f"{value['share']:.1%} [{value.get('low', 0):.1%}, {value.get('high', 1):.1%}] of {value['of']}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {v:+.3f}" for k, v in value.items())
    if isinstance(value, list):
        return f"mean {value[0]:.3f}, least {value[1]:.3f}"
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--only", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)

    def log(line: str) -> None:
        print(line, flush=True)
        with (given.out / "log.txt").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    log(f"{platform.platform()}, numpy {np.__version__}, {given.replicates} replicates")
    for name in given.only:
        start, cpu = time.perf_counter(), time.process_time()
        found = PARTS[name](given.replicates, lambda line, name=name: log(f"{name}: {line}"))  # type: ignore[misc]
        found["seconds of processor"] = round(time.process_time() - cpu, 1)
        log(f"{name}: done in {time.perf_counter() - start:.0f} s, {found['seconds of processor']} s of processor")
        (given.out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    made = {name: json.loads(p.read_text()) for name in PARTS if (p := given.out / f"{name}.json").exists()}
    (given.out / "README.md").write_text(summary(made) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
