"""A rule over columns: what it says of rows, and that nothing but comparisons can be said in one."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.rule import Rule
from rankwise.errors import DataError, RankwiseError, UnknownName

TABLE = pd.DataFrame(
    {
        "age": [30, 41, 50, 65],
        "income": [1.0, 2.0, 0.5, 4.0],
        "region": ["north", "south", "north", "east"],
        "home": ["north", "north", "south", "east"],
        "smoker": [1, 0, 0, 1],
        "member since": [1, 2, 3, 4],
        "ill": [True, False, True, False],
    }
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("age > 40", [0, 1, 1, 1]),
        ("40 < age <= 50", [0, 1, 1, 0]),
        ("age > 40 and not ill", [0, 1, 0, 1]),
        ("smoker or age == 50", [1, 0, 1, 1]),
        ('region == "north"', [1, 0, 1, 0]),
        ('"north" != region', [0, 1, 0, 1]),
        ('region in ["south", "east"]', [0, 1, 0, 1]),
        ("age not in (30, 65)", [0, 1, 1, 0]),
        ("age / 10 - income * 2 > 1", [0, 1, 1, 0]),  # 1.0, 0.1 -> see below
        ("`member since` >= 3", [0, 0, 1, 1]),
        ("-age < -45", [0, 0, 1, 1]),
        ("region == home", [1, 0, 0, 1]),
        ("ill", [1, 0, 1, 0]),
    ],
)
def test_what_a_rule_says(text, rows):
    if text.startswith("age / 10"):  # 3 - 2 = 1, 4.1 - 4 = 0.1, 5 - 1 = 4, 6.5 - 8 = -1.5
        rows = [0, 0, 1, 0]
    assert Rule.parse(text, TABLE.columns)(TABLE).tolist() == [bool(r) for r in rows]


def test_a_rule_knows_the_columns_that_it_reads():
    assert Rule.parse("age > 40 and (`member since` < 3 or age < 20)", TABLE.columns).columns == ("age", "member since")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("__import__('os').system('true')", "not understood"),
        ("age.__class__", "backticks"),
        ("age[0] > 1", "not understood"),
        ("(lambda: 1)() > age", "not called"),
        ("[x for x in age]", "not understood"),
        ("age if ill else smoker", "not understood"),
        ("(a := age) > 1", "not understood"),
        ("f'{age}' == 'x'", "not understood"),
        ("age ** 2 > 1", "x \\* x"),
        ("age % 2 == 1", "not understood"),
        ("age > 40 & ill", "write and"),
        ("~ill", "write not"),
        ("age = 40", "write =="),
        ("age > 40; import os", "cannot be read"),
        ("import os", "no question"),
        ("age >", "cannot be read"),
        ("age is 40", "not understood"),
        ("age in income", "not understood"),
        ("age in []", "not understood"),
        ("age in [income]", "not understood"),
        ("1 < 2", "reads no column"),
        ("age > None", "not understood"),
        ("age > 10000000000000000000000", "not understood"),
        ("age > 1j", "not understood"),
        ("(" * 300 + "age" + ")" * 300 + " > 1", "cannot be read"),
        ("not " * 60 + "ill", "not understood"),
        ("age > 1" + " " * 3000, "too long"),
        ("age\x00 > 1", "cannot be read"),
        ("", "cannot be read"),
        ("@age", "cannot be read"),
    ],
)
def test_everything_else_is_refused(text, says):
    with pytest.raises(DataError, match=says):
        Rule.parse(text, TABLE.columns)


@given(st.text(alphabet="age<>=!&|~()[]'\"`_. +*/%@:{}\n0123456789notrdi,", max_size=40))
def test_any_text_gives_a_rule_or_one_message_of_ours(text):
    with suppress(RankwiseError):
        treated = Rule.parse(text, TABLE.columns)(TABLE)
        assert treated.dtype == bool
        assert treated.shape == (len(TABLE),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("age", "no yes or no"),
        ("age and ill", "age in the rule"),
        ('age == "40"', "words with numbers"),
        ("region > 3", "words with numbers"),
        ("region + 1 > 2", "region in the rule .* is no number"),
        ('region == "nroth"', "'nroth', which no row has.\n  Nearest: 'north'"),
        ('region not in ["north", "wset"]', "'wset'"),
    ],
)
def test_a_rule_that_does_not_fit_its_columns_is_refused(text, says):
    with pytest.raises(DataError, match=says):
        Rule.parse(text, TABLE.columns)(TABLE)


def test_a_name_that_is_no_column_names_the_nearest():
    with pytest.raises(UnknownName, match="Nearest: age"):
        Rule.parse("agee > 40", TABLE.columns)


def test_a_missing_value_is_neither_yes_nor_no():
    with pytest.raises(DataError, match="empty in 1 of 4 rows"):
        Rule.parse("age > 40", TABLE.columns)(TABLE.assign(age=[30.0, np.nan, 1.0, 2.0]))


def test_categories_and_pandas_own_numbers_are_read():
    table = pd.DataFrame(
        {"c": pd.Categorical(["a", "b"]), "i": pd.array([1, 2], dtype="Int64"), "s": pd.array(["x", "y"])}
    )
    assert Rule.parse('c == "b" and i > 1 and s == "y"', table.columns)(table).tolist() == [False, True]


def test_python_does_not_comment_on_a_rule():
    assert Rule.parse("age > 40or ill", TABLE.columns)(TABLE).all()
