"""What if: hand-worked times, slack, and rules that hold for every model."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.maxplus import DAY, ZERO, Within
from rankwise.causal.what_if import Cause, Change, LagsNeeded, Model, what_if
from rankwise.errors import DataError, UnknownName


def day(value, until=None):
    return Within(round(value * DAY), round((value if until is None else until) * DAY))


def chain(plan_b=9.3, plan_c=None):
    """a began on day 5, b on day 9.3, c on day 12: b waits 3 d for a, c 2 d for b."""
    plans = {"b": day(plan_b)} | ({} if plan_c is None else {"c": day(plan_c)})
    times = {"a": day(5), "b": day(9.3), "c": day(12), "z": day(1)}
    return Model(times, (Cause("a", "b", day(3)), Cause("b", "c", day(2))), plans)


def test_an_effect_with_a_plan_keeps_its_time_and_has_slack():
    # b waits for max(plan 9.3, 5 + 3 = 8) = 9.3, so a could be 1.3 d later; a 2 d earlier arrives at 6: 3.3 d
    b = what_if(chain(), [Change("a", by=day(-2))])["b"]
    assert (b.verdict, b.shift, b.counterfactual) == ("kept", ZERO, day(9.3))
    assert (b.slack, b.slack_after) == (day(1.3), day(3.3))
    assert b.longest == (("a", day(4.3).low),)  # up to 9.3 - 5 the plan holds b


def test_a_later_cause_uses_up_the_slack_and_pushes_on():
    # a at 8 arrives at 11, plan 9.3: b 1.7 later; c = b + 2, observed .7 after that: kept as delay
    answer = what_if(chain(), [Change("a", by=day(3))])
    assert [o.event for o in answer.outcomes] == ["a", "b", "c"]
    assert [o.shift for o in answer.outcomes] == [day(3), day(1.7), day(1.7)]
    assert answer["c"].delay == day(0.7)
    assert answer["c"].counterfactual == day(13.7)
    assert (answer["c"].modelled, answer["c"].intervened) == (day(11.3), day(13))  # without the delay
    assert answer["c"].slack == day(1.3)  # of a, through b


def test_without_a_plan_an_effect_follows_its_cause():
    model = chain()
    free = Model(model.times, model.causes, {})
    answer = what_if(free, [Change("a", to=day(3))])
    assert [o.shift for o in answer.outcomes] == [day(-2)] * 3
    assert answer["b"].delay == day(1.3)


def test_another_cause_holds_an_effect():
    # z at 1 with lag 7.5 holds b at 8.5; a arrives at 8: half a day of slack; two later: 10 - 8.5
    model = Model({"a": day(5), "z": day(1), "b": day(9)}, (Cause("a", "b", day(3)), Cause("z", "b", day(7.5))))
    answer = what_if(model, [Change("a", by=day(2))])
    assert (answer["b"].slack, answer["b"].shift, answer["b"].counterfactual) == (day(0.5), day(1.5), day(10.5))
    assert len(answer.used) == 2


def test_what_is_set_no_longer_listens_to_its_causes():
    answer = what_if(chain(), [Change("a", by=day(30)), Change("b", by=ZERO)])
    assert answer["b"].chosen
    assert answer["c"].verdict == "kept"


def test_an_event_without_a_date_can_still_be_moved():
    model = Model({"a": Within(), "b": Within()}, (Cause("a", "b", day(3)),))
    b = what_if(model, [Change("a", by=day(-2))])["b"]
    assert (b.shift, b.counterfactual, b.verdict) == (day(-2), Within(), "earlier")
    held = what_if(Model(model.times, model.causes, {"b": day(9)}), [Change("a", by=day(-2))])["b"]
    assert (held.shift, held.verdict) == (day(-2, 0), "earlier or kept")
    assert held.slack == Within(0, math.inf)


def test_a_whole_day_gives_bounds():
    # a began on day 5 (some time of it), b on day 9 with a plan for that day: 9..10 less 8..9 is 0..2 d of slack
    model = Model({"a": day(5, 6), "b": day(9, 10)}, (Cause("a", "b", day(3)),), {"b": day(9, 10)})
    earlier, later = (what_if(model, [Change("a", by=day(x))])["b"] for x in (-1, 1))
    assert (earlier.verdict, earlier.slack) == ("kept", day(0, 2))
    assert (later.shift, later.verdict) == (day(0, 1), "later or kept")


def test_setting_to_a_date_says_more_than_the_shift_does():
    # a's time is not known, but set to day 20 it reaches b at 23, 13 after the plan that held b at most then
    model = Model({"a": Within(), "b": day(10)}, (Cause("a", "b", day(3)),), {"b": day(10)})
    b = what_if(model, [Change("a", to=day(20))])["b"]
    assert b.intervened == day(23)
    assert b.shift == Within(-math.inf, 13 * DAY)


def test_missing_lags_are_listed_with_their_flags_and_not_made_up():
    model = Model(
        {"a": day(5), "b": day(9), "c": day(12), "z": day(1)},
        (Cause("a", "b"), Cause("b", "c", day(1)), Cause("z", "c")),
        names={"a": "merger (e1)", "b": "trial", "c": "launch", "z": "vote"},
        flags={"a": "e1", "b": "trial", "c": "launch", "z": "vote"},
    )
    with pytest.raises(LagsNeeded) as caught:
        what_if(model, [Change("a", by=day(-2))])
    assert caught.value.edges == (("a", "b"), ("z", "c"))
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 lags are needed that nobody stated, and none is made up."
    assert lines[1] == '  merger (e1) > trial  --lag "e1>trial=..."'
    assert lines[2] == '  vote > launch        --lag "vote>launch=..."'
    assert what_if(model, [Change("c", by=day(1))])["c"].chosen  # nothing hangs on the lags


def test_causes_in_a_circle_are_named():
    model = Model({"a": day(1), "b": day(2)}, (Cause("a", "b", day(1)), Cause("b", "a", day(1))))
    with pytest.raises(DataError, match=r"circle: (a > b > a|b > a > b)\.\n.*--not-cause"):
        what_if(model, [Change("a", by=day(1))])


def test_changes_that_cannot_be_are_refused():
    with pytest.raises(UnknownName, match="no event 'd'"):
        what_if(chain(), [Change("d", by=ZERO)])
    with pytest.raises(DataError, match="nothing is changed"):
        what_if(chain(), [])
    with pytest.raises(DataError, match="a is set twice"):
        what_if(chain(), [Change("a", by=ZERO), Change("a", to=ZERO)])


def test_what_cannot_have_been_is_said():
    model = chain()
    early = Model({**model.times, "b": day(7)}, model.causes, {}, after=frozenset({("c", "b")}))
    notes = what_if(early, [Change("a", by=day(-2))]).notes
    assert "b began 1 d or more before its plan and causes allow" in notes[0]
    assert "puts c before b, which is said to cause it" in notes[1]


DAYS = st.integers(0, 30)


@st.composite
def models(draw, exact=False):
    """Up to six events, edges from earlier ids to later ones, some plans, times as points, days or unknown."""
    n = draw(st.integers(2, 6))
    names = [f"e{i}" for i in range(n)]

    def time():
        low = draw(DAYS)
        kind = draw(st.integers(0, 0 if exact else 2))
        return (day(low), day(low, low + draw(st.integers(0, 3))), Within())[kind]

    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if draw(st.booleans())]
    causes = tuple(Cause(a, b, day(draw(st.integers(0, 9)))) for a, b in pairs)
    return Model({e: time() for e in names}, causes, {e: time() for e in names if draw(st.booleans())})


@given(models(exact=True), st.integers(0, 5))
def test_setting_an_event_to_its_own_time_changes_nothing(model, at):
    event = sorted(model.times)[at % len(model.times)]
    for change in (Change(event, to=model.times[event]), Change(event, by=ZERO)):
        for o in what_if(model, [change]).outcomes:
            assert (o.shift, o.counterfactual) == (ZERO, o.observed)


@given(models(), st.integers(0, 20))
def test_earlier_causes_never_make_effects_later(model, by):
    for o in what_if(model, [Change("e0", by=day(-by))]).outcomes:
        assert -by * DAY <= o.shift.low <= o.shift.high <= 0


@given(models(), st.integers(-9, 9), st.integers(0, 9))
def test_later_settings_never_give_earlier_effects(model, by, more):
    one, other = (what_if(model, [Change("e0", by=day(x))]) for x in (by, by + more))
    for a, b in zip(one.outcomes, other.outcomes, strict=True):
        assert a.shift.low <= b.shift.low
        assert a.shift.high <= b.shift.high


@given(models(exact=True), st.integers(0, 12))
def test_an_event_moves_just_when_its_slack_is_used_up(model, by):
    for o in what_if(model, [Change("e0", by=day(by))]).outcomes:
        assert o.chosen or o.shift.low == max(0, by * DAY - o.slack.low)


@given(models(), st.data())
def test_bounds_hold_every_true_course(model, data):
    """Points drawn within the bounds, solved directly, lie within what was answered."""
    point = {e: data.draw(st.integers(0 if w.low < 0 else int(w.low), 40 * DAY if w.high > 1e9 else int(w.high)))
             for e, w in model.times.items()}  # fmt: skip
    plans = {e: data.draw(st.integers(0 if w.low < 0 else int(w.low), 40 * DAY if w.high > 1e9 else int(w.high)))
             for e, w in model.plans.items()}  # fmt: skip
    by = data.draw(st.integers(-9, 9)) * DAY
    answer = what_if(model, [Change("e0", by=Within(by, by))])
    truth = dict(point)
    for o in answer.outcomes:
        causes = model.into(o.event)
        if o.chosen:
            truth[o.event] = point[o.event] + by
        else:
            before, after = (
                max([*([plans[o.event]] if o.event in plans else []), *(t[c.source] + c.lag.low for c in causes)])
                for t in (point, truth)
            )
            truth[o.event] = after + point[o.event] - before
        assert o.counterfactual.low <= truth[o.event] <= o.counterfactual.high
        assert o.shift.low <= truth[o.event] - point[o.event] <= o.shift.high
