"""Settings from options, files and NAME=VALUE, and which patterns a word on the command line is."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from rankwise.cli.common import counted, folder_size, in_bytes, ranks_text, table
from rankwise.cli.failure import Commands
from rankwise.cli.settings import method_of, patterns, with_recipe
from rankwise.errors import RecipeError, UnknownName
from rankwise.methods import LoRA, SoRA
from rankwise.train.recipe import Recipe

toy = typer.Typer(cls=Commands, rich_markup_mode=None)
toy.callback()(lambda: None)  # a group, although it has one command


@toy.command()
@with_recipe
def go(recipe: Recipe | None = None) -> None:
    """Print the recipe."""
    print(json.dumps(recipe.to_dict()))


def swift(values):
    return {"lr": 0.125} if values["fast"] else {}


def run(recipe: Recipe | None = None, fast: bool = False) -> None:
    """Print the recipe."""
    print(json.dumps(recipe.to_dict()))


toy.command()(with_recipe(run, {"lr": 0.5, "epochs": 7.0}, swift))


def recipe_of(*words):
    result = CliRunner().invoke(toy, ["go", *words])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_without_options_it_is_the_default():
    assert recipe_of() == Recipe().to_dict()


def test_an_option_overrides_the_file_and_the_file_the_default(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text("lr = 0.5\nepochs = 7\ndecay = 'cosine'\n")
    found = recipe_of("--recipe", str(file), "--lr", "0.25", "--batch-rows", "8")
    wanted = {"lr": 0.25, "epochs": 7.0, "decay": "cosine", "batch_rows": 8}
    assert found == Recipe().to_dict() | wanted


def test_defaults_may_depend_on_other_options(tmp_path):
    def rate(*words):
        return json.loads(CliRunner().invoke(toy, ["run", *words]).stdout)["lr"]

    assert (rate(), rate("--fast"), rate("--fast", "--lr", "0.25")) == (0.5, 0.125, 0.25)
    (tmp_path / "r.toml").write_text("epochs = 2\n")
    assert rate("--fast", "--recipe", str(tmp_path / "r.toml")) == Recipe().lr


def test_a_switch_turns_off_what_the_file_turned_on(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text("checkpointing = true\n")
    assert recipe_of("--recipe", str(file))["checkpointing"] is True
    assert recipe_of("--recipe", str(file), "--no-checkpointing")["checkpointing"] is False


@pytest.mark.parametrize(("words", "said"), [(["--lr", "-1"], "above 0"), (["--decay", "liner"], "linear")])
def test_a_value_outside_its_range_exits_2(words, said):
    result = CliRunner().invoke(toy, ["go", *words])
    assert result.exit_code == 2
    assert said in result.output


def test_a_method_takes_named_settings_and_any_other_by_set():
    assert method_of("lora", {"rank": 4, "alpha": None}, ["rslora=true", "init-a=gaussian"]) == LoRA(
        rank=4, rslora=True, init_a="gaussian"
    )
    assert method_of("sora", {"rank": 2}, ["target_rank=none", "patience=3", "warmup=0.25"]) == SoRA(
        rank=2, patience=3, warmup=0.25
    )


@pytest.mark.parametrize("preset", ["full", "bitfit", "head"])
def test_a_preset_has_no_method(preset):
    assert method_of(preset, {"rank": None}, []) is None


@pytest.mark.parametrize(
    ("kind", "named", "sets", "error", "said"),
    [
        ("lora", {"target_rank": 2.0}, [], UnknownName, "method 'lora' has no setting 'target_rank'"),
        ("sora", {}, ["tagret_rank=2"], UnknownName, "Nearest: target_rank"),
        ("sora", {}, ["patience"], RecipeError, "NAME=VALUE"),
        ("sora", {}, ["patience=often"], RecipeError, "--set patience='often': it must be a whole number"),
        ("lora", {}, ["rslora=1"], RecipeError, "--set rslora='1': it must be true or false"),
        ("head", {"rank": 4}, [], RecipeError, "rank=4 goes with a method that has factors"),
        ("sora", {"target_rank": 1.0, "sparsity": 0.1}, [], RecipeError, "exclude each other"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(kind, named, sets, error, said):
    with pytest.raises(error) as caught:
        method_of(kind, named, sets)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("all-linear", "all-linear"),
        ("query", ["query"]),
        ("query, attention.output.dense", ["query", "attention.output.dense"]),
        (r".*layer\.[01]\..*(query|value)", r".*layer\.[01]\..*(query|value)"),
    ],
)
def test_what_a_word_names(given, meant):
    assert patterns(given) == meant


def test_a_table_has_names_to_the_left_and_numbers_to_the_right():
    assert table(["name", "n"], [["a", 10], ["long", 5]]).splitlines() == ["name   n", "a     10", "long   5"]


@pytest.mark.parametrize(("size", "said"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_345_678, "2.3 MB")])
def test_sizes_are_said_in_thousands(size, said):
    assert in_bytes(size) == said


def test_a_folder_is_as_large_as_its_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "deep" / "b").write_bytes(b"45")
    assert folder_size(tmp_path) == 5


def test_one_is_no_plural():
    assert [counted(n, "step") for n in (0, 1, 1234)] == ["0 steps", "1 step", "1,234 steps"]


def test_a_line_about_ranks():
    assert ranks_text({"a": 0, "b": 3}) == "mean 1.50 over 2 sites, 0 to 3, 1 with nothing left"
    assert ranks_text({}) == "no sites"
