"""The command line as a whole: help that needs no torch, one example each, and an exit code that says whose fault."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import rankwise
from rankwise.cli.common import PRESETS
from rankwise.cli.failure import spoken
from rankwise.cli.main import app
from rankwise.core import create
from rankwise.methods import METHODS
from rankwise.train.recipe import Recipe

from .cli_case import run, shop, train_words

COMMANDS = [(c.name or c.callback.__name__).replace("_", "-") for c in app.registered_commands]
SAY_MODULES = "import sys; from rankwise.cli.main import app\ntry: app({words!r})\nexcept SystemExit: pass\n"
HEAVY = ("torch", "transformers", "accelerate", "matplotlib", "pandas", "sklearn", "scipy", "safetensors", "tqdm")


def python(code: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **more)


def test_every_command_of_the_plan_is_there():
    plan = {
        "demo",
        "train",
        "evaluate",
        "predict",
        "show",
        "sites",
        "cut",
        "combine",
        "merge",
        "export",
        "sparsify",
        "policy",
        "audit",
        "narratives",
        "gates",
        "effect",
        "what-if",
        "timeline",
    }
    assert set(COMMANDS) == plan


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["predict", "--help"], ["--version"], ["trian"]])
def test_help_imports_nothing_heavy(words):
    done = python(SAY_MODULES.format(words=words) + f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])")
    assert done.stdout.rstrip().endswith("HEAVY []"), done.stdout + done.stderr


def test_the_check_for_heavy_imports_can_fail():
    done = python(f"import torch, sys; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert "torch" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example_that_parses(command):
    """The example is not run here (the README's are); its options must exist, and its words be whole on a line."""
    text = run(command, "--help").stdout
    lines = re.findall(r"(?:Example:|^)\s+(?:echo .* \| )?(rankwise .*)$", text, re.M)
    assert any(line.split()[1] == command for line in lines), text
    for line in lines:
        words = line.split()[1:]
        known = set(re.findall(r"--[a-z-]+", run(words[0], "--help").stdout))
        assert {w for w in words if w.startswith("--")} <= known


@pytest.mark.parametrize("command", ["train", "sparsify"])
def test_every_field_of_a_recipe_is_an_option(command):
    text = run(command, "--help").stdout
    for field in Recipe.help():
        assert f"--{field.replace('_', '-')} " in text or f"--{field.replace('_', '-')} /" in text


def test_methods_and_presets_are_the_choices():
    assert tuple(PRESETS) == create.PRESETS
    assert f"<{'|'.join([*METHODS, *PRESETS])}>" in run("train", "--help").stdout


def test_the_version_is_the_package_s():
    assert run("--version").stdout == f"rankwise {rankwise.__version__}\n"


def test_a_command_that_is_not_there_exits_2():
    assert "trian" in run("trian", code=2).stderr


def test_the_users_mistake_is_told_without_a_traceback():
    result = run("show", "no/such/folder", code=2)
    assert "no/such/folder" in result.stderr
    assert "Traceback" not in result.output
    assert not result.stdout


TOY = """
import typer
from rankwise.cli.failure import Commands
app = typer.Typer(cls=Commands, rich_markup_mode=None, pretty_exceptions_enable=False)
@app.callback()
def all(): pass
@app.command()
def go():
    {body}
app(["go"])
"""


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("1 / 0", 1, "this is a fault of rankwise, not yours: ZeroDivisionError: division by zero"),
        ("raise OSError(28, 'No space left on device', '/full/x')", 2, "/full/x: No space left on device"),
        ("open('/no/such/file')", 2, "/no/such/file: No such file or directory"),
        ("raise MemoryError", 2, "--batch-rows"),
        ("raise KeyboardInterrupt", 130, "stopped"),
        ("from rankwise.errors import Diverged; raise Diverged('the loss is nan')", 2, "Diverged: the loss is nan"),
        ("from rankwise.errors import Interrupted; raise Interrupted('at step 3: --resume')", 130, "--resume"),
        ("from rankwise.errors import NoSpace; raise NoSpace('disk full')", 2, "NoSpace: disk full"),
        ("import warnings; warnings.warn('take care')", 0, "rankwise: warning: take care"),
        ("import warnings; warnings.warn('old name', FutureWarning)", 0, ""),
        ("raise typer.Exit(7)", 7, ""),
        ("raise typer.BadParameter('bad')", 2, "bad"),
    ],
)
def test_each_kind_of_end_has_its_code(body, code, said):
    done = python(TOY.format(body=body))
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr if said else not done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budget=25 is outside 1..24.", "--budget 25 is outside 1..24."),
        ("To go on: the same again, with resume=True", "To go on: the same again, with --resume"),
        ("lr=0.001, or harder (clip=...).", "--lr 0.001, or harder (--clip)."),
        ("target_rank=1.5.", "--target-rank 1.5."),
        ("fraction=1.5: it must", "--valid-fraction 1.5: it must"),
        ("base='a b' is", "--base 'a b' is"),
        ("exactly one of budget=, lr=", "exactly one of --budget, --lr"),
        ("--set warmup=0.9 and heads={} of a.budget=3", "--set warmup=0.9 and heads={} of a.budget=3"),
    ],
)
def test_settings_are_told_in_the_words_of_the_command_line(text, said):
    names = ("budget", "resume", "lr", "clip", "target_rank", "valid_fraction", "base", "warmup")
    assert spoken(text, {name: "--" + name.replace("_", "-") for name in names}) == said


def test_the_traceback_is_there_when_asked_for():
    done = python(TOY.format(body="1 / 0"), env=os.environ | {"RANKWISE_DEBUG": "1"})
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "RANKWISE_DEBUG" in done.stderr


def test_a_reader_that_goes_away_ends_it_quietly():
    code = TOY.format(body="[print('x' * 1000, flush=True) for _ in range(10000)]")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_device_behind_standard_output_is_not_our_fault():
    with open("/dev/full", "w") as full:
        code = TOY.format(body="print('x' * 100)")
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left" in done.stderr


def test_ctrl_c_saves_and_the_same_command_with_resume_goes_on(tmp_path):
    """The resumed run ends where one that was not stopped ends."""
    words = [str(w) for w in train_words(shop().table, shop().base, tmp_path / "a")]
    words += ["--steps", "120", "--lr", "1e-3", "--rank", "2", "--log-every", "1"]
    command = [sys.executable, "-m", "rankwise.cli.main", *words]
    record = tmp_path / "a.run" / "run.jsonl"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if record.exists() and record.read_text().count('"step"') > 3:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "--resume" in said
    assert "Traceback" not in said
    assert not (tmp_path / "a").exists()
    assert "--resume" in run(*words, code=2).stderr  # without the word, nothing is thrown away
    resumed = json.loads(run(*words, "--resume", "--json").stdout)
    whole = [str(tmp_path / "b") if w == str(tmp_path / "a") else w for w in words]
    straight = json.loads(run(*whole, "--json").stdout)
    assert resumed["scores"] == straight["scores"]
    assert resumed["ranks"] == straight["ranks"]
    assert not (tmp_path / "a.run").exists()
