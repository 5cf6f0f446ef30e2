"""LoRA against a literal twin of the paper's equation, and its start, scale and dropout by hand."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle

import pytest
import torch
from torch import nn

from rankwise.core.site import Site, site_of
from rankwise.errors import RecipeError, UnknownName
from rankwise.methods.lora import LoRA
from tests import tiny
from tests.reference.lora import Equation3


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def layers():
    torch.manual_seed(0)
    conv = tiny.host("gpt2", torch.float64).transformer.h[0].mlp.c_fc  # [in, out]
    return {"bias": nn.Linear(7, 5).double(), "no bias": nn.Linear(7, 5, bias=False).double(), "conv1d": conv}


@pytest.mark.parametrize("rslora", [False, True])
@pytest.mark.parametrize("which", ["bias", "no bias", "conv1d"])
def test_a_hundred_random_steps_equal_the_papers_equation(which, rslora):
    layer = layers()[which].requires_grad_(False)
    method = LoRA(rank=3, alpha=5.0, rslora=rslora)
    site = site_of("layer", layer)
    start = {n: t.double() for n, t in method.init(site, layer, rng()).items()}
    ours = {n: nn.Parameter(t.clone()) for n, t in start.items()}
    weight = layer.weight.T if which == "conv1d" else layer.weight
    scale = 5 / math.sqrt(3) if rslora else 5 / 3
    twin = Equation3(weight, layer.bias, start["A"], start["B"], scale)
    pairs = [(ours["A"], twin.a), (ours["B"], twin.b)]
    one, two = torch.optim.AdamW([p for p, _ in pairs], 0.02), torch.optim.AdamW([t for _, t in pairs], 0.02)
    draw = rng(1)
    for _ in range(100):
        x = torch.randn(4, site.in_features, generator=draw, dtype=torch.float64)
        goal = torch.randn(4, site.out_features, generator=draw, dtype=torch.float64)
        losses = []
        for optimizer, answer in ((one, method.forward(x, layer, ours)), (two, twin(x))):
            loss = (answer - goal).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[0] == pytest.approx(losses[1], rel=0, abs=1e-12)
    for mine, theirs in pairs:
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-11)
    assert (ours["B"] - start["B"]).abs().max() > 0.1  # it went somewhere


def test_one_direction_by_hand():
    zero = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(zero.weight)
    f = {"A": torch.tensor([[1.0, 2.0]]), "B": torch.tensor([[3.0]])}
    # A x = 1 + 2 = 3; B: 9; alpha / r = 2
    torch.testing.assert_close(LoRA(rank=1, alpha=2.0).forward(torch.ones(1, 2), zero, f), torch.tensor([[18.0]]))


def test_the_scale_is_alpha_by_rank_or_by_its_root():
    assert LoRA(rank=16, alpha=8).scale == 0.5
    assert LoRA(rank=16, alpha=8, rslora=True).scale == 2.0
    a, b = LoRA(rank=4, alpha=8, rslora=True).lora({"A": torch.ones(4, 2), "B": torch.ones(3, 4)})
    assert torch.equal(a, torch.ones(4, 2))
    assert torch.equal(b, torch.full((3, 4), 4.0))  # 8 / sqrt 4, inside B


def test_kaiming_starts_uniform_within_one_by_the_root_of_in():
    a = LoRA(rank=50).init(Site("s", 400, 60), nn.Linear(1, 1), rng())["A"]
    assert a.shape == (50, 400)
    assert 0.0499 < a.abs().max() <= 0.05  # 1 / sqrt(400)
    assert a.std().item() == pytest.approx(0.05 / math.sqrt(3), rel=0.02)  # of a uniform distribution
    # torch's own Kaiming with a = sqrt 5, which loralib and PEFT call
    other = torch.empty(50, 400)
    nn.init.kaiming_uniform_(other, a=math.sqrt(5), generator=rng())
    torch.testing.assert_close(a, other)


def test_gaussian_starts_with_deviation_one_by_rank_and_B_at_zero():
    f = LoRA(rank=20, init_a="gaussian").init(Site("s", 2000, 30), nn.Linear(1, 1), rng())
    assert f["A"].std().item() == pytest.approx(1 / 20, rel=0.02)
    assert f["A"].mean().item() == pytest.approx(0, abs=1e-3)
    assert f["A"].abs().max() > 3 / 20  # tails, which a uniform one has not
    assert f["B"].shape == (30, 20)
    assert torch.count_nonzero(f["B"]) == 0


def test_dropout_acts_on_the_input_of_A_in_training_alone():
    layer = nn.Linear(64, 8).eval()
    method = LoRA(rank=4, alpha=4.0, dropout=0.25)
    f = {"A": torch.randn(4, 64, generator=rng()), "B": torch.randn(8, 4, generator=rng(1))}
    x = torch.randn(3, 64, generator=rng(2))
    want = layer(x) + x @ f["A"].T @ f["B"].T
    torch.testing.assert_close(method.forward(x, layer, f), want, rtol=1e-4, atol=1e-4)
    layer.train()
    torch.manual_seed(0)
    many = torch.stack([method.forward(x, layer, f) for _ in range(4000)])
    assert many.std(0).min() > 0.1
    spread = many.std(0) / math.sqrt(len(many))
    assert ((many.mean(0) - want).abs() < 5 * spread).all()  # unbiased: what stays is divided by 0.75


def test_the_frozen_map_sees_no_dropout():
    layer = nn.Linear(64, 8).train()
    f = {"A": torch.randn(4, 64), "B": torch.zeros(8, 4)}
    x = torch.randn(3, 64)
    assert torch.equal(LoRA(rank=4, dropout=0.9).forward(x, layer, f), layer(x))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rank": 0}, "rank=0 is too small.\n  A method starts with at least 1 direction a site"),
        ({"rank": -3}, "rank=-3 is too small"),
        ({"dropout": 1.0}, "dropout=1.0 is outside its range.\n  It is a share: 0 <= dropout < 1"),
        ({"dropout": -0.1}, "dropout=-0.1 is outside"),
        ({"init_a": "guassian"}, "init_a='guassian' is unknown.\n  It is kaiming or gaussian"),
    ],
)
def test_a_number_outside_its_range_is_named(settings, message):
    with pytest.raises(RecipeError, match=message):
        LoRA(**settings)


def test_a_setting_that_is_not_there_names_the_nearest():
    with pytest.raises(UnknownName, match=r"LoRA has no setting 'rnk'\.\n  Nearest: rank"):
        LoRA(rnk=8)
    assert copy.deepcopy(pickle.loads(pickle.dumps(LoRA(rank=3)))) == dataclasses.replace(LoRA(), rank=3)
