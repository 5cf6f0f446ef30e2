"""SoRA: the proximal step, twins of the paper and of the released code, phases, closing. Whole runs: test_sora_runs."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import rankwise as rw
from rankwise.core.host import live
from rankwise.core.optim import Stepper, parameter_groups
from rankwise.errors import RecipeError
from rankwise.methods.sora import SoRA, sizes_of, soft_threshold

from .known_rank import (
    IN,
    OUT,
    RANK,
    TOTAL,
    How,
    problem,
    train,
)
from .reference import sora_released as released
from .reference.sora import Twin

MEAN = TOTAL / len(RANK)
GATES = [-3.0, -2.0, -1.9, -1.5, -1.0, -0.4, 0.0, 0.4, 1.0, 1.5, 1.9, 2.0, 2.1, 3.0]
AFTER = [-2.0, -1.0, -0.9, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.9, 1.0, 1.1, 2.0]  # t = 1
RELEASED = [-2.0, -1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.1, 2.0]


def doubles(values):
    return torch.tensor(values, dtype=torch.float64)


def one_site(gate, norm=1.0):
    """Factors whose directions all have |a| |b| = norm."""
    r = len(gate)
    return {
        "A": torch.eye(r, dtype=torch.float64),
        "B": torch.eye(r, dtype=torch.float64) * norm,
        "gate": doubles(gate),
    }


def prox_once(gate, measure="gate", norm=1.0):
    """One step at learning rate 0.5 and lambda 2: t = 1."""
    params = {"s": one_site(gate, norm)}
    method = SoRA(rank=len(gate), sparsity=2.0, measure=measure, warmup=0.0, settle=0.0)
    method.rule(params, 100).after_step(params, 1, {"gate": 0.5})
    return params["s"]["gate"]


# ---- the proximal step


def test_the_proximal_step_is_the_closed_form_in_every_region():
    torch.testing.assert_close(prox_once(GATES), doubles(AFTER), rtol=0, atol=1e-15)
    torch.testing.assert_close(soft_threshold(doubles(GATES), 1.0), doubles(AFTER), rtol=0, atol=1e-15)


def test_the_proximal_step_minimises_what_it_says():
    """t |z| + (z - g)^2 / 2 on a fine grid: nowhere lower than at the step's answer."""
    grid = torch.linspace(-4, 4, 80001, dtype=torch.float64)
    for g, z in zip(GATES, prox_once(GATES).tolist(), strict=True):
        lowest = (grid.abs() + (grid - g) ** 2 / 2).min()
        assert abs(z) + (z - g) ** 2 / 2 <= lowest + 1e-12


def test_by_size_the_norm_of_the_update_shrinks_by_t_and_the_gate_takes_it():
    # |a| |b| = 4: sizes 4 |g|, less 1, over 4
    want = [math.copysign(max(abs(g) - 0.25, 0.0), g) for g in GATES]
    torch.testing.assert_close(prox_once(GATES, "size", 4.0), doubles(want), rtol=0, atol=1e-15)


def test_the_learning_rate_is_in_the_threshold():
    params = {"s": one_site([1.0, -1.0])}
    rule = SoRA(rank=2, sparsity=0.25, measure="gate", warmup=0.0, settle=0.0).rule(params, 10)
    rule.after_step(params, 1, {"gate": 0.4})
    torch.testing.assert_close(params["s"]["gate"], doubles([0.9, -0.9]), rtol=0, atol=1e-15)
    rule.after_step(params, 2, {"gate": 0.0})
    torch.testing.assert_close(params["s"]["gate"], doubles([0.9, -0.9]), rtol=0, atol=1e-15)


def test_sizes_are_the_norms_of_the_updates():
    f = {"A": doubles([[3.0, 4.0]]), "B": doubles([[0.0], [2.0]]), "gate": doubles([-0.5])}
    update = f["B"] @ (f["gate"][:, None] * f["A"])
    assert sizes_of(f).tolist() == [5.0]
    assert torch.linalg.matrix_norm(update).item() == pytest.approx(5.0)


# ---- twins


def drawn(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


@pytest.mark.parametrize(("measure", "lam"), [("gate", 3.0), ("size", 2.0)])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_hundred_steps_equal_the_papers_equations(optimizer, measure, lam):
    """Random data, rates that change, decay on A and B; gradients by hand there and by autograd here."""
    rng, width, out, r = torch.Generator().manual_seed(3), 7, 6, 6
    method = SoRA(rank=r, alpha=9.0, sparsity=lam, measure=measure, warmup=0.0, settle=0.0, patience=1000)
    host = nn.Sequential(nn.Linear(width, out, bias=False, dtype=torch.float64))
    with torch.no_grad():
        host[0].weight.copy_(drawn(rng, out, width))
    adapter = rw.new(host, method, ["0"]).to(torch.float64)
    f = adapter.factors["0"]
    f["B"], f["gate"] = drawn(rng, out, r), drawn(rng, r)
    rw.attach(host, adapter)
    weights = {n: t.numpy() for n, t in f.items()}
    twin = Twin(host.get_submodule("0").layer.weight.detach().numpy(), *weights.values(), scale=1.5)
    kind = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[optimizer]
    opt = kind(parameter_groups(host, 0.01, 0.1 if optimizer == "adamw" else 0.0))
    Stepper(opt, method.rule(live(host), 100), lambda: live(host))
    decay, seen = {"A": 0.1, "B": 0.1, "gate": 0.0}, set()
    for step in range(1, 101):
        x, y = drawn(rng, 9, width), drawn(rng, 9, out)
        rates = {"A": 0.01 / step**0.5, "B": 0.01 / step**0.5, "gate": 0.03 / step**0.5}
        for group in opt.param_groups:
            group["lr"] = rates[group["factor"]]
        opt.zero_grad()
        ((host(x) - y) ** 2).mean().backward()
        opt.step()
        grads = twin.gradients(x.numpy(), 2 * (twin.forward(x.numpy()) - y.numpy()) / y.numel())
        twin.adamw(grads, rates, decay) if optimizer == "adamw" else twin.sgd(grads, rates)
        (twin.shrink if measure == "gate" else twin.shrink_size)(rates["gate"] * lam)
        for name, tensor in live(host)["0"].items():
            np.testing.assert_allclose(tensor.detach().numpy(), twin.factors[name], rtol=0, atol=1e-12)
        seen.add(method.live(live(host)["0"]))
    np.testing.assert_allclose(host(x).detach().numpy(), twin.forward(x.numpy()), rtol=0, atol=1e-12)
    assert 0 < min(seen) < r - 1  # some died on the way


def test_the_released_threshold_has_a_dead_zone_of_twice_the_threshold():
    torch.testing.assert_close(released.dead_zone(doubles(GATES), 1.0), doubles(RELEASED), rtol=0, atol=1e-15)
    differ = {g for g, a, b in zip(GATES, AFTER, RELEASED, strict=True) if a != b}
    assert differ == {-1.9, -1.5, -1.0, 1.0, 1.5, 1.9}  # the open (t, 2t), and t itself, which survives there


def released_gates(seed, steps=200, lr=8e-3, xi=1e-3, sparse_lambda=0.0, rate=lambda share: 1 - share):
    """The released code on the first map of the problem: (|gates| drawn, gates at the end). rank 8."""
    given = problem(seed)
    torch.manual_seed(seed)
    f = {n: t.double().requires_grad_() for n, t in released.start(IN, OUT["v"], 8).items()}
    drawn_first = f["gate"].detach().abs().flatten()
    with torch.no_grad():
        target = given.x @ given.shift["v"].T
    adam, moves = torch.optim.AdamW([f["A"], f["B"]], lr), released.AdamStep(f["gate"].detach())
    for step in range(steps):
        now = lr * rate(step / steps)
        adam.param_groups[0]["lr"] = now
        rows = torch.randint(len(target), (32,))
        loss = (released.delta(given.x[rows], f, 16.0, 8) - target[rows]).square().sum(-1).mean()
        loss = loss + released.penalty([f["gate"]], sparse_lambda)
        adam.zero_grad()
        f["gate"].grad = None
        loss.backward()
        adam.step()
        with torch.no_grad():
            f["gate"].copy_(moves(f["gate"], f["gate"].grad, now, xi))
    return drawn_first, f["gate"].detach().flatten()


def test_in_the_released_code_gates_shrink_at_learning_rate_zero():
    first, last = released_gates(0, steps=100, rate=lambda share: 0.0)
    lost = first - last.abs()
    assert ((lost - 100 * 1e-3).abs() < 1e-12).sum() >= 6  # all that started far from 0: exactly steps * xi
    given, idle = problem(0), SoRA(rank=8, sparsity=0.5)
    assert min(train(idle, given, How(steps=30, lr=0.0)).live) == 24  # here nothing moves


def test_in_the_released_code_the_draw_decides_which_gates_die():
    pairs = [released_gates(seed, xi=4e-3) for seed in range(4)]
    first, last = (torch.cat(part) for part in zip(*pairs, strict=True))
    dead = last == 0
    assert 4 <= int(dead.sum()) <= 28
    assert float(first[~dead].mean()) > 1.5 * float(first[dead].mean())


def test_the_released_penalty_is_lambda_times_the_mean_gate():
    gates = [doubles([[1.0, -2.0]]).requires_grad_(), doubles([[0.0, 5.0]])]
    loss = released.penalty(gates, 10.0)
    assert loss.item() == 10 * 8 / 4
    loss.backward()
    assert gates[0].grad.tolist() == [[2.5, -2.5]]


# ---- what a new adapter is


def test_a_new_adapter_starts_from_ones_and_zeros():
    f = rw.new(problem().model, SoRA(rank=8), seed=1).factors["v"]
    assert f["A"].shape == (8, IN)
    assert f["A"].abs().max() <= 1 / IN**0.5
    assert torch.equal(f["gate"], torch.ones(8))
    assert not f["B"].any()


def test_gates_get_their_own_rate_and_no_decay():
    model = problem().model
    rw.attach(model, rw.new(model, SoRA(rank=4, gate_lr=7.0)))
    groups = {g["factor"]: g for g in parameter_groups(model, 1e-3, 0.1)}
    assert (groups["gate"]["lr"], groups["gate"]["weight_decay"]) == (pytest.approx(7e-3), 0.0)
    assert (groups["A"]["lr"], groups["B"]["weight_decay"]) == (1e-3, 0.1)
    assert {g["factor"]: g for g in parameter_groups(model, 1e-3, gate_lr=0.5)}["gate"]["lr"] == 0.5
    rw.detach(model)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_rank": 2, "sparsity": 0.1}, "target_rank and sparsity exclude each other"),
        ({"target_rank": 2, "target_params": 10}, "target_rank and target_params exclude each other"),
        ({"target_params": 10, "sparsity": 0.1}, "target_params and sparsity exclude each other"),
        ({"target_rank": 9}, r"target_rank=9 is outside 0\.\.8"),
        ({"target_rank": -1}, r"target_rank=-1 is outside 0\.\.8"),
        ({"target_params": -1}, "target_params=-1 is negative"),
        ({"sparsity": -0.1}, r"sparsity=-0\.1 is negative"),
        ({"gate_lr": -1.0}, "gate_lr=-1.0 is negative"),
        ({"patience": -1}, "patience=-1 is negative"),
        ({"warmup": 0.5, "settle": 0.5}, "leave no steps to shrink in"),
        ({"measure": "norm"}, "measure='norm' is unknown"),
        ({"rank": 0}, "rank=0 is too small"),
        ({"dropout": 1.0}, "dropout=1.0 is outside its range"),
    ],
)
def test_settings_outside_their_range_are_refused(settings, message):
    with pytest.raises(RecipeError, match=message):
        SoRA(**settings)


def test_more_numbers_than_there_are_is_refused_with_the_number_there_is():
    model = problem().model
    rw.attach(model, rw.new(model, SoRA(rank=8)))
    with pytest.raises(RecipeError, match="hold 1088 numbers at rank 8") as caught:
        SoRA(rank=8, target_params=2000).rule(live(model), 100)
    assert caught.value.full == 1088
    rw.detach(model)


def test_fewer_numbers_than_one_direction_has_are_refused():
    model = problem().model
    rw.attach(model, rw.new(model, SoRA(rank=8)))
    least = min(len(f["A"][0]) + len(f["B"]) for f in live(model).values())
    with pytest.raises(RecipeError, match=f"smallest direction has {least} numbers"):
        SoRA(rank=8, target_params=least - 1).rule(live(model), 100)
    assert SoRA(rank=8, target_params=least).rule(live(model), 100) is not None
    rw.detach(model)


def test_settings_that_do_nothing_or_leave_nothing_are_remarked():
    params = rw.new(problem().model, SoRA(rank=8)).factors
    (said,) = SoRA(rank=8).remarks(params)
    assert "without a target drops no direction" in said
    assert "target_rank=4" in said
    for nothing in ({"target_rank": 0}, {"target_rank": 0.01}, {"target_params": 0}):
        (said,) = SoRA(rank=8, **nothing).remarks(params)
        assert "no factors will be left" in said
    for fine in ({"target_rank": 4}, {"target_params": 100}, {"sparsity": 0.0}):
        assert SoRA(rank=8, **fine).remarks(params) == []


def test_without_a_target_no_gate_is_shrunk():
    assert SoRA(rank=8).rule({}, 10) is None
    assert set(train(SoRA(rank=8), problem(), How(steps=20)).live) == {24}


# ---- the three phases


def test_until_the_first_shrinkage_the_run_is_the_one_without_a_rule():
    seen = {}
    for name, method in (("plain", SoRA(rank=8)), ("shrunk", SoRA(rank=8, target_rank=1, warmup=0.3))):
        seen[name] = []

        def look(step, params, kept=seen[name]):
            kept.append([t.detach().clone() for f in params.values() for t in f.values()])

        run = train(method, problem(), How(steps=40), look)
    same = [all(torch.equal(a, b) for a, b in zip(x, y, strict=True)) for x, y in zip(*seen.values(), strict=True)]
    assert same == [True] * 12 + [False] * 28  # 0.3 * 40 = 12
    assert run.live[:12] == [24] * 12


def test_in_the_last_phase_the_live_set_is_fixed_and_trains_on():
    sets, gates = [], []

    def look(step, params):
        sets.append([tuple((f["gate"] != 0).tolist()) for f in params.values()])
        gates.append([f["gate"].detach().clone() for f in params.values()])

    run = train(SoRA(rank=8, target_rank=MEAN, settle=0.4), problem(), How(steps=100), look)
    assert run.rule.stop == 60
    assert sets[59:] == [sets[59]] * 41
    assert all(not torch.equal(a[2], b[2]) for a, b in pairwise(gates[60:]))
    assert run.rule.settled
    assert not SoRA(rank=8, target_rank=1).rule(live_of(problem().model), 100).settled


def live_of(model):
    rw.attach(model, rw.new(model, SoRA(rank=8)))
    found = live(model)
    rw.detach(model)
    return found


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        (100, {"target_rank": 7.0, "warmup": 0.0}),
        (4, {"target_rank": 1.0, "warmup": 0.0}),
        (100, {"sparsity": 0.01, "warmup": 0.0, "settle": 0.0}),
    ],
)
def test_a_first_step_at_learning_rate_zero_closes_nothing(steps, wanted):
    """Schedules often start at 0; B is then still 0, and so is every size."""
    method, given = SoRA(rank=8, **wanted), problem()
    rw.attach(given.model, rw.new(given.model, method).to(torch.float64))
    opt = torch.optim.AdamW(parameter_groups(given.model, 0.0))
    Stepper(opt, method.rule(live(given.model), steps), lambda: live(given.model))
    given.loss(slice(32)).backward()
    opt.step()
    assert [int(method.live(f)) for f in live(given.model).values()] == [8, 8, 8]
    rw.detach(given.model)


def test_directions_without_any_gradient_count_as_live_and_go_first():
    """As in a pooler that the loss never reads: its B stays 0."""
    method, given = SoRA(rank=8, target_rank=6), problem()
    rw.attach(given.model, rw.new(given.model, method).to(torch.float64))
    opt = torch.optim.AdamW(parameter_groups(given.model, 5e-3))
    Stepper(opt, method.rule(live(given.model), 60), lambda: live(given.model))
    rng = torch.Generator().manual_seed(0)
    for _ in range(60):
        opt.zero_grad()
        rows = torch.randint(1024, (32,), generator=rng)
        x = given.x[rows]
        shifted = [given.model.q(x) - x @ given.shift["q"].T, given.model.v(x) - x @ given.shift["v"].T]
        sum(part.square().mean() for part in shifted).backward()  # k is never read
        opt.step()
    assert rw.detach(given.model).ranks == {"q": 8, "k": 2, "v": 8}


# ---- closing for good


def test_a_gate_is_closed_after_patience_zeros_in_a_row():
    params = {"s": one_site([9.0, 9.0, 9.0])}
    rule = SoRA(rank=3, sparsity=1.0, measure="gate", warmup=0.0, settle=0.0, patience=3).rule(params, 100)
    moves = [(0.5, 0.5), (0.5, 0.5), (0.5, 5.0), (0.5, 0.5), (5.0, 0.5), (5.0, 5.0)]  # the optimizer's, gates 0 and 1
    seen = []
    for step, (first, second) in enumerate(moves, 1):
        params["s"]["gate"][:2] = doubles([first, second])
        rule.after_step(params, step, {"gate": 1.0})
        seen.append(params["s"]["gate"][:2].tolist())
    # gate 0: three zeros, closed, never back. gate 1: two zeros, back, two zeros, back.
    assert seen == [[0, 0], [0, 0], [0, 4], [0, 0], [0, 0], [0, 4]]
    assert rule.removable(params)["s"].tolist() == [True, False, False]


def test_closed_gates_are_out_of_the_clipping_norm():
    params = {"s": one_site([0.5, 9.0])}
    rule = SoRA(rank=2, sparsity=1.0, measure="gate", warmup=0.0, settle=0.0, patience=1).rule(params, 10)
    rule.after_step(params, 1, {"gate": 1.0})
    params["s"]["gate"].grad = doubles([100.0, 3.0])
    rule.before_step(params)
    assert params["s"]["gate"].grad.tolist() == [0.0, 3.0]


@pytest.mark.parametrize(
    "wanted", [{"target_rank": MEAN}, {"sparsity": 0.6}, {"target_params": 300, "measure": "gate"}]
)
def test_a_run_that_cuts_as_it_goes_has_the_same_losses(wanted):
    method, decay = SoRA(rank=8, **wanted), 0.5
    masked = train(method, problem(), How(steps=150, decay=decay, clip=0.3))
    shrunk = train(method, problem(), How(steps=150, decay=decay, clip=0.3, shrink_every=4))
    np.testing.assert_allclose(shrunk.losses, masked.losses, rtol=0, atol=1e-12)
    assert shrunk.live == masked.live
    assert shrunk.cut >= 8
    assert shrunk.adapter.stored < masked.adapter.stored
    for site, f in masked.adapter.compact().factors.items():
        for name, tensor in shrunk.adapter.compact().factors[site].items():
            torch.testing.assert_close(tensor, f[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("at", [5, 60, 140])
@pytest.mark.parametrize("every", [0, 5])
def test_a_resumed_run_goes_on_bit_for_bit(at, every):
    method, how = SoRA(rank=8, target_rank=MEAN), How(steps=150, decay=0.1, shrink_every=every, save_at=at)
    whole = train(method, problem(), how)
    rest = train(method, problem(), how, start=whole.saved)
    assert rest.losses == whole.losses[at:]
    assert rest.live == whole.live[at:]
    assert rest.adapter.equal(whole.adapter)
