"""Rules under Hugging Face's own Trainer: the budget, checkpoints that stock PEFT reads, exact resume."""

import logging
import warnings
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments

import rankwise as rw
from rankwise.core.host import live
from rankwise.core.optim import parameter_groups
from rankwise.errors import AttachError, BadFile
from rankwise.methods import LoRA, SoRA
from tests import tiny

GATED = SoRA(rank=4, target_rank=2, patience=2)


class Rows(Dataset):
    """Label 1 where the first word is in the upper half."""

    def __init__(self, count=48, tokens=6):
        rng = torch.Generator().manual_seed(0)
        self.ids = torch.randint(4, tiny.WORDS, (count, tokens), generator=rng)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        ids = self.ids[i]
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": int(ids[0] > tiny.WORDS // 2)}


def host(**config):
    return tiny.host("bert", num_labels=2, **config)


def begin(folder, method=GATED, callbacks=(), noise=True, **options):
    """A model with an adapter attached, and its Trainer with the callback."""
    model = host(hidden_dropout_prob=0.1)
    adapter = rw.new(model, method, ["query", "value"], whole=["classifier"])
    rw.attach(model, tiny.shaken(adapter) if noise else adapter)
    given = {
        "output_dir": str(folder),
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "num_train_epochs": 4,
        "per_device_train_batch_size": 8,
        "learning_rate": 1e-2,
        "save_strategy": "steps",
        "save_steps": 5,
        "logging_steps": 1,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
        "seed": 3,
    } | options
    args = TrainingArguments(**given)
    return model, Trainer(model=model, args=args, train_dataset=Rows(), callbacks=[rw.hf_callback(model), *callbacks])


def asked():
    rows = tiny.batch("bert")
    return {name: rows[name] for name in ("input_ids", "attention_mask")}


class Stop(TrainerCallback):
    def __init__(self, at):
        self.at = at

    def on_step_end(self, args, state, control, **given):
        control.should_training_stop = state.global_step >= self.at


def losses(trainer):
    return {h["step"]: h["loss"] for h in trainer.state.log_history if "loss" in h}


@pytest.fixture
def said():
    """What transformers' loggers say at warning level or above."""
    found = []

    class Keep(logging.Handler):
        def emit(self, record):
            found.append(record.getMessage())

    handler = Keep(level=logging.WARNING)
    logging.getLogger("transformers").addHandler(handler)
    yield found
    logging.getLogger("transformers").removeHandler(handler)


def test_two_lines_end_on_the_budget(tmp_path):
    model, trainer = begin(tmp_path)
    trainer.train()
    adapter = rw.detach(model)
    assert sum(adapter.ranks.values()) == 8  # 4 sites, mean rank 2
    ranks = [h["mean_rank"] for h in trainer.state.log_history if "loss" in h]
    assert ranks[0] == 4
    assert ranks[-1] == 2
    assert "lambda" in trainer.state.log_history[10]


def test_without_something_attached_there_is_no_callback():
    with pytest.raises(AttachError, match="no adapter is attached"):
        rw.hf_callback(host())


def test_a_checkpoint_is_an_adapter_folder_for_us_and_for_stock_peft(tmp_path, said):
    model, trainer = begin(tmp_path)
    trainer.train()
    batch = asked()
    for step, folder in [(n, tmp_path / f"checkpoint-{n}") for n in (5, 20, 24)]:
        ours = rw.load(folder)
        base = host()
        with rw.attached(base, ours):
            want = tiny.logits(base, batch)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated")  # of transformers, to PEFT
            theirs = PeftModel.from_pretrained(host(), str(folder)).eval()
        torch.testing.assert_close(tiny.logits(theirs, batch), want, rtol=1e-5, atol=1e-5)
        if step == 24:
            assert ours.compact().equal(rw.detach(model).compact())
            assert not torch.equal(want, tiny.logits(base, batch))
    assert said == []


def test_a_checkpoint_holds_the_trained_numbers_alone(tmp_path):
    from safetensors import safe_open

    _, trainer = begin(tmp_path)
    trainer.train()
    with safe_open(str(tmp_path / "checkpoint-5" / "model.safetensors"), "pt") as file:
        names = list(file.keys())
    assert len(names) == 4 * 3 + 2
    assert all(".boxes.0." in n or n.startswith("classifier.") for n in names)


@pytest.mark.parametrize("by", ["flag", "path"])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_resumed_run_equals_the_uninterrupted_one_in_every_bit(tmp_path, by, accumulate, said):
    options = {"gradient_accumulation_steps": accumulate, "weight_decay": 0.1, "num_train_epochs": 4 * accumulate}
    model, trainer = begin(tmp_path / "whole", **options)
    trainer.train()
    whole, want = rw.detach(model), losses(trainer)
    model, trainer = begin(tmp_path / "a", callbacks=[Stop(13)], **options)
    trainer.train()
    del said[:]
    model, trainer = begin(tmp_path / "a", **options)
    path = str(max(tmp_path.glob("a/checkpoint-*"), key=lambda p: int(p.name.split("-")[1])))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer.train(resume_from_checkpoint=True if by == "flag" else path)
    assert rw.detach(model).equal(whole)
    assert losses(trainer) == want
    assert said == []


def test_a_checkpoint_without_our_state_is_refused(tmp_path):
    import shutil

    _, trainer = begin(tmp_path, callbacks=[Stop(6)])
    trainer.train()
    for folder in tmp_path.glob("checkpoint-*"):
        shutil.rmtree(folder / "rankwise_state")
    _, trainer = begin(tmp_path)
    with pytest.raises(BadFile, match="has no state of the sora rule"):
        trainer.train(resume_from_checkpoint=True)


class Count(TrainerCallback):
    """The rule's steps beside the Trainer's."""

    def __init__(self):
        self.found = []
        self.ours = None

    def on_step_end(self, args, state, control, **given):
        self.found.append((state.global_step, self.ours.step, self.ours.rule.step))


def test_with_accumulation_the_rule_fires_on_real_steps_alone(tmp_path):
    count = Count()
    model, trainer = begin(tmp_path, gradient_accumulation_steps=3, callbacks=[count], save_strategy="no")
    count.ours = next(c for c in trainer.callback_handler.callbacks if type(c).__name__ == "RankwiseCallback")
    trainer.train()
    # 48 rows, 8 a batch, 3 batches a step: 2 steps an epoch
    assert count.found == [(i, i, i) for i in range(1, 9)]
    assert sum(rw.detach(model).ranks.values()) == 8


@pytest.mark.parametrize("multiple", [10.0, 1.0])
def test_weight_decay_does_not_touch_the_gates(tmp_path, multiple):
    """After one step, whose gradients decay has no part in."""
    found = {}
    for decay in (0.0, 0.5):
        options = {"weight_decay": decay, "max_steps": 1, "save_strategy": "no", "lr_scheduler_type": "constant"}
        model, trainer = begin(tmp_path, method=SoRA(rank=4, gate_lr=multiple, sparsity=0.0), **options)
        trainer.train()
        found[decay] = rw.detach(model).factors
    for site, factors in found[0.0].items():
        torch.testing.assert_close(found[0.5][site]["gate"], factors["gate"], rtol=1e-6, atol=1e-7)
        assert float((found[0.5][site]["A"] - factors["A"]).abs().max()) > 1e-4


@pytest.mark.parametrize("multiple", [10.0, 1.0])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_one_step_equals_that_of_parameter_groups(tmp_path, multiple, decay):
    """The same gradients, once through the Trainer's single group and once through groups with rates of their own."""
    method = SoRA(rank=4, gate_lr=multiple, sparsity=0.2, warmup=0, settle=0)
    options = {"max_steps": 1, "weight_decay": decay, "lr_scheduler_type": "constant", "save_strategy": "no"}
    model, trainer = begin(tmp_path, method=method, max_grad_norm=0.0, **options)
    taken = {}
    hooks = [
        p.register_post_accumulate_grad_hook(lambda p, n=n: taken.__setitem__(n, p.grad.clone()))
        for n, p in model.named_parameters()
        if p.requires_grad
    ]
    before = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    trainer.train()
    got = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        for n, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(before[n])
                p.grad = taken[n]
    optimizer = torch.optim.AdamW(parameter_groups(model, 1e-2, decay), lr=1e-2)
    optimizer.step()
    rule = method.rule(live(model), 1)
    with torch.no_grad():
        rule.after_step(live(model), 1, {"gate": 1e-2 * multiple, "A": 1e-2, "B": 1e-2})
    for n, p in model.named_parameters():
        if p.requires_grad:
            torch.testing.assert_close(got[n], p.detach(), rtol=1e-5, atol=1e-6, msg=lambda m, n=n: f"{n}: {m}")
    assert not torch.equal(got[n], before[n])


def test_groups_that_have_rates_of_their_own_are_left_alone(tmp_path):
    model, trainer = begin(tmp_path, method=SoRA(rank=4, sparsity=0.0), max_steps=2, save_strategy="no")
    optimizer = torch.optim.SGD(parameter_groups(model, 1e-2), lr=1e-2)
    plain = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    trainer.optimizer, trainer.lr_scheduler = optimizer, plain
    trainer.train()
    ours = next(c for c in trainer.callback_handler.callbacks if type(c).__name__ == "RankwiseCallback")
    assert ours.scaled == {}


def test_a_method_without_a_rule_trains_and_resumes_too(tmp_path):
    model, trainer = begin(tmp_path / "whole", method=LoRA(rank=2))
    trainer.train()
    whole = rw.detach(model)
    _, trainer = begin(tmp_path / "a", method=LoRA(rank=2), callbacks=[Stop(13)])
    trainer.train()
    model, trainer = begin(tmp_path / "a", method=LoRA(rank=2))
    trainer.train(resume_from_checkpoint=True)
    assert rw.detach(model).equal(whole)


def test_a_model_that_is_saved_after_detach_is_whole(tmp_path):
    """While attached only trained numbers are saved; merged and saved, nothing may be missing."""
    model, trainer = begin(tmp_path / "a")
    trainer.train()
    adapter = rw.detach(model)
    rw.merge(model, adapter)
    want = tiny.logits(model.eval(), asked())
    model.save_pretrained(tmp_path / "merged")
    again = type(model).from_pretrained(tmp_path / "merged").eval()
    torch.testing.assert_close(tiny.logits(again, asked()), want, rtol=0, atol=0)


def test_hooks_go_after_training(tmp_path):
    model, trainer = begin(tmp_path, max_steps=2, save_strategy="no")
    trainer.train()
    ours = next(c for c in trainer.callback_handler.callbacks if type(c).__name__ == "RankwiseCallback")
    assert ours.handles == []
    optimizer = trainer.optimizer
    optimizer = getattr(optimizer, "optimizer", optimizer)
    assert not optimizer._optimizer_step_post_hooks
    assert not optimizer._optimizer_step_pre_hooks
    assert all(not p._post_accumulate_grad_hooks for p in model.parameters() if p.requires_grad)
    assert Path(trainer.args.output_dir).is_dir()


def test_the_best_checkpoint_can_be_loaded_at_the_end(tmp_path, said):
    model = host()
    rw.attach(model, rw.new(model, LoRA(rank=2), ["query"], whole=["classifier"]))
    args = TrainingArguments(
        str(tmp_path),
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        num_train_epochs=3,
        learning_rate=0.3,
        per_device_train_batch_size=8,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(
        model=model, args=args, train_dataset=Rows(), eval_dataset=Rows(16), callbacks=[rw.hf_callback(model)]
    )
    trainer.train()
    assert rw.detach(model).equal(rw.load(trainer.state.best_model_checkpoint))
    assert said == []
