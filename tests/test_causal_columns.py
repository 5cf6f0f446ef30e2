"""Columns become numbers, and each mistake is named with its remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rankwise.causal.columns import frame
from rankwise.errors import DataError, UnknownName

TABLE = pd.DataFrame(
    {
        "t": [0, 1, 1, 0],
        "flag": [True, False, True, False],
        "y": [1.0, 2.0, 3.0, 4.0],
        "age": [20, 30, 40, 50],
        "region": ["n", "s", "e", "n"],
        "gap": [1.0, np.nan, 2.0, 3.0],
        "one": [1, 1, 1, 1],
        "dose": [0.0, 0.5, 1.0, 2.0],
        "said": ["yes", "no", "yes", "no"],
        "word": ["no", "yes", "yes", "no"],
        "typo": ["1.5", "2.5", "n/a?", "3"],
        "review": ["so good", "very bad", "fine", "dull"],
        "far": [1.0, np.inf, 2.0, 3.0],
        "when": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]),
    }
)


def test_categories_become_a_column_for_each_word_but_the_first():
    made = frame(TABLE, "t", "y", ["age", "region", "flag"])
    assert made.names == ("age", "region=n", "region=s", "flag")
    assert made.x.tolist() == [[20, 1, 0, 1], [30, 0, 1, 0], [40, 0, 0, 1], [50, 1, 0, 0]]
    assert made.y.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_boolean_treatment_is_cast():
    made = frame(TABLE, "flag", "y", group="region")
    assert made.t.tolist() == [1, 0, 1, 0]
    assert made.x.shape == (4, 0)
    assert made.groups.tolist() == ["n", "s", "e", "n"]


@pytest.mark.parametrize(
    ("treatment", "outcome", "covariates", "says"),
    [
        ("one", "y", [], r"'one' is 1 in every row"),
        ("dose", "y", [], r"holds 0, 0.5, 1, 2: 0 and 1 are compared"),
        (
            "said",
            "y",
            [],
            r"'yes' and 'no': which is treated\?\n  Say so: table\['treated'\] = \(table\['said'\] == 'yes'",
        ),
        ("review", "y", [], r"is text \(4 different values in 4 rows\)[^$]*that could stand in: t, flag"),
        ("t", "t", [], "treatment and as outcome"),
        ("t", "said", [], r"holds words \('yes', 'no'\)"),
        ("t", "typo", [], r"holds words \('n/a\?'\): an average"),
        ("word", "y", [], r"table\['word'\] == 'yes'"),
        ("t", "gap", [], r"'gap' is empty in 1 of 4 rows.\n  Drop these rows"),
        ("t", "far", [], "infinite"),
        ("t", "y", ["y"], "named as covariate and is the outcome"),
        ("t", "y", ["when"], "holds dates"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_remedy(treatment, outcome, covariates, says):
    with pytest.raises(DataError, match=says):
        frame(TABLE, treatment, outcome, covariates)


def test_a_common_cause_that_is_no_column_is_refused():
    with pytest.raises(UnknownName, match=r"'ages' is no column [^$]*Nearest: age[^$]*cannot be adjusted"):
        frame(TABLE, "t", "y", ["ages"])


def test_a_treatment_that_is_no_column_is_no_common_cause():
    with pytest.raises(UnknownName, match="'tt' is no column") as caught:
        frame(TABLE, "tt", "y", ["age"])
    assert "common cause" not in str(caught.value)


def test_free_text_is_no_category_and_a_name_is_there_once():
    many = pd.DataFrame({"t": [0, 1] * 30, "y": range(60), "text": [f"words {i}" for i in range(60)]})
    with pytest.raises(DataError, match=r"--text text"):
        frame(many, "t", "y", ["text"])
    twice = pd.DataFrame([[0, 1, 2], [1, 2, 3]], columns=["t", "y", "y"])
    with pytest.raises(DataError, match="2 columns are named 'y'"):
        frame(twice, "t", "y")


def test_an_outcome_that_never_varies_is_refused():
    table = pd.DataFrame({"t": [0, 1, 0, 1], "y": [5.0] * 4})
    with pytest.raises(DataError, match=r"the outcome 'y' is 5\.0 in every row"):
        frame(table, "t", "y")
