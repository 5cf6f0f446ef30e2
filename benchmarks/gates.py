"""The gates of the extractor inside the package: how well effects of shutting predict masks that were held out.

    nice -n 5 python benchmarks/gates.py [--pairs 12] [--seed 0] [--threads 1] [--only NAME ...]

writes results/gates: README.md, a JSON for each experiment, a log, and the picture of the first. Texts are stories of
rankwise.causal.narratives, which no extractor was trained on. Experiments: every site a switch; every layer; the
directions of layer 5 (the last); the same in the basis of singular vectors.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from rankwise.causal.design import PER_SWITCH
from rankwise.causal.gate_outcomes import CaseReader, cue_outcome
from rankwise.causal.gate_picture import gates_svg
from rankwise.causal.gate_report import carriers
from rankwise.causal.gates import Outcome, experiment
from rankwise.causal.measured import Experiment, Measured
from rankwise.causal.narratives import CUES, generate
from rankwise.causal.subspace import svd_basis
from rankwise.causal.switches import switches
from rankwise.data import folder
from rankwise.relations.extract import Extractor

OUT = Path(__file__).parents[1] / "results" / "gates"
TARGET = 0.9
LAST = r"layer\.5\."
"""The sites whose directions are shut one by one."""
MOVES = 0.02
"""Outcomes that the adapter moves by less are judged apart: there is nothing for a gate to carry."""


def experiments(
    extractor: Extractor, outcome: Outcome, seed: int, tell: Callable[[int, int], None]
) -> dict[str, Callable[[], Experiment]]:
    def run(by: str, within: str | None = None) -> Experiment:
        given = switches(extractor.model, by, within)
        return experiment(extractor.model, outcome, given, exact=False, seed=seed, tell=tell)

    def turned() -> Experiment:
        with svd_basis(extractor.model):
            return run("direction", LAST)

    return {
        "sites": lambda: run("site"),
        "layers": lambda: run("layer"),
        "directions of layer 5": lambda: run("direction", LAST),
        "directions of layer 5, singular": turned,
    }


def span(m: Measured) -> float:
    """By how much the outcome differs at most between all open, all shut, and what main effects lead to from there."""
    return max(abs(m.open - m.shut), *(abs(e.main) for e in m.effects))


def lines_of(name: str, found: Experiment) -> list[str]:
    kind = (
        "all masks there are; R2 of each predicted from the others"
        if found.complete
        else f"fit on {found.fitted}, R2 of {found.fresh} held out"
    )
    lines = [
        f"## {name.capitalize()}",
        "",
        f"{len(found.switches)} switches of {sum(len(s.members) for s in found.switches)} directions; "
        f"{found.runs} masks ({found.runs / len(found.switches):.1f} a switch; {kind}); {found.seconds:.0f} s.",
        "",
        "| outcome | open | shut | R2 main | with pairs | pairs shrunk | process | chosen: R2 | 95 % | largest effect "
        "| carriers | r with leave-one-out | n |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for m in found.measured:
        pairs, shrunk, gp = ("–" if r is None else f"{r:.3f}" for r in (m.r2_pairs, m.r2_shrunk, m.r2_gp))
        lines.append(
            f"| {m.outcome} | {m.open:+.3f} | {m.shut:+.3f} | {m.r2_main:.3f} | {pairs} | {shrunk} | {gp} "
            f"| {m.chosen}: {m.r2:.3f} | {m.low:.2f} to {m.high:.2f} | {span(m):.3f} "
            f"| {carriers(m)} of {len(m.effects)} | {m.agreement:.2f} | {m.units} |"
        )
    return [*lines, ""]


def verdict(found: dict[str, Experiment]) -> list[str]:
    """Whether the target is reached, for outcomes that something moves and for those that nothing does."""
    lines = [f"Target: R2 of at least {TARGET} with at most {PER_SWITCH} runs a switch.", ""]
    for name, e in found.items():
        moved = [m for m in e.measured if span(m) >= MOVES]
        reached = [m for m in moved if m.r2 >= TARGET]
        still = [m.outcome for m in e.measured if span(m) < MOVES]
        told = f"- {name}: {len(reached)} of {len(moved)} outcomes that move by {MOVES} or more reach it"
        missed = [f"{m.outcome} {m.r2:.2f}" for m in moved if m not in reached]
        told += f" (not: {', '.join(missed)})" if missed else ""
        lines.append(told + (f"; moves by less: {', '.join(still)}." if still else "."))
    return [*lines, ""]


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12, help="stories; each is edited for each of six cues")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="names of experiments")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args(words)
    torch.set_num_threads(asked.threads)
    asked.out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", filename=asked.out / "log.txt", filemode="a", force=True
    )
    extractor = Extractor.load(folder("timeline_reader"))
    cases = generate(asked.pairs, seed=asked.seed)
    outcome = cue_outcome(CaseReader(extractor), cases, CUES)
    log = logging.getLogger("gates")

    def tell(done: int, runs: int) -> None:
        if done in (1, runs) or done % 50 == 0:
            log.info("%d of %d masks", done, runs)

    found: dict[str, Experiment] = {}
    for name, run in experiments(extractor, outcome, asked.seed, tell).items():
        if asked.only and name not in asked.only:
            continue
        log.info("%s: begun, %d pairs, seed %d, %d threads", name, asked.pairs, asked.seed, asked.threads)
        start = time.perf_counter()
        found[name] = run()
        took, scores = time.perf_counter() - start, {m.outcome: round(m.r2, 3) for m in found[name].measured}
        log.info("%s: %.0f s; R2 %s", name, took, scores)
        file = asked.out / f"{name.replace(',', '').replace(' ', '-')}.json"
        file.write_text(json.dumps(found[name].to_dict(), indent=1) + "\n")
        write(found, asked)


def write(found: dict[str, Experiment], asked: argparse.Namespace) -> None:
    lines = ["# Gates of the packaged extractor", "", *verdict(found)]
    for name, e in found.items():
        lines += lines_of(name, e)
    first = next(iter(found.values()))
    (asked.out / "gates.svg").write_text(gates_svg(first))
    lines += ["![Main effects](gates.svg)", ""]
    only = f" --only {' '.join(repr(n) for n in asked.only)}" if asked.only else ""
    lines.append(
        f"`python benchmarks/gates.py --pairs {asked.pairs} --seed {asked.seed}{only}`; torch {torch.__version__}, "
        f"{asked.threads} thread, {platform.machine()}."
    )
    (asked.out / "README.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
