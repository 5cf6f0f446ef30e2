"""The state of a run: rates by hand, one real step, what counts as best, and a state that goes on exactly."""

import copy
import math
from dataclasses import replace

import pytest
import torch

from rankwise.core.host import attach, current, live
from rankwise.errors import RecipeError
from rankwise.methods import LoRA, SoRA
from rankwise.train.recipe import Recipe
from rankwise.train.run import Run, check_same, rate_factor
from tests import learn, tiny


@pytest.mark.parametrize(
    ("decay", "want"),
    [
        # 10 steps, 2 of them warm-up: 1/2, 2/2, then 8/8, 7/8 ... 1/8
        ("linear", [0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]),
        ("constant", [0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        # (1 - cos(pi left)) / 2: left 1 -> 1, left 1/2 -> 1/2, left 1/8 -> 0.0381
        ("cosine", [0.5, 1, 1, 0.96194, 0.85355, 0.69134, 0.5, 0.30866, 0.14645, 0.03806]),
    ],
)
def test_rates_by_hand(decay, want):
    assert [rate_factor(s, 10, 0.2, decay) for s in range(1, 11)] == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("decay", ["linear", "cosine", "constant"])
@pytest.mark.parametrize(("total", "warmup"), [(1, 0.0), (1, 1.0), (3, 1.0), (50, 0.06), (7, 0.0)])
def test_no_step_is_at_rate_0_and_none_above_the_peak(decay, total, warmup):
    found = [rate_factor(s, total, warmup, decay) for s in range(1, total + 1)]
    assert all(0 < f <= 1 for f in found)
    assert max(found) == 1


def made(method=None, recipe=None, total=20, kind="single"):
    model, task = learn.encoder(), learn.task(kind)
    attach(model, tiny.shaken(learn.adapter(model, method or SoRA(rank=4, target_rank=2), task)))
    return Run(model, recipe or Recipe(lr=1e-2), total), task


def go(run, task, scale=1.0):
    """One real step on the first rows; the loss before it and the norm of its gradient."""
    run.model.train()
    batch = task.batch(task.train[:8])
    loss = task.loss(task.logits(run.model, batch), batch)
    (loss * scale).backward()
    return float(loss.detach()), run.update()


def test_every_step_has_the_rate_of_the_schedule_times_the_factors_own_multiple():
    run, task = made(recipe=Recipe(lr=1e-2, head_lr=5e-3, warmup=0.5, decay="linear"), total=4)
    seen = []
    for _ in range(4):
        go(run, task)
        seen.append(run.rates())
    assert [r["A"] for r in seen] == pytest.approx([5e-3, 1e-2, 1e-2, 5e-3])
    assert [r["gate"] for r in seen] == pytest.approx([5e-2, 1e-1, 1e-1, 5e-2])  # ten times, SoRA's default
    assert [r["head"] for r in seen] == pytest.approx([2.5e-3, 5e-3, 5e-3, 2.5e-3])


def test_the_gradient_is_clipped_to_its_norm_and_0_turns_that_off():
    """Under plain SGD of rate 1 the step is the gradient: its length is the clip, or the norm itself."""
    for clip, want in ((0.1, lambda norm: 0.1), (0.0, lambda norm: norm), (1e9, lambda norm: norm)):
        run, task = made(LoRA(rank=2), Recipe(lr=1.0, clip=clip, decay="constant", warmup=0))
        run.optimizer = torch.optim.SGD([p for p in run.model.parameters() if p.requires_grad], lr=1.0)
        for group in run.optimizer.param_groups:
            group["peak"] = 1.0
        before = [p.detach().clone() for p in run.optimizer.param_groups[0]["params"]]
        _, norm = go(run, task)
        after = run.optimizer.param_groups[0]["params"]
        moved = math.sqrt(sum(float((a.detach() - b).square().sum()) for a, b in zip(after, before, strict=True)))
        assert norm > 0.2
        assert moved == pytest.approx(want(norm), rel=1e-5)


def test_a_gradient_that_is_not_finite_changes_nothing():
    run, task = made()
    before = current(run.model)
    _, norm = go(run, task, scale=math.inf)
    assert not math.isfinite(norm)
    assert current(run.model).equal(before)
    assert run.step == 0
    assert not run.optimizer.state
    go(run, task)
    assert run.step == 1


def test_gradients_do_not_pile_up_from_step_to_step():
    run, task = made()
    go(run, task)
    assert all(p.grad is None for p in run.model.parameters())


def test_nothing_to_train_is_refused():
    model = learn.encoder()
    attach(model, learn.adapter(model, None, []))
    with pytest.raises(RecipeError, match="nothing would be trained"):
        Run(model, Recipe(), 10)


def test_an_evaluation_before_the_ranks_are_settled_is_never_the_best():
    run, task = made(total=8)  # settles after step 6
    judged = []
    for step in range(1, 9):
        go(run, task)
        judged.append(run.judge(1.0 if step < 6 else 0.5, True))
    assert run.settled
    assert judged == [False] * 5 + [True, False, False]
    assert (run.best.score, run.best.step, run.best.stale) == (0.5, 6, 2)
    assert run.best.adapter.mean_rank == pytest.approx(2)


def test_where_lower_is_better_the_lowest_is_the_best():
    run, _ = made(LoRA(rank=2))
    assert [run.judge(v, False) for v in (3.0, 2.0, 2.0, 4.0, 1.0)] == [True, True, False, False, True]
    assert run.best.score == -1.0


def test_a_score_that_is_no_number_is_never_the_best_and_a_later_one_beats_it():
    run, _ = made(LoRA(rank=2))
    assert [run.judge(v, True) for v in (math.nan, 0.1, math.nan, 0.2)] == [False, True, False, True]


def test_patience_counts_evaluations_since_the_best():
    run, _ = made(LoRA(rank=2), Recipe(patience=2))
    for value, out in ((0.5, False), (0.4, False), (0.6, False), (0.6, False), (0.1, True)):
        run.judge(value, True)
        assert run.out_of_patience is out
    forever, _ = made(LoRA(rank=2), Recipe())
    for _ in range(50):
        forever.judge(0.0, True)
    assert not forever.out_of_patience


def test_the_mean_rank_counts_sites_without_a_direction():
    run, _ = made(SoRA(rank=4))
    factors = live(run.model)
    with torch.no_grad():
        factors["first"]["gate"].zero_()
        factors["last"]["gate"][0] = 0
    assert run.mean_rank() == pytest.approx((0 + 4 + 3) / 3)


@pytest.mark.parametrize("shrink", [0, 3])
def test_a_state_goes_on_exactly(shrink):
    recipe = Recipe(lr=1e-2, shrink_every=shrink, weight_decay=0.01)
    method = SoRA(rank=4, target_rank=1, patience=2, dropout=0.1)
    run, task = made(method, recipe)
    torch.manual_seed(3)
    for _ in range(11):
        go(run, task)
    adapter, state = current(run.model), copy.deepcopy(run.state_dict())  # as saving it would
    want = [go(run, task) for _ in range(9)]
    torch.manual_seed(99)
    model = learn.encoder()
    attach(model, adapter)
    again = Run(model, recipe, 20)
    again.load_state_dict(state, None)
    assert [go(again, task) for _ in range(9)] == want
    assert current(model).equal(current(run.model))
    assert again.mean_rank() == pytest.approx(1, abs=0.34)


@pytest.mark.parametrize(("name", "value"), [("lr", 2e-3), ("seed", 5), ("epochs", 7.0)])
def test_another_recipe_is_no_resuming(name, value):
    began = Recipe()
    with pytest.raises(RecipeError, match=rf"{name} was {getattr(began, name)} when this run began, and is {value}"):
        check_same(began.to_dict(), replace(began, **{name: value}).to_dict())


def test_fields_that_change_no_result_may_differ():
    began = Recipe()
    check_same(began.to_dict(), replace(began, log_every=1, num_threads=1, save_every=3, tensorboard=True).to_dict())
