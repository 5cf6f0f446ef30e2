"""A task: its batches, logits and losses, and what a run refuses before it begins."""

import math

import pytest
import torch

import rankwise as rw
from rankwise.errors import DataError, UnknownName
from rankwise.methods import LoRA
from rankwise.train.data import Example
from rankwise.train.task import checked
from tests import learn, tiny


def test_a_task_without_rows_is_refused():
    with pytest.raises(DataError, match="task 'single' has no training rows"):
        learn.task(train=())


def test_a_metric_that_does_not_fit_the_head_is_refused_and_fitting_ones_are_named():
    with pytest.raises(UnknownName, match=r"'mse' does not fit a head of kind 'single'(.|\n)*accuracy"):
        learn.task(metric="mse")


@pytest.mark.parametrize(
    ("kind", "metric"),
    [("single", "accuracy"), ("multi", "f1_micro"), ("regression", "pearson"), ("tokens", "accuracy")],
)
def test_a_task_without_a_metric_is_scored_by_its_kinds_own(kind, metric):
    assert learn.task(kind).scored_by == metric
    assert learn.task("regression", metric="mse").scored_by == "mse"


def test_a_batch_is_padded_with_the_tasks_own_pad_id():
    given = learn.task(train=[Example((5, 6, 7), 1), Example((8,), 0)], pad_id=9)
    batch = given.batch(given.train)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [1, 0]


@pytest.mark.parametrize("kind", learn.KINDS)
def test_logits_of_every_kind_have_the_shape_of_the_table(kind):
    given, model = learn.task(kind), learn.encoder()
    batch = given.batch(given.train[:4])
    tokens, pairs = batch["input_ids"].shape[1], max(len(r.pairs or ()) for r in given.train[:4])
    with rw.attached(model, learn.adapter(model, LoRA(rank=2), given)):
        logits = given.logits(model, batch)
    want = {"multi": (4, 3), "regression": (4,), "tokens": (4, tokens, 2), "pairs": (4, pairs, 2)}.get(kind, (4, 2))
    assert logits.shape == want
    assert math.isfinite(float(given.loss(logits.detach(), batch)))
    assert given.answers(logits).shape == batch["labels"].shape


def test_a_host_with_its_own_head_answers_by_itself():
    model, batch = tiny.host("bert"), tiny.batch("bert")
    given = learn.task(host_answers=True)
    torch.testing.assert_close(given.logits(model, batch), tiny.logits(model, batch), rtol=0, atol=0)


def test_a_hosts_regression_answer_is_one_number_a_row():
    model, batch = tiny.host("bert", num_labels=1), tiny.batch("bert")
    given = learn.task("regression", host_answers=True)
    assert given.logits(model, batch).shape == (3,)


def test_items_are_rows_and_for_tokens_the_labelled_tokens():
    given = learn.task("tokens")
    some = [Example((4, 5, 6), (-100, 1, 0)), Example((4,), (-100,)), Example((4, 5), (0, -100))]
    assert given.items(some) == 2 + 0 + 1
    assert learn.task("single").items(some) == 3


def test_a_run_without_a_task_or_with_one_name_twice_is_refused():
    made = learn.adapter(learn.encoder(), LoRA(rank=2), learn.task())
    with pytest.raises(DataError, match="at least one"):
        checked([], made)
    with pytest.raises(DataError, match=r"\['single', 'single'\]"):
        checked([learn.task(), learn.task()], made)


def test_a_task_without_a_head_in_the_adapter_is_refused_and_the_heads_are_named():
    made = learn.adapter(learn.encoder(), LoRA(rank=2), learn.task())
    with pytest.raises(UnknownName, match=r"no head 'singel'\.\n  Its heads: single") as caught:
        checked([learn.task(name="singel")], made)
    assert caught.value.name == "singel"
    checked([learn.task(name="singel", host_answers=True)], made)  # needs none


def test_a_head_with_other_labels_is_refused():
    made = learn.adapter(learn.encoder(), LoRA(rank=2), learn.task())
    other = learn.task("spans", name="single")
    with pytest.raises(UnknownName, match=r"kind single with labels \['no', 'yes'\]\.\n  The task's is of kind spans"):
        checked([other], made)


def test_the_recipes_metric_goes_to_the_tasks_that_it_fits_and_that_name_none():
    given = [learn.task("single"), learn.task("multi", metric="f1_micro"), learn.task("regression")]
    made = learn.adapter(learn.encoder(), LoRA(rank=2), given)
    assert [t.scored_by for t in checked(given, made, "f1")] == ["f1", "f1_micro", "pearson"]
    with pytest.raises(UnknownName, match="'mse' does not fit a head of kind 'single'"):
        checked(given[:2], made, "mse")
