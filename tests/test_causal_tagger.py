"""The tagger learns what it is shown, packs without loss, and in the package keeps the accuracy that is published."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
import pytest

from rankwise import data
from rankwise.causal.tagger import Tagger, features, pack, packaged, read, shape, train, unpack, words
from rankwise.errors import BadFile

TOY = [
    [("the", "DT"), ("dog", "NN"), ("barked", "VBD")],
    [("a", "DT"), ("cat", "NN"), ("had", "VBD"), ("barked", "VBN")],
    [("the", "DT"), ("cat", "NN"), ("slept", "VBD")],
    [("a", "DT"), ("dog", "NN"), ("had", "VBD"), ("slept", "VBN")],
]


def test_words_are_split_as_in_the_penn_treebank() -> None:
    text = "Ann's didn't, we'll pay 1,000.50 at 5:30... U.S. well-known “yes”"
    assert [text[a:b] for a, b in words(text)] == [
        *("Ann", "'s", "did", "n't", ",", "we", "'ll", "pay", "1,000.50", "at", "5:30", "...", "U.S."),
        *("well", "-", "known", "“", "yes", "”"),
    ]
    assert words("one two three", 4, 7) == [(4, 7)]
    assert words("it isn’t") == [(0, 2), (3, 5), (5, 8)]


def test_the_same_word_is_told_by_what_stands_before_it() -> None:
    tagger = train(TOY, epochs=5, least=1)
    assert tagger(["the", "cat", "barked"]) == ["DT", "NN", "VBD"]
    assert tagger(["the", "cat", "had", "barked"]) == ["DT", "NN", "VBD", "VBN"]
    assert tagger([]) == []
    assert tagger.accuracy(TOY) == (14, 14)
    assert tagger.weights.dtype == np.int8


def test_one_seed_gives_one_tagger_and_packing_loses_nothing() -> None:
    tagger = train(TOY, epochs=3, least=1)
    assert pack(tagger) == pack(train(TOY, epochs=3, least=1))
    again = unpack(pack(tagger))
    assert again.tags == tagger.tags
    assert {f: again.weights[r].tolist() for f, r in again.rows.items()} == {
        f: tagger.weights[r].tolist() for f, r in tagger.rows.items()
    }


def test_small_weights_can_be_left_out() -> None:
    tagger = Tagger(("A", "B"), {"x": 0, "y": 1}, np.array([[5, -2], [1, 2]], dtype=np.int8))
    small = unpack(pack(tagger, 2))
    assert list(small.rows) == ["x"]
    assert small.weights.tolist() == [[5, 0]]


def test_features_of_the_edges_and_shapes() -> None:
    found = features(["Rome"], 0, [])
    assert {"w rome", "t -none-", "r -none-", "s First"} <= set(found)
    assert [shape(w, False) for w in ("USA", "Rome", "x9", "a-b", "go")] == ["AA", "Aa", "9", "-", "a"]


def test_the_packaged_tagger_keeps_its_published_accuracy() -> None:
    published = json.loads((Path(__file__).parents[1] / "results" / "tagger" / "accuracy.json").read_text())["test"]
    with lzma.open(data.folder("uds_time") / "test.jsonl.xz", "rt", encoding="utf-8") as file:
        rows = [[(w[0], w[3]) for w in s] for line in file for s in json.loads(line)["sentences"]]
    right, total = packaged().accuracy(rows)
    assert total == published["words"] == 23817
    assert round(right / total, 4) == published["accuracy"] > 0.93


def test_a_damaged_file_says_how_to_repair_it(tmp_path: Path) -> None:
    file = tmp_path / "tagger.json.xz"
    with pytest.raises(BadFile, match="is missing or damaged"):
        read(file)
    file.write_bytes((data.folder("tagger") / "tagger.json.xz").read_bytes()[:5000])
    with pytest.raises(BadFile, match="pip install --force-reinstall"):
        read(file)


def test_the_folder_carries_its_licence_and_source() -> None:
    assert "Attribution-ShareAlike 4.0" in (data.folder("tagger") / "LICENSE").read_text("utf-8")
    assert "scripts/train_tagger.py" in (data.folder("tagger") / "SOURCE.md").read_text("utf-8")
