"""Outcomes under masks: cue sensitivity of an extractor by real edits, and a table adapter's accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

import rankwise as rw
from rankwise.causal.cue import Case
from rankwise.causal.gate_outcomes import CaseReader, cases_of, cue_outcome, edited, lead, table_outcome
from rankwise.causal.gates import experiment
from rankwise.causal.switches import shut, switches
from rankwise.core.host import attach, attached
from rankwise.errors import DataError
from rankwise.methods import SoRA
from rankwise.relations.edits import apply
from rankwise.relations.extract import Extractor
from rankwise.relations.model import heads
from rankwise.train.evaluate import evaluate, predict
from tests import learn, tiny
from tests.stories import WIDTH, stories, story
from tests.words import SIZE, Words


@dataclass(frozen=True)
class Connective:
    """1 where "before" stands between the events, 0 where "after"; `sure` of a case or not."""

    name: str = "connective"
    legitimate: bool = True
    sure: bool = True

    def value(self, case):
        return 1 if " before " in case.document.text else 0 if " after " in case.document.text else None

    def edit(self, case, value):
        if not self.sure:
            return None
        word, text = ("after", "before")[value], case.document.text
        old = "before" if " before " in text else "after"
        return replace(case, document=apply(case.document, [(text.index(old), text.index(old) + len(old), word)], ()))


@pytest.fixture(scope="module")
def extractor():
    model = learn.bert(
        torch.float64, vocab_size=SIZE, max_position_embeddings=96, hidden_size=WIDTH, intermediate_size=48
    )
    fresh = rw.new(model, SoRA(rank=2), ["query", "output.dense"], heads=heads(WIDTH), seed=0)
    return Extractor.of(model, tiny.shaken(fresh).to(torch.float64), Words(), 40)


def cases(count=6):
    return [Case(d, ("e1", "e2"), label=d.relations[0].label) for d in stories(count)]


def test_a_case_is_read_as_the_extractor_says(extractor):
    given = [*cases(5), Case(story(3), ("e3", "e1"))]
    said = CaseReader(extractor).temporal(given)
    for case, found in zip(given, said, strict=True):
        (expected,) = extractor.ask([(case.document, [case.pair])])
        np.testing.assert_allclose(found, expected[case.pair].temporal, atol=1e-12)
    np.testing.assert_array_equal(CaseReader(extractor)(given), said[:, 0])


def test_the_same_text_is_asked_once(extractor):
    reader = CaseReader(extractor)
    one = reader([*cases(2), *cases(2)])
    assert len(reader._rows) == 2
    np.testing.assert_array_equal(one[:2], one[2:])


def test_sensitivity_is_the_difference_of_two_real_texts(extractor):
    reader, given = CaseReader(extractor), cases()
    outcome = cue_outcome(reader, given, [Connective()])
    found = outcome.run()
    on, off = ([Connective().edit(c, v) for c in given] for v in (1, 0))
    assert {c.document.text.split()[2] for c in on} == {"before"}
    np.testing.assert_allclose(found["connective"], reader(on) - reader(off), atol=1e-12)
    said = reader.temporal(given)
    gold = [0 if c.label == "BEFORE" else 1 for c in given]
    np.testing.assert_array_equal(found["accuracy"], said.argmax(1) == gold)
    np.testing.assert_allclose(found["log-likelihood"], [np.log(said[k, g]) for k, g in enumerate(gold)])
    assert outcome.clusters["connective"] == [f"s{k}" for k in range(6)]
    assert outcome.notes == ()


def test_masks_reach_the_text(extractor):
    outcome = cue_outcome(CaseReader(extractor), cases(), [Connective()])
    whole = outcome.run()["connective"]
    with shut(extractor.model, switches(extractor.model)):
        base = outcome.run()["connective"]
    assert np.abs(whole - base).max() > 1e-3
    found = experiment(extractor.model, outcome, switches(extractor.model, "layer"))
    by_name = {m.outcome: m for m in found.measured}
    assert by_name["connective"].open == pytest.approx(whole.mean())
    assert by_name["connective"].shut == pytest.approx(base.mean())
    assert sum(e.shapley for e in by_name["connective"].effects) == pytest.approx(whole.mean() - base.mean())


def test_an_answer_is_right_where_it_leads(extractor):
    outcome = cue_outcome(CaseReader(extractor), cases(), [Connective()])
    found = outcome.run()
    ahead = found[outcome.margins["accuracy"]]
    assert ((ahead > 0) == (found["accuracy"] == 1)).all()
    by_hand = lead(np.log([[0.5, 0.3, 0.1, 0.1], [0.5, 0.3, 0.1, 0.1]]), np.array([0, 1]))
    np.testing.assert_allclose(by_hand, [np.log(5 / 3), np.log(3 / 5)])


def test_any_reader_will_do_and_unsure_cases_are_counted():
    reader = lambda given: np.array([0.9 if " before " in c.document.text else 0.2 for c in given])  # noqa: E731
    doubt = Connective("doubtful", sure=False)
    outcome = cue_outcome(reader, cases(), [Connective(), doubt])
    np.testing.assert_allclose(outcome.run()["connective"], 0.7)
    assert set(outcome.legend) == {"connective"}  # no labels are scored by a bare reader
    assert outcome.notes == ("doubtful: 6 of 6 pairs skipped, no certain edit.",)
    assert edited(cases(), doubt).looked == 6
    few = edited(cases(), Connective(), 2)
    assert (len(few.on), len(few.off), few.looked) == (2, 2, 2)
    with pytest.raises(DataError, match=r"none of 6 pairs of events has a cue"):
        cue_outcome(reader, cases(), [doubt])


def test_labelled_pairs_are_cases_and_else_those_in_reach():
    labelled, bare = story(0), replace(story(1), relations=())
    assert [(c.document.id, c.pair, c.label) for c in cases_of([labelled])] == [("s0", ("e1", "e2"), "BEFORE")]
    assert {c.pair for c in cases_of([bare])} == {("e1", "e2"), ("e1", "e3"), ("e2", "e3")}
    some = cases_of(stories(9), most=4, seed=1)
    assert len(some) == 4
    assert some == cases_of(stories(9), seed=1)[:4] != cases_of(stories(9), seed=2)[:4]


@pytest.mark.parametrize("kind", ["single", "multi", "regression"])
def test_a_table_adapters_accuracy_is_that_of_evaluate(kind):
    model, task = learn.bert(), learn.task(kind)
    made = rw.new(model, SoRA(rank=2), ["query", "value"], heads=task.heads, seed=0)
    adapter = tiny.shaken(made).to(torch.float64)
    rows = task.train
    with attached(model, adapter):
        outcome = table_outcome(model, task, rows)
        found = outcome.run()
    scores = evaluate(model, adapter, task, rows, ci=False)
    assert -found["log-likelihood"].mean() == pytest.approx(scores.loss)
    assert ("accuracy" in outcome.legend) == (kind != "regression")
    assert outcome.margins == ({} if kind == "regression" else {"accuracy": "lead of the right answer"})
    if kind != "regression":
        assert ((found["lead of the right answer"] > 0) == (found["accuracy"] == 1)).all()
        assert kind == "multi" or 0 < found["accuracy"].mean() < 1  # both signs are there
    if kind == "single":
        assert scores.metric == "accuracy"
        assert found["accuracy"].mean() == pytest.approx(scores.value)


def test_a_row_of_several_labels_leads_by_the_one_least_sure():
    model, task = learn.bert(), learn.task("multi")
    adapter = rw.new(model, SoRA(rank=2), ["query"], heads=task.heads, seed=0)
    with attached(model, adapter):
        said = predict(model, None, task, task.train)
        answers = [[int(v) for v in task.answers(a[None])[0]] for a in said]
        rows = [replace(row, label=a) for row, a in zip(task.train, answers, strict=True)]
        rows[0] = replace(rows[0], label=[1 - answers[0][0], *answers[0][1:]])  # one of its labels is wrong
        found = table_outcome(model, task, rows).run()
    assert list(found["accuracy"]) == [0.0, *[1.0] * (len(rows) - 1)]
    ahead = found["lead of the right answer"]
    assert ahead[0] == pytest.approx(-abs(float(said[0][0])))
    assert ahead[1] == pytest.approx(float(said[1].abs().min()))


def test_rows_that_cannot_be_scored_are_refused():
    model, task = learn.bert(), learn.task("single")
    attach(model, rw.new(model, SoRA(rank=2), ["query"], heads=task.heads, seed=0))
    with pytest.raises(DataError, match="no labelled rows"):
        table_outcome(model, task, [replace(r, label=None) for r in task.train])
    with pytest.raises(DataError, match="tokens head"):
        table_outcome(model, learn.task("tokens"), learn.task("tokens").train)
