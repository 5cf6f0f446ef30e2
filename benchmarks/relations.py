"""Order of events on MATRES with MiniLM: methods, sources, and what each ingredient is worth.

    python benchmarks/relations.py run FOLDER      every run that has no row yet; FOLDER holds MATRES and its TimeML
    python benchmarks/relations.py table           results/relations/README.md from the finished rows
    python benchmarks/relations.py speed           documents a second from raw text to a page, and where the time goes
                                                   (benchmarks/timeline.py; needs no FOLDER)

FOLDER is the user's own copy (its licence lets nobody pass it on). Documents named in --without FILE are never read:
the test documents of TimeBank-Dense are TimeBank documents. Every finished run leaves one row in
results/relations/rows.jsonl, with counts for each document and no sentence; what is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import rankwise as rw
from rankwise.methods import LoRA, SoRA
from rankwise.models import load, tokenizer
from rankwise.relations import edits, extract, learn
from rankwise.relations.bootstrap import interval, paired
from rankwise.relations.corpora import read
from rankwise.relations.decode import decode
from rankwise.relations.model import Weights
from rankwise.relations.pairs import layout
from rankwise.relations.schema import TEMPORAL, Document
from rankwise.relations.score import Score, consistency, matres_f1, total
from rankwise.train.recipe import Recipe
from rankwise.train.record import machine, versions

sys.path.insert(0, str(Path(__file__).parent))
import marked_pairs

ROOT = Path(__file__).parents[1] / "results" / "relations"
ROWS, SPLIT = ROOT / "rows.jsonl", ROOT / "split.json"
METHODS = {
    "full": (None, "full"),
    "lora": (LoRA(rank=8, alpha=16.0, dropout=0.1), ()),
    "sora": (SoRA(rank=8, alpha=16.0, dropout=0.1, target_params=163_840), ()),  # under half of LoRA's numbers
}
SOLID = "lora, solid markers"  # one row a pair; the others read a window once for all its pairs
METHODS[SOLID] = METHODS["lora"]
RATES = {"full": (5e-5, 1e-4, 2e-4)} | dict.fromkeys(("lora", "sora", SOLID), (5e-4, 1e-3, 2e-3))
VIEWS = (96, 128, 192)  # tokens of the windows to learn from: an epoch asks everything three times
EPOCHS, SWEEP_EPOCHS = 1.0, 1 / 3
LOGIC = Weights(causal=0.5, symmetry=0.05, conjunction=0.02, implication=0.05)
PLAIN = Weights(causal=0.5, symmetry=0.0, conjunction=0.0, implication=0.0)
DATA = ("held", "timebank to aquaint", "aquaint to timebank")
LEFT_OUT = ("logic", "augmentation", "causal", "views", "dropout")


def runs() -> Iterator[dict[str, Any]]:
    """Every run, the most wanted first."""
    for method, rates in RATES.items():
        for rate in rates:
            yield {"data": "dev", "method": method, "seed": 0, "rate": rate, "without": ""}
    yield {"data": "held", "method": "marked pairs", "seed": 0, "rate": 5e-4, "without": ""}
    for seed in range(3):
        for method in ("lora", "sora", "full"):
            yield {"data": "held", "method": method, "seed": seed, "rate": None, "without": ""}
    for data in DATA[1:]:
        yield {"data": data, "method": "marked pairs", "seed": 0, "rate": 5e-4, "without": ""}
    for seed in range(2):
        for data in DATA:
            yield {"data": data, "method": SOLID, "seed": seed, "rate": None, "without": ""}
    for name in LEFT_OUT:
        yield {"data": "held", "method": "lora", "seed": 0, "rate": None, "without": name}
    for seed in range(3):
        for data in DATA[1:]:
            for method in ("lora", "sora", "full") if seed < 2 else ("lora", "sora"):
                yield {"data": data, "method": method, "seed": seed, "rate": None, "without": ""}


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []


def name_of(run: dict[str, Any]) -> str:
    rate = f" at {run['rate']:g}" if run["data"] == "dev" else ""
    left = f" without {run['without']}" if run["without"] else ""
    return f"{run['method']}{left}, {run['data']}{rate}, seed {run['seed']}"


def best_rate(method: str) -> float:
    """The rate with the highest F1 on documents held out of train; raises where the sweep is not done."""
    found = {r["rate"]: r["f1"] for r in rows() if r["data"] == "dev" and r["method"] == method}
    if set(found) != set(RATES[method]):
        raise SystemExit(f"the sweep of {method} is not finished")
    return max(found, key=found.__getitem__)


def split(documents: Iterable[Document]) -> dict[str, list[str]]:
    """Ids of the held-out documents and of those for the learning rates: a tenth of each source, drawn once."""
    if SPLIT.exists():
        return json.loads(SPLIT.read_text())
    found: dict[str, list[str]] = {"held": [], "dev": []}
    for source in ("timebank", "aquaint"):
        names = sorted(d.id for d in documents if d.group == source)
        random.Random(13).shuffle(names)
        n = round(len(names) / 10)
        found["held"] += names[:n]
        found["dev"] += names[n : 2 * n]
    SPLIT.parent.mkdir(parents=True, exist_ok=True)
    SPLIT.write_text(json.dumps(found, indent=1) + "\n")
    return found


def train_and_test(documents: dict[str, Document], data: str) -> tuple[list[Document], list[Document]]:
    parts = split(documents.values())
    if " to " in data:
        source, target = data.split(" to ")
        return [[d for d in documents.values() if d.group == s] for s in (source, target)]  # type: ignore[return-value]
    away = set(parts["held"]) | (set(parts["dev"]) if data == "dev" else set())
    return [d for n, d in documents.items() if n not in away], [
        documents[n] for n in parts["held" if data == "held" else data]
    ]


def parts_of(train: list[Document], without: str, seed: int) -> list[learn.Part]:
    """MATRES, its certain edits, and a corpus of causes."""
    found = [learn.Part("matres", tuple(train))]
    if without != "augmentation" and (more := edits.augment(train, seed)):
        found.append(learn.Part("edits", tuple(more)))
    if without != "causal":
        found.append(learn.Part("because", read("because").documents))
    return found


def said(
    run: dict[str, Any], train: list[Document], test: list[Document]
) -> tuple[list[dict[tuple[str, str], Any]], dict[str, Any]]:
    """Probabilities of every annotated pair of the test documents, and how it was trained."""
    how, whole = METHODS[run["method"]]
    if run["without"] == "dropout":
        how = replace(how, dropout=0.0)
    rate = run["rate"] or best_rate(run["method"])
    torch.manual_seed(run["seed"])
    less = {"attention_probs_dropout_prob": 0.0} if run["without"] == "dropout" else {}
    model, words = load("minilm", **less), tokenizer("minilm")
    width = int(model.config.hidden_size)
    weights = PLAIN if run["without"] == "logic" else LOGIC
    markers, batch = ("solid", 32) if run["method"] == SOLID else ("levitated", 5)  # rows: of pairs, or of windows
    tasks = learn.tasks(
        parts_of(train, run["without"], run["seed"]),
        [layout(model, words, size, markers) for size in (VIEWS if run["without"] != "views" else VIEWS[1:2])],
        width,
        weights,
        seed=run["seed"],
    )
    heads = {name: head for task in tasks for name, head in task.heads.items()}
    adapter = rw.new(model, how, exclude=["pooler.dense"], whole=whole, heads=heads, seed=run["seed"])
    epochs = (SWEEP_EPOCHS if run["data"] == "dev" else EPOCHS) * (3 if run["without"] == "views" else 1)
    recipe = Recipe(epochs=epochs, lr=rate, head_lr=1e-3, batch_rows=batch, weight_decay=0.01, seed=run["seed"])
    start = time.perf_counter()
    result = rw.fit(model, adapter, tasks, recipe, progress=sys.stderr.isatty())
    seconds = time.perf_counter() - start
    reader = extract.Extractor.of(model, result.adapter, words, markers=markers)
    asked = reader.ask([(d, [(r.source, r.target) for r in d.relations]) for d in test])
    reader.close()
    return [{pair: s.temporal for pair, s in each.items()} for each in asked], {
        "rate": rate,
        "seconds": seconds,
        "numbers": result.adapter.size + result.adapter.whole_size,
        "factors": result.adapter.size,
        "mean_rank": result.adapter.mean_rank,
        "recipe": recipe.to_dict(),
        "weights": vars(weights),
    }


def tested(test: list[Document], scores: list[dict[tuple[str, str], Any]]) -> dict[str, Any]:
    """F1 of the pairs one by one and of the decoded graph, counts by document, and what is inconsistent."""
    local, whole, changed = {}, {}, 0
    broken = triples = still = 0
    for d, said in zip(test, scores, strict=True):
        gold = [r.label for r in d.relations]
        first = [TEMPORAL[int(np.argmax(said[r.source, r.target]))] for r in d.relations]
        local[d.id] = matres_f1(gold, first)
        before = consistency([replace(r, label=label) for r, label in zip(d.relations, first, strict=True)])
        broken, triples = broken + before.broken, triples + before.triples
        decoded = decode({pair: extract.log(p) for pair, p in said.items()}, events=[e.id for e in d.events])
        still, changed = still + decoded.violated, changed + len(decoded.changed)
        whole[d.id] = matres_f1(gold, [decoded.labels[r.source, r.target] for r in d.relations])
    return {
        "f1": total(local.values()).f1,
        "precision": total(local.values()).precision,
        "recall": total(local.values()).recall,
        "decoded_f1": total(whole.values()).f1,
        "broken": broken,
        "triples": triples,
        "broken_after": still,
        "changed": changed,
        "counts": {n: [s.found, s.predicted, s.recalled, s.gold] for n, s in local.items()},
        "decoded_counts": {n: [s.found, s.predicted, s.recalled, s.gold] for n, s in whole.items()},
    }


def run_all(folder: Path, without: Path | None, only: str, share: str) -> None:
    drop = without.read_text().split() if without else []
    documents = {d.id: d for d in read("matres", folder, without=drop)}
    mine, of = (int(x) for x in share.split("/"))
    wanted = [r for r in runs() if only in name_of(r)]
    for number, run in enumerate(wanted):
        if number % of != mine or name_of(run) in {r["name"] for r in rows()}:
            continue
        print(name_of(run), file=sys.stderr, flush=True)
        train, test = train_and_test(documents, run["data"])
        by_hand = run["method"] == "marked pairs"
        scores, more = marked_pairs.run(train, test, run["seed"]) if by_hand else said(run, train, test)
        row = (
            run | {"name": name_of(run)} | tested(test, scores) | more | {"versions": versions(), "machine": machine()}
        )
        ROOT.mkdir(parents=True, exist_ok=True)
        with ROWS.open("a") as out:
            out.write(json.dumps(row) + "\n")
        print(f"  F1 {100 * row['f1']:.1f}, decoded {100 * row['decoded_f1']:.1f}", file=sys.stderr, flush=True)


def scores_of(row: dict[str, Any], field: str) -> list[Score]:
    return [Score(*row[field][n]) for n in sorted(row[field])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table", "speed"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--without", type=Path, help="file with ids of documents that are never read")
    parser.add_argument("--only", default="", help="runs whose name has this in it")
    parser.add_argument("--share", default="0/1", help="this process's part of the runs, such as 0/2")
    given = parser.parse_args()
    if given.what == "run":
        if given.folder is None:
            parser.error("run needs FOLDER, which holds MATRES and its TimeML")
        run_all(given.folder, given.without, given.only, given.share)
    elif given.what == "speed":
        import timeline

        timeline.main()
    else:
        import relations_table

        done = {r["name"] for r in rows()}
        missing = [name_of(run) for run in runs() if name_of(run) not in done]
        made = relations_table.table(rows(), interval, paired, scores_of, missing)
        (ROOT / "README.md").write_text(made + (ROOT / "TRIED.md").read_text())


if __name__ == "__main__":
    main()
