"""One adapter for several questions: is the order of events read better or worse where it also learns other things?

    python benchmarks/joint_heads.py run [--seeds 5] [--epochs 2] [--only NAME] [--share 0/1]
    python benchmarks/joint_heads.py table        results/joint_heads/README.md from the finished rows

Five adapters, with everything else alike for one seed (documents held out, their passes, first weights of shared sites;
an arm with more to learn makes more steps):

    temporal            the order of events
    temporal+causal     and what caused what
    temporal+effects    and, on other texts, P(treated | text) and the expected outcome of either arm
    all                 all of these
    effects             the last alone

Order and causes: MEANTIME, UDS-T and BECAUSE, as far as they travel inside the package. Effects: sentences of the
polarity corpus with a simulated treatment and outcome, both moved by the polarity; the true effect is 1. Every finished
run leaves a row in results/joint_heads/rows.jsonl, and what is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student

import rankwise as rw
from rankwise.causal.aipw import mean_and_error, psi
from rankwise.core.head import Head
from rankwise.data import corpus
from rankwise.methods import SoRA
from rankwise.models import encode, load, tokenizer
from rankwise.relations import extract, learn
from rankwise.relations.corpora import read
from rankwise.relations.measure import between
from rankwise.relations.model import Weights
from rankwise.relations.pairs import layout
from rankwise.relations.schema import TEMPORAL, Document
from rankwise.relations.score import Score, matres_f1, total
from rankwise.relations.training import POOLER, hold_out
from rankwise.train.data import Example
from rankwise.train.evaluate import predict
from rankwise.train.recipe import Recipe
from rankwise.train.record import machine, versions
from rankwise.train.task import Task

ROOT = Path(__file__).parents[1] / "results" / "joint_heads"
ROWS = ROOT / "rows.jsonl"
ARMS = ("temporal", "temporal+causal", "temporal+effects", "all", "effects")
TRUE, PULL, MOVES = 1.0, 1.0, 2.0  # effect; log-odds of treatment, and rise of the outcome, by polarity
HELD_OUT, WINDOW = 0.2, 128
PAIRED = (("temporal+causal", "temporal"), ("temporal+effects", "temporal"), ("all", "temporal"), ("all", "effects"))


def documents(small: int | None = None) -> dict[str, tuple[Document, ...]]:
    """Documents with temporal relations, and those with causal ones alone."""
    found = {"meantime": read("meantime").documents, "uds-time": read("uds-time").documents}
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.permutation(len(found["uds-time"]))[: round(0.2 * len(found["uds-time"]))])
    found["uds-time"] = tuple(found["uds-time"][k] for k in chosen)
    found["because"] = read("because").documents
    return {name: ds[:small] for name, ds in found.items()}


def without_causes(document: Document) -> Document:
    return replace(document, relations=document.of_kind("temporal"), dense=frozenset())


def pair_tasks(arm: str, train: dict[str, tuple[Document, ...]], model: Any, words: Any, seed: int) -> list[Task]:
    causal = arm in ("temporal+causal", "all")
    parts = []
    for name, given in train.items():
        mine = given if causal else tuple(map(without_causes, given))
        mine = tuple(d for d in mine if d.relations)
        if mine:
            parts.append(learn.Part(name, mine))
    weights = Weights(causal=0.5) if causal else Weights(causal=0.0, implication=0.0)
    return learn.tasks(parts, layout(model, words, WINDOW), int(model.config.hidden_size), weights, seed=seed)


@dataclass(frozen=True)
class Trial:
    """Sentences, treatment and outcome, both moved by what only the text tells."""

    texts: tuple[str, ...]
    t: np.ndarray
    y: np.ndarray

    def rows(self, words: Any) -> list[Example]:
        return [Example(tuple(x["input_ids"])) for x in encode(words, self.texts, None, 64)]


def trials(seed: int, count: int) -> tuple[Trial, Trial]:
    """One to train on, one to estimate on."""
    texts, labels = corpus("sentence-polarity", "train")
    rng = np.random.default_rng([seed, 7])
    chosen = rng.permutation(len(texts))[: 2 * count]
    kind = np.array([1.0 if labels[k] == "positive" else -1.0 for k in chosen])
    t = (rng.random(len(kind)) < 1 / (1 + np.exp(-PULL * kind))).astype(int)
    y = TRUE * t + MOVES * (kind + 1) / 2 + rng.normal(size=len(kind))
    halves = (slice(None, count), slice(count, None))
    first, second = (Trial(tuple(texts[k] for k in chosen[h]), t[h], y[h]) for h in halves)
    return first, second


def effect_tasks(trial: Trial, words: Any, hidden: int) -> list[Task]:
    rows = list(zip(trial.rows(words), trial.t, trial.y, strict=True))
    made = [Task("treated", Head("single", ("0", "1"), hidden), [replace(r, label=int(a)) for r, a, _ in rows])]
    for arm in (0, 1):
        of = trial.y[trial.t == arm]
        head = Head("regression", (), hidden, center=float(of.mean()), spread=float(of.std()) or 1.0)
        made.append(Task(f"outcome_{arm}", head, [replace(r, label=float(b)) for r, a, b in rows if a == arm]))
    return made


def effect_figures(model: Any, adapter: Any, tasks: Sequence[Task], trial: Trial, words: Any) -> dict[str, Any]:
    """Doubly robust effect on texts that were not trained on, and the difference of means beside it."""
    rows, t, y = trial.rows(words), trial.t, trial.y
    said = [torch.stack(predict(model, adapter, task, rows)).double() for task in tasks]
    g = said[0].softmax(-1)[:, 1].numpy()
    ate, se = mean_and_error(psi(y, t, said[1].numpy(), said[2].numpy(), g))
    return {"ate": float(ate), "se": float(se), "naive": float(y[t == 1].mean() - y[t == 0].mean())}


def one(arm: str, seed: int, epochs: float, small: int | None = None) -> dict[str, Any]:
    """A row: F1 of temporal pairs by document, and the effect, of one adapter."""
    torch.manual_seed(seed)
    model: Any = load("minilm")
    words = tokenizer("minilm")
    width = int(model.config.hidden_size)
    given = documents(small)
    held = {name: hold_out(ds, HELD_OUT, seed) for name, ds in given.items()}
    train = {n: tuple(d for d in ds if d.id not in held[n]) for n, ds in given.items()}
    test = [d for n, ds in given.items() for d in ds if d.id in held[n] and between(d, "temporal")]
    count = 2_000 if small is None else 60
    learnt, asked = trials(seed, count)
    tasks: list[Task] = []
    effects: list[Task] = []
    if arm != "effects":
        tasks += pair_tasks(arm, train, model, words, seed)
    if arm in ("temporal+effects", "all", "effects"):
        effects = effect_tasks(learnt, words, width)
        tasks += effects
    heads = {name: head for task in tasks for name, head in task.heads.items()}
    adapter = rw.new(model, SoRA(rank=8, target_rank=4), exclude=[POOLER], heads=heads, seed=seed)
    recipe = Recipe(epochs=epochs, lr=1e-3, batch_rows=8, weight_decay=0.01, seed=seed)
    start = time.perf_counter()
    trained = rw.fit(model, adapter, tasks, recipe, progress=sys.stderr.isatty()).adapter
    made: dict[str, Any] = {"seconds": time.perf_counter() - start, "mean_rank": trained.mean_rank}
    if effects:
        made["effect"] = effect_figures(model, trained, effects, asked, words)
    if arm != "effects":
        made["counts"] = order_counts(model, trained, words, test)
    return made


def order_counts(model: Any, adapter: Any, words: Any, test: Sequence[Document]) -> dict[str, list[int]]:
    reader = extract.Extractor.of(model, adapter, words, WINDOW)
    asked = [between(d, "temporal") for d in test]
    said = reader.ask([(d, [(r.source, r.target) for r in rs]) for d, rs in zip(test, asked, strict=True)])
    reader.close()
    found = {}
    for d, rs, answers in zip(test, asked, said, strict=True):
        labels = [TEMPORAL[int(np.argmax(answers[r.source, r.target].temporal))] for r in rs]
        s = matres_f1([r.label for r in rs], labels)
        found[d.id] = [s.found, s.predicted, s.recalled, s.gold]
    return found


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.is_file() else []


def runs(seeds: int) -> Iterator[tuple[str, int]]:
    yield from ((arm, seed) for seed in range(seeds) for arm in ARMS)


def run_all(asked: argparse.Namespace) -> None:
    mine, of = (int(x) for x in asked.share.split("/"))
    done = {(r["arm"], r["seed"], r["epochs"]) for r in rows()}
    for number, (arm, seed) in enumerate(r for r in runs(asked.seeds) if asked.only in r[0]):
        if number % of == mine and (arm, seed, asked.epochs) not in done:
            print(arm, seed, file=sys.stderr, flush=True)
            row = {"arm": arm, "seed": seed, "epochs": asked.epochs} | one(arm, seed, asked.epochs)
            ROOT.mkdir(parents=True, exist_ok=True)
            with ROWS.open("a") as out:
                out.write(json.dumps(row | {"versions": versions(), "machine": machine()}) + "\n")


def f1(row: dict[str, Any]) -> float:
    return total(Score(*c) for c in row["counts"].values()).f1


def error(row: dict[str, Any]) -> float:
    """Distance of the estimate from the truth, as a share of the naive one's."""
    return abs(row["effect"]["ate"] - TRUE) / abs(row["effect"]["naive"] - TRUE)


def compared(found: list[dict[str, Any]], field: str, measure: Any) -> list[str]:
    """Differences of two arms over the seeds that both have, with Student's interval."""
    lines = []
    for first, second in PAIRED:
        mine, theirs = ({r["seed"]: measure(r) for r in found if r["arm"] == a and field in r} for a in (first, second))
        seeds = sorted(mine.keys() & theirs.keys())
        if len(seeds) < 2:
            continue
        d = np.array([mine[s] - theirs[s] for s in seeds])
        half = float(student.ppf(0.975, len(d) - 1) * d.std(ddof=1) / len(d) ** 0.5)
        low, high = d.mean() - half, d.mean() + half
        lines.append(f"| {first} less {second} | {d.mean():+.3f} | {low:+.3f} to {high:+.3f} | {len(d)} |")
    return lines


def table(found: list[dict[str, Any]]) -> str:
    passes = ", ".join(sorted({f"{r['epochs']:g}" for r in found}))
    lines = [
        "# One adapter for several questions",
        "",
        f"SoRA on MiniLM, mean rank 4, {passes} pass(es), `benchmarks/joint_heads.py`; rows: rows.jsonl.",
        "An error of the effect of 1 is that of the difference of means. A difference whose interval holds 0 is none.",
        "",
        "| arm | F1 of order, mean | error of the effect | seeds |",
        "|---|---|---|---|",
    ]
    for arm in ARMS:
        mine = [r for r in found if r["arm"] == arm]
        scores, errors = [f1(r) for r in mine if "counts" in r], [error(r) for r in mine if "effect" in r]
        cells = [f"{np.mean(v):.3f}" if v else "–" for v in (scores, errors)]
        lines.append(f"| {arm} | {cells[0]} | {cells[1]} | {len(mine)} |")
    head = ["", "| paired by seed | difference | 95 % | seeds |", "|---|---|---|---|"]
    lines += ["", "F1 of the order of events (documents held out):", *head, *compared(found, "counts", f1)]
    lines += ["", "Error of the effect, as a share of the naive estimate's:", *head, *compared(found, "effect", error)]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--only", default="", help="arms whose name has this in it")
    parser.add_argument("--share", default="0/1", help="this process's part of the runs, such as 0/2")
    asked = parser.parse_args()
    if asked.what == "run":
        run_all(asked)
    else:
        (ROOT / "README.md").write_text(table(rows()))


if __name__ == "__main__":
    main()
