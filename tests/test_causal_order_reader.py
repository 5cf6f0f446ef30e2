"""From four probabilities to the order."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal.order_reader import order


def test_only_before_and_after_count():
    said = np.array([[0.3, 0.1, 0.6, 0.0], [0.1, 0.3, 0.0, 0.6]])
    assert order(said).tolist() == pytest.approx([0.75, 0.25])


def test_nothing_said_of_the_order_is_a_half():
    assert order(np.array([[0.0, 0.0, 0.4, 0.6]])).tolist() == [0.5]
