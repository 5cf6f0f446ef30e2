"""A recipe: checked when made, and the same after a trip through TOML."""

import copy
import dataclasses
import pickle
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.errors import BadFile, RecipeError, UnknownName
from rankwise.train.recipe import Recipe

FINITE = st.floats(min_value=1e-300, max_value=1e300)


def test_toml_by_hand():
    lines = Recipe(lr=2e-5, steps=100, metric="f1", checkpointing=True).to_toml().splitlines()
    assert lines[:3] == ["epochs = 3.0", "steps = 100", "lr = 2e-05"]
    assert 'metric = "f1"' in lines
    assert 'decay = "linear"' in lines
    assert "checkpointing = true" in lines
    assert not any(line.startswith("patience") for line in lines)  # None is left out


@given(
    epochs=FINITE,
    lr=FINITE,
    gate_lr=st.none() | FINITE,
    warmup=st.floats(0, 1),
    steps=st.none() | st.integers(1, 10**12),
    seed=st.integers(0, 2**32 - 1),
    decay=st.sampled_from(["linear", "cosine", "constant"]),
    metric=st.none() | st.sampled_from(["accuracy", "mse"]),
    tensorboard=st.booleans(),
)
def test_a_recipe_survives_toml_bit_for_bit(**values):
    recipe = Recipe(**values)
    assert Recipe.from_dict(tomllib.loads(recipe.to_toml())) == recipe


def test_a_file_reads_back(tmp_path):
    path = tmp_path / "run.toml"
    recipe = Recipe(lr=3e-4, num_threads=2)
    path.write_text(recipe.to_toml())
    assert Recipe.from_toml(path) == recipe


def test_whole_numbers_may_stand_for_floats_and_the_other_way_round():
    assert Recipe(epochs=3, lr=1) == Recipe(epochs=3.0, lr=1.0)
    assert isinstance(Recipe(epochs=3).epochs, float)
    assert isinstance(Recipe(batch_rows=8.0).batch_rows, int)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochs", 0, "above 0"),
        ("steps", 0, "at least 1"),
        ("lr", 0.0, "above 0"),
        ("lr", -1e-3, "above 0"),
        ("lr", float("nan"), "a finite number"),
        ("lr", float("inf"), "a finite number"),
        ("lr", "fast", "a finite number"),
        ("lr", None, "a finite number"),
        ("lr", True, "a finite number"),
        ("gate_lr", 0.0, "above 0"),
        ("weight_decay", -0.1, "at least 0"),
        ("batch_rows", 0, "at least 1"),
        ("batch_rows", 1.5, "a whole number"),
        ("max_length", 1, "at least 2"),
        ("accumulate", 0, "at least 1"),
        ("clip", -1, "at least 0"),
        ("warmup", 1.1, "at most 1"),
        ("seed", -1, "at least 0"),
        ("seed", 2**32, "at most 4294967295"),
        ("patience", 0, "at least 1"),
        ("log_every", 0, "at least 1"),
        ("shrink_every", -1, "at least 0"),
        ("tensorboard", 1, "true or false"),
        ("decay", "linaer", "nearest: linear"),
        ("precision", "float16", "one of auto, fp32, bf16, fp16"),
        ("precision", 16, "a text"),
    ],
)
def test_a_value_outside_its_range_names_the_value_and_the_rule(name, value, rule):
    with pytest.raises(RecipeError) as caught:
        Recipe(**{name: value})
    assert str(caught.value).startswith(f"{name}={value!r}: it must be ")
    assert rule in str(caught.value)
    assert caught.value.name == name


def test_an_unknown_metric_is_refused_when_the_recipe_is_made():
    with pytest.raises(UnknownName, match="Nearest: matthews"):
        Recipe(metric="mathews")


def test_an_unknown_field_names_the_nearest(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("learning_rate = 1e-3\nbatch_row = 3\n")
    with pytest.raises(UnknownName, match="'learning_rate' is no field"):
        Recipe.from_toml(path)
    with pytest.raises(UnknownName, match="Nearest: batch_rows"):
        Recipe.from_dict({"batch_row": 3})


def test_a_table_inside_the_file_is_refused():
    with pytest.raises(RecipeError, match="lr="):
        Recipe.from_dict(tomllib.loads("[lr]\nhead = 1e-3\n"))


def test_a_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "sst2.toml").write_text("")
    with pytest.raises(BadFile, match=r"Nearest here: sst2\.toml"):
        Recipe.from_toml(tmp_path / "sst-2.toml")
    with pytest.raises(BadFile, match=r"There is no \.toml file"):
        Recipe.from_toml(tmp_path / "nowhere" / "a.toml")


@pytest.mark.parametrize(("content", "reason"), [(b"lr = ", "is not TOML"), (b"a\xff", "byte 1 is not UTF-8")])
def test_a_broken_file_says_where(tmp_path, content, reason):
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=reason):
        Recipe.from_toml(path)


def test_every_field_has_a_help_text():
    assert list(Recipe.help()) == [f.name for f in dataclasses.fields(Recipe)]
    assert all(text.endswith(".") for text in Recipe.help().values())


def test_an_empty_file_is_the_default_recipe(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("")
    assert Recipe.from_toml(path) == Recipe()


def test_a_field_that_is_not_there_names_the_nearest():
    with pytest.raises(UnknownName, match=r"Recipe has no setting 'epoch'\.\n  Nearest: epochs"):
        Recipe(epoch=1)
    assert copy.copy(pickle.loads(pickle.dumps(Recipe(lr=0.5)))) == dataclasses.replace(Recipe(), lr=0.5)
