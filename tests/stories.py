"""Invented one-sentence stories whose order a connective tells and whose cause "because" tells, and a base for them."""

from __future__ import annotations

from pathlib import Path

import torch

from rankwise.models.quiet import quiet
from rankwise.relations.schema import Document, Event, Relation
from tests import learn
from tests.words import SIZE, Words

WIDTH = 24
VERBS = ("met", "left", "slept", "woke", "came", "went")


def base_model(folder: Path, more: tuple[str, ...] = ()) -> Path:
    """A tiny BERT and the tokenizer of tests.words, with `more` words."""
    size = SIZE + len(more)
    model = learn.bert(
        torch.float32, vocab_size=size, max_position_embeddings=96, hidden_size=WIDTH, intermediate_size=48
    )
    with quiet():
        model.save_pretrained(folder)
        Words(more).save_pretrained(folder)
    return folder


def story(number: int) -> Document:
    """ "they met before they left . because rain" and the like; three events, all pairs ordered, one cause."""
    a, b = VERBS[number % 6], VERBS[(number + 1 + number // 6) % 6]
    connective, cause = ("before", "after")[number % 2], number % 3 == 0
    words = ["they", a, connective, "they", b, "because" if cause else ".", "rain", "came", "."]
    at, places = 0, []
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + 1
    order = "BEFORE" if connective == "before" else "AFTER"
    relations = [Relation("e1", "e2", order)]
    if cause:
        relations.append(Relation("e3", "e2", "CAUSES", "causal"))
    return Document(
        id=f"s{number}",
        text=" ".join(words),
        events=tuple(Event(f"e{i}", *places[p]) for i, p in enumerate((1, 4, 7), 1)),
        relations=tuple(relations),
        sentences=((0, at - 1),),
        created="2020-01-07",
        dense=frozenset({"causal"}),
    )


def stories(count: int) -> tuple[Document, ...]:
    return tuple(story(i) for i in range(count))
