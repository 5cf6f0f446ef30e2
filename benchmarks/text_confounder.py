"""A text as common cause: real sentences, simulated treatment and outcome, a known effect of 1.

    python benchmarks/text_confounder.py fast --attribute length           100 replicates without adapters
    python benchmarks/text_confounder.py blocks --attribute length         the errors of these, by blocks left out
    python benchmarks/text_confounder.py trained --method lora             10 replicates with an adapter a fold
    python benchmarks/text_confounder.py told                              10 in which the text names the treatment
    python benchmarks/text_confounder.py table                             results/text_confounder/README.md

An attribute z of each sentence (standardized) makes the treatment, P(t = 1) = 1 / (1 + exp(-1.2 z)), and the outcome,
y = t + 1.5 z + N(0, 1); z itself is shown to the oracle alone. Every replicate leaves a row for each estimator in
results/text_confounder/rows.jsonl, and is not repeated where its rows are there.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from rankwise import data
from rankwise.causal.aipw import mean_and_error, split
from rankwise.causal.jackknife import BLOCKS, width
from rankwise.causal.text_adapter import RECIPE, adapter_scores, method_of
from rankwise.causal.text_encoder import Encoder
from rankwise.causal.text_nuisance import standard, words
from rankwise.causal.text_read import View, error_by_blocks, of_nuisances, read
from rankwise.train.record import machine, versions

ROOT = Path(__file__).parents[1] / "results" / "text_confounder"
ROWS = ROOT / "rows.jsonl"
EFFECT, ON_TREATMENT, ON_OUTCOME = 1.0, 1.2, 1.5
NEGATIONS = {"not", "no", "never", "nothing", "without", "neither", "nor", "none"}
ATTRIBUTES = {
    "length": "log of the number of words",
    "clipped length": "the same, cut at two deviations, so that no sentence has next to no chance of a treatment",
    "half length": "clipped length at half its strength: 0.6 z in the logit of the treatment, 0.75 z in the outcome",
    "negation": "holds not, no, never, n't and the like",
    "polarity": "the label of the corpus, which was given to the whole review",
}
SIZE = 600
FOLDS = {"fast": 5, "trained": 3, "told": 5}
NAMES = {
    "naive": "difference of means",
    "words": "bag of words",
    "sentence": "sentence embedding (mean of the last layer)",
    "frozen": "ours, frozen: four layers and words",
    "frozen by blocks": "the same, its error by leaving out 20 blocks of rows in turn",
    "lora": "ours, LoRA beside them",
    "sora": "ours, SoRA beside them",
    "lora alone": "LoRA's three heads alone",
    "sora alone": "SoRA's three heads alone",
    "by text": "frozen, propensity by the text all the same",
    "oracle": "the attribute itself",
    "oracle by blocks": "the same, its error by blocks",
}


def corpus() -> tuple[list[str], dict[str, np.ndarray]]:
    """10,662 sentences and each attribute of theirs, mean 0 and deviation 1."""
    parts = [data.sentence_polarity(split) for split in data.SPLITS]
    texts, labels = ([row for part in parts for row in part[i]] for i in (0, 1))
    said = [text.split() for text in texts]
    found = {
        "length": np.log([len(s) for s in said]),
        "negation": np.array([any(w in NEGATIONS or w.endswith("n't") for w in s) for s in said], dtype=float),
        "polarity": np.array([label == "positive" for label in labels], dtype=float),
    }
    log = found["length"]
    found["clipped length"] = np.clip(log, log.mean() - 2 * log.std(), log.mean() + 2 * log.std())
    found = {name: (z - z.mean()) / z.std() for name, z in found.items()}
    return texts, found | {"half length": found["clipped length"] / 2}


def draw(z: np.ndarray, n: int, replicate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers, treatment and outcome of one replicate."""
    rng = np.random.default_rng([replicate, 7])
    rows = rng.permutation(len(z))[:n]
    t = (rng.random(n) < 1 / (1 + np.exp(-ON_TREATMENT * z[rows]))).astype(np.int64)
    return rows, t, EFFECT * t + ON_OUTCOME * z[rows] + rng.normal(size=n)


def embedded(texts: list[str], cache: Path) -> np.ndarray:
    """[n, 4 * width] of all sentences, computed once."""
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.save(cache, Encoder.open("minilm", 64).layers(texts))
    return np.load(cache, mmap_mode="r")


class Rows:
    """What was found so far, in a file that grows by a line."""

    def __init__(self) -> None:
        ROOT.mkdir(parents=True, exist_ok=True)
        self.lines = [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []

    def there(self, part: str, attribute: str, replicate: int, method: str) -> bool:
        wanted = (part, attribute, replicate, method)
        return any((r["part"], r["attribute"], r["replicate"], r["method"]) == wanted for r in self.lines)

    def add(self, **row: object) -> None:
        self.lines.append(row)
        with ROWS.open("a") as file:
            file.write(json.dumps(row) + "\n")


def estimates(rows: Rows, facts: dict, views: dict[str, list], t, y, fold, z, **more: object) -> None:
    """A row for every estimator: name -> the views that it goes by."""
    naive = y[t == 1].mean() - y[t == 0].mean()
    error = np.sqrt(y[t == 1].var(ddof=1) / t.sum() + y[t == 0].var(ddof=1) / (1 - t).sum())
    rows.add(**facts, method="naive", ate=float(naive), se=float(error))
    for name, used in (views | {"oracle": []}).items():
        beside = z[:, None] if name == "oracle" else np.empty((len(t), 0))
        seen = read(used, t, y, fold, beside)
        _, ate, se = of_nuisances(seen.nuisances, t, y)
        rows.add(
            **facts,
            method=name,
            ate=ate,
            se=se,
            by=seen.by,
            outside=seen.text_overlap.outside,
            ok=seen.overlap.ok,
            auc=seen.auc,
            explained=seen.explained,
            **more,
        )


def fast(args: argparse.Namespace) -> None:
    """Estimators without training, on embeddings that are computed once."""
    texts, attributes = corpus()
    z = attributes[args.attribute]
    layers, rows = embedded(texts, args.cache), Rows()
    for replicate in range(args.replicates or 100):
        if rows.there("fast", args.attribute, replicate, "oracle"):
            continue
        began = time.perf_counter()
        at, t, y = draw(z, SIZE, replicate)
        fold, x = split(t, FOLDS["fast"], replicate), standard(np.asarray(layers[at]))
        bag = View.of("words", words([texts[i] for i in at]), t, y, fold)
        last = View.of("last", x[:, -x.shape[1] // 4 :], t, y, fold)
        every = View.of("layers", x, t, y, fold)
        views = {"words": [bag], "sentence": [last], "frozen": [bag, every]}
        facts = {"part": "fast", "attribute": args.attribute, "replicate": replicate, "n": len(t)}
        estimates(rows, facts, views, t, y, fold, z[at], seconds=time.perf_counter() - began)


def blocks(args: argparse.Namespace) -> None:
    """Of the fast path's replicates: the models fitted anew without each of 20 blocks of rows."""
    texts, attributes = corpus()
    z = attributes[args.attribute]
    layers, rows = embedded(texts, args.cache), Rows()
    for replicate in range(args.start, args.replicates or 100):
        if rows.there("fast", args.attribute, replicate, "oracle by blocks"):
            continue
        at, t, y = draw(z, SIZE, replicate)
        fold = split(t, FOLDS["fast"], replicate)
        bag = View.of("words", words([texts[i] for i in at]), t, y, fold)
        every = View.of("layers", standard(np.asarray(layers[at])), t, y, fold)
        facts = {"part": "fast", "attribute": args.attribute, "replicate": replicate, "n": len(t)}
        for name, views in {"frozen": [bag, every], "oracle": []}.items():
            beside = z[at, None] if name == "oracle" else np.empty((len(t), 0))
            seen = read(views, t, y, fold, beside)
            _, ate, given = of_nuisances(seen.nuisances, t, y)
            se = error_by_blocks(views, t, y, fold, beside, by=seen.by, blocks=BLOCKS, seed=replicate)
            rows.add(**facts, method=f"{name} by blocks", ate=ate, se=se, given=given, blocks=BLOCKS)


def trained(args: argparse.Namespace) -> None:
    """An adapter a fold, beside what the fast path gives on the same rows."""
    texts, attributes = corpus()
    z = attributes[args.attribute]
    layers, rows, encoder = embedded(texts, args.cache), Rows(), Encoder.open("minilm", 64)
    part = f"trained {args.method}"
    for replicate in range(args.replicates or 10):
        if rows.there(part, args.attribute, replicate, "oracle"):
            continue
        began = time.process_time()
        at, t, y = draw(z, SIZE, replicate)
        fold, own = split(t, FOLDS["trained"], replicate), [texts[i] for i in at]
        bag = View.of("words", words(own), t, y, fold)
        every = View.of("layers", standard(np.asarray(layers[at])), t, y, fold)
        recipe = replace(RECIPE, epochs=args.epochs, seed=replicate)
        adapted, adapters = adapter_scores(encoder, own, t, y, fold, method_of(args.method), recipe)
        own_heads = View(adapted)
        views = {"frozen": [bag, every], f"{args.method} alone": [own_heads], args.method: [bag, every, own_heads]}
        facts = {"part": part, "attribute": args.attribute, "replicate": replicate, "n": len(t)}
        more = {"ranks": [a.mean_rank for a in adapters], "epochs": args.epochs}
        estimates(rows, facts, views, t, y, fold, z[at], seconds=time.process_time() - began, **more)


def told(args: argparse.Namespace) -> None:
    """The text names the treatment: "at half the price :" or "at the full price :" stands before each sentence."""
    texts, attributes = corpus()
    z, rows, encoder = attributes[args.attribute], Rows(), Encoder.open("minilm", 64)
    for replicate in range(args.replicates or 10):
        if rows.there("told", args.attribute, replicate, "oracle"):
            continue
        at, t, y = draw(z, SIZE, replicate)
        fold = split(t, FOLDS["told"], replicate)
        own = [f"at {'half the' if a else 'the full'} price : {texts[i]}" for i, a in zip(at, t, strict=True)]
        views = [
            View.of("words", words(own), t, y, fold),
            View.of("layers", standard(encoder.layers(own)), t, y, fold),
        ]
        facts = {"part": "told", "attribute": args.attribute, "replicate": replicate, "n": len(t)}
        estimates(rows, facts, {"frozen": views}, t, y, fold, z[at])


def summary(lines: list[dict]) -> dict[str, dict[str, float]]:
    """method -> bias, its share of the naive one, RMSE, mean error, coverage, replicates."""
    naive = np.mean([r["ate"] - EFFECT for r in lines if r["method"] == "naive"])
    out = {}
    for name in NAMES:
        rows = [r for r in lines if r["method"] == name]
        if not rows:
            continue
        off = np.array([r["ate"] - EFFECT for r in rows])
        se = np.array([r["se"] for r in rows])
        reach = np.array([width(r.get("blocks", 0)) for r in rows])
        bias, error = mean_and_error(off) if len(off) > 1 else (float(off[0]), float("nan"))
        out[name] = {
            "replicates": len(rows),
            "bias": bias,
            "bias_error": error,
            "of_naive": abs(bias) / abs(naive),
            "rmse": float(np.sqrt((off**2).mean())),
            "se": float(se.mean()),
            "coverage": float((abs(off) <= reach * se).mean()),
            "coverage_given": float((abs(off) <= width(0) * np.array([r.get("given", r["se"]) for r in rows])).mean()),
            "by_answers": float(np.mean([r.get("by") == "expected outcomes" for r in rows])),
        }
    return out


def table(_: argparse.Namespace) -> None:
    """results/text_confounder/README.md and summary.json."""
    lines = Rows().lines
    made, text = {}, [(ROOT / "HEAD.md").read_text().rstrip()]
    for part, attribute in dict.fromkeys((r["part"], r["attribute"]) for r in lines):
        rows = [r for r in lines if (r["part"], r["attribute"]) == (part, attribute)]
        made[f"{part}, {attribute}"] = found = summary(rows)
        count, n = found["naive"]["replicates"], rows[0]["n"]
        text += ["", f"## {part}: {attribute} ({ATTRIBUTES[attribute]}), n = {n}, {count} replicates", ""]
        text += [
            "| estimator | bias | of naive | RMSE | mean SE | coverage |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, row in found.items():
            given = f" (models as given: {row['coverage_given']:.2f})" if "by blocks" in name else ""
            text.append(
                f"| {NAMES[name]} | {row['bias']:+.3f} ± {row['bias_error']:.3f} | {row['of_naive']:.1%} |"
                f" {row['rmse']:.3f} | {row['se']:.3f} | {row['coverage']:.2f}{given} |"
            )
    (ROOT / "README.md").write_text("\n".join(text) + "\n")
    facts = {"versions": versions(), "machine": machine(), "parts": made}
    (ROOT / "summary.json").write_text(json.dumps(facts, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("fast", "blocks", "trained", "told", "table"))
    parser.add_argument("--attribute", choices=tuple(ATTRIBUTES), default="length")
    parser.add_argument("--method", choices=("lora", "sora"), default="lora")
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--replicates", type=int)
    parser.add_argument("--start", type=int, default=0, help="First replicate of blocks.")
    parser.add_argument("--cache", type=Path, default=Path("out/text_confounder/layers.npy"), help="Of embeddings.")
    args = parser.parse_args()
    torch.set_num_threads(1)
    {"fast": fast, "blocks": blocks, "trained": trained, "told": told, "table": table}[args.what](args)


if __name__ == "__main__":
    main()
