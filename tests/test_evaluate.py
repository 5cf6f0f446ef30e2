"""Predictions in the order of the rows, scores by hand, and a model that leaves as it came."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

import rankwise as rw
from rankwise.core.head import apply
from rankwise.core.host import attached
from rankwise.errors import AttachError, DataError
from rankwise.methods import LoRA, SoRA
from rankwise.train.data import Example
from rankwise.train.evaluate import answers_for, evaluate, predict
from tests import learn, tiny


def trained(kind="single", method=None):
    model, given = learn.encoder(), learn.task(kind)
    return model, given, tiny.shaken(learn.adapter(model, method or SoRA(rank=3), given))


@pytest.mark.parametrize("kind", learn.KINDS)
def test_predictions_come_in_the_order_of_the_rows_whatever_the_batches(kind):
    model, given, made = trained(kind)
    together = predict(model, made, given, given.valid, batch_rows=5)
    for row, answer in zip(given.valid, together, strict=True):
        (alone,) = predict(model, made, given, [row])
        torch.testing.assert_close(answer, alone, rtol=1e-12, atol=1e-12)
        if kind == "tokens":
            assert answer.shape == (len(row), 2)  # the padding is cut off


@pytest.mark.parametrize("kind", learn.KINDS)
def test_the_loss_is_the_one_that_training_sees_on_all_rows_at_once(kind):
    model, given, made = trained(kind)
    batch = given.batch(given.valid)
    with attached(model, made), torch.no_grad():
        hidden = model(batch["input_ids"]).last_hidden_state
        logits = apply(given.head, made.head_weights[kind], hidden, batch["attention_mask"], batch.get("spans"))
    labels = batch["labels"]
    if kind == "multi":
        want = F.binary_cross_entropy_with_logits(logits, labels.double())
    elif kind == "regression":
        want = ((logits - labels) ** 2).mean() / 25  # spread 5
    else:
        want = F.cross_entropy(logits.reshape(-1, 2), labels.reshape(-1), ignore_index=-100)
    got = evaluate(model, made, given)
    assert got.loss == pytest.approx(float(want), rel=1e-6)  # float32 labels of regression
    assert got.n == 16


def test_accuracy_by_hand_with_wilsons_interval():
    model, given, made = trained()
    chosen = [int(a.argmax()) for a in predict(model, made, given, given.valid)]
    spoilt = [
        replace(r, label=c if i >= 4 else 1 - c) for i, (r, c) in enumerate(zip(given.valid, chosen, strict=True))
    ]
    got = evaluate(model, made, given, spoilt)
    assert (got.metric, got.value, got.n) == ("accuracy", 0.75, 16)  # 12 of 16
    # Wilson: (p + z2/2n +- z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n), z = 1.96: 0.505 and 0.898
    assert (round(got.low, 3), round(got.high, 3)) == (0.505, 0.898)
    quick = evaluate(model, made, given, spoilt, ci=False)
    assert (quick.low, quick.high) == (0.75, 0.75)
    assert got.to_dict()["value"] == 0.75


def test_tokens_without_a_label_count_neither_for_nor_against():
    model, given, made = trained("tokens")
    rows = [replace(r, label=tuple(-100 for _ in r.ids)) for r in given.valid[:4]]
    base = evaluate(model, made, given, given.valid[4:])
    both = evaluate(model, made, given, [*rows, *given.valid[4:]])
    assert (both.value, both.loss, both.n) == (base.value, pytest.approx(base.loss), base.n + 4)


@pytest.mark.parametrize("rows", [[], [Example((4, 5), None)]])
def test_nothing_to_score_is_an_error_that_names_the_task(rows):
    model, given, made = trained()
    with pytest.raises(DataError, match="task 'single': there are no labelled rows"):
        evaluate(model, made, given, rows)


def test_rows_without_labels_are_predicted():
    model, given, made = trained()
    bare = [replace(r, label=None) for r in given.valid]
    for a, b in zip(predict(model, made, given, bare), predict(model, made, given, given.valid), strict=True):
        assert torch.equal(a, b)
    assert predict(model, made, given, []) == []


def test_the_model_leaves_as_it_came_with_its_modes_and_without_dropout_in_between():
    model, given = learn.encoder(dropout=0.5), learn.task()
    made = tiny.shaken(learn.adapter(model, LoRA(rank=2, dropout=0.5), given))
    model.train()
    model.second.eval()
    before = [(id(m), m.training) for m in model.modules()]
    state = torch.get_rng_state()
    one, two = evaluate(model, made, given), evaluate(model, made, given)
    assert one == two
    assert [(id(m), m.training) for m in model.modules()] == before
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


def test_the_model_leaves_as_it_came_after_an_error():
    model, given, made = trained()
    model.train()
    with pytest.raises(IndexError):
        predict(model, made, given, [Example((4, 999), 0)])  # no such word
    assert model.training
    assert not hasattr(model, "_rankwise_host")


def test_an_adapter_beside_an_attached_one_is_refused_rather_than_passed_over():
    model, given, made = trained()
    other = tiny.shaken(made, seed=5)
    with attached(model, other):
        with pytest.raises(AttachError, match="already has an adapter"):
            evaluate(model, made, given)
        here = evaluate(model, None, given)  # the attached one
    assert here == evaluate(model, other, given)
    assert here.loss != evaluate(model, made, given).loss


def test_without_an_adapter_and_without_a_head_of_its_own_a_model_cannot_answer():
    model, given, _ = trained()
    with pytest.raises(AttachError, match="no adapter is attached"):
        predict(model, None, given, given.valid)


@pytest.mark.parametrize("kind", learn.KINDS)
def test_streaming_answers_equal_predictions(kind):
    model, given, made = trained(kind)
    with rw.attached(model, made):
        got = answers_for(model, made, kind, given.batch(given.valid[:1]))
    torch.testing.assert_close(got[0], predict(model, made, given, given.valid[:1])[0], rtol=1e-12, atol=1e-12)
