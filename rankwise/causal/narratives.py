"""Short narratives from a structural model with known effects, to test an audit on and to calibrate it by.

    style ~ uniform                                                  S, a value from -1 to 1 by style
    cue k ~ Bernoulli(1/2 + confounding S / 2)                       connective, order, tense, trigger, distance, signal
    label ~ Bernoulli(sigmoid(bias + sum_k effect_k (cue_k - 1/2) + pull confounding S))     1: BEFORE

With no confounding the cues are independent coins. With it, style moves every cue and the label, so cues predict one
another and a plain difference of means is wrong, while for any values of style and of the other cues both values of a
cue still occur. `deterministic` takes that away too: style fixes every cue, and nothing but an edit can part them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from types import MappingProxyType

import numpy as np

from ..errors import RecipeError, UnknownName, explain, nearest
from ..relations.schema import Relation
from . import plots
from .cue import Case
from .plots import Plot, tell
from .story_cues import CUES, NAMES

__all__ = ["CUES", "EFFECTS", "NAMES", "Story", "generate"]

EFFECTS: Mapping[str, float] = MappingProxyType(
    {"connective": 3.0, "order": 0.5, "tense": 1.5, "trigger": 1.0, "distance": 0.0, "signal": 1.5}
)
"""Log-odds of BEFORE that a cue adds at 1 over what it adds at 0."""
LEVELS = (1.0, 0.4, -0.4, -1.0)
"""S by style."""
ABSENT = frozenset({"connective", "tense", "trigger", "signal"})
"""Cues that a story may lack."""


@dataclass(frozen=True)
class Story:
    """The structural model of the head of this file.

    effects: log-odds by cue, those not named being 0. bias: log-odds of BEFORE with all cues balanced.
    confounding: 0 to below 1. pull: log-odds of style on the label. deterministic: style fixes every cue.
    lacking: by cue, the share of stories without it, drawn apart from all else.
    joined: both events in one sentence, with "before" or "after"; then nothing stands between them.

    Raises:
        UnknownName: an effect, or a lack, of a cue that is not there. RecipeError: a number out of its range.
    """

    effects: Mapping[str, float] = field(default_factory=lambda: EFFECTS)
    confounding: float = 0.0
    pull: float = 1.0
    bias: float = 0.0
    deterministic: bool = False
    lacking: Mapping[str, float] = field(default_factory=dict)
    joined: bool = False

    def __post_init__(self) -> None:
        for name in (*self.effects, *self.lacking):
            if name not in NAMES:
                near = nearest(name, NAMES)[0]
                raise UnknownName(explain(f"{name!r} is no cue.", f"Nearest: {near}. Cues: {', '.join(NAMES)}."))
        if not 0 <= self.confounding < 1:
            rule = "It is 0 or more and below 1; for cues that style fixes, deterministic=True (no overlap)."
            raise RecipeError(explain(f"confounding={self.confounding:g} is out of range.", rule))
        for name, share in self.lacking.items():
            if not 0 <= share <= 1 or (share and name not in ABSENT):
                rule = f"A share from 0 to 1, of {', '.join(sorted(ABSENT))}."
                raise RecipeError(explain(f"lacking {name}={share:g} cannot be.", rule))

    def chance(self, name: str, style: int) -> float:
        """P(cue = 1 | style), where the story has the cue."""
        if name == "distance" and self.joined:
            return 0.0
        if self.deterministic:
            return float(LEVELS[style] > 0)
        return 0.5 + self.confounding * LEVELS[style] / 2

    def probability(self, values: Mapping[str, int | None], style: int) -> float:
        """P(label = BEFORE | cues, style); a cue that is lacking says nothing."""
        logit = self.bias + self.pull * self.confounding * LEVELS[style]
        logit += sum(e * (v - 0.5) for n, e in self.effects.items() if (v := values.get(n)) is not None)
        return float(1 / (1 + np.exp(-logit)))

    def worlds(self) -> Iterator[tuple[float, int, dict[str, int | None]]]:
        """Every combination that can occur: probability, style, values."""
        for style in range(len(LEVELS)):
            options = [self._options(name, style) for name in NAMES]
            for combination in product(*options):
                chance = float(np.prod([p for _, p in combination])) / len(LEVELS)
                yield chance, style, {n: v for n, (v, _) in zip(NAMES, combination, strict=True)}

    def _options(self, name: str, style: int) -> list[tuple[int | None, float]]:
        lack, one = self.lacking.get(name, 0.0), self.chance(name, style)
        found: list[tuple[int | None, float]] = [(None, lack), (0, (1 - lack) * (1 - one)), (1, (1 - lack) * one)]
        return [(v, p) for v, p in found if p > 0]

    def ace(self, name: str, answer: Callable[[Mapping[str, int | None], int], float] | None = None) -> float:
        """Exact mean of answer(cue = 1) - answer(cue = 0), over the stories that have the cue, by enumeration.

        answer(values, style): what is explained; the label's own probability by default.
        """
        answer = answer or self.probability
        total = weight = 0.0
        for chance, style, values in self.worlds():
            if values[name] is not None:
                total += chance * (answer({**values, name: 1}, style) - answer({**values, name: 0}, style))
                weight += chance
        return total / weight if weight else float("nan")

    def naive(self, name: str) -> float:
        """P(BEFORE | cue = 1) - P(BEFORE | cue = 0), exactly: what a difference of means would find."""
        sums = np.zeros((2, 2))
        for chance, style, values in self.worlds():
            if (value := values[name]) is not None:
                sums[value] += chance, chance * self.probability(values, style)
        return float(sums[1, 1] / sums[1, 0] - sums[0, 1] / sums[0, 0]) if sums[:, 0].all() else float("nan")

    def draw(self, n: int, seed: int = 0) -> list[Case]:
        """n stories, each with events e1 and e2, of which the pair is (e1, e2), and its label drawn.

        The case's style is the document's group. One seed, one list, letter for letter. Raises RecipeError for n < 1.
        """
        if n < 1:
            raise RecipeError(explain(f"n={n} stories cannot be told.", "At least 1."))
        rng = np.random.default_rng([seed, 20])
        return [self._case(rng, f"story-{seed}-{i}") for i in range(n)]

    def _case(self, rng: np.random.Generator, name: str) -> Case:
        style = int(rng.integers(len(LEVELS)))
        coins, lacks = rng.random(len(NAMES)), rng.random(len(NAMES))
        drawn: dict[str, int | None] = {}
        for cue, coin, lack in zip(NAMES, coins, lacks, strict=True):
            drawn[cue] = None if lack < self.lacking.get(cue, 0.0) else int(coin < self.chance(cue, style))
        label = "BEFORE" if rng.random() < self.probability(drawn, style) else "AFTER"
        document = tell(self._plot(rng, style, drawn), name, ("e1", "e2") if drawn["order"] else ("e2", "e1"))
        relations = (Relation("e1", "e2", label, original="drawn"),)
        told = replace(document, relations=relations)
        return Case(told, ("e1", "e2"), plots.STYLES[style], label)

    def _plot(self, rng: np.random.Generator, style: int, drawn: Mapping[str, int | None]) -> Plot:
        """First with e1 mentioned first, so that 1 stands for clause 0; then the other way where `order` is 0."""
        neutral = drawn["trigger"] is None
        low, high = (len(plots.SCRIPTS), len(plots.LIFES)) if neutral else (0, len(plots.SCRIPTS))
        script = int(rng.integers(low, high))
        who = rng.choice(plots.NAMES, 2, replace=False)
        what = rng.choice(plots.LIFES[script][2], 2, replace=False)
        filler = int(rng.integers(len(plots.FILLERS)))
        opener = int(rng.integers(2))
        clause = {k: None if v is None else 1 - v for k, v in drawn.items()}
        plot = Plot(
            style,
            script,
            opener if clause["trigger"] is None else clause["trigger"],
            (str(who[0]), str(who[1])),
            (str(what[0]), str(what[1])),
            clause["connective"],
            clause["tense"],
            clause["signal"],
            filler if drawn["distance"] else None,
            self.joined,
        )
        return plot if drawn["order"] else plot.swapped


def generate(
    n: int,
    *,
    seed: int = 0,
    effects: Mapping[str, float] = EFFECTS,
    confounding: float = 0.0,
    deterministic: bool = False,
    lacking: Mapping[str, float] | None = None,
    joined: bool = False,
) -> list[Case]:
    """n stories of `Story(...)`; the fields mean what they mean there, and it says what is raised."""
    story = Story(effects, confounding, deterministic=deterministic, lacking=lacking or {}, joined=joined)
    return story.draw(n, seed)
