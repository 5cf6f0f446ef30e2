"""Causes that a text states, by hand: who causes what, and where a reader would not be sure."""

from __future__ import annotations

import pytest

from rankwise.relations.schema import Document, Event
from rankwise.relations.signals import stated_causes


def causes(text: str) -> list[tuple[str, str]]:
    """Events are the words in [brackets]; pairs (cause, effect) of words."""
    bare, events = "", []
    for at, piece in enumerate(text.replace("]", "[").split("[")):
        if at % 2:
            events.append(Event(f"e{at}", len(bare), len(bare) + len(piece)))
        bare += piece
    document = Document("d", bare, tuple(events), sentences=((0, len(bare)),))
    word = {e.id: bare[e.start : e.end] for e in events}
    return [(word[a], word[b]) for a, b in stated_causes(document)]


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Sales [fell] because of the [strike].", ("strike", "fell")),
        ("Sales [fell] because workers [struck].", ("struck", "fell")),
        ("Shares worldwide [surge] due to a government [plan].", ("plan", "surge")),
        ("Flights were [cancelled] thanks to the [storm].", ("storm", "cancelled")),
        ("They [hold] shares as a result of a 1988 [agreement].", ("agreement", "hold")),
        ("A [boycott] in the wake of the [ruling].", ("ruling", "boycott")),
        ("The [loss] stems from [write-downs].", ("write-downs", "loss")),
        ("The [savings] resulting from the [merger].", ("merger", "savings")),
        ("The [fire] was largely caused by a [leak].", ("leak", "fire")),
        ("Its [growth] was fueled by lower [costs].", ("costs", "growth")),
        ("The weak [profit] was partly the result of [competition].", ("competition", "profit")),
        ("The [storm] led to [losses].", ("storm", "losses")),
        ("The [move] would result in a [charge].", ("move", "charge")),
        ("The [quake] has caused huge [damage].", ("quake", "damage")),
        ("Because of the [strike], sales [fell].", ("strike", "fell")),
        ("Thanks to a quick [repair], the road [reopened].", ("repair", "reopened")),
        ("The [explosion] triggered a [fire].", ("explosion", "fire")),
        ("It [fell], because the firm no longer [consolidates] them.", ("consolidates", "fell")),
    ],
)
def test_a_signal_between_two_events_tells_which_is_the_cause(text, pair):
    assert causes(text) == [pair]


@pytest.mark.parametrize(
    "text",
    [
        "Sales [fell] after the [strike].",
        "It [fell], the company [said], because of the [strike].",  # said is not why
        "He [left], not because he was [asked].",
        "It [left] before it was due to [land].",
        "A [bug] which [spread] and caused a [crash].",
        "The [plan] may have the power to cause a [split].",
        "Talks [failed]; because of the [strike], sales fell.",
        "The [strike] caused by nobody.",
        "Because of the [strike], and though it [rained], sales held.",
        "Police [found] no evidence that the [quake] caused the [leak].",
        "Was the [crash] caused by the [storm]?",
        "If the dam [fails] because of the [storm], we go.",
        "The [recall] may have been caused by a [fault].",
        "Because of the [strike], trains did not [run].",
        "Due to the [storm], flights may [stop].",
        "Critics [deny] that the [reform] caused the [crisis].",
        "They [hope] that leads to [peace].",
        "It [met] cause-and-effect [tests].",
        "The [deal] led the [board] to act.",
    ],
)
def test_what_is_open_is_not_stated(text):
    assert causes(text) == []


def test_other_sentences_and_far_events_are_left_out():
    document = Document(
        "d", "It fell. Because of rain it rose.", (Event("a", 3, 7), Event("b", 20, 24)), sentences=((0, 8), (9, 33))
    )
    assert stated_causes(document) == []
    assert causes(f"Sales [fell] {'very ' * 30}fast because of the [strike].") == []


def test_a_signal_may_itself_be_an_event():
    assert causes("The [sale] was [triggered] by a [loss].") == [("loss", "sale")]
