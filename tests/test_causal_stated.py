"""What a person states, and the names of events."""

from __future__ import annotations

import pytest

from rankwise.causal.durations import date
from rankwise.causal.lag_graph import Edge, LagGraph, Share, Spread
from rankwise.causal.maxplus import DAY, Within
from rankwise.causal.stated import Events, Stated, changes_of, model_of
from rankwise.causal.what_if import Change, LagsNeeded, what_if
from rankwise.errors import DataError, UnknownName
from rankwise.relations.schema import Relation
from rankwise.relations.timeline import Link
from tests.timelines import on, timeline

DEAL = timeline(
    {"Merger": on("04-05"), "trial": on("05-01"), "launch": None, "said": None, "said*": None, "lag": None},
    causes=("Merger>trial", "trial>launch"),
    order=("launch>trial",),
)


def days(n, until=None):
    return Within(n * DAY, (n if until is None else until) * DAY)


def test_events_are_found_by_id_or_word_and_the_nearest_is_named():
    events = Events(DEAL)
    assert [events.find(x) for x in ("e1", "merger", " MERGER ", "e4")] == ["e1", "e1", "e1", "e4"]
    with pytest.raises(UnknownName, match=r"no event 'mergr' on this timeline of 6 events\.\n  Nearest: merger"):
        events.find("mergr")
    with pytest.raises(UnknownName, match=r"'said' is the word of 2 events\.\n  e4: \.\.\..*\[said\]"):
        events.find("said")
    assert events.names["e4"] == "said (e4)"
    assert (events.flags["e1"], events.flags["e4"], events.flags["e6"]) == ("merger", "e4", "e6")  # --lag is an option


def test_an_id_wins_over_a_word_that_looks_like_one():
    events = Events(timeline({"e2": None, "trial": None}))
    assert events.find("e2") == "e2"
    assert events.names == {"e1": "e2 (e1)", "e2": "trial"}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("merger -2d", Change("e1", by=days(-2))),
        ("merger=+1w", Change("e1", by=days(7))),
        ("e1 - 2 days", Change("e1", by=days(-2))),
        ("merger -P1M", Change("e1", by=days(-31, -28))),
        ("trial=2020-05-03", Change("e2", to=date("2020-05-03"))),
        ("trial 2020-05-03T12:00", Change("e2", to=date("2020-05-03T12:00"))),
    ],
)
def test_changes_are_read(text, change):
    assert changes_of(DEAL, [text]) == [change]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("merger 2d", "no sign.\n  Write \\+2d for later or -2d for earlier"),
        ("merger", "cannot be read"),
        ("merger=", "cannot be read"),
        ("merger=soon", "'soon' is no date"),
        ("merger -2moons", "'moons' is no unit"),
        ("fusion -2d", "no event 'fusion'"),
    ],
)
def test_changes_that_say_nothing_are_refused(text, says):
    with pytest.raises((DataError, UnknownName), match=says):
        changes_of(DEAL, [text])


def test_causes_come_from_the_timeline_and_from_what_is_stated():
    plain = model_of(DEAL)
    assert [(c.source, c.target, c.why) for c in plain.causes] == [
        ("e1", "e2", "the timeline"),
        ("e2", "e3", "the timeline"),
    ]
    assert plain.after == {("e3", "e2")}
    said = Stated(
        causes=("launch>said",), not_causes=("merger>trial",), lags=("e2>launch=2d..3d",), plans=("trial=2020-05-01",)
    )
    with pytest.raises(UnknownName, match="'said' is the word of 2"):
        model_of(DEAL, said)
    model = model_of(DEAL, Stated(("launch>e4",), said.not_causes, said.lags, said.plans, ("launch=2020-06-01",)))
    assert [(c.source, c.target, c.lag, c.why) for c in model.causes] == [
        ("e2", "e3", days(2, 3), "the timeline"),
        ("e3", "e4", None, "stated"),
    ]
    assert model.plans == {"e2": date("2020-05-01")}
    assert model.times["e3"] == date("2020-06-01")
    assert not model.times["e4"].known


def test_by_day_a_date_is_the_beginning_of_its_day():
    model = model_of(DEAL, Stated(plans=("trial=2020-05-01",), by_day=True))
    assert model.times["e1"].exact
    assert model.times["e2"] == model.plans["e2"]
    assert model_of(DEAL).times["e1"].high - model.times["e1"].low == DAY


def test_the_models_own_word_is_told_from_an_annotation():
    guessed = timeline({"a": None, "b": None}, causes=("a>b",), origin="model")
    assert model_of(guessed).causes[0].why == "the extractor, with probability 0.81"
    turned = Link(Relation("e2", "e1", "CAUSED_BY", "causal"))
    assert [(c.source, c.target) for c in model_of(timeline_with(turned)).causes] == [("e1", "e2")]


def timeline_with(link):
    made = timeline({"a": None, "b": None})
    return type(made)(made.document, (link,))


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (Stated(lags=("trial>merger=2d",)), 'nothing marks trial as a cause of merger.\n.*--cause "trial>merger"'),
        (Stated(lags=("merger>trial=-2d",)), "a lag is not below 0"),
        (Stated(lags=("merger>trial",)), "--lag 'merger>trial' cannot be read"),
        (Stated(lags=("merger>trial=2d", "e1>e2=3d")), "stated twice"),
        (Stated(lags=("merger=2d",)), "names no edge"),
        (Stated(causes=("merger>merger",)), "does not cause itself"),
        (Stated(not_causes=("trial>merger",)), "nothing marks trial as a cause of merger"),
        (Stated(plans=("trial=2020-05-01", "e2=2020-05-02")), "trial has one already"),
        (Stated(plans=("trial=soon",)), "'soon' is no date"),
    ],
)
def test_what_cannot_be_stated_is_refused(said, says):
    with pytest.raises(DataError, match=says):
        model_of(DEAL, said)


def test_a_fitted_graph_lends_lags_and_its_probable_edges():
    spread = Spread("normal", 20.0, 1.0, 20.0, 19.8, 20.2, 90)
    graph = LagGraph(
        (
            Edge("merger", "trial", Share(0.2, 0.1, 0.3, 20, 100), spread),
            Edge("merger", "launch", Share(0.7, 0.6, 0.8, 70, 100), spread),
            Edge("launch", "lag", Share(0.4, 0.3, 0.5, 40, 100), spread),
            Edge("trial", "launch", None, None, "3 timelines date both, fewer than 8"),
            Edge("said", "trial", None, days(1)),
            Edge("other", "trial", None, days(1)),
        ),
        100,
    )
    model = model_of(DEAL, Stated(graph=graph))
    found = {(c.source, c.target): c for c in model.causes}
    assert set(found) == {("e1", "e2"), ("e2", "e3"), ("e1", "e3")}  # launch > lag has .4
    assert found["e1", "e2"].lag == spread.within  # marked by the timeline itself, so its own share does not matter
    assert found["e1", "e3"].why == "the graph, 0.70 [0.60, 0.80] of 100 timelines"
    assert found["e1", "e2"].lag_why == "the middle 90 % of 90 timelines"
    assert model.notes == ("The graph's said > trial is left aside: said is the word of several events.",)
    with pytest.raises(LagsNeeded, match=r'trial > launch  --lag "trial>launch=\.\.\."'):
        what_if(model, [Change("e1", by=days(1))])
    assert len(model_of(DEAL, Stated(graph=graph, sure=0.4)).causes) == 4
    own = model_of(DEAL, Stated(graph=graph, lags=("merger>trial=3d",)))
    assert {(c.source, c.target): c.lag for c in own.causes}["e1", "e2"] == days(3)
