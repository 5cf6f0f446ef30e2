"""Text to rows of numbers of their true length, and rows to one padded batch."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from rankwise.errors import BadFile, DataError, UnknownName
from rankwise.models.source import fetch, resolve
from rankwise.models.tokens import encode, pad, tokenizer


@pytest.fixture(scope="module")
def minilm():
    return tokenizer("minilm")


@pytest.fixture
def gpt(tmp_path):
    """A folder whose tokenizer, like GPT-2's, has an end token, no padding token and no longest length."""
    words = Tokenizer(WordLevel({"<end>": 0, "a": 1, "b": 2}, unk_token="<end>"))
    words.pre_tokenizer = Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end>", "unk_token": "<end>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(names))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_positions": 7}))
    return tmp_path


def test_the_tokenizer_is_the_fast_one(minilm):
    assert minilm.is_fast
    assert minilm.model_max_length == 512


def test_rows_keep_their_true_length(minilm):
    # [CLS] a film [SEP] = 4, and [CLS] a [SEP] = 3; the tokenizer's file itself would pad both to 128
    rows = encode(minilm, ["a film", "a"])
    assert [len(row["input_ids"]) for row in rows] == [4, 3]
    assert rows[0]["input_ids"] == [101, 1037, 2143, 102]
    assert set(rows[0]) == {"input_ids", "token_type_ids"}


def test_a_pair_is_one_row_with_two_types(minilm):
    (row,) = encode(minilm, ["a film"], ["a"])
    assert row["input_ids"] == [101, 1037, 2143, 102, 1037, 102]
    assert row["token_type_ids"] == [0, 0, 0, 0, 1, 1]


def test_long_texts_are_cut_and_still_end_with_the_separator(minilm):
    (row,) = encode(minilm, ["film " * 50], max_length=10)
    assert len(row["input_ids"]) == 10
    assert row["input_ids"][-1] == 102
    (row,) = encode(minilm, ["film " * 9999])
    assert len(row["input_ids"]) == 512
    (row,) = encode(minilm, ["film"], max_length=9999)
    assert len(row["input_ids"]) == 3


def test_of_a_pair_the_longer_text_loses_first(minilm):
    (row,) = encode(minilm, ["film " * 50], ["a film"], max_length=12)
    assert row["input_ids"][-3:] == [1037, 2143, 102]


def test_no_texts_are_no_rows(minilm):
    assert encode(minilm, []) == []


def test_encoding_leaves_the_tokenizer_as_it_was(minilm):
    first = encode(minilm, ["film " * 50])
    encode(minilm, ["film " * 50], max_length=5)
    assert encode(minilm, ["film " * 50]) == first


def test_what_is_not_text_is_named_by_row(minilm):
    with pytest.raises(DataError, match=r"text 1 is nan, which is not text"):
        encode(minilm, ["a", float("nan")])
    with pytest.raises(DataError, match=r"pair 0 is None"):
        encode(minilm, ["a"], [None])
    with pytest.raises(DataError, match=r"2 texts and 1 pairs"):
        encode(minilm, ["a", "b"], ["c"])


def test_a_length_without_room_for_text_is_refused(minilm):
    with pytest.raises(DataError, match=r"max_length=2: 2 places go to special tokens.*\n.*at least 3"):
        encode(minilm, ["a"], max_length=2)


def test_a_batch_is_padded_to_its_longest_row_and_masked(minilm):
    batch = pad(encode(minilm, ["a film", "a"]), minilm)
    assert batch["input_ids"].tolist() == [[101, 1037, 2143, 102], [101, 1037, 102, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert batch["token_type_ids"].tolist() == [[0] * 4] * 2
    assert all(tensor.dtype == torch.int64 for tensor in batch.values())
    assert pad(encode(minilm, ["a film"]), minilm, multiple=8)["input_ids"].shape == (1, 8)


def test_padding_follows_the_tokenizer_s_side_and_number(gpt):
    words = tokenizer(gpt)
    assert (words.pad_token, words.pad_token_id) == ("<end>", 0)
    words.padding_side = "left"
    batch = pad(encode(words, ["a b a", "b"]), words)
    assert batch["input_ids"].tolist() == [[1, 2, 1], [0, 0, 2]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert set(batch) >= {"input_ids", "attention_mask"}


def test_an_empty_batch_is_refused(minilm):
    with pytest.raises(DataError, match=r"no row to pad"):
        pad([], minilm)


def test_the_model_s_own_limit_is_used_where_the_tokenizer_names_none(gpt):
    assert tokenizer(gpt).model_max_length == 7
    assert len(encode(tokenizer(gpt), ["a " * 50])[0]["input_ids"]) == 7
    # RoBERTa counts positions from pad + 1 = 2: of a table of 7, 5 are left
    roberta = {"model_type": "roberta", "max_position_embeddings": 7, "pad_token_id": 1}
    (gpt / "config.json").write_text(json.dumps(roberta))
    assert tokenizer(gpt).model_max_length == 5


def test_a_folder_without_a_tokenizer_says_so(tmp_path):
    shutil.copy(fetch(resolve("minilm")) / "config.json", tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(BadFile, match=r"has no tokenizer that can be read"):
        tokenizer(tmp_path)
    with pytest.raises(UnknownName, match=r"no such folder"):
        tokenizer(tmp_path / "absent")
