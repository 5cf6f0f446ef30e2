"""From tables of text to a task: rows, labels, the kind of head, and its numbers."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

import rankwise as rw
from rankwise.errors import DataError, RecipeError, UnknownName
from rankwise.methods import LoRA
from rankwise.tasks.table import Columns, labels_of, table_of
from rankwise.tasks.text import row_length, rows_of, text_task
from rankwise.train.recipe import Recipe
from tests import learn

VOCABULARY = {w: i for i, w in enumerate(["<pad>", "<s>", "</s>", "<unk>", "a", "good", "bad", "film", "book"])}


@pytest.fixture(scope="module")
def tokenizer():
    words = Tokenizer(WordLevel(VOCABULARY, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", model_input_names=["input_ids", "attention_mask"]
    )


def table(labels=("pos", "neg", "pos"), texts=("a good film", "a bad film", "good"), kind=None, **more):
    columns = Columns(label=None if labels is None else "label", pair="second" if "second" in more else None)
    data = {"text": list(texts), **more} | ({} if labels is None else {"label": list(labels)})
    return table_of(data, columns, kind=kind)


def test_texts_become_rows_of_ids_with_numbered_labels(tokenizer):
    given = table()
    task = text_task(given, table(("neg",), ("book",)), labels_of(given), tokenizer, 8, name="taste", metric="f1")
    assert [r.ids for r in task.train] == [(1, 4, 5, 7, 2), (1, 4, 6, 7, 2), (1, 5, 2)]
    assert task.head.labels == ("neg", "pos")
    assert [r.label for r in task.train] == [1, 0, 1]
    assert [(r.ids, r.label) for r in task.valid] == [((1, 8, 2), 0)]
    assert (task.name, task.scored_by, task.pad_id, task.head.hidden) == ("taste", "f1", 0, 8)
    assert (task.head.kind, task.head.pooling, task.head.layers) == ("single", "mean", ())


def test_the_heads_shape_is_passed_on_and_long_rows_are_cut(tokenizer):
    given = table()
    task = text_task(given, None, labels_of(given), tokenizer, 8, pooling="cls", layers=[5], max_length=3)
    assert (task.head.pooling, task.head.layers) == ("cls", (5,))
    assert [len(r) for r in task.train] == [3, 3, 3]
    assert task.valid == ()


def test_pairs_are_one_row(tokenizer):
    given = table(second=["book", "book", "a"])
    task = text_task(given, None, labels_of(given), tokenizer, 8)
    assert task.train[2].ids == (1, 5, 2, 4, 2)


def test_several_labels_are_zeros_and_ones(tokenizer):
    given = table(("x|y", "", "y"), kind="multi")
    task = text_task(given, None, labels_of(given), tokenizer, 8)
    assert task.head.kind == "multi"
    assert [r.label for r in task.train] == [(1, 1), (0, 0), (0, 1)]
    assert task.scored_by == "f1_micro"


def test_numbers_are_answered_in_the_units_of_the_training_rows(tokenizer):
    given = table((1.0, 3.0, 5.0), kind="regression")
    task = text_task(given, table((100.0,), ("book",), kind="regression"), (), tokenizer, 8)
    assert task.head.center == 3
    assert task.head.spread == pytest.approx((8 / 3) ** 0.5)  # the validation row has no part in it
    same = table((2.0, 2.0), ("a", "good"), kind="regression")
    assert text_task(same, None, (), tokenizer, 8).head.spread == 1  # not 0: it divides


def test_a_label_that_training_has_not_seen_is_refused(tokenizer):
    given = table()
    with pytest.raises((DataError, UnknownName), match="other"):
        text_task(given, table(("other",), ("book",)), labels_of(given), tokenizer, 8)


def test_a_table_without_labels_cannot_be_learnt_from_but_has_rows(tokenizer):
    bare = table(None)
    with pytest.raises(DataError, match=r"no label column was named(.|\n)*--label"):
        text_task(bare, None, (), tokenizer, 8)
    rows = rows_of(bare, (), tokenizer, 16)
    assert [r.label for r in rows] == [None] * 3
    assert rows[2].ids == (1, 5, 2)


def test_a_text_task_is_learnt(tokenizer):
    given = table(("pos", "neg") * 12, ("a good film", "a bad film") * 12)
    task = text_task(given, given, labels_of(given), tokenizer, learn.WIDTH)
    model = learn.encoder()
    result = rw.fit(model, learn.adapter(model, LoRA(rank=2), task), task, Recipe(epochs=5, lr=3e-2, batch_rows=8))
    assert result.scores == {"label": 1.0}


def test_a_row_is_as_long_as_asked_and_as_the_base_model_reads(tokenizer):
    assert row_length(tokenizer, 600, 128) == 600  # no limit is known
    tokenizer.model_max_length = 512
    assert [row_length(tokenizer, n, 128) for n in (64, 128, 512)] == [64, 128, 512]
    assert row_length(tokenizer, 600, 600) == 512  # nobody asked for it
    with pytest.raises(RecipeError, match=r"max_length=513 is more than the base model reads: 512 tokens"):
        row_length(tokenizer, 513, 128)
