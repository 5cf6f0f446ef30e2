"""Names, folders and files: what may be read, and that everything else is refused with a reason."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from rankwise.errors import BadFile, UnknownName
from rankwise.models import source
from rankwise.models.source import (
    MINILM_SHA256,
    Source,
    fetch,
    identity,
    resolve,
    sha256,
    verify,
    weight_files,
)


@pytest.fixture
def folder(tmp_path):
    """The smallest thing that looks like a model folder."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    save_file({"w": torch.ones(3)}, tmp_path / "model" / "model.safetensors")
    return tmp_path / "model"


def test_minilm_is_the_packaged_folder_with_the_known_bits():
    minilm = resolve("minilm")
    assert minilm.sha256 == MINILM_SHA256
    assert minilm.hub is None
    assert sha256(fetch(minilm) / "model.safetensors") == MINILM_SHA256


def test_the_package_is_found_without_importing_it():
    assert source.packaged(source.MINILM_PACKAGE) is not None
    assert source.MINILM_PACKAGE not in sys.modules


def test_a_package_that_is_absent_or_holds_no_weights_is_none():
    assert source.packaged("no_such_package_at_all") is None
    assert source.packaged("pytest") is None


def test_a_folder_wins_over_a_hub_name(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert resolve("model") == Source("model", folder=Path("model"))
    assert resolve("no-folder-here") == Source("no-folder-here", hub="no-folder-here")
    assert resolve(folder).folder == folder


def test_an_absent_folder_names_the_nearest(folder):
    with pytest.raises(UnknownName, match=r"there is no such folder") as caught:
        resolve(folder.parent / "modle")
    assert str(folder) in str(caught.value)
    assert caught.value.known == ["model"]


@pytest.mark.parametrize("name", ["", "a/b/c", "two words", "../up", "-x", "x/../y"])
def test_what_is_neither_a_folder_nor_a_hub_name_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownName, match=r"not a hub name such as 'roberta-base'"):
        resolve(name)


def test_a_file_is_no_base_model(folder):
    with pytest.raises(BadFile, match=r"model.safetensors is a file"):
        resolve(folder / "model.safetensors")


def test_without_network_a_hub_name_is_one_clear_error(tmp_path):
    rule = r"base='some/model' is not a folder here, and the model hub cannot be reached"
    with pytest.raises(UnknownName, match=rule) as caught:
        fetch(resolve("some/model"), cache=tmp_path)
    assert "pip install 'rankwise[minilm]'" in str(caught.value)
    assert str(caught.value).count("\n") <= 4


def test_minilm_without_its_package_asks_the_hub_and_says_so(tmp_path):
    absent = Source("minilm", hub=source.MINILM_HUB, sha256=MINILM_SHA256)
    with pytest.raises(UnknownName, match=r"Hub name asked for: sentence-transformers/all-MiniLM-L6-v2"):
        fetch(absent, cache=tmp_path)


def test_what_was_downloaded_before_is_found_without_network(tmp_path):
    cached = tmp_path / "models--some--model"
    (cached / "snapshots" / "abc").mkdir(parents=True)
    (cached / "snapshots" / "abc" / "config.json").write_text("{}")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    assert fetch(resolve("some/model"), cache=tmp_path) == cached / "snapshots" / "abc"


def test_only_safetensors_is_a_weight_file(folder):
    (folder / "pytorch_model.bin").write_bytes(b"never opened")
    assert weight_files(folder) == [folder / "model.safetensors"]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model.bin.index.json"])
def test_a_folder_with_pickles_alone_is_refused(folder, name):
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(b"cos\nsystem\n(S'touch gotcha'\ntR.")
    with pytest.raises(BadFile, match=rf"has no model.safetensors, only {name}") as caught:
        weight_files(folder)
    assert "unpickling a file can run any code" in str(caught.value)
    assert caught.value.found == [name]


def test_a_folder_without_weights_or_config_says_what_is_missing(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadFile, match=r"has no model.safetensors\."):
        weight_files(folder)
    (folder / "config.json").unlink()
    with pytest.raises(BadFile, match=r"has no config.json, so it is no model folder"):
        weight_files(folder)


def test_an_adapter_folder_is_no_base_model(folder):
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(BadFile, match=r"holds an adapter, not a base model.*\n.*\n.*rankwise show"):
        weight_files(folder)


def sharded(folder, names):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))


def test_shards_are_found_through_their_index_and_a_missing_one_is_named(folder):
    shutil.copy(folder / "model.safetensors", folder / "model-1.safetensors")
    sharded(folder, {"w": "model-1.safetensors", "v": "model-2.safetensors"})
    with pytest.raises(BadFile, match=r"lacks model-2.safetensors, named in model.safetensors.index.json"):
        weight_files(folder)
    shutil.copy(folder / "model-1.safetensors", folder / "model-2.safetensors")
    assert [f.name for f in weight_files(folder)] == ["model-1.safetensors", "model-2.safetensors"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": 3}'])
def test_a_broken_index_is_refused(folder, text):
    sharded(folder, {})
    (folder / "model.safetensors.index.json").write_text(text)
    with pytest.raises(BadFile, match=r"is not an index of weight files"):
        weight_files(folder)


def test_an_index_cannot_lead_out_of_its_folder(folder):
    shutil.copy(folder / "model.safetensors", folder.parent / "outside.safetensors")
    sharded(folder, {"w": "../outside.safetensors"})
    with pytest.raises(BadFile, match=r"lacks outside.safetensors"):
        weight_files(folder)


def test_one_flipped_bit_is_refused_with_both_digests(folder):
    file = folder / "model.safetensors"
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    verify(file, expected)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(BadFile, match=r"is not the file it should be") as caught:
        verify(file, expected)
    assert caught.value.expected == expected
    assert caught.value.found == hashlib.sha256(data).hexdigest()
    assert "pip install --force-reinstall" in str(caught.value)


def test_the_digest_of_several_files_depends_on_each_and_on_its_name(folder):
    one, two = folder / "model-1.safetensors", folder / "model-2.safetensors"
    save_file({"a": torch.zeros(2)}, one)
    save_file({"b": torch.zeros(2)}, two)
    lines = "".join(f"{f.name} {hashlib.sha256(f.read_bytes()).hexdigest()}\n" for f in (one, two))
    assert identity([one, two]) == hashlib.sha256(lines.encode()).hexdigest()
    assert identity([one]) == hashlib.sha256(one.read_bytes()).hexdigest()
    assert len({identity([one]), identity([two]), identity([one, two]), identity([two, one])}) == 4
