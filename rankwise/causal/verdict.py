"""One word for each cue: used, a shortcut, ignored; or that the texts alone mislead about it, and how.

By real edits, of the mean answer with the cue at 1 less that with it at 0:

    used          beyond .05, the interval leaves out 0, and the cue may decide, or nothing explicit contradicts it
    shortcut      the same of a cue that may not decide, and still so where an explicit cue is given
    ignored       below .02
    slight        between, or not clear

By the estimate from texts as they are, which takes the word where it fails:

    off support   more than 5 % of the probabilities of the cue lie outside [.02, .98]: there is nothing to compare
    disagree      the edits differ from the estimate by more than 3 standard errors of the difference (and by .005)

And where edits are wanting, so that nothing checks the estimate:

    not edited    no case could be edited for certain
    few edits     fewer than 20 could: their mean is shown, and no word is said of it
"""

from __future__ import annotations

from dataclasses import dataclass

from .edited import Mean
from .sensitivity import Closing

USED, SHORTCUT, IGNORED, SLIGHT = "used", "shortcut", "ignored", "slight"
DISAGREE, OFF_SUPPORT, NOT_EDITED, FEW_EDITS = "disagree", "off support", "not edited", "few edits"
MOVES, NOTHING = 0.05, 0.02
ERRORS, LEAST_GAP = 3.0, 0.005
"""LEAST_GAP: where a reader is a plain function of the cues, errors are near 0 and any rounding would be 3 of them."""
FEW = 20  # edited cases below which an effect, a gap, or an effect within a group, is not judged


@dataclass(frozen=True)
class Verdict:
    """word: one of the head of this file. use: what the edits alone say, None with too few. sentence: for a report."""

    word: str
    use: str | None
    sentence: str

    @property
    def flagged(self) -> bool:
        """Whether the estimate from texts as they are is not to be believed."""
        return self.word in (DISAGREE, OFF_SUPPORT)


def moves(effect: Mean | None) -> bool:
    """Beyond .05 with an interval that leaves out 0."""
    return effect is not None and abs(effect.value) > MOVES and effect.clear


def use_of(effect: Mean, explicit: Mean | None, legitimate: bool) -> str:
    """What the edits alone say. explicit: the effect where an explicit cue is given, None where there are too few."""
    if abs(effect.value) < NOTHING:
        return IGNORED
    if not moves(effect):
        return SLIGHT
    return SHORTCUT if not legitimate and moves(explicit) else USED


def agrees(gap: Mean | None) -> bool | None:
    """Whether edits and estimate are within 3 standard errors of their difference; None where they are too few."""
    if gap is None or gap.se is None or gap.n < FEW:
        return None
    return abs(gap.value) <= max(ERRORS * gap.se, LEAST_GAP)


def judge(
    effect: Mean | None,
    explicit: Mean | None,
    *,
    legitimate: bool,
    supported: bool | None,
    gap: Mean | None = None,
    closes: Closing | None = None,
) -> Verdict:
    """The verdict on one cue.

    Args:
        effect: of real edits; None where none was certain. explicit: the same where an explicit cue is given.
        supported: whether there is overlap; None where nothing was estimated.
        gap: edits less estimate, on the same cases. closes: what closes the gap.
    """
    use = None if effect is None or effect.n < FEW else use_of(effect, explicit, legitimate)
    if supported is False:
        told = "edits are too few to tell either" if use is None else f"the edits say {use}"
        return Verdict(OFF_SUPPORT, use, f"the texts alone cannot tell: the cue is fixed by others; {told}")
    if effect is None:
        return Verdict(NOT_EDITED, None, "no case could be edited for certain, so nothing checks the estimate")
    if use is None:
        return Verdict(FEW_EDITS, None, f"only {effect.n} could be edited, too few to say more than their mean")
    if agrees(gap) is False and gap is not None:
        return Verdict(DISAGREE, use, f"the estimate is off by {-gap.value:+.3f}; {_closed(closes)}; edits say {use}")
    return Verdict(use, use, _said(use, effect, explicit, legitimate))


def _closed(closes: Closing | None) -> str:
    if closes is None or closes.name is None:
        return "nothing known closes the gap: the reader goes by something that no cue here tells"
    return f"{closes.name} closes it most, to {-closes.after:+.3f}"


def _said(use: str, effect: Mean, explicit: Mean | None, legitimate: bool) -> str:
    if use == IGNORED:
        return "does not move the answer"
    if use == SLIGHT:
        clear = "clearly, but by little" if effect.clear else "not clearly"
        return f"moves the answer {clear}"
    if use == SHORTCUT:
        given = "" if explicit is None else f" ({explicit.value:+.3f})"
        return f"moves the answer and should not: it does so where an explicit cue is given{given}"
    if legitimate:
        return "moves the answer, as it may"
    if explicit is None:
        return "moves the answer; too few texts say something explicit to tell whether it overrides that"
    return f"moves the answer, but hardly where an explicit cue is given ({explicit.value:+.3f}), as a guess may"
