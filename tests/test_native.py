"""Exact round trips: adapters with everything in them, and the state of a run, to the bit."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.core.adapter import Adapter
from rankwise.core.create import Whole, new
from rankwise.core.cut import Plain
from rankwise.core.head import Head
from rankwise.core.site import Site
from rankwise.errors import BadFile, FolderExists
from rankwise.io import load, save
from rankwise.io.files import CONFIG, NATIVE, NATIVE_JSON, PAIR, PICKLED, STATE
from rankwise.io.native import load_state, save_state
from rankwise.io.tree import dump, pack, parse
from rankwise.methods import METHODS, LoRA, SoRA
from tests import tiny

DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex64,
    torch.complex128,
]


def same(one, other):
    """Equal in type, structure and every bit; nan equals the same nan."""
    if isinstance(one, torch.Tensor):
        alike = isinstance(other, torch.Tensor) and one.dtype == other.dtype and one.shape == other.shape
        flat = [t.detach().contiguous().reshape(-1).view(torch.uint8).tolist() for t in (one, other)] if alike else []
        return alike and flat[0] == flat[1]
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        pairs = zip(one.items(), other.items(), strict=True) if len(one) == len(other) else [((0, 0), (1, 1))]
        return all(same(a, b) for pair in pairs for a, b in zip(*pair, strict=True))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return one == other and (not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other))


@st.composite
def tensors(draw):
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    size = math.prod(shape) * torch.empty(0, dtype=dtype).element_size()
    raw = draw(st.binary(min_size=size, max_size=size))
    if dtype == torch.bool:
        raw = bytes(b & 1 for b in raw)
    flat = torch.frombuffer(bytearray(raw), dtype=dtype) if size else torch.empty(0, dtype=dtype)
    tensor = flat.reshape(shape)
    return tensor.T if tensor.ndim == 2 and draw(st.booleans()) else tensor  # not contiguous


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=5), tensors()
)
keys = st.one_of(st.text(max_size=3), st.integers(), st.booleans(), st.none(), st.tuples(st.integers(), st.text()))
trees = st.recursive(
    leaves,
    lambda t: st.lists(t, max_size=3) | st.lists(t, max_size=3).map(tuple) | st.dictionaries(keys, t, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(trees)
def test_any_tree_comes_back_to_the_bit(tree):
    assert same(parse(dump(tree), "file"), tree)


def test_the_state_of_an_optimizer_and_of_three_generators_comes_back(tmp_path):
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1, betas=(0.8, 0.99))
    layer(torch.ones(3)).sum().backward()
    optimizer.step()
    state = {
        "optimizer": optimizer.state_dict(),
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "best": -math.inf,
        "shared": [layer.weight, layer.weight.T, layer.weight[0]],
        "odd": {"dict": {"list": [1]}, "tensor": "7", "float": "nan"},  # words that the format itself uses
    }
    adapter = tiny.shaken(new(tiny.plain(), SoRA(rank=2)))
    folder = save_state(tmp_path / "last", adapter, state)
    again, found = load_state(folder)
    assert again.equal(adapter)
    assert same(found, {**state, "shared": [t.detach() for t in state["shared"]]})
    optimizer.load_state_dict(found["optimizer"])
    random.setstate(found["python"])


def test_a_state_folder_is_replaced_and_read_as_an_adapter(tmp_path):
    adapter = tiny.shaken(new(tiny.plain(), LoRA(rank=2), ["body.0"], whole=["classifier"]))
    save_state(tmp_path / "last", adapter, {"step": 1})
    folder = save_state(tmp_path / "last", adapter, {"step": 2})
    assert load_state(folder)[1] == {"step": 2}
    assert load(folder).equal(adapter)
    assert sorted(p.name for p in folder.iterdir()) == [NATIVE_JSON, NATIVE, STATE]


def test_what_cannot_be_written_without_pickling_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"state\['a'\]\[1\] is a set"):
        save_state(tmp_path / "last", new(tiny.plain(), LoRA(rank=2)), {"a": [0, {1}]})
    assert not (tmp_path / "last").exists()
    with pytest.raises(TypeError, match="sparse"):
        dump(torch.eye(2).to_sparse())


def test_a_state_is_never_written_over_something_else(tmp_path):
    (tmp_path / "last").mkdir()
    (tmp_path / "last" / "letter.txt").write_text("dear")
    with pytest.raises(FolderExists, match="without an adapter"):
        save_state(tmp_path / "last", new(tiny.plain(), LoRA(rank=2)), {})


# ---- adapters -------------------------------------------------------------------------------------------------------


def rich(method=None):
    """Gates at zero, an empty site, heads of two kinds, a name with a slash, a bias, a base."""
    heads = {
        "stars": Head("single", ("1", "2 stars"), hidden=6, layers=(4,), dropout=0.1),
        "price/€": Head("regression", (), hidden=6, center=1 / 3, spread=0.1),
    }
    adapter = new(
        tiny.plain(), method or SoRA(rank=4, target_rank=1.5), "all-linear", whole=["body.2.bias"], heads=heads
    )
    adapter = tiny.shaken(adapter)
    first = next(iter(adapter.factors.values()))
    if "gate" in first:
        first["gate"][1] = 0
    return replace(adapter, base={"name": "tiny", "sha256": "00", "class": "Plain", "layers": 2})


@pytest.mark.parametrize("kind", list(METHODS))
@pytest.mark.parametrize("layout", ["compact", "uniform"])
def test_every_registered_method_comes_back_exactly(kind, layout, tmp_path):
    adapter = rich(tiny.small(METHODS[kind]))
    again = load(save(adapter, tmp_path / "a", layout=layout))
    assert again.equal(adapter)
    assert (again.base, list(again.whole), list(again.heads)) == (
        adapter.base,
        list(adapter.whole),
        list(adapter.heads),
    )
    assert list(again.factors) == list(adapter.factors)


def test_methods_of_the_core_come_back_too(tmp_path):
    head_only = new(tiny.plain(), None, whole="head", heads={"t": Head("multi", ("a",), hidden=6)})
    plain = replace(rich(LoRA(rank=2)), method=Plain(rank=2, dropout=0.5))
    for i, adapter in enumerate([head_only, plain]):
        again = load(save(adapter, tmp_path / str(i)))
        assert again.equal(adapter)
    assert load(tmp_path / "0").method == Whole()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_dtypes_come_back(dtype, tmp_path):
    adapter = rich().to(dtype)
    assert load(save(adapter, tmp_path / "a")).equal(adapter)


def test_sites_keep_what_they_say_of_the_host(tmp_path):
    sites = (Site("a", 3, 4, rows=(1, 3)), Site("b", 3, 4, transposed=True))
    adapter = Adapter(LoRA(rank=1), sites, {})
    save_state(tmp_path / "a", adapter, None)
    again = load(tmp_path / "a")
    assert again.sites[0].rows == (1, 3)
    assert again.sites[1].transposed


def test_the_same_adapter_gives_the_same_bytes(tmp_path):
    for name in "ab":
        save(rich(), tmp_path / name, extra={"run.jsonl": b"{}\n"})
    one, other = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in "ab")
    assert one == other
    assert one["run.jsonl"] == b"{}\n"
    assert "run.jsonl" in json.loads(one[NATIVE_JSON])["files"]


def test_saving_over_a_folder_is_refused_before_any_work_and_says_how(tmp_path):
    folder = save(rich(), tmp_path / "a")
    with pytest.raises(FolderExists, match="overwrite=True"):
        save(rich(LoRA(rank=1)), folder)
    assert load(folder).equal(rich())
    save(rich(LoRA(rank=1)), folder, overwrite=True)
    assert load(folder).equal(rich(LoRA(rank=1)))


def test_the_card_says_how_to_load(tmp_path):
    card = (save(rich(), tmp_path / "a") / "README.md").read_text()
    for part in ("PeftModel.from_pretrained", "rw.load", "SoRA", "`tiny`", "`stars`", "compact"):
        assert part in card


# ---- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [NATIVE, PAIR, NATIVE_JSON])
@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, -1])
def test_a_truncated_file_is_named(name, keep, tmp_path):
    folder = save(rich(), tmp_path / "a")
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    if name == NATIVE_JSON and keep == -1:
        return  # only the last newline is gone
    with pytest.raises(BadFile, match=name.replace(".", r"\.")) as caught:
        load(folder)
    assert caught.value.path == folder / name


@pytest.mark.parametrize("name", [NATIVE, PAIR])
def test_a_foreign_file_is_named(name, tmp_path):
    folder = save(rich(), tmp_path / "a")
    (folder / name).write_bytes(b"PK\x03\x04 this is a zip file, or so it says, and long enough to look like one")
    with pytest.raises(BadFile, match=r"Expected a whole safetensors file"):
        load(folder)


def test_weights_that_are_no_adapter_are_named(tmp_path):
    folder = save(rich(), tmp_path / "a")
    (folder / NATIVE_JSON).unlink()
    (folder / PAIR).write_bytes(pack({"body.0.weight": torch.zeros(6, 6)}))
    with pytest.raises(BadFile, match=r"'body.0.weight' is not a name that PEFT writes"):
        load(folder)


def test_a_truncated_pair_of_peft_is_named(tmp_path):
    folder = save(rich(), tmp_path / "a")
    (folder / NATIVE_JSON).unlink()
    data = (folder / PAIR).read_bytes()
    (folder / PAIR).write_bytes(data[:-7])
    with pytest.raises(BadFile, match="truncated"):
        load(folder)


def test_a_pair_that_does_not_fit_its_configuration_is_named(tmp_path):
    folder = save(replace(rich(LoRA(rank=4)), heads={}, head_weights={}), tmp_path / "a")
    (folder / NATIVE_JSON).unlink()
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"r": 3}))
    with pytest.raises(BadFile, match=r"has rank 4, and adapter_config.json says 3"):
        load(folder)
    (folder / CONFIG).write_text("[]")
    with pytest.raises(BadFile, match="no PEFT configuration"):
        load(folder)


def test_a_pickle_is_never_opened(tmp_path):
    folder = save(rich(), tmp_path / "a")
    for name in (NATIVE_JSON, NATIVE, PAIR):
        (folder / name).unlink()
    (folder / PICKLED).write_bytes(b"cos\nsystem\n(S'echo broken'\ntR.")
    with pytest.raises(BadFile, match=r"is a pickle, and rankwise never unpickles"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"peft_type": "ADALORA"}, "peft_type ADALORA"),
        ({"peft_type": "IA3"}, "peft_type IA3"),
        ({"use_dora": True}, "DoRA"),
        ({"target_parameters": ["w"]}, "target_parameters"),
        ({"init_lora_weights": "pissa_niter_4"}, "pissa_niter_4"),
    ],
)
def test_other_types_of_peft_are_named(change, says, tmp_path):
    folder = save(rich(), tmp_path / "a")
    (folder / NATIVE_JSON).unlink()
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | change))
    with pytest.raises(BadFile, match=says):
        load(folder)


def test_without_native_tensors_the_pair_is_read_unless_heads_would_be_lost(tmp_path):
    bare = replace(rich(), heads={}, head_weights={})
    folder = save(bare, tmp_path / "a")
    (folder / NATIVE).unlink()
    with pytest.warns(UserWarning, match=r"rankwise.safetensors is missing, so the PEFT files are read"):
        again = load(folder)
    assert again.sites == bare.sites
    assert again.ranks == bare.ranks
    folder = save(rich(), tmp_path / "b")
    (folder / NATIVE).unlink()
    with pytest.raises(BadFile, match=r"saved with heads \(stars, price/€\), and they are lost"):
        load(folder)


def test_native_tensors_of_another_adapter_are_noticed(tmp_path):
    bare = replace(rich(), heads={}, head_weights={})
    folder, other = save(bare, tmp_path / "a"), save(tiny.shaken(bare, seed=3), tmp_path / "b")
    (folder / NATIVE).write_bytes((other / NATIVE).read_bytes())
    with pytest.warns(UserWarning, match="was changed after rankwise wrote the folder"):
        again = load(folder)
    for name, f in bare.compact().factors.items():
        a, b = bare.method.lora(f)
        torch.testing.assert_close(again.factors[name]["B"] @ again.factors[name]["A"], b @ a)


def test_without_the_pair_the_native_files_are_enough_when_they_hold_everything(tmp_path):
    bare = replace(rich(), whole={})
    folder = save(bare, tmp_path / "a")
    (folder / PAIR).unlink()
    assert load(folder).equal(bare)
    folder = save(rich(), tmp_path / "b")
    (folder / PAIR).unlink()
    with pytest.raises(BadFile, match=r"body\.2\.bias"):
        load(folder)


def test_a_folder_of_a_later_format_or_an_unknown_method_says_so(tmp_path):
    folder = save(rich(), tmp_path / "a")
    about = json.loads((folder / NATIVE_JSON).read_text())
    (folder / NATIVE_JSON).write_text(json.dumps(about | {"format": 2}))
    with pytest.raises(BadFile, match=r"has format 2[\s\S]*pip install -U rankwise"):
        load(folder)
    (folder / NATIVE_JSON).write_text(json.dumps(about | {"method": {"kind": "sorra", "rank": 4}}))
    with pytest.raises(BadFile, match=r"does not know: 'sorra'[\s\S]*sora"):
        load(folder)


def test_a_folder_without_an_adapter_names_the_ones_in_it(tmp_path):
    save(rich(), tmp_path / "out.run" / "best")
    with pytest.raises(BadFile, match=r"out.run is no adapter folder[\s\S]*Adapters in it: best[\s\S]*out.run/best"):
        load(tmp_path / "out.run")


def test_a_state_of_another_run_is_noticed(tmp_path):
    adapter = rich()
    one, other = save_state(tmp_path / "a", adapter, {"s": 1}), save_state(tmp_path / "b", adapter, {"s": 2})
    (one / STATE).write_bytes((other / STATE).read_bytes())
    with pytest.raises(BadFile, match=r"state\.safetensors"):
        load_state(one)
    (one / STATE).unlink()
    with pytest.raises(BadFile, match=r"state\.safetensors is missing"):
        load_state(one)
