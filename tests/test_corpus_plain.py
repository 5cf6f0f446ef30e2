"""Corpora inside the package that are plain text: SemEval-2010 Task 8, BECAUSE, UDS-T, each by its counts."""

from __future__ import annotations

from collections import Counter

import pytest

from rankwise.errors import BadFile, UnknownName
from rankwise.relations.corpora import read, uds
from rankwise.relations.corpora.because import anchor
from tests.corpora import folder


def test_semeval_by_hand(tmp_path):
    (tmp_path / "TRAIN_FILE.TXT").write_text(
        '1\t"The <e1>rain</e1> caused a <e2>flood</e2>."\nCause-Effect(e1,e2)\nComment:\n\n'
        '2\t"A <e1>cup</e1> of <e2>tea</e2>."\nOther\nComment:\n\n'
    )
    one, two = read("semeval-2010-8", tmp_path, splits=["train"]).documents
    assert one.text == "The rain caused a flood."
    assert [one.surface(e.id) for e in one.events] == ["rain", "flood"]
    assert [(r.source, r.target, r.label) for r in one.relations] == [("e1", "e2", "CAUSES")]
    assert [(r.label, r.original) for r in two.relations] == [("NONE", "Other")]
    (tmp_path / "TRAIN_FILE.TXT").write_text('9\t"No marks."\nOther\n')
    with pytest.raises(BadFile, match="sentence 9 has no <e1>"):
        read("semeval-2010-8", tmp_path, splits=["train"])


def test_semeval_inside_the_package_has_its_counts():
    corpus = read("semeval-2010-8")
    assert Counter((d.group, r.label) for d in corpus for r in d.relations) == {
        ("train", "NONE"): 8000 - 1003,
        ("train", "CAUSES"): 344,
        ("train", "CAUSED_BY"): 659,
        ("test", "NONE"): 2717 - 328,
        ("test", "CAUSES"): 134,
        ("test", "CAUSED_BY"): 194,
    }


def test_because_by_hand(tmp_path):
    text = "We left because it rained. To win, they train."
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "a.ann").write_text(
        "T1\tConsequence 8 15\tbecause\nT2\tArgument 16 25\tit rained\nT3\tArgument 0 7\tWe left\n"
        "E1\tConsequence:T1 Cause:T2 Effect:T3\nT4\tPurpose 27 29\tTo\nT5\tArgument 27 33\tTo win\n"
        "T6\tArgument 35 45\tthey train\nE2\tPurpose:T4 Cause:T5 Effect:T6\nE3\tConsequence:T1 Cause:T2\n"
        "E4\tNonCausal:T1 Arg0:T2 Arg1:T3\n"
    )
    corpus = read("because", tmp_path)
    (d,) = corpus.documents
    assert [(d.surface(r.source), d.surface(r.target), r.label, r.original) for r in d.relations] == [
        ("rained", "left", "CAUSES", "Consequence"),
        ("win", "train", "CAUSED_BY", "Purpose"),
    ]
    assert [(p.what, p.value) for p in corpus.problems] == [("Consequence without a cause or an effect", "E3")]


@pytest.mark.parametrize(
    ("clause", "word"),
    [("that the banks were closed", "closed"), ("to be or not", "to"), ("we can do", "we"), ("a big problem", "big")],
)
def test_the_word_that_stands_for_a_clause(clause, word):
    assert clause[slice(*anchor(clause, (0, len(clause))))] == word


def test_because_inside_the_package_has_its_counts():
    corpus = read("because")
    assert len(corpus) == 3
    assert sum(len(d.text) for d in corpus) == 91791
    made = Counter(r.original for d in corpus for r in d.relations)
    assert sum(made.values()) + len(corpus.problems) == 326
    assert made == {"Consequence": 164, "Motivation": 69, "Purpose": 48}


@pytest.mark.parametrize(
    ("sliders", "label"),
    [
        ([[0, 9, 10, 20, 4]], "BEFORE"),
        ([[5, 9, 5, 20, 4]], "EQUAL"),
        ([[5, 9, 1, 20, 4], [5, 9, 2, 3, 0], [0, 9, 2, 3, 0]], "AFTER"),
        ([[5, 9, 1, 20, 4], [5, 9, 5, 3, 0], [0, 9, 2, 3, 0]], "VAGUE"),
    ],
)
def test_start_points_by_majority(sliders, label):
    assert uds.label(sliders) == label


def test_uds_inside_the_package_has_its_counts():
    corpus = read("uds-time")
    assert len(corpus) == 1010
    pairs = Counter(d.group for d in corpus for _ in d.relations)
    assert pairs == {"train": 59593, "dev": 5638, "test": 5137}
    labels = Counter((d.group, r.label) for d in corpus for r in d.relations)
    assert labels["train", "VAGUE"] == 0
    assert (labels["dev", "VAGUE"], labels["dev", "BEFORE"]) == (580, 3706)
    assert len(read("uds-time", splits=["dev"])) == 232
    sure = read("uds-time", splits=["dev"], min_confidence=3.5)
    assert 0 < sure.counts()["temporal"] < 5638
    with pytest.raises(UnknownName, match="split='valid'"):
        read("uds-time", splits=["valid"])


def test_uds_keeps_text_words_and_tags():
    (first, *_) = uds.tags(["dev"])
    assert all(word and upos.isupper() for word, upos, _ in first)
    d = read("uds-time", splits=["dev"]).documents[0]
    assert all(d.surface(e.id).strip() == d.surface(e.id) for e in d.events)
    assert all(d.text[a:b].strip() for a, b in d.sentences)


@pytest.mark.parametrize("name", ["meantime", "semeval-2010-8", "because", "uds-time"])
def test_the_copy_in_the_package_is_the_release(name):
    names = {"semeval-2010-8": "semeval2010-task8", "uds-time": "uds-time"}
    where = folder(names.get(name, name))
    mine, theirs = read(name), read(name, where)
    known = {d.id: d for d in theirs}
    assert len(mine) == len(theirs) or name == "because"  # the release has texts that may not travel
    assert all(known[d.id] == d for d in mine)
