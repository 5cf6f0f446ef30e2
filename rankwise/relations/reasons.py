"""Why a decoded label is not the most probable one of its own pair: the relations that rule that one out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .composition import ALLOWED, BEFORE, CONVERSE_CODE
from .cuts import Floats, Ints
from .joint import AGREES, CAUSES, NONE, Joint
from .schema import LABELS, Relation
from .walks import Walks, adjacency, codes_of

TIE = 1e-6  # labels whose log-probabilities differ by no more are equally good


@dataclass(frozen=True, slots=True)
class Change:
    """A label that gave way, read from the event that comes first in the text.

    kind: "temporal" or "causal". before, after: the most probable label and the one it has now, read from source to
        target. p_before, p_after: their probabilities for this pair alone.
    because: labels of the decoded graph that rule `before` out. reason "composition": a shortest chain from source to
        target; two relations complete a triple. "cause": the pair's own causal label, or a causal link
        whose effect would start first, and the other relations that would make it so. "time": its own temporal label,
        or the chain that settles it. "fixed": nothing but the caller's word. "search": none; the search was not exact.
    """

    source: str
    target: str
    kind: str
    before: str
    after: str
    p_before: float
    p_after: float
    reason: str
    because: tuple[Relation, ...]

    @property
    def relation(self) -> Relation:
        return Relation(self.source, self.target, self.after, self.kind, confidence=min(self.p_after, 1.0))


class Explainer:
    """Reasons within one decoded graph. labels, causal: [p] chosen labels of the problem's pairs."""

    def __init__(self, joint: Joint, labels: Ints, causal: Ints) -> None:
        self.joint, self.labels, self.causal = joint, labels, causal
        self.said = {(r.source, r.target): r for r in joint.relations(labels)}
        keep, pairs = joint.said, joint.pairs
        self.codes = codes_of(pairs.n, pairs.i[keep], pairs.j[keep], labels[keep])
        certain = np.zeros((pairs.n, pairs.n))
        logp = np.where(joint.known >= 0, 0.0, np.take_along_axis(joint.temporal, labels[:, None], 1)[:, 0])
        certain[pairs.i, pairs.j] = certain[pairs.j, pairs.i] = logp
        self.certain = certain

    def changes(self) -> list[Change]:
        """Every label that lost, temporal ones first."""
        joint = self.joint
        found = []
        for p in _lost(joint.temporal, self.labels, joint.said):
            before = int(joint.temporal[p].argmax())
            found.append(self._change(p, "temporal", joint.temporal, self.labels, *self._time(p, before)))
        scored = joint.linked & (np.isfinite(joint.causal).sum(1) > 1)
        for p in _lost(joint.causal, self.causal, scored):
            found.append(self._change(p, "causal", joint.causal, self.causal, *self._cause(p)))
        return found

    def _change(
        self, p: int, kind: str, logp: Floats, labels: Ints, reason: str, because: tuple[Relation, ...]
    ) -> Change:
        names, pairs, chance = self.joint.names, self.joint.pairs, np.exp(logp[p])
        before, after = int(chance.argmax()), int(labels[p])
        return Change(
            names[pairs.i[p]],
            names[pairs.j[p]],
            kind,
            LABELS[kind][before],
            LABELS[kind][after],
            float(chance[before]),
            float(chance[after]),
            reason,
            because,
        )

    def _time(self, p: int, before: int) -> tuple[str, tuple[Relation, ...]]:
        if self.joint.known[p] >= 0:
            return "fixed", ()
        if chain := self._chain(int(self.joint.pairs.i[p]), int(self.joint.pairs.j[p]), before):
            return "composition", chain
        if self.causal[p] != NONE:
            chance = float(np.exp(self.joint.causal[p, self.causal[p]]))
            return "cause", (self.joint.relation(p, int(self.causal[p]), chance, "causal"),)
        because = self._against_a_cause(p, before)
        return ("cause" if because else "search"), because

    def _against_a_cause(self, p: int, before: int) -> tuple[Relation, ...]:
        """A causal link of a pair without a temporal label whose effect would start first, and what makes it so."""
        i, k = int(self.joint.pairs.i[p]), int(self.joint.pairs.j[p])
        codes = self.codes.copy()
        codes[i, k], codes[k, i] = before, CONVERSE_CODE[before]
        for q in np.nonzero(~self.joint.said & (self.causal != NONE))[0].tolist():
            ends = int(self.joint.pairs.i[q]), int(self.joint.pairs.j[q])
            cause, effect = ends if self.causal[q] == CAUSES else ends[::-1]
            walks = Walks(adjacency(codes), np.array([effect]))
            if walks.length[BEFORE, 0, cause] < np.iinfo(np.int16).max:  # STATES begins with BEFORE
                steps = [(a, b) for a, _, b in walks.steps(0, cause, BEFORE) if {a, b} != {i, k}]
                chance = float(np.exp(self.joint.causal[q, self.causal[q]]))
                link = self.joint.relation(q, int(self.causal[q]), chance, "causal")
                return link, *(self._said(a, b) for a, b in steps)
        return ()

    def _cause(self, p: int) -> tuple[str, tuple[Relation, ...]]:
        i, j = int(self.joint.pairs.i[p]), int(self.joint.pairs.j[p])
        if self.joint.said[p]:
            return "time", (self._said(i, j),)
        wanted = int(self.joint.causal[p].argmax())
        for label in np.nonzero(AGREES[wanted])[0]:  # every temporal label that would agree is ruled out by one chain
            if chain := self._chain(i, j, int(label)):
                return "time", chain
        return "search", ()

    def _chain(self, i: int, k: int, without: int) -> tuple[Relation, ...]:
        """Shortest chain of other pairs' labels from i to k that rules a label out; the surest one of two steps."""
        codes = self.codes
        first, second = codes[i], codes[:, k]
        through = (first >= 0) & (second >= 0) & ~ALLOWED[first, second, without]
        through[[i, k]] = False
        if through.any():
            sure = np.where(through, self.certain[i] + self.certain[:, k], -np.inf)
            j = int(sure.argmax())
            return self._said(i, j), self._said(j, k)
        others = codes.copy()
        others[i, k] = others[k, i] = -1
        walks = Walks(adjacency(others), np.array([i]))
        state = walks.shortest(0, k, without=without)
        return () if state is None else tuple(self._said(one, other) for one, _, other in walks.steps(0, k, state))

    def _said(self, one: int, other: int) -> Relation:
        """The relation of two nodes as read from the first."""
        names = self.joint.names
        if one < other:
            return self.said[names[one], names[other]]
        return self.said[names[other], names[one]].converse


def _lost(logp: Floats, labels: Ints, where: np.ndarray) -> list[int]:
    """Pairs whose label is worse than their best by more than a tie."""
    kept = np.take_along_axis(logp, labels[:, None], axis=1)[:, 0]
    return [int(p) for p in np.nonzero(where & (logp.max(1) - kept > TIE))[0]]
