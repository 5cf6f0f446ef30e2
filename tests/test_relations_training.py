"""A run over corpora: what is held out, that a tiny model learns order, causes and events, and what it is scored on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.errors import BadFile, DataError, RecipeError
from rankwise.methods import LoRA
from rankwise.relations.extract import FILE, Extractor
from rankwise.relations.learn import Part
from rankwise.relations.measure import between, measure
from rankwise.relations.schema import Document, Event, Relation
from rankwise.relations.training import Plan, hold_out, train
from rankwise.train.recipe import Recipe
from tests.stories import base_model, stories, story
from tests.words import SIGNS

FAST = Recipe(epochs=30, lr=1e-2, batch_rows=8, precision="fp32")


@given(groups=st.lists(st.integers(1, 20), min_size=1, max_size=4), share=st.floats(0, 0.9), seed=st.integers(0, 9))
def test_documents_are_held_out_of_each_group_and_never_all_of_one(groups, share, seed):
    documents = [Document(f"{g}-{i}", "x", group=str(g)) for g, n in enumerate(groups) for i in range(n)]
    found = hold_out(documents, share, seed)
    assert found == hold_out(documents[::-1], share, seed)
    for g, n in enumerate(groups):
        mine = sum(name.startswith(f"{g}-") for name in found)
        assert mine == (min(max(1, round(share * n)), n - 1) if share else 0)
        assert mine < n


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Without edits: in these stories the first verb tells the order too, and so small a base learns that alone."""
    where = tmp_path_factory.mktemp("training")
    plan = Plan(LoRA(rank=4), base=str(base_model(where / "base")), window=40, hold_out=0.2, augment=False)
    return train([Part("stories", stories(60), mentions=True)], plan, FAST, out=where / "out"), where


def test_it_learns_and_is_scored_on_what_it_did_not_see(trained):
    made, _ = trained
    (scores,) = made.scores.values()
    assert scores["documents"] == len(made.held["stories"]) == 12
    assert scores["temporal"]["f1"] > 0.9
    assert scores["causal"]["f1"] > 0.7
    assert scores["events"]["f1"] > 0.9
    assert scores["decoded"]["broken_after"] == 0
    assert {"low", "high", "gold"} <= set(scores["temporal"])


def test_the_folder_says_what_it_read_and_gives_the_same_scores_again(trained):
    made, where = trained
    about = json.loads((where / "out" / FILE).read_text())
    assert about["labels"]["BEFORE"] + about["labels"]["AFTER"] == 48
    assert (about["window"], about["corpora"], about["held_out"]) == (40, ["stories"], made.held)
    held = [d for d in stories(60) if d.id in made.held["stories"]]
    again = measure(Extractor.load(where / "out"), held)
    assert again["temporal"]["f1"] == pytest.approx(made.scores["stories"]["temporal"]["f1"], abs=1e-9)


def test_scores_by_hand_of_a_reader_that_is_always_sure(trained):
    """A flipped gold label is a miss for order, and one unfound event a miss for events."""
    _, where = trained
    reader, d = Extractor.load(where / "out"), story(0)
    flipped = Document(d.id, d.text, d.events[:2], (), (Relation("e2", "e1", "BEFORE"),), d.sentences)
    assert measure(reader, [d])["temporal"]["f1"] == 1
    found = measure(reader, [flipped])
    assert found["temporal"]["f1"] == 0
    assert found["events"] == {"precision": 2 / 3, "recall": 1.0, "f1": 0.8, "gold": 2}
    assert "causal" not in found


def test_edits_are_added_where_asked(trained):
    _, where = trained
    plan, recipe = Plan(LoRA(rank=2), base=str(where / "base"), window=40), replace(FAST, epochs=1)
    with_edits, without = (train([Part("s", stories(20))], replace(plan, augment=a), recipe) for a in (True, False))
    assert with_edits.result.steps > without.result.steps


def test_pairs_are_counted_once_and_times_are_no_events():
    d = Document("d", "abc", (Event("a", 0, 1), Event("b", 1, 2)), relations=(
        Relation("a", "b", "BEFORE"), Relation("b", "a", "AFTER"), Relation("a", "t0", "BEFORE"),
    ))  # fmt: skip
    assert between(d, "temporal") == [Relation("a", "b", "BEFORE")]


def test_documents_with_nothing_to_judge_are_refused(trained):
    _, where = trained
    with pytest.raises(DataError, match="no relations and no events to judge"):
        measure(Extractor.load(where / "out"), [Document("x", "they met .")])


def test_it_goes_on_from_an_extractor_and_holds_out_what_that_one_held_out(trained):
    made, where = trained
    plan = Plan(None, base=str(where / "base"), window=40, augment=False, start=str(where / "out"))
    short = replace(FAST, steps=1, lr=1e-9, head_lr=1e-9, weight_decay=0.0, seed=5)
    again = train([Part("stories", stories(60), mentions=True)], plan, short, out=where / "again")
    assert again.held == made.held
    assert again.result.adapter.ranks == made.result.adapter.ranks
    for corpus, scores in made.scores.items():
        assert again.scores[corpus]["temporal"]["f1"] == pytest.approx(scores["temporal"]["f1"])
    assert json.loads((where / "again" / FILE).read_text())["held_out"] == made.held


def test_going_on_with_other_documents_of_the_same_name_holds_some_of_these_out(trained):
    """Ids that the first run held out say nothing of another file of stories."""
    _, where = trained
    others = [replace(d, id=f"other{d.id}") for d in stories(40)]
    plan = Plan(None, base=str(where / "base"), window=40, augment=False, start=str(where / "out"))
    short = replace(FAST, steps=1, lr=1e-9, head_lr=1e-9)
    again = train([Part("stories", others, mentions=True)], plan, short)
    assert again.held["stories"]
    assert all(name.startswith("other") for name in again.held["stories"])


def test_going_on_needs_the_heads_that_are_taught(trained, tmp_path):
    _, where = trained
    plan = Plan(LoRA(rank=2), base=str(where / "base"), window=40, augment=False)
    train([Part("stories", stories(20))], plan, replace(FAST, steps=1), out=tmp_path / "order")
    with pytest.raises(BadFile, match="teach events, which it has no head for"):
        train([Part("s", stories(20), mentions=True)], replace(plan, start=str(tmp_path / "order")), FAST)


def test_solid_markers_learn_the_order_too_and_the_folder_says_so(tmp_path):
    base = str(base_model(tmp_path / "base", SIGNS))
    plan = Plan(LoRA(rank=4), base=base, window=40, hold_out=0.2, augment=False, markers="solid")
    made = train([Part("stories", stories(60))], plan, FAST, out=tmp_path / "solid")
    assert made.scores["stories"]["temporal"]["f1"] > 0.9
    assert json.loads((tmp_path / "solid" / FILE).read_text())["markers"] == "solid"
    reader = Extractor.load(tmp_path / "solid")
    assert reader.layout.marks
    held = [d for d in stories(60) if d.id in made.held["stories"]]
    assert measure(reader, held)["temporal"]["f1"] == pytest.approx(made.scores["stories"]["temporal"]["f1"])
    onward = replace(plan, method=None, start=str(tmp_path / "solid"))
    with pytest.raises(RecipeError, match="learnt with solid ones"):
        train([Part("stories", stories(60))], replace(onward, markers="levitated"), FAST)
    short = replace(FAST, steps=1, lr=1e-9, head_lr=1e-9)
    again = train([Part("stories", stories(60))], replace(onward, markers=""), short, out=tmp_path / "again")
    assert json.loads((tmp_path / "again" / FILE).read_text())["markers"] == "solid"
    assert again.scores["stories"]["temporal"]["f1"] == pytest.approx(made.scores["stories"]["temporal"]["f1"])
