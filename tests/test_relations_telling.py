"""What stands around a time."""

from __future__ import annotations

import pytest

from rankwise.relations.telling import told


def only(text: str):
    """The last [time] of the text, with those before it."""
    spans, plain = [], ""
    for letter in text:
        if letter == "[":
            spans.append([len(plain)])
        elif letter == "]":
            spans[-1].append(len(plain))
        else:
            plain += letter
    sentences, start = [], 0
    for part in plain.split(". "):
        sentences.append((start, start + len(part)))
        start += len(part) + 2
    return told(plain, [((a, b), "", "", False) for a, b in spans], sentences)[-1]


@pytest.mark.parametrize(
    ("text", "back", "ahead", "aside"),
    [
        ("It closed in [May].", False, False, False),
        ("It had closed in [May].", True, False, False),
        ("It will close in [May].", False, True, False),
        ("The plan was approved in [May].", False, False, False),
        ("It had rained. It closed in [May].", False, False, False),  # another sentence
        ("It had rained in [April], and closed in [May].", False, False, False),  # said of the other one
        ("It closed on [Monday] after a row on [27 February].", False, False, True),
        ("It closed after a row on [27 February].", False, False, False),
        ("It closed on [Monday]. After a row on [27 February] it opened.", False, False, False),
        ("By [May] it had closed.", False, True, False),
    ],
)
def test_cues_by_hand(text, back, ahead, aside):
    found = only(text)
    assert (found.back, found.ahead, found.aside) == (back, ahead, aside)


def test_a_time_beside_a_duration_is_told_by_its_sentence():
    """ "awarded it after a four-day trial that began on 11 April" """
    text = "It paid after a four-day trial that began on 11 April."
    days, day = (text.index("four-day"), text.index(" trial")), (text.index("11"), text.index("."))
    assert [t.aside for t in told(text, [(days, "P4D", "P4D", False), (day, "", "", False)], [(0, len(text))])] == [
        False,
        False,
    ]
