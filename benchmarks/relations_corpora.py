"""TB-Dense, EventStoryLine, Causal-TimeBank and MEANTIME: one recipe, each corpus in its own protocol.

    python benchmarks/relations_corpora.py run FOLDER     FOLDER holds eventstoryline, causal-timebank, tb-dense, and
                                                          matres-tempeval3 for the texts of TB-Dense
    python benchmarks/relations_corpora.py table          results/relations_corpora/README.md from the finished folds

TB-Dense: train on its training documents, judged on its development documents; its test documents are never read.
EventStoryLine v0.9: five folds of topics; topics 37 and 41, as in the literature, choose the threshold alone. Once
with all pairs of a document, once with those within a sentence alone, as rows of the literature called "intra" are.
Causal-TimeBank: five folds of documents, pairs within a sentence; a tenth of train chooses the threshold.
MEANTIME: each of its four topics in turn. Every finished fold leaves a row with counts and no sentence.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import rankwise as rw
from rankwise.methods import LoRA
from rankwise.models import load, tokenizer
from rankwise.relations import extract, learn
from rankwise.relations.corpora import read
from rankwise.relations.corpora.tbdense import NAMES
from rankwise.relations.measure import between, measure
from rankwise.relations.model import Said, Weights
from rankwise.relations.pairs import Ends, layout, rows
from rankwise.relations.schema import CAUSAL, Document, Relation
from rankwise.relations.score import Score, causal_f1, tb_dense_f1
from rankwise.train.evaluate import predict
from rankwise.train.recipe import Recipe
from rankwise.train.record import machine, versions
from rankwise.train.task import Task

ROOT = Path(__file__).parents[1] / "results" / "relations_corpora"
ROWS = ROOT / "rows.jsonl"
LORA = LoRA(rank=8, alpha=16.0)
RATE, WINDOW, WINDOWS, FOLDS, FAR = 1e-3, 128, (96, 128, 192), 5, 1000
WEIGHTS = Weights(causal=1.0, symmetry=0.05, conjunction=0.02, implication=0.05)
SIX = tuple(NAMES.values())
TURNED = {**{name: name for name in SIX}, "BEFORE": "AFTER", "AFTER": "BEFORE", "INCLUDES": "IS_INCLUDED"}
TURNED["IS_INCLUDED"] = "INCLUDES"
NEAR_EPOCHS = 1.0
"""Of pairs within a sentence; an epoch asks everything in windows of three sizes."""
Counts = dict[str, dict[str, list[int]]]  # protocol -> document -> found, predicted, recalled, gold


def recipe(epochs: float, seed: int = 0) -> Recipe:
    return Recipe(epochs=epochs, lr=RATE, head_lr=RATE, batch_rows=5, weight_decay=0.01, seed=seed)


def kept(score: Score) -> list[int]:
    return [score.found, score.predicted, score.recalled, score.gold]


def folds(names: Sequence[str], n: int) -> list[list[str]]:
    order = sorted(names)
    random.Random(13).shuffle(order)
    return [order[k::n] for k in range(n)]


def fitted(parts: list[learn.Part], epochs: float) -> tuple[extract.Extractor, Any]:
    """An extractor trained on these parts, attached."""
    torch.manual_seed(0)
    model, words = load("minilm"), tokenizer("minilm")
    tasks = learn.tasks(parts, [layout(model, words, w) for w in WINDOWS], int(model.config.hidden_size), WEIGHTS)
    heads = {name: head for task in tasks for name, head in task.heads.items()}
    adapter = rw.new(model, LORA, exclude=["pooler.dense"], heads=heads, seed=0)
    result = rw.fit(model, adapter, tasks, recipe(epochs), progress=sys.stderr.isatty())
    return extract.Extractor.of(model, result.adapter, words, WINDOW), result


def six_task(documents: Sequence[Document], how: Any, hidden: int) -> Task:
    """Pairs of events in the order of the text with TB-Dense's six labels."""
    made = []
    for d in documents:
        labels = {}
        for r in between(d, "temporal"):
            pair = learn.oriented(d, (r.source, r.target))
            name = r.original if pair[0] == r.source else TURNED[r.original]
            labels[pair] = SIX.index(name)
        made += rows(d, labels, how, labels)
    head = rw.Head("pairs", SIX, hidden=hidden, layers=(hidden,), dropout=0.1)
    return Task("tb-dense", head, made)


def tb_dense(folder: Path) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    def run(seed: int) -> dict[str, Any]:
        texts = folder / "matres-tempeval3"
        train, dev = (read("tb-dense", folder / "tb-dense", texts=texts, split=s).documents for s in ("train", "dev"))
        torch.manual_seed(seed)
        model, words = load("minilm"), tokenizer("minilm")
        how, hidden = layout(model, words, WINDOW), int(model.config.hidden_size)
        test = six_task(dev, how, hidden).train
        views = [six_task(train, layout(model, words, w), hidden) for w in WINDOWS]
        task = replace(views[0], train=[row for view in views for row in view.train])
        adapter = rw.new(model, LORA, exclude=["pooler.dense"], heads={task.name: task.head}, seed=seed)
        result = rw.fit(model, adapter, [task], recipe(3, seed), progress=sys.stderr.isatty())
        counts: Counts = {"all six labels": {}, "without VAGUE": {}}
        said = predict(model, result.adapter, task, test, batch_rows=8)
        labels: dict[str, tuple[list[str], list[str]]] = {}
        for row, logits in zip(test, said, strict=True):
            gold, mine = labels.setdefault(row.meta[0], ([], []))
            gold += [SIX[k] for k in row.label]
            mine += [SIX[int(k)] for k in logits.argmax(-1)[: len(row.label)]]
        for name, (gold, mine) in labels.items():
            counts["all six labels"][name] = kept(tb_dense_f1(gold, mine))
            counts["without VAGUE"][name] = kept(tb_dense_f1(gold, mine, vague=False))
        return {"counts": counts, "train": len(train), "seconds": result.seconds}

    for seed in range(3):
        yield f"tb-dense, dev, seed {seed}", lambda seed=seed: run(seed)


def causes(said: dict[Ends, Said], threshold: float) -> list[Relation]:
    """Pairs whose probability of a cause, either way round, reaches the threshold."""
    found = []
    for (a, b), s in said.items():
        if 1 - s.causal[0] >= threshold:
            found.append(Relation(a, b, CAUSAL[1 + int(np.argmax(s.causal[1:]))], "causal"))
    return found


def causal_fold(
    train: list[Document], tune: list[Document], test: list[Document], name: str, reach: int, epochs: float
) -> Any:
    """Train, choose the threshold of undirected F1 on `tune`, count on `test`."""
    parts = [
        learn.Part(name, tuple(train), negatives=1e6, reach=reach),
        learn.Part("because", read("because").documents),
    ]
    reader, result = fitted(parts, epochs)
    said = [reader.ask([(d, learn.candidates(d, reach)) for d in some]) for some in (tune, test)]
    reader.close()
    scope = "intra" if reach == 0 else "all"

    def f1(threshold: float) -> float:
        each = zip(tune, said[0], strict=True)
        return sum((causal_f1(d, causes(s, threshold), scope=scope, directed=False) for d, s in each), Score()).f1

    threshold = max(np.linspace(0.05, 0.95, 19), key=f1)
    counts: Counts = {}
    for part in ("intra",) if reach == 0 else ("intra", "inter", "all"):
        for directed in (False, True):
            counts[part + (", directed" if directed else "")] = {
                d.id: kept(causal_f1(d, causes(s, threshold), scope=part, directed=directed))
                for d, s in zip(test, said[1], strict=True)
            }
    return {"counts": counts, "train": len(train), "seconds": result.seconds, "threshold": float(threshold)}


def eventstoryline(folder: Path) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    documents = read("eventstoryline", folder / "eventstoryline").documents
    tune = [d for d in documents if d.group in ("37", "41")]
    topics = sorted({d.group for d in documents} - {"37", "41"})
    for name, reach, epochs in (("eventstoryline within sentences", 0, NEAR_EPOCHS), ("eventstoryline", FAR, 1 / 3)):
        for number, held in enumerate(folds(topics, FOLDS)):
            test = [d for d in documents if d.group in held]
            train = [d for d in documents if d.group in topics and d.group not in held]
            run = partial(causal_fold, train, tune, test, "eventstoryline", reach, epochs)
            yield f"{name}, fold {number}", run


def causal_timebank(folder: Path) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    held_out = (folder / "tb-dense" / "HELD_OUT.txt").read_text().split()
    documents = {d.id: d for d in read("causal-timebank", folder / "causal-timebank") if d.id not in held_out}
    parts = folds(list(documents), FOLDS)
    for number, held in enumerate(parts):
        rest = sorted(set(documents) - set(held))
        random.Random(number).shuffle(rest)
        tune = rest[: len(rest) // 10]
        split = [[documents[n] for n in names] for names in (rest[len(tune) :], tune, held)]
        yield f"causal-timebank, fold {number}", partial(causal_fold, *split, "causal-timebank", 0, NEAR_EPOCHS)


def meantime(folder: Path) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    documents = read("meantime").documents

    def run(topic: str) -> dict[str, Any]:
        train = tuple(d for d in documents if d.group != topic)
        parts = [learn.Part("meantime", train, mentions=True), learn.Part("because", read("because").documents)]
        reader, result = fitted(parts, 2.0)
        found = measure(reader, [d for d in documents if d.group == topic], reach=1)
        reader.close()
        return {"measured": found, "train": len(train), "seconds": result.seconds}

    for topic in sorted({d.group for d in documents}):
        yield f"meantime, {topic}", lambda topic=topic: run(topic)


def done() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []


def run_all(folder: Path, only: str) -> None:
    for corpus in (tb_dense, meantime, causal_timebank, eventstoryline):
        for name, run in corpus(folder):
            if only not in name or name in {row["name"] for row in done()}:
                continue
            start = time.perf_counter()
            print(name, file=sys.stderr, flush=True)
            row = {"name": name} | run()
            row |= {"whole_seconds": time.perf_counter() - start, "versions": versions(), "machine": machine()}
            ROOT.mkdir(parents=True, exist_ok=True)
            with ROWS.open("a") as out:
                out.write(json.dumps(row) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--only", default="", help="runs whose name has this in it")
    given = parser.parse_args()
    if given.what == "run":
        if given.folder is None:
            parser.error("run needs FOLDER, which holds the corpora")
        run_all(given.folder, given.only)
    else:
        import relations_corpora_table

        (ROOT / "README.md").write_text(relations_corpora_table.table(done()))


if __name__ == "__main__":
    main()
