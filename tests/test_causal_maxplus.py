"""Bounds through max-plus: against numbers worked out by hand, and against every corner tried."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.maxplus import Arrival, Within, latest, moved, room
from rankwise.errors import DataError

SMALL = st.integers(-4, 4)


@st.composite
def withins(draw):
    low = draw(SMALL)
    return Within(low, low + draw(st.integers(0, 3)))


def points(w):
    return range(int(w.low), int(w.high) + 1)


def test_a_later_other_hides_a_move():
    # plan at 10, cause at 7: two earlier moves nothing, two later neither, four later moves by 1
    plan = Arrival.of(Within(10, 10))
    for by, moves in ((-2, 0), (2, 0), (4, 1)):
        assert moved([plan, Arrival.of(Within(7, 7), Within(by, by))]) == Within(moves, moves)


def test_a_cause_without_a_time_moves_its_effect_by_at_most_its_own_move():
    free = Arrival.of(Within(), Within(-2, -2))
    assert moved([free]) == Within(-2, -2)  # nothing else to wait for: all of it, whenever it was
    assert moved([free, Arrival.of(Within(10, 10))]) == Within(-2, 0)


def test_bounds_that_hold_nothing_are_refused():
    with pytest.raises(DataError, match="from 3 to 2 seconds hold nothing"):
        Within(3, 2)


@given(st.lists(st.tuples(withins(), withins()), min_size=1, max_size=3))
def test_moves_by_known_differences_are_bounded_tightly(many):
    """Befores and differences free: the bounds are the least and the greatest over every whole-number choice."""
    found = moved([Arrival.of(x, by=d) for x, d in many])
    choices = itertools.product(*([(x, d) for x in points(a) for d in points(b)] for a, b in many))
    true = [max(x + d for x, d in c) - max(x for x, _ in c) for c in choices]
    assert (found.low, found.high) == (min(true), max(true))


@given(st.lists(st.tuples(withins(), withins()), min_size=1, max_size=3))
def test_moves_to_a_known_time_are_bounded_tightly(many):
    """Befores and afters free of each other: what is known of an event that is set to a date."""
    found = moved([Arrival(x, y, y - x) for x, y in many])
    choices = itertools.product(*([(x, y) for x in points(a) for y in points(b)] for a, b in many))
    true = [max(y for _, y in c) - max(x for x, _ in c) for c in choices]
    assert (found.low, found.high) == (min(true), max(true))


@given(withins(), st.lists(withins(), min_size=1, max_size=3))
def test_room_is_bounded_tightly(one, others):
    found = room(one, others)
    true = [max(0, max(rest) - x) for x in points(one) for rest in itertools.product(*map(points, others))]
    assert (found.low, found.high) == (min(true), max(true))


def test_nothing_to_wait_for_leaves_no_room():
    assert room(Within(1, 1), []) is None
    assert latest([Within(1, 5), Within(2, 3)]) == Within(2, 5)


def test_unknown_ends_never_become_nan():
    unknown = Within()
    for w in (unknown + unknown, unknown - unknown, moved([Arrival(unknown, unknown, unknown)] * 2)):
        assert not math.isnan(w.low)
        assert not math.isnan(w.high)
