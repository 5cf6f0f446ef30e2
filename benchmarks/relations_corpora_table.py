"""The table of the other corpora from the rows of their folds: called by relations_corpora.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from relations_corpora import RATE

from rankwise.relations.bootstrap import interval
from rankwise.relations.score import Score

PUBLISHED = {
    "tb-dense": "Vashishtha 2019 56.6, EventPlus 64.5, ECONET 66.8, TIMERS 67.8 (test documents; larger encoders)",
    "eventstoryline within sentences": "BERT-base 45.6",
    "eventstoryline": "RichGCN 55.2 / 42.2 / 46.6; ICCL 70.4 / 61.3 / 64.2 (intra / cross / all)",
    "causal-timebank": "BERT-base 43.5, ERGO 61.7, ICCL 65.4 (intra, ten folds)",
    "meantime": "none by topic that we know of",
}


WHOLE = {
    "tb-dense": 3,
    "meantime": 4,
    "causal-timebank": 5,
    "eventstoryline within sentences": 5,
    "eventstoryline": 5,
}  # runs of each


def missing(found: list[dict[str, Any]]) -> str:
    """What of the whole is not run yet."""
    some = {corpus: sum(row["name"].startswith(f"{corpus},") for row in found) for corpus in WHOLE}
    less = [f"{corpus} {n} of {WHOLE[corpus]} runs" for corpus, n in some.items() if n < WHOLE[corpus]]
    return f"\n**Not whole yet**: {', '.join(less)}.\n" if less else ""


ABOUT = """
LoRA r = 8 on MiniLM, learning rate {rate:g} throughout, one recipe for all; {minutes:.0f} minutes on one thread.
TB-Dense: mean of three seeds (each in brackets) on its five development documents; nothing was chosen on them.
Causal F1 is undirected unless it says so, every pair of events in scope being judged; the threshold was chosen
for the F1 of all of them, on documents of neither train nor test. In "eventstoryline" it is one for pairs within
and across sentences, of which three in four are across, and finds too few within: a model and a threshold of
their own have them in "within sentences". Intervals by bootstrap over documents. Published rows are from the
papers, with encoders of four to fifteen times the size.

`python benchmarks/relations_corpora.py run FOLDER`, then `table`. Rows: rows.jsonl.
"""


def line(corpus: str, protocol: str, precision: float, recall: float, f1: str, gold: int, published: str = "") -> str:
    return f"| {corpus} | {protocol} | {100 * precision:.1f} | {100 * recall:.1f} | {f1} | {gold} | {published} |"


def counted(corpus: str, protocol: str, mine: list[dict[str, Any]], published: str) -> str:
    """One protocol over all folds together; TB-Dense, whose runs are seeds on the same documents, as a mean."""
    scores = [[Score(*c) for c in row["counts"][protocol].values()] for row in mine]
    if corpus == "tb-dense":
        each = [sum(some, Score()) for some in scores]
        p, r, f = (float(np.mean([getattr(v, n) for v in each])) for n in ("precision", "recall", "f1"))
        f1 = f"{100 * f:.1f} ({', '.join(f'{100 * v.f1:.1f}' for v in each)})"
        return line(corpus, protocol, p, r, f1, each[0].gold, published)
    flat = [score for some in scores for score in some]
    s, around = sum(flat, Score()), interval(flat)
    f1 = f"{100 * s.f1:.1f} ({100 * around.low:.1f} to {100 * around.high:.1f})"
    return line(corpus, protocol, s.precision, s.recall, f1, s.gold, published)


def measured(row: dict[str, Any]) -> Iterator[str]:
    for kind in ("temporal", "decoded", "causal", "events"):
        if v := row["measured"].get(kind):
            around = f" ({100 * v['low']:.1f} to {100 * v['high']:.1f})" if "low" in v else ""
            yield line(row["name"], kind, v["precision"], v["recall"], f"{100 * v['f1']:.1f}{around}", v["gold"])


def table(found: list[dict[str, Any]]) -> str:
    """One line a corpus and protocol."""
    lines = ["| corpus | protocol | P | R | F1 (95 %) | gold | published, F1 |", "|---|---|---|---|---|---|---|"]
    for corpus, published in PUBLISHED.items():
        mine = [row for row in found if row["name"].startswith(f"{corpus},")]
        for protocol in dict.fromkeys(p for row in mine for p in row.get("counts", {})):
            lines.append(counted(corpus, protocol, mine, published))
            published = ""
        lines += [text for row in mine if "measured" in row for text in measured(row)]
    about = ABOUT.format(rate=RATE, minutes=sum(row["whole_seconds"] for row in found) / 60)
    return "\n".join(["# Other corpora: order and cause, each in its own protocol", "", *lines, missing(found) + about])
