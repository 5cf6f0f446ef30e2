"""The decoder gives the best consistent graph, and says what it changed and why."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.errors import DataError
from rankwise.relations.algebra import closed_triples, closure, contradictions, violations
from rankwise.relations.composition import compose
from rankwise.relations.decode import decode
from rankwise.relations.schema import TEMPORAL, Relation
from tests.reference import temporal

SURE_BEFORE, SURE_AFTER = np.log([0.9, 0.04, 0.03, 0.03]), np.log([0.04, 0.9, 0.03, 0.03])


def rows(g, count, labels=4, sharp=2.0):
    z = g.normal(0, sharp, (count, labels))
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def noisy(n, seed, window=None, noise=1.0, shared=0.0):
    """Scores of the pairs of n events with known times; `shared`: error of an event that all its pairs have."""
    g = np.random.default_rng(seed)
    i, j = np.triu_indices(n, 1)
    near = j - i <= (window or n)
    i, j = i[near], j[near]
    t = g.integers(0, 2 * n, n)
    other = t + np.where(g.random(n) < 0.3, g.integers(-n // 2, n // 2 + 1, n), 0)
    one, two = np.sign(t[j] - t[i]), np.sign(other[j] - other[i])
    gold = np.where(one != two, 3, np.select([one > 0, one < 0], [0, 1], 2))
    z = g.normal(0, noise, (len(i), 4))
    u = g.normal(0, shared, n) if shared else np.zeros(n)
    z[:, 0] += u[i] - u[j]
    z[:, 1] -= u[i] - u[j]
    z[np.arange(len(i)), gold] += 2
    return i, j, z


def test_the_weakest_link_of_a_broken_triple_gives_way_and_the_triple_is_named():
    weak = np.log([0.30, 0.60, 0.05, 0.05])
    d = decode({("a", "b"): SURE_BEFORE, ("b", "c"): SURE_BEFORE, ("a", "c"): weak})
    assert d.labels == dict.fromkeys([("a", "b"), ("b", "c"), ("a", "c")], "BEFORE")
    (change,) = d.changed
    assert (change.source, change.target, change.before, change.after) == ("a", "c", "AFTER", "BEFORE")
    assert (round(change.p_before, 9), round(change.p_after, 9), change.reason) == (0.6, 0.3, "composition")
    assert [(r.source, r.label, r.target) for r in change.because] == [("a", "BEFORE", "b"), ("b", "BEFORE", "c")]
    assert d.objective == pytest.approx(2 * np.log(0.9) + np.log(0.3), abs=1e-9)
    assert (d.exact, d.windowed, d.broken, d.violated) == (True, False, 1, 0)


def test_labels_come_back_from_the_end_they_were_given_from():
    d = decode({("b", "a"): SURE_AFTER, ("c", "b"): SURE_AFTER})
    assert d.labels == {("b", "a"): "AFTER", ("c", "b"): "AFTER"}


def test_a_cycle_through_unscored_pairs_is_impossible():
    square = {("a", "b"): SURE_BEFORE, ("b", "c"): SURE_BEFORE, ("c", "d"): SURE_BEFORE}
    d = decode({**square, ("d", "a"): np.log([0.7, 0.2, 0.05, 0.05])})
    assert d.broken == 0  # no triple is closed
    assert d.labels == {**dict.fromkeys(square, "BEFORE"), ("d", "a"): "AFTER"}
    (change,) = d.changed
    assert [(r.source, r.target) for r in change.because] == [("a", "b"), ("b", "c"), ("c", "d")]
    assert {(r.relation.source, r.relation.target): r.relation.label for r in d.inferred} == {
        ("a", "c"): "BEFORE",
        ("b", "d"): "BEFORE",
    }


def test_a_long_cycle_is_impossible_too():
    n = 30
    scores = {(str(i), str((i + 1) % n)): np.log([0.9 - i / 100, 0.05 + i / 100, 0.03, 0.02]) for i in range(n)}
    d = decode(scores)
    assert d.exact
    assert [(c.source, c.target, c.before, c.after) for c in d.changed] == [("0", "29", "AFTER", "BEFORE")]
    assert contradictions(d.relations) == []
    assert len(d.changed[0].because) == n - 1


def test_inferred_relations_are_marked_with_their_derivation():
    d = decode({("a", "b"): SURE_BEFORE, ("b", "c"): np.log([0.02, 0.02, 0.95, 0.01])})
    (found,) = d.inferred
    assert (found.relation.source, found.relation.target, found.relation.label) == ("a", "c", "BEFORE")
    assert found.relation.confidence == pytest.approx(0.9)
    assert len(found.because) == 2


def test_a_cause_is_not_after_its_effect():
    after, causes = np.log([0.30, 0.50, 0.10, 0.10]), np.log([0.05, 0.90, 0.05])
    d = decode({("a", "b"): after}, {("a", "b"): causes})
    assert (d.labels, d.causal) == ({("a", "b"): "BEFORE"}, {("a", "b"): "CAUSES"})
    (change,) = d.changed
    assert (change.kind, change.reason, change.because[0].label) == ("temporal", "cause", "CAUSES")
    d = decode({("a", "b"): SURE_AFTER}, {("b", "a"): np.log([0.4, 0.1, 0.5])})  # b caused_by a: a causes b
    assert (d.labels, d.causal) == ({("a", "b"): "AFTER"}, {("b", "a"): "NONE"})
    (change,) = d.changed
    assert (change.kind, change.reason, change.because[0].label) == ("causal", "time", "AFTER")


def test_a_cause_between_events_whose_order_was_not_scored_agrees_with_what_follows():
    d = decode({("a", "b"): SURE_BEFORE, ("b", "c"): SURE_BEFORE}, {("c", "a"): np.log([0.3, 0.6, 0.1])})
    assert d.causal == {("c", "a"): "NONE"}
    assert ("a", "c") not in d.labels
    assert len(d.changed[0].because) == 2
    assert decode({}, {("c", "a"): np.log([0.3, 0.6, 0.1])}).causal == {("c", "a"): "CAUSES"}


def test_a_price_on_vague_causes_moves_them():
    vague, causes = np.log([0.40, 0.05, 0.05, 0.50]), np.log([0.05, 0.90, 0.05])
    assert decode({("a", "b"): vague}, {("a", "b"): causes}).labels["a", "b"] == "VAGUE"
    d = decode({("a", "b"): vague}, {("a", "b"): causes}, vague_cost=1.0)
    assert d.labels["a", "b"] == "BEFORE"
    assert d.changed[0].reason == "cause"


def test_what_is_fixed_stays_and_the_rest_is_fitted_to_it():
    scores = {("a", "b"): SURE_BEFORE, ("b", "c"): SURE_BEFORE, ("a", "c"): SURE_BEFORE}
    d = decode(scores, fixed=[Relation("c", "a", "BEFORE")])
    assert d.labels["a", "c"] == "AFTER"
    assert {c.reason for c in d.changed} == {"fixed", "composition"}
    d = decode({("a", "b"): SURE_BEFORE}, fixed=[Relation("b", "c", "BEFORE"), Relation("b", "a", "CAUSES", "causal")])
    assert d.labels == {("a", "b"): "AFTER", ("b", "c"): "BEFORE"}  # .04, against .03 for EQUAL and for VAGUE
    assert d.causal == {("a", "b"): "CAUSED_BY"}


@pytest.mark.parametrize(
    ("fixed", "says"),
    [
        ([Relation("a", "b", "BEFORE"), Relation("b", "c", "BEFORE"), Relation("c", "a", "EQUAL")], "contradict"),
        ([Relation("a", "b", "AFTER"), Relation("a", "b", "CAUSES", "causal")], "a CAUSES b goes against"),
        ([Relation("a", "b", "CAUSES", "causal"), Relation("b", "a", "CAUSES", "causal")], "goes against"),
        ([Relation("a", "a", "CAUSES", "causal")], "joins 'a' to itself"),
    ],
)
def test_fixed_relations_that_cannot_all_hold_are_refused(fixed, says):
    with pytest.raises(DataError, match=says):
        decode({("a", "b"): SURE_BEFORE}, fixed=fixed)


def test_a_negative_price_is_refused():
    with pytest.raises(DataError, match="vague_cost"):
        decode({("a", "b"): SURE_BEFORE}, vague_cost=-1)


def test_nothing_to_decode_is_an_empty_graph():
    d = decode({})
    assert (d.labels, d.causal, d.inferred, d.changed, d.exact) == ({}, {}, (), (), True)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 5), st.booleans(), st.sampled_from([0.0, 0.7]))
def test_the_objective_is_that_of_trying_everything(seed, n, with_causes, price):
    g = np.random.default_rng(seed)
    pairs = list(combinations(range(n), 2))
    some = [pairs[p] for p in g.permutation(len(pairs))[: g.integers(2, len(pairs) + 1)]]
    others = [pairs[p] for p in g.permutation(len(pairs))[: g.integers(1, len(pairs) + 1)]] if with_causes else []
    scores = dict(zip(some, rows(g, len(some)), strict=True))
    causal = dict(zip(others, rows(g, len(others), 3), strict=True))
    as_names = [{(str(i), str(j)): row for (i, j), row in given_.items()} for given_ in (scores, causal)]
    d = decode(*as_names, vague_cost=price)
    assert d.exact
    best = temporal.best(n, scores, causal, price)
    assert d.objective == pytest.approx(best, abs=1e-6)
    assert d.bound == pytest.approx(best, abs=1e-6)
    check(d)
    label = {p: TEMPORAL.index(d.labels[str(p[0]), str(p[1])]) for p in scores}
    own = sum(float(scores[p][x]) for p, x in label.items())
    for p in causal:
        x = ("NONE", "CAUSES", "CAUSED_BY").index(d.causal[str(p[0]), str(p[1])])
        own += float(causal[p][x]) - price * (x != 0 and label.get(p) == 3)
    assert own == pytest.approx(best, abs=1e-6)  # the labels are worth what the objective says


@pytest.mark.parametrize("seed", range(6))
def test_the_objective_is_that_of_all_rows_at_once_where_the_relaxation_has_gaps(seed):
    i, j, z = noisy(9, seed, noise=1.5, shared=1.5)
    z -= np.log(np.exp(z).sum(1, keepdims=True))
    d = decode((i, j, z))
    best = temporal.best_by_rows(9, {(int(a), int(b)): row for a, b, row in zip(i, j, z, strict=True)})
    assert d.exact
    assert d.objective == pytest.approx(best, abs=1e-5)


def check(d):
    """Consistent over all pairs, causes included, and every change has reasons that rule the old label out."""
    assert contradictions(d.relations) == []
    assert violations(d.relations) == []
    assert d.violated == 0
    follows = {(r.relation.source, r.relation.target): r.relation for r in closure(d.relations)}
    order = {**{p: Relation(*p, x) for p, x in d.labels.items()}, **follows}
    order |= {(b, a): r.converse for (a, b), r in order.items()}
    for (a, b), cause in d.causal.items():
        if cause != "NONE" and (a, b) in order:
            assert order[a, b].label != {"CAUSES": "AFTER", "CAUSED_BY": "BEFORE"}[cause]
    for c in d.changed:
        assert c.before != c.after
        assert c.p_before > c.p_after
        assert c.reason != "search"
        if c.reason == "composition":
            allowed = {c.because[0].label}
            for r in c.because[1:]:
                allowed = {z for x in allowed for z in compose(x, r.label)}
            assert c.before not in allowed
            assert (c.because[0].source, c.because[-1].target) == (c.source, c.target)
            assert {c.source, c.target} not in [{r.source, r.target} for r in c.because]


@pytest.mark.parametrize(
    ("n", "window", "noise", "shared"), [(14, None, 1.0, 0.0), (20, None, 1.0, 0.7), (24, 5, 1.5, 0.7)]
)
def test_noisy_documents_become_consistent_and_exactly_so(n, window, noise, shared):
    d = decode(noisy(n, 3, window, noise, shared))
    assert d.exact
    assert d.bound - d.objective < 1e-6
    assert d.broken > 0
    assert len(d.changed) > 0
    check(d)


def test_when_time_is_over_the_graph_is_consistent_and_says_that_it_may_not_be_the_best():
    scores = noisy(25, 5, noise=1.5, shared=1.0)
    hasty, best = decode(scores, seconds=0.0), decode(scores, seconds=60.0)
    assert (hasty.exact, best.exact) == (False, True)
    assert hasty.objective <= best.objective <= hasty.bound + 1e-6
    assert hasty.violated == 0
    assert contradictions(hasty.relations) == []


def test_a_long_document_is_decided_in_windows_that_agree():
    scores = noisy(40, 2, window=6, shared=0.5)
    far = (np.array([0]), np.array([39]), np.array([[1.0, 0.9, 0.0, 0.0]]))
    scores = tuple(np.concatenate([one, other]) for one, other in zip(scores, far, strict=True))
    parts, best = decode(scores, most=10), decode(scores)
    assert (parts.windowed, parts.exact, best.windowed, best.exact) == (True, False, False, True)
    assert set(parts.labels) == set(best.labels)
    assert contradictions(parts.relations) == []
    assert parts.objective <= best.objective + 1e-6
    assert parts.objective > best.objective - 0.02 * abs(best.objective)
    assert closed_triples(parts.relations) > 100


def test_windows_move_on_when_their_pairs_are_too_many(monkeypatch):
    monkeypatch.setattr("rankwise.relations.decode.WINDOW_PAIRS", 30)
    monkeypatch.setattr("rankwise.relations.decode.WINDOW_EVENTS", 5)
    d = decode(noisy(18, 1), most=10)
    assert d.windowed
    assert contradictions(d.relations) == []
    assert len(d.labels) == 18 * 17 // 2


def test_scores_that_agree_already_are_left_alone():
    t = [3, 1, 2, 1]
    label = {-1: SURE_BEFORE, 1: SURE_AFTER, 0: np.log([0.02, 0.02, 0.94, 0.02])}
    scores = {(f"e{i}", f"e{j}"): label[int(np.sign(t[i] - t[j]))] for i, j in combinations(range(4), 2)}
    d = decode(scores)
    assert (d.changed, d.rounds, d.broken, d.exact) == ((), 0, 0, True)
