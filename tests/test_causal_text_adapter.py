"""Adapters that read treatment and outcome off texts: their loss by hand, their folds, and the encoder they sit on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rankwise.causal.aipw import split
from rankwise.causal.text import text_effect
from rankwise.causal.text_adapter import HEADS, RECIPE, adapter_scores, method_of, task_of, train_fold
from rankwise.causal.text_encoder import Encoder
from rankwise.errors import UnknownName
from tests import cli_case
from tests.texts import EFFECT, table, with_answers

QUICK = replace(RECIPE, steps=8, precision="fp32")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return cli_case.base_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def encoder(base):
    return Encoder.open(base)


def columns(n=60, made=None):
    made = table(n) if made is None else made
    return made["review"].tolist(), made["t"].to_numpy(), made["y"].to_numpy(dtype=float)


def test_the_loss_of_a_number_by_hand(encoder):
    texts, t, y = columns()
    task = task_of(encoder, encoder.rows(texts), t, y)
    spread = task.heads["q0"].spread, task.heads["q1"].spread
    assert spread == (pytest.approx(y[t == 0].std()), pytest.approx(y[t == 1].std()))
    logits = torch.tensor([[0.0, 1.0, 9.0], [0.0, 9.0, 5.0]])  # treatment, q0, q1
    batch = {"labels": torch.tensor([[0.0, 2.0], [1.0, 8.0]])}  # own answers are off by 1 and by 3
    expected = np.log(2) + ((1 / spread[0]) ** 2 + (3 / spread[1]) ** 2) / 2
    assert float(task.loss(logits, batch)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_answers_of_0_and_1_by_hand(encoder):
    texts, t, y = columns(made=with_answers(table(60)))
    task = task_of(encoder, encoder.rows(texts), t, y)
    logits = torch.tensor([[0.0, 0.0, 9.0], [0.0, 9.0, np.log(3.0)]])
    batch = {"labels": torch.tensor([[0.0, 1.0], [1.0, 1.0]])}  # log 2 for the first, log 4/3 for the second
    assert float(task.loss(logits, batch)) == pytest.approx(np.log(2) + (np.log(2) + np.log(4 / 3)) / 2, rel=1e-5)


def test_training_lowers_the_loss_of_its_rows_and_leaves_the_model_as_it_came(encoder):
    texts, t, y = columns(80)
    rows = encoder.rows(texts)
    before = {name: p.clone() for name, p in encoder.model.named_parameters()}
    few, task = train_fold(encoder, rows, t, y, method_of("lora"), replace(QUICK, steps=1))
    more, _ = train_fold(encoder, rows, t, y, method_of("lora"), replace(QUICK, steps=60, lr=1e-2))

    def loss(adapter):
        from rankwise.train.evaluate import predict

        said = torch.stack(predict(encoder.model, adapter, task, rows))
        return float(task.loss(said, {"labels": torch.tensor(np.column_stack([t, y]), dtype=torch.float32)}))

    assert loss(more) < 0.7 * loss(few)
    assert set(more.heads) == set(HEADS)
    assert all(torch.equal(p, before[name]) for name, p in encoder.model.named_parameters())


@pytest.mark.parametrize("kind", ["lora", "sora"])
def test_a_fold_is_scored_by_an_adapter_that_never_saw_it(encoder, kind):
    texts, t, y = columns(40)
    fold = split(t, 2, 0)
    told, adapters = adapter_scores(encoder, texts, t, y, fold, method_of(kind), QUICK)
    assert told.of_treatment.shape == (2, 40, 1)
    assert told.of_outcome.shape == (2, 40, 2)
    assert len(adapters) == 2
    assert all(0 < a.mean_rank <= 8 for a in adapters)
    moved = np.where(fold == 0, y + 100, y)  # fold 0's outcomes reach the scores of fold 1 alone
    again, _ = adapter_scores(encoder, texts, t, moved, fold, method_of(kind), QUICK)
    np.testing.assert_array_equal(again.of_outcome[:, fold == 0], told.of_outcome[:, fold == 0])
    assert abs(again.of_outcome[:, fold == 1] - told.of_outcome[:, fold == 1]).max() > 1


def test_numbers_of_several_layers_are_means_over_the_tokens(encoder):
    texts = ["good w1", "bad w2 w3 w4", "good w1"]
    found = encoder.layers(texts)
    assert found.shape == (3, 3 * encoder.width)  # two layers and the words: three depths, not four
    batch = encoder.tokenizer(texts[1], return_tensors="pt")
    with torch.no_grad():
        states = encoder.model(**batch, output_hidden_states=True).hidden_states
    np.testing.assert_allclose(found[1], torch.cat([s[0].mean(0) for s in states]).numpy(), atol=1e-5)
    np.testing.assert_allclose(found[0], found[2], atol=1e-6)


def test_long_texts_are_cut(base):
    short = Encoder.open(base, max_length=6)
    assert max(len(row) for row in short.rows(["w1 " * 50])) == 6
    assert Encoder.open(base, max_length=9999).max_length == 24  # what the base reads


@pytest.mark.parametrize("method", ["frozen", "lora", "sora"])
def test_an_effect_by_an_encoder(base, method):
    found = text_effect(
        table(200), "t", "y", "review", method=method, base=str(base), folds=2, recipe=QUICK, refuters=()
    )
    assert found.ate == pytest.approx(EFFECT, abs=4 * found.se)
    assert found.naive.ate > found.ate + 0.3
    assert len(found.read.ranks) == (0 if method == "frozen" else 2)


def test_a_base_that_is_not_there_is_named():
    with pytest.raises(UnknownName, match="no-such-base"):
        text_effect(table(60), "t", "y", "review", method="frozen", base="no-such-base")
