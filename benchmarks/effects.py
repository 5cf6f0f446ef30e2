"""How right an effect is: bias and coverage over repeated tables, time to identify, refuters, and five traps of DoWhy.

    python -m benchmarks.effects                      # a quarter of an hour on one core
    python -m benchmarks.effects --draws 20 --refuted 4 --stock 10
    python -m benchmarks.effects --table              # results/effects/README.md again, from its results.json

The tables are made from a known effect of 2 with two common causes: linear, and with kinks that a linear model misses.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import dowhy
import numpy as np
import pandas as pd
import sklearn
from dowhy import CausalModel

from benchmarks.traps import TRAPS, TRUE, fall
from benchmarks.traps import table as linear
from rankwise.causal.aipw import cross_fit, mean_and_error, psi
from rankwise.causal.estimate import effect
from rankwise.causal.estimators import Z, quietly
from rankwise.causal.graph import from_causes
from rankwise.causal.identify import identify
from rankwise.causal.refute import ALL

HOME = Path(__file__).parents[1] / "results" / "effects"
TESTS = ALL[:5]
Row = dict[str, Any]


def kinked(n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """As `linear`, but the common causes act by their size too, and the effect is 2 on average, larger where w is."""
    rng = np.random.default_rng([seed, 1])
    w, v = rng.normal(size=n), rng.normal(size=n)
    t = (rng.random(n) < 1 / (1 + np.exp(0.8 - np.abs(w) - 0.5 * v))).astype(int)
    return pd.DataFrame({"w": w, "v": v, "t": t, "y": (TRUE + w) * t + 2 * np.abs(w) + v + rng.normal(size=n)})


WORLDS = {"linear": linear, "kinked": kinked}


def coverage(world: str, models: str, rows: int, draws: int) -> Row:
    """Bias, root mean square error and share of intervals that hold the truth."""
    from scipy.stats import binomtest

    found, naive, start = [], [], time.perf_counter()
    for seed in range(draws):
        d = WORLDS[world](rows, seed)
        x, t, y = d[["w", "v"]].to_numpy(), d.t.to_numpy(), d.y.to_numpy()
        q = cross_fit(x, t, y, nuisance=models, seed=seed)
        found.append(mean_and_error(psi(y, t, q.q0, q.q1, q.g)))
        naive.append(y[t == 1].mean() - y[t == 0].mean())
    ate, se = np.array(found).T
    hits = int((np.abs(ate - TRUE) <= Z * se).sum())
    return {
        "naive_bias": float(np.mean(naive) - TRUE),
        "bias": float(ate.mean() - TRUE),
        "rmse": float(np.sqrt(np.mean((ate - TRUE) ** 2))),
        "mean_error": float(se.mean()),
        "coverage": hits / draws,
        "p_of_95": float(binomtest(hits, draws, 0.95).pvalue),
        "seconds_each": (time.perf_counter() - start) / draws,
    }


def identification(causes: int, stock: bool) -> Row:
    """Seconds of processor time from a list of common causes to the set to adjust for, ours and DoWhy's default."""
    names = [f"c{i}" for i in range(causes)]
    start = time.process_time()
    way = identify(from_causes("t", "y", names), "t", "y")
    row: Row = {"ours": time.process_time() - start, "found": len(way.adjust), "dowhy": None}
    if stock:
        rng = np.random.default_rng(0)
        data = pd.DataFrame(rng.normal(size=(100, causes)), columns=names)
        data = data.assign(t=rng.integers(0, 2, 100), y=rng.normal(size=100))
        with quietly():
            model = CausalModel(data=data, treatment="t", outcome="y", common_causes=names)
            start = time.process_time()
            model.identify_effect(proceed_when_unidentifiable=True)
        row["dowhy"] = time.process_time() - start
    return row


def refuted(adjusts: list[str], draws: int) -> Row:
    """How often each refuter passes, with all common causes or with one left out."""
    passed: Counter[str] = Counter()
    ates = []
    for seed in range(draws):
        found = effect(linear(500, seed), "t", "y", common_causes=adjusts, compare=False, simulations=10, seed=seed)
        ates.append(found.ate if found.ate is not None else float("nan"))
        passed.update(r.name for r in found.refuters if r.passed)
    return {"mean": float(np.nanmean(ates)), "passed": {k: passed[k] for k in TESTS}}


class Log:
    """log.txt: a line for each row as it is done; with `resume`, rows that it holds are not run again."""

    def __init__(self, resume: bool) -> None:
        HOME.mkdir(parents=True, exist_ok=True)
        self.file = HOME / "log.txt"
        if not resume or not self.file.exists():
            self.file.write_text("")
        self.held = [json.loads(line.partition(" s  ")[2]) for line in self.file.read_text().splitlines()]

    def row(self, make: Callable[..., Row], **given: Any) -> Row:
        for old in self.held:
            if given.items() <= old.items():
                return old
        start = time.perf_counter()
        new = given | make(**given)
        with self.file.open("a") as file:
            file.write(f"{time.perf_counter() - start:7.1f} s  {json.dumps(new, default=bool)}\n")
        return new


def run(draws: int, tests: int, stock: int, resume: bool) -> Row:
    """Everything, with what it was made on."""
    log = Log(resume)
    cells = [("linear", "linear", 500, draws), ("linear", "linear", 2000, draws), ("kinked", "linear", 2000, draws)]
    cells += [("kinked", "boosting", 2000, max(2, draws // 2)), ("kinked", "network", 2000, max(2, draws // 4))]
    rows = [log.row(coverage, world=w, models=m, rows=n, draws=k) for w, m, n, k in cells]
    return {
        "coverage": rows,
        "identification": [log.row(identification, causes=k, stock=k <= stock) for k in (10, 50, 100)],
        "refuters": [log.row(refuted, adjusts=c, draws=tests) for c in (["w", "v"], ["v"])],
        "traps": [log.row(lambda trap: vars(fall(trap)), trap=name) for name in TRAPS],
        "on": {
            "python": platform.python_version(),
            "dowhy": dowhy.__version__,
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "sklearn": sklearn.__version__,
        },
    }


def page(found: Row) -> str:
    """The README of the results."""
    lines = ["# Effects: how right they are", "", "Made by `python -m benchmarks.effects`; every row is in `log.txt`."]
    lines += ["", "One core of a busy machine; " + ", ".join(f"{k} {v}" for k, v in found["on"].items())]
    lines += [
        "",
        "## Bias and coverage",
        "",
        f"The effect is {TRUE:g}. Intervals are to hold it 95 times in a hundred.",
    ]
    lines += ["", "| world | models | rows | draws | bias of the means | bias | RMSE | coverage | p of 95 % | s each |"]
    lines += ["| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for r in found["coverage"]:
        lines.append(
            f"| {r['world']} | {r['models']} | {r['rows']:,} | {r['draws']} | {r['naive_bias']:+.3f} | "
            f"{r['bias']:+.3f} | {r['rmse']:.3f} | {r['coverage']:.1%} | {r['p_of_95']:.2f} | {r['seconds_each']:.2f} |"
        )
    lines += [
        "",
        "In the kinked world a linear model is wrong about the outcome and about the treatment: doubly robust is",
    ]
    lines += ["not robust to both. The other models are there for that; p of 95 % is of an exact binomial test."]
    lines += [
        "",
        "## Time to identify",
        "",
        "Processor time.",
        "",
        "| common causes | rankwise | DoWhy's default |",
        "| ---: | ---: | ---: |",
    ]
    for r in found["identification"]:
        theirs = "not run" if r["dowhy"] is None else f"{r['dowhy']:.2f} s"
        lines.append(f"| {r['causes']} | {r['ours']:.3f} s | {theirs} |")
    lines += ["", "## Refuters", "", "How often each passes; the effect is 2, and the last row leaves a cause out."]
    lines += [
        "",
        "| adjusts for | mean estimate | " + " | ".join(TESTS) + " |",
        "| --- | ---: |" + " ---: |" * len(TESTS),
    ]
    for r in found["refuters"]:
        cells = " | ".join(f"{r['passed'][k]} of {r['draws']}" for k in TESTS)
        lines.append(f"| {', '.join(r['adjusts'])} | {r['mean']:.3f} | {cells} |")
    lines += [
        "",
        "Passing says nothing about a cause that is missing: compare the two rows.",
    ]
    lines += ["", f"## Five traps of DoWhy {found['on']['dowhy']}", "", "| trap | stock | fails | rankwise | right |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    for r in found["traps"]:
        yes = ["no", "yes"]
        lines.append(f"| {r['trap']} | {r['stock']} | {yes[r['fails']]} | {r['ours']} | {yes[bool(r['holds'])]} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200, help="tables for each row of bias and coverage")
    parser.add_argument("--refuted", type=int, default=40, help="tables for each row of refuters")
    parser.add_argument("--stock", type=int, default=50, help="common causes up to which DoWhy's default is timed")
    parser.add_argument("--resume", action="store_true", help="run only rows that log.txt does not hold")
    parser.add_argument("--table", action="store_true", help="write the README again and run nothing")
    asked = parser.parse_args()
    kept = HOME / "results.json"
    if not asked.table:
        found = run(asked.draws, asked.refuted, asked.stock, asked.resume)
        kept.write_text(json.dumps(found, indent=2, default=bool) + "\n")
    (HOME / "README.md").write_text(page(json.loads(kept.read_text())))


if __name__ == "__main__":
    main()
