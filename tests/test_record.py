"""run.jsonl: what was written is read back, whatever cut the run short."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from rankwise.errors import BadFile, MissingExtra
from rankwise.train.record import NAME, Record, read, versions


def five_steps(folder):
    with Record(folder) as record:
        record.header(seed=7, recipe={"lr": 1e-3}, method={"kind": "sora", "rank": 8}, base="minilm")
        for step in range(1, 6):
            record.step(step, loss=1 / step)
            if step % 2 == 0:
                record.eval(step, accuracy=0.5)
    return folder / NAME


def test_the_header_says_how_to_repeat_the_run(tmp_path):
    header = read(five_steps(tmp_path))[0]
    assert header["kind"] == "header"
    assert header["seed"] == 7
    assert header["recipe"] == {"lr": 1e-3}
    assert header["method"] == {"kind": "sora", "rank": 8}
    assert header["base"] == "minilm"
    assert header["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert header["versions"]["torch"] == torch.__version__
    assert header["machine"]["threads"] == torch.get_num_threads()


def test_a_package_that_is_not_there_is_null(monkeypatch):
    monkeypatch.setattr("rankwise.train.record.PACKAGES", ("no-such-package",))
    assert versions()["no-such-package"] is None


def test_numbers_come_back_bit_for_bit(tmp_path):
    lines = read(five_steps(tmp_path))
    assert [line["loss"] for line in lines if line["kind"] == "step"] == [1 / n for n in range(1, 6)]


def test_a_line_is_on_disk_before_the_run_ends(tmp_path):
    record = Record(tmp_path)
    record.event(3, "saved", path=tmp_path)
    assert read(tmp_path) == [{"kind": "event", "step": 3, "what": "saved", "path": str(tmp_path)}]
    record.close()
    record.close()


def test_a_killed_run_leaves_its_lines(tmp_path):
    code = (
        "import os; from rankwise.train.record import Record; "
        f"r = Record({str(tmp_path)!r}); r.step(1, loss=2.0); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert read(tmp_path) == [{"kind": "step", "step": 1, "loss": 2.0}]


def test_tensors_arrays_and_what_json_lacks(tmp_path):
    with Record(tmp_path) as record:
        record.step(torch.tensor(1), loss=torch.tensor(0.5), norm=np.float64(2.0), worst=float("inf"))
        record.rank(1, sites={"a": torch.tensor([1, 2])}, open={3, 1}, mean=float("nan"))
    raw = (tmp_path / NAME).read_text()
    strict = [json.loads(line, parse_constant=pytest.fail) for line in raw.splitlines()]
    assert strict[0] == {"kind": "step", "step": 1, "loss": 0.5, "norm": 2.0, "worst": "inf"}
    assert strict[1]["sites"] == {"a": [1, 2]}
    assert strict[1]["open"] == [1, 3]
    assert math.isnan(float(strict[1]["mean"]))


def test_half_a_line_at_the_end_is_left_out(tmp_path):
    path = five_steps(tmp_path)
    whole = read(path)
    with path.open("ab") as file:
        file.write(b'{"kind": "step", "st')
    assert read(path) == whole


def test_a_new_line_does_not_stick_to_half_a_line(tmp_path):
    path = five_steps(tmp_path)
    whole = read(path)
    with path.open("ab") as file:
        file.write(b'{"kind": "step", "st')
    with Record(tmp_path) as record:
        record.step(6, loss=0.1)
    assert read(path) == [*whole, {"kind": "step", "step": 6, "loss": 0.1}]


def test_a_broken_line_in_the_middle_is_not_passed_over(tmp_path):
    path = tmp_path / NAME
    path.write_text('{"kind": "step", "step": 1}\n{"kind": \n{"kind": "step", "step": 2}\n')
    with pytest.raises(BadFile, match="line 2 is not JSON"):
        read(path)
    path.write_text("[1]\n")
    with pytest.raises(BadFile, match="line 1 is not a JSON object"):
        read(path)


def test_resuming_drops_what_came_after_the_checkpoint(tmp_path):
    path = five_steps(tmp_path)
    with Record(tmp_path) as record:
        assert record.truncate_after(3) == 3  # step 4, its evaluation, step 5
        record.event(3, "resumed")
        record.step(4, loss=0.25)
    kinds = [(line["kind"], line.get("step")) for line in read(path)]
    assert kinds == [
        ("header", None),
        ("step", 1),
        ("step", 2),
        ("eval", 2),
        ("step", 3),
        ("event", 3),
        ("step", 4),
    ]


def test_a_resumed_file_equals_one_that_was_never_cut(tmp_path):
    path = five_steps(tmp_path)
    before = path.read_bytes()
    with Record(tmp_path) as record:
        record.truncate_after(2)
        for step in range(3, 6):
            record.step(step, loss=1 / step)
            if step % 2 == 0:
                record.eval(step, accuracy=0.5)
    assert path.read_bytes() == before


def test_a_later_header_goes_with_the_steps_before_it(tmp_path):
    path = five_steps(tmp_path)
    five_steps(tmp_path)  # went on, with a header of its own, and counts steps from 1 again
    with Record(tmp_path) as record:
        record.truncate_after(2)
    assert [line.get("step") for line in read(path)] == [None, 1, 2, 2]


def test_truncating_beyond_the_end_drops_nothing(tmp_path):
    before = five_steps(tmp_path).read_bytes()
    with Record(tmp_path) as record:
        assert record.truncate_after(99) == 0
    assert (tmp_path / NAME).read_bytes() == before


def test_no_folder_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Record(None, tensorboard=True) as record:
        record.header(seed=0, recipe={}, method={})
        record.step(1, loss=1.0)
        assert record.truncate_after(0) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_record_says_what_would_have_one(tmp_path):
    with pytest.raises(BadFile, match=r"rankwise train"):
        read(tmp_path)


def test_tensorboard_gets_every_number(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with Record(tmp_path, tensorboard=True) as record:
        record.step(1, loss=0.5, lr={"gate": 0.25}, note="text")
        record.eval(1, accuracy=0.75)
        record.event(1, "saved", size=3)
    events = reader.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert sorted(events.Tags()["scalars"]) == ["eval/accuracy", "step/loss", "step/lr/gate"]
    assert [(e.step, e.value) for e in events.Scalars("step/lr/gate")] == [(1, 0.25)]


def test_tensorboard_that_is_not_installed_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtra, match="pip install tensorboard"):
        Record(tmp_path, tensorboard=True)
