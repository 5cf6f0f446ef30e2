"""Answers in sentences, and the report."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rankwise.causal.ask import ask
from rankwise.causal.maxplus import DAY, Within
from rankwise.causal.report import to_html, to_markdown
from rankwise.causal.stated import Stated
from rankwise.causal.what_if import Cause, Change, Model, Outcome, what_if
from rankwise.causal.what_if_report import conditions, data, report, sentence
from rankwise.relations.schema import Relation
from rankwise.relations.timeline import Link
from tests.timelines import on, timeline


def days(n, until=None):
    return Within(round(n * DAY), round((n if until is None else until) * DAY))


def test_one_sentence_for_each_outcome():
    said = [
        sentence(Outcome("b", "trial", False, days(3), days(3) + shift, shift, slack=days(1.3), slack_after=days(3.3)))
        for shift in (days(0), days(-2), days(1, 2), days(-2, 0), days(0, 1), days(-2, 1), Within())
    ]
    assert said == [
        "trial keeps its time: slack 1.3 d (3.3 d after the change)",
        "trial begins 2 d earlier, 0001-01-02 instead of 0001-01-04",
        "trial begins 1 d to 2 d later, on 0001-01-05 instead of 0001-01-04",
        "trial begins earlier or keeps its time (up to 2 d earlier), 0001-01-02 to 0001-01-04 instead of 0001-01-04",
        "trial begins later or keeps its time (up to 1 d later), on 0001-01-04 instead of 0001-01-04",
        "trial: it cannot be told whether it keeps its time (between 2 d earlier and 1 d later),"
        " 0001-01-02 to 0001-01-05 instead of 0001-01-04",
        "trial: it cannot be told whether it keeps its time (by how much is not known)",
    ]
    free = Outcome("b", "trial", False, Within(), Within(), Within(0, math.inf))
    assert sentence(free) == "trial begins later or keeps its time (by how much is not known)"
    early = Outcome("b", "trial", False, Within(), Within(), Within(-math.inf, 0))
    assert sentence(early) == "trial begins earlier or keeps its time (by how much is not known)"
    for ends, words in (((-2 * DAY, math.inf), "at most 2 d earlier"), ((-math.inf, DAY), "at most 1 d later")):
        assert f"({words})" in sentence(Outcome("b", "trial", False, Within(), Within(), Within(*ends)))
    assert sentence(Outcome("a", "merger", True, Within(), days(1), Within())) == "merger is set: 0001-01-02"


def answer():
    model = Model(
        {"a": days(5), "b": days(9.3), "c": days(12)},
        (Cause("a", "b", days(3)), Cause("b", "c", days(2), why="the extractor, with probability 0.81")),
        {"b": days(9.3)},
        {"a": "merger", "b": "trial", "c": "launch"},
    )
    return what_if(model, [Change("a", by=days(-2))])


def test_what_must_hold_is_said():
    said = conditions(answer())
    assert said == [
        "merger causes trial (who says so: stated), with a lag of 3 d (who says so: stated).",
        "trial causes launch (who says so: the extractor, with probability 0.81), with a lag of 2 d"
        " (who says so: stated).",
        "trial does not begin before its plan (0001-01-10 07:12), which does not change.",
        "trial keeps its time as long as the lag from merger is at most 4.3 d.",
        "launch has no plan that holds it: it begins as soon as its causes let it.",
        "What else held up launch (16.8 h) would have held it up all the same.",
        "Nothing but the causes named here carries the change, and no cause of these events is missing.",
    ]


def test_order_alone_carries_nothing_and_the_report_says_so():
    made = ask(timeline({"merger": on("04-05"), "trial": on("05-01")}, order=("merger>trial",)), ["merger -2d"])
    assert made.sentences == ("merger is set: 2 d earlier, on 2020-04-03 instead of on 2020-04-05",)
    assert "order in time carries no change" in made.data["conditions"][0]
    assert "bounds" in made.data["conditions"][1]
    page = to_markdown(report(made.answer))
    assert "| cause | effect |" not in page  # a table without a row


def test_the_report_has_sentences_times_a_drawing_and_figures():
    page = report(answer(), source="deal.json")
    text = to_markdown(page)
    assert page.title == "What if merger had begun 2 d earlier, 0001-01-04 instead of 0001-01-06"
    assert "trial keeps its time: slack 1.3 d (3.3 d after the change)." in text
    assert "| launch | 0001-01-13 | 0001-01-13 | at its own time | 1.3 d | 3.3 d | 0001-01-12 07:12 | 16.8 h |" in text
    assert "| cause | effect |" in text
    assert "That one event comes before another carries no change" in text.split("##")[0]
    assert "refuter" not in text  # none ran
    assert "<svg" in to_html(page)
    rows = data(answer())["outcomes"]
    assert rows[1]["slack"] == [1.3, 1.3]
    assert (rows[1]["verdict"], rows[1]["shift"]) == ("kept", [0.0, 0.0])
    assert rows[0]["counterfactual"] == ["0001-01-04T00:00:00", "0001-01-04T00:00:00"]


def test_a_month_and_an_unknown_day_give_bounds():
    deal = timeline({"merger": ("2020-04-01", "2020-05-01"), "trial": None}, causes=("merger>trial",))
    made = ask(deal, ["merger -1mo"], Stated(lags=("merger>trial=20d",)))
    assert made.sentences[1] == "trial begins 28 d to 31 d earlier"
    assert made.data["outcomes"][1]["observed"] == [None, None]
    assert made.data["outcomes"][1]["shift"] == [-31.0, -28.0]
    assert made.data["outcomes"][1]["interventional"] == ["2020-03-21T00:00:00", "2020-04-23T00:00:00"]
    assert "Nobody knows when trial began" in " ".join(made.data["conditions"])


def test_a_time_that_a_model_guessed_is_called_a_guess_until_somebody_states_it():
    deal = timeline({"merger": on("04-05"), "trial": on("05-01")}, causes=("merger>trial",))
    guess = Relation("e2", "e1", "AFTER")
    bounds = {**deal.bounds, "e2": replace(deal.bounds["e2"], after=(guess,))}
    deal = replace(deal, links=(*deal.links, Link(guess, "model")), bounds=bounds)
    lag = Stated(lags=("merger>trial=20d",))
    said = " ".join(ask(deal, ["merger -2d"], lag).data["conditions"])
    assert "The time of trial (on 2020-05-01) follows from an order that a model guessed" in said
    assert "The time of merger" not in said
    assert "--time trial=DATE" in said
    certain = ask(deal, ["merger -2d"], replace(lag, times=("trial=2020-05-01",)))
    assert "a model guessed" not in " ".join(certain.data["conditions"])


def test_a_report_is_not_written_over(tmp_path):
    deal = timeline({"merger": on("04-05")})
    ask(deal, ["merger -2d"], out=tmp_path / "r")
    with pytest.raises(FileExistsError, match="is there already"):
        ask(deal, ["merger -2d"], out=tmp_path / "r")
