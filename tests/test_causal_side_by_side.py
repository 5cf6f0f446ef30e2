"""Two audits of the same cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rankwise.causal.audit import How, audit
from rankwise.causal.narratives import CUES, generate
from rankwise.causal.readers import LogitReader
from rankwise.causal.side_by_side import side_by_side
from rankwise.errors import DataError

CASES = generate(60, seed=2, lacking={"tense": 0.3})
PLAIN = How(refuters=(), sensitive=False)


def of(order: float, cases=CASES):
    return audit(cases, LogitReader({"connective": 2.0, "order": order}, noise=0.5), CUES[:3], how=PLAIN)


def test_changes_are_paired_by_case():
    first, second = of(2.0), of(0.0)
    found = {b.name: b for b in side_by_side(first, second)}
    change = found["order"].change
    assert change.value == pytest.approx(-first["order"].effect.value)
    assert change.n == 60
    assert found["tense"].change.value == 0
    assert found["tense"].change.n == len(first["tense"].where) < 60
    apart = second["connective"].effect.value - first["connective"].effect.value
    assert found["connective"].change.value == pytest.approx(apart)


def test_only_cases_that_both_edited_count():
    first, second = of(2.0), of(0.0)
    cue = second["order"]
    fewer = replace(cue, where=cue.where[10:], effects=np.arange(50.0))
    second = replace(second, cues=(fewer,))
    (found,) = side_by_side(first, second)
    assert found.change.n == 50
    assert found.change.value == pytest.approx(24.5 - first["order"].effects[10:].mean())


def test_other_cases_are_refused():
    with pytest.raises(DataError, match="not the same"):
        side_by_side(of(1.0), of(1.0, CASES[:50]))
