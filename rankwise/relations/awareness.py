"""Temporal awareness: how much of what one timeline says the other one knows, however each of them says it.

Source: UzZaman and Allen, "Temporal Evaluation", ACL 2011; the metric of TempEval-3 (UzZaman et al. 2013). There over
intervals, here over start points, with BEFORE, AFTER and EQUAL; VAGUE says nothing about order and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .algebra import closure
from .greedy import Domains, Impossible
from .schema import TEMPORAL, Relation
from .score import Score
from .walks import Walks

_NONE = np.iinfo(np.int16).max


def awareness(gold: Iterable[Relation], predicted: Iterable[Relation]) -> Score:
    """Precision |reduced system in closure of gold| / |reduced system|, recall with the two exchanged.

    A timeline that contradicts itself implies anything; as in TempEval-3, a relation that goes against those before it
    is dropped (see `sound`), so the order of `predicted` can matter for such a one: give the surest first.
    """
    ours, theirs = sound(gold), sound(predicted)
    ours_short, theirs_short = reduced(ours), reduced(theirs)
    found, recalled = _known(theirs_short, ours), _known(ours_short, theirs)
    return Score(found, len(theirs_short), recalled, len(ours_short))


def sound(relations: Iterable[Relation]) -> list[Relation]:
    """Temporal relations but VAGUE, each pair once, without those that contradict the ones before them."""
    given = [r for r in relations if r.kind == "temporal" and r.label != "VAGUE"]
    place = _places(given)
    domains, kept, seen = Domains(len(place)), [], set()
    for r in given:
        i, k, bit = place[r.source], place[r.target], 1 << TEMPORAL.index(r.label)
        if not domains.mask[i, k] & bit or frozenset((i, k)) in seen:
            continue
        try:
            domains.restrict(i, k, bit)
        except Impossible:  # cannot be: what the mask leaves can be chosen
            continue
        seen.add(frozenset((i, k)))
        kept.append(r)
    return kept


def reduced(relations: Sequence[Relation]) -> list[Relation]:
    """A least part of consistent relations from which the others follow; of two that would do, the later one stays."""
    place = _places(relations)  # the first states of a walk are the labels themselves
    adjacent = np.zeros((4, len(place), len(place)), dtype=bool)
    for r in relations:
        _set(adjacent, place, r, True)
    kept = []
    for r in relations:
        _set(adjacent, place, r, False)
        walks = Walks(adjacent, np.array([place[r.source]]))
        if walks.length[TEMPORAL.index(r.label), 0, place[r.target]] == _NONE:
            _set(adjacent, place, r, True)
            kept.append(r)
    return kept


def _known(asked: Iterable[Relation], relations: Sequence[Relation]) -> int:
    """How many of the relations asked for are given, or follow."""
    everything = [*relations, *(d.relation for d in closure(relations))]
    said = {(r.source, r.target): r.label for one in everything for r in (one, one.converse)}
    return sum(said.get((r.source, r.target)) == r.label for r in asked)


def _places(relations: Iterable[Relation]) -> dict[str, int]:
    names = dict.fromkeys(name for r in relations for name in (r.source, r.target))
    return {name: at for at, name in enumerate(names)}


def _set(adjacent: np.ndarray, place: dict[str, int], relation: Relation, value: bool) -> None:
    for r in (relation, relation.converse):
        adjacent[TEMPORAL.index(r.label), place[r.source], place[r.target]] = value
