"""A small part-of-speech tagger: an averaged perceptron over words and their neighbours, with Penn Treebank tags.

Trained by scripts/train_tagger.py on the embedded UD English EWT; its weights are whole numbers in a file of a few
hundred kilobytes. From left to right, each word takes the tag of the highest sum of weights of its features.
Source: Collins 2002, "Discriminative training methods for hidden Markov models", EMNLP, with greedy search.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data import folder
from ..errors import BadFile, explain
from ..relations.schema import Span

Tagged = Sequence[tuple[str, str]]
"""Words with their tags."""
WORD = re.compile(
    r"[A-Za-z]+(?=n['’]t\b)|n['’]t\b|['’](?:s|re|ve|d|ll|m)\b|(?:[A-Za-z]\.){2,}|\d[\d.,:/]*\d|\w+|\.{2,}|-{2,}|[^\w\s]",
    re.IGNORECASE,
)
EDGE = "-none-"
MOST = 127


@dataclass(frozen=True)
class Tagger:
    """tags [T]; rows: feature -> number of its row; weights [F, T], whole numbers of one byte each."""

    tags: tuple[str, ...]
    rows: dict[str, int]
    weights: NDArray[np.int8]

    def __call__(self, words: Sequence[str]) -> list[str]:
        """One tag a word, of one sentence."""
        found: list[str] = []
        for place in range(len(words)):
            known = [row for f in features(words, place, found) if (row := self.rows.get(f)) is not None]
            sums = self.weights[known].sum(0, dtype=np.int32)
            found.append(self.tags[int(sums.argmax())])
        return found

    def accuracy(self, sentences: Iterable[Tagged]) -> tuple[int, int]:
        """Words with the right tag, and all words."""
        right = total = 0
        for sentence in sentences:
            said = self([w for w, _ in sentence])
            right += sum(a == b for a, (_, b) in zip(said, sentence, strict=True))
            total += len(sentence)
        return right, total


def words(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans of words and marks; contractions are split as in the Penn Treebank ("did", "n't")."""
    return [m.span() for m in WORD.finditer(text, start, len(text) if end is None else end)]


def features(sentence: Sequence[str], place: int, before: Sequence[str]) -> list[str]:
    """What is seen of the word at `place`; before: the tags of the words to its left."""
    word = _normal(sentence[place])
    last = before[place - 1] if place else EDGE
    last2 = before[place - 2] if place > 1 else EDGE
    left = _normal(sentence[place - 1]) if place else EDGE
    left2 = _normal(sentence[place - 2]) if place > 1 else EDGE
    right = _normal(sentence[place + 1]) if place + 1 < len(sentence) else EDGE
    right2 = _normal(sentence[place + 2]) if place + 2 < len(sentence) else EDGE
    return [
        "b",
        "w " + word,
        "3 " + word[-3:],
        "2 " + word[-2:],
        "1 " + word[:1],
        "s " + shape(sentence[place], place == 0),
        "t " + last,
        "tt " + last2 + " " + last,
        "tw " + last + " " + word,
        "l " + left,
        "m " + left2,
        "r " + right,
        "q " + right2,
        "e " + left[-3:],
        "f " + right[-3:],
        "fw " + word[-2:] + " " + right[-2:],
        "tr " + last + " " + right,
        "d " + classes(word),
        "td " + last + " " + classes(word),
        "dd " + classes(word) + " " + classes(right),
    ]


@lru_cache(maxsize=65_536)
def classes(word: str) -> str:
    """Open word classes that the word has in lemminflect's dictionary, with "d" and "n" for verb forms of the past.

    Words that the training text never had are known by this.
    """
    from lemminflect import getAllLemmas, getInflection

    known = getAllLemmas(word)
    found = "".join(sorted(c[:3] for c in known))
    for lemma in known.get("VERB", ()):
        found += "".join(mark for tag, mark in (("VBD", "d"), ("VBN", "n")) if word in getInflection(lemma, tag=tag))
    return found


def shape(word: str, first: bool) -> str:
    """Capitals, digits and hyphens; a capital at the head of a sentence says little."""
    if word.isupper() and len(word) > 1:
        return "AA"
    if word[:1].isupper():
        return "First" if first else "Aa"
    return "9" if any(c.isdigit() for c in word) else "-" if "-" in word else "a"


def _normal(word: str) -> str:
    lower = word.lower().replace("’", "'")
    return "!9" if lower[:1].isdigit() else lower


def train(sentences: Sequence[Tagged], *, epochs: int = 8, seed: int = 0, least: int = 2) -> Tagger:
    """The averaged perceptron after `epochs` rounds; features seen fewer than `least` times are left out.

    Weights are scaled to fit a byte. One seed, one tagger.
    """
    tags = tuple(sorted({tag for s in sentences for _, tag in s}))
    number = {tag: i for i, tag in enumerate(tags)}
    seen: dict[str, int] = {}
    for sentence in sentences:
        said, gold = [w for w, _ in sentence], [t for _, t in sentence]
        for place in range(len(said)):
            for f in features(said, place, gold):
                seen[f] = seen.get(f, 0) + 1
    rows = {f: i for i, f in enumerate(f for f, n in seen.items() if n >= least)}
    weights = np.zeros((len(rows), len(tags)), dtype=np.float32)
    late = np.zeros_like(weights)  # updates times the step they came at: average = weights - late / steps
    rng, step = np.random.default_rng(seed), 0
    for _ in range(epochs):
        for index in rng.permutation(len(sentences)):
            said, before = [w for w, _ in sentences[index]], list[str]()
            for place, (_, gold_tag) in enumerate(sentences[index]):
                known = [row for f in features(said, place, before) if (row := rows.get(f)) is not None]
                guess, gold_row = int(weights[known].sum(0).argmax()), number[gold_tag]
                step += 1
                if guess != gold_row:
                    for column, sign in ((gold_row, 1.0), (guess, -1.0)):
                        weights[known, column] += sign
                        late[known, column] += sign * step
                before.append(tags[guess])
    return _rounded(tags, rows, weights - late / np.float32(max(step, 1)))


def _rounded(tags: tuple[str, ...], rows: dict[str, int], mean: NDArray[np.float32]) -> Tagger:
    """In bytes, without the features that round to nothing."""
    top = float(np.quantile(np.abs(mean[mean != 0]), 0.9995)) if (mean != 0).any() else 1.0
    small = np.clip(np.rint(mean / top * MOST), -MOST, MOST).astype(np.int8)
    used = np.abs(small).max(1) > 0
    kept = [f for f, row in rows.items() if used[row]]
    return Tagger(tags, {f: i for i, f in enumerate(kept)}, small[used])


def pack(tagger: Tagger, least: int = 0) -> bytes:
    """As a file: JSON with tags and, by feature, pairs of tag number and weight; compressed. least: smaller go."""
    rows: dict[str, list[int]] = {}
    for feature, row in sorted(tagger.rows.items()):
        pairs = [(int(i), int(tagger.weights[row, i])) for i in np.flatnonzero(np.abs(tagger.weights[row]) > least)]
        if pairs:
            rows[feature] = [x for pair in pairs for x in pair]
    content = json.dumps({"tags": tagger.tags, "rows": rows}, ensure_ascii=False, separators=(",", ":"))
    return lzma.compress(content.encode(), preset=9 | lzma.PRESET_EXTREME)


def unpack(data: bytes) -> Tagger:
    """The opposite of `pack`. Raises what lzma and json raise, ValueError among them."""
    values = json.loads(lzma.decompress(data))
    weights = np.zeros((len(values["rows"]), len(values["tags"])), dtype=np.int8)
    for row, pairs in enumerate(values["rows"].values()):
        weights[row, pairs[::2]] = pairs[1::2]
    return Tagger(tuple(values["tags"]), {f: i for i, f in enumerate(values["rows"])}, weights)


@lru_cache(maxsize=1)
def packaged() -> Tagger:
    """The tagger inside the package. Raises BadFile where an installation lacks it or it is damaged."""
    return read(folder("tagger") / "tagger.json.xz")


def read(file: Path) -> Tagger:
    """A packed tagger. Raises BadFile: missing or damaged."""
    try:
        return unpack(file.read_bytes())
    except (OSError, EOFError, lzma.LZMAError, ValueError, KeyError) as error:
        repair = "To repair: pip install --force-reinstall --no-deps rankwise"
        raise BadFile(explain(f"{file} is missing or damaged ({error}).", repair), path=str(file)) from error
