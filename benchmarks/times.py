"""Time expressions in MEANTIME (in the package): rankwise's, and dateparser's where it is installed.

    python benchmarks/times.py      writes results/times/README.md

Judged in the annotated sentences, anchored at the article's own date. Span: both ends exact. Value: TIMEX3, of such.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from rankwise.errors import DataError
from rankwise.relations.corpora import read
from rankwise.relations.schema import Document
from rankwise.relations.score import Score
from rankwise.relations.times import checked_date, times

OUT = Path(__file__).parents[1] / "results" / "times" / "README.md"
Found = Iterable[tuple[int, int, str]]


def ours(text: str, created: str) -> Found:
    return [(t.start, t.end, t.value) for t in times(text, created)]


def dateparsers(text: str, created: str) -> Found:
    """The spans that dateparser.search gives are words; they are looked for from left to right."""
    from dateparser.search import search_dates

    settings = {"RELATIVE_BASE": datetime.fromisoformat(created), "PREFER_DATES_FROM": "past"}
    at = 0
    for words, when in search_dates(text, languages=["en"], settings=settings) or ():
        at = text.index(words, at)
        yield at, at + len(words), when.date().isoformat()
        at += len(words)


def documents() -> list[Document]:
    found = []
    for d in read("meantime"):
        try:
            checked_date(d.created)
        except DataError:
            continue
        found.append(d)
    return found


def scores(find: Callable[[str, str], Found], given: list[Document]) -> tuple[Score, Score, float]:
    spans, values, start = Score(), Score(), time.process_time()
    for d in given:
        end = (d.linked or (0, 0))[1]
        gold = {(t.start, t.end): t.value for t in d.timexes if t.end <= end}
        mine = {(a, b): v for a, b, v in find(d.text[:end], d.created)}
        hits = mine.keys() & gold.keys()
        right = sum(mine[k] == gold[k] for k in hits)
        spans += Score(len(hits), len(mine), len(hits), len(gold))
        values += Score(right, len(mine), right, len(gold))
    return spans, values, time.process_time() - start


def main() -> None:
    given, lines = documents(), ["# Time expressions in MEANTIME", ""]
    lines += ["| | span P | span R | span F1 | span and value F1 | processor seconds |", "|---|---|---|---|---|---|"]
    for name, find in (("rankwise (Recognizers-Text)", ours), ("dateparser.search", dateparsers)):
        try:
            spans, values, took = scores(find, given)
        except ImportError:
            continue
        cells = [f"{100 * x:.1f}" for x in (spans.precision, spans.recall, spans.f1, values.f1)]
        lines.append(f"| {name} | {' | '.join(cells)} | {took:.1f} |")
        print(lines[-1])
    lines += ["", f"{len(given)} articles with a date; `python benchmarks/times.py`."]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
