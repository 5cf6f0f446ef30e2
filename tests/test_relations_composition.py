"""The table of temporal composition says what the rules say, from every side."""

from __future__ import annotations

from itertools import product

import pytest

from rankwise.errors import UnknownName
from rankwise.relations.composition import ALLOWED, COMPOSED, COMPOSITION, CONVERSE_MASK, compose
from rankwise.relations.schema import CONVERSE, TEMPORAL
from tests.reference.temporal import triple_is_fine


@pytest.mark.parametrize(
    ("first", "second", "third"),
    [
        ("BEFORE", "BEFORE", {"BEFORE"}),
        ("BEFORE", "EQUAL", {"BEFORE"}),
        ("EQUAL", "AFTER", {"AFTER"}),
        ("EQUAL", "VAGUE", {"VAGUE"}),
        ("BEFORE", "VAGUE", {"BEFORE", "VAGUE"}),
        ("VAGUE", "AFTER", {"AFTER", "VAGUE"}),
        ("VAGUE", "VAGUE", set(TEMPORAL)),
        ("BEFORE", "AFTER", set(TEMPORAL)),
    ],
)
def test_two_relations_in_a_row_leave_these_labels(first, second, third):
    assert compose(first, second) == third


def test_the_table_covers_all_pairs_of_labels_and_reads_the_same_from_the_other_end():
    assert set(COMPOSITION) == set(product(TEMPORAL, repeat=2))
    for (first, second), allowed in COMPOSITION.items():
        assert COMPOSITION[CONVERSE[second], CONVERSE[first]] == {CONVERSE[label] for label in allowed}


def test_a_triple_is_allowed_exactly_when_no_rule_is_broken_from_any_side():
    for x, y, z in product(range(4), repeat=3):
        assert ALLOWED[x, y, z] == triple_is_fine("baev"[x], "baev"[y], "baev"[z])
    assert ALLOWED.sum() == 29


def test_sets_of_labels_compose_member_by_member():
    assert COMPOSED[0b0001, 0b1000] == 0b1001  # BEFORE, VAGUE: BEFORE or VAGUE
    assert COMPOSED[0b0101, 0b0001] == 0b0001  # BEFORE or EQUAL, then BEFORE: BEFORE
    assert COMPOSED[0, 15] == 0
    assert CONVERSE_MASK[0b1001] == 0b1010


def test_an_unknown_label_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Nearest: BEFORE"):
        compose("BEFOR", "AFTER")
