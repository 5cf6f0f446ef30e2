"""Attaching and detaching: several adapters, rows, whole parameters, tied weights, heads, and refusals."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn

import rankwise as rw
from rankwise.core import host
from rankwise.errors import AttachError, UnknownName, WrongBase
from tests import tiny

LORA = rw.methods.LoRA(rank=4)
HEAD = rw.Head("single", ("a", "b"), hidden=tiny.WIDTH)


def made(model, seed=0, method=LORA, targets="all-linear", **options):
    return tiny.shaken(rw.new(model, method, targets, **options), seed)


def test_several_methods_ranks_and_sites_go_on_together():
    model, batch = tiny.host("bert", torch.float64), tiny.batch("bert")
    three = {
        "a": made(model, 1, targets=["query"]),
        "b": made(model, 2, rw.methods.SoRA(rank=2), ["query", "value"]),
        "empty": rw.new(model, LORA, ["key"]).map(lambda f: f),
    }
    want = []
    for i, name in enumerate(["b", "a", None]):
        if name is None:
            want.append(tiny.logits(model, batch)[i])
            continue
        with rw.attached(model, three[name]):
            want.append(tiny.logits(model, batch)[i])
    rw.attach(model, three)
    with rw.rows(model, ["b", "a", None]):
        torch.testing.assert_close(tiny.logits(model, batch), torch.stack(want), rtol=0, atol=1e-9)
    back = rw.detach(model)
    assert list(back) == ["a", "b", "empty"]
    assert all(back[n].equal(three[n]) for n in three)


def test_rows_learn_their_own_adapter_alone():
    model, batch = tiny.host("bert"), tiny.batch("bert")
    rw.attach(model, {"a": made(model, 1), "b": made(model, 2)})
    with rw.rows(model, ["a", None, "a"]):
        tiny.loss(model, batch).backward()
    assert all(t.grad is not None for f in host.live(model, "a").values() for t in f.values())
    assert all(t.grad is None for f in host.live(model, "b").values() for t in f.values())


def test_beams_follow_their_row():
    for family in ("gpt2", "t5", "bart"):
        model, batch = tiny.host(family, torch.float64), tiny.batch(family)
        prompt = {"input_ids": batch["input_ids"][:2], "attention_mask": batch["attention_mask"][:2]}
        two = {"a": made(model, 1), "b": made(model, 2)}

        def written(model, prompt):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = model.generate(**prompt, num_beams=3, max_new_tokens=4, min_new_tokens=4, do_sample=False)
            return found.tolist()

        want = []
        for i, name in enumerate("ba"):
            with rw.attached(model, two[name]):
                want.append(written(model, prompt)[i])
        with rw.attached(model, two), rw.rows(model, ["b", "a"]):
            assert written(model, prompt) == want, family


def test_a_table_that_all_rows_share_takes_one_adapter_at_a_time():
    # DeBERTa sends its table of positions [1, span, width] through the query and key maps of every layer
    model, batch = tiny.host("deberta", torch.float64), tiny.batch("deberta")
    two = {"a": made(model, 1), "b": made(model, 2)}
    with rw.attached(model, two["b"]):
        want = tiny.logits(model, batch)
    rw.attach(model, two)
    with rw.rows(model, ["b"] * 3):
        torch.testing.assert_close(tiny.logits(model, batch), want, rtol=0, atol=1e-9)
    with rw.rows(model, ["a", "b", None]), pytest.raises(AttachError) as caught:
        tiny.logits(model, batch)
    message = str(caught.value)
    assert "query_proj: 3 rows were named, and a batch of 1 came" in message
    assert "rows of one adapter at a time" in message


def test_rows_that_do_not_divide_the_batch_are_refused():
    model, batch = tiny.host("bert"), tiny.batch("bert")
    rw.attach(model, {"a": made(model, 1), "b": made(model, 2)})
    with (
        rw.rows(model, ["a", "b"]),
        pytest.raises(AttachError, match=r"query: 2 rows were named, and a batch of 3 came"),
    ):
        tiny.logits(model, batch)


def test_rows_end_with_the_block_error_or_not():
    model, batch = tiny.host("bert"), tiny.batch("bert")
    base = tiny.logits(model, batch)
    rw.attach(model, {"a": made(model, 1), "b": made(model, 2)})
    with pytest.raises(ZeroDivisionError), rw.rows(model, ["a", "a", "a"]):
        raise ZeroDivisionError
    torch.testing.assert_close(tiny.logits(model, batch), base, rtol=0, atol=0)


def test_a_row_of_an_unknown_adapter_names_the_nearest():
    model = tiny.host("bert")
    rw.attach(model, {"stars": made(model), "topics": made(model)})
    with (
        pytest.raises(
            AttachError, match=r"no adapter 'topic' is attached.\n  There are stars, topics. Nearest: topics"
        ),
        rw.rows(model, ["topic"]),
    ):
        pass
    with pytest.raises(AttachError, match="no adapter 'star' is attached"):
        host.live(model, "star")


@pytest.mark.parametrize(
    ("family", "first", "second"),
    [
        ("gpt2", "transformer.wte", "lm_head"),
        ("t5", "shared", "lm_head"),
        ("bart", "model.shared", "lm_head"),
    ],
)
def test_a_tied_weight_is_trained_once_and_tied_again(family, first, second):
    model, batch = tiny.host(family).train(), tiny.batch(family)
    old = model.get_submodule(first).weight
    places = [n for n, p in model.named_parameters(remove_duplicate=False) if p is old]
    assert len(places) > 1
    before = old.detach().clone()
    rw.attach(model, rw.new(model, LORA, tiny.TARGETS[family], whole=[second]))
    live = dict(model.named_parameters(remove_duplicate=False))
    assert len({id(live[n]) for n in places}) == 1
    new = live[places[0]]
    assert new is not old
    assert new.requires_grad
    assert sum(p is new for p in host.trainable(model)) == 1
    optimizer = torch.optim.SGD(host.trainable(model), 0.1)
    tiny.loss(model, batch).backward()
    optimizer.step()
    assert not torch.equal(new, before)
    trained = rw.detach(model)
    assert list(trained.whole) == [f"{first}.weight"]
    assert torch.equal(trained.whole[f"{first}.weight"], new)
    assert torch.equal(old, before)
    live = dict(model.named_parameters(remove_duplicate=False))
    assert all(live[n] is old for n in places)
    rw.attach(model, trained)  # and on again: still one parameter
    live = dict(model.named_parameters(remove_duplicate=False))
    assert len({id(live[n]) for n in places}) == 1


def test_full_fine_tuning_leaves_and_takes_back_every_parameter():
    model, batch = tiny.host("bert").train(), tiny.batch("bert")
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    rw.attach(model, rw.new(model, whole="full"))
    optimizer = torch.optim.SGD(host.trainable(model), 0.1)
    tiny.loss(model, batch).backward()
    optimizer.step()
    trained = rw.detach(model)
    assert all(torch.equal(p, before[n]) for n, p in model.named_parameters())
    assert sum(not torch.equal(trained.whole[n], before[n]) for n in before) > len(before) - 3  # key biases do nothing


def test_a_bias_under_a_low_rank_site_is_trained_whole():
    model, batch = tiny.host("bert").train(), tiny.batch("bert")
    rw.attach(model, rw.new(model, LORA, ["value"], whole=["value.bias"]))
    tiny.loss(model, batch).backward()
    live = host.live_whole(model)
    assert sorted(live) == [f"bert.encoder.layer.{i}.attention.self.value.bias" for i in (0, 1)]
    assert all(p.grad.abs().sum() > 0 for p in live.values())
    assert model.get_submodule("bert.encoder.layer.0.attention.self.value").bias is live[next(iter(live))]
    rw.detach(model)


def test_parameters_trained_whole_take_the_type_of_the_host():
    trained = made(tiny.host("bert"), whole=["classifier", "LayerNorm"])  # in float32
    model, batch = tiny.host("bert", torch.bfloat16), tiny.batch("bert")
    with rw.attached(model, trained):
        attached = tiny.logits(model, batch)
    merged = tiny.logits(rw.merge(model, trained), batch)
    assert attached.dtype == torch.bfloat16
    torch.testing.assert_close(attached, merged, rtol=0.2, atol=0.2)


def test_a_module_at_two_places_is_adapted_at_both():
    shared = nn.Linear(6, 6)
    model = nn.Sequential(nn.Sequential(shared), nn.Tanh(), nn.Sequential(shared)).eval()
    adapter = made(model)
    assert [s.name for s in adapter.sites] == ["0.0"]
    x, _ = tiny.points()
    with rw.attached(model, adapter), torch.no_grad():
        attached = model(x)
        assert model[2][0] is model[0][0]
    assert model[0][0] is model[2][0] is shared
    with torch.no_grad():
        torch.testing.assert_close(rw.merge(model, adapter)(x), attached)


def test_heads_ride_along_and_leave():
    model, batch = tiny.host("bert").bert, tiny.batch("bert")
    names = list(model.state_dict())
    adapter = rw.new(model, LORA, heads={"stars": HEAD})
    rw.attach(model, adapter)
    del batch["labels"]
    hidden = model(**batch).last_hidden_state
    got = host.run_head(model, "stars", hidden, batch["attention_mask"])
    assert got.shape == (3, 2)
    got.sum().backward()
    assert all(t.grad is not None for t in host.live_heads(model)["stars"].values())
    with pytest.raises(UnknownName, match=r"no head 'star'.*\n  .*stars"):
        host.run_head(model, "star", hidden, batch["attention_mask"])
    assert rw.detach(model).equal(adapter)
    assert list(model.state_dict()) == names


def test_training_mode_reaches_the_wrapped_map_and_comes_back():
    model = tiny.host("bert")
    rw.attach(model, made(model))
    model.train()
    site = "bert.encoder.layer.0.attention.self.query"
    assert model.get_submodule(site).layer.training
    rw.detach(model)
    assert model.get_submodule(site).training
    model.eval()
    rw.attach(model, made(model))
    assert not model.get_submodule(site).training


def test_the_host_can_be_copied_while_something_is_attached():
    model, batch = tiny.host("gpt2"), tiny.batch("gpt2")
    base = tiny.logits(model, batch)
    rw.attach(model, made(model, whole=["wte"]))
    twin = copy.deepcopy(model)
    want = tiny.logits(model, batch)
    torch.testing.assert_close(tiny.logits(twin, batch), want)
    rw.detach(model)
    torch.testing.assert_close(tiny.logits(twin, batch), want)  # the copy is on its own
    rw.detach(twin)
    torch.testing.assert_close(tiny.logits(twin, batch), base, rtol=0, atol=0)


def test_the_given_adapter_is_never_trained_in_place():
    model, batch = tiny.host("bert").train(), tiny.batch("bert")
    given = made(model, whole=["classifier"], heads={"t": HEAD})
    kept = copy.deepcopy(given)
    rw.attach(model, given)
    optimizer = torch.optim.SGD(host.trainable(model), 0.5)
    tiny.loss(model, batch).backward()
    optimizer.step()
    now = host.current(model)
    assert given.equal(kept)
    assert not now.equal(given)
    assert rw.detach(model).equal(now)


def test_the_block_detaches_after_an_error_too():
    model = tiny.host("bert")
    with pytest.raises(ZeroDivisionError), rw.attached(model, made(model)):
        raise ZeroDivisionError
    rw.attach(model, made(model))


def test_attaching_twice_and_detaching_nothing_say_what_to_do():
    model = tiny.host("bert")
    with pytest.raises(AttachError, match=r"no adapter is attached to this model.\n  To attach one: attach"):
        rw.detach(model)
    rw.attach(model, {"stars": made(model)})
    with pytest.raises(AttachError) as caught:
        rw.attach(model, made(model))
    assert str(caught.value) == (
        "the model already has an adapter attached (stars).\n"
        "  Several go on together: attach(model, {'a': one, 'b': two}).\n"
        "  To take off what is there: detach(model)"
    )
    assert isinstance(caught.value, RuntimeError)


def test_two_adapters_that_replace_the_same_parameters_are_refused():
    model = tiny.host("bert")
    both = {name: made(model, whole=["classifier"]) for name in ("stars", "topics")}
    with pytest.raises(AttachError, match=r"stars and topics both train parameters of the host") as caught:
        rw.attach(model, both)
    assert "heads=" in str(caught.value)
    rw.attach(model, both["stars"])  # and nothing was left behind


def test_an_adapter_for_another_base_says_which():
    trained = made(tiny.host("roberta"))
    model = tiny.host("bert")
    with pytest.raises(WrongBase) as caught:
        rw.attach(model, trained)
    assert str(caught.value) == (
        "the adapter does not fit this BertForSequenceClassification: "
        "it has no linear map 'roberta.encoder.layer.0.attention.self.query'.\n"
        "  It was trained for an unnamed base model.\n"
        "  To see what an adapter needs: rankwise show <folder>"
    )
    wide = made(tiny.host("bert", intermediate_size=20))
    with pytest.raises(WrongBase, match=r"'bert.encoder.layer.0.intermediate.dense' is 16 -> 24 there and 16 -> 20 in"):
        rw.attach(model, wide)
    labels = made(tiny.host("bert", num_labels=7), whole=["classifier"])
    with pytest.raises(WrongBase, match=r"no parameter 'classifier.weight' of shape \(7, 16\)"):
        rw.merge(model, labels)
    assert not [n for n in vars(model) if "rankwise" in n]


def test_the_named_base_is_in_the_message():
    other = tiny.host("roberta")
    other.rankwise_base = {"name": "roberta-base", "class": "RobertaModel", "sha256": "0"}
    with pytest.raises(WrongBase, match=r"It was trained for roberta-base \(RobertaModel\)") as caught:
        rw.attach(tiny.host("bert"), made(other))
    assert caught.value.base["name"] == "roberta-base"
