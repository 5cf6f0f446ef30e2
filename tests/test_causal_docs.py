"""What the pages on policies and on the naive script show is run, and their figures are what comes out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli_case import run
from tests.test_causal_policy import shop

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shop(1500).to_csv("data.csv", index=False)
    Path("g.toml").write_text(blocks("policy.md", "toml")[0])
    return tmp_path


def test_the_page_on_policies_is_run(place, capsys):
    shown = re.findall(r"^    (treat .+|age > 40 .+)$", (DOCS / "policy.md").read_text(encoding="utf-8"), re.M)
    first, second = (shlex.split(block)[1:] for block in blocks("policy.md", "bash"))
    told = run(*first).stdout
    assert len(shown) == 4
    for line in shown:
        name, *figures = re.split(r"\s{2,}", line)
        (said,) = [found for found in told.splitlines() if found.startswith(name + " ")]
        assert numbers("  ".join(figures)) == pytest.approx(numbers(said[len(name) :]), abs=0.02)
    run(*second, "--resamples", 10)
    (code,) = blocks("policy.md", "python")
    exec(compile(code, "policy.md", "exec"), {})
    assert capsys.readouterr().out.count("treat all") == 1


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+\.?\d*", text)]
