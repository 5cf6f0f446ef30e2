"""Parameter groups, the hook after real steps, and shrinking factors together with the optimizer's moments."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

import rankwise as rw
from rankwise.core import host
from rankwise.core.method import Rule
from rankwise.core.optim import Stepper, parameter_groups, rates, shrink
from tests import tiny

SORA = rw.methods.SoRA(rank=4, gate_lr=10.0)
HEAD = rw.Head("single", ("a", "b"), hidden=tiny.WIDTH)


class Counting(Rule):
    """Remembers what it was told."""

    def __init__(self):
        self.calls = []

    def after_step(self, params, step, lr):
        assert not torch.is_grad_enabled()
        self.calls.append((step, dict(lr), sorted(params)))


class Shut(Rule):
    """Directions that are closed for good: held at zero, and out of the gradients' norm."""

    def __init__(self, closed):
        self.closed = closed

    def before_step(self, params):
        for site, closed in self.closed.items():
            if params[site]["gate"].grad is not None:  # none once a whole site is gone
                params[site]["gate"].grad[closed] = 0

    def after_step(self, params, step, lr):
        for site, closed in self.closed.items():
            params[site]["gate"][closed] = 0

    def removable(self, params):
        return {site: closed.clone() for site, closed in self.closed.items()}

    def shrunk(self, kept):
        self.closed |= {site: self.closed[site][keep] for site, keep in kept.items()}


def attached(dtype=torch.float64, method=SORA, seed=0):
    model = tiny.plain(dtype).train()
    rw.attach(model, tiny.shaken(rw.new(model, method, ["body.0", "body.2"]), seed).to(dtype))
    return model


# Groups


def test_there_is_a_group_for_each_factor_with_its_own_rate():
    model = tiny.host("bert").bert
    adapter = rw.new(model, SORA, ["query"], whole=["pooler", "LayerNorm"], heads={"stars": HEAD})
    rw.attach(model, adapter)
    groups = parameter_groups(model, lr=0.01, weight_decay=0.1, head_lr=0.5)
    told = [(g["factor"], g["lr"], g["weight_decay"], len(g["params"])) for g in groups]
    assert told == [
        ("A", 0.01, 0.1, 2),
        ("B", 0.01, 0.1, 2),
        ("gate", 0.1, 0.0, 2),  # ten times the rate, no decay: the proximal step is the only pull
        ("whole", 0.01, 0.1, 1),  # the pooler's matrix
        ("whole", 0.01, 0.0, 1 + 5 * 2),  # its bias, and five norms
        ("head", 0.5, 0.1, 2),
    ]
    everything = [p for g in groups for p in g["params"]]
    assert len({id(p) for p in everything}) == len(everything)
    assert {id(p) for p in everything} == {id(p) for p in host.trainable(model)}
    optimizer = torch.optim.AdamW(groups)
    assert rates(optimizer) == {"A": 0.01, "B": 0.01, "gate": 0.1, "whole": 0.01, "head": 0.5}


def test_rates_that_are_given_win_also_when_they_are_zero():
    model = tiny.host("bert").bert
    rw.attach(model, rw.new(model, SORA, ["query"], heads={"stars": HEAD}))
    of = {g["factor"]: g["lr"] for g in parameter_groups(model, lr=0.01, gate_lr=0.03, head_lr=0.0)}
    assert of == {"A": 0.01, "B": 0.01, "gate": 0.03, "head": 0.0}


def test_a_tied_parameter_is_in_one_group_once():
    model = tiny.host("gpt2")
    rw.attach(model, rw.new(model, rw.methods.LoRA(rank=2), ["c_attn"], whole=["wte"]))
    whole = [g for g in parameter_groups(model, lr=0.1) if g["factor"] == "whole"]
    assert [len(g["params"]) for g in whole] == [1]


def test_groups_of_one_adapter_among_several():
    model = tiny.plain()
    two = {"a": rw.new(model, SORA, ["body.0"]), "b": rw.new(model, rw.methods.LoRA(rank=2), ["body.2"])}
    rw.attach(model, two)
    of = {name: parameter_groups(model, lr=0.1, name=name) for name in two}
    assert [g["factor"] for g in of["a"]] == ["A", "B", "gate"]
    assert [g["factor"] for g in of["b"]] == ["A", "B"]
    assert of["b"][0]["params"][0] is host.live(model, "b")["body.2"]["A"]


# The hook


def test_the_hook_fires_on_real_steps_alone():
    model, rule = attached(), Counting()
    optimizer = torch.optim.AdamW(parameter_groups(model, lr=0.01))
    stepper = Stepper(optimizer, rule, lambda: host.live(model))
    x, y = tiny.points(32, torch.float64)
    for i in range(32):  # 32 micro-batches, four to a step
        F.cross_entropy(model(x[i : i + 1]), y[i : i + 1]).backward()
        if (i + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
    assert stepper.step == 8
    assert [call[0] for call in rule.calls] == list(range(1, 9))
    assert rule.calls[0] == (1, {"A": 0.01, "B": 0.01, "gate": 0.1}, ["body.0", "body.2"])


def test_the_rule_has_the_last_word():
    class Halve(Rule):
        def after_step(self, params, step, lr):
            for f in params.values():
                f["gate"].mul_(0.5)

    model = attached()
    optimizer = torch.optim.SGD(parameter_groups(model, lr=0.01))
    Stepper(optimizer, Halve(), lambda: host.live(model))
    gate = host.live(model)["body.0"]["gate"]
    start = gate.detach().clone()
    x, y = tiny.points(8, torch.float64)
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    want = (start - 0.1 * gate.grad) / 2  # the gates' rate is ten times 0.01; first the step, then the rule
    torch.testing.assert_close(gate.detach(), want, rtol=0, atol=1e-15)


def test_the_hook_fires_eight_times_in_accelerates_32_micro_batches():
    accelerate = pytest.importorskip("accelerate")
    model, rule = attached(torch.float32), Counting()
    optimizer = torch.optim.AdamW(parameter_groups(model, lr=0.01))
    stepper = Stepper(optimizer, rule, lambda: host.live(model))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    accelerator = accelerate.Accelerator(gradient_accumulation_steps=4, cpu=True)
    prepared, wrapped, schedule = accelerator.prepare(model, optimizer, schedule)
    x, y = tiny.points(32)
    for i in range(32):
        with accelerator.accumulate(prepared):
            accelerator.backward(F.cross_entropy(prepared(x[i : i + 1]), y[i : i + 1]))
            wrapped.step()
            schedule.step()
            wrapped.zero_grad()
    assert stepper.step == 8
    assert [call[1]["A"] for call in rule.calls] == pytest.approx([0.01 / n for n in range(1, 9)])  # the current rate


def test_the_hook_does_not_fire_on_a_step_that_a_scaler_skips():
    model, rule = attached(torch.float32), Counting()
    optimizer = torch.optim.SGD(parameter_groups(model, lr=0.01))
    Stepper(optimizer, rule, lambda: host.live(model))
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    x, y = tiny.points(8)
    for factor in (1.0, float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale(factor * F.cross_entropy(model(x), y)).backward()
        scaler.step(optimizer)
        scaler.update()
    assert len(rule.calls) == 2


def test_a_removed_hook_is_silent():
    model, rule = attached(), Counting()
    optimizer = torch.optim.SGD(parameter_groups(model, lr=0.01))
    stepper = Stepper(optimizer, rule, lambda: host.live(model))
    stepper.remove()
    optimizer.step()
    assert rule.calls == []
    assert stepper.step == 0


def test_without_a_rule_steps_are_counted_all_the_same():
    model = attached(method=rw.methods.LoRA(rank=2))
    optimizer = torch.optim.SGD(parameter_groups(model, lr=0.01))
    stepper = Stepper(optimizer, None, lambda: host.live(model))
    stepper.before_clipping()
    optimizer.step()
    assert stepper.step == 1


# Shrinking

CLOSED = {  # of four directions: two and one; and every one of a site
    "some": {"body.0": torch.tensor([1, 0, 1, 0]).bool(), "body.2": torch.tensor([0, 0, 0, 1]).bool()},
    "a whole site": {"body.0": torch.ones(4).bool(), "body.2": torch.tensor([1, 0, 0, 0]).bool()},
}
OPTIMIZERS = {
    "adamw": lambda groups: torch.optim.AdamW(groups, weight_decay=0.1),
    "amsgrad": lambda groups: torch.optim.AdamW(groups, amsgrad=True),
    "momentum": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "foreach": lambda groups: torch.optim.AdamW(groups, foreach=True),
}


def run(which, optimizer, shrinks, hold=None):
    """Five steps with closed gates at zero, shrink or not, ten more. Returns the ten losses and what is left."""
    model = attached()
    rule = Shut({site: closed.clone() for site, closed in CLOSED[which].items()})
    optimizer = OPTIMIZERS[optimizer](parameter_groups(model, lr=0.02))
    stepper = Stepper(optimizer, rule, lambda: host.live(model))
    x, y = tiny.points(16, torch.float64)
    losses, kept = [], []
    for step in range(15):
        if step == 5 and shrinks:
            assert shrink(model, optimizer, rule) == int(sum(c.sum() for c in CLOSED[which].values()))
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        if hold:
            kept.append(loss)  # graphs of steps before the cut stay alive
        stepper.before_clipping()
        torch.nn.utils.clip_grad_norm_(host.trainable(model), 0.05)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses, model, optimizer


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("which", CLOSED)
@pytest.mark.parametrize("hold", [False, True], ids=["", "old losses held"])
def test_ten_further_losses_equal_the_masked_run(which, optimizer, hold):
    masked, model, _ = run(which, optimizer, shrinks=False)
    shrunk, small, _ = run(which, optimizer, shrinks=True, hold=hold)
    assert masked[5] != masked[14]
    assert max(abs(a - b) for a, b in zip(masked, shrunk, strict=True)) < 1e-12
    one, two = rw.detach(model), rw.detach(small)
    assert one.ranks == two.ranks
    for name, f in one.compact().factors.items():
        for factor, tensor in f.items():
            torch.testing.assert_close(two.factors[name][factor], tensor, rtol=0, atol=1e-12)


def test_the_parameter_objects_stay_and_the_moments_are_sliced():
    model = attached()
    rule = Shut({site: closed.clone() for site, closed in CLOSED["some"].items()})
    optimizer = torch.optim.AdamW(parameter_groups(model, lr=0.02))
    x, y = tiny.points(16, torch.float64)
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    before = {
        (s, n): (p, p.detach().clone(), p.grad.clone()) for s, f in host.live(model).items() for n, p in f.items()
    }
    moments = {key: {n: v.clone() for n, v in optimizer.state[p].items()} for key, (p, _, _) in before.items()}
    registered = {n: id(p) for n, p in model.named_parameters()}
    shrink(model, optimizer, rule)
    assert {n: id(p) for n, p in model.named_parameters()} == registered
    assert {id(p) for g in optimizer.param_groups for p in g["params"]} == {id(p) for p, _, _ in before.values()}
    for (site, name), (parameter, old, grad) in before.items():
        keep = (~CLOSED["some"][site]).nonzero().flatten()
        axis = SORA.rank_axis[name]
        assert host.live(model)[site][name] is parameter
        assert torch.equal(parameter, old.index_select(axis, keep))
        assert torch.equal(parameter.grad, grad.index_select(axis, keep))
        assert parameter.is_contiguous()
        assert parameter.untyped_storage().nbytes() == parameter.numel() * 8  # the old memory is free
        state, was = optimizer.state[parameter], moments[site, name]
        assert state["step"] == was["step"] == 1
        for moment in ("exp_avg", "exp_avg_sq"):
            assert torch.equal(state[moment], was[moment].index_select(axis, keep))
    assert rule.closed["body.0"].tolist() == [False, False]


def test_a_moment_that_happens_to_have_the_shape_of_a_step_counter_is_not_lost():
    """One direction and one-number state: `step` of shape [] is never sliced, a gate of shape [1] is."""
    model = attached(method=rw.methods.SoRA(rank=1))
    optimizer = torch.optim.AdamW(parameter_groups(model, lr=0.02))
    x, y = tiny.points(16, torch.float64)
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    rule = Shut({"body.0": torch.tensor([True]), "body.2": torch.tensor([False])})
    assert shrink(model, optimizer, rule) == 1
    gate = host.live(model)["body.0"]["gate"]
    assert gate.shape == optimizer.state[gate]["exp_avg"].shape == (0,)
    assert optimizer.state[gate]["step"].shape == ()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()


def test_nothing_to_cut_changes_nothing():
    model = attached()
    optimizer = torch.optim.AdamW(parameter_groups(model, lr=0.02))
    rule = Shut({site: torch.zeros(4).bool() for site in CLOSED["some"]})
    before = {n: p.data_ptr() for n, p in model.named_parameters()}
    assert shrink(model, optimizer, rule) == 0
    assert {n: p.data_ptr() for n, p in model.named_parameters()} == before


def test_one_of_several_adapters_shrinks():
    model = tiny.plain(torch.float64)
    rw.attach(model, {name: rw.new(model, SORA, ["body.0"]).to(torch.float64) for name in "ab"})
    optimizer = torch.optim.AdamW([{"params": host.trainable(model)}])
    assert shrink(model, optimizer, Shut({"body.0": torch.tensor([1, 1, 1, 0]).bool()}), "b") == 3
    assert host.live(model, "a")["body.0"]["A"].shape == (4, 6)
    assert host.live(model, "b")["body.0"]["A"].shape == (1, 6)
    back = rw.detach(model)
    assert back["b"].ranks == {"body.0": 1}
