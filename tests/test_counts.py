"""Numbers trained, against published counts, on real configurations and meta tensors (no weights, no network).

Sources: the LoRA paper's table 2 and appendix, BitFit, DeBERTaV3 in AdaLoRA's table 1, and PEFT 0.21.2's own
counts on the same configurations.
"""

from __future__ import annotations

from functools import cache

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    DebertaV2Model,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

import rankwise as rw
from rankwise.core.adapter import Adapter
from rankwise.core.site import Site, mark_fresh

ROBERTA = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
DEBERTA = {
    "vocab_size": 128100,
    "relative_attention": True,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
    "max_position_embeddings": 512,
    "max_relative_positions": -1,
    "layer_norm_eps": 1e-7,
}
V3_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
XXLARGE = {
    "hidden_size": 1536,
    "num_hidden_layers": 48,
    "num_attention_heads": 24,
    "intermediate_size": 6144,
    "conv_kernel_size": 3,
    "conv_act": "gelu",
}
MODELS = {
    "bert-base": (BertForSequenceClassification, BertConfig, {}),
    "roberta-base": (RobertaForSequenceClassification, RobertaConfig, ROBERTA),
    "roberta-large": (RobertaForSequenceClassification, RobertaConfig, ROBERTA | LARGE),
    "deberta-v3-base": (DebertaV2ForSequenceClassification, DebertaV2Config, DEBERTA | V3_BASE),
    "deberta-v2-xxlarge": (DebertaV2Model, DebertaV2Config, DEBERTA | XXLARGE),
    "gpt2-medium": (GPT2LMHeadModel, GPT2Config, {"n_embd": 1024, "n_layer": 24, "n_head": 16}),
    "gpt2-large": (GPT2LMHeadModel, GPT2Config, {"n_embd": 1280, "n_layer": 36, "n_head": 20}),
}
NEW = {  # what loading reports as newly initialised
    "bert-base": ["classifier.weight", "classifier.bias"],
    "roberta": ["classifier.dense.weight", "classifier.dense.bias", "classifier.out_proj.weight"],
    "deberta-v3-base": ["pooler.dense.weight", "pooler.dense.bias", "classifier.weight", "classifier.bias"],
}
SIX_OF_DEBERTA = [
    "query_proj",
    "key_proj",
    "value_proj",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
]


@cache
def built(name):
    """The real architecture on meta tensors, with the loading report that its checkpoint would give."""
    cls, config, numbers = MODELS[name]
    with torch.device("meta"):
        model = cls(config(**numbers))
    mark_fresh(model, next((new for prefix, new in NEW.items() if name.startswith(prefix)), []))
    assert all(p.is_meta for p in model.parameters())
    return model


def lora(name, rank, targets, **options):
    return rw.new(built(name), rw.methods.LoRA(rank=rank), targets, **options)


@pytest.mark.parametrize(
    ("name", "rank", "targets", "count"),
    [
        ("roberta-base", 8, ["query", "value"], 294_912),  # 12 layers * 2 maps * 8 * (768 + 768)
        ("roberta-large", 8, ["query", "value"], 786_432),  # 24 * 2 * 8 * 2048
        ("gpt2-medium", 4, ["c_attn"], 393_216),  # 24 * 4 * (1024 + 3072); "0.35M" in the paper
        ("gpt2-large", 4, ["c_attn"], 737_280),  # 36 * 4 * (1280 + 3840); "0.77M"
        ("deberta-v3-base", 1, SIX_OF_DEBERTA, 165_888),
        ("deberta-v3-base", 2, SIX_OF_DEBERTA, 331_776),
        ("deberta-v3-base", 4, SIX_OF_DEBERTA, 663_552),
        ("deberta-v3-base", 8, SIX_OF_DEBERTA, 1_327_104),
        ("deberta-v3-base", 16, SIX_OF_DEBERTA, 2_654_208),
        ("deberta-v2-xxlarge", 8, ["query_proj", "value_proj"], 2_359_296),
        ("deberta-v2-xxlarge", 16, ["query_proj", "value_proj"], 4_718_592),
        ("roberta-base", 8, "all-linear", 1_327_104),  # 12 * 8 * (4 * 1536 + 2 * 3840), no pooler
        ("bert-base", 8, "all-linear", 1_339_392),  # the same and the pooler: 8 * 1536 = 12,288
    ],
)
def test_lora_counts(name, rank, targets, count):
    adapter = lora(name, rank, targets)
    assert adapter.size == adapter.stored == count
    trains = [s.name for s in adapter.sites]
    assert not any(s.startswith(("classifier", "pooler", "lm_head")) for s in trains)


def test_all_linear_of_deberta_is_the_six_and_its_new_pooler_is_trained_whole():
    adapter = lora("deberta-v3-base", 8, "all-linear")
    assert [s.name for s in adapter.sites] == [s.name for s in lora("deberta-v3-base", 8, SIX_OF_DEBERTA).sites]
    assert sorted(adapter.whole) == sorted(NEW["deberta-v3-base"])
    assert adapter.whole_size == 590_592 + 1_538  # 768 * 769 of the pooler, 2 * 769 of the classifier


@pytest.mark.parametrize(
    ("name", "head", "rank8"), [("roberta-base", 592_130, 294_912), ("roberta-large", 1_051_650, 786_432)]
)
def test_the_heads_of_roberta(name, head, rank8):
    adapter = lora(name, 8, ["query", "value"], whole=["classifier"])
    assert adapter.whole_size == head
    assert adapter.size + adapter.whole_size == head + rank8  # 887,042 for the base, as PEFT's SEQ_CLS says
    assert rw.new(built(name), whole="head").whole_size == head


def test_sora_counts_as_lora_and_stores_its_gates_besides():
    for name, targets, count, sites in (
        ("roberta-base", ["query", "value"], 294_912, 24),
        ("roberta-large", ["query", "value"], 786_432, 48),
        ("bert-base", "all-linear", 1_339_392, 73),
    ):
        adapter = rw.new(built(name), rw.methods.SoRA(rank=8), targets)
        assert len(adapter.sites) == sites
        assert adapter.size == count
        assert adapter.stored == count + 8 * sites


@pytest.mark.parametrize(
    ("name", "biases"),
    [("bert-base", 102_144), ("roberta-base", 102_144), ("roberta-large", 271_360), ("deberta-v3-base", 102_912)],
)
def test_bitfit_counts_the_biases_of_the_body(name, biases):
    adapter = rw.new(built(name), whole="bitfit")
    body = {n: t for n, t in adapter.whole.items() if not n.startswith(("classifier", "pooler"))}
    assert sum(t.numel() for t in body.values()) == biases
    assert all(n.endswith("bias") for n in body)
    assert set(adapter.whole) - set(body) >= {n for n in built(name).state_dict() if n.startswith("classifier")}
    assert adapter.sites == ()


@pytest.mark.parametrize(
    ("name", "total"), [("roberta-base", 124_647_170), ("roberta-large", 355_361_794), ("deberta-v3-base", 184_423_682)]
)
def test_full_fine_tuning_counts_every_number(name, total):
    adapter = rw.new(built(name), whole="full")
    assert adapter.whole_size == total
    assert adapter.size == 0


@pytest.mark.parametrize("name", ["gpt2-medium", "gpt2-large"])
def test_full_fine_tuning_counts_a_tied_matrix_once(name):
    model = built(name)
    assert rw.new(model, whole="full").whole_size == sum(p.numel() for p in model.parameters())
    assert "lm_head.weight" not in rw.new(model, whole="full").whole


@pytest.mark.parametrize(("rank", "count"), [(1, 4_718_592), (8, 37_748_736)])
def test_gpt3_by_arithmetic(rank, count):
    """96 layers, query and value, 12,288 wide: 2 * 192 * 12288 * rank. Tensors of one number, seen as large."""
    sites = tuple(Site(f"h.{i}.{m}", 12288, 12288) for i in range(96) for m in "qv")
    one = torch.zeros(1)
    factors = {s.name: {"A": one.expand(rank, 12288), "B": one.expand(12288, rank)} for s in sites}
    adapter = Adapter(rw.methods.LoRA(rank=rank), sites, factors)
    assert adapter.size == adapter.stored == count == 2 * 192 * 12288 * rank
