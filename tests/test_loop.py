"""The loop: exact resume, equal losses whatever saves work, the best checkpoint within the budget, several tasks."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import rankwise as rw
from rankwise.errors import BadFile, Diverged, FolderExists, Interrupted, RecipeError, UnknownName, WrongBase
from rankwise.io import native
from rankwise.methods import LoRA, SoRA
from rankwise.train.evaluate import evaluate
from rankwise.train.recipe import Recipe
from rankwise.train.record import read
from tests import learn, tiny

FAST = Recipe(epochs=4, lr=2e-2, batch_rows=6, log_every=1, precision="fp32")
HARD = replace(FAST, accumulate=2, shrink_every=2, save_every=3, weight_decay=0.01, clip=0.5)
GATED = SoRA(rank=4, target_rank=1, dropout=0.1, patience=2)


def several():
    return [learn.task("single"), learn.task("regression", weight=0.5), learn.task("tokens")]


def begin(method=GATED, tasks=None, **options):
    """A model, an adapter on it and its tasks, always the same ones."""
    tasks = several() if tasks is None else tasks
    model = learn.encoder(dropout=0.1)
    return model, tiny.shaken(learn.adapter(model, method, tasks, **options)), tasks


def stop():
    os.kill(os.getpid(), signal.SIGINT)


def stopped(tmp_path, call, recipe=HARD, method=GATED):
    """A run of `begin` that is interrupted in its `call`-th micro-batch."""
    model, made, tasks = begin(method)
    handle = learn.at_call(model, call, stop)
    with pytest.raises(Interrupted) as caught:
        rw.fit(model, made, tasks, recipe, out=tmp_path / "a")
    handle.remove()
    return model, made, tasks, caught.value


def ranks(record):
    return {line["step"]: line["ranks"] for line in record if line["kind"] == "rank"}


def evals(record):
    return [line for line in record if line["kind"] == "eval"]


@pytest.mark.parametrize("call", [1, 9, 14, 20, 30, 48])
def test_an_interrupted_and_resumed_run_equals_the_uninterrupted_one_in_every_bit(tmp_path, call):
    """Dropout, accumulation, clipping, three tasks, a rank budget, live shrinking: 24 steps of 2 micro-batches."""
    model, made, tasks = begin()
    whole = rw.fit(model, made, tasks, HARD, out=tmp_path / "whole")
    model, made, tasks, error = stopped(tmp_path, call)
    assert f"stopped at step {-(-call // 2)} of {whole.steps}" in str(error)
    torch.manual_seed(12345)  # the caller's generator has no part in it
    result = rw.fit(model, made, tasks, HARD, out=tmp_path / "a", resume=True)
    assert result.adapter.equal(whole.adapter)
    assert (result.scores, result.history, result.steps) == (whole.scores, whole.history, whole.steps)
    one, two = read(tmp_path / "whole"), read(tmp_path / "a")
    assert learn.losses(one) == learn.losses(two)
    assert ranks(one) == ranks(two)
    assert evals(one) == evals(two)
    assert rw.load(tmp_path / "a").equal(rw.load(tmp_path / "whole"))


def test_a_run_interrupted_over_and_over_equals_the_uninterrupted_one(tmp_path):
    model, made, tasks = begin()
    whole = rw.fit(model, made, tasks, HARD)
    model, made, tasks, _ = stopped(tmp_path, 5)
    for _ in range(40):
        handle = learn.at_call(model, 11, stop)
        try:
            result = rw.fit(model, made, tasks, HARD, out=tmp_path / "a", resume=True)
            break
        except Interrupted:
            pass
        finally:
            handle.remove()
    assert result.adapter.equal(whole.adapter)


SCRIPT = """
import sys
from pathlib import Path
import rankwise as rw
from tests import learn
from tests.test_loop import HARD, begin
model, made, tasks = begin()
out = Path(sys.argv[1])
def wait():
    Path(sys.argv[2]).touch()  # from here on a signal lands in the run
    import time
    time.sleep(float(sys.argv[3]))
learn.at_call(model, 23, wait)
rw.fit(model, made, tasks, HARD, out=out)
"""


def in_another_process(tmp_path, number, pause):
    """A run in a process of its own that is sent a signal in its 12th step; its exit status and error text."""
    mark = tmp_path / "mark"
    given = [sys.executable, "-c", SCRIPT, str(tmp_path / "a"), str(mark), str(pause)]
    env = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads()), "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(given, stderr=subprocess.PIPE, text=True, env=env)
    end = time.monotonic() + 100
    while not mark.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(number)
    _, error = process.communicate(timeout=100)
    return process.returncode, error


def test_a_real_ctrl_c_saves_and_says_how_to_resume(tmp_path):
    status, error = in_another_process(tmp_path, signal.SIGINT, 0.5)
    assert status == 1
    assert "stopped at step 12 of 24" in error
    assert "resume=True" in error
    assert not (tmp_path / "a").exists()
    model, made, tasks = begin()
    whole = rw.fit(model, made, tasks, HARD)
    assert rw.fit(model, made, tasks, HARD, out=tmp_path / "a", resume=True).adapter.equal(whole.adapter)


def test_a_killed_run_goes_on_from_its_last_save(tmp_path):
    status, _ = in_another_process(tmp_path, signal.SIGKILL, 30)
    assert status == -signal.SIGKILL
    _, state = native.load_state(tmp_path / "a.run" / "last")
    assert state["run"]["step"] == 9  # killed in step 12; every 3rd is saved
    model, made, tasks = begin()
    whole = rw.fit(model, made, tasks, HARD, out=tmp_path / "whole")
    again = rw.fit(model, made, tasks, HARD, out=tmp_path / "a", resume=True)
    assert again.adapter.equal(whole.adapter)
    assert learn.losses(read(tmp_path / "a")) == learn.losses(read(tmp_path / "whole"))


def test_live_shrinking_changes_no_loss():
    model, made, tasks = begin(replace(GATED, dropout=0.0))
    found = []
    for every in (0, 1, 4):
        recipe = replace(HARD, shrink_every=every, epochs=6)
        found.append(rw.fit(model, made, tasks, recipe, out=None))
    masked, often, seldom = (r.history for r in found)
    assert masked[0]["mean_rank"] > masked[-1]["mean_rank"] == pytest.approx(1)
    for one in (often, seldom):
        for a, b in zip(masked, one, strict=True):
            assert a["mean_rank"] == b["mean_rank"]
            assert a["loss"] == pytest.approx(b["loss"], rel=1e-12)
    for site, factors in found[0].adapter.factors.items():
        for name, tensor in factors.items():
            torch.testing.assert_close(found[1].adapter.factors[site][name], tensor, rtol=1e-9, atol=1e-11)


def test_live_shrinking_changes_no_training_loss_step_by_step(tmp_path):
    model, made, tasks = begin(replace(GATED, dropout=0.0))
    for every in (0, 2):
        rw.fit(model, made, tasks, replace(HARD, shrink_every=every), out=tmp_path / str(every))
    masked, shrunk = (learn.losses(read(tmp_path / name)) for name in ("0", "2"))
    assert len(masked) == 24
    assert shrunk == pytest.approx(masked, rel=1e-12)


def bert_run(**options):
    model, task = learn.bert(hidden_dropout_prob=0.1), learn.task()
    made = tiny.shaken(learn.adapter(model, SoRA(rank=4, target_rank=2), task, targets=["query", "value"]))
    return made, rw.fit(model, made, task, replace(FAST, epochs=2, **options))


def test_gradient_checkpointing_changes_nothing_and_layer_0_learns():
    made, plain = bert_run()
    site = "encoder.layer.0.attention.self.query"
    _, sparing = bert_run(checkpointing=True)
    for a, b in zip(plain.history, sparing.history, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-12)
    for name in ("A", "B"):
        assert not torch.equal(made.factors[site][name], tiny_rows(sparing, site, name, made))
    torch.testing.assert_close(plain.adapter.factors[site]["A"], sparing.adapter.factors[site]["A"])


def tiny_rows(result, site, name, made):
    """The trained factor, padded with zeros where directions were cut."""
    got = result.adapter.factors[site][name]
    full = torch.zeros_like(made.factors[site][name])
    full[tuple(slice(n) for n in got.shape)] = got
    return full


def test_gradient_checkpointing_recomputes_activations():
    model, task = learn.bert(), learn.task()
    calls = [0]
    model.encoder.layer[0].intermediate.register_forward_hook(lambda *_: calls.__setitem__(0, calls[0] + 1))
    counts = []
    for on in (False, True):
        calls[0] = 0
        made = learn.adapter(model, LoRA(rank=2), replace(task, valid=()))
        rw.fit(model, made, replace(task, valid=()), replace(FAST, steps=3, checkpointing=on))
        counts.append(calls[0])
    assert counts == [3, 6]
    assert not model.is_activation_checkpointing


def test_one_adapter_learns_every_kind_of_head_at_once():
    tasks = [learn.task(kind, count=40, valid=20) for kind in learn.KINDS]
    model = learn.encoder()
    made = learn.adapter(model, LoRA(rank=4), tasks)
    before = {t.name: evaluate(model, made, t) for t in tasks}
    result = rw.fit(model, made, tasks, replace(FAST, epochs=8, batch_rows=8, lr=5e-2))
    assert set(result.scores) == set(learn.KINDS)
    assert result.steps == 8 * 5 * len(learn.KINDS)
    for task in tasks:
        after = evaluate(model, result.adapter, task)
        assert after.value == result.scores[task.name]
        assert after.loss < 0.7 * before[task.name].loss, task.name


def test_a_host_with_its_own_head_trains_it_whole():
    model, rows = tiny.host("bert", num_labels=2), learn.rows(count=40)
    task = replace(learn.task(name="x", host_answers=True), train=rows, valid=rows)
    made = rw.new(model, LoRA(rank=4), ["query", "value"], whole=["classifier"])
    result = rw.fit(model, made, task, replace(FAST, epochs=10))
    assert set(result.adapter.whole) == {"classifier.weight", "classifier.bias"}
    assert not torch.equal(result.adapter.whole["classifier.weight"], model.classifier.weight)
    assert result.scores["x"] > 0.9 > evaluate(model, made, task).value


class Fading(nn.Module):
    """An encoder whose answers are true at first and turned round after `turn` evaluations."""

    def __init__(self, turn):
        super().__init__()
        self.body = learn.encoder()
        self.seen, self.turn = 0, turn

    def forward(self, input_ids, attention_mask=None):
        out = self.body(input_ids, attention_mask)
        self.seen += not self.training
        if not self.training and self.seen > self.turn:
            out.last_hidden_state = -out.last_hidden_state
        return out


def test_an_early_denser_checkpoint_with_a_better_score_never_wins():
    model, task = Fading(turn=8), learn.task(count=60, valid=40)
    made = learn.adapter(model, SoRA(rank=4, target_rank=1), task)
    result = rw.fit(model, made, task, replace(FAST, epochs=20, lr=3e-2))
    scores = [h["scores"]["single"] for h in result.history]
    dense = max(s for s, h in zip(scores, result.history, strict=True) if h["mean_rank"] > 1.5)
    assert dense > result.scores["single"]  # the trap: the best score of all is of a dense one
    assert not any(h["best"] for h in result.history if h["mean_rank"] > 1.5)
    assert result.adapter.mean_rank == pytest.approx(1)


def test_the_best_checkpoint_is_the_result_and_its_score_is_the_adapters():
    model, task = learn.encoder(), learn.task(count=30, valid=30)
    made = learn.adapter(model, LoRA(rank=4), task)
    result = rw.fit(model, made, task, replace(FAST, lr=0.3, epochs=12, decay="constant"))
    scores = [h["scores"]["single"] for h in result.history]
    assert scores[-1] < max(scores)  # the last is not the best here
    assert result.scores["single"] == max(scores) == evaluate(model, result.adapter, task).value
    bests = [h["step"] for h in result.history if h["best"]]
    assert bests[-1] == result.history[scores.index(max(scores))]["step"]  # the first of equals


def test_where_lower_is_better_the_lowest_wins():
    model, task = learn.encoder(), learn.task("regression", metric="mse")
    made = learn.adapter(model, LoRA(rank=4), task)
    result = rw.fit(model, made, task, replace(FAST, lr=0.3, epochs=8, decay="constant"))
    values = [h["scores"]["regression"] for h in result.history]
    assert result.scores["regression"] == min(values) < max(values)


def test_the_recipes_metric_picks_the_best():
    model, task = learn.encoder(), learn.task("regression")
    result = rw.fit(model, learn.adapter(model, LoRA(rank=2), task), task, replace(FAST, metric="mse"))
    assert result.scores["regression"] == evaluate(model, result.adapter, replace(task, metric="mse")).value


def test_a_run_without_a_better_score_stops_early_and_keeps_the_best():
    model, task = Fading(turn=3), learn.task(count=60, valid=40)
    made = learn.adapter(model, LoRA(rank=4), task)
    result = rw.fit(model, made, task, replace(FAST, epochs=30, patience=2, lr=3e-2))
    scores = [h["scores"]["single"] for h in result.history]
    best = scores.index(max(scores))
    assert len(scores) == best + 3 < 30
    assert result.steps == 10 * len(scores)
    assert result.scores["single"] == max(scores)


def test_patience_goes_on_counting_in_a_resumed_run(tmp_path):
    """The answers turn round after the 3rd evaluation; stopped in the epoch between the two that are not better."""
    task = learn.task(count=60, valid=40)
    recipe = replace(FAST, epochs=30, patience=3, lr=3e-2)
    model = Fading(turn=3)
    made = learn.adapter(model, LoRA(rank=4), task)
    whole = rw.fit(model, made, task, recipe)
    model = Fading(turn=3)
    handle = learn.at_call(model, whole.steps - 5, stop)
    with pytest.raises(Interrupted):
        rw.fit(model, made, task, recipe, out=tmp_path / "a")
    handle.remove()
    again = rw.fit(model, made, task, recipe, out=tmp_path / "a", resume=True)
    assert (again.steps, again.history) == (whole.steps, whole.history)
    assert again.adapter.equal(whole.adapter)


def spoil(model, call):
    """Make the model's words NaN from its `call`-th micro-batch on; gives a way back."""
    held = model.words.weight.detach().clone()

    def act():
        with torch.no_grad():
            model.words.weight.fill_(torch.nan)

    handle = learn.at_call(model, call, act)

    def back():
        handle.remove()
        with torch.no_grad():
            model.words.weight.copy_(held)

    return back


def test_a_loss_that_is_no_number_stops_and_the_last_good_checkpoint_is_kept(tmp_path):
    model, task = learn.encoder(), learn.task()  # 4 steps an epoch
    made = learn.adapter(model, LoRA(rank=2), task)
    before = [(n, id(m), m.training) for n, m in model.named_modules()]
    back = spoil(model, 11)
    with pytest.raises(Diverged, match=r"the loss is nan at step 11 of 16, at learning rate 0\.0075") as caught:
        rw.fit(model, made, task, replace(FAST, decay="linear", warmup=0.0), out=tmp_path / "a")
    back()
    text = str(caught.value)
    assert f"in {tmp_path / 'a.run' / 'best'}" in text
    assert f"in {tmp_path / 'a.run'}/last" in text
    assert "Try a lower learning rate" in text
    assert caught.value.step == 11
    assert caught.value.lr == pytest.approx(2e-2 * 6 / 16)
    assert [(n, id(m), m.training) for n, m in model.named_modules()] == before
    kept, _ = native.load_state(tmp_path / "a.run" / "best")
    assert kept.equal(caught.value.adapter)
    last, state = native.load_state(tmp_path / "a.run" / "last")
    assert state["run"]["step"] == 8
    assert all(t.isfinite().all() for f in last.factors.values() for t in f.values())
    whole = rw.fit(model, made, task, replace(FAST, decay="linear", warmup=0.0))
    again = rw.fit(model, made, task, replace(FAST, decay="linear", warmup=0.0), out=tmp_path / "a", resume=True)
    assert again.adapter.equal(whole.adapter)


def test_without_a_folder_the_best_is_on_the_error():
    model, task = learn.encoder(), learn.task()
    made = learn.adapter(model, LoRA(rank=2), task)
    back = spoil(model, 6)
    with pytest.raises(Diverged, match=r"step 4\) is on this error") as caught:
        rw.fit(model, made, task, FAST)
    back()
    assert evaluate(model, caught.value.adapter, task).n == 16


class Cliff(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * torch.nan


def test_a_gradient_that_is_no_number_spoils_no_checkpoint(tmp_path):
    """The loss is fine, the gradient is not: a step with it would save NaN and call it the last good state."""
    model, task = learn.encoder(), learn.task()
    made = learn.adapter(model, LoRA(rank=2), task)
    on = [False]
    handle = learn.at_call(model, 4, lambda: on.__setitem__(0, True))
    hook = model.second.register_forward_hook(lambda m, a, out: Cliff.apply(out) if on[0] else out)
    with pytest.raises(Diverged, match="the gradient is nan at step 4 of 16"):
        rw.fit(model, made, task, replace(FAST, save_every=1), out=tmp_path / "a")
    handle.remove()
    hook.remove()
    last, _ = native.load_state(tmp_path / "a.run" / "last")
    assert all(t.isfinite().all() for f in last.factors.values() for t in f.values())


def test_answers_that_are_no_numbers_are_never_the_best():
    """Half of them are right by chance: argmax of NaN is class 0."""
    model, task = learn.encoder(), learn.task()
    made = learn.adapter(model, LoRA(rank=2), task)
    hook = model.register_forward_hook(
        lambda m, a, out: None if m.training else setattr(out, "last_hidden_state", out.last_hidden_state * torch.nan)
    )
    result = rw.fit(model, made, task, FAST)
    hook.remove()
    assert not any(h["best"] for h in result.history)


def snapshot(model):
    return (
        [(n, id(m), m.training, getattr(m, "gradient_checkpointing", 0)) for n, m in model.named_modules()],
        [(n, id(p), p.requires_grad, p.grad is None, p.detach().clone()) for n, p in model.named_parameters()],
        [list(model.state_dict()), [dict(m._forward_hooks) for m in model.modules()]],
        torch.get_rng_state(),
        torch.get_num_threads(),
        signal.getsignal(signal.SIGINT),
    )


def assert_same(one, two):
    assert one[0] == two[0]
    for a, b in zip(one[1], two[1], strict=True):
        assert a[:4] == b[:4]
        assert torch.equal(a[4], b[4])
    assert one[2] == two[2]
    assert torch.equal(one[3], two[3])
    assert one[4:] == two[4:]


@pytest.mark.parametrize("exit_by", ["success", "interrupt", "divergence", "wrong base", "bad rows", "kill key twice"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_model_leaves_as_it_came_by_every_exit(tmp_path, exit_by, checkpointing):
    model, task = learn.bert(), learn.task()
    model.train()
    model.encoder.layer[1].eval()
    model.embeddings.requires_grad_(False)
    made = learn.adapter(model, SoRA(rank=2, target_rank=1), task, targets=["query"], whole=["embeddings.LayerNorm"])
    handle, error = None, ()
    if exit_by == "interrupt":
        handle, error = learn.at_call(model, 3, stop), Interrupted
    elif exit_by == "kill key twice":
        handle, error = learn.at_call(model, 3, lambda: (stop(), stop())), KeyboardInterrupt
    elif exit_by == "divergence":
        error = Diverged
        handle = learn.at_call(model, 3, lambda: heads_to_nan(model))
    elif exit_by == "wrong base":
        made = replace(made, sites=tuple(replace(s, name="nowhere") for s in made.sites))
        error = WrongBase
    elif exit_by == "bad rows":
        task = replace(task, train=[replace(task.train[0], ids=(999,)), *task.train[1:]])
        error = IndexError
    before = snapshot(model)
    recipe = replace(FAST, checkpointing=checkpointing, num_threads=2)
    if error:
        with pytest.raises(error):
            rw.fit(model, made, task, recipe)
    else:
        rw.fit(model, made, task, recipe)
    if handle:
        handle.remove()
    assert_same(before, snapshot(model))


def heads_to_nan(model):
    with torch.no_grad():
        for p in model.rankwise_heads.parameters():
            p.fill_(torch.nan)


def test_gradient_checkpointing_that_was_on_stays_on():
    model, task = learn.bert(), learn.task(valid=0)
    model.activation_checkpointing_enable()
    before = snapshot(model)
    made = learn.adapter(model, LoRA(rank=2), task, targets=["query"])
    rw.fit(model, made, task, replace(FAST, steps=2, checkpointing=True))
    assert model.is_activation_checkpointing
    assert_same(before, snapshot(model))


def test_a_model_without_gradient_checkpointing_says_so():
    model, task = learn.encoder(), learn.task()
    with pytest.raises(RecipeError, match="Encoder has no gradient checkpointing"):
        rw.fit(model, learn.adapter(model, LoRA(rank=2), task), task, replace(FAST, checkpointing=True))


def test_the_given_adapter_is_not_changed():
    model, made, tasks = begin()
    held = made.map(lambda f: {n: t.clone() for n, t in f.items()})
    result = rw.fit(model, made, tasks, FAST)
    assert made.equal(held)
    assert not result.adapter.equal(made)


def test_the_folder_appears_at_the_end_only_and_is_never_replaced_unasked(tmp_path):
    model, task = learn.encoder(), learn.task()
    made, out = learn.adapter(model, LoRA(rank=2), task), tmp_path / "deep" / "a"
    there = []
    handle = learn.at_call(model, 16, lambda: there.append((out.exists(), out.with_name("a.run").is_dir())))
    result = rw.fit(model, made, task, FAST, out=out)
    handle.remove()
    assert there == [(False, True)]
    assert result.folder == out
    assert not out.with_name("a.run").exists()
    assert {"run.jsonl", "recipe.toml", "adapter_model.safetensors"} <= {p.name for p in out.iterdir()}
    assert Recipe.from_toml(out / "recipe.toml") == FAST
    assert rw.load(out).equal(result.adapter)
    with pytest.raises(FolderExists, match="is there already"):
        rw.fit(model, made, task, FAST, out=out)
    other = rw.fit(model, made, task, replace(FAST, seed=1), out=out, overwrite=True)
    assert rw.load(out).equal(other.adapter)


def test_a_stopped_run_is_neither_replaced_nor_continued_unasked(tmp_path):
    model, made, tasks, _ = stopped(tmp_path, 9)
    with pytest.raises(FolderExists, match=r"a\.run holds a run that was stopped\.\n  To go on with it: --resume"):
        rw.fit(model, made, tasks, HARD, out=tmp_path / "a")
    anew = rw.fit(model, made, tasks, HARD, out=tmp_path / "a", overwrite=True)
    assert min(learn.losses(read(tmp_path / "a"))) == 1
    assert anew.steps == 24


def test_a_run_is_not_resumed_with_another_recipe_or_other_rows(tmp_path):
    model, made, tasks, _ = stopped(tmp_path, 9)
    with pytest.raises(RecipeError, match=r"lr was 0\.02 when this run began, and is 0\.01 now"):
        rw.fit(model, made, tasks, replace(HARD, lr=1e-2), out=tmp_path / "a", resume=True)
    fewer = [replace(tasks[0], train=tasks[0].train[:5]), *tasks[1:]]
    with pytest.raises(RecipeError, match="rows was"):
        rw.fit(model, made, fewer, HARD, out=tmp_path / "a", resume=True)
    assert rw.fit(model, made, tasks, HARD, out=tmp_path / "a", resume=True).steps == 24


def test_nothing_to_resume_is_an_error(tmp_path):
    model, made, tasks = begin()
    with pytest.raises(BadFile, match="nothing to resume"):
        rw.fit(model, made, tasks, HARD, out=tmp_path / "a", resume=True)
    with pytest.raises(BadFile, match="no folder was given"):
        rw.fit(model, made, tasks, HARD, resume=True)
    assert list(tmp_path.iterdir()) == []


def test_what_fails_before_its_first_checkpoint_leaves_nothing_in_the_way(tmp_path):
    model, made, tasks = begin()
    elsewhere = replace(made, sites=tuple(replace(s, name="nowhere") for s in made.sites))
    with pytest.raises(WrongBase):
        rw.fit(model, elsewhere, tasks, FAST, out=tmp_path / "a")
    with pytest.raises(UnknownName):
        rw.fit(model, made, replace(tasks[0], name="other"), FAST, out=tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
    assert rw.fit(model, made, tasks, FAST, out=tmp_path / "a").folder == tmp_path / "a"


@pytest.mark.parametrize("kind", learn.KINDS)
def test_four_accumulated_batches_equal_one_large_one(tmp_path, kind):
    """14 rows: the last micro-batch of each epoch has 2, and rows have differing numbers of tokens."""
    model, task = learn.encoder(), learn.task(kind, count=14)
    made = tiny.shaken(learn.adapter(model, SoRA(rank=4, target_rank=2), task))
    whole = rw.fit(model, made, task, replace(FAST, epochs=12, batch_rows=14), out=tmp_path / "1")
    parts = rw.fit(model, made, task, replace(FAST, epochs=12, batch_rows=4, accumulate=4), out=tmp_path / "2")
    assert whole.steps == parts.steps == 12
    one, two = (learn.losses(read(tmp_path / n)) for n in "12")
    assert two == pytest.approx(one, rel=1e-6 if kind == "regression" else 1e-9)
    assert whole.adapter.ranks == parts.adapter.ranks


def test_the_rule_fires_once_a_real_step(tmp_path):
    model, task = learn.encoder(), learn.task()
    made = tiny.shaken(learn.adapter(model, SoRA(rank=4, sparsity=0.3, warmup=0, settle=0), task))
    out = tmp_path / "a"
    rw.fit(model, made, replace(task, valid=()), replace(FAST, accumulate=4, batch_rows=2, epochs=2), out=out)
    # 24 rows: 12 batches, 3 steps an epoch
    assert sorted(learn.losses(read(out))) == [1, 2, 3, 4, 5, 6]
    stops = replace(FAST, accumulate=4, batch_rows=2, epochs=2, save_every=2)
    handle = learn.at_call(model, 17, stop)
    with pytest.raises(Interrupted):
        rw.fit(model, made, task, stops, out=tmp_path / "b")
    handle.remove()
    _, state = native.load_state(tmp_path / "b.run" / "last")
    assert state["run"]["rule"]["step"] == state["run"]["step"] == 5


def test_gates_shrink_by_the_threshold_once_a_step():
    """SGD has no part in it: without a gradient a gate loses lr * lambda in every step, 4 micro-batches or not."""
    for accumulate in (1, 4):
        model, task = learn.encoder(), learn.task(valid=0)
        method = SoRA(rank=2, sparsity=0.01, warmup=0, settle=0, measure="gate", alpha=1e-30)
        made = learn.adapter(model, method, task)
        made = made.map(lambda f: f | {"A": f["A"] * 0})  # no gradient ever comes to B, to A, or to the gate
        recipe = replace(FAST, steps=5, accumulate=accumulate, batch_rows=2, decay="constant", warmup=0.0, gate_lr=1.0)
        got = rw.fit(model, made, task, recipe).adapter
        for factors in got.factors.values():
            torch.testing.assert_close(factors["gate"], torch.full((2,), 0.95, dtype=torch.float64))


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_every_precision_trains(precision, tmp_path):
    model, task = learn.encoder(torch.float32), learn.task(count=60, valid=40)
    made = learn.adapter(model, SoRA(rank=4, target_rank=2), task)
    result = rw.fit(model, made, task, replace(FAST, precision=precision, epochs=10), out=tmp_path / "a")
    found = list(learn.losses(read(tmp_path / "a")).values())
    assert sum(found[-10:]) < 0.6 * sum(found[:10])
    assert result.adapter.mean_rank == pytest.approx(2, abs=0.34)
    assert {t.dtype for f in result.adapter.factors.values() for t in f.values()} == {torch.float32}


def test_the_precisions_differ_and_agree_roughly(tmp_path):
    first = {}
    for precision in ("fp32", "bf16", "fp16"):
        model, task = learn.encoder(torch.float32), learn.task()
        made = tiny.shaken(learn.adapter(model, LoRA(rank=4), task))
        rw.fit(model, made, task, replace(FAST, precision=precision, epochs=1), out=tmp_path / precision)
        first[precision] = list(learn.losses(read(tmp_path / precision)).values())
    assert first["fp32"] != first["bf16"] != first["fp16"] != first["fp32"]
    assert first["bf16"] == pytest.approx(first["fp32"], rel=0.1)
    assert first["fp16"] == pytest.approx(first["fp32"], rel=0.02)


def test_a_step_that_overflows_half_precision_is_taken_again_at_a_lower_scale(tmp_path):
    """Gradients 2^20 times too large: the scaler comes down and every step of the run is still taken."""
    model, task = learn.encoder(torch.float32, dropout=0.1), learn.task(weight=2.0**20)
    made = tiny.shaken(learn.adapter(model, SoRA(rank=4, target_rank=2), task))
    recipe = replace(FAST, precision="fp16", save_every=1)
    whole = rw.fit(model, made, task, recipe, out=tmp_path / "whole")
    assert whole.steps == 16
    assert whole.adapter.mean_rank == pytest.approx(2, abs=0.34)
    handle = learn.at_call(model, 20, stop)
    with pytest.raises(Interrupted):
        rw.fit(model, made, task, recipe, out=tmp_path / "a")
    handle.remove()
    _, state = native.load_state(tmp_path / "a.run" / "last")
    assert state["run"]["scaler"]["scale"] < 2**16
    assert rw.fit(model, made, task, recipe, out=tmp_path / "a", resume=True).adapter.equal(whole.adapter)


def test_without_clipping_a_large_gradient_goes_through(tmp_path):
    model, task = learn.encoder(), learn.task()
    made = tiny.shaken(learn.adapter(model, LoRA(rank=4), task))
    found = [rw.fit(model, made, task, replace(FAST, clip=c, epochs=1)).adapter for c in (0.0, 1e9, 0.01)]
    assert found[0].equal(found[1])
    assert not found[0].equal(found[2])


def test_the_record_has_versions_seeds_losses_and_ranks_over_time(tmp_path):
    model, made, tasks = begin()
    rw.fit(model, made, tasks, replace(HARD, seed=7, eval_every=4), out=tmp_path / "a")
    lines = read(tmp_path / "a")
    header = lines[0]
    assert header["kind"] == "header"
    assert header["seed"] == header["recipe"]["seed"] == 7
    assert header["versions"]["torch"] == str(torch.__version__)
    assert (header["method"]["kind"], header["method"]["target_rank"], header["total_steps"]) == ("sora", 1, 24)
    assert list(learn.losses(lines)) == list(range(1, 25))
    over_time = ranks(lines)
    assert list(over_time) == [4, 8, 12, 16, 20, 24]
    assert set(over_time[4]) == {"first", "second", "last"}
    sums = [sum(r.values()) for r in over_time.values()]
    assert sums[-1] == 3 == min(sums) < sums[0]
    first = next(line for line in lines if line["kind"] == "step")
    assert set(first["lr"]) == {"A", "B", "gate", "head"}
    assert {"lambda", "mean_rank"} <= set(first)
    assert (lines[-1]["kind"], lines[-1]["what"]) == ("event", "done")


def test_a_resumed_record_has_every_step_once(tmp_path):
    model, made, tasks, _ = stopped(tmp_path, 30)
    with (tmp_path / "a.run" / "run.jsonl").open("a") as file:
        file.write('{"kind": "step", "step": 17, "loss": 1}\n{"kind": "st')  # as a kill leaves it
    rw.fit(model, made, tasks, HARD, out=tmp_path / "a", resume=True)
    lines = read(tmp_path / "a")
    steps = [line["step"] for line in lines if line["kind"] == "step"]
    assert steps == list(range(1, 25))
    assert [line["what"] for line in lines if line["kind"] == "event"] == ["interrupted", "resumed", "done"]


def test_writing_more_or_less_into_the_record_changes_no_result(tmp_path):
    model, made, tasks = begin()
    found = [
        rw.fit(model, made, tasks, replace(HARD, log_every=1, tensorboard=True), out=tmp_path / "a", progress=True),
        rw.fit(model, made, tasks, replace(HARD, log_every=1000), out=None),
    ]
    assert found[0].adapter.equal(found[1].adapter)
    assert list((tmp_path / "a" / "tensorboard").iterdir())


def test_what_a_method_remarks_is_a_warning_at_the_start():
    model, task = learn.encoder(torch.float32), learn.task(count=20, valid=10)
    with pytest.warns(UserWarning, match="SoRA without a target drops no direction"):
        rw.fit(model, learn.adapter(model, SoRA(rank=2), task), task, replace(FAST, steps=1))


@pytest.mark.filterwarnings("ignore:target_rank=0 keeps none")
@pytest.mark.parametrize("target", [{"target_rank": 1.5}, {"target_params": 100}, {"target_rank": 0}])
def test_a_run_ends_on_its_budget_and_the_result_is_compact(target):
    model, task = learn.encoder(torch.float32), learn.task(count=60, valid=40)
    made = learn.adapter(model, SoRA(rank=6, **target), task)
    result = rw.fit(model, made, task, replace(FAST, epochs=10))
    got = result.adapter
    if "target_rank" in target:
        assert abs(sum(got.ranks.values()) - 3 * target["target_rank"]) <= 1
    else:
        assert abs(got.size - 100) <= 16  # a direction is 8 + 8 numbers
    for site, factors in got.factors.items():
        assert len(factors["gate"]) == got.ranks[site] > 0
        assert bool((factors["gate"] != 0).all())
    assert got.stored == sum(r * (8 + 8 + 1) for r in got.ranks.values())
    assert evaluate(model, got, task).value == result.scores["single"]


def test_without_validation_rows_the_last_state_is_the_result():
    model, task = learn.encoder(), learn.task(valid=0)
    result = rw.fit(model, learn.adapter(model, LoRA(rank=2), task), task, FAST)
    assert result.scores == {}
    assert result.history == []
    assert result.steps == 16


def test_train_gives_the_adapter_alone():
    model, task = learn.encoder(), learn.task()
    made = learn.adapter(model, LoRA(rank=2), task)
    assert rw.train(model, made, task, FAST).equal(rw.fit(model, made, task, FAST).adapter)


def test_a_signal_handler_outside_the_main_thread_is_no_obstacle():
    from concurrent.futures import ThreadPoolExecutor

    model, task = learn.encoder(), learn.task()
    made = learn.adapter(model, LoRA(rank=2), task)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(rw.fit, model, made, task, FAST).result()
    assert there.adapter.equal(rw.fit(model, made, task, FAST).adapter)


def test_going_on_at_the_budget_drops_nothing_though_some_sites_hold_none():
    """The mean is over all sites, those that were cut away altogether included."""
    model, made, tasks = begin()
    first = rw.fit(model, made, tasks, HARD).adapter
    assert 0 in first.ranks.values()
    assert first.mean_rank == 1
    assert rw.fit(model, first, tasks, HARD).adapter.ranks == first.ranks
