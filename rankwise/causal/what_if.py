"""What if an event of a timeline had begun at another time: a max-plus structural model, solved within bounds.

    t_B = max(plan_B, max over causes A of (t_A + lag_AB)) + delay_B

An event waits for its plan and for each of its causes with their lags; whatever else held it up is its delay. An
intervention sets the time of an event and cuts it off from its own causes. Then either the model says when its effects
would begin by itself (interventional, delays 0), or the delays are worked out from what was observed and kept
(counterfactual: abduction, action, prediction; Pearl 2009, 7.1). An effect keeps its time exactly when something else
holds it: it has slack. Only edges that are marked causal carry a change; what is merely earlier or later does not.

From one document none of this can be learnt: causes, lags and plans are what somebody states, and the answer is true if
they are. `rankwise.causal.lags` fits lags over many timelines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from ..errors import DataError, UnknownName, explain, nearest
from .durations import length
from .lag_graph import Edge
from .maxplus import ZERO, Arrival, Within, latest, moved, room


class LagsNeeded(DataError):
    """Lags that the answer depends on and that nobody stated. `edges`: (cause, effect) of each."""


@dataclass(frozen=True, slots=True)
class Cause:
    """source causes target, whose start is at least `lag` after that of source (seconds; None: nobody said).

    why: who says that it is a cause; lag_why: who says the lag. fitted: the edge of a graph fitted over many timelines.
    """

    source: str
    target: str
    lag: Within | None = None
    why: str = "stated"
    lag_why: str = "stated"
    fitted: Edge | None = None


@dataclass(frozen=True)
class Model:
    """Events with what is known of them. times: when they began, as observed; plans: before which they do not begin.

    names: id -> how it is called in sentences; flags: id -> how it is called on the command line.
    after: (earlier, later) ids whose order alone is known. guessed: ids whose times rest on what a model guessed.
    """

    times: Mapping[str, Within]
    causes: tuple[Cause, ...] = ()
    plans: Mapping[str, Within] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    after: frozenset[tuple[str, str]] = frozenset()
    guessed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def name(self, event: str) -> str:
        return self.names.get(event, event)

    def flag(self, event: str) -> str:
        return self.flags.get(event, event)

    def into(self, event: str) -> list[Cause]:
        return [c for c in self.causes if c.target == event]


@dataclass(frozen=True, slots=True)
class Change:
    """An event that begins `by` seconds later (earlier where below 0), or at the time `to`: one of the two is given."""

    event: str
    by: Within | None = None
    to: Within | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one event; times in seconds, see `maxplus.at`.

    chosen: it is what was set. observed: when it began. counterfactual: when it would have begun, its delay kept.
    shift: counterfactual less observed, known even where neither is. delay: observed less what plan and causes explain.
    modelled, intervened: the model's own time without a delay, before and after the change.
    slack: by how much what was set could be later before this event moves; slack_after: the same once it is changed.
    longest: (cause, lag) for each changed cause: up to this lag the event does not wait for it, before or after.
    """

    event: str
    name: str
    chosen: bool
    observed: Within
    counterfactual: Within
    shift: Within
    delay: Within | None = None
    modelled: Within | None = None
    intervened: Within | None = None
    slack: Within = ZERO
    slack_after: Within = ZERO
    longest: tuple[tuple[str, float], ...] = ()

    @property
    def verdict(self) -> str:
        """kept, earlier, later, "earlier or kept", "later or kept", or "cannot be told"."""
        if self.shift == ZERO:
            return "kept"
        if self.shift.high <= 0:
            return "earlier" if self.shift.high < 0 else "earlier or kept"
        if self.shift.low >= 0:
            return "later" if self.shift.low > 0 else "later or kept"
        return "cannot be told"


@dataclass(frozen=True)
class Answer:
    """outcomes: what was set and every event that it reaches, causes first. used: the edges that carry the change, and
    those of other causes of the events reached."""

    model: Model
    changes: tuple[Change, ...]
    outcomes: tuple[Outcome, ...]
    used: tuple[Cause, ...]
    notes: tuple[str, ...] = ()

    def __getitem__(self, event: str) -> Outcome:
        for outcome in self.outcomes:
            if outcome.event == event:
                return outcome
        raise KeyError(event)


def what_if(model: Model, changes: Sequence[Change]) -> Answer:
    """Times of every event that the changed ones reach, as they would have been.

    Raises:
        UnknownName: a change to an event that is not there.
        DataError: no change, an event changed twice, causal edges that run in a circle among the events reached.
        LagsNeeded: lags that nobody stated; the message has each with the option that states it.
    """
    chosen = _chosen(model, changes)
    order = _order(model, chosen)
    reached = [e for e in order if e not in chosen]
    used = tuple(c for event in reached for c in model.into(event))
    _need_lags(model, used)
    known: dict[str, Outcome] = {}
    for event in order:
        known[event] = _set(model, chosen[event]) if event in chosen else _follow(model, event, known)
    return Answer(model, tuple(changes), tuple(known.values()), used, (*model.notes, *_remarks(model, known, used)))


def _chosen(model: Model, changes: Sequence[Change]) -> dict[str, Change]:
    if not changes:
        raise DataError(explain("nothing is changed.", 'Say what to change, for instance --set "merger -2d"'))
    found: dict[str, Change] = {}
    for change in changes:
        if change.event not in model.times:
            near = ", ".join(nearest(change.event, model.times))
            raise UnknownName(explain(f"there is no event {change.event!r}.", f"Nearest: {near}."), name=change.event)
        if change.event in found:
            raise DataError(explain(f"{model.name(change.event)} is set twice.", "Set each event once."))
        if (change.by is None) == (change.to is None):
            raise ValueError("a change has one of `by` and `to`")
        found[change.event] = change
    return found


def _order(model: Model, chosen: Mapping[str, Change]) -> list[str]:
    """What was chosen and all that it reaches, causes first; an event that is set no longer depends on its causes."""
    reached, todo = set(chosen), list(chosen)
    while todo:
        source = todo.pop()
        new = {c.target for c in model.causes if c.source == source} - reached
        reached |= new
        todo += new
    among = [c for c in model.causes if {c.source, c.target} <= reached]
    sorter = TopologicalSorter({e: [c.source for c in among if c.target == e] for e in model.times if e in reached})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        ring = error.args[1]
        steps = " > ".join(model.name(e) for e in ring)
        mend = f'--not-cause "{model.flag(ring[-2])}>{model.flag(ring[-1])}"'
        rule = "Nothing is its own cause, so one of these is none. To take one away: "
        raise DataError(explain(f"causes run in a circle: {steps}.", rule + mend), cycle=tuple(ring)) from None


def _need_lags(model: Model, used: Iterable[Cause]) -> None:
    missing = [c for c in used if c.lag is None]
    if not missing:
        return
    many = f"{len(missing)} lags are" if len(missing) > 1 else "a lag is"
    flags = [f'--lag "{model.flag(c.source)}>{model.flag(c.target)}=..."' for c in missing]
    names = [f"{model.name(c.source)} > {model.name(c.target)}" for c in missing]
    wide = max(map(len, names))
    raise LagsNeeded(
        explain(
            f"{many} needed that nobody stated, and none is made up.",
            *(f"{name:<{wide}}  {flag}" for name, flag in zip(names, flags, strict=True)),
            "A lag is the least time from the start of the cause to the start of the effect: 2d, 36h, or 2d..5d.",
            'An edge that is no cause needs none: --not-cause "CAUSE>EFFECT"',
            "To fit lags over many timelines: rankwise what-if --fit folder/ --out graph.toml",
        ),
        edges=tuple((c.source, c.target) for c in missing),
    )


def _set(model: Model, change: Change) -> Outcome:
    seen = model.times[change.event]
    if change.by is not None:
        after, by = seen + change.by, change.by
    else:
        after = change.to or Within()
        by = ZERO if after.exact and after == seen else after - seen
    return Outcome(change.event, model.name(change.event), True, seen, after, by, None, seen, after)


def _follow(model: Model, event: str, known: Mapping[str, Outcome]) -> Outcome:
    """One event whose causes are done: all the arithmetic of the model."""
    seen, plan = model.times[event], [model.plans[event]] if event in model.plans else []
    rest, moving, alone_before, alone_after = [*plan], {}, [*plan], [*plan]
    for c in model.into(event):
        lag = c.lag or ZERO
        if (cause := known.get(c.source)) is None:
            arrival = model.times[c.source] + lag
            rest.append(arrival)
            before = after = arrival
        else:
            moving[c.source] = Arrival(cause.observed + lag, cause.counterfactual + lag, cause.shift)
            before, after = ((w or Within()) + lag for w in (cause.modelled, cause.intervened))
        alone_before.append(before)
        alone_after.append(after)
    arrivals = [*(Arrival.of(w) for w in rest), *moving.values()]
    shift = moved(arrivals)
    delay = seen - latest(a.before for a in arrivals)
    slack, slack_after = (_float(rest, moving, known, later) for later in (False, True))
    return Outcome(
        event,
        model.name(event),
        False,
        seen,
        (seen + shift) & (latest(a.after for a in arrivals) + delay),
        shift,
        delay,
        latest(alone_before),
        latest(alone_after),
        slack,
        slack_after,
        _longest(model.into(event), rest, moving, known),
    )


def _float(rest: list[Within], moving: Mapping[str, Arrival], known: Mapping[str, Outcome], later: bool) -> Within:
    """By how much what was set could slip before the event does: the least, over paths, of all the room on the path."""
    waits = {name: a.after if later else a.before for name, a in moving.items()}
    found = []
    for name, wait in waits.items():
        others = [*rest, *(w for other, w in waits.items() if other != name)]
        so_far = known[name].slack_after if later else known[name].slack
        found.append(so_far + (room(wait, others) or ZERO))
    return Within(min(w.low for w in found), min(w.high for w in found))


def _longest(
    causes: Iterable[Cause], rest: list[Within], moving: Mapping[str, Arrival], known: Mapping[str, Outcome]
) -> tuple[tuple[str, float], ...]:
    """For each changed cause, the lag up to which what does not change holds the event, before and after."""
    if not rest:
        return ()
    held = latest(rest).low
    ends = {
        c.source: max(known[c.source].observed.high, known[c.source].counterfactual.high)
        for c in causes
        if c.source in moving
    }
    return tuple((name, held - end) for name, end in ends.items() if 0 <= held - end < float("inf"))


def _remarks(model: Model, known: Mapping[str, Outcome], used: Sequence[Cause]) -> list[str]:
    said = []
    for o in known.values():
        if o.delay is not None and o.delay.high < 0:
            said.append(
                f"{o.name} began {length(-o.delay.high)} or more before its plan and causes allow: "
                "a date, a plan, a lag or a cause is wrong."
            )
    for c in used:
        if (c.target, c.source) in model.after:
            a, b = model.name(c.source), model.name(c.target)
            said.append(f"The timeline puts {b} before {a}, which is said to cause it: one of the two is wrong.")
    return said
