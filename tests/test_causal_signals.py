"""Causal signals: who caused what is read only where nothing stands between, and turned round with the rest held."""

from __future__ import annotations

import pytest

from rankwise.causal.signals import change, look
from tests.test_causal_connectives import case


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("They [left] because she [came].", 0),
        ("They [left], so she [came].", 1),
        ("They [left] because of the [storm].", 0),
        ("Because it [rained], they [left].", 1),
        ("The [storm] led to the [closure].", 1),
        ("The [closure] resulted from the [storm].", 0),
        ("The [closure] was caused by the [storm].", 0),
        ("It [rained]. As a result, they [left].", 1),
        ("They [left]. This was because it [rained].", 0),
        ("They [left] and it [rained].", None),
        ("They did not [leave] because it [rained].", None),
        ("They [said] that he left because it [rained].", None),
        ("They [left], so that it [rained].", None),
        ("The [storm] could have caused the [closure].", None),
        ("It [rained] and snowed. As a result, they [left].", None),
        ("They [left] because it [rained] because it snowed.", None),
        ("They [left] because of the money [spent] on it.", None),
        ("They [left] because she only has one and he [said] so.", None),
        ("They [left], so [going] back is good.", None),
    ],
)
def test_a_signal_joins_two_events_or_says_nothing(text: str, value: int | None) -> None:
    assert look(case(text)) == value
    assert look(case(text, ("e2", "e1"))) == (None if value is None else 1 - value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They [left] because she [came].", "They left, so she came."),
        ("They [left], because she [came].", "They left, so she came."),
        ("They [left] , so she [came] .", "They left because she came ."),
        ("The [storm] led to the [closure].", "The storm resulted from the closure."),
        ("The [closure] was caused by the [storm].", "The closure led to the storm."),
        ("It [rained]. As a result, they [left].", "It rained. This was because they left."),
        ("They [left]. This was because it [rained].", "They left. As a result, it rained."),
        ("They [left] because of the [storm].", "signal without its opposite"),
        ("Because it [rained], they [left].", "signal in front of both clauses"),
        ("They [left] partly because she [came].", "signal with an adverb"),
        ("It [rained]. As a result, American teams [left].", "first word may be a name"),
        ("They [left] and she [came].", "no signal"),
    ],
)
def test_a_signal_is_turned_round_or_the_reason_is_said(text: str, expected: str) -> None:
    given = case(text)
    value = look(given) or 0
    made = change(given, 1 - value)
    assert (made if isinstance(made, str) else made.document.text) == expected
    if not isinstance(made, str):
        assert look(made) == 1 - value
        assert [made.document.surface(e) for e in ("e1", "e2")] == [given.document.surface(e) for e in ("e1", "e2")]
