"""rankwise demo on a sample: the report, the table and the picture are of one run, and only demos are replaced."""

from __future__ import annotations

import json

import pytest

from rankwise import io
from rankwise.core.site import find_sites
from rankwise.methods import SoRA
from rankwise.models import load
from rankwise.tasks.demo import RANK, TARGET

from .cli_case import figures, run


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The folder of one quick demo, and what it printed."""
    out = tmp_path_factory.mktemp("demo") / "out" / "demo"
    return out, run("demo", "--quick", "--quiet", "--epochs", "0.5", "--out", out).stdout


def test_the_screen_has_table_grid_and_the_way_on(quick):
    out, told = quick
    assert told.startswith("QUICK: a sample")
    for said in ("head only", f"LoRA r={RANK}", f"SoRA r_max={RANK}", "95 % interval", "layer  query  key"):
        assert said in told, said
    assert f"rankwise predict {out}/sora" in told
    assert "equal to the bit" in told
    assert len(told.splitlines()) <= 24
    assert max(map(len, told.splitlines()[:-3])) <= 100


def test_the_report_has_the_figures_of_the_screen(quick):
    out, told = quick
    report = json.loads((out / "report.json").read_text())
    assert report["what"] == "rankwise demo"
    assert report["quick"] is True
    assert {"versions", "seed", "recipe", "machine", "learning_rates", "seconds"} <= report.keys()
    for row in report["methods"]:
        line = next(x for x in told.splitlines() if x.startswith(row["title"]))
        for word in (f"{row['trained']:,}", f"{row['kept']:,}", f"{row['accuracy']:.4f}", f"{row['mean_rank']:.2f}"):
            assert word in line.split(), (word, line)
        assert row["low"] <= row["accuracy"] <= row["high"]


def test_numbers_trained_and_kept_are_those_of_the_adapters(quick):
    out, _ = quick
    rows = {r["name"]: r for r in json.loads((out / "report.json").read_text())["methods"]}
    maps = list(find_sites(load("minilm"), "all-linear", ["pooler.dense"]))
    assert len(maps) == 36  # every linear map of six layers
    full = RANK * sum(s.in_features + s.out_features for s in maps)
    head = 384 * 2 + 2
    assert (rows["head"]["trained"], rows["head"]["kept"]) == (head, head)
    assert (rows["lora"]["trained"], rows["lora"]["kept"]) == (full + head, full + head)
    assert rows["sora"]["trained"] == full + head + RANK * 36  # and a gate a direction
    found = io.load(out / "sora")
    assert rows["sora"]["kept"] == found.size + head < full
    assert abs(found.mean_rank - TARGET) <= max(0.05 * TARGET, 1 / 36)
    assert isinstance(found.method, SoRA)
    assert all(len(f["gate"]) == found.ranks[s] for s, f in found.factors.items())  # physically pruned


def test_the_picture_and_every_adapter_are_in_the_folder(quick):
    out, _ = quick
    assert (out / "ranks.png").read_bytes().startswith(b"\x89PNG")
    report = json.loads((out / "report.json").read_text())
    assert report["ranks"] == io.load(out / "sora").ranks
    assert [r["folder"] for r in report["methods"]] == [str(out / n) for n in ("head", "lora", "sora")]
    assert report["read_back"] == {"rows": 64, "equal": True, "largest_difference": 0.0}
    assert [p.name for p in out.parent.iterdir()] == ["demo"]


def test_its_adapters_answer(quick):
    out, _ = quick
    answer = json.loads(run("predict", out / "sora", "-", given="a warm and funny film\n").stdout)
    assert answer["prediction"] in ("negative", "positive")


def test_a_second_demo_replaces_the_first_and_nothing_else(quick, tmp_path):
    out, _ = quick
    (out / "left.txt").write_text("over")
    again = figures("demo", "--quick", "--quiet", "--epochs", "0.13", "--out", out)
    assert again["recipe"]["epochs"] == 0.13
    assert not (out / "left.txt").exists()
    assert json.loads((out / "report.json").read_text()) == again
    (tmp_path / "mine.txt").write_text("mine")
    for file in ("", "report.json"):
        if file:
            (tmp_path / file).write_text('{"what": "something else"}')
        said = run("demo", "--quick", "--out", tmp_path, code=2).stderr
        assert "no demo wrote it" in said
        assert (tmp_path / "mine.txt").exists()


def test_a_demo_that_fails_leaves_nothing(tmp_path):
    assert "--epochs -1" in run("demo", "--quick", "--epochs", "-1", "--out", tmp_path / "d", code=2).stderr
    assert not list(tmp_path.iterdir())
