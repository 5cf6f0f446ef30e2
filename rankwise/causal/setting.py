"""An intervention as a person writes it: "x=1" holds x at 1, "x+=2" shifts it, "x=1, z=0" does both at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError, UnknownName, explain, nearest
from .mechanisms import Nodes

STEP = re.compile(r"\s*(?P<node>`[^`]+`|[^=+*,`]+?)\s*(?P<how>\+=|-=|\*=|=)\s*(?P<value>[^,=]+?)\s*")
EXAMPLE = 'Write "x=1" to hold x at 1, "x+=2" to shift it, "x*=1.1" to scale it, and "x=1, z=0" to do both.'


@dataclass(frozen=True)
class Step:
    """One node: how is "=", "+=", "-=" or "*="; value a number, or a word for a node of words."""

    node: str
    how: str
    value: float | str


@dataclass(frozen=True)
class Setting:
    """An intervention: all of its steps at once."""

    text: str
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Raises DataError: it does not read "node=value", or a node is set twice."""
        steps = []
        for part in text.split(","):
            found = STEP.fullmatch(part)
            if found is None:
                raise DataError(explain(f"{part.strip()!r} in {text!r} sets nothing.", EXAMPLE), given=text)
            raw = found["value"].strip("'\"")
            try:
                value: float | str = float(raw)
            except ValueError:
                value = raw
            if found["how"] != "=" and (isinstance(value, str) or not np.isfinite(value)):
                raise DataError(explain(f"{part.strip()!r}: {raw!r} is no number to reckon with.", EXAMPLE), given=text)
            steps.append(Step(found["node"].strip("`"), found["how"], value))
        if len({s.node for s in steps}) < len(steps):
            raise DataError(explain(f"{text!r} sets one node twice.", EXAMPLE), given=text)
        return cls(text, tuple(steps))


def check(step: Step, nodes: Nodes) -> None:
    """Raises UnknownName for what is no node, DataError for a value that the node cannot have."""
    if step.node not in nodes.order:
        near = ", ".join(nearest(step.node, nodes.order))
        raise UnknownName(explain(f"{step.node!r} is no node of the graph.", f"Nearest: {near}."), name=step.node)
    words = nodes.words.get(step.node)
    if words is None:
        if isinstance(step.value, str) or not np.isfinite(step.value):
            raise DataError(explain(f"{step.node!r} holds numbers, not {step.value!r}.", EXAMPLE), node=step.node)
    elif step.how != "=" or _word(step.value) not in words:
        given = f"{step.node}{step.how}{_word(step.value)}"
        raise DataError(
            explain(f"{given!r}: {step.node!r} is one of {', '.join(words)}.", f"For instance {step.node}={words[-1]}"),
            node=step.node,
        )


def _word(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def functions(setting: Setting, nodes: Nodes) -> dict[str, Any]:
    """node -> what makes its new value of its old one, a value at a time as dowhy.gcm asks."""

    def change(step: Step) -> Any:
        if step.node in nodes.words:
            return lambda _: _word(step.value)
        value = float(step.value)
        return {
            "=": lambda _: value,
            "+=": lambda x: x + value,
            "-=": lambda x: x - value,
            "*=": lambda x: x * value,
        }[step.how]

    return {step.node: change(step) for step in setting.steps}
