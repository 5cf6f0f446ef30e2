"""The extractor's joint loss by hand, its answers from either end, and that it learns an order and a cause."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

import rankwise as rw
from rankwise.errors import RecipeError, UnknownName
from rankwise.methods import LoRA
from rankwise.relations.losses import conjunction
from rankwise.relations.model import PairTask, Weights, ask, heads, split, triples
from rankwise.relations.pairs import layout, rows
from rankwise.relations.schema import CAUSAL, CONVERSE, DOCUMENT_TIME, TEMPORAL, Document, Event
from rankwise.train.data import IGNORE, Example
from rankwise.train.recipe import Recipe
from tests import learn
from tests.words import SIZE, Words

WORDS = Words()
PLAIN = Weights(causal=1, symmetry=0, conjunction=0, implication=0)


def story(number=0, connective="before", cause=False):
    """ "They met before they left": met e0, left e1; with a cause, "because" takes the place of the full stop."""
    words = ["they", "met", connective, "they", "left", "because" if cause else "."]
    text, places = "", []
    for word in words:
        places.append(len(text))
        text += word + " "
    events = (Event("e0", places[1], places[1] + 3), Event("e1", places[4], places[4] + 4))
    return Document(f"d{number}", text, events)


def host(seed=0):
    return learn.bert(torch.float64, seed, vocab_size=SIZE, max_position_embeddings=64)


def made(model, task):
    return rw.new(model, LoRA(rank=4), heads=task.heads, seed=0)


def labelled(count=24):
    lay, found = layout(host(), WORDS, window=24), []
    for i in range(count):
        before, cause = i % 2 == 0, i % 3 == 0
        label = (TEMPORAL.index("BEFORE" if before else "AFTER"), CAUSAL.index("CAUSES" if cause else "NONE"))
        d = story(i, "before" if before else "after", cause)
        found += rows(d, [("e0", "e1")], lay, {("e0", "e1"): label})
    return found


def task(weights=PLAIN, count=24):
    return PairTask("pairs", heads(learn.WIDTH, dropout=0.0)["temporal"], labelled(count), weights=weights)


def test_the_loss_is_cross_entropy_of_both_heads_from_both_ends():
    """One pair, AFTER and CAUSES, logits chosen so that every probability is a plain number."""
    logits = torch.tensor([[[[0.1, 0.5, 0.2, 0.2, 0.2, 0.5, 0.3], [0.25, 0.25, 0.25, 0.25, 0.6, 0.3, 0.1]]]]).log()
    labels = torch.tensor([[[TEMPORAL.index("AFTER"), CAUSAL.index("CAUSES")]]])
    want = (-math.log(0.5) - math.log(0.25)) / 2 + 2 * (-math.log(0.5) - math.log(0.1)) / 2
    got = task(replace(PLAIN, causal=2.0)).loss(logits, {"labels": labels})
    assert float(got) == pytest.approx(want, rel=1e-6)


def test_a_pair_without_a_label_adds_nothing():
    given = task()
    logits = torch.randn(2, 3, 2, 7, dtype=torch.float64)
    labels = torch.full((2, 3, 2), IGNORE)
    assert float(given.loss(logits, {"labels": labels})) == 0
    labels[1, 2, 0] = 1
    alone = given.loss(logits[1:, 2:], {"labels": labels[1:, 2:]})
    assert float(given.loss(logits, {"labels": labels})) == pytest.approx(float(alone), rel=1e-6)


def test_the_parts_add_up():
    given = task(Weights(1, 0.3, 0.4, 0.5))
    batch = given.batch(given.train[:6])
    logits = torch.randn(6, 1, 2, 7)
    parts = [
        float(replace(given, weights=Weights(*w)).loss(logits, batch))
        for w in ((1, 0, 0, 0), (1, 0.3, 0, 0), (1, 0, 0, 0.5), (1, 0.3, 0, 0.5))
    ]
    assert parts[1] + parts[2] - parts[0] == pytest.approx(parts[3], rel=1e-6)
    assert float(given.loss(logits, batch)) == pytest.approx(parts[3], rel=1e-6)  # no triples in these rows


def test_triples_are_read_from_whichever_end_they_were_asked():
    pairs = (("a", "b"), ("c", "b"), ("a", "c"), ("c", "d"))
    row = Example((0,), pairs=((0, 0),) * 4, meta=("d", pairs))
    assert triples([row]).tolist() == [[0, 0, 1, 2, 0, 1, 0]]
    given = task(Weights(1, 0, 1, 0))
    logits, labels = torch.randn(1, 4, 2, 7), torch.full((1, 4, 2), IGNORE)
    labels[0, 0, 0] = 0
    said = split(logits)[0][0]
    want = conjunction(said[None, 0, 0], said[None, 1, 1], said[None, 2, 0])
    base = given.loss(logits, {"labels": labels, "triples": torch.empty(0, 7, dtype=torch.long)})
    got = given.loss(logits, {"labels": labels, "triples": triples([row])})
    assert float(got - base) == pytest.approx(float(want), rel=1e-5)


def test_asked_from_the_other_end_the_answer_is_the_converse():
    model, given = host(), task()
    adapter = learn.tiny.shaken(made(model, given))
    lay, d = layout(model, WORDS, window=24), story()
    (said,) = ask(model, adapter, [(d, [("e0", "e1"), ("e1", "e0"), ("e0", DOCUMENT_TIME)])], lay)
    one, other = said["e0", "e1"], said["e1", "e0"]
    for labels, a, b in ((TEMPORAL, one.temporal, other.temporal), (CAUSAL, one.causal, other.causal)):
        assert sum(a) == pytest.approx(1, abs=1e-6)
        turned = [b[labels.index(CONVERSE[label])] for label in labels]
        assert a == pytest.approx(turned, rel=1e-5)
    (alone,) = ask(model, adapter, [(d, [("e1", "e0")])], lay)
    assert alone["e1", "e0"].temporal == pytest.approx(other.temporal, rel=1e-5)
    assert ask(model, adapter, [(d, [])], lay) == [{}]


def test_it_learns_order_and_cause_together_with_every_part_of_the_loss():
    model, given = host(), task(Weights(1.0, 0.2, 0.2, 0.2))
    adapter = rw.train(model, made(model, given), given, Recipe(epochs=40, lr=2e-2, batch_rows=8, precision="fp32"))
    lay, right = layout(model, WORDS, window=24), 0
    for row in given.train:
        number = int(row.meta[0][1:])
        d = story(number, "before" if number % 2 == 0 else "after", number % 3 == 0)
        said = ask(model, adapter, [(d, [("e0", "e1")])], lay)[0]["e0", "e1"]
        temporal, causal = max(range(4), key=said.temporal.__getitem__), max(range(3), key=said.causal.__getitem__)
        right += (temporal, causal) == row.label[0]
    assert right == len(given.train)


def test_a_run_needs_both_heads_in_the_adapter():
    model, given = host(), task()
    only = rw.new(model, LoRA(rank=2), heads={"temporal": given.head}, seed=0)
    with pytest.raises(UnknownName, match="no head 'causal'"):
        rw.fit(model, only, given)


def test_a_weight_outside_its_range_is_refused():
    with pytest.raises(RecipeError, match=r"weight conjunction=-1"):
        Weights(conjunction=-1)
