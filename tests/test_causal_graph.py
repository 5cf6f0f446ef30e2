"""Graphs that are checked."""

from __future__ import annotations

import networkx as nx
import pytest

from rankwise.causal.graph import UNSEEN, Graph, as_graph, check_columns, from_causes, read
from rankwise.causal.identify import identify
from rankwise.errors import BadFile, DataError, UnknownName

CONFOUNDED = [("w", "t"), ("w", "y"), ("t", "y")]


def test_a_circle_is_named():
    with pytest.raises(DataError, match="a -> b -> a") as caught:
        Graph((("a", "b"), ("b", "a"), ("t", "y")))
    assert caught.value.cycle == ["a", "b"]
    with pytest.raises(DataError, match="t -> t"):
        as_graph([("t", "t")])


def test_graphs_come_in_three_forms():
    given = nx.DiGraph([("u", "t"), ("t", "y"), ("u", "y")])
    given.nodes["u"]["observed"] = "no"  # as DoWhy writes it
    assert as_graph(given).hidden == {"u"}
    assert as_graph([["w", "t"], ("t", "y")]).edges == (("w", "t"), ("t", "y"))
    assert as_graph(as_graph(given)) is not None
    with pytest.raises(DataError, match="without a direction"):
        as_graph(nx.Graph([("a", "b")]))
    with pytest.raises(DataError, match="is no edge"):
        as_graph([("a", "b", "c")])
    with pytest.raises(DataError, match="is no edge"):
        as_graph(["ab"])


def test_a_file_is_read(tmp_path):
    path = tmp_path / "g.toml"
    path.write_text('edges = [["u", "t"], ["t", "y"]]\nhidden = ["u"]\n')
    assert read(path) == Graph((("u", "t"), ("t", "y")), frozenset({"u"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("edges = [", "no TOML"),
        ('edges = [["a"]]', r"\['a'\] is no edge"),
        ("edges = []", "is no edge"),
        ("", "is no edge"),
        ('edges = [["a", "b"]]\nnodes = 3', "holds 'nodes'"),
        ('edges = [["a", "b"]]\nhidden = "u"', "hidden = 'u' is no list"),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_right_one(tmp_path, text, said):
    path = tmp_path / "g.toml"
    path.write_text(text)
    with pytest.raises(BadFile, match=said) as caught:
        read(path)
    assert 'edges = [["w", "t"]' in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadFile, match=r"none\.toml cannot be read"):
        read(tmp_path / "none.toml")


def test_a_node_that_is_no_column_is_named_with_the_nearest_and_with_the_word_for_it():
    graph = as_graph([("agee", "t"), ("t", "y")])
    with pytest.raises(UnknownName, match=r"'agee', which is no column\.\n  Nearest column: age") as caught:
        check_columns(graph, ["age", "t", "y"], "t", "y")
    assert 'hidden = ["agee"]' in str(caught.value)


def test_hidden_columns_and_questions_about_no_node_are_refused():
    with pytest.raises(DataError, match="cannot be both"):
        check_columns(Graph((("u", "t"), ("t", "y")), frozenset({"u"})), ["u", "t", "y"], "t", "y")
    with pytest.raises(UnknownName, match="outcome 'z' is not in the graph"):
        check_columns(as_graph([("t", "y")]), ["t", "y", "z"], "t", "z")


def test_a_list_of_causes_with_instruments_has_something_unseen():
    graph = from_causes("t", "y", ["w"], ["z"])
    assert graph.hidden == {UNSEEN}
    found = identify(graph, "t", "y")
    assert (found.kind, found.through, found.adjust) == ("instrument", ("z",), ("w",))


def test_long_lists_are_cut_in_sentences():
    assert "and 42 more" in identify(from_causes("t", "y", [f"c{i}" for i in range(50)]), "t", "y").sentence
