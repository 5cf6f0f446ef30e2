"""The logic losses against numbers worked out by hand, and a model that keeps to the logic pays nothing."""

from __future__ import annotations

import math

import pytest
import torch

from rankwise.relations.composition import COMPOSITION
from rankwise.relations.losses import conjunction, converse, no_effect_first, symmetry
from rankwise.relations.schema import CAUSAL, TEMPORAL


def logs(*rows):
    return torch.tensor(rows, dtype=torch.float64).log()


def sure(label, labels=TEMPORAL, p=1 - 1e-9):
    rest = (1 - p) / (len(labels) - 1)
    return logs([p if one == label else rest for one in labels])


def test_the_converse_swaps_before_and_after_and_leaves_the_rest():
    assert converse(torch.tensor([[1, 2, 3, 4]]), TEMPORAL).tolist() == [[2, 1, 3, 4]]
    assert converse(torch.tensor([[1, 2, 3]]), CAUSAL).tolist() == [[1, 3, 2]]


def test_symmetry_is_the_sum_of_the_differences_of_log_probabilities():
    one, other = logs([0.5, 0.2, 0.2, 0.1]), logs([0.2, 0.25, 0.2, 0.35])
    # BEFORE .5 against the other's AFTER .25: log 2; AFTER .2 against BEFORE .2: 0; EQUAL 0; VAGUE log 3.5
    assert float(symmetry(one, other)) == pytest.approx(math.log(2) + math.log(3.5), rel=1e-12)
    assert float(symmetry(one, converse(one, TEMPORAL))) == 0


def test_before_and_before_make_before_and_forbid_the_rest():
    """p(BEFORE) = 1 for both, the third says AFTER with .7, BEFORE .1, EQUAL .1, VAGUE .1.

    BEFORE must be 1: -log .1. Forbidden: AFTER -log(1 - .7), EQUAL and VAGUE -log(1 - .1) each.
    """
    third = logs([0.1, 0.7, 0.1, 0.1])
    want = -math.log(0.1) - math.log(0.3) - 2 * math.log(0.9)
    assert float(conjunction(sure("BEFORE"), sure("BEFORE"), third)) == pytest.approx(want, abs=1e-5)


def test_before_and_vague_forbid_after_and_equal_alone():
    third = logs([0.4, 0.3, 0.2, 0.1])
    want = -math.log(0.7) - math.log(0.8)
    assert float(conjunction(sure("BEFORE"), sure("VAGUE"), third)) == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize(("first", "second"), list(COMPOSITION))
def test_a_triple_that_keeps_to_the_table_costs_nothing_and_one_that_breaks_it_does(first, second):
    for third in TEMPORAL:
        cost = float(conjunction(sure(first), sure(second), sure(third)))
        if third in COMPOSITION[first, second]:
            assert cost == pytest.approx(0, abs=1e-5)
        else:
            assert cost > 5


def test_the_mean_is_over_triples():
    good, bad = sure("BEFORE"), sure("AFTER")
    both = conjunction(torch.cat([good, good]), torch.cat([good, good]), torch.cat([good, bad]))
    assert float(both) == pytest.approx(float(conjunction(good, good, bad)) / 2, rel=1e-6)


def test_a_cause_that_comes_after_its_effect_costs_by_hand():
    temporal, causal = logs([0.1, 0.8, 0.05, 0.05]), logs([0.2, 0.5, 0.3])
    # log .5 - log(1 - .8) = log 2.5; CAUSED_BY: log .3 - log(1 - .1) < 0
    assert float(no_effect_first(temporal, causal)) == pytest.approx(math.log(2.5), rel=1e-9)
    assert float(no_effect_first(sure("BEFORE"), sure("CAUSES", CAUSAL))) == pytest.approx(0, abs=1e-6)
    assert float(no_effect_first(sure("BEFORE"), sure("CAUSED_BY", CAUSAL))) > 5


def test_certainty_stays_finite_and_has_a_gradient():
    ij, jk, ik = (torch.tensor([[30.0, -30, -30, -30]], requires_grad=True) for _ in range(3))
    wrong = torch.tensor([[-30.0, 30, -30, -30]], requires_grad=True)
    cost = conjunction(ij.log_softmax(-1), jk.log_softmax(-1), wrong.log_softmax(-1))
    cost.backward()
    assert math.isfinite(cost.item())
    assert torch.isfinite(wrong.grad).all()
    assert float(wrong.grad.abs().sum()) > 0
    assert conjunction(*(x.detach().log_softmax(-1) for x in (ij, jk, ik))).item() == pytest.approx(0, abs=1e-4)
