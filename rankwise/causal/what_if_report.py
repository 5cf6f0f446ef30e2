"""The answer to a what-if, in sentences, and as a report: what changes, what keeps its time, and what must hold."""

from __future__ import annotations

from math import inf, isinf
from typing import Any

from .chances import Chance
from .draw import graph_svg
from .durations import length, lengths, when
from .maxplus import DAY, Within, moment
from .report import Block, Picture, Report, Section, Table, Text
from .what_if import Answer, Cause, Outcome

CAUTION = (
    "Every sentence here follows from the causes and lags that were stated or fitted, and from nothing else. A cause "
    "that is missing or wrong gives a wrong answer that looks like a right one, and nothing calculated on one timeline "
    "can find it. That one event comes before another carries no change. Read what must hold before the answer."
)
WORDS = {"earlier or kept": "begins earlier or keeps its time", "later or kept": "begins later or keeps its time"}


def sentence(o: Outcome) -> str:
    """ "trial keeps its time: slack 1.3 d (3.3 d after the change)"."""
    if o.chosen:
        return f"{o.name} is set: {_set(o)}"
    if o.verdict == "kept":
        after = "" if o.slack_after == o.slack else f" ({lengths(o.slack_after)} after the change)"
        return f"{o.name} keeps its time: slack {lengths(o.slack)}{after}"
    if o.verdict in ("earlier", "later"):
        return f"{o.name} begins {_move(o.shift)}{_to(o)}"
    if o.verdict == "cannot be told":
        return f"{o.name}: it cannot be told whether it keeps its time ({_move(o.shift)}){_to(o)}"
    return f"{o.name} {WORDS[o.verdict]} ({_move(o.shift)}){_to(o)}"


def conditions(answer: Answer) -> list[str]:
    """What must hold for the answer, one sentence each."""
    model, reached = answer.model, [o for o in answer.outcomes if not o.chosen]
    said = [_edge_condition(answer, c) for c in answer.used]
    for o in reached:
        if o.event in model.plans:
            said.append(
                f"{o.name} does not begin before its plan ({when(model.plans[o.event])}), which does not change."
            )
        else:
            said.append(f"{o.name} has no plan that holds it: it begins as soon as its causes let it.")
        if o.verdict == "kept":
            said += [
                f"{o.name} keeps its time as long as the lag from {model.name(a)} is at most {length(most)}."
                for a, most in o.longest
            ]
        if o.delay is not None and o.delay.known and o.delay.high > 0:
            said.append(f"What else held up {o.name}{_held(o.delay)} would have held it up all the same.")
        elif o.delay is not None and not o.delay.known and not o.shift.exact:
            said.append(f"Nobody knows when {o.name} began, so only the bounds of its move are said.")
    if reached:
        said.append("Nothing but the causes named here carries the change, and no cause of these events is missing.")
    else:
        said.append(
            "No edge marked causal leaves what was set, so nothing else moves: order in time carries no change."
        )
    said += [
        f"The time of {o.name} ({when(o.observed)}) follows from an order that a model guessed. To state another:"
        f" --time {model.flag(o.event)}=DATE"
        for o in answer.outcomes
        if o.event in model.guessed and o.observed.known
    ]
    if any(not w.exact for o in answer.outcomes for w in (o.observed, o.shift)):
        said.append("Dates and durations that are not points go in as bounds; every answer within them is possible.")
    return list(dict.fromkeys(said))


def report(answer: Answer, chances: tuple[Chance, ...] = (), seed: int = 0, source: str = "") -> Report:
    """Sentences, times, a drawing, what must hold, and chances where lags were fitted."""
    model = answer.model
    notes = [Text(f"Mind: {note}") for note in answer.notes]
    first = Section("What would change", (Text("\n\n".join(sentence(o) + "." for o in answer.outcomes)), *notes))
    edges = [(model.name(c.source), model.name(c.target)) for c in model.causes]
    on = {(model.name(c.source), model.name(c.target)) for c in answer.used}
    shown = [e for e in edges if e in on]
    said = {(model.name(c.source), model.name(c.target)): lengths(c.lag) for c in answer.used if c.lag}
    moved = {o.name for o in answer.outcomes if o.verdict != "kept"}
    names = [o.name for o in answer.outcomes]
    picture = graph_svg(shown, highlight=moved, labels=said, nodes=names)
    caption = "Causes of what the change reaches, with their lags; what moves, or may move, is marked."
    holds: list[Block] = [Text("\n\n".join(conditions(answer)))]
    if answer.used:
        holds.append(_edges(answer))
    sections = [
        first,
        Section("Times", (_times(answer), Picture(picture, caption))),
        Section("What must hold for this answer", tuple(holds)),
    ]
    if chances:
        sections.append(Section("Over many timelines", _chances(chances, seed)))
    asked = ", and ".join(f"{o.name} had begun {_set(o)}" for o in answer.outcomes if o.chosen)
    return Report(f"What if {asked}", tuple(sections), data(answer, chances, seed, source), CAUTION)


def data(answer: Answer, chances: tuple[Chance, ...] = (), seed: int = 0, source: str = "") -> dict[str, Any]:
    """The answer for programs; days and ISO 8601 times as [low, high], None where nothing bounds them."""
    model = answer.model
    return {
        "timeline": source,
        "outcomes": [_row(o) for o in answer.outcomes],
        "edges": [_edge_row(answer, c) for c in answer.used],
        "conditions": conditions(answer),
        "notes": list(answer.notes),
        "events": len(model.times),
        "chances": [c.row() | {"name": model.name(c.event)} for c in chances],
        "seed": seed if chances else None,
    }


def _set(o: Outcome) -> str:
    return f"{_move(o.shift)}{_to(o)}" if o.shift.known else when(o.counterfactual)


def _held(delay: Within) -> str:
    """ " (2 d)", " (up to 2 d)", or nothing where no bound is known."""
    if delay.low >= 0:
        return f" ({lengths(delay)})"
    return "" if isinf(delay.high) else f" (up to {length(delay.high)})"


def _move(shift: Within) -> str:
    """2 d earlier, 1 d to 2 d later, between 2 d earlier and 1 d later."""
    if not shift.known or {shift.low, shift.high} in ({0.0, inf}, {-inf, 0.0}):
        return "by how much is not known"
    if shift.low == shift.high == 0:
        return "at its own time"
    if shift.high <= 0:
        turned = Within(-shift.high, -shift.low)
        return f"{'up to ' + length(turned.high) if turned.low == 0 else lengths(turned)} earlier"
    if shift.low >= 0:
        return f"{'up to ' + length(shift.high) if shift.low == 0 else lengths(shift)} later"
    low, high = length(-shift.low), length(shift.high)
    if isinf(shift.low) or isinf(shift.high):
        return f"at most {high} later" if isinf(shift.low) else f"at most {low} earlier"
    return f"between {low} earlier and {high} later"


def _to(o: Outcome) -> str:
    if not o.counterfactual.known:
        return ""
    seen = f" instead of {when(o.observed)}" if o.observed.known and o.observed != o.counterfactual else ""
    return f", {when(o.counterfactual)}{seen}"


def _edge_condition(answer: Answer, c: Cause) -> str:
    a, b = answer.model.name(c.source), answer.model.name(c.target)
    lag = lengths(c.lag) if c.lag else "unknown"
    return f"{a} causes {b} (who says so: {c.why}), with a lag of {lag} (who says so: {c.lag_why})."


def _times(answer: Answer) -> Table:
    columns = (
        "event",
        "observed",
        "would have been",
        "moves",
        "slack",
        "slack after",
        "by the model alone",
        "delay kept",
    )
    rows = []
    for o in answer.outcomes:
        slack = ("set", "set") if o.chosen else (lengths(o.slack), lengths(o.slack_after))
        alone = when(o.intervened) if o.intervened else "–"
        delay = lengths(o.delay) if o.delay else "–"
        rows.append((o.name, when(o.observed), when(o.counterfactual), _move(o.shift), *slack, alone, delay))
    caption = (
        "would have been: with the delay that was observed (counterfactual); by the model alone: without it "
        "(interventional). slack: how much later what was set could be before this event moves."
    )
    return Table(columns, tuple(rows), caption)


def _edges(answer: Answer) -> Table:
    rows = [
        (answer.model.name(c.source), answer.model.name(c.target), c.why, lengths(c.lag) if c.lag else "–", c.lag_why)
        for c in answer.used
    ]
    return Table(
        ("cause", "effect", "a cause, says", "lag", "lag, says"), tuple(rows), "Every edge that the answer uses."
    )


def _chances(chances: tuple[Chance, ...], seed: int) -> tuple[Text | Table, ...]:
    words = (
        f"Edges and lags drawn from what was fitted, {chances[0].draws:,} times (seed {seed}), without delays: what "
        "the change does on average to timelines of this kind, not what it did to this one."
    )
    columns = ("event", "moves in", "mean move, days", "from", "to")
    rows = [(c.name, c.moves, c.mean, c.low, c.high) for c in chances]
    return Text(words), Table(columns, tuple(rows), "from, to: the middle 90 % of draws.")


def _row(o: Outcome) -> dict[str, Any]:
    return {
        "event": o.event,
        "name": o.name,
        "set": o.chosen,
        "verdict": o.verdict,
        "sentence": sentence(o),
        "observed": _iso(o.observed),
        "counterfactual": _iso(o.counterfactual),
        "interventional": _iso(o.intervened) if o.intervened else None,
        "shift": _days(o.shift),
        "slack": None if o.chosen else _days(o.slack),
        "slack_after": None if o.chosen else _days(o.slack_after),
        "delay": _days(o.delay) if o.delay else None,
    }


def _edge_row(answer: Answer, c: Cause) -> dict[str, Any]:
    name = answer.model.name
    lag = _days(c.lag) if c.lag else None
    return {"cause": name(c.source), "effect": name(c.target), "why": c.why, "lag": lag, "lag_why": c.lag_why}


def _days(w: Within) -> list[float | None]:
    return [x / DAY if abs(x) < float("inf") else None for x in (w.low, w.high)]


def _iso(w: Within) -> list[str | None]:
    found = [moment(x) if abs(x) < float("inf") else None for x in (w.low, w.high)]
    return [x.isoformat() if x else None for x in found]
