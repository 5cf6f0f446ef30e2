"""Every label that gave way has the relations that rule it out."""

from __future__ import annotations

import numpy as np

from rankwise.relations.algebra import tell
from rankwise.relations.decode import decode

BEFORE, CAUSED_BY = np.log([0.90, 0.04, 0.03, 0.03]), np.log([0.02, 0.03, 0.95])


def test_of_several_triples_the_surest_is_named():
    scores = {("a", "c"): np.log([0.3, 0.6, 0.05, 0.05])}
    for middle, sure in (("x", 0.7), ("y", 0.9), ("z", 0.8)):
        row = np.log([sure, 0.9 - sure + 0.02, 0.04, 0.04])
        scores |= {("a", middle): row, (middle, "c"): row}
    (change,) = decode(scores).changed
    assert tell(change.because) == "a BEFORE y, y BEFORE c"


def test_a_causal_link_whose_effect_would_start_first_is_named_with_what_makes_it_so():
    """c causes a, whose order was not scored; a before b and b before c cannot both stay."""
    scores = {("a", "b"): BEFORE, ("b", "c"): np.log([0.6, 0.2, 0.1, 0.1])}
    d = decode(scores, {("a", "c"): CAUSED_BY})
    assert d.labels == {("a", "b"): "BEFORE", ("b", "c"): "AFTER"}
    assert d.causal == {("a", "c"): "CAUSED_BY"}
    (change,) = d.changed
    assert (change.source, change.target, change.before, change.reason) == ("b", "c", "BEFORE", "cause")
    assert tell(change.because) == "a CAUSED_BY c, a BEFORE b"


def test_a_label_as_probable_as_the_one_chosen_has_not_given_way():
    scores = {("a", "b"): BEFORE, ("b", "c"): BEFORE, ("a", "c"): np.log([0.4, 0.4, 0.1, 0.1])}
    assert decode(scores).changed == ()


def test_a_change_is_read_from_the_event_that_comes_first():
    scores = {("c", "a"): np.log([0.6, 0.3, 0.05, 0.05]), ("a", "b"): BEFORE, ("b", "c"): BEFORE}
    (change,) = decode(scores, events=["a", "b", "c"]).changed
    assert (change.source, change.target, change.before, change.after) == ("a", "c", "AFTER", "BEFORE")
    assert (round(change.p_before, 6), round(change.p_after, 6)) == (0.6, 0.3)
    assert change.relation.confidence == change.p_after
