"""Learn rankwise/data/verb_order from the embedded UDS-T: python scripts/learn_verb_order.py

A logistic regression says which of two verbs starts first, from one number a lemma and one for the order of mention
(Bradley and Terry 1952, with a ridge). Train split; figures are of dev and test, where the lemmas alone are asked.
"""

from __future__ import annotations

import json
import lzma
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from sklearn.linear_model import LogisticRegression

from rankwise import data
from rankwise.causal.tense import lemma_of
from rankwise.causal.triggers import MARGIN

LEAST, PENALTY = 20, 0.05
ROOT = Path(__file__).parents[1]
Pair = tuple[str, str, int, bool]
"""Two lemmas, 1 where the first starts earlier, and whether it is mentioned first."""


def pairs(split: str) -> list[Pair]:
    """Pairs of verbs that the annotators put apart, in the mean."""
    found = []
    with lzma.open(data.folder("uds_time") / f"{split}.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            for s1, t1, s2, t2, sliders in row["pairs"]:
                sides = [row["sentences"][s][t - 1] for s, t in ((s1, t1), (s2, t2)) if t <= len(row["sentences"][s])]
                if len(sides) < 2 or not all(w[3].startswith("VB") for w in sides):
                    continue
                a, b = (lemma_of(w[0], w[3]) for w in sides)
                later = float(np.mean([np.sign(s[2] - s[0]) for s in sliders]))
                if a and b and a != b and later:
                    found.append((a, b, int(later > 0), (s1, t1) < (s2, t2)))
    return found


train, held = pairs("train"), pairs("dev") + pairs("test")
counts = Counter(lemma for p in train for lemma in p[:2])
lemmas = {lemma: i for i, lemma in enumerate(sorted(x for x, n in counts.items() if n >= LEAST))}
cells = [(i, lemmas[x], sign) for i, p in enumerate(train) for x, sign in ((p[0], 1), (p[1], -1)) if x in lemmas]
cells += [(i, len(lemmas), 1 if p[3] else -1) for i, p in enumerate(train)]
rows, columns, signs = zip(*cells, strict=True)
x = coo_matrix((signs, (rows, columns)), shape=(len(train), len(lemmas) + 1)).tocsr()
fitted = LogisticRegression(C=PENALTY, fit_intercept=False, max_iter=1000).fit(x, [p[2] for p in train]).coef_[0]
scores = {lemma: round(float(fitted[i]), 2) for lemma, i in lemmas.items()}
gaps = [(scores[p[0]] - scores[p[1]], p[2]) for p in held if p[0] in scores and p[1] in scores]
sure = [(gap > 0) == bool(y) for gap, y in gaps if abs(gap) >= MARGIN]
figures = {
    "train pairs": len(train),
    "lemmas": len(scores),
    "order of mention": round(float(fitted[-1]), 2),
    "held-out pairs": len(held),
    "share with a gap": round(len(sure) / len(held), 4),
    "right of these": round(sum(sure) / len(sure), 4),
}
packed = json.dumps(scores, indent=0, sort_keys=True) + "\n"
(ROOT / "rankwise" / "data" / "verb_order" / "verb_order.json").write_text(packed)
out = ROOT / "results" / "verb_order"
out.mkdir(parents=True, exist_ok=True)
(out / "accuracy.json").write_text(json.dumps(figures, indent=2) + "\n")
print(json.dumps(figures, indent=2))
