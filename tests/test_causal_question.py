"""What is asked of an effect is checked first: columns, roles, graphs and settings that cannot be are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.traps import table as made
from rankwise.causal.estimate import effect
from rankwise.causal.graph import Graph
from rankwise.causal.question import Settings
from rankwise.errors import DataError, RecipeError, UnknownName

EDGES = [("w", "t"), ("w", "y"), ("v", "t"), ("v", "y"), ("t", "y")]
QUICK = {"refuters": (), "compare": False}


@pytest.fixture(scope="module")
def table():
    return made(800)


@pytest.mark.parametrize(
    ("change", "options", "error", "said"),
    [
        ({}, {"graph": [("w", "t"), ("t", "w"), ("t", "y")]}, DataError, "w -> t -> w"),
        ({}, {"graph": [("ww", "t"), ("t", "y")]}, UnknownName, "'ww', which is no column"),
        ({}, {"graph": [("w", "y"), ("v", "y")]}, UnknownName, "treatment 't' is not in the graph"),
        ({"t": 1}, {}, DataError, "'t' is 1 in every row"),
        ({"t": [f"text {i}" for i in range(800)], "cue": [0, 1] * 400}, {}, DataError, "is text .*\n.*\n.*cue"),
        ({"t": ["yes", "no"] * 400}, {}, DataError, "which is treated"),
        ({"t": np.arange(800)}, {}, DataError, "0 and 1 are compared"),
        ({"y": ["good", "bad"] * 400}, {}, DataError, "outcome 'y' holds words"),
        ({"w": [f"text {i}" for i in range(800)]}, {}, DataError, "--text w"),
        ({"w": np.inf}, {}, DataError, "infinite"),
        ({}, {"common_causes": ["w", "w"]}, DataError, "'w' is named as a common cause and is a common cause"),
        ({}, {"common_causes": ["t"]}, DataError, "'t' is named as a common cause and is the treatment"),
        ({}, {"common_causes": ["age"]}, UnknownName, "only named, and not measured"),
        ({}, {"common_causes": None}, RecipeError, r"common_causes=\[\]"),
        ({}, {"graph": EDGES, "common_causes": ["w"]}, RecipeError, "both given"),
        (
            {"m": 1.0},
            {"graph": [*EDGES, ("t", "m"), ("m", "y")], "effect_modifiers": ["m"]},
            DataError,
            "effect of 't'",
        ),
        ({}, {"effect_modifiers": ["y"]}, DataError, "'y' is the outcome"),
        ({}, {"nuisance": "forest"}, RecipeError, "All: linear, boosting, network"),
        ({}, {"refuters": ["placebos"]}, RecipeError, "placebos"),
        ({}, {"refuters": "placebo"}, RecipeError, "is one word"),
        ({}, {"simulations": 1}, RecipeError, "no spread"),
        ({}, {"folds": 1}, RecipeError, "folds=1"),
        ({}, {"fold": 3}, UnknownName, "Nearest: folds"),
        ({"placebo": 1.0}, {"common_causes": ["placebo", "w"]}, DataError, "rename it"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(table, change, options, error, said):
    stated = {} if "graph" in options or "common_causes" in options else {"common_causes": ["w", "v"]}
    if options.get("common_causes", 0) is None:
        stated, options = {}, {}
    with pytest.raises(error, match=said):
        effect(table.assign(**change), "t", "y", **stated, **(QUICK | options))


def test_a_column_that_is_there_twice_is_refused(table):
    twice = pd.concat([table, table[["w"]]], axis=1)
    with pytest.raises(DataError, match="2 columns are named 'w'"):
        effect(twice, "t", "y", common_causes=["w"], **QUICK)
    with pytest.raises(DataError, match="as treatment and as outcome"):
        effect(table, "t", "t", common_causes=["w"], **QUICK)


def test_a_modifier_that_opens_a_closed_path_is_refused(table):
    edges = [("a", "t"), ("a", "c"), ("b", "c"), ("b", "y"), ("t", "y")]
    wide = table.rename(columns={"w": "a", "v": "b"}).assign(c=np.arange(800) % 2)
    graph = Graph((*edges,), frozenset())
    hidden = Graph((*edges,), frozenset({"a", "b"}))
    assert effect(wide, "t", "y", graph=graph, effect_modifiers=["c"], **QUICK).way.adjust == ("b", "c")
    with pytest.raises(DataError, match="opens a path"):
        effect(wide.drop(columns=["a", "b"]), "t", "y", graph=hidden, effect_modifiers=["c"], **QUICK)


def test_settings_say_how_often_refuters_run():
    assert Settings().runs == 20
    assert Settings(nuisance="boosting").runs == 5
    assert Settings(simulations=7).runs == 7
