"""From a timeline, and what a person states beside it, to the model that what-if solves.

    model = model_of(timeline, Stated(lags=("merger>trial=3d",), plans=("trial=2020-05-01",)))
    changes = changes_of(timeline, ["merger -2d"])
    answer = what_if(model, changes)

An event is called by its id, or by its word where no other event has it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..errors import DataError, UnknownName, close, explain
from ..relations.schema import Relation
from ..relations.sources import bound_by
from ..relations.timeline import Link, Timeline
from .durations import EXAMPLES, date, duration, signed, whole_day
from .lag_graph import Edge, LagGraph
from .maxplus import Within, at
from .what_if import Cause, Change, Model

OPTIONS = frozenset({"changes", "lag", "plan", "time", "cause", "graph", "sure", "fit", "out", "seed", "overwrite"})
"""Words that an error message on the command line would take for options."""
SURE = 0.5
_VALUE = re.compile(r"(.+?)\s+([+\-\N{MINUS SIGN}]?\s*[\dPp]\S*(?:\s.*)?)", re.DOTALL)


@dataclass(frozen=True)
class Stated:
    """What somebody says beside the timeline, in the words of the command line; it wins over what the timeline says.

    causes, not_causes: "merger>trial". lags: "merger>trial=3d". plans: "trial=2020-05-01", before which it does not
    begin. times: "merger=2020-04-20", when it began. graph: lags of kinds of events, whose edges count as causes from a
    probability of `sure`. by_day: a date means the beginning of that day, not some time of it.
    """

    causes: Sequence[str] = ()
    not_causes: Sequence[str] = ()
    lags: Sequence[str] = ()
    plans: Sequence[str] = ()
    times: Sequence[str] = ()
    graph: LagGraph | None = None
    sure: float = SURE
    by_day: bool = False


class Events:
    """The events of a timeline, found by id or by word."""

    def __init__(self, timeline: Timeline) -> None:
        self.document = timeline.document
        self.ids = [e.id for e in timeline.document.events]
        self.words = {i: plain(self.document.surface(i)) for i in self.ids}
        self._often = Counter(self.words.values())

    @cached_property
    def names(self) -> dict[str, str]:
        """id -> its word; with its id where several events have that word."""
        return {i: w if self.single(i) else f"{w} ({i})" for i, w in self.words.items()}

    @cached_property
    def flags(self) -> dict[str, str]:
        """id -> what names it on a command line without a doubt."""
        fine = re.compile(r"[\w' -]+")
        return {i: w if self.single(i) and fine.fullmatch(w) and w not in OPTIONS else i for i, w in self.words.items()}

    @cached_property
    def single_words(self) -> dict[str, str]:
        """word -> id of the one event that has it."""
        return {w: i for i, w in self.words.items() if self.single(i)}

    def single(self, event: str) -> bool:
        word = self.words[event]
        return self._often[word] == 1 and word not in self.ids

    def find(self, name: str) -> str:
        """The id of the event called so.

        Raises:
            UnknownName: none is, with the nearest; or several are, with their ids and places.
        """
        name = name.strip()
        if name in self.ids:
            return name
        same = [i for i, word in self.words.items() if word == plain(name)]
        if len(same) == 1:
            return same[0]
        if same:
            places = [f"{i}: {self._place(i)}" for i in same[:6]]
            raise UnknownName(
                explain(f"{name!r} is the word of {len(same)} events.", *places, "Name one by its id."), name=name
            )
        near = close(name, [*self.words.values(), *self.ids])
        known = near or list(dict.fromkeys(self.names.values()))[:6]
        what = "Nearest" if near else "Some of them"
        raise UnknownName(
            explain(
                f"there is no event {name!r} on this timeline of {len(self.ids)} events.",
                f"{what}: {', '.join(known)}.",
                "An event is named by its id, or by its word where no other event has it.",
            ),
            name=name,
        )

    def _place(self, event: str) -> str:
        start, end = self.document.span(event)
        before, after = self.document.text[max(0, start - 30) : start], self.document.text[end : end + 30]
        return " ".join(f"...{before}[{self.document.surface(event)}]{after}...".split())


def plain(word: str) -> str:
    """A word without case and with single blanks."""
    return " ".join(word.casefold().split())


def changes_of(timeline: Timeline, sets: Iterable[str], by_day: bool = False) -> list[Change]:
    """Of "merger -2d" (that much earlier), "merger +1w" and "merger=2020-05-01" (then).

    Raises:
        UnknownName: no such event. DataError: no such duration or date, or a duration without a sign.
    """
    events, found = Events(timeline), []
    for text in sets:
        name, value = _split(text, "--set", '"merger -2d" or "merger=2020-05-01"')
        event = events.find(name)
        if signed(value):
            found.append(Change(event, by=_said(duration, value, text)))
        elif _is_duration(value):
            rule = f"Write +{value} for later or -{value} for earlier."
            raise DataError(explain(f"{text!r}: {value!r} has no sign.", rule))
        else:
            found.append(Change(event, to=_said(lambda v: date(v, by_day), value, text)))
    return found


def model_of(timeline: Timeline, stated: Stated = Stated()) -> Model:
    """Events, times, causes, lags and plans: those of the timeline, of a fitted graph, and of what was stated.

    Raises:
        UnknownName: an event that is not there.
        DataError: words that say no edge, duration or date; a lag below 0; a lag of an edge that nobody marks as a
            cause; the same said twice.
    """
    events = Events(timeline)
    notes: list[str] = []
    causes = _marked(timeline, events)
    _from_graph(causes, events, stated, notes)
    for text in stated.causes:
        pair = _edge(text, events, "--cause")
        causes[pair] = Cause(*pair, *(_lag_of(causes.get(pair))), why="stated")
    for text in stated.not_causes:
        pair = _edge(text, events, "--not-cause")
        if causes.pop(pair, None) is None:
            raise _no_cause(pair, events, text, "There is nothing to take away.")
    _lags(causes, events, stated)
    times = {i: _observed(timeline, i, stated.by_day) for i in events.ids}
    own = _dates(stated.times, events, "--time", stated.by_day)
    guessed = frozenset(i for i, who in bound_by(timeline).items() if who == "model" and i not in own)
    times |= own
    plans = _dates(stated.plans, events, "--plan", stated.by_day)
    order = frozenset(early for link in timeline.of_kind("temporal") if (early := _earlier(link.relation)))
    return Model(times, tuple(causes.values()), plans, events.names, events.flags, order, guessed, tuple(notes))


def _marked(timeline: Timeline, events: Events) -> dict[tuple[str, str], Cause]:
    known, found = set(events.ids), {}
    for link in timeline.of_kind("causal"):
        r = link.relation if link.relation.label == "CAUSES" else link.relation.converse
        if r.label == "CAUSES" and {r.source, r.target} <= known:
            found[r.source, r.target] = Cause(r.source, r.target, why=_who(link))
    return found


def _who(link: Link) -> str:
    if link.origin == "model":
        return f"the extractor, with probability {link.relation.confidence:.2f}"
    return "the timeline" if link.origin == "given" else f"the timeline ({link.origin})"


def _from_graph(causes: dict[tuple[str, str], Cause], events: Events, stated: Stated, notes: list[str]) -> None:
    """Lags of the graph for marked edges, and its own edges where they are probable enough."""
    often = {w for w, n in Counter(events.words.values()).items() if n > 1}
    for edge in stated.graph.edges if stated.graph else ():
        if {edge.cause, edge.effect} & often:
            word = min({edge.cause, edge.effect} & often)
            notes.append(
                f"The graph's {edge.cause} > {edge.effect} is left aside: {word} is the word of several events."
            )
        if not {edge.cause, edge.effect} <= set(events.single_words):
            continue
        ends = events.single_words[edge.cause], events.single_words[edge.effect]
        p = edge.probability.value if edge.probability else 1.0
        if ends in causes:
            causes[ends] = Cause(*ends, edge.within, causes[ends].why, _fitted(edge), edge)
        elif p >= stated.sure:
            causes[ends] = Cause(*ends, edge.within, f"the graph{_share(edge)}", _fitted(edge), edge)


def _share(edge: Edge) -> str:
    p = edge.probability
    return f", {p.value:.2f} [{p.low:.2f}, {p.high:.2f}] of {p.of} timelines" if p else ""


def _fitted(edge: Edge) -> str:
    if edge.lag is None:
        return f"not fitted: {edge.why_not}" if edge.why_not else "nobody"
    return "the graph" if isinstance(edge.lag, Within) else f"the middle 90 % of {edge.lag.n} timelines"


def _lag_of(cause: Cause | None) -> tuple[Within | None]:
    return (cause.lag if cause else None,)


def _lags(causes: dict[tuple[str, str], Cause], events: Events, stated: Stated) -> None:
    said: set[tuple[str, str]] = set()
    for text in stated.lags:
        edge, value = _split(text, "--lag", '"merger>trial=3d"', equals=True)
        pair = _edge(edge, events, "--lag")
        lag = _said(duration, value, text)
        if lag.low < 0:
            raise DataError(explain(f"{text!r}: a lag is not below 0.", "An effect does not start before its cause."))
        if pair in said:
            raise DataError(explain(f"{text!r}: this lag is stated twice.", "State each once."))
        if pair not in causes:
            a, b = (events.flags[x] for x in pair)
            raise _no_cause(pair, events, text, f'If it is one, say so: --cause "{a}>{b}"')
        said.add(pair)
        causes[pair] = Cause(*pair, lag, causes[pair].why, "stated")


def _no_cause(pair: tuple[str, str], events: Events, text: str, what: str) -> DataError:
    a, b = (events.names[x] for x in pair)
    return DataError(explain(f"{text!r}: nothing marks {a} as a cause of {b}.", what))


def _observed(timeline: Timeline, event: str, by_day: bool) -> Within:
    """When an event began, by the bounds of the timeline."""
    bounds = timeline.bounds.get(event)
    found = at(bounds.earliest, bounds.latest) if bounds else Within()
    return whole_day(found) if by_day else found


def _dates(said: Iterable[str], events: Events, option: str, by_day: bool) -> dict[str, Within]:
    found: dict[str, Within] = {}
    for text in said:
        name, value = _split(text, option, '"trial=2020-05-01"')
        event = events.find(name)
        if event in found:
            raise DataError(explain(f"{option} {text!r}: {events.names[event]} has one already.", "State each once."))
        found[event] = _said(lambda v: date(v, by_day), value, text)
    return found


def _earlier(r: Relation) -> tuple[str, str] | None:
    ends = {"BEFORE": (r.source, r.target), "AFTER": (r.target, r.source)}
    return ends.get(r.label)


def _edge(text: str, events: Events, option: str) -> tuple[str, str]:
    parts = text.split(">")
    if len(parts) != 2 or not all(p.strip() for p in parts):
        raise DataError(explain(f"{option} {text!r} names no edge.", f'Write {option} "merger>trial"'))
    a, b = (events.find(p) for p in parts)
    if a == b:
        raise DataError(explain(f"{option} {text!r}: an event does not cause itself.", "Name two events."))
    return a, b


def _split(text: str, option: str, example: str, equals: bool = False) -> tuple[str, str]:
    """Name and value, at the last equals sign, or else where a number begins."""
    name, sign, value = text.rpartition("=")
    if not sign and not equals and (found := _VALUE.fullmatch(text.strip())):
        name, value = found.groups()
    if not name.strip() or not value.strip():
        raise DataError(explain(f"{option} {text!r} cannot be read.", f"Write {option} {example}", EXAMPLES))
    return name.strip(), value.strip()


def _said(read: Callable[[str], Within], value: str, text: str) -> Within:
    """What `read` makes of the value; its error with the whole of what was written before it."""
    try:
        return read(value)
    except DataError as problem:
        raise DataError(f"{text!r}: {problem}") from None


def _is_duration(value: str) -> bool:
    try:
        duration(value)
    except DataError:
        return False
    return True
