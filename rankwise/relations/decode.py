"""One consistent graph from scores of pairs: the most probable one, with a reason for every label that had to give way.

Three rules hold in what comes out: a pair read from its other end has the converse label; the table of `composition`
holds in every triple, also where pairs between were never scored; and a cause does not start after its effect
(facts of the corpora: causes of states are often VAGUE, so VAGUE stays possible). Causation is not made transitive.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import RankwiseError, explain
from .algebra import Derived, closure, contradictions, tell, violations
from .composition import CONVERSE_CODE
from .cuts import Ints, Pairs
from .greedy import Domains
from .joint import CAUSAL_CONVERSE, Joint, join
from .pair_scores import Pair, Scores, pair_scores
from .programme import Programme, Solution, solve, worth
from .reasons import Change, Explainer
from .schema import CAUSAL, TEMPORAL, Relation

WINDOW_EVENTS, WINDOW_PAIRS = 60, 1500  # a window ends at whichever comes first


@dataclass(frozen=True)
class Decoded:
    """A consistent graph.

    labels, causal: label of every scored pair, from the end from which it was first given.
    inferred: relations of unscored pairs that follow, each with its derivation.
    changed: labels that are not their own pair's most probable one, and why.
    objective: sum of the log-probabilities of all labels, less the price of causes that are VAGUE in time.
    bound: no consistent graph has a higher objective; equal to it (to 1e-6) when exact.
    exact: this is proven to be a best graph. Otherwise time ran out, or the document was taken in windows.
    windowed: decided window by window in text order, each consistent with all before it.
    broken: closed triples that the pairs' own most probable labels break; `violated`: those that `labels` break, 0.
    """

    labels: dict[Pair, str]
    causal: dict[Pair, str]
    inferred: tuple[Derived, ...]
    changed: tuple[Change, ...]
    objective: float
    bound: float
    exact: bool
    windowed: bool
    rounds: int
    seconds: float
    broken: int
    violated: int

    @property
    def relations(self) -> tuple[Relation, ...]:
        """Labels as relations: temporal, then causal, without NONE."""
        temporal = (Relation(a, b, label) for (a, b), label in self.labels.items())
        causal = (Relation(a, b, label, "causal") for (a, b), label in self.causal.items() if label != "NONE")
        return (*temporal, *causal)


def decode(
    scores: Scores,
    causal_scores: Scores | None = None,
    fixed: Iterable[Relation] = (),
    *,
    events: Sequence[str] | None = None,
    vague_cost: float = 0.0,
    seconds: float = 10.0,
    most: int = 150,
) -> Decoded:
    """The most probable consistent labels of the scored pairs.

    Args:
        scores: log-probabilities (or logits) of TEMPORAL for pairs of events: {(source, target): [4]}, or arrays
            (i, j, [p, 4]) where i, j are names or positions in `events`. A pair given from both ends, or twice, counts
            once, with the mean of its log-probabilities.
        causal_scores: the same for CAUSAL, [3]; its pairs may be others.
        fixed: relations that are known, temporal or causal; the others are fitted to them.
        events: names in the order of the text; by default in order of appearance (positions: sorted).
        vague_cost: price, in nats, of a causal link between events whose temporal label is VAGUE, >= 0.
        seconds: time for the search. When it is over, pairs are decided one by one, the surest first: still
            consistent, but perhaps not the best; the result says `exact=False`.
        most: with more events than these, the document is taken in windows.

    Raises:
        DataError: scores that are not finite or not of this shape, a pair of one event with itself, `fixed` relations
            that contradict each other (the message gives the shortest cycle).
    """
    start = time.monotonic()
    given = pair_scores(scores, len(TEMPORAL), CONVERSE_CODE.tolist(), events)
    linked = pair_scores({} if causal_scores is None else causal_scores, len(CAUSAL), CAUSAL_CONVERSE.tolist(), events)
    joint = join(given, linked, tuple(fixed), vague_cost, events)
    search = windows if joint.pairs.n > most else whole
    found = search(joint, start + seconds)
    labels = found.labels
    causal = np.take_along_axis(joint.partner, labels[:, None], axis=1)[:, 0]
    relations = joint.relations(labels)
    if cycles := contradictions(relations):
        what = f"The decoded graph is not consistent: {tell(cycles[0])}."
        raise RankwiseError(explain(what, "This is a fault of rankwise, not of the scores."), cycle=cycles[0])
    local = joint.relations(np.where(joint.known >= 0, joint.known, joint.temporal.argmax(1)))
    objective = worth(joint.gain, labels)
    return Decoded(
        labels=_named(joint, given.pairs, joint.said, labels, "temporal"),
        causal=_named(joint, linked.pairs, joint.linked, causal, "causal"),
        inferred=tuple(closure(relations)),
        changed=tuple(Explainer(joint, labels, causal).changes()),
        objective=objective,
        bound=max(found.bound, objective),
        exact=found.exact,
        windowed=search is windows,
        rounds=found.rounds,
        seconds=time.monotonic() - start,
        broken=len(violations(local)),
        violated=len(violations(relations)),
    )


def whole(joint: Joint, end: float) -> Solution:
    """All pairs at once."""
    return solve(Programme(joint.pairs, joint.gain, joint.domains), end - time.monotonic())


def windows(joint: Joint, end: float) -> Solution:
    """Window by window in the order of the text; half of each is decided for good before the next one begins.

    A window holds the pairs whose later event is in it, however far back the earlier one is. Whatever is decided
    leaves a label for all others, so no window can fail.
    """
    pairs, domains = joint.pairs, joint.domains.copy()
    until = np.searchsorted(pairs.j, np.arange(pairs.n + 1))  # pairs are in the order of their later event
    labels, start, rounds = np.zeros(len(pairs.j), dtype=np.int64), 0, 0
    while start < pairs.n:
        stop = start + 1
        while stop < min(pairs.n, start + WINDOW_EVENTS) and until[stop + 1] - until[start] <= WINDOW_PAIRS:
            stop += 1
        middle = stop if stop == pairs.n else start + (stop - start + 1) // 2
        share = (until[middle] - until[start]) / max(1, until[-1] - until[start])
        part = Pairs(stop, pairs.i[: until[stop]], pairs.j[: until[stop]])
        seen = Domains(stop)
        seen.mask = domains.mask[:stop, :stop].copy()
        programme = Programme(part, joint.gain[: until[stop]], seen, since=start)
        found = solve(programme, (end - time.monotonic()) * float(share))
        for p in range(until[start], until[middle]):
            labels[p] = found.labels[p]
            domains.restrict(int(pairs.i[p]), int(pairs.j[p]), 1 << int(labels[p]))
        rounds += found.rounds
        start = middle
    return Solution(labels, float(joint.gain.max(1).sum()), False, rounds)


def _named(joint: Joint, given: Iterable[Pair], where: np.ndarray, labels: Ints, kind: str) -> dict[Pair, str]:
    """Labels by names: scored pairs as they were given, then those that were only fixed."""
    found = {}
    for p in np.nonzero(where)[0].tolist():
        r = joint.relation(p, int(labels[p]), kind=kind)
        found[r.source, r.target] = r
    result = {}
    for source, target in given:
        forward = (source, target) in found
        r = found.pop((source, target)) if forward else found.pop((target, source)).converse
        result[source, target] = r.label
    return result | {pair: r.label for pair, r in found.items()}
