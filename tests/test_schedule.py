"""The sparsifying schedule: lambdas by hand, ranks that only fall, stages that restart and resume."""

import functools
import json
import os
import shutil
import signal
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

import rankwise as rw
from rankwise.errors import BadFile, FolderExists, Interrupted, NotFoldable, RecipeError
from rankwise.methods import LoRA, SoRA
from rankwise.train.evaluate import evaluate
from rankwise.train.recipe import Recipe
from rankwise.train.record import read
from rankwise.train.schedule import lambdas, sparsify
from tests import learn

STAGE = Recipe(epochs=4, lr=2e-2, batch_rows=6, log_every=1, precision="fp32", save_every=4)
VALUES = [0.0, 0.1, 0.25, 0.5]


@pytest.mark.parametrize(
    ("shape", "want"),
    [
        ("linear", [1, 2, 3]),
        ("log", [1, 1 + 2 * 0.740363, 3]),  # log10(1 + 9/2) = 0.740363
        ("exp", [1, 1 + 2 * 0.240253, 3]),  # (sqrt 10 - 1) / 9 = 0.240253
    ],
)
def test_lambdas_by_hand(shape, want):
    assert lambdas(1, 3, 3, shape) == pytest.approx(want, abs=1e-5)
    assert lambdas(0.5, 2, 1, shape) == [0.5]
    assert lambdas(0.5, 2, 2, shape) == pytest.approx([0.5, 2])


@pytest.mark.parametrize("shape", ["linear", "log", "exp"])
def test_lambdas_rise_from_start_to_end(shape):
    found = lambdas(0.1, 0.7, 9, shape)
    assert found[0] == 0.1
    assert found[-1] == pytest.approx(0.7)
    assert found == sorted(found)


@pytest.mark.parametrize(
    "given", [(0.1, 0.2, 0, "linear"), (0.2, 0.1, 3, "linear"), (-0.1, 0.1, 3, "log"), (0, 1, 3, "cubic")]
)
def test_lambdas_that_make_no_sense_are_refused(given):
    with pytest.raises(RecipeError):
        lambdas(*given)


@functools.cache
def dense():
    """A model, a task and a trained dense adapter that says it has a budget."""
    model, task = learn.encoder(), learn.task(count=36, valid=30)
    made = learn.adapter(model, SoRA(rank=6, dropout=0.1, sparsity=0.0), task)
    adapter = rw.train(model, made, task, STAGE)
    return model, task, replace(adapter, method=replace(adapter.method, target_rank=3, sparsity=None))


def test_ranks_fall_from_stage_to_stage_and_each_leaves_a_checkpoint(tmp_path):
    model, task, adapter = dense()
    stages, found = sparsify(model, adapter, task, STAGE, VALUES, out=tmp_path)
    ranks = [s.mean_rank for s in stages]
    assert ranks[0] == 6
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[-1] < 4
    assert json.loads((tmp_path / "stages.json").read_text())[2]["sparsity"] == 0.25
    for stage, one in zip(stages, found, strict=True):
        assert rw.load(tmp_path / stage.folder).equal(one)
        assert (stage.ranks, stage.size) == (one.ranks, one.size)
        assert stage.scores["single"] == evaluate(model, one, task).value
        assert one.method.sparsity == stage.sparsity
        assert one.method.target_rank is None
        assert (one.method.rank, one.method.scale) == (6, adapter.method.scale)
        for site, factors in one.factors.items():
            assert len(factors["gate"]) == one.ranks[site]  # compact, so the next stage starts from less
    assert not list(tmp_path.glob("*.run"))


def test_a_direction_that_is_gone_never_comes_back():
    model, task, adapter = dense()
    _, found = sparsify(model, adapter, task, STAGE, VALUES)
    for one, two in pairwise(found):
        assert all(two.ranks[site] <= rank for site, rank in one.ranks.items())


def test_the_learning_rate_restarts_in_every_stage(tmp_path):
    model, task, adapter = dense()
    sparsify(model, adapter, task, STAGE, VALUES, out=tmp_path)
    for number in range(4):
        rates = [line["lr"]["A"] for line in read(tmp_path / f"stage-{number:02d}") if line["kind"] == "step"]
        assert max(rates) == STAGE.lr
        assert rates[-1] < 0.1 * STAGE.lr
        assert len(rates) == 24


def test_a_stage_starts_from_the_last_ones_adapter(tmp_path):
    model, task, adapter = dense()
    _, found = sparsify(model, adapter, task, STAGE, VALUES[:3])
    start = replace(found[1], method=replace(found[1].method, sparsity=VALUES[2], warmup=0.0))
    assert sum(found[1].ranks.values()) < 18  # fewer rows than `rank` in some site
    assert rw.train(model, start, task, STAGE).equal(found[2])


def test_nothing_is_warmed_up_again(tmp_path):
    """The adapter is trained; with a warm-up of its own, every stage would spend its best rates on nothing."""
    model, task, adapter = dense()
    adapter = replace(adapter, method=replace(adapter.method, warmup=0.7))
    sparsify(model, adapter, task, replace(STAGE, warmup=0.0), [0.3], out=tmp_path)
    first = next(line for line in read(tmp_path / "stage-00") if line["kind"] == "step")
    assert first["lambda"] == 0.3


def test_the_given_adapter_is_not_changed():
    model, task, adapter = dense()
    held = adapter.map(lambda f: {n: t.clone() for n, t in f.items()})
    sparsify(model, adapter, task, STAGE, VALUES[:2])
    assert adapter.equal(held)


def test_a_stage_that_leaves_nothing_is_the_last(tmp_path):
    model, task, adapter = dense()
    stages, found = sparsify(model, adapter, task, STAGE, [5.0, 6.0, 7.0], out=tmp_path)
    assert len(stages) == 1
    assert stages[0].mean_rank == 0
    assert rw.load(tmp_path / "stage-00").equal(found[0])


@pytest.mark.parametrize("call", [10, 40, 49, 80])
def test_an_interrupted_schedule_goes_on_as_if_it_had_never_stopped(tmp_path, call):
    """24 steps a stage: stopped in stage 0, 1, 2 and 3."""
    model, task, adapter = dense()
    whole, want = sparsify(model, adapter, task, STAGE, VALUES, out=tmp_path / "whole")
    handle = learn.at_call(model, call, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        sparsify(model, adapter, task, STAGE, VALUES, out=tmp_path / "a")
    handle.remove()
    with pytest.raises(FolderExists):
        sparsify(model, adapter, task, STAGE, VALUES, out=tmp_path / "a")
    stages, found = sparsify(model, adapter, task, STAGE, VALUES, out=tmp_path / "a", resume=True)
    assert [replace(s, seconds=0) for s in stages] == [replace(s, seconds=0) for s in whole]
    assert all(a.equal(b) for a, b in zip(found, want, strict=True))
    again, _ = sparsify(model, adapter, task, STAGE, VALUES, out=tmp_path / "a", resume=True)
    assert again == stages  # nothing left to do


@pytest.mark.parametrize("left", ["whole stage, not in stages.json", "no checkpoint yet"])
def test_a_schedule_that_was_killed_between_two_writes_goes_on(tmp_path, left):
    model, task, adapter = dense()
    whole, want = sparsify(model, adapter, task, STAGE, VALUES[:3], out=tmp_path / "a")
    lines = json.loads((tmp_path / "a" / "stages.json").read_text())
    (tmp_path / "a" / "stages.json").write_text(json.dumps(lines[:2]))
    if left == "no checkpoint yet":
        shutil.rmtree(tmp_path / "a" / "stage-02")
        (tmp_path / "a" / "stage-02.run").mkdir()
        (tmp_path / "a" / "stage-02.run" / "run.jsonl").write_text('{"kind": "header"}\n')
    stages, found = sparsify(model, adapter, task, STAGE, VALUES[:3], out=tmp_path / "a", resume=True)
    assert [s.ranks for s in stages] == [s.ranks for s in whole]
    assert all(a.equal(b) for a, b in zip(found, want, strict=True))


def test_a_schedule_is_not_resumed_with_other_lambdas(tmp_path):
    model, task, adapter = dense()
    sparsify(model, adapter, task, STAGE, VALUES[:2], out=tmp_path)
    with pytest.raises(RecipeError, match="resumed with the lambdas that it began with"):
        sparsify(model, adapter, task, STAGE, [0.0, 0.2, 0.3], out=tmp_path, resume=True)
    longer, _ = sparsify(model, adapter, task, STAGE, VALUES[:3], out=tmp_path, resume=True)
    assert len(longer) == 3


def test_a_foreign_stages_file_is_refused(tmp_path):
    model, task, adapter = dense()
    (tmp_path / "stages.json").write_text('[{"number": 1}]')
    with pytest.raises(BadFile, match=r"stages\.json is not what this schedule wrote"):
        sparsify(model, adapter, task, STAGE, VALUES, out=tmp_path, resume=True)


def test_a_method_without_gates_is_refused():
    model, task = learn.encoder(), learn.task()
    with pytest.raises(NotFoldable, match="'lora' has no gates"):
        sparsify(model, learn.adapter(model, LoRA(rank=2), task), task, STAGE, VALUES)


def test_one_schedule_gives_score_against_parameters_kept():
    model, task, adapter = dense()
    stages, _ = sparsify(model, adapter, task, STAGE, VALUES)
    assert [s.size for s in stages] == [16 * sum(s.ranks.values()) for s in stages]  # 8 + 8 numbers a direction
    assert all(0 <= s.scores["single"] <= 1 for s in stages)
    assert torch.get_default_dtype() == torch.float32
