"""rankwise relations: train, evaluate and convert, and what they say to a mistake."""

from __future__ import annotations

import json

import pytest

from rankwise.relations.corpora import jsonl, read
from rankwise.train.recipe import Recipe
from tests.cli_case import run
from tests.stories import base_model, stories
from tests.words import SIGNS


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    where = tmp_path_factory.mktemp("relations")
    base_model(where / "base")
    jsonl.write(stories(40), where / "stories.jsonl")
    return where


def corpus(place):
    return ["--corpus", f"jsonl={place / 'stories.jsonl'}"]


def train(place, out, *more):
    options = ["--base", place / "base", "--window", 40, "--lr", 2e-2, "--precision", "fp32", "--out", place / out]
    return run("relations", "train", *corpus(place), *options, *more)


def test_train_then_evaluate(place):
    made = train(place, "a", "--epochs", 6, "--rank", 4)
    assert "jsonl   temporal" in made.stdout
    assert "rankwise timeline article.txt --adapter" in made.stdout
    assert "40 documents, 40 temporal and 14 causal relations" in made.stderr
    scored = run("relations", "evaluate", place / "a", *corpus(place), "--json")
    assert set(json.loads(scored.stdout)["jsonl"]) == {"documents", "temporal", "decoded", "causal", "events"}


def test_sora_takes_half_of_its_rank_where_no_target_is_given(place):
    made = train(place, "b", "--epochs", 3, "--method", "sora", "--rank", 4, "--json")
    assert json.loads(made.stdout)["mean_rank"] == pytest.approx(2, abs=0.1)


def test_convert_counts_and_names_what_is_left_out(place):
    made = run("relations", "convert", "meantime", "--out", place / "m.jsonl")
    assert "documents 120  events 2,699" in made.stdout
    assert "TLINK to an unknown markable" in made.stdout
    assert list(read("jsonl", place / "m.jsonl")) == list(read("meantime"))
    again = run("relations", "convert", "meantime", "--out", place / "m.jsonl", code=2)
    assert "--overwrite" in again.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--corpus", "matress"], "Nearest: matres"),
        (["--corpus", "matres"], "Name the folder of your own copy"),
        (["--corpus", "because", "--share", "becaus=0.5"], "Nearest: because"),
        (["--corpus", "because", "--pairs-only", "becaus"], "--pairs-only becaus names no --corpus"),
        (["--corpus", "because", "--share", "because=half"], "NAME=SHARE"),
        (["--corpus", "because", "--share", "because=2"], "share 2.0 of because"),
        (["--corpus", "because", "--corpus", "because"], "given twice"),
        (["--corpus", "because", "--without", "none.txt"], "none.txt cannot be read"),
        (["--corpus", "because", "--conjunction", "-1"], "conjunction"),
        (["--corpus", "because", "--window", "9999"], "9999"),
        (["--corpus", "because", "--views", "1,x"], "--views 1,x"),
        (["--corpus", "because", "--views", "9"], "0.25 to 4"),
        (["--corpus", "because", "--markers", "soild"], "solid"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_nothing(place, options, says):
    made = run("relations", "train", *options, "--base", place / "base", "--out", place / "none", code=2)
    assert says in made.stderr
    assert "Traceback" not in made.stderr
    assert not (place / "none").exists()


def test_without_drops_documents_before_anything_is_read(place):
    (place / "drop.txt").write_text("\n".join(f"s{i}" for i in range(30)))
    made = train(place, "c", "--epochs", 0.1, "--without", place / "drop.txt", "--json")
    assert "jsonl: 40" not in made.stderr
    assert all(int(name[1:]) >= 30 for name in json.loads(made.stdout)["held_out"]["jsonl"])


def test_solid_markers_take_more_tokens_a_batch_unless_told(place):
    signs = ["--base", base_model(place / "signs", SIGNS), "--epochs", 0.1, "--markers", "solid"]
    made = train(place, "e", *signs, "--json")
    assert json.loads(made.stdout)["scores"]["jsonl"]["temporal"]
    assert Recipe.from_toml(place / "e" / "recipe.toml").batch_tokens == 2400
    train(place, "f", *signs, "--batch-tokens", 500)
    assert Recipe.from_toml(place / "f" / "recipe.toml").batch_tokens == 500
    onward = ["--start", place / "f", "--markers", "levitated", "--out", place / "g"]
    refused = run("relations", "train", *corpus(place), "--base", place / "signs", *onward, code=2)
    assert "learnt with solid ones" in refused.stderr
    assert not (place / "g").exists()


def test_pairs_only_teaches_no_events(place):
    made = train(place, "d", "--epochs", 0.1, "--pairs-only", "jsonl", "--json")
    assert "events" not in json.loads(made.stdout)["scores"]["jsonl"]


@pytest.mark.parametrize("command", ["train", "evaluate", "convert"])
def test_help_has_an_example(command):
    assert "Example:  rankwise relations" in run("relations", command, "--help").stdout
