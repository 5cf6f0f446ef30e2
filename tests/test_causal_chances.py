"""Draws from fitted edges and lags."""

from __future__ import annotations

import pytest

from rankwise.causal.chances import chances
from rankwise.causal.lag_graph import Edge, Share, Spread
from rankwise.causal.maxplus import DAY, Within
from rankwise.causal.what_if import Cause, Change, Model, what_if


def day(x):
    return Within(round(x * DAY), round(x * DAY))


def model(why="the graph, 0.60", plan=9.0, scale=1.0):
    fitted = Edge("a", "b", Share(0.6, 0.5, 0.7, 60, 100), Spread("normal", 3.0, scale, 3.0, 2.9, 3.1, 60))
    cause = Cause("a", "b", fitted.within, why, "fitted", fitted)
    plans = {} if plan is None else {"b": day(plan)}
    return Model({"a": day(5), "b": day(9)}, (cause, Cause("b", "c", day(1))), plans) if plan else None


def with_c(m):
    return Model({**m.times, "c": Within()}, m.causes, m.plans)


def test_an_event_moves_as_often_as_its_edge_is_there_and_its_lag_long_enough():
    # a 2 d later arrives at 7 + lag, after the plan of 9 where lag > 2: P = .841; edge there in .6: .505
    answer = what_if(with_c(model()), [Change("a", by=day(2))])
    b, c = chances(answer, seed=3)
    assert b.moves == pytest.approx(0.6 * 0.8413, abs=0.02)
    assert (b.low, b.high) == pytest.approx((0, 2), abs=1e-9)
    assert (c.event, c.moves, c.mean) == ("c", b.moves, pytest.approx(b.mean))  # c has nothing but b
    assert chances(answer, seed=3) == (b, c)
    assert chances(answer, seed=4) != (b, c)


def test_an_edge_that_this_timeline_marks_is_there_in_every_draw():
    answer = what_if(with_c(model(why="the timeline")), [Change("a", by=day(2))])
    assert chances(answer)[0].moves == pytest.approx(0.8413, abs=0.02)


def test_without_anything_fitted_there_is_no_chance_to_say():
    stated = Model({"a": day(5), "b": day(9)}, (Cause("a", "b", day(3)),))
    assert chances(what_if(stated, [Change("a", by=day(2))])) == ()


def test_events_without_a_time_are_left_out():
    m = with_c(model())
    unknown = Model({**m.times, "a": Within()}, m.causes, m.plans)
    assert chances(what_if(unknown, [Change("a", by=day(2))])) == ()
