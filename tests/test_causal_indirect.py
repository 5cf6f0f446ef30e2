"""Instruments and front doors, by hand and on worlds with a known effect."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal.indirect import front_door, instrument
from rankwise.errors import DataError

NONE = np.empty((4, 0))


def hidden(n, seed, strength=1.0):
    """u confounds, z is an instrument that w moves, w also causes y; the effect is 2."""
    rng = np.random.default_rng(seed)
    u, w, e = rng.normal(size=(3, n))
    z = rng.normal(size=n) + w
    t = (strength * z + u + rng.normal(size=n) > 0).astype(float)
    return 2 * t + 2 * u + w + e, t, z[:, None], w[:, None]


def test_one_binary_instrument_is_walds_ratio():
    # y: 4 and 2 where z = 1, 1 and 1 where z = 0: difference 2; t: 1 against .5: .5; ratio 4
    y, t, z = np.array([4.0, 2, 1, 1]), np.array([1.0, 1, 1, 0]), np.array([[1.0], [1], [0], [0]])
    assert instrument(y, t, z, NONE).ate == pytest.approx(4.0, abs=1e-12)


def test_what_must_be_held_fixed_is_and_leaving_it_out_shows():
    y, t, z, w = hidden(20_000, 0)
    right, wrong = instrument(y, t, z, w), instrument(y, t, z, w[:, :0])
    assert abs(right.ate - 2) < 3 * right.se < 0.5
    assert abs(wrong.ate - 2) > 5 * wrong.se
    assert right.strength > 100


def test_a_weak_instrument_is_called_weak():
    y, t, z, w = hidden(300, 1, strength=0.02)
    found = instrument(y, t, z, w)
    assert found.strength < 10
    assert "weak" in found.sentence
    assert "weak" not in instrument(*hidden(3000, 1)).sentence


def test_intervals_of_an_instrument_cover():
    hits = 0
    for seed in range(100):
        found = instrument(*hidden(800, seed))
        hits += abs(found.ate - 2) <= 1.96 * found.se
    assert 88 <= hits <= 100


def test_an_instrument_that_moves_nothing_is_refused():
    y = np.arange(4.0)
    with pytest.raises(DataError, match="does not move the treatment"):
        instrument(y, np.array([1.0, 0, 1, 0]), np.ones((4, 1)), NONE)


def doors(n, seed):
    """u confounds; the effect of 1.5 * 2 - 1 * .5 = 2.5 goes through two doors; w moves the treatment and a door."""
    rng = np.random.default_rng(seed)
    u, w, e1, e2, e3 = rng.normal(size=(5, n))
    t = (u + w + rng.normal(size=n) > 0).astype(float)
    m = np.column_stack([1.5 * t + w + e1, -t + e2])
    return 2 * m[:, 0] + 0.5 * m[:, 1] + 2 * u + e3, t, m, w[:, None]


def test_a_front_door_gives_the_effect_that_a_difference_does_not():
    y, t, m, w = doors(20_000, 0)
    found = front_door(y, t, m, w)
    assert abs(found.ate - 2.5) < 3 * found.se < 0.5
    assert y[t == 1].mean() - y[t == 0].mean() > 3.5


def test_intervals_of_a_front_door_cover():
    hits = 0
    for seed in range(100):
        found = front_door(*doors(400, seed))
        hits += abs(found.ate - 2.5) <= 1.96 * found.se
    assert 88 <= hits <= 100


def test_a_front_door_without_noise_is_exact():
    t = np.tile([0.0, 1.0], 20)
    m = 3 * t + np.repeat(np.linspace(-1, 1, 20), 2)
    found = front_door(2 * m + 5 * t, t, m[:, None], np.empty((40, 0)))
    assert found.ate == pytest.approx(6.0, abs=1e-9)
