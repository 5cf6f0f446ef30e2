"""Train rankwise/data/tagger on the embedded UD English EWT, and say how good it is: python scripts/train_tagger.py

Train split only; figures are of the dev and test splits. Takes two minutes on one core.
"""

from __future__ import annotations

import json
import lzma
import time
from collections import Counter
from pathlib import Path

from rankwise import data
from rankwise.causal.tagger import Tagged, pack, train, unpack, words

LEAST = 9  # weights of this size and below, of 127, are left out of the file
VERBS = ("VB", "VBD", "VBG", "VBN", "VBP", "VBZ", "MD")
ROOT = Path(__file__).parents[1]


def sentences(split: str) -> list[Tagged]:
    with lzma.open(data.folder("uds_time") / f"{split}.jsonl.xz", "rt", encoding="utf-8") as file:
        return [[(w[0], w[3]) for w in s] for line in file for s in json.loads(line)["sentences"]]


def same_words(split: str) -> tuple[int, int]:
    """Words of EWT that our own splitting of its text finds with the same edges, and all of them."""
    right = total = 0
    with lzma.open(data.folder("uds_time") / f"{split}.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in file:
            for sentence in json.loads(line)["sentences"]:
                text, gold = "", set()
                for word, space, *_ in sentence:
                    gold.add((len(text), len(text) + len(word)))
                    text += word + (" " if space else "")
                right, total = right + len(gold & set(words(text))), total + len(gold)
    return right, total


begin = time.perf_counter()
packed = pack(train(sentences("train")), LEAST)
seconds = time.perf_counter() - begin
tagger = unpack(packed)
figures = {"train words": sum(map(len, sentences("train"))), "bytes": len(packed), "features": len(tagger.rows)}
for split in ("dev", "test"):
    right, total = tagger.accuracy(sentences(split))
    counts: Counter[tuple[str, str]] = Counter()
    for sentence in sentences(split):
        counts.update(zip(tagger([w for w, _ in sentence]), [t for _, t in sentence], strict=True))
    edges = same_words(split)
    figures[split] = {
        "words": total,
        "accuracy": round(right / total, 4),
        "same edges": round(edges[0] / edges[1], 4),
        "verbs": {
            tag: {
                "precision": round(counts[tag, tag] / max(1, sum(n for (s, _), n in counts.items() if s == tag)), 4),
                "recall": round(counts[tag, tag] / max(1, sum(n for (_, g), n in counts.items() if g == tag)), 4),
                "gold": sum(n for (_, g), n in counts.items() if g == tag),
            }
            for tag in VERBS
        },
    }
target = ROOT / "rankwise" / "data" / "tagger"
target.mkdir(exist_ok=True)
(target / "tagger.json.xz").write_bytes(packed)
out = ROOT / "results" / "tagger"
out.mkdir(parents=True, exist_ok=True)
(out / "accuracy.json").write_text(json.dumps(figures, indent=2) + "\n")
print(json.dumps(figures, indent=2))
print(f"{seconds:.0f} s")
