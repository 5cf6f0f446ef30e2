"""Methods side by side on the embedded sentence-polarity corpus, with MiniLM.

    python benchmarks/polarity.py sweep      learning rates, every method alike, scored on a tenth of train
    python benchmarks/polarity.py final      the best rate of each and the next lower, three seeds, on the test split
    python benchmarks/polarity.py table      results/polarity/README.md from the finished rows

Every finished run leaves one row in results/polarity/rows.jsonl; a run whose row is there is not repeated, so a
stopped benchmark goes on where it was. Several processes may share the work: --share 0/2 and --share 1/2.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

import rankwise as rw
from rankwise import data, models
from rankwise.methods import LoRA, SoRA
from rankwise.tasks.table import Columns, labels_of, split, table_of
from rankwise.tasks.text import rows_of, text_task
from rankwise.train.evaluate import evaluate
from rankwise.train.loop import fit
from rankwise.train.recipe import Recipe
from rankwise.train.record import machine, versions

ROOT = Path(__file__).parents[1] / "results" / "polarity"
ROWS = ROOT / "rows.jsonl"
METHODS = {  # name -> (method, whole)
    "head": (None, "head"),
    "bitfit": (None, "bitfit"),
    "full": (None, "full"),
    "lora r=8": (LoRA(rank=8), ()),
    "lora r=4": (LoRA(rank=4, alpha=8.0), ()),
    "sora 8 to 4": (SoRA(rank=8, target_rank=4), ()),
    "sora 8 to 2": (SoRA(rank=8, target_rank=2), ()),
    "sora gate 8 to 4": (SoRA(rank=8, target_rank=4, measure="gate"), ()),
}
RATES = {
    "head": (3e-3, 1e-2, 3e-2),
    "bitfit": (1e-3, 3e-3, 1e-2),
    "full": (3e-5, 1e-4, 3e-4),
    "lora r=8": (5e-4, 1e-3, 2e-3, 4e-3, 8e-3),
    "sora 8 to 4": (5e-4, 1e-3, 2e-3, 4e-3, 8e-3),
}
RATE_OF = {"lora r=4": "lora r=8", "sora 8 to 2": "sora 8 to 4", "sora gate 8 to 4": "sora 8 to 4"}
SEEDS = (0, 1, 2)
EPOCHS = {"sweep": 0.5, "final": 1.0}


def rows() -> list[dict]:
    return [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []


def key(row: dict) -> tuple:
    return row["phase"], row["method"], row["lr"], row["seed"]


def tasks(tokenizer, phase: str):
    """(task, rows to score): the sweep never sees dev or test."""
    tables = {}
    for name in data.SPLITS:
        text, label = data.sentence_polarity(name)
        tables[name] = table_of({"text": text, "label": label}, Columns(label="label"))
    names = labels_of(tables["train"])
    if phase == "sweep":
        train, held = split(tables["train"], 0.1, seed=2005)
    else:
        train, held = tables["train"], tables["test"]
    task = text_task(train, None, names, tokenizer, 384, name="polarity", max_length=64)
    return task, rows_of(held, names, tokenizer, 64)


def one(model, task, held, phase: str, name: str, lr: float, seed: int) -> dict:
    method, whole = METHODS[name]
    recipe = Recipe(epochs=EPOCHS[phase], lr=lr, batch_rows=32, max_length=64, seed=seed, precision="fp32")
    # the pooler is left out: our head reads the hidden states, so that it would get no gradient
    adapter = rw.new(model, method, exclude=["pooler.dense"], whole=whole, heads={"polarity": task.head}, seed=seed)
    began = time.perf_counter()
    result = fit(model, adapter, task, recipe)
    seconds = time.perf_counter() - began
    scores = evaluate(model, result.adapter, task, held)
    return {
        "phase": phase,
        "method": name,
        "lr": lr,
        "seed": seed,
        "accuracy": scores.value,
        "interval": [scores.low, scores.high],
        "n": scores.n,
        "loss": scores.loss,
        "trained": adapter.stored + adapter.whole_size,
        "kept": result.adapter.size + result.adapter.whole_size,
        "mean_rank": result.adapter.mean_rank,
        "ranks": result.adapter.ranks,
        "seconds": round(seconds, 1),
        "threads": torch.get_num_threads(),
        "recipe": recipe.to_dict(),
        "versions": versions(),
        "machine": machine(),
    }


def best_rate(done: list[dict], name: str) -> float | None:
    swept = [r for r in done if r["phase"] == "sweep" and r["method"] == RATE_OF.get(name, name)]
    full = RATES[RATE_OF.get(name, name)]
    return max(swept, key=lambda r: r["accuracy"])["lr"] if len(swept) == len(full) else None


def planned(phase: str, done: list[dict]) -> list[tuple]:
    if phase == "sweep":
        return [("sweep", m, lr, 0) for m, rates in RATES.items() for lr in rates]
    return [("final", m, lr, s) for m in METHODS for lr in final_rates(done, m) for s in SEEDS]


def final_rates(done: list[dict], name: str) -> list[float]:
    """The best rate of the sweep, and the next lower one: the sweep has one seed, and the best may be unstable."""
    best = best_rate(done, name)
    grid = RATES[RATE_OF.get(name, name)]
    return [] if best is None else [best, *grid[max(grid.index(best) - 1, 0) : grid.index(best)]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phase", choices=("sweep", "final", "table"))
    parser.add_argument("--share", default="0/1", help="i/n: this process takes every n-th run, from the i-th")
    parser.add_argument("--only", help="methods whose name contains this")
    asked = parser.parse_args()
    ROOT.mkdir(parents=True, exist_ok=True)
    if asked.phase == "table":
        (ROOT / "README.md").write_text(table(rows()))
        return
    part, parts = map(int, asked.share.split("/"))
    model, tokenizer = models.load("minilm"), models.tokenizer("minilm")
    task, held = tasks(tokenizer, asked.phase)
    for plan in planned(asked.phase, rows())[part::parts]:
        if asked.only and asked.only not in plan[1]:
            continue
        if plan in {key(r) for r in rows()}:
            continue
        row = one(model, task, held, *plan)
        with ROWS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(*plan, f"{row['accuracy']:.4f}", f"rank {row['mean_rank']:.2f}", f"{row['seconds']} s", file=sys.stderr)


def table(done: list[dict]) -> str:
    """The committed page: the sweep, then means over seeds with their range."""
    lines = [
        "# Sentence polarity, MiniLM: methods side by side",
        "",
        "Written by `python benchmarks/polarity.py table` from `rows.jsonl` (recipe and versions are in every row).",
        "Batch 32, 64 tokens, AdamW, float32. The sweep trains half an epoch on nine tenths of the training split",
        "and scores on the tenth left; the final runs train one epoch on all of it and score on the test split.",
        "Seconds are of shared, noisy machines: for speed see `../step`.",
        "",
        "## Learning rates (accuracy on the held-out tenth of train, seed 0)",
        "",
        "| method | rate: accuracy |",
        "|---|---|",
    ]
    for name in RATES:
        swept = sorted((r for r in done if r["phase"] == "sweep" and r["method"] == name), key=lambda r: r["lr"])
        if swept:
            lines.append(f"| {name} | " + ", ".join(f"{r['lr']:g}: {100 * r['accuracy']:.1f}" for r in swept) + " |")
    lines += [
        "",
        "## Test split (1,066 sentences; one seed's 95 % interval is about +-2.2)",
        "",
        "| method | rate | numbers trained | kept | mean rank | accuracy, mean over seeds | each seed |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in METHODS:
        runs = [r for r in done if r["phase"] == "final" and r["method"] == name]
        for rate in sorted({r["lr"] for r in runs}):
            final = [r for r in runs if r["lr"] == rate]
            scores = [100 * r["accuracy"] for r in final]
            each = ", ".join(f"{s:.1f}" for s in scores)
            kept = statistics.mean(r["kept"] for r in final)
            rank = statistics.mean(r["mean_rank"] for r in final)
            lines.append(
                f"| {name} | {final[0]['lr']:g} | {final[0]['trained']:,} | {kept:,.0f} | {rank:.2f} "
                f"| {statistics.mean(scores):.1f} | {each} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
