"""Labels of a table: inferred, named, ordered, numbered, and refused where nothing can be learnt."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.errors import DataError, UnknownName
from rankwise.tasks.labels import Place, missing, name, number_of, ordered, parse, refuse_unlearnable


def place(values):
    return Place("a.csv", "stars", "line", range(2, 2 + len(values)))


def parsed(values, kind=None, sep="|"):
    return parse(values, place(values), kind, sep)


@pytest.mark.parametrize(
    ("values", "want"),
    [
        (["good", " bad "], ["good", "bad"]),
        ([1, 2], ["1", "2"]),
        (["1", "2.0"], ["1", "2"]),
        ([1.0, 2.0], ["1", "2"]),
        (["007", "7"], ["007", "7"]),
        (["1.0", "beta"], ["1.0", "beta"]),  # not a column of numbers: spelling counts
        ([True, False], ["true", "false"]),
        ([0.5, 1.0, 0.5, 1.0, 0.5], ["0.5", "1", "0.5", "1", "0.5"]),  # few decimals may be classes
        (["1e400", "2"], ["1e400", "2"]),
    ],
)
def test_one_label_a_row_is_a_name(values, want):
    assert parsed(values) == ("single", want)


def test_many_different_decimals_need_a_word_from_the_user():
    values = [str(i + 0.5) for i in range(30)]
    with pytest.raises(DataError, match="30 different decimal numbers") as caught:
        parsed(values * 4)  # each in several rows, as ratings would be
    assert "--kind regression" in str(caught.value)
    with pytest.raises(DataError, match="3 different decimal numbers"):
        parsed(values[:3] + values[:2])  # few, but hardly ever twice
    assert parsed(values, "single")[0] == "single"
    assert parsed(values, "regression") == ("regression", [i + 0.5 for i in range(30)])


def test_many_whole_numbers_are_classes():
    assert parsed([str(i) for i in range(30)])[0] == "single"


def test_regression_refuses_what_is_no_number():
    with pytest.raises(DataError, match=r"a\.csv, line 3: 'high' in column 'stars' is not a number"):
        parsed(["1.5", "high"], "regression")
    with pytest.raises(DataError, match=r"Write 3\.5\."):
        parsed(["1.5", "3,5"], "regression")
    for value in ["nan", "inf", "1_0", True, math.inf]:
        with pytest.raises(DataError, match="is not a number"):
            parsed([1.0, value], "regression")


def test_several_labels_a_row_as_text_or_list():
    assert parsed(["a|b", " b | a|b", ""], "multi") == ("multi", [("a", "b"), ("b", "a"), ()])
    assert parsed([["a", 1], []], "multi") == ("multi", [("a", "1"), ()])
    assert parsed(["a;b"], "multi", sep=";") == ("multi", [("a", "b")])


def test_a_list_is_not_taken_for_one_label():
    with pytest.raises(DataError, match=r"line 3: \['a'\] is not one label") as caught:
        parsed(["a", ["a"]])
    assert "--kind multi" in str(caught.value)


def test_a_bar_means_nothing_unless_asked_for():
    assert parsed(["a|b", "c"]) == ("single", ["a|b", "c"])


@pytest.mark.parametrize("gone", [None, math.nan, "", "  "])
def test_missing_labels_are_counted_and_the_first_is_named(gone):
    with pytest.raises(DataError, match="line 3: no value in column 'stars', and in 1 more of 4 rows") as caught:
        parsed(["a", gone, "b", gone])
    assert (caught.value.place, caught.value.count) == (3, 2)


def test_no_label_is_an_answer_only_where_several_are_allowed():
    with pytest.raises(DataError, match="line 2: no value"):
        parsed([None, ["a"]], "multi")


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(UnknownName, match="Nearest: regression"):
        parsed(["1"], "regresion")


def test_numbers_are_ordered_by_value_and_words_by_spelling():
    assert ordered(["10", "9", "-1", "9"]) == ["-1", "9", "10"]
    assert ordered(["10", "9", "b"]) == ["10", "9", "b"]


@given(st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_equal_numbers_have_equal_names_and_others_do_not(values):
    names = [name(v, True) for v in values]
    for v, n in zip(values, names, strict=True):
        for w, m in zip(values, names, strict=True):
            assert (n == m) == (v == w)


def test_a_label_that_was_not_seen_names_the_known_ones():
    index = {"bad": 0, "good": 1}
    assert number_of("good", index, "a.csv, line 7") == 1
    with pytest.raises(DataError, match=r"a\.csv, line 7: the label 'godo' was not seen in training") as caught:
        number_of("godo", index, "a.csv, line 7")
    assert "Known labels: 'bad', 'good'." in str(caught.value)
    assert "Nearest: 'good'" in str(caught.value)


def test_a_number_written_otherwise_is_the_same_label():
    assert number_of("2.0", {"1": 0, "2": 1}, "") == 1


def test_a_long_list_of_known_labels_is_cut():
    with pytest.raises(DataError, match="'19' and 130 more"):
        number_of("x", {str(i): i for i in range(150)}, "a.csv, line 2")


@pytest.mark.parametrize(
    ("kind", "values", "reason"),
    [
        ("single", ["a", "a"], "every row has the same label, 'a'"),
        ("regression", [1.0, 1.0], "every row has the same label, 1.0"),
        ("multi", [(), ()], "no row has a label"),
        ("single", [str(i) for i in range(21)], "all 21 rows have different labels"),
    ],
)
def test_what_cannot_be_learnt_is_refused(kind, values, reason):
    with pytest.raises(DataError, match=reason):
        refuse_unlearnable(kind, values, "a.csv", "stars")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("single", ["a", "b"]),
        ("single", [str(i) for i in range(20)]),  # a small table of classes: with 21 it is refused
        ("multi", [("a",), ("a",)]),
        ("regression", [float(i) for i in range(99)]),
    ],
)
def test_what_can_be_learnt_passes(kind, values):
    assert refuse_unlearnable(kind, values, "a.csv", "stars") is None


def test_missing_means_missing():
    pandas = pytest.importorskip("pandas")
    assert all(missing(v) for v in [None, math.nan, "", " \t", pandas.NA, pandas.NaT])
    assert not any(missing(v) for v in [0, 0.0, False, "NA", "None", [], ()])


@pytest.mark.parametrize("rows", [30, 104])
def test_whole_numbers_that_hardly_repeat_are_remarked(rows):
    with pytest.warns(UserWarning, match=rf"21 different numbers in {rows} rows.*\n.*--kind regression"):
        assert parsed([i % 21 for i in range(rows)])[0] == "single"


def test_numbers_that_are_classes_go_without_remark():
    assert parsed([i % 21 for i in range(105)])[0] == "single"  # five rows a class
    assert parsed(list(range(20)))[0] == "single"  # few classes
    assert parsed([i % 21 for i in range(30)], kind="single")[0] == "single"  # asked for
    assert parsed([i % 21 for i in range(30)], kind="regression")[0] == "regression"
    assert parsed([f"word{i}" for i in range(30)])[0] == "single"
