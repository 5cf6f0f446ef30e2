"""The six cues of a story of `plots`: each is read exactly, and set with all else held, or not at all.

Said of a pair (a, b) of events in the direction of the pair, not of the text: 1 speaks for "a starts before b" and 0
for the converse, so the same text read as (b, a) turns every value round but that of the distance.

    connective  "Later, ..." or "before" puts a first              legitimate
    tense       a is in the past perfect, b in the simple past     legitimate
    signal      what a did led to what b did                       legitimate: causes do not follow their effects
    order       a is mentioned first                               a shortcut
    trigger     a's verb comes first by nature (ordered, received) a shortcut where something explicit is said
    distance    a sentence stands between the two events           a shortcut
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .cue import Case
from .plots import FILLERS, Plot, plot_of, tell

Get = Callable[[Plot, int], int | None]
Put = Callable[[Plot, int, int], Plot | None]


@dataclass(frozen=True)
class StoryCue:
    """One cue of a story. get(plot, place) and put(plot, place, value): place is 0 where pair[0] is mentioned first."""

    name: str
    legitimate: bool
    get: Get
    put: Put

    def value(self, case: Case) -> int | None:
        """0 or 1; None for a text that is no story of ours, or says nothing of the kind."""
        plot = plot_of(case.document.text)
        return None if plot is None else self.get(plot, _place(case))

    def edit(self, case: Case, value: int) -> Case | None:
        """The story told again with this value. Its relations and label are gone: nobody has drawn them anew."""
        if self.value(case) == value:
            return case
        plot = plot_of(case.document.text)
        changed = None if plot is None else self.put(plot, _place(case), value)
        if plot is None or changed is None:
            return None
        ids = (case.document.events[0].id, case.document.events[1].id)
        again = tell(changed, case.document.id, ids[::-1] if changed.who != plot.who else ids)
        return replace(case, document=replace(again, group=case.document.group), label=None)


def _place(case: Case) -> int:
    return 0 if case.document.events[0].id == case.pair[0] else 1


def _said(clause: int | None, place: int) -> int | None:
    """1 where it is said of pair[0], 0 where of pair[1]."""
    return None if clause is None else int(clause == place)


def _clause(place: int, value: int) -> int:
    """The opposite of `_said`."""
    return place if value else 1 - place


def _connective(plot: Plot, place: int, value: int) -> Plot | None:
    return None if plot.earlier is None else replace(plot, earlier=_clause(place, value))


def _tense(plot: Plot, place: int, value: int) -> Plot | None:
    return None if plot.perfect is None else replace(plot, perfect=_clause(place, value))


def _signal(plot: Plot, place: int, value: int) -> Plot | None:
    return None if plot.cause is None else replace(plot, cause=_clause(place, value))


def _trigger(plot: Plot, place: int, value: int) -> Plot | None:
    return None if plot.neutral else replace(plot, opener=_clause(place, value))


def _distance(plot: Plot, place: int, value: int) -> Plot | None:
    if plot.joined:
        return None
    return replace(plot, filler=sum(map(ord, "".join(sorted(plot.what)))) % len(FILLERS) if value else None)


CUES: tuple[StoryCue, ...] = (
    StoryCue("connective", True, lambda plot, place: _said(plot.earlier, place), _connective),
    StoryCue("order", False, lambda plot, place: int(place == 0), lambda plot, place, value: plot.swapped),
    StoryCue("tense", True, lambda plot, place: _said(plot.perfect, place), _tense),
    StoryCue("trigger", False, lambda p, place: None if p.neutral else _said(p.opener, place), _trigger),
    StoryCue("distance", False, lambda plot, place: int(plot.filler is not None), _distance),
    StoryCue("signal", True, lambda plot, place: _said(plot.cause, place), _signal),
)
NAMES = tuple(cue.name for cue in CUES)


def values(case: Case) -> dict[str, int | None]:
    """Every cue of a story by name."""
    return {cue.name: cue.value(case) for cue in CUES}
