"""Temporal and causal scores of a document as one problem about temporal labels.

A causal label is bound by the temporal label of its own pair alone (a cause does not start after its effect). So the
best causal label for each temporal one can be found beforehand, and what it is worth added to that temporal label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, explain
from .algebra import contradictions, tell
from .composition import CONVERSE_CODE, VAGUE
from .cuts import Floats, Ints, Pairs
from .greedy import Domains, Impossible
from .pair_scores import LEAST, PairScores
from .schema import LABELS, Relation

NONE, CAUSES, CAUSED_BY = range(3)
CAUSAL_CONVERSE = np.array([NONE, CAUSED_BY, CAUSES])
AGREES = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 1, 1]], dtype=bool)  # [causal label, temporal label]


@dataclass(frozen=True)
class Joint:
    """Every pair that is scored or fixed, from its earlier event, in the order of its later one.

    temporal [p, 4], causal [p, 3]: log-probabilities; 0 for all where unscored, -inf against a fixed causal label.
    known, cause [p]: fixed temporal and causal label, or -1.
    said, linked: [p] bool, the pair has a temporal (a causal) label of its own, scored or fixed.
    gain [p, 4]: what a temporal label is worth with the best causal label beside it. partner [p, 4]: that label.
    """

    names: tuple[str, ...]
    pairs: Pairs
    temporal: Floats
    causal: Floats
    known: Ints
    cause: Ints
    said: np.ndarray
    linked: np.ndarray
    gain: Floats
    partner: Ints
    domains: Domains

    def relations(self, labels: Ints) -> list[Relation]:
        """The temporal labels of the pairs that have one of their own; confidence is their own pair's probability."""
        chance = np.exp(np.take_along_axis(self.temporal, labels[:, None], axis=1)[:, 0])
        chance = np.where(self.known >= 0, 1.0, chance)
        return [self.relation(p, int(labels[p]), float(chance[p])) for p in np.nonzero(self.said)[0].tolist()]

    def relation(self, p: int, label: int, confidence: float = 1.0, kind: str = "temporal") -> Relation:
        source, target = self.names[self.pairs.i[p]], self.names[self.pairs.j[p]]
        return Relation(source, target, LABELS[kind][label], kind, confidence=min(confidence, 1.0))


def join(
    temporal: PairScores,
    causal: PairScores,
    fixed: Sequence[Relation],
    vague_cost: float,
    events: Sequence[str] | None,
) -> Joint:
    """Put everything that is known of a document's pairs together.

    Raises:
        DataError: `fixed` contradicts itself; a negative or infinite vague_cost.
    """
    if not 0 <= vague_cost < np.inf:
        raise DataError(explain(f"vague_cost is {vague_cost}.", "It is a price in nats: 0 or more."))
    names = _order(temporal, causal, fixed, events)
    place = {name: at for at, name in enumerate(names)}
    ends = [*temporal.pairs, *causal.pairs, *((r.source, r.target) for r in fixed)]
    if alone := [one for one, other in ends if one == other]:
        raise DataError(explain(f"A fixed relation joins {alone[0]!r} to itself.", "It needs two events."))
    keys = sorted({tuple(sorted((place[a], place[b]))) for a, b in ends}, key=lambda key: key[::-1])
    i, j = np.array(keys, dtype=np.int64).reshape(-1, 2).T
    pairs = Pairs(len(names), i, j)
    number = pairs.numbers()
    t, c = np.zeros((len(i), 4)), np.tile([0.0, -np.inf, -np.inf], (len(i), 1))
    said, linked = np.zeros(len(i), dtype=bool), np.zeros(len(i), dtype=bool)
    for scores, into, mark, converse in ((temporal, t, said, CONVERSE_CODE), (causal, c, linked, CAUSAL_CONVERSE)):
        for (a, b), row in zip(scores.pairs, scores.logp, strict=True):
            p = number[place[a], place[b]]
            into[p] = row if place[a] < place[b] else row[converse]
            mark[p] = True
    price = np.where(said, vague_cost, 0.0)
    known, cause, domains = _fix(fixed, place, number, c)
    said, linked = said | (known >= 0), linked | (cause >= 0)
    worth = np.where(AGREES, c[:, :, None], -np.inf)
    worth[:, 1:, VAGUE] -= price[:, None]
    both = t + worth.max(1)
    gain = np.where(np.isfinite(both), both, 0.0)  # where it is not finite, the domains leave the label out
    return Joint(names, pairs, t, c, known, cause, said, linked, gain, worth.argmax(1), domains)


def _order(
    temporal: PairScores, causal: PairScores, fixed: Sequence[Relation], events: Sequence[str] | None
) -> tuple[str, ...]:
    """Names in the order of the text, as far as known."""
    ends = [name for r in fixed for name in (r.source, r.target)]
    met = list(dict.fromkeys([*temporal.names, *causal.names, *ends]))
    if events is not None:
        strangers = set(met) - set(events)
        return (*dict.fromkeys(events), *(name for name in met if name in strangers))
    return tuple(sorted(met, key=int) if all(name.isdecimal() for name in met) else met)


def _fix(fixed: Sequence[Relation], place: dict[str, int], number: Ints, causal: Floats) -> tuple[Ints, Ints, Domains]:
    """Fixed temporal and causal labels (-1: none) and what they leave possible; in `causal`, the others become -inf."""
    known, cause = np.full((2, len(causal)), -1, dtype=np.int64)
    domains = Domains(len(place))
    if cycles := contradictions(fixed):
        what = f"The fixed relations contradict each other: {tell(cycles[0])}."
        raise DataError(explain(what, "Drop one of them, or give them as scores."), cycle=cycles[0])
    for r in sorted(fixed, key=lambda r: r.kind != "temporal"):  # causal ones last, to name the culprit
        one, other = sorted((place[r.source], place[r.target]))
        label = LABELS[r.kind].index((r if one == place[r.source] else r.converse).label)
        p = number[one, other]
        against = f"The fixed relation {tell([r])} goes against the other fixed ones."
        if r.kind == "temporal":
            known[p], possible = label, 1 << label
        else:
            if cause[p] not in (-1, label):
                raise DataError(explain(against, "A pair has one causal label."))
            cause[p], possible = label, sum(1 << int(bit) for bit in np.nonzero(AGREES[label])[0])
            worth = max(causal[p, label], LEAST) if np.isfinite(causal[p, 1:]).any() or label == NONE else 0.0
            causal[p] = np.where(np.arange(3) == label, worth, -np.inf)
        try:
            domains.restrict(one, other, possible)
        except Impossible:
            raise DataError(explain(against, "A cause starts before its effect, with it, or VAGUE.")) from None
    return known, cause, domains
