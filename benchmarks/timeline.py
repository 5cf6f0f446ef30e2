"""From raw text to a page: how long it takes, and where the time goes.

    python benchmarks/timeline.py      writes results/timeline/README.md

Articles of MEANTIME that the extractor in the package was not trained on, one by one, and the whole command for the one
of about 40 events. Processor seconds beside those on the clock: other work on the machine shows in the
second alone.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch

from rankwise.data import folder
from rankwise.relations.corpora import read as corpus
from rankwise.relations.exports import write
from rankwise.relations.extract import FILE, WINDOW, Extractor, near_pairs
from rankwise.relations.pairs import MARKERS, layout
from rankwise.relations.read import joined, prepare
from rankwise.relations.timeline import of_decoded
from rankwise.train.record import machine, versions

ROOT = Path(__file__).parents[1] / "results" / "timeline"
RUNS = 5
STAGES = ("sentences and times", "events", "pairs", "decoding", "page")


def stages(text: str, reader: Extractor, target: Path) -> tuple[dict[str, float], int, int]:
    """Seconds of each stage, events and pairs; as rankwise.relations.read.read does it."""
    at = [time.perf_counter()]
    document, _ = prepare(text)
    at.append(time.perf_counter())
    document = replace(document, events=tuple(f.event for f in reader.find([document])[0]))
    at.append(time.perf_counter())
    pairs = near_pairs(document)
    reader.ask([(document, pairs)])
    at.append(time.perf_counter())
    reading = reader.decode(document)  # asks again: what that took is subtracted
    at.append(time.perf_counter())
    made = of_decoded(document, reading.decoded, reading.said, stated=reading.stated, beside=reading.beside)
    write(made, target, True)
    at.append(time.perf_counter())
    took = [b - a for a, b in pairwise(at)]
    took[3] = max(took[3] - took[2], 0.0)
    return dict(zip(STAGES, took, strict=True)), len(document.events), len(pairs)


def by_markers(text: str, reader: Extractor) -> dict[str, float]:
    """Seconds to ask about all pairs of an article with either kind of markers, by the same weights; best of RUNS."""
    document = prepare(text)[0]
    document = replace(document, events=tuple(f.event for f in reader.find([document])[0]))
    words, pairs = reader.layout.tokenizer, near_pairs(document)
    readers = {kind: replace(reader, layout=layout(reader.model, words, WINDOW, kind)) for kind in MARKERS}
    took: dict[str, list[float]] = {kind: [] for kind in MARKERS}
    for _ in range(RUNS):
        for kind, each in readers.items():
            start = time.perf_counter()
            each.ask([(document, pairs)])
            took[kind].append(time.perf_counter() - start)
    return {kind: min(seconds) for kind, seconds in took.items()}


def held_out() -> list[str]:
    names = json.loads((folder("timeline_reader") / FILE).read_text(encoding="utf-8"))["held_out"]["meantime"]
    documents = corpus("meantime")
    return ["\n".join(joined(documents[n].text[a:b]) for a, b in documents[n].sentences) + "\n" for n in names]


COMMAND = "import sys; from rankwise.cli.main import main; sys.argv[0] = 'rankwise'; main()"
LIBRARIES = "import torch; from transformers import BertModel"


def taken(code: str, *words: str) -> tuple[float, float]:
    """Seconds on the clock and of processor that a fresh interpreter takes for this, from its start to its end."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, used


def main() -> None:
    texts, lines = held_out(), []
    reader = Extractor.load(folder("timeline_reader"))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        stages(texts[0], reader, place / "warm.html")
        each = [stages(text, reader, place / "page.html") for text in texts]
        long = min(zip(texts, each, strict=True), key=lambda made: abs(made[1][1] - 40))[0]
        took, events, pairs = min(
            (stages(long, reader, place / "long.html") for _ in range(3)), key=lambda s: sum(s[0].values())
        )
        asked = by_markers(long, reader)
        file = place / "article.txt"
        file.write_text(long, encoding="utf-8")
        words = ["timeline", str(file), "--overwrite", "--out", str(place / "article.html")]
        whole, libraries = zip(*((taken(COMMAND, *words), taken(LIBRARIES)) for _ in range(RUNS)), strict=True)
    mean = {stage: statistics.mean(t[stage] for t, _, _ in each) for stage in STAGES}
    lines += ["# From raw text to a page", "", "| | events | pairs asked | " + " | ".join(STAGES) + " | in all |"]
    lines += ["|---" * (len(STAGES) + 4) + "|"]
    for title, times, e, p in (
        (
            f"mean of {len(each)} held-out articles",
            mean,
            statistics.mean(e for _, e, _ in each),
            statistics.mean(p for *_, p in each),
        ),
        ("the one of them nearest to 40 events, best of 3", took, events, pairs),
    ):
        cells = [f"{times[stage]:.2f}" for stage in STAGES]
        lines.append(f"| {title} | {e:.0f} | {p:.0f} | " + " | ".join(cells) + f" | {sum(times.values()):.2f} |")
    (clock, used), (peer, _) = (tuple(map(min, zip(*runs, strict=True))) for runs in (whole, libraries))
    lines += [
        "",
        f"Seconds with {torch.get_num_threads()} thread(s); {1 / sum(mean.values()):.2f} documents a second once the",
        "model is loaded.",
        f"To ask about the {pairs} pairs of the article of {events} events takes {asked['levitated']:.2f} s with",
        f"levitated markers, {asked['solid']:.2f} s with solid ones, a row a pair (the same weights, best of {RUNS}).",
        "",
        f"The whole command, `rankwise timeline` on the article of {events} events, with start, imports and loading:",
        f"{clock:.1f} s on the clock, {used:.1f} s of processor. To import torch and transformers' BertModel and do no",
        f"more takes {peer:.1f} s (each the best of {RUNS}, in turn).",
        "",
        f"`python benchmarks/timeline.py`; {versions()['torch']}, {machine()['cores']} cores.",
        "",
    ]
    ROOT.mkdir(parents=True, exist_ok=True)
    (ROOT / "README.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
