"""What the pages on policies and on the naive script show is run, and their figures are what comes out."""

from __future__ import annotations

import io
import re
import shlex
import warnings
from contextlib import redirect_stdout
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


@pytest.fixture(scope="module")
def mended():
    """What the code of the page on the naive script leaves behind and prints, block by block."""
    known: dict = {}
    said = []
    for number, code in enumerate(blocks("from-a-naive-script.md", "python")):
        with warnings.catch_warnings(record=True) as caught, redirect_stdout(io.StringIO()) as out:
            warnings.simplefilter("always" if number < 2 else "error")
            if number > 1:  # of packages that we call; a library's own are its users' to see
                warnings.filterwarnings("ignore", category=DeprecationWarning)
            exec(compile(code, f"block {number}", "exec"), known)
        said.append((out.getvalue(), [str(w.message) for w in caught]))
    return known, said


def test_the_naive_script_prints_nothing_of_use(mended):
    told, warned = mended[1][0]
    assert told == "None\n"
    assert any("2 variables are assumed unobserved" in w for w in warned)
    assert mended[1][1][0].split() == ["1.0", "0.0"]


def test_the_page_shows_what_its_code_prints(mended):
    page = (DOCS / "from-a-naive-script.md").read_text(encoding="utf-8")
    refused, story = mended[1][2][0], mended[1][3][0]
    for line in refused.splitlines():
        assert f"    {line}" in page
    assert story[:100] in page
    for code, (told, _) in zip(blocks("from-a-naive-script.md", "python"), mended[1], strict=True):
        for line in code.splitlines():
            if line.startswith("print(") and "  # " in line:
                assert line.split("  # ")[1].strip() in told, line


def test_the_page_is_right_about_its_estimates(mended):
    known, _ = mended
    found, short, truth = known["found"], known["short"], known["truth"]
    assert found.ci[0] < truth < found.ci[1]
    assert short.ci[0] > truth + 0.05
    assert all(row.passed for row in (*found.refuters, *short.refuters))
    assert abs(known["reader"](known["with_it"]).mean() - known["reader"](known["without"]).mean() - truth) < 0.02
    page = (DOCS / "from-a-naive-script.md").read_text(encoding="utf-8")
    for row in found.estimators:
        shown = re.search(rf"^    {re.escape(row.name)} +(\d\.\d+)$", page, re.M)
        assert float(shown[1]) == pytest.approx(row.ate, abs=0.011)
