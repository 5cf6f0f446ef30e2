"""How long exact decoding takes, and what it mends, on simulated scores: python benchmarks/decode.py

Events get start times (some equal), each pair a score vector: the true label's logit is raised by `signal`, and noise
is added, independently for each pair, or shared by all pairs of an event, which is how models err. Writes
results/decode/README.md. Times are of a shared machine: minimum and median over the seeds.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import combinations
from pathlib import Path

import numpy as np

from rankwise.relations.decode import decode
from rankwise.relations.schema import TEMPORAL
from rankwise.train.record import machine, versions

OUT = Path(__file__).parents[1] / "results" / "decode" / "README.md"
CASES = {  # name -> (signal, noise of a pair, noise of an event's time)
    "independent": (3.2, 1.4, 0.0),
    "independent, strong": (3.2, 1.9, 0.0),
    "shared by an event": (3.2, 1.2, 0.35),
    "shared, strong": (3.2, 1.2, 0.7),
}


def simulated(events: int, window: int, case: tuple[float, float, float], seed: int) -> tuple[dict, dict]:
    """Log-probabilities and true labels of all pairs at most `window` apart."""
    rng = np.random.default_rng(seed)
    signal, own, shared = case
    times = np.round(rng.random(events), 1 if events < 30 else 2)
    moved = times + shared * rng.standard_normal(events) * 0.3
    scores, truth = {}, {}
    for i, j in combinations(range(events), 2):
        if j - i > window:
            continue
        label = 0 if times[i] < times[j] else 1 if times[i] > times[j] else 2
        seen = 0 if moved[i] < moved[j] else 1 if moved[i] > moved[j] else 2
        logits = own * rng.standard_normal(4)
        logits[seen if shared else label] += signal
        scores[f"e{i}", f"e{j}"] = list(logits - np.log(np.exp(logits).sum()))
        truth[f"e{i}", f"e{j}"] = TEMPORAL[label]
    return scores, truth


def one(events: int, window: int, case: tuple[float, float, float], seed: int) -> tuple[float, float, float, bool, int]:
    """Accuracy before and after, seconds, whether proven optimal, triples still broken."""
    scores, truth = simulated(events, window, case, seed)
    made = decode(scores, events=[f"e{i}" for i in range(events)])
    before = np.mean([TEMPORAL[int(np.argmax(scores[p]))] == truth[p] for p in scores])
    after = np.mean([made.labels[p] == truth[p] for p in scores])
    return float(before), float(after), made.seconds, made.exact, made.violated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    seeds = range(parser.parse_args().seeds)
    head = (
        "events",
        "pairs",
        "errors",
        "accuracy before",
        "after",
        "seconds: least",
        "median",
        "most",
        "proven",
        "broken",
    )
    lines = ["# Exact decoding of simulated scores", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for events, window in ((20, 20), (40, 40), (120, 8), (200, 8)):
        for name, case in CASES.items():
            rows = [one(events, window, case, seed) for seed in seeds]
            before, after = (statistics.mean(r[k] for r in rows) for k in (0, 1))
            took = [r[2] for r in rows]
            pairs = sum(1 for i, j in combinations(range(events), 2) if j - i <= window)
            cells = [events, f"{pairs:,}", name, f"{before:.3f}", f"{after:.3f}", f"{min(took):.2f}"]
            cells += [f"{statistics.median(took):.2f}", f"{max(took):.2f}", f"{sum(r[3] for r in rows)} of {len(rows)}"]
            lines.append("| " + " | ".join(map(str, [*cells, sum(r[4] for r in rows)])) + " |")
            print(lines[-1], flush=True)
    about = versions() | {"machine": machine()}
    note = "200 events are taken in windows, which is never proven optimal. Limit of a search: 10 s."
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(
        "\n".join([*lines, "", note, "", f"`python benchmarks/decode.py`, {len(seeds)} seeds; {about}"]) + "\n"
    )


if __name__ == "__main__":
    main()
