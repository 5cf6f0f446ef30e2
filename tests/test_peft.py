"""Stock PEFT is the judge: it loads what we save without a word and computes the same, and we read what it saves."""

from __future__ import annotations

import copy
import json
import logging
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from rankwise.core.create import new
from rankwise.core.cut import combine, cut
from rankwise.core.host import attached
from rankwise.core.merge import merge
from rankwise.errors import UnknownName
from rankwise.io import load, save
from rankwise.io.files import CONFIG, NATIVE, NATIVE_JSON, PAIR
from rankwise.methods import LoRA, SoRA
from tests import tiny

peft = pytest.importorskip("peft")
# PEFT 0.21 asks transformers 5.23 for this attribute whatever it loads, its own folders too.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
LAYOUTS = ["compact", "uniform"]
WORDS_OF = {"bert": "classifier", "roberta": "classifier", "deberta": ["classifier", "pooler"]}


class Heard(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


@contextmanager
def silence():
    """Nothing may be said: warnings are errors in this suite, and loggers are listened to."""
    ear = Heard()
    loggers = [logging.getLogger(n) for n in ("", "transformers", "peft", "accelerate", "huggingface_hub")]
    for logger in loggers:
        logger.addHandler(ear)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(ear)
    assert ear.said == []


def stock(family, folder, low_cpu_mem_usage=False):
    """The folder, loaded by PEFT onto a fresh model."""
    with silence():
        model = peft.PeftModel.from_pretrained(tiny.host(family), folder, low_cpu_mem_usage=low_cpu_mem_usage)
    return model.eval()


def pruned(adapter):
    """SoRA with noise everywhere and gates shut: nothing left at every third site, other ranks elsewhere."""
    adapter = tiny.shaken(adapter)
    for i, f in enumerate(adapter.factors.values()):
        f["gate"][: 4 if i % 3 == 0 else i % 4] = 0
    return adapter


def ours(family, adapter):
    with attached(tiny.host(family), adapter) as model:
        return tiny.logits(model, tiny.batch(family))


def same_outputs(family, adapter, folder, tolerance=1e-5):
    expected = ours(family, adapter)
    for low in (False, True):
        found = tiny.logits(stock(family, folder, low), tiny.batch(family))
        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * float(expected.abs().max().clamp(min=1)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", tiny.SIX)
def test_pruned_sora_is_loaded_by_peft_to_equal_outputs(family, layout, tmp_path):
    adapter = pruned(new(tiny.host(family), SoRA(rank=4), "all-linear", whole=WORDS_OF.get(family, ())))
    ranks = adapter.ranks
    assert 0 in ranks.values()
    assert len(set(ranks.values())) > 2
    folder = save(adapter, tmp_path / "a", layout=layout)
    base = tiny.logits(tiny.host(family), tiny.batch(family))
    assert not torch.allclose(ours(family, adapter), base, atol=1e-2)
    same_outputs(family, adapter, folder)
    config = json.loads((folder / CONFIG).read_text())
    if layout == "uniform":
        assert config["rank_pattern"] == config["alpha_pattern"] == {}
        assert set(config["target_modules"]) == set(ranks)
        assert config["r"] == config["lora_alpha"] == 4
    else:
        assert set(config["target_modules"]) == {n for n, r in ranks.items() if r}
        assert config["rank_pattern"] == config["alpha_pattern"] == {n: r for n, r in ranks.items() if r}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", tiny.SIX)
@pytest.mark.parametrize("method", [LoRA(rank=3, alpha=7.0, rslora=True), LoRA(rank=4, alpha=6.0)])
def test_lora_is_loaded_by_peft_to_equal_outputs(method, family, layout, tmp_path):
    adapter = tiny.shaken(new(tiny.host(family), method, tiny.TARGETS[family], whole=WORDS_OF.get(family, ())))
    same_outputs(family, adapter, save(adapter, tmp_path / "a", layout=layout))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", tiny.SIX)
def test_an_adapter_with_nothing_left_still_loads_and_predicts(family, layout, tmp_path):
    adapter = tiny.shaken(new(tiny.host(family), SoRA(rank=4), tiny.TARGETS[family], whole=WORDS_OF.get(family, ())))
    empty = adapter.map(lambda f: f | {"gate": torch.zeros(4)})
    for nothing in (empty, empty.compact()):
        folder = save(nothing, tmp_path / "a", layout=layout, overwrite=True)
        targets = json.loads((folder / CONFIG).read_text())["target_modules"]
        assert len(targets) == (1 if layout == "compact" else len(adapter.sites))
        same_outputs(family, nothing, folder)
        assert load(folder).equal(nothing)


@pytest.mark.parametrize("family", tiny.SIX)
def test_merged_equals_pefts_merge_and_unload(family, tmp_path):
    adapter = pruned(new(tiny.host(family), SoRA(rank=4), "all-linear", whole=WORDS_OF.get(family, ())))
    folder = save(adapter, tmp_path / "a")
    mine = merge(tiny.host(family), adapter).state_dict()
    theirs = stock(family, folder).merge_and_unload().state_dict()
    assert mine.keys() == theirs.keys()
    for name, tensor in mine.items():
        torch.testing.assert_close(theirs[name], tensor, rtol=0, atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", ["bert", "deberta", "t5"])
@pytest.mark.parametrize("whole", ["bitfit", "head"])
def test_bitfit_and_head_only_are_loaded_by_peft(whole, family, layout, tmp_path):
    if family == "t5":  # no head, and one bias-like parameter at most
        whole = ["layer_norm", "relative_attention_bias"]
    adapter = tiny.shaken(new(tiny.host(family), None, whole=whole))
    assert adapter.whole
    same_outputs(family, adapter, save(adapter, tmp_path / "a", layout=layout))


@pytest.mark.parametrize("family", ["bert", "deberta", "gpt2", "bart"])
def test_bitfit_under_a_low_rank_site_is_loaded_by_peft(family, tmp_path):
    adapter = pruned(new(tiny.host(family), SoRA(rank=4), "all-linear", whole="bitfit"))
    folder = save(adapter, tmp_path / "a")
    assert json.loads((folder / CONFIG).read_text())["bias"] == "all"
    same_outputs(family, adapter, folder)
    assert "straight into the base model" in (folder / "README.md").read_text()
    assert load(folder).equal(adapter)


@pytest.mark.parametrize("family", ["bert", "deberta"])
def test_full_fine_tuning_is_loaded_by_peft(family, tmp_path):
    adapter = tiny.shaken(new(tiny.host(family), None, whole="full"), size=0.05)
    folder = save(adapter, tmp_path / "a")
    same_outputs(family, adapter, folder)
    assert load(folder).equal(adapter)


@pytest.mark.parametrize("family", ["gpt2", "t5", "bart"])
def test_a_tied_weight_trained_whole_is_loaded_by_peft_at_every_place(family, tmp_path):
    adapter = tiny.shaken(new(tiny.host(family), LoRA(rank=2), tiny.TARGETS[family], whole=["lm_head"]))
    folder = save(adapter, tmp_path / "a")
    same_outputs(family, adapter, folder)
    assert load(folder).equal(adapter)
    no_native(folder)
    pair = load(folder)
    assert len(pair.whole) > 1
    model = tiny.host(family)
    before = {n: t.clone() for n, t in model.state_dict().items()}
    with attached(model, pair):
        torch.testing.assert_close(tiny.logits(model, tiny.batch(family)), ours(family, adapter), rtol=1e-5, atol=1e-4)
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())


def test_debertas_pooler_is_saved_with_the_classifier(tmp_path):
    adapter = new(tiny.host("deberta"), LoRA(rank=2), ["query_proj"], whole=["classifier", "pooler"])
    config = json.loads((save(adapter, tmp_path / "a") / CONFIG).read_text())
    assert set(config["modules_to_save"]) == {"pooler.dense", "classifier"}


def test_gpt2_is_marked_as_transposed_and_bert_is_not(tmp_path):
    for family, expected in (("gpt2", True), ("bert", False)):
        adapter = new(tiny.host(family), LoRA(rank=2), tiny.TARGETS[family])
        config = json.loads((save(adapter, tmp_path / family) / CONFIG).read_text())
        assert config["fan_in_fan_out"] is expected


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cut_and_combined_adapters_are_loaded_by_peft(layout, tmp_path):
    one = pruned(new(tiny.host("bert"), SoRA(rank=4), "all-linear", seed=1))
    other = tiny.shaken(new(tiny.host("bert"), LoRA(rank=3), ["query", "dense"], seed=2), seed=5)
    for i, adapter in enumerate([cut(one, 7), combine([one, other], [0.5, -0.5]), combine([one, other], how="svd")]):
        folder = save(adapter, tmp_path / str(i), layout=layout)
        same_outputs("bert", adapter, folder)
        assert load(folder).equal(adapter)


class Twins(nn.Module):
    """Names that mislead a suffix or a regular expression: dense and x.dense, a.b and aXb, 1 and 11, a plus sign."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(5, 5)
        self.x = nn.ModuleDict({"dense": nn.Linear(5, 5), "c+d": nn.Linear(5, 5), "(": nn.Linear(5, 5)})
        self.a = nn.ModuleDict({"b": nn.Linear(5, 5), "layer": nn.ModuleList(nn.Linear(5, 5) for _ in range(12))})
        self.w = nn.ModuleDict({"a": nn.ModuleDict({"b": nn.Linear(5, 5)}), "aXb": nn.Linear(5, 5)})

    def forward(self, x):
        order = [self.dense, self.x["dense"], self.x["c+d"], self.x["("], self.a["b"], *self.a["layer"]]
        for layer in [*order, self.w["a"]["b"], self.w["aXb"]]:
            x = torch.tanh(layer(x))
        return x


def twins():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Twins().eval()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "shut",
    [
        ["x.dense"],
        ["dense"],
        ["w.a.b"],
        ["a.b"],
        ["w.aXb"],
        ["a.layer.1"],
        ["a.layer.11"],
        ["x.c+d"],
        ["dense", "a.b"],
        [],
    ],
)
def test_names_that_mislead_a_pattern_hit_no_other_layer(shut, layout, tmp_path):
    names = [n for n, m in twins().named_modules() if isinstance(m, nn.Linear)]
    adapter = tiny.shaken(new(twins(), SoRA(rank=4), names), size=0.15)
    for i, (name, f) in enumerate(adapter.factors.items()):
        f["gate"][: 4 if name in shut else i % 4] = 0
    folder = save(adapter, tmp_path / "a", layout=layout)
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    with attached(twins(), adapter) as model, torch.no_grad():
        expected = model(x)
    for low in (False, True):
        with silence():
            model = peft.PeftModel.from_pretrained(twins(), folder, low_cpu_mem_usage=low).eval()
        hit = {n.removeprefix("base_model.model.") for n, m in model.named_modules() if hasattr(m, "lora_A")}
        assert hit == (set(names) if layout == "uniform" else {n for n, r in adapter.ranks.items() if r})
        with torch.no_grad():
            torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "modules",
    [["dense"], ["x.dense"], ["a.b"], ["w.aXb", "a.layer.1"], ["x.c+d", "x.("], ["dense", "x.dense"], ["w.a.b"]],
)
def test_modules_trained_whole_with_misleading_names(modules, tmp_path):
    layers = {n: m for n, m in twins().named_modules() if isinstance(m, nn.Linear)}
    low_rank = new(twins(), LoRA(rank=2), [n for n in layers if n not in modules], exclude=modules)
    whole = {f"{n}.{leaf}": t.detach() for n in modules for leaf, t in layers[n].named_parameters()}
    factors = {n: f for n, f in low_rank.factors.items() if n not in modules}
    sites = tuple(s for s in low_rank.sites if s.name in factors)
    adapter = tiny.shaken(replace(low_rank, sites=sites, factors=factors, whole=whole), size=0.15)
    folder = save(adapter, tmp_path / "a")
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    with attached(twins(), adapter) as model, torch.no_grad():
        expected = model(x)
    for low in (False, True):
        with silence():
            model = peft.PeftModel.from_pretrained(twins(), folder, low_cpu_mem_usage=low).eval()
        with torch.no_grad():
            torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-5)
    assert load(folder).equal(adapter)


def test_uniform_pads_to_a_power_of_two(tmp_path):
    adapter = tiny.shaken(new(tiny.host("bert"), LoRA(rank=5), ["query"]))
    folder = save(adapter, tmp_path / "a", layout="uniform")
    tensors = load_file(folder / PAIR)
    assert {len(t) for n, t in tensors.items() if "lora_A" in n} == {8}
    assert {t.shape[1] for n, t in tensors.items() if "lora_B" in n} == {8}
    with pytest.raises(UnknownName, match="layout='uniformly'"):
        save(adapter, tmp_path / "b", layout="uniformly")
    assert not (tmp_path / "b").exists()


# ---- reading what PEFT wrote ----------------------------------------------------------------------------------------


def written(family, folder, seed=0, **config):
    """A PEFT adapter with noise in B, saved by PEFT; its logits."""
    base = tiny.host(family)
    settings = {"target_modules": tiny.TARGETS[family], "fan_in_fan_out": family == "gpt2"} | config
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = peft.get_peft_model(base, peft.LoraConfig(**settings)).eval()
        with torch.no_grad():
            for name, p in model.named_parameters():
                if "lora_B" in name or "modules_to_save" in name or (p.requires_grad and name.endswith("bias")):
                    p.add_(0.3 * torch.randn(p.shape))
    model.save_pretrained(folder)
    return tiny.logits(model, tiny.batch(family))


def no_native(folder):
    """What is left when somebody deletes our own files."""
    (folder / NATIVE).unlink()
    (folder / NATIVE_JSON).unlink()


CONFIGS = {
    "lora": {"r": 3, "lora_alpha": 7},
    "rslora": {"r": 4, "lora_alpha": 7, "use_rslora": True},
    "gaussian": {"r": 2, "lora_alpha": 2, "init_lora_weights": "gaussian", "lora_dropout": 0.25},
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("family", tiny.SIX)
def test_what_peft_wrote_is_read_to_equal_logits(family, config, tmp_path):
    expected = written(family, tmp_path / "a", **config)
    adapter = load(tmp_path / "a")
    assert adapter.method == LoRA(rank=config["r"], alpha=config["r"], dropout=config.get("lora_dropout", 0.0))
    torch.testing.assert_close(ours(family, adapter), expected, rtol=1e-5, atol=1e-5)
    folder = save(adapter, tmp_path / "b")
    same_outputs(family, adapter, folder)


def test_rank_and_alpha_patterns_are_read_as_peft_reads_them(tmp_path):
    config = {
        "r": 2,
        "lora_alpha": 5,
        "target_modules": ["query", "value", "dense"],
        "rank_pattern": {"layer.1.attention.self.query": 4, r"layer\.\d\..*\.value": 3, "^bert.pooler.dense$": 1},
        "alpha_pattern": {"query": 9, "value": 2},
    }
    for rslora in (False, True):
        expected = written("bert", tmp_path / str(rslora), use_rslora=rslora, **config)
        adapter = load(tmp_path / str(rslora))
        assert sorted(set(adapter.ranks.values())) == [1, 2, 3, 4]
        torch.testing.assert_close(ours("bert", adapter), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bias", ["none", "all", "lora_only"])
def test_heads_and_biases_that_peft_saved_are_read(bias, tmp_path):
    expected = written("bert", tmp_path / "a", r=2, modules_to_save=["classifier"], bias=bias)
    adapter = load(tmp_path / "a")
    assert {"classifier.weight", "classifier.bias"} <= set(adapter.whole)
    assert ("bert.encoder.layer.0.attention.self.query.bias" in adapter.whole) == (bias != "none")
    torch.testing.assert_close(ours("bert", adapter), expected, rtol=1e-5, atol=1e-5)


def test_a_head_that_peft_saved_for_its_task_type_is_read(tmp_path):
    expected = written("roberta", tmp_path / "a", r=2, task_type="SEQ_CLS")
    adapter = load(tmp_path / "a")
    assert {n.split(".")[0] for n in adapter.whole} == {"classifier"}
    torch.testing.assert_close(ours("roberta", adapter), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", tiny.SIX)
def test_our_own_pair_without_the_native_files_gives_equal_logits(family, layout, tmp_path):
    adapter = pruned(new(tiny.host(family), SoRA(rank=4), "all-linear", whole=WORDS_OF.get(family, ())))
    folder = save(adapter, tmp_path / "a", layout=layout)
    no_native(folder)
    again = load(folder)
    assert again.method.kind == "lora"
    torch.testing.assert_close(ours(family, again), ours(family, adapter), rtol=1e-5, atol=1e-5)


def test_what_peft_saves_over_our_folder_is_what_is_read(tmp_path):
    adapter = pruned(new(tiny.host("bert"), SoRA(rank=4), "all-linear"))
    folder = save(adapter, tmp_path / "a")
    model = stock("bert", folder)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.mul_(2)
    model.save_pretrained(folder)
    expected = tiny.logits(model, tiny.batch("bert"))
    with pytest.warns(UserWarning, match="adapter_model.safetensors was changed after rankwise wrote the folder"):
        again = load(folder)
    torch.testing.assert_close(ours("bert", again), expected, rtol=1e-5, atol=1e-5)
    assert again.sites == adapter.sites


def test_half_precision_factors_are_loaded_by_peft(tmp_path):
    adapter = pruned(new(tiny.host("bert"), SoRA(rank=4), "all-linear")).to(torch.bfloat16)
    folder = save(adapter, tmp_path / "a")
    assert load(folder).equal(adapter)
    expected = ours("bert", copy.deepcopy(adapter))
    found = tiny.logits(stock("bert", folder), tiny.batch("bert"))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
