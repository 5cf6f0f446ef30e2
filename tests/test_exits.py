"""How a run ends: what the errors say and hold, and a model without a trace of the run."""

import pytest
import torch

import rankwise as rw
from rankwise.core.host import attach, attached
from rankwise.errors import RecipeError
from rankwise.methods import LoRA
from rankwise.train.exits import diverged, interrupted, left_as_it_came
from rankwise.train.recipe import Recipe
from rankwise.train.run import Best
from tests import learn


def made():
    return learn.adapter(learn.encoder(), LoRA(rank=2), learn.task())


def test_an_interruption_says_how_to_go_on_and_holds_the_adapter(tmp_path):
    adapter = made()
    error = interrupted(3, 10, tmp_path, adapter)
    assert str(error) == (
        f"stopped at step 3 of 10.\n  Everything is in {tmp_path}.\n  To go on: the same again, with resume=True"
    )
    assert (error.step, error.adapter) == (3, adapter)
    bare = interrupted(3, 10, None, adapter)
    assert "(.adapter)" in str(bare)
    assert "resume" not in str(bare)


def test_a_divergence_says_step_rate_and_where_the_good_states_are(tmp_path):
    (tmp_path / "last").mkdir()
    adapter = made()
    error = diverged("loss", float("nan"), 7, 10, 0.0123456, Best(0.9, 4, adapter), tmp_path)
    assert str(error).splitlines() == [
        "the loss is nan at step 7 of 10, at learning rate 0.0123.",
        "  The step was not taken.",
        f"  The best checkpoint (step 4) is in {tmp_path / 'best'}.",
        f"  The last good state is in {tmp_path / 'last'}.",
        "  Try a lower learning rate, such as lr=0.001, or clip gradients harder (clip=...).",
    ]
    assert (error.step, error.lr, error.adapter) == (7, 0.0123456, adapter)


def test_without_a_checkpoint_none_is_promised(tmp_path):
    error = diverged("gradient", float("inf"), 1, 10, 0.1, Best(), tmp_path)
    assert "there is no best checkpoint" in str(error)
    assert "last good state" not in str(error)
    assert error.adapter is None
    assert "on this error" in str(diverged("loss", 1.0, 5, 9, 0.1, Best(1, 4, made()), None))


def test_what_is_attached_inside_is_taken_off_and_what_was_there_stays():
    model = learn.encoder()
    with left_as_it_came(model, Recipe()):
        attach(model, made())
    assert list(model.state_dict()) == list(learn.encoder().state_dict())
    with attached(model, made()):
        with left_as_it_came(model, Recipe()):
            model.train()
        assert hasattr(model, "_rankwise_host")
        assert not model.training


def test_generator_threads_and_modes_come_back_after_an_error():
    model = learn.encoder()
    threads, state = torch.get_num_threads(), torch.get_rng_state()

    def disturb():
        assert torch.get_num_threads() == threads + 1
        model.train()
        torch.manual_seed(99)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), left_as_it_came(model, Recipe(num_threads=threads + 1)):
        disturb()
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(m.training for m in model.modules())


def test_checkpointing_is_on_inside_alone_and_leaves_no_hook_behind():
    model = learn.bert()
    embeddings = model.get_input_embeddings()
    for _ in range(3):
        with left_as_it_came(model, Recipe(checkpointing=True)):
            assert model.is_activation_checkpointing
            assert not embeddings._forward_hooks
        assert not model.is_activation_checkpointing
        assert not embeddings._forward_hooks


def test_a_callers_own_hook_on_the_embeddings_stays():
    model = learn.bert()
    model.enable_input_require_grads()
    embeddings = model.get_input_embeddings()
    held = dict(embeddings._forward_hooks)
    with left_as_it_came(model, Recipe(checkpointing=True)):
        pass
    assert dict(embeddings._forward_hooks) == held
    model.disable_input_require_grads()
    assert not embeddings._forward_hooks


def test_a_model_without_checkpointing_is_named():
    wanted = left_as_it_came(learn.encoder(), Recipe(checkpointing=True))
    with pytest.raises(RecipeError, match="Encoder has no gradient checkpointing") as caught:
        wanted.__enter__()
    assert caught.value.name == "checkpointing"


def test_a_run_on_a_host_with_something_attached_is_refused_and_leaves_it_attached():
    model, task = learn.encoder(), learn.task()
    with attached(model, made()):
        with pytest.raises(rw.RankwiseError, match="already has an adapter attached"):
            rw.fit(model, made(), task, Recipe(steps=1))
        assert hasattr(model, "_rankwise_host")
