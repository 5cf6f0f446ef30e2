"""The public names, and what `import rankwise` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import rankwise as rw

HEAVY = {"torch", "numpy", "transformers", "accelerate", "fastapi", "typer", "matplotlib", "dowhy", "pandas", "sklearn"}


def loaded_by(code):
    """Which heavy packages a fresh interpreter has in sys.modules after `code`."""
    script = f"{code}\nimport sys\nprint(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_rankwise_imports_nothing_heavy():
    assert loaded_by("import rankwise") == set()


def test_looking_around_imports_nothing_heavy_either():
    assert (
        loaded_by("import rankwise as rw; dir(rw), rw.__all__, rw.METHODS, list(rw.METHODS), rw.__version__") == set()
    )
    assert loaded_by("import rankwise.errors, rankwise.cli") == set()


def test_the_core_and_the_methods_need_torch_alone():
    code = "import rankwise as rw; rw.new, rw.attach, rw.merge, rw.shrink; [rw.METHODS[kind] for kind in rw.METHODS]"
    assert loaded_by(code) <= {"torch", "numpy"}  # torch brings numpy where it is installed


def test_the_check_can_fail():
    assert "torch" in loaded_by("import rankwise; rankwise.Adapter")
    assert "transformers" in loaded_by("import rankwise.models")


def test_all_is_sorted_and_complete():
    assert sorted(rw.__all__) == rw.__all__
    assert len(set(rw.__all__)) == len(rw.__all__)
    assert dir(rw) == rw.__all__
    promised = {"Adapter", "Head", "METHODS", "Method", "Recipe", "Site", "Task", "RankwiseError", "__version__"}
    promised |= {"attach", "attached", "combine", "cut", "detach", "evaluate", "find_sites", "hf_callback", "load"}
    promised |= {"merge", "methods", "new", "predict", "rows", "save", "shrink", "sparsify", "train", "unmerge"}
    assert promised <= set(rw.__all__)


@pytest.mark.parametrize("name", rw.__all__)
def test_every_public_name_resolves_to_what_it_says(name):
    found = getattr(rw, name)
    if name not in ("METHODS", "__version__"):
        assert (found.__name__).rpartition(".")[2] == name
        assert found.__doc__, f"{name} has no docstring"


def test_a_name_stays_what_it_is_when_everything_has_been_imported():
    before = {name: getattr(rw, name) for name in rw.__all__}  # importing rankwise.train must not hide rw.train
    assert {name: getattr(rw, name) for name in rw.__all__} == before
    assert callable(rw.train)
    assert [n for n in rw.__all__ if isinstance(getattr(rw, n), ModuleType) and not callable(getattr(rw, n))] == [
        "methods"
    ]


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'rankwise' has no attribute 'nwe'"):
        rw.nwe  # noqa: B018


def test_every_module_has_a_docstring():
    root = Path(rw.__file__).parent
    bare = [
        p.relative_to(root).as_posix() for p in root.rglob("*.py") if not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert bare == []


def test_the_version_is_the_one_of_the_distribution():
    text = (Path(rw.__file__).parents[1] / "pyproject.toml").read_text()
    assert f'version = "{rw.__version__}"' in text


def test_the_methods_are_found_by_kind_and_by_class_name():
    assert rw.methods.LoRA is rw.METHODS["lora"]
    assert rw.methods.SoRA is rw.METHODS["sora"]
    assert sorted(rw.methods.__all__) == sorted(["METHODS", *(cls.__name__ for cls in rw.METHODS.values())])
    with pytest.raises(AttributeError):
        rw.methods.LoRAA  # noqa: B018
    with pytest.raises(rw.RankwiseError, match=r"^method 'Lora' is unknown\.\n  Methods: lora, .*\n  Nearest: lora$"):
        rw.METHODS["Lora"]
