"""rankwise train: a table in, a folder out, and every bad input refused before anything is lost."""

from __future__ import annotations

import json
import math

import pytest
import torch

from rankwise import io
from rankwise.train.record import read

from .cli_case import SITES, figures, rows, run, shop, table, train_words


def words(tmp_path, *more, out="a"):
    return (*train_words(shop().table, shop().base, tmp_path / out), "--steps", 8, "--rank", 2, *more)


def test_it_prints_score_ranks_numbers_and_what_comes_next():
    told, out = shop().printed, shop().adapter
    for said in ("accuracy ", "95 % interval", "mean 2.00 over 12 sites", "in factors", f"rankwise predict {out}"):
        assert said in told, said
    assert f"rankwise cut {out} --budget 12" in told  # half of 24 directions


def test_the_budget_is_met_and_the_table_is_learnt():
    adapter = io.load(shop().adapter)
    assert sum(adapter.ranks.values()) == 24  # asked for nothing: half of rank 4, 12 sites
    assert figures("evaluate", shop().adapter, shop().test)["value"] > 0.9


def test_the_folder_holds_what_prediction_needs_and_the_run():
    notes = json.loads((shop().adapter / "task.json").read_text())
    read_as = {"text": "review", "pair": None, "label": "stars", "sep": "|", "max_length": 24}
    assert notes == {"base": str(shop().base), "tasks": {"stars": read_as}}
    kinds = {line["kind"] for line in read(shop().adapter)}
    assert {"header", "step", "eval"} <= kinds
    assert (shop().adapter / "recipe.toml").exists()


def test_figures_are_pure_json_and_add_up(tmp_path):
    found = figures(*words(tmp_path, "--method", "lora"))
    adapter = io.load(tmp_path / "a")
    # 4 maps 16 -> 16, one 16 -> 24 and one 24 -> 16 a layer: 2 * (4 * 32 + 2 * 40) = 416 numbers a direction
    assert found["numbers"]["factors"] == 2 * 416 == adapter.size
    assert found["numbers"]["whole"] == 16 * 2 + 2
    assert found["numbers"]["trained"] == 2 * 416 + 34
    assert found["mean_rank"] == 2
    assert found["steps"] == 8
    assert len(found["ranks"]) == SITES
    assert 0 <= found["scores"]["low"] <= found["scores"]["value"] <= found["scores"]["high"] <= 1


def test_the_pooler_is_left_out_for_the_head_does_not_use_it(tmp_path):
    for number, more in enumerate([(), ("--exclude", "value"), ("--exclude", ".*(value|key)")]):
        run(*words(tmp_path, *more, out=f"a{number}"))
        names = [s.name for s in io.load(tmp_path / f"a{number}").sites]
        assert names
        assert not any("pooler" in n for n in names)
        assert bool(more) != any(n.endswith("value") for n in names)


@pytest.mark.parametrize(("method", "whole"), [("head", 0), ("bitfit", 0), ("full", 0)])
def test_presets_train_without_factors(tmp_path, method, whole):
    found = figures(*[w for w in words(tmp_path, "--method", method) if w not in ("--rank", 2)])
    assert found["method"] == method
    assert found["ranks"] == {}
    assert found["numbers"]["factors"] == 0
    assert (found["numbers"]["whole"] == 34) == (method == "head")
    assert math.isfinite(figures("evaluate", tmp_path / "a", shop().test)["loss"])


def test_the_default_target_is_half_of_the_rank_and_said(tmp_path):
    given = [w for w in words(tmp_path) if w != "--quiet"]
    assert "no target was given: --target-rank 1, half of rank 2" in run(*given).stderr
    assert io.load(tmp_path / "a").mean_rank == 1
    said = run(*[tmp_path / "b" if w == tmp_path / "a" else w for w in given], "--text", "t", code=2).stderr
    assert "target" not in said  # what stops the command comes alone


@pytest.mark.filterwarnings("always")
def test_a_target_of_nothing_is_remarked(tmp_path):
    assert (
        "--target-rank 0 keeps none of the directions over 12 sites" in run(*words(tmp_path, "--target-rank", 0)).stderr
    )
    assert "rankwise cut" not in run(*words(tmp_path, "--target-rank", "0.5", out="b")).stdout


@pytest.mark.filterwarnings("always")
def test_whole_numbers_that_hardly_repeat_are_remarked(tmp_path):
    ages = [{"review": r["review"], "stars": str(i % 106)} for i, r in enumerate(rows(150))]
    start = train_words(table(tmp_path / "t.csv", ages), shop().base, tmp_path / "a")
    told = run(*start, "--steps", 1, "--rank", 1)
    assert "106 different numbers in 150 rows" in told.stderr
    assert "--kind regression" in told.stderr
    assert "run      1 step, " in told.stdout
    again = [tmp_path / "b" if w == tmp_path / "a" else w for w in start]
    assert "106" not in run(*again, "--steps", 1, "--rank", 1, "--kind", "single").stderr


def test_a_file_in_the_way_is_called_a_file(tmp_path):
    (tmp_path / "a").write_text("mine")
    for more in ((), ("--overwrite",)):
        said = run(*words(tmp_path, *more), code=2).stderr
        assert "FileThere: " in said
        assert "a is a file, and a folder is to be written" in said


def test_a_target_in_numbers_and_a_hand_set_lambda_are_taken(tmp_path):
    found = figures(*words(tmp_path, "--target-params", 400))["numbers"]["factors"]
    assert abs(found - 400) <= 40  # within one direction, of 32 or 40 numbers
    assert figures(*words(tmp_path, "--sparsity", 0, out="b"))["mean_rank"] == 2


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("regression", [str(0.25 * (i % 7)) for i in range(60)]), ("multi", ["a|b", "a", "b", ""] * 15)],
)
def test_numbers_and_several_labels_are_learnt_and_answered(tmp_path, kind, labels):
    file = table(tmp_path / "t.csv", [r | {"stars": y} for r, y in zip(rows(60), labels, strict=True)])
    start = train_words(file, shop().base, tmp_path / "a")
    found = figures(*start, "--kind", kind, "--steps", 6, "--rank", 2)
    assert found["scores"]["metric"] == {"regression": "pearson", "multi": "f1_micro"}[kind]
    answer = json.loads(run("predict", tmp_path / "a", "-", given="good w1\n").stdout)
    assert isinstance(answer["prediction"], {"regression": float, "multi": list}[kind])


def test_pairs_and_a_second_file_to_evaluate_on(tmp_path):
    pairs = [r | {"other": "w3 w4"} for r in rows(40)]
    file, second = table(tmp_path / "t.csv", pairs), table(tmp_path / "v.csv", pairs[:11])
    start = (*train_words(file, shop().base, tmp_path / "a"), "--pair", "other", "--valid", second)
    assert figures(*start, "--steps", 4, "--rank", 1, "--target-rank", 1)["scores"]["n"] == 11
    assert figures("evaluate", tmp_path / "a", second)["n"] == 11


def test_the_head_may_be_called_otherwise_than_the_column(tmp_path):
    run(*words(tmp_path, "--task-name", "mood"))
    assert list(io.load(tmp_path / "a").heads) == ["mood"]
    assert figures("evaluate", tmp_path / "a", shop().test)["task"] == "mood"  # of the column "stars"


def test_a_recipe_from_a_file_is_used_and_kept(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text("steps = 5\nseed = 3\n")
    given = [w for w in words(tmp_path) if w not in ("--steps", 8)]
    assert figures(*given, "--recipe", file)["steps"] == 5
    assert "seed = 3" in (tmp_path / "a" / "recipe.toml").read_text()


def test_the_uniform_layout_pads_every_site(tmp_path):
    run(*words(tmp_path, "--layout", "uniform"))
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert not config.get("rank_pattern")


def test_one_seed_is_one_adapter(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(*words(tmp_path, "--seed", seed, out=name))
    a, b, c = (io.load(tmp_path / name) for name in "abc")
    assert a.equal(b)
    assert not a.equal(c)


BAD = [
    (["--targets", "qurey"], "NoSites", ["--targets 'qurey' matches none", "query", "rankwise sites"]),
    (["--exclude", "qurey"], "NoSites", ["--exclude 'qurey' matches none", "query", "rankwise sites"]),
    (["--exclude", ".*qurey"], "NoSites", ["--exclude '.*qurey' matches none", "must match a whole name"]),
    (["--max-length", "48"], "RecipeError", ["--max-length 48 is more than", "24 tokens", "--max-length 24"]),
    (["--target-params", "10"], "RecipeError", ["--target-params 10 holds not one", "smallest direction has 32"]),
    (["--set", "warmup=0.9"], "RecipeError", ["--set warmup=0.9 and --set settle=0.25"]),
    (["--method", "bitfit", "--lr", "0"], "RecipeError", ["--lr 0.0: it must be above 0"]),
    (["--text", "reveiw"], "UnknownName", ["no column 'reveiw'", "Nearest: 'review'"]),
    (["--label", "star"], "UnknownName", ["no column 'star'", "'stars'"]),
    (["--rank", "17"], "RankError", ["rank 17 is larger than", "16 -> 16", "--rank 16"]),
    (["--rank", "0"], "RecipeError", ["--rank 0 is too small"]),
    (["--target-rank", "5"], "RecipeError", ["--target-rank 5", "0..2"]),
    (["--base", "./no-such-model"], "UnknownName", ["no-such-model", "minilm"]),
    (["--valid-fraction", "1.5"], "RecipeError", ["--valid-fraction 1.5: ", "between 0 and 1"]),
    (["--metric", "acuracy"], "UnknownName", ["--metric 'acuracy'", "Nearest: accuracy", "f1_micro"]),
    (["--metric", "pearson"], "UnknownName", ["does not fit a head of kind 'single'"]),
    (["--pooling", "men"], "RecipeError", ["'men'", "mean"]),
    (["--recipe", "no.toml"], "BadFile", ["no.toml"]),
    (["--method", "lora", "--target-rank", "1"], "UnknownName", ["method 'lora' has no setting 'target_rank'"]),
    (["--epochs", "0"], "RecipeError", ["--epochs 0.0: it must be"]),
]


@pytest.mark.parametrize(
    ("more", "error", "said"), BAD, ids=lambda v: "-".join(v)[:40] if isinstance(v, list) else None
)
def test_a_mistake_is_named_and_nothing_is_left_behind(tmp_path, more, error, said):
    result = run(*words(tmp_path, *more), code=2)
    assert f"{error}: " in result.stderr
    assert "Traceback" not in result.output
    for word in said:
        assert word in result.stderr, (word, result.stderr)
    assert not list(tmp_path.iterdir())


def test_an_unknown_method_names_those_there_are(tmp_path):
    said = run(*words(tmp_path, "--method", "soar"), code=2).stderr
    assert "soar" in said
    assert "sora" in said
    assert "bitfit" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("review,stars\n", "holds no rows"),
        ("review,stars\n" + "good,liked\n" * 9, "every row has the same label, 'liked'"),
        ("review,stars\ngood,liked\n,disliked\n", "line 3"),
        ("review,stars\ngood,liked,more\n", "line 2"),
    ],
)
def test_a_table_that_cannot_be_learnt_from(tmp_path, content, said):
    file = tmp_path / "t.csv"
    file.write_text(content)
    result = run(*train_words(file, shop().base, tmp_path / "a"), code=2)
    assert said in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_a_label_of_the_second_file_that_was_not_seen_in_training(tmp_path):
    second = table(tmp_path / "v.csv", [{"review": "good", "stars": "likes", "id": "1"}])
    said = run(*words(tmp_path, "--valid", second), code=2).stderr
    assert "'likes' was not seen in training" in said
    assert "line 2" in said
    assert "Nearest: 'liked'" in said


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    kept = tmp_path / "a"
    kept.mkdir()
    (kept / "mine.txt").write_text("mine")
    assert "FolderExists" in run(*words(tmp_path), code=2).stderr
    assert "FolderExists" in run(*words(tmp_path, "--overwrite"), code=2).stderr  # no adapter is in it
    assert [p.name for p in kept.iterdir()] == ["mine.txt"]
    assert len(list(tmp_path.iterdir())) == 1


def test_an_adapter_is_replaced_when_asked(tmp_path):
    run(*words(tmp_path))
    assert "--overwrite" in run(*words(tmp_path), code=2).stderr
    run(*words(tmp_path, "--overwrite", "--seed", 5))
    assert "seed = 5" in (tmp_path / "a" / "recipe.toml").read_text()


def test_there_must_be_something_to_resume(tmp_path):
    assert "nothing to resume" in run(*words(tmp_path, "--resume"), code=2).stderr


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    result = run(*words(tmp_path, "--lr", "1e30", "--clip", "0", "--eval-every", 1, "--warmup", "0.9"), code=2)
    assert "Diverged" in result.stderr
    assert "lower learning rate" in result.stderr
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "a.run" / "run.jsonl").exists()


def test_an_encoder_with_a_decoder_is_refused(tmp_path):
    import transformers

    from .tiny import host

    with torch.random.fork_rng():
        model = host("t5")
    from rankwise.models.quiet import quiet

    with quiet():
        model.save_pretrained(tmp_path / "t5")
    assert isinstance(model, transformers.T5ForConditionalGeneration)
    result = run(*train_words(shop().table, tmp_path / "t5", tmp_path / "a"), code=2)
    assert "encoder with a decoder" in result.stderr
