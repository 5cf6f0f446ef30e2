"""UDS-T: 70,368 pairs of predicates in 1,010 web documents, each with sliders for start and end; in the package.

An annotator put the start and the end of both predicates on one scale of 0 to 100. The relation of the start points is
BEFORE, AFTER or EQUAL; with three annotators (dev, test) what more than half of them say, VAGUE where no label has
that; with one (train) what that one says. Text and word numbers are those of UD English EWT r2.4.
Source: Vashishtha, Van Durme and White 2019, ACL; Silveira et al. 2014, LREC. CC BY-SA 4.0, in its own folder.
"""

from __future__ import annotations

import json
import lzma
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...data import folder as embedded
from ...errors import BadFile, UnknownName, explain
from ..schema import Corpus, Document, Event, Problem, Relation, Span
from .source import members, need

SPLITS = ("train", "dev", "test")
LICENCE = "CC BY-SA 4.0"
PREDICATE = re.compile(r"(ewt-\w+-\d+)-document-pred-(\d+)")


def read(folder: str | Path | None = None, *, splits: Sequence[str] = SPLITS, min_confidence: float = 0.0) -> Corpus:
    """The documents of these splits; `group` is the split.

    folder: the original release (time.zip and ud_ids.json of decomp, the EWT sources); None: the copy in the package.
    min_confidence: pairs whose annotators were less sure of the first start point, 0 to 4 in the mean, are left out.

    Raises:
        UnknownName: no such split. BadFile: the folder is another one.
    """
    for split in splits:
        if split not in SPLITS:
            raise UnknownName(explain(f"split={split!r} is not UDS-T's.", f"Splits: {', '.join(SPLITS)}."), name=split)
    raw = original(Path(folder)) if folder is not None else _embedded(splits)
    found, problems = [], []
    for row in raw:
        if row["split"] in splits:
            document, wrong = _document(row, min_confidence)
            found.append(document)
            problems += wrong
    return Corpus("uds-time", tuple(found), tuple(problems), LICENCE, embeddable=True)


def label(sliders: Sequence[Sequence[int]]) -> str:
    """What the majority of annotators say of the start points; sliders: (start 1, end 1, start 2, end 2, sure) each."""
    said = Counter("BEFORE" if s[0] < s[2] else "AFTER" if s[0] > s[2] else "EQUAL" for s in sliders)
    most, times = said.most_common(1)[0]
    return most if 2 * times > len(sliders) else "VAGUE"


def _document(row: dict[str, Any], min_confidence: float) -> tuple[Document, list[Problem]]:
    text, sentences, places = _text(row["sentences"])
    relations, problems, used = [], [], set()
    for s1, t1, s2, t2, sliders in row["pairs"]:
        if (s1, t1) not in places or (s2, t2) not in places or (s1, t1) == (s2, t2):
            problems.append(Problem(row["id"], "pair of words that are not there", f"{s1}.{t1}, {s2}.{t2}"))
            continue
        if sum(s[4] for s in sliders) / len(sliders) < min_confidence:
            continue
        used |= {(s1, t1), (s2, t2)}
        relations.append(Relation(f"s{s1}w{t1}", f"s{s2}w{t2}", label(sliders), "temporal", "start points"))
    events = [Event(f"s{s}w{t}", *places[s, t], row["sentences"][s][t - 1][2]) for s, t in sorted(used)]
    return Document(row["id"], text, tuple(events), (), tuple(relations), sentences, group=row["split"]), problems


def _text(sentences: list[list[list[Any]]]) -> tuple[str, tuple[Span, ...], dict[tuple[int, int], Span]]:
    """The text, the spans of its sentences, and of each (sentence from 0, word from 1)."""
    text, spans, places = "", [], {}
    for s, words in enumerate(sentences):
        first = len(text)
        for t, (word, space, *_) in enumerate(words, 1):
            places[s, t] = (len(text), len(text) + len(word))
            text += word + (" " if space else "")
        spans.append((first, len(text.rstrip())))
        text = text if text.endswith(" ") else text + " "
    return text.rstrip(), tuple(spans), places


def _embedded(splits: Sequence[str]) -> Iterator[dict[str, Any]]:
    for split in splits:
        path = embedded("uds_time") / f"{split}.jsonl.xz"
        try:
            lines = lzma.decompress(path.read_bytes()).decode().splitlines()
        except (OSError, lzma.LZMAError) as error:
            raise BadFile(
                explain(f"{path} is missing or damaged ({error}).", "Install rankwise again."), path=path
            ) from error
        yield from map(json.loads, lines)


def tags(splits: Sequence[str] = SPLITS) -> Iterator[list[tuple[str, str, str]]]:
    """Sentences of the embedded copy as (word, UPOS, XPOS), for taggers."""
    for row in _embedded(splits):
        for words in row["sentences"]:
            yield [(word, upos, xpos) for word, _, upos, xpos in words]


def original(folder: Path) -> list[dict[str, Any]]:
    """Rows of the embedded form from the original release: id, split, sentences of [word, space after, UPOS, XPOS],
    pairs of [sentence, word, sentence, word, sliders of each annotator in the order of their names]."""
    times = dict(members(folder, "*time.json"))
    ids = dict(members(folder, "*ud_ids.json")) or {
        p.name: lzma.decompress(p.read_bytes()) for p in folder.rglob("ud_ids.json.xz")
    }
    need(times and ids, folder, "UDS-T", "time.json and ud_ids.json")
    known: dict[str, dict[str, str]] = json.loads(next(iter(ids.values())))
    words = {name: rows for _, content in members(folder, "*.conllu") for name, rows in _conllu(content.decode())}
    need(words, folder, "UDS-T", "*.conllu of UD English EWT r2.4")
    by_document = defaultdict(list)
    for uds, place in known.items():
        by_document[place["document_id"]].append(
            (int(place["sentence_id"].rsplit("-", 1)[1]), uds, place["sentence_id"])
        )
    data: dict[str, Any] = json.loads(next(iter(times.values())))["data"]
    found = []
    for name in data:
        order = sorted(by_document[name])
        number = {uds: at for at, (_, uds, _) in enumerate(order)}
        pairs = []
        for pair, said in data[name].items():
            ends = [PREDICATE.fullmatch(end) for end in pair.split("%%")]
            places = [x for m in ends if m and m[1] in number for x in (number[m[1]], int(m[2]))]
            if len(places) == 4:
                pairs.append([*places, _sliders(said["time"])])
        split = order[0][1].split("-")[1]
        found.append({"id": name, "split": split, "sentences": [words.get(s, []) for *_, s in order], "pairs": pairs})
    return sorted(found, key=lambda row: (SPLITS.index(row["split"]), row["id"]))


def _sliders(said: dict[str, dict[str, dict[str, int]]]) -> list[list[int]]:
    fields = ("rel-start1", "rel-end1", "rel-start2", "rel-end2")
    names = sorted(said["rel-start1"]["value"])
    return [[*(said[f]["value"][n] for f in fields), said["rel-start1"]["confidence"][n]] for n in names]


def _conllu(content: str) -> Iterator[tuple[str, list[list[Any]]]]:
    for block in content.split("\n\n"):
        name, rows = "", []
        for line in block.splitlines():
            if line.startswith("# sent_id"):
                name = line.split("=", 1)[1].strip()
            elif line and line.split("\t", 1)[0].isdigit():
                f = line.split("\t")
                rows.append([f[1], 0 if "SpaceAfter=No" in f[9] else 1, f[3], f[4]])
        if name:
            yield name, rows
