"""The committed table of benchmarks/relations.py, from its rows."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

Row = dict[str, Any]
COLUMNS = ("data", "method", "seeds", "F1", "each seed", "95 %", "decoded F1", "broken triples before, after")
COLUMNS += ("numbers", "mean rank", "minutes")
PEERS = {"marked pairs": (), "lora": ("marked pairs",), "lora, solid markers": ("marked pairs", "lora")}
"""What each method is compared with; the others with "lora"."""


def table(
    rows: list[Row],
    interval: Callable[..., Any],
    paired: Callable[..., Any],
    scores_of: Callable[..., Any],
    missing: list[str],
) -> str:
    """Markdown. missing: names of runs that have no row yet."""
    done = [r for r in rows if r["data"] != "dev"]
    lines = [
        "# Order of events on MATRES, MiniLM",
        "",
        "Written by `python benchmarks/relations.py table` from rows.jsonl. F1 is MATRES's micro-F1: VAGUE is a class",
        "whose gold rows cost precision. Held: a tenth of the documents of each source (split.json); the other two",
        "train on one newspaper corpus and test on the other. There is no Platinum here; the nine test documents of",
        "TimeBank-Dense were never read. Mean over seeds; the interval is a bootstrap by document of the first seed.",
        "Marked pairs (PEFT, by hand) and solid markers read one row a pair; the others ask every pair of a window in",
        "one row. All but marked pairs learn from windows of three sizes, an epoch of which is three passes. Minutes",
        "are of one thread on a loaded machine.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + "---|" * len(COLUMNS),
    ]
    lines += [_line(group, interval, scores_of) for group in _groups(done)]
    lines += [
        "",
        "## Differences",
        "",
        "F1 points, paired by document over the seeds (their number); p from a paired bootstrap.",
        "",
    ]
    lines += ["| data | first | second | difference | 95 % | p |", "|---|---|---|---|---|---|"]
    lines += list(_differences(done, paired, scores_of))
    lines += [
        "",
        "## Learning rates",
        "",
        "One seed, a third of an epoch (one pass), on a tenth of the training documents of each source. SoRA's ran",
        "with a slightly larger budget than its rows above, as the numbers show.",
        "",
    ]
    lines += ["| method | rate | F1 | numbers |", "|---|---|---|---|"]
    dev = [r for r in rows if r["data"] == "dev"]
    lines += [f"| {r['method']} | {r['rate']:g} | {100 * r['f1']:.1f} | {r['numbers']:,} |" for r in dev]
    if missing:
        lines += ["", "## Not run yet", "", "; ".join(missing) + "."]
    return "\n".join(lines) + "\n"


def _groups(rows: Iterable[Row]) -> list[list[Row]]:
    found = defaultdict(list)
    for r in rows:
        found[r["data"], r["method"], r["without"]].append(r)
    return list(found.values())


def _line(group: list[Row], interval: Callable[..., Any], scores_of: Callable[..., Any]) -> str:
    group = sorted(group, key=lambda r: r["seed"])
    r = group[0]
    mean = statistics.mean(100 * g["f1"] for g in group)
    around = interval(scores_of(r, "counts"))
    decoded = statistics.mean(100 * g["decoded_f1"] for g in group)
    each = " ".join(f"{100 * g['f1']:.1f}" for g in group)
    share = f"{100 * r['broken'] / r['triples']:.1f} % of {r['triples']:,}, {r['broken_after']}"
    rank = f"{r['mean_rank']:.1f}" if r.get("mean_rank") else ""
    minutes = f"{statistics.median(g['seconds'] for g in group) / 60:.1f}"
    ends = f"{100 * around.low:.1f} to {100 * around.high:.1f}"
    cells = [r["data"], _name(r), len(group), f"**{mean:.1f}**", each, ends, f"{decoded:.1f}", share]
    return "| " + " | ".join(map(str, [*cells, f"{r['numbers']:,}", rank, minutes])) + " |"


def _differences(rows: list[Row], paired: Callable[..., Any], scores_of: Callable[..., Any]) -> Iterable[str]:
    groups = {(r["data"], _name(r)): [] for r in rows}
    for r in sorted(rows, key=lambda r: r["seed"]):
        groups[r["data"], _name(r)].append(r)
    against = [(key, peer) for key in groups for peer in PEERS.get(key[1], ("lora",))]
    for (data, name), peer in against:
        mine, other = groups[data, name], groups.get((data, peer))
        if not other:
            continue
        if len(other) > 1:  # an ablation's one seed against the same seed of the whole recipe
            n = min(len(mine), len(other))
            mine, other = mine[:n], other[:n]
        first, second = (_summed(part, scores_of, max(len(mine), len(other))) for part in (mine, other))
        d = paired(first, second)
        p = f"{100 * d.value:+.1f} | {100 * d.low:+.1f} to {100 * d.high:+.1f} | {d.p:.3f}"
        yield f"| {data} | {name} ({len(mine)}) | {_name(other[0])} ({len(other)}) | {p} |"


def _name(r: Row) -> str:
    return r["method"] + (f", no {r['without']}" if r["without"] else "")


def _summed(group: list[Row], scores_of: Callable[..., Any], times: int) -> list[Any]:
    """Counts of each document over the seeds; one seed against several counts as often as those."""
    repeated = group * (times // len(group))
    return [sum(each[1:], each[0]) for each in zip(*(scores_of(r, "counts") for r in repeated), strict=True)]
