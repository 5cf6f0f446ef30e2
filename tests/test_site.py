"""Which linear maps a pattern names."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rankwise.core.site import (
    Site,
    find_sites,
    fresh_modules,
    is_conv1d,
    is_plain,
    linear_maps,
    mark_fresh,
    oriented,
    shared_inputs,
    site_of,
)
from rankwise.errors import NoSites
from tests import tiny

BERT = "bert.encoder.layer.{}.attention.self.{}"


def names(model, targets, exclude=()):
    return [s.name for s in find_sites(model, targets, exclude)]


def test_a_list_names_suffixes_at_a_dot():
    model = tiny.host("bert")
    assert names(model, ["query", "value"]) == [BERT.format(i, m) for i in (0, 1) for m in ("query", "value")]
    assert names(model, ["0.attention.self.query"]) == [BERT.format(0, "query")]
    with pytest.raises(NoSites):
        names(model, ["uery"])  # part of a name, not a suffix at a dot


def test_a_string_is_a_regular_expression_for_the_whole_name_or_one_suffix():
    model = tiny.host("bert")
    assert names(model, r".*\.1\.attention\.self\.(query|key)") == [BERT.format(1, "query"), BERT.format(1, "key")]
    assert names(model, "query") == [BERT.format(0, "query"), BERT.format(1, "query")]
    with pytest.raises(NoSites):
        names(model, r"layer\.1\..*query")  # re.search would find it, re.fullmatch does not


def test_excludes_take_away_again():
    model = tiny.host("bert")
    assert names(model, ["query"], exclude=r".*\.0\..*") == [BERT.format(1, "query")]
    assert names(model, ["query", "key"], exclude=["key"]) == names(model, ["query"])
    with pytest.raises(NoSites):
        names(model, ["query"], exclude=["query"])
    with pytest.raises(NoSites, match="exclude='query' takes away all 2 maps that targets='query' names"):
        names(model, ["query"], exclude=["query"])


def test_all_linear_takes_berts_pooler_and_leaves_the_new_head():
    model = tiny.host("bert")
    mark_fresh(model, ["classifier.weight", "classifier.bias"])
    every = names(model, "all-linear")
    assert len(every) == 2 * 6 + 1
    assert "bert.pooler.dense" in every
    assert "classifier" not in every


def test_all_linear_never_takes_what_loading_reported_as_new():
    model = tiny.host("deberta")
    mark_fresh(model, ["pooler.dense.weight", "pooler.dense.bias", "classifier.weight", "classifier.bias"])
    assert fresh_modules(model) == ["classifier", "pooler.dense"]
    every = names(model, "all-linear")
    assert len(every) == 2 * 6
    assert all(".encoder.layer." in n for n in every)


def test_all_linear_takes_a_head_that_came_with_the_checkpoint():
    model = tiny.host("bert")
    mark_fresh(model, [])  # a loading report that found everything
    assert "classifier" in names(model, "all-linear")


def test_all_linear_never_takes_the_output_embedding():
    for family in ("gpt2", "t5", "bart"):
        model = tiny.host(family)
        assert "lm_head" in linear_maps(model)
        assert "lm_head" not in names(model, "all-linear")
        mark_fresh(model, [])
        assert "lm_head" not in names(model, "all-linear")
    assert names(tiny.host("gpt2"), ["lm_head"]) == ["lm_head"]  # asked for by name


def test_conv1d_is_a_linear_map_whose_weight_lies_the_other_way():
    layer = tiny.host("gpt2").transformer.h[0].attn.c_attn
    assert is_conv1d(layer)
    assert is_plain(layer)
    assert tuple(layer.weight.shape) == (16, 48)
    assert site_of("c_attn", layer) == Site("c_attn", in_features=16, out_features=48)
    assert tuple(oriented(layer).shape) == (48, 16)
    assert oriented(layer).data_ptr() == layer.weight.data_ptr()  # a view
    assert not is_conv1d(nn.Conv1d(2, 2, 1))
    assert not is_conv1d(nn.Linear(2, 2))


def test_only_the_exact_classes_with_floating_weights_are_plain():
    class Quantised(nn.Linear):
        pass

    layer = nn.Linear(2, 2)
    assert is_plain(layer)
    assert not is_plain(Quantised(2, 2))
    assert not is_plain(nn.Embedding(2, 2))
    layer.weight = nn.Parameter(torch.zeros(2, 2, dtype=torch.int8), requires_grad=False)
    assert not is_plain(layer)


def test_the_largest_rank_is_the_smaller_side():
    assert Site("a", 3, 5).largest_rank == 3
    assert Site("a", 5, 2).largest_rank == 2


def test_a_pattern_that_matches_nothing_names_the_nearest_layers():
    with pytest.raises(NoSites) as caught:
        find_sites(tiny.host("bert"), "q_proj|v_proj|quary")
    assert str(caught.value) == "\n".join(
        [
            "targets='q_proj|v_proj|quary' matches none of the 14 linear layers of this model.",
            "  A regular expression must match a whole name (re.fullmatch), "
            "for instance 'bert.encoder.layer.0.attention.self.query'.",
            "  Nearest kinds of layer here: bert.encoder.layer.*.attention.self.query",
            "  To see every name: rankwise sites <model>",
        ]
    )
    assert caught.value.pattern == "q_proj|v_proj|quary"
    assert len(caught.value.names) == 14
    assert isinstance(caught.value, ValueError)


def test_a_wrong_name_beside_a_right_one_is_not_silent():
    with pytest.raises(NoSites, match="targets='valeu'") as caught:
        find_sites(tiny.host("bert"), ["query", "valeu"])
    assert "attention.self.value" in str(caught.value)
    assert "It is a name, or the end of one after a dot, such as 'query' of" in str(caught.value)
    assert "fullmatch" not in str(caught.value)


def test_an_expression_in_a_list_is_told_to_stand_alone():
    with pytest.raises(NoSites, match=r"a regular expression stands alone"):
        find_sites(tiny.host("bert"), [".*query"])


def test_a_name_that_nothing_resembles_gets_what_there_is_and_no_nearest():
    with pytest.raises(NoSites, match=r"\n  Kinds of layer here: .*query") as caught:
        find_sites(tiny.host("bert"), ["zzz"])
    assert "Nearest" not in str(caught.value)


@pytest.mark.parametrize(("wrong", "named"), [(["key", "valeu"], "valeu"), (r".*\.valeu", r".*\.valeu")])
def test_a_wrong_name_among_those_left_out_is_not_silent(wrong, named):
    with pytest.raises(NoSites) as caught:
        find_sites(tiny.host("bert"), "all-linear", wrong)
    assert str(caught.value).startswith(f"exclude={named!r} matches none of the 14")
    assert "attention.self.value" in str(caught.value)


def test_a_broken_expression_says_what_is_broken():
    with pytest.raises(NoSites, match=r"targets='\(query' is not a regular expression: missing \)"):
        find_sites(tiny.host("bert"), "(query")


def test_a_model_without_linear_maps_says_so():
    with pytest.raises(NoSites, match="none of the 0 linear layers"):
        find_sites(nn.Sequential(nn.Conv2d(1, 1, 1)), "all-linear")


def test_siblings_that_read_the_same_tensor_are_proposed_together():
    sites = find_sites(tiny.host("bert"), "all-linear")
    assert shared_inputs(sites) == [tuple(BERT.format(i, m) for m in ("query", "key", "value")) for i in (0, 1)]
    pair = find_sites(tiny.host("t5"), r"encoder\.block\.0\..*\.(q|v)")
    assert shared_inputs(pair) == [tuple(f"encoder.block.0.layer.0.SelfAttention.{m}" for m in "qv")]
    assert shared_inputs(find_sites(tiny.host("gpt2"), "all-linear")) == []


BART = tiny.host("bart")
ORDER = list(linear_maps(BART))
LEAVES = sorted({n.rpartition(".")[2] for n in ORDER})


@settings(deadline=None)
@given(st.sets(st.sampled_from(LEAVES), min_size=1), st.sets(st.sampled_from(LEAVES)))
def test_the_order_is_the_models_and_excludes_always_win(wanted, unwanted):
    expected = [n for n in ORDER if n.rpartition(".")[2] in wanted - unwanted]
    if expected:
        assert names(BART, sorted(wanted), sorted(unwanted)) == expected
    else:
        with pytest.raises(NoSites):
            names(BART, sorted(wanted), sorted(unwanted))
