"""A new adapter: what is trained whole, presets, tied weights, newly initialised modules, ranks that do not fit."""

from __future__ import annotations

import pytest
import torch

import rankwise as rw
from rankwise.core.site import mark_fresh
from rankwise.errors import NoSites, RankError, UnknownName
from tests import tiny

LORA = rw.methods.LoRA(rank=4)


def names(model, whole, **options):
    return sorted(rw.new(model, whole=whole, **options).whole)


def test_full_is_every_parameter():
    model = tiny.host("bert")
    adapter = rw.new(model, whole="full")
    assert sorted(adapter.whole) == sorted(n for n, _ in model.named_parameters())
    assert adapter.whole_size == sum(p.numel() for p in model.parameters())
    assert adapter.sites == ()
    assert adapter.mean_rank == 0.0


def test_bitfit_is_every_bias_of_the_body_and_the_head():
    model = tiny.host("bert")
    mark_fresh(model, ["classifier.weight", "classifier.bias"])
    every = [n for n, _ in model.named_parameters()]
    body = [n for n in every if n.endswith("bias") and n.startswith(("bert.embeddings", "bert.encoder"))]
    assert len(body) == 1 + 2 * 8  # the embeddings' norm; six maps and two norms a layer
    assert names(model, "bitfit") == sorted([*body, "classifier.weight", "classifier.bias"])


@pytest.mark.parametrize(
    ("family", "head"),
    [
        ("bert", ["classifier.bias", "classifier.weight"]),
        ("roberta", [f"classifier.{m}.{p}" for m in ("dense", "out_proj") for p in ("bias", "weight")]),
    ],
)
def test_head_is_the_task_head_alone(family, head):
    assert names(tiny.host(family), "head") == head


def test_names_and_suffixes_of_modules_and_parameters():
    model = tiny.host("bert")
    mark_fresh(model, [])
    assert names(model, ["classifier"]) == ["classifier.bias", "classifier.weight"]
    assert names(model, "pooler.dense.bias") == ["bert.pooler.dense.bias"]
    assert len(names(model, ["LayerNorm"])) == 2 * (1 + 2 * 2)
    assert names(model, ["0.output.dense"]) == [f"bert.encoder.layer.0.output.dense.{p}" for p in ("bias", "weight")]
    with pytest.raises(NoSites):
        names(model, ["assifier"])  # part of a name


def test_deberta_s_new_pooler_is_trained_whole_without_being_asked_for():
    model = tiny.host("deberta")
    new = ["pooler.dense.weight", "pooler.dense.bias", "classifier.weight", "classifier.bias"]
    mark_fresh(model, new)
    adapter = rw.new(model, LORA, ["query_proj"])
    assert sorted(adapter.whole) == sorted(new)
    assert names(model, ["classifier"]) == sorted(new)
    rw.attach(model, adapter)
    trains = {n for n, p in model.named_parameters() if p.requires_grad}
    assert {n for n in trains if ".boxes." not in n} == set(new)


def test_an_encoders_unused_new_pooler_stays_out_where_a_head_of_ours_pools():
    model = tiny.host("bert").bert
    mark_fresh(model, ["pooler.dense.weight", "pooler.dense.bias"])
    head = rw.Head("single", ("a", "b"), hidden=tiny.WIDTH)
    assert rw.new(model, LORA, heads={"stars": head}).whole == {}
    assert sorted(rw.new(model, LORA).whole) == ["pooler.dense.bias", "pooler.dense.weight"]


def test_a_map_that_is_trained_whole_is_no_site():
    model = tiny.host("bert")
    adapter = rw.new(model, LORA, "all-linear", whole=["pooler", "0.attention.self.query.bias"])
    sites = [s.name for s in adapter.sites]
    assert "bert.pooler.dense" not in sites
    assert "bert.encoder.layer.0.attention.self.query" in sites  # only its bias is trained whole


@pytest.mark.parametrize(
    ("family", "pattern", "name"),
    [
        ("gpt2", ["wte"], "transformer.wte.weight"),
        ("gpt2", ["lm_head"], "transformer.wte.weight"),
        ("t5", ["shared"], "shared.weight"),
        ("t5", ["lm_head"], "shared.weight"),
        ("bart", ["lm_head"], "model.shared.weight"),
    ],
)
def test_a_tied_weight_is_trained_once_under_its_first_name(family, pattern, name):
    assert names(tiny.host(family), pattern) == [name]


def test_whole_tensors_are_copies_on_the_cpu():
    model = tiny.host("bert")
    adapter = rw.new(model, whole=["classifier"])
    adapter.whole["classifier.bias"].zero_()
    assert torch.count_nonzero(model.classifier.bias) > 0
    assert not adapter.whole["classifier.bias"].requires_grad


def test_heads_start_from_the_seed():
    model, head = tiny.host("bert").bert, rw.Head("single", ("a", "b"), hidden=tiny.WIDTH)
    one, again, other = (rw.new(model, LORA, heads={"t": head}, seed=s) for s in (1, 1, 2))
    assert one.equal(again)
    assert not torch.equal(one.head_weights["t"]["weight_0"], other.head_weights["t"]["weight_0"])


def test_the_adapter_remembers_its_base():
    model = tiny.host("bert")
    model.rankwise_base = {"name": "tiny", "sha256": "0" * 64, "class": "BertForSequenceClassification"}
    assert rw.new(model, LORA).base == model.rankwise_base
    assert rw.new(tiny.host("bert"), LORA).base == {}


def test_making_an_adapter_does_not_touch_the_global_generator():
    torch.manual_seed(0)
    want = torch.rand(3)
    torch.manual_seed(0)
    rw.new(tiny.host("bert"), LORA, heads={"t": rw.Head("single", ("a",), hidden=tiny.WIDTH)})
    assert torch.equal(torch.rand(3), want)


def test_a_rank_larger_than_the_map_says_what_fits():
    with pytest.raises(RankError) as caught:
        rw.new(tiny.plain(), rw.methods.LoRA(rank=7), ["body.0"])
    assert str(caught.value) == (
        "rank 7 is larger than body.0 (6 -> 6).\n"
        "  A map of that size holds at most rank 6.\n"
        "  Use rank=6 or less, or exclude that layer."
    )
    assert caught.value.rank == 7
    assert caught.value.site.name == "body.0"
    assert isinstance(caught.value, ValueError)
    assert rw.new(tiny.plain(), rw.methods.LoRA(rank=6), ["body.0"]).ranks == {"body.0": 6}  # as large as it gets


def test_a_whole_pattern_that_names_nothing_says_what_is_near():
    with pytest.raises(NoSites) as caught:
        rw.new(tiny.host("bert"), LORA, whole=["clasifier"])
    message = str(caught.value).splitlines()
    assert message[0] == "whole='clasifier' names no module or parameter of this model."
    assert message[1] == "  It is a name, a dotted suffix, or one of the presets full, bitfit, head."
    assert message[2].startswith("  Nearest here: classifier")
    assert caught.value.pattern == "clasifier"


def test_targets_of_which_all_are_trained_whole_say_so():
    with pytest.raises(NoSites, match=r"names 1 maps, and all are trained whole already") as caught:
        rw.new(tiny.host("bert"), LORA, ["pooler.dense"], whole=["pooler"])
    assert "whole= without 'bert.pooler.dense'" in str(caught.value)
    with pytest.raises(NoSites):
        rw.new(tiny.host("bert"), LORA, whole="full")


def test_a_tied_map_is_no_site_when_its_weight_is_trained_whole_elsewhere():
    model = tiny.host("gpt2")
    sites = [s.name for s in rw.new(model, LORA, ["c_attn", "lm_head"], whole=["wte"]).sites]
    assert sites == ["transformer.h.0.attn.c_attn", "transformer.h.1.attn.c_attn"]


def test_the_name_of_a_method_is_no_method():
    with pytest.raises(UnknownName, match=r"method='sora' is a name(.|\n)*methods.SoRA\(rank=8"):
        rw.new(tiny.plain(), "sora")
