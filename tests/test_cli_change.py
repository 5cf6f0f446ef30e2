"""rankwise show, sites, cut, combine, merge, export and sparsify: folders in, figures and folders out."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
import transformers

from rankwise import io
from rankwise.core.host import attached
from rankwise.models import load
from rankwise.models.quiet import quiet

from .cli_case import MAPS, SITES, figures, rows, run, shop, table, train_words

PEFT_ASKS = "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"  # peft 0.21, of transformers 5.23


def hidden(model):
    ids = torch.tensor([[2, 4, 9, 12, 3], [2, 5, 8, 3, 0]])
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state


def test_show_tells_method_base_ranks_and_heads(tmp_path):
    found = figures("show", shop().adapter, "--picture", tmp_path / "ranks.png")
    adapter = io.load(shop().adapter)
    assert found["ranks"] == adapter.ranks
    assert len(found["ranks"]) == SITES
    assert found["method"]["kind"] == "sora"
    assert found["method"]["target_rank"] == 2
    assert found["heads"] == {"stars": {"kind": "single", "labels": ["disliked", "liked"], "pooling": "mean"}}
    assert found["numbers"]["factors"] == adapter.size
    assert found["base"]["sha256"] == adapter.base["sha256"]
    assert (tmp_path / "ranks.png").read_bytes().startswith(b"\x89PNG")
    told = run("show", shop().adapter).stdout
    assert "layer  query  key  value" in told
    assert "labels: disliked, liked" in told
    assert str(shop().base) in told


@pytest.mark.filterwarnings(PEFT_ASKS)
def test_show_reads_what_stock_peft_wrote(tmp_path):
    peft = pytest.importorskip("peft")
    model = transformers.BertModel.from_pretrained(shop().base)
    config = peft.LoraConfig(r=3, target_modules=["query", "value"])
    with quiet():
        peft.get_peft_model(model, config).save_pretrained(tmp_path / "theirs")
    found = figures("show", tmp_path / "theirs")
    assert found["mean_rank"] == 3
    assert len(found["ranks"]) == 4
    assert found["heads"] == {}


def test_a_picture_that_cannot_be_drawn_is_refused_first():
    assert "Nearest: ranks.png" in run("show", shop().adapter, "--picture", "ranks.pgn", code=2).stderr


def test_sites_lists_every_linear_map():
    found = figures("sites", shop().base)
    assert len(found) == 2 * MAPS + 1
    assert all(s["taken"] for s in found)
    assert {"name": "encoder.layer.0.output.dense", "in": 24, "out": 16, "taken": True} in found
    assert "13 of 13 linear maps" in run("sites", shop().base).stdout


def test_sites_leaves_out_what_loading_made_up():
    found = figures("sites", shop().base, "--kind", "sequence-classification")
    assert [s["name"] for s in found if not s["taken"]] == ["classifier"]


def test_sites_marks_what_a_pattern_takes():
    assert sum(s["taken"] for s in figures("sites", shop().base, "--targets", "query,value")) == 4
    assert "qurey" in run("sites", shop().base, "--targets", "qurey", code=2).stderr


@pytest.mark.parametrize("more", [("--budget", 10), ("--params", 350), ("--energy", "0.9")])
def test_cut_writes_the_smaller_adapter_that_still_answers(tmp_path, more):
    found = figures("cut", shop().adapter, *more, "--out", tmp_path / "a")
    adapter = io.load(tmp_path / "a")
    assert found["directions"] == {"before": 24, "after": sum(adapter.ranks.values())}
    assert found["numbers"]["after"] == adapter.size < found["numbers"]["before"]
    assert all(s["after"] <= s["before"] for s in found["ranks"].values())
    assert figures("evaluate", tmp_path / "a", shop().test)["n"] == 60  # the notes came along
    if more[0] == "--budget":
        assert found["directions"]["after"] == 10
    if more[0] == "--params":
        assert adapter.size <= 350


def test_a_head_alone_has_nothing_to_cut(tmp_path):
    run(*train_words(shop().table, shop().base, tmp_path / "h"), "--steps", 1, "--method", "head")
    said = run("cut", tmp_path / "h", "--budget", 3, "--out", tmp_path / "c", code=2).stderr
    assert "nothing to cut" in said
    assert "without factors" in said


def test_cut_names_the_largest_value_that_it_dropped(tmp_path):
    told = run("cut", shop().adapter, "--budget", 10, "--out", tmp_path / "a").stdout
    found = figures("cut", shop().adapter, "--budget", 10, "--out", tmp_path / "b")["largest_dropped"]
    before, after = io.load(shop().adapter), io.load(tmp_path / "a")
    values = {s.name: torch.linalg.svdvals(product(before, s).double()) for s in before.sites}
    for site, value in found.items():
        assert value == pytest.approx(float(values[site][after.ranks[site]]), rel=1e-5)
    # the 10 strongest of all stay, so the 11th is the largest one dropped
    assert max(found.values()) == pytest.approx(float(torch.cat(list(values.values())).sort().values[-11]), rel=1e-5)
    assert f"up to {max(found.values()):.4g}" in told
    assert "kept     10 of 24" in told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "Exactly one is wanted: --budget (directions), --params (numbers) or --energy (a share)"),
        (("--budget", 10, "--energy", "0.9"), "--budget 10 and --energy 0.9 exclude each other"),
        (("--budget", 25), "--budget 25 is outside 1..24"),
        (("--energy", "1.5"), "--energy 1.5"),
        (("--budget", 0), "--budget"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(tmp_path, more, said):
    assert said in run("cut", shop().adapter, *more, "--out", tmp_path / "a", code=2).stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_refused_and_replaced_only_when_asked(tmp_path):
    out = tmp_path / "a"
    run("cut", shop().adapter, "--budget", 10, "--out", out)
    before = (out / "rankwise.safetensors").read_bytes()
    for words in (("cut", shop().adapter, "--budget", 5), ("export", shop().adapter), ("combine", out, shop().adapter)):
        assert "--overwrite" in run(*words, "--out", out, code=2).stderr
    assert (out / "rankwise.safetensors").read_bytes() == before
    run("cut", shop().adapter, "--budget", 5, "--out", out, "--overwrite")
    assert sum(io.load(out).ranks.values()) == 5


def test_combine_adds_the_updates_up(tmp_path):
    for seed in (1, 2):
        label = f"stars{seed}"
        file = table(tmp_path / f"{seed}.csv", [{"review": r["review"], label: r["stars"]} for r in rows(60, seed)])
        words = [label if w == "stars" else w for w in train_words(file, shop().base, tmp_path / f"a{seed}")]
        run(*words, "--steps", 5, "--rank", 2, "--target-rank", 1, "--seed", seed)
    a, b = tmp_path / "a1", tmp_path / "a2"
    found = figures("combine", a, b, "--weights", "0.75,-0.5", "--out", tmp_path / "c")
    c = io.load(tmp_path / "c")
    assert found["heads"] == ["stars1", "stars2"]
    assert found["numbers"] == c.size
    one, two = io.load(a), io.load(b)
    for site in c.sites:
        wanted = 0.75 * product(one, site) - 0.5 * product(two, site)
        torch.testing.assert_close(product(c, site), wanted, rtol=1e-5, atol=1e-6)
    assert max(figures("combine", a, b, "--how", "svd", "--rank", 1, "--out", tmp_path / "d")["ranks"].values()) == 1
    assert "ranks " in run("combine", a, b, "--how", "linear", "--out", tmp_path / "e").stdout


@pytest.fixture(scope="module")
def two_tasks(tmp_path_factory):
    """Two adapters that call their label alike, on tables with other columns, and those tables."""
    home = tmp_path_factory.mktemp("two")
    for name, text, more in (("a", "review", ()), ("b", "body", ("--max-length", 16))):
        file = table(home / f"{name}.csv", [{text: r["review"], "label": r["stars"]} for r in rows(60, ord(name))])
        words = ("train", file, "--text", text, "--label", "label", "--base", shop().base, "--quiet", *more)
        run(*words, "--out", home / name, "--steps", 5, "--rank", 2, "--target-rank", 1)
    return home


def test_every_task_of_a_combination_keeps_its_columns(tmp_path, two_tasks):
    home, out = two_tasks, tmp_path / "c"
    run("combine", home / "a", home / "b", "--names", "stars, mood", "--out", out)
    noted = json.loads((out / "task.json").read_text())["tasks"]
    assert [(name, one["text"], one["label"]) for name, one in noted.items()] == [
        ("stars", "review", "label"),
        ("mood", "body", "label"),
    ]
    assert noted["mood"]["max_length"] == 16
    assert figures("evaluate", out, home / "b.csv", "--task", "mood")["task"] == "mood"
    assert figures("evaluate", out, home / "a.csv", "--task", "stars")["task"] == "stars"
    assert len(run("predict", out, home / "b.csv", "--task", "mood").stdout.splitlines()) == 60
    run("cut", out, "--energy", "0.9", "--out", tmp_path / "d")
    assert figures("evaluate", tmp_path / "d", home / "b.csv", "--task", "mood")["n"] == 60


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_several_heads_and_none_named_is_an_error_that_names_them(tmp_path, two_tasks, command):
    out = tmp_path / "c"
    run("combine", two_tasks / "a", two_tasks / "b", "--names", "stars,mood", "--out", out)
    said = run(command, out, two_tasks / "a.csv", code=2).stderr
    assert "2 heads, and none was named" in said
    assert "Heads: stars, mood." in said
    assert "--task" in said


def test_two_heads_of_one_name_are_refused_with_the_option_that_renames(tmp_path, two_tasks):
    a, b = two_tasks / "a", two_tasks / "b"
    said = run("combine", a, b, "--out", tmp_path / "c", code=2).stderr
    assert "they differ" in said
    assert "--names label,label-2" in said
    assert "dataclasses" not in said
    run("combine", a, b, "--names", "label,label-2", "--out", tmp_path / "c")
    for names, why in (("x", "1 names for 2 heads"), ("x,", "2 names for 2 heads")):
        assert why in run("combine", a, b, "--names", names, "--out", tmp_path / "d", code=2).stderr


def test_a_head_of_one_folder_is_renamed(tmp_path):
    run("combine", shop().adapter, "--names", "mood", "--out", tmp_path / "c")
    assert figures("evaluate", tmp_path / "c", shop().test)["task"] == "mood"


def product(adapter, site):
    if site.name not in adapter.factors:
        return torch.zeros(site.out_features, site.in_features)
    a, b = adapter.method.lora(adapter.factors[site.name])
    return b @ a


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--how", "svdd"), "--how 'svdd' is unknown"),
        (("--rank", 2), "--rank 2 goes with --how 'svd' only"),
        (("--weights", "1"), "1 weights were given for 2 adapters"),
        (("--weights", "a,b"), "'a,b' is not a list of numbers"),
    ],
)
def test_a_combination_that_cannot_be_is_refused(tmp_path, more, said):
    assert said in run("combine", shop().adapter, shop().adapter, *more, "--out", tmp_path / "c", code=2).stderr
    assert not list(tmp_path.iterdir())


def test_merge_writes_a_stock_model_that_answers_as_the_adapter_did(tmp_path):
    found = figures("merge", shop().adapter, "--out", tmp_path / "m")
    assert found["class"] == "BertModel"
    stock = transformers.AutoModel.from_pretrained(tmp_path / "m").eval()
    base = load(shop().base)
    with attached(base, io.load(shop().adapter)):
        wanted = hidden(base)
    torch.testing.assert_close(hidden(stock), wanted, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(hidden(load(shop().base)), wanted, atol=1e-2)
    assert transformers.AutoTokenizer.from_pretrained(tmp_path / "m")("good w1")["input_ids"][0] == 2


def test_the_heads_of_a_merged_model_go_on_answering(tmp_path):
    run("merge", shop().adapter, "--out", tmp_path / "m")
    heads = tmp_path / "m" / "heads"
    wanted = [json.loads(x) for x in run("predict", shop().adapter, shop().test).stdout.splitlines()]
    found = [json.loads(x) for x in run("predict", heads, shop().test).stdout.splitlines()]
    assert [f["probability"] for f in found] == pytest.approx([w["probability"] for w in wanted], abs=1e-5)
    said = run("predict", heads, shop().test, "--base", shop().base, code=2).stderr
    assert "WrongBase" in said  # the heads belong to the merged weights


def test_a_merged_folder_may_be_moved_with_its_heads(tmp_path):
    run("merge", shop().adapter, "--out", tmp_path / "m")
    (tmp_path / "m").rename(tmp_path / "n")
    assert figures("evaluate", tmp_path / "n" / "heads", shop().test)["n"] == 60
    run("export", tmp_path / "n" / "heads", "--out", tmp_path / "elsewhere" / "heads")
    assert figures("evaluate", tmp_path / "elsewhere" / "heads", shop().test)["n"] == 60


def test_heads_without_their_model_ask_for_it(tmp_path):
    run("merge", shop().adapter, "--out", tmp_path / "m")
    (tmp_path / "m" / "heads").rename(tmp_path / "heads")
    assert "--base" in run("evaluate", tmp_path / "heads", shop().test, code=2).stderr
    assert figures("evaluate", tmp_path / "heads", shop().test, "--base", tmp_path / "m")["n"] == 60


def test_merge_never_overwrites_and_leaves_nothing_half(tmp_path):
    out = tmp_path / "m"
    out.mkdir()
    assert "is there already" in run("merge", shop().adapter, "--out", out, code=2).stderr
    (tmp_path / "f").write_text("mine")
    assert "f is a file" in run("merge", shop().adapter, "--out", tmp_path / "f", code=2).stderr
    (tmp_path / "f").unlink()
    folder = shutil.copytree(shop().adapter, tmp_path / "a")
    assert "WrongBase" in run("merge", folder, "--out", tmp_path / "x", "--base", "minilm", code=2).stderr
    assert {p.name for p in tmp_path.iterdir()} == {"m", "a"}


@pytest.mark.filterwarnings(PEFT_ASKS)
def test_merge_keeps_the_classifier_that_peft_trained_whole(tmp_path):
    peft = pytest.importorskip("peft")
    with torch.random.fork_rng(), quiet():
        torch.manual_seed(0)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(shop().base, num_labels=3)
        config = peft.LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query"], init_lora_weights=False)
        theirs = peft.get_peft_model(model, config).eval()
        theirs.save_pretrained(tmp_path / "theirs")
    run("merge", tmp_path / "theirs", "--base", shop().base, "--out", tmp_path / "m")
    stock = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "m").eval()
    ids = torch.tensor([[2, 4, 9, 3]])
    with torch.no_grad():
        torch.testing.assert_close(stock(ids).logits, theirs(ids).logits, rtol=1e-5, atol=1e-5)


def test_export_pads_every_site_and_changes_no_answer(tmp_path):
    found = figures("export", shop().adapter, "--out", tmp_path / "u")
    assert found["layout"] == "uniform"
    assert found["ranks"] == io.load(shop().adapter).ranks
    assert not json.loads((tmp_path / "u" / "adapter_config.json").read_text()).get("rank_pattern")
    wanted = run("predict", shop().adapter, shop().test).stdout
    assert run("predict", tmp_path / "u", shop().test).stdout == wanted


def test_sparsify_gives_score_against_numbers_kept_from_one_run(tmp_path):
    run(*train_words(shop().table, shop().base, tmp_path / "dense"), "--steps", 40, "--rank", 3, "--sparsity", 0)
    words = ("sparsify", tmp_path / "dense", shop().table, "--out", tmp_path / "curve", "--quiet", "--steps", 30)
    told = run(*words, "--stages", 3, "--from", 0.05, "--to", 0.9).stdout
    stages = json.loads((tmp_path / "curve" / "stages.json").read_text())
    sizes = [s["size"] for s in stages]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 3 * 416
    assert "mean rank" in told
    assert told.endswith(f"folder   {tmp_path / 'curve'}\ncurve    {tmp_path / 'curve' / 'curve.png'}\n")
    assert f"{sizes[-1]:,}" in told
    assert (tmp_path / "curve" / "curve.png").read_bytes().startswith(b"\x89PNG")
    last = tmp_path / "curve" / stages[-1]["folder"]
    assert io.load(last).size == sizes[-1]
    assert figures("evaluate", last, shop().test)["n"] == 60
    assert "--resume" in run(*words, code=2).stderr
    again = figures(*words, "--stages", 3, "--from", 0.05, "--to", 0.9, "--resume")  # nothing is left to do
    assert again["stages"] == stages
    assert again["metric"] == "accuracy"


def test_sparsify_needs_gates(tmp_path):
    run(*train_words(shop().table, shop().base, tmp_path / "lora"), "--steps", 3, "--rank", 1, "--method", "lora")
    words = ("sparsify", tmp_path / "lora", shop().table, "--out", tmp_path / "curve", "--quiet")
    assert "has no gates to shrink" in run(*words, code=2).stderr
    assert "--shape 'expp' is unknown" in run(*words, "--shape", "expp", code=2).stderr
