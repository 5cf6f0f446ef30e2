"""The audit on stories whose effects are known, and on small cues of our own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from rankwise.causal.audit import How, audit
from rankwise.causal.cue import Case
from rankwise.causal.narratives import CUES, NAMES, Story
from rankwise.causal.readers import LogitReader, reads_only
from rankwise.errors import DataError, RecipeError
from rankwise.relations.edits import apply
from rankwise.relations.schema import Document, Event

READER = LogitReader(
    {"connective": 2.5, "order": 0.6, "tense": 1.0, "trigger": 0.8, "distance": -0.4, "signal": 1.0}, noise=0.5
)
STORY = Story(confounding=0.7)
CASES = STORY.draw(500, 1)
PLAIN = How(refuters=(), sensitive=False)
WHOLE = audit(CASES, READER, CUES, how=PLAIN)


@dataclass(frozen=True)
class Word:
    """1 where the text says `yes`, 0 where it says `no`; edited by exchanging one for the other."""

    name: str
    yes: str
    no: str
    legitimate: bool = True

    def value(self, case):
        return 1 if self.yes in case.document.text else 0 if self.no in case.document.text else None

    def edit(self, case, value):
        old, new = (self.no, self.yes) if value else (self.yes, self.no)
        at = case.document.text.find(old)
        return case if at < 0 else replace(case, document=apply(case.document, [(at, at + len(old), new)], ()))


SOON, BIG = Word("soon", "soon", "late"), Word("big", "big", "tiny", False)


def small(soon: list[int], big: list[int], pairs: int = 1) -> list[Case]:
    found = []
    for i, (s, b) in enumerate(zip(soon, big, strict=True)):
        text = f"Ann {i} sang {('late', 'soon')[s]}. A {('tiny', 'big')[b]} dog slept."
        at, to = text.index("sang"), text.index("slept")
        document = Document(f"d{i}", text, (Event("a", at, at + 4), Event("b", to, to + 5)))
        found += [Case(document, ("a", "b"))] * pairs
    return found


def by_soon(cases):
    return np.array([0.8 if "soon" in c.document.text else 0.3 for c in cases])


COINS = np.random.default_rng(0).integers(2, size=(2, 80)).tolist()


def test_edits_give_the_exact_effect_of_the_planted_reader():
    for cue in WHOLE.cues:
        assert cue.effect is not None
        assert cue.effect.value == pytest.approx(READER.ace(cue.name, CASES), abs=1e-12)


def test_intervals_of_the_edits_hold_the_effect_over_all_stories():
    assert sum(c.effect.low <= STORY.ace(c.name, READER.mean) <= c.effect.high for c in WHOLE.cues) >= 5


def test_the_estimate_is_near_the_edits_and_the_difference_of_means_is_not():
    for cue in WHOLE.cues:
        assert cue.agrees
        assert abs(cue.observed.ate - cue.effect.value) < 0.04
    assert WHOLE["distance"].naive > 0.1 > 0 > WHOLE["distance"].effect.value


def test_everything_besides_the_cue_is_held_fixed():
    assert set(WHOLE["tense"].observed.held) == {*NAMES, "style"} - {"tense"}


def test_a_reader_of_connectives_alone_ignores_the_rest():
    found = audit(CASES, reads_only("connective"), CUES, how=PLAIN)
    assert found["connective"].verdict.word == "used"
    assert found["connective"].effect.value > 0.85
    assert {c.verdict.word for c in found.cues[1:]} == {"ignored"}
    assert not found.flagged
    assert max(abs(c.effect.value) for c in found.cues[1:]) == 0
    assert found.contrast.both.value == 1.0


def test_a_shortcut_is_told_from_a_cue_that_may_decide():
    strong = LogitReader({"connective": 1.5, "trigger": 2.0})
    found = audit(CASES, strong, CUES, how=PLAIN)
    assert found["trigger"].verdict.word == "shortcut"
    assert found["connective"].verdict.word == "used"


def test_cues_that_fix_each_other_are_off_support_and_not_estimated():
    found = audit(Story(deterministic=True).draw(300, 2), READER, CUES, how=PLAIN)
    assert found.flagged == NAMES
    assert all(c.observed is None and not c.overlap.ok for c in found.cues)
    assert found["connective"].effect.value > 0.2
    assert "off support" in found["connective"].lacking


def test_a_cue_left_out_is_found_out_by_the_edits_and_named():
    cases = [replace(c, style="") for c in Story(confounding=0.9).draw(600, 1)]
    found = audit(cases, LogitReader({"connective": 4.0, "trigger": 1.0}), CUES[1:], others=CUES[:1], how=PLAIN)
    trigger = found["trigger"]
    assert trigger.verdict.word == "disagree"
    assert trigger.closing.name == "connective"
    assert trigger.observed.ate > trigger.effect.value + 0.05
    assert abs(trigger.closing.after) < abs(trigger.closing.before) / 3


def test_refuters_pass_an_estimate_that_lacks_a_cue():
    cases = [replace(c, style="") for c in Story(confounding=0.9).draw(400, 1)]
    how = How(refuters=("placebo", "random common cause"), simulations=6)
    found = audit(cases, LogitReader({"connective": 4.0, "trigger": 1.0}), CUES[3:4], others=CUES[:1], how=how)
    trigger = found["trigger"]
    assert trigger.verdict.flagged
    assert all(r.passed for r in trigger.refuted)
    assert 0 < trigger.sensitivity.robustness < 1


def test_an_unseen_cue_is_measured_by_the_strongest_seen():
    found = audit(CASES, READER, CUES[:2], how=How(refuters=()))
    told = found["order"].sensitivity
    assert told.strongest in ("connective", "style")
    assert told.shift == told.without - told.ate
    assert told.strongest in told.sentence


def test_small_cues_of_ones_own_by_hand():
    found = audit(small(*COINS), by_soon, [SOON, BIG], how=PLAIN)
    assert found["soon"].effect.value == pytest.approx(0.5)
    assert found["big"].effect.value == 0
    assert found["soon"].observed.ate == pytest.approx(0.5)
    assert found["soon"].verdict.word == "used"
    assert [p.group for p in found["big"].parts] == ["given"]


def test_pairs_of_one_document_count_once():
    once = audit(small(*COINS), READER_BY_LENGTH, [SOON], how=PLAIN)["soon"]
    four = audit(small(*COINS, pairs=4), READER_BY_LENGTH, [SOON], how=PLAIN)["soon"]
    assert four.effect.n == 4 * once.effect.n
    assert four.effect.se == pytest.approx(once.effect.se, rel=0.02)
    assert four.observed.se == pytest.approx(once.observed.se, rel=0.35)


def READER_BY_LENGTH(cases):
    return np.array([(len(c.document.text) % 7) / 10 + 0.2 * ("soon" in c.document.text) for c in cases])


def test_a_cue_with_one_value_has_edits_and_no_estimate():
    found = audit(small([1] * 40, COINS[1][:40]), by_soon, [SOON, BIG], how=PLAIN)["soon"]
    assert found.observed is None
    assert found.lacking == "0 cases have it at 0, and 10 are needed"
    assert found.effect.value == pytest.approx(0.5)
    assert found.verdict.word == "used"
    assert np.isnan(found.naive)


def test_a_cue_without_edits_has_an_estimate_and_no_verdict_on_use():
    class Fixed(Word):
        def edit(self, case, value):
            return None

    found = audit(small(*COINS), by_soon, [Fixed("soon", "soon", "late")], how=PLAIN)["soon"]
    assert found.effect is None
    assert found.skipped == {"not certain": 80}
    assert found.verdict.word == "not edited"
    assert found.observed.ate == pytest.approx(0.5)


def test_a_cue_that_no_text_has_is_told_beside_the_others():
    found = audit(small(*COINS), by_soon, [SOON, Word("none", "xx", "yy")], how=PLAIN)["none"]
    assert (found.have, found.effect, found.observed) == (0, None, None)


def test_documents_without_any_cue_are_refused():
    with pytest.raises(DataError, match=r"none of 80 cases has a cue.\n  Cues looked for: none"):
        audit(small(*COINS), by_soon, [Word("none", "xx", "yy")])


def test_no_cases_are_refused():
    with pytest.raises(DataError, match="no cases"):
        audit([], by_soon, [SOON])


@pytest.mark.parametrize("wrong", [{"nuisance": "forest"}, {"simulations": 1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(RecipeError):
        How(**wrong)


def test_one_seed_gives_one_audit():
    again = audit(CASES, READER, CUES[:1], how=PLAIN)["connective"]
    assert again.observed.ate == audit(CASES, READER, CUES[:1], how=PLAIN)["connective"].observed.ate
    assert audit(CASES, READER, CUES[:1], seed=1, how=PLAIN)["connective"].observed.ate != again.observed.ate


def test_accuracy_is_of_labelled_cases():
    labelled = [replace(c, label="BEFORE") for c in small([1] * 30 + [0] * 10, COINS[1][:40])]
    assert audit(labelled, by_soon, [SOON], how=PLAIN).accuracy.value == pytest.approx(0.75)
    assert audit(small(*COINS), by_soon, [SOON], how=PLAIN).accuracy is None


def test_what_the_page_shows_is_so():
    page = (Path(__file__).parents[1] / "docs" / "audit.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    exec(compile(code, "audit.md", "exec"), {})
