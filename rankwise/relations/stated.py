"""What a text itself says of pairs, as probabilities that take the place of a model's: dates, and causal signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import permutations

from .anchors import anchored, due
from .pairs import Ends
from .schema import DEADLINE, Document, Relation
from .signals import stated_causes
from .timex import Interval

Chances = tuple[float, ...]
WITHIN = (0.01, 0.01, 0.97, 0.01)  # of an anchored event: right in 622 of 639 (results/dates)
FIRM = (1e-9, 1e-9, 1.0, 1e-9)
"""The same for decoding: nothing but another such date takes it back, however many guesses of a model speak against."""
FIRST, LAST = (0.97, 0.01, 0.01, 0.01), (0.01, 0.97, 0.01, 0.01)
OPEN = (0.33, 0.01, 0.33, 0.33)  # "by 3 May": before the day or on it, but not after, for which there is no label
IN_TIME = 0.96  # 24 of 25 that annotators judged (results/dates)
CAUSES, CAUSED_BY = (0.07, 0.92, 0.01), (0.07, 0.01, 0.92)
"""Of a signal's two events: right in 641 of 699 over the corpora of results/dates; in news alone, where few are marked,
45 of 73."""
UNRELATED = (0.99, 0.005, 0.005)


def by_dates(document: Document, dates: Mapping[str, Interval]) -> dict[Ends, Chances]:
    """Temporal probabilities of what dates in events' own clauses say for certain, of these dates and of each other."""
    placed = anchored(document)
    when = {e: dates[t] for e, t in placed if t in dates}
    found: dict[Ends, Chances] = {p: WITHIN for e, t in placed for p in ((e, t), (t, e))}
    found |= {p: OPEN for e, t in due(document) if t in dates for p in ((e, t), (t, e)) if p not in found}
    for a, b in permutations(when, 2):
        if when[a].end <= when[b].begin:
            found[a, b], found[b, a] = FIRST, LAST
    return found


def besides(document: Document, lost: Iterable[Ends] = ()) -> tuple[Relation, ...]:
    """What the text states and no model is asked about: what is due by a time, which bounds an event from above alone;
    and `lost`, dates that decoding gave up, so that a timeline can tell what cannot hold together."""
    placed = set(anchored(document))
    late = [Relation(*p, "VAGUE", original=DEADLINE, confidence=IN_TIME) for p in due(document) if p not in placed]
    return (*late, *(Relation(*p, "EQUAL", confidence=max(WITHIN)) for p in lost))


def by_signals(document: Document) -> dict[Ends, Chances]:
    """Causal probabilities of pairs that a causal signal joins, from both ends."""
    found: dict[Ends, Chances] = {}
    for cause, effect in stated_causes(document):
        found[cause, effect], found[effect, cause] = CAUSES, CAUSED_BY
    return found
