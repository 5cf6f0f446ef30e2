"""A cue of a story: an edited value is read again, and every other cue, the style and the events are held."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.causal.cue import Case
from rankwise.causal.plots import tell
from rankwise.causal.story_cues import CUES, NAMES, StoryCue, values
from rankwise.relations.schema import Document
from tests.test_causal_plots import LENA, plots

BY_NAME = {cue.name: cue for cue in CUES}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    document = tell(draw(plots()), "d", ("e1", "e2"))
    return Case(document, draw(st.sampled_from([("e1", "e2"), ("e2", "e1")])), "s")


@given(cases(), st.sampled_from(CUES), st.integers(0, 1))
def test_an_edited_value_is_read_again_and_every_other_cue_is_held(case: Case, cue: StoryCue, value: int) -> None:
    before = values(case)
    edited = cue.edit(case, value)
    if edited is None:
        assert before[cue.name] is None or case.document.text.count(".") == 2 or cue.name == "distance"
        return
    assert values(edited) == {**before, cue.name: value}
    assert (edited.document.id, edited.pair, edited.style) == (case.document.id, case.pair, case.style)
    assert sorted(e.id for e in edited.document.events) == ["e1", "e2"]
    assert edited.document.group == case.document.group


@given(cases(), st.sampled_from(CUES))
def test_only_an_absent_cue_or_a_joined_distance_cannot_be_set(case: Case, cue: StoryCue) -> None:
    value = cue.value(case)
    joined = len(case.document.sentences) - ("did led to" in case.document.text) == 2
    for target in (0, 1):
        possible = value == target or (value is not None and not (cue.name == "distance" and joined))
        assert (cue.edit(case, target) is not None) == possible


@given(cases(), st.sampled_from(CUES))
def test_editing_back_gives_the_same_words(case: Case, cue: StoryCue) -> None:
    value = cue.value(case)
    if value is None or (there := cue.edit(case, 1 - value)) is None:
        return
    back = cue.edit(there, value)
    assert back is not None
    if not (cue.name == "distance" and value):  # any of four sentences may have stood there
        assert back.document.text == case.document.text
        assert back.document.events == case.document.events


@given(cases())
def test_the_pair_the_other_way_round_turns_every_value_but_the_distance(case: Case) -> None:
    mine, theirs = values(case), values(replace(case, pair=case.pair[::-1]))
    for name in NAMES:
        value = mine[name]
        assert theirs[name] == (value if name == "distance" or value is None else 1 - value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("connective", "Lena had ordered the lamp. The square was quiet. Earlier, Omar received the stove."),
        ("order", "Omar received the stove. The square was quiet. Earlier, Lena had ordered the lamp."),
        ("tense", "Lena ordered the lamp. The square was quiet. Later, Omar had received the stove."),
        ("trigger", "Lena had received the lamp. The square was quiet. Later, Omar ordered the stove."),
        ("distance", "Lena had ordered the lamp. Later, Omar received the stove."),
        ("signal", "Lena had ordered the lamp. The square was quiet. Later, Omar received the stove."),
    ],
)
def test_each_edit_writes_these_words(name: str, text: str) -> None:
    case = Case(tell(LENA, "d", ("e1", "e2")), ("e1", "e2"), label="BEFORE")
    assert values(case) == dict.fromkeys(NAMES, 1)
    edited = BY_NAME[name].edit(case, 0)
    assert edited is not None
    led = "What Omar did led to what Lena did." if name == "signal" else "What Lena did led to what Omar did."
    assert edited.document.text == f"From the newswire. {text} {led}"
    assert edited.label is None
    assert edited.document.relations == ()
    said = edited.document.surface("e1")
    assert said == ("received" if name == "trigger" else "ordered")


def test_a_text_of_another_hand_has_none_of_them() -> None:
    document = tell(LENA, "d", ("e1", "e2"))
    other = Case(Document("d", document.text.replace("quiet", "loud"), document.events), ("e1", "e2"))
    assert set(values(other).values()) == {None}
    assert all(cue.edit(other, 1) is None for cue in CUES)
