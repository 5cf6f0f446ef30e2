"""The rank-budget controller: hand-worked plans and thresholds, and the rules that hold for any sizes."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.core.budget import Plan, lay_out, threshold


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def ask(sizes, plan, step, horizon, before=None, weights=None):
    before = sizes if before is None else before
    return threshold(sizes, before, torch.ones_like(sizes) if weights is None else weights, plan, step, horizon)


def test_the_plan_is_full_then_cubic_then_the_target():
    plan = Plan(full=64.0, target=0.0, start=10, stop=50)
    assert [plan.at(s) for s in (0, 10, 20, 30, 40, 50, 99)] == [64, 64, 27, 8, 1, 0, 0]
    assert Plan(24.0, 8.0, 0, 2).at(1) == 8 + 16 / 8


@pytest.mark.parametrize(
    ("steps", "warmup", "settle", "want"),
    [
        (100, 0.15, 0.25, (15, 75)),
        (10, 0.0, 0.0, (0, 10)),
        (1, 0.15, 0.25, (0, 1)),
        (2, 0.15, 0.25, (0, 2)),
        (3, 0.9, 0.05, (2, 3)),  # no room: everything happens in the last step
        (0, 0.15, 0.25, (0, 1)),
    ],
)
def test_a_run_is_laid_out_into_three_phases(steps, warmup, settle, want):
    assert lay_out(steps, warmup, settle) == want


def test_half_way_the_smallest_lose_their_share_of_the_way():
    # 4 live; in 4 steps the plan wants 2: the two smallest, 0.4 and 0.8, lose 0.8 / 4 in this step
    plan = Plan(full=4.0, target=2.0, start=0, stop=5)
    assert ask(numbers(2.0, 0.4, 0.8, 3.0), plan, step=1, horizon=9) == pytest.approx(0.2, abs=1e-15)


def test_what_the_optimizer_gave_back_is_taken_again():
    # both of the falling ones grew, by 0.1 and 0.3: their mean 0.2 comes on top of 0.8 / 4
    plan = Plan(full=4.0, target=2.0, start=0, stop=5)
    sizes, before = numbers(2.0, 0.4, 0.8, 3.0), numbers(2.5, 0.3, 0.5, 1.0)
    assert ask(sizes, plan, 1, 9, before) == pytest.approx(0.4, abs=1e-15)
    # what shrank by itself isn't rewarded: never less than the share
    assert ask(sizes, plan, 1, 9, sizes + 1) == pytest.approx(0.2, abs=1e-15)


def test_the_last_step_takes_all_that_is_due_and_nothing_more():
    plan = Plan(full=4.0, target=2.0, start=0, stop=5)
    assert ask(numbers(2.0, 0.4, 0.8, 3.0), plan, 5, 9) == 0.8
    # even with a large regrowth, t stays below the smallest one that is to live
    t = ask(numbers(2.0, 0.4, 0.8, 3.0), plan, 5, 9, before=numbers(0.0, 0.0, 0.0, 0.0) - 9)
    assert 0.8 < t < 2.0


def test_nothing_is_taken_while_fewer_live_than_planned():
    plan = Plan(full=4.0, target=1.0, start=0, stop=100)
    assert plan.at(10 + 5) > 2
    assert ask(numbers(0.0, 0.0, 0.5, 1.0), plan, 10, 5) == 0.0
    assert ask(numbers(0.0, 0.0, 0.0, 0.0), plan, 10, 5) == 0.0


def test_target_zero_takes_everything_in_the_end():
    plan = Plan(full=3.0, target=0.0, start=0, stop=4)
    assert ask(numbers(3.0, 1.0, 2.0), plan, 4, 1) == 3.0


def test_a_target_equal_to_everything_takes_nothing():
    plan = Plan(full=3.0, target=3.0, start=0, stop=4)
    assert ask(numbers(3.0, 1.0, 2.0), plan, 4, 1) == 0.0


def test_a_budget_in_numbers_stops_before_the_direction_that_would_go_past_it():
    # in + out is 10 and 30; 40 of 80 numbers are to stay: 10 + 10 go, the next, 30, would leave only 30
    plan = Plan(full=80.0, target=40.0, start=0, stop=4)
    sizes, weights = numbers(0.3, 0.1, 0.2, 0.4), numbers(30.0, 10.0, 10.0, 30.0)
    t = ask(sizes, plan, 4, 1, weights=weights)
    assert 0.2 <= t < 0.3


def test_equal_sizes_stay_together_rather_than_go_past_the_target():
    plan = Plan(full=3.0, target=2.0, start=0, stop=4)
    t = ask(numbers(1.0, 1.0, 1.0), plan, 4, 1)
    assert 0 < t < 1  # a threshold can't take one of three equals; it takes none


SIZES = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e3)), min_size=1, max_size=12)


@st.composite
def states(draw, distinct=False):
    sizes = draw(SIZES)
    if distinct:
        sizes = [s * (1 + 1e-3 * i) for i, s in enumerate(sizes)]
    before = [draw(st.floats(0, 1e3)) for _ in sizes]
    weights = [float(draw(st.sampled_from([1, 1, 7, 20]))) for _ in sizes]
    full = sum(weights)
    start = draw(st.integers(0, 20))
    plan = Plan(full, full * draw(st.floats(0, 1)), start, start + draw(st.integers(1, 40)))
    return numbers(*sizes), numbers(*before), numbers(*weights), plan, draw(st.integers(1, 50))


def left_by(sizes, t):
    return (sizes - t).clamp(min=0) > 0


@given(states(), st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_the_threshold_never_takes_more_than_the_target_allows(state, when):
    sizes, before, weights, plan, horizon = state
    step = plan.start + round(when * (plan.stop - plan.start))
    t = threshold(sizes, before, weights, plan, step, horizon)
    assert t >= 0
    live = float(weights[sizes > 0].sum())
    left = float(weights[left_by(sizes, t)].sum())
    assert left >= min(live, plan.target) - 1e-6
    if live <= plan.at(min(step + horizon, plan.stop)):
        assert t == 0.0


@given(states(distinct=True))
@settings(max_examples=300, deadline=None)
def test_the_last_step_ends_within_one_direction_of_the_target(state):
    sizes, before, weights, plan, horizon = state
    if len(set(sizes[sizes > 0].tolist())) < int((sizes > 0).sum()):
        return  # equal by chance
    gaps = sizes[sizes > 0].sort().values
    if len(gaps) > 1 and float((gaps[1:] / gaps[:-1]).min()) < 1 + 1e-5:
        return  # closer than the margin that keeps the next one alive
    t = threshold(sizes, before, weights, plan, plan.stop, horizon)
    keep = left_by(sizes, t)
    left = float(weights[keep].sum())
    if float(weights[sizes > 0].sum()) <= plan.target:
        assert torch.equal(keep, sizes > 0)
    else:
        smallest = weights[keep][sizes[keep].argmin()] if bool(keep.any()) else 0
        assert plan.target - 1e-6 <= left < plan.target + float(smallest) + 1e-6


@given(states(), st.permutations(range(12)))
@settings(max_examples=100, deadline=None)
def test_the_order_of_directions_does_not_matter(state, order):
    sizes, before, weights, plan, horizon = state
    if len(set(sizes.tolist())) < len(sizes):
        return
    order = [i for i in order if i < len(sizes)]
    args = (plan, plan.start + 1, horizon)
    assert threshold(sizes[order], before[order], weights[order], *args) == pytest.approx(
        threshold(sizes, before, weights, *args), rel=1e-12, abs=1e-12
    )


@given(states())
@settings(max_examples=100, deadline=None)
def test_nothing_is_remembered_from_call_to_call(state):
    """No integral term: steps in which the plan asked in vain do not make the next threshold larger."""
    sizes, before, weights, plan, horizon = state
    first = threshold(sizes, before, weights, plan, plan.stop, horizon)
    for _ in range(50):
        threshold(sizes, before, weights, plan, plan.start + 1, horizon)
    assert threshold(sizes, before, weights, plan, plan.stop, horizon) == first


def test_a_plant_that_answers_slowly_is_followed_without_a_burst():
    """Sizes that grow back by nearly what was taken, for 100 steps: deaths stay spread over the steps."""
    rng = torch.Generator().manual_seed(0)
    sizes = torch.rand(40, generator=rng, dtype=torch.float64) + 0.5
    before, plan, seen = sizes.clone(), Plan(40.0, 10.0, 0, 100), [40]
    for step in range(1, 101):
        sizes = torch.where(sizes > 0, sizes + 0.02, 0.0)  # the optimizer's answer
        t = threshold(sizes, before, torch.ones(40, dtype=torch.float64), plan, step, 12)
        sizes = before = (sizes - t).clamp(min=0)
        seen.append(int((sizes > 0).sum()))
    assert seen[-1] == 10
    assert min(seen) == 10
    assert max(a - b for a, b in pairwise(seen)) <= 4
