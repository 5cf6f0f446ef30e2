"""Whole runs of SoRA on a problem of known rank: which directions live, and how many."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from rankwise.methods.lora import LoRA
from rankwise.methods.sora import SoRA

from .known_rank import (
    FLOOR,
    IN,
    NUMBERS,
    OUT,
    RANK,
    TOTAL,
    How,
    kept_of_shift,
    orthonormal,
    overlap,
    problem,
    row_space,
    train,
)

MEAN = TOTAL / len(RANK)

# ---- whole runs: which directions live


@cache
def budgeted(data, seed, steps=400, **wanted):
    return train(SoRA(rank=8, **(wanted or {"target_rank": MEAN})), problem(data), How(steps=steps, seed=seed))


@pytest.mark.parametrize("seed", range(3))
def test_a_mean_rank_is_shared_out_as_the_data_ask(seed):
    """Asked for 7 directions over three maps of true rank 1, 2 and 4: each gets its own, and nothing is lost."""
    run = budgeted(seed, seed)
    assert run.adapter.ranks == RANK
    assert run.loss < 1.05 * FLOOR
    assert min(kept_of_shift(run.adapter, problem(seed).shift).values()) > 0.98  # chance: 8 / 24 at most


def test_a_budget_of_numbers_is_shared_out_as_the_data_ask():
    run = train(SoRA(rank=8, target_params=NUMBERS), problem(3), How(steps=400))
    assert run.adapter.ranks == RANK
    assert run.adapter.size == NUMBERS
    assert run.loss < 1.05 * FLOOR


def test_it_beats_plain_lora_that_keeps_more():
    lora = train(LoRA(rank=3), problem(0), How(steps=400))
    run = budgeted(0, 0)
    assert run.adapter.size < lora.adapter.size
    assert run.loss < 0.5 * lora.loss  # 3 a site can't hold the rank-4 shift
    roomy = train(LoRA(rank=8), problem(0), How(steps=400))
    assert run.loss < 1.05 * roomy.loss


@pytest.mark.parametrize("seed", range(3))
def test_a_lambda_set_by_hand_finds_the_true_rank(seed):
    """With decay on A and B, which makes a direction that was split in two cost more than one."""
    run = train(SoRA(rank=8, sparsity=0.3), problem(seed), How(decay=2.5, seed=seed))
    ranks = run.adapter.ranks
    assert all(ranks[n] >= RANK[n] for n in RANK)
    assert TOTAL <= sum(ranks.values()) <= TOTAL + 1
    assert run.loss < 1.05 * FLOOR


def test_the_other_way_round_a_larger_lambda_keeps_less():
    kept = [
        sum(train(SoRA(rank=8, sparsity=s), problem(0), How(steps=200)).adapter.ranks.values()) for s in (0.1, 0.5, 0.9)
    ]
    assert kept[0] > kept[1] > kept[2]


@pytest.mark.parametrize("data", range(2))
def test_two_seeds_keep_overlapping_subspaces(data):
    one, two = (budgeted(data, seed).adapter for seed in (data, data + 10))
    rng = torch.Generator().manual_seed(0)
    for site in RANK:
        u, v = row_space(one, site), row_space(two, site)
        chance = [overlap(orthonormal(IN, u.shape[1], rng), orthonormal(IN, v.shape[1], rng)) for _ in range(200)]
        assert abs(sum(chance) / 200 - max(u.shape[1], v.shape[1]) / IN) < 0.03  # as the formula says
        assert max(chance) < 0.6
        assert overlap(u, v) > 0.95, site


def test_with_too_few_directions_every_one_kept_is_a_true_one():
    run = budgeted(0, 0, target_rank=4 / 3)
    for site, shift in problem(0).shift.items():
        u = row_space(run.adapter, site)
        if u.shape[1]:
            assert overlap(u, torch.linalg.svd(shift)[2][: RANK[site]].T) > 0.95  # chance: 4 / 24


def test_directions_die_a_few_at_a_time_and_never_below_the_target():
    for seed in range(3):
        run = budgeted(seed, seed)
        assert max(run.deaths) <= 4
        assert min(run.live) == run.live[-1] == TOTAL
        settled = run.live[run.rule.stop - 1 :]
        assert settled == [TOTAL] * len(settled)


# ---- whole runs: how many


RUNS = [
    (steps, lr, target, measure)
    for measure in ("size", "gate")
    for steps, rates in ((5, [5e-3]), (30, [1e-6, 5e-3, 0.3]), (80, [2e-2]))
    for lr in rates
    for target in (0, 1 / 3, 1, MEAN, 5, 23 / 3, 8)
]


@pytest.mark.parametrize(("steps", "lr", "target", "measure"), RUNS)
def test_a_run_ends_on_its_mean_rank(steps, lr, target, measure):
    run = train(
        SoRA(rank=8, target_rank=target, measure=measure), problem(0, dtype=torch.float32), How(steps=steps, lr=lr)
    )
    assert sum(run.adapter.ranks.values()) == round(3 * target)
    assert min(run.live) == run.live[-1]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("target", [0, 50, 333, 700, 1088])
def test_a_run_ends_within_one_direction_of_its_numbers(target, seed):
    run = train(SoRA(rank=8, target_params=target), problem(seed, dtype=torch.float32), How(steps=40, seed=seed))
    assert target <= run.adapter.size < target + IN + max(OUT.values())
