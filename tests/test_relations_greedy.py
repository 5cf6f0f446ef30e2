"""Deciding pairs one by one never ends without a label, and what is left can always be chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.relations.greedy import Domains, Impossible, assign
from tests.reference import temporal


def test_a_decision_narrows_the_others():
    d = Domains(3)
    d.restrict(0, 1, 0b0001)
    d.restrict(1, 2, 0b0101)  # BEFORE or EQUAL
    assert (d.mask[0, 2], d.mask[2, 0]) == (0b0001, 0b0010)
    with pytest.raises(Impossible):
        d.restrict(2, 0, 0b1001)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_every_label_left_to_a_pair_can_be_chosen_and_no_other(seed):
    g = np.random.default_rng(seed)
    pairs, _ = temporal.consistent(5)
    d, chosen = Domains(5), {}
    for p in g.permutation(len(pairs)):
        i, j = pairs[p]
        every = temporal.possible(5, chosen)
        assert {int(x) for x in every[:, p]} == {x for x in range(4) if d.mask[i, j] >> x & 1}
        label = int(g.choice(every[:, p]))
        chosen[pairs[p]] = label
        d.restrict(i, j, 1 << label)


def test_the_surest_pair_decides_first_and_a_hint_goes_before_it():
    i, j = np.array([0, 1, 0]), np.array([1, 2, 2])
    gain = np.log([[0.9, 0.05, 0.03, 0.02], [0.6, 0.3, 0.05, 0.05], [0.1, 0.8, 0.05, 0.05]])
    assert assign(Domains(3), i, j, gain).tolist() == [0, 1, 1]  # 0 < 1 and 0 > 2, so 1 > 2
    hint = np.eye(4)[[0, 0, 0]]
    assert assign(Domains(3), i, j, gain, hint).tolist() == [0, 0, 0]
