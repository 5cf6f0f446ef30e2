"""Precision by device and by name, and a device that does as it is told."""

import pytest
import torch
from transformers import TrainingArguments

from rankwise.train.accelerate import Device, precision_here
from rankwise.train.recipe import Recipe


@pytest.mark.parametrize(("asked", "want"), [("fp32", None), ("bf16", torch.bfloat16), ("fp16", torch.float16)])
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_a_named_precision_is_taken(asked, want, kind):
    assert precision_here(asked, kind) is want


@pytest.mark.parametrize(("tiles", "avx512"), [(True, False), (False, True), (False, False)])
def test_auto_takes_bf16_on_a_processor_that_computes_in_it(tiles, avx512, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512, raising=False)
    assert precision_here("auto", "cpu") is (torch.bfloat16 if tiles or avx512 else None)
    assert precision_here("auto", "mps") is None


def test_one_process_takes_every_row_and_the_model_itself():
    device = Device(Recipe(precision="fp32"))
    model = torch.nn.Linear(2, 2)
    assert device.main
    assert device.prepare(model) is model
    assert device.share([3, 1, 2]) == [3, 1, 2]
    assert device.scaler is None


@pytest.mark.parametrize(("precision", "want"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_inside_autocast_products_are_of_that_type(precision, want):
    device = Device(Recipe(precision=precision))
    with device.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == want


def test_half_precision_scales_the_loss_before_backward():
    device = Device(Recipe(precision="fp16"))
    x = torch.ones((), requires_grad=True)
    device.backward(3 * x)
    assert float(x.grad) == 3 * 2**16  # where torch's scaler begins
    plain = Device(Recipe(precision="bf16"))
    y = torch.ones((), requires_grad=True)
    plain.backward(3 * y)
    assert float(y.grad) == 3


def test_a_process_in_which_a_trainer_set_another_precision_is_no_obstacle(tmp_path):
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    TrainingArguments(tmp_path, use_cpu=True, report_to="none")  # resets the shared state
    try:
        Accelerator(mixed_precision="bf16", cpu=True)
        device = Device(Recipe(precision="fp32"))
        with device.autocast():
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
