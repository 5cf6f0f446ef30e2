"""Dates in the event's own clause, and dates that are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rankwise.relations.anchors import anchored, due
from rankwise.relations.corpora import read
from rankwise.relations.schema import Document, Event, Timex


def document(text: str) -> Document:
    """Events in <angle brackets>, one time in [square ones]."""
    plain, events, timexes, opened = "", [], [], 0
    for letter in text:
        if letter in "<[":
            opened = len(plain)
        elif letter == ">":
            events.append(Event(f"e{len(events)}", opened, len(plain)))
        elif letter == "]":
            timexes.append(Timex("t", opened, len(plain), "2020-10", "DATE"))
        else:
            plain += letter
    return Document("d", plain, tuple(events), tuple(timexes), sentences=((0, len(plain)),))


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("The mayor <resigned> in [October 2020].", "e0"),
        ("A factory <burned> down in the [summer].", "e0"),
        ("They <met>, and she <left> Leeds on [Monday].", "e1"),
        ("On [Monday], they <met> and <left>.", "e0"),
        ("The bank <said> [Thursday] it <lost> money.", "e0"),
        ("It <closed> [last week].", "e0"),
        ("The mayor <resigned> [October 2020].", None),  # no preposition, and not a time that needs none
        ("They <said> that profits in [2020] <rose>.", None),  # another clause
        ("They <met> before the <vote> on [Monday].", "e1"),
        ("He <resigned> because of floods in [May].", None),
        ("<Resigned>, as he was to in [May].", None),
        ("The family <moved> to Cardiff in [1899].", "e0"),
        ("She <won> a place to the Royal College in [1910].", "e0"),
        ("They <agreed> to close it in [1910].", None),
        ("In [May] they <met>.", "e0"),
        ("In [May] they said that it <rose>.", None),
        ("They <bought> it from a rival and his brother in [May].", "e0"),
        ("He <met> friends of old from the town of Leeds and the villages around Leeds with us in [May].", None),  # far
        ("In [May], nothing.", None),
        ("[Three days later] the river <burst> its banks.", "e0"),
        ("It <appeared> in court [the next morning].", "e0"),
        ("It <fell> from [the previous month].", None),  # a comparison
        ("It <rose>, but in [March] a judge <ruled>.", "e1"),
        ("It <rose>; in [March] it <fell>.", "e1"),
        ("He <left> and in [June] he <returned>.", "e1"),
        ("We <signed> the <lease> on [Monday].", "e0"),
        ("The hall was <closed> that [evening].", "e0"),
        ("They <said> that [last week] it <rained>.", None),
        ("They <said> that [third quarter] <profits> fell.", None),
        ("At about [06:40] a lorry <struck> the rack.", "e0"),
        ("They <rejected> their last <offer> on [Monday].", "e0"),
        ("It <said> the firm <closed> on [Monday].", "e1"),  # no object
        ("They <hope> for a <deal> on [Monday].", "e1"),
        ("They <made> it after the <vote> on [Monday].", "e1"),
        ("It <rose> fast, in [March].", None),
        ("Voters must <register> by [Friday].", None),  # that is a deadline
        ("Schools will stay <closed> through [Friday].", None),
        ("It was <planned> for [Friday].", None),
    ],
)
def test_a_date_places_the_event_of_its_clause_alone(text, event):
    assert anchored(document(text)) == ([] if event is None else [(event, "t")])


@pytest.mark.parametrize("comma", ["", ","])
def test_a_noun_and_its_verb_behind_an_opening_date_are_both_placed(comma):
    found = anchored(document(f"On [3 March]{comma} the <storm> suddenly <broke> and <sank> ships."))
    assert found == [("e0", "t"), ("e1", "t")]


def test_two_times_that_open_a_sentence_both_place_its_event():
    one = document("On [14 September], at about 06:40, a lorry <struck> it.")
    both = replace(one, timexes=(*one.timexes, Timex("u", 26, 31, "2021-09-14T06:40", "TIME")))
    assert both.text[26:31] == "06:40"
    assert anchored(both) == [("e0", "t"), ("e0", "u")]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("It must be <completed> by [3 May].", "e0"),
        ("They <met> and <agreed> to it by [3 May].", None),  # "to"
        ("Sales were <hurt> by [Monday]'s strike.", None),
        ("It was <closed> on [3 May].", None),
        ("They <met>, and by [3 May] nothing.", None),
        ("By [3 May] they <met>.", "e0"),
        ("By the end of [May], they had <met>.", "e0"),
        ("It <stayed> shut until [Monday].", "e0"),
        ("It must <close> by the [Monday] deadline.", "e0"),
        ("It was <criticised> by the [2019] committee.", None),
        ("Voters must <register> by [Friday].", "e0"),
        ("It must be <paid> no later than [20 May].", "e0"),
        ("It did not <open> until [Monday].", None),
        ("It had not <begun> by [Monday].", None),
    ],
)
def test_what_is_due_by_a_date(text, event):
    assert due(document(text)) == ([] if event is None else [(event, "t")])


def test_what_leads_to_a_deadline_by_to_is_before_it_as_well():
    found = due(document("They <met> and <promised> to <repair> it by [3 May]."))
    assert found == [("e1", "t"), ("e2", "t")]
    found = due(document("They <promised> it, and will <repair> it by [3 May]."))
    assert found == [("e1", "t")]


def test_durations_place_nothing():
    d = document("It <lasted> in [May].")
    timex = Timex("t", d.timexes[0].start, d.timexes[0].end, "P3D", "DURATION")
    assert anchored(Document("d", d.text, d.events, (timex,), sentences=d.sentences)) == []


def test_annotators_of_meantime_agree():
    """98 of 103 in results/dates; truth as there: within the time, whatever of it."""
    said = []
    for d in read("meantime"):
        known = {frozenset((r.source, r.target)): r for r in d.of_kind("temporal")}
        said += [r.original for pair in anchored(d) if (r := known.get(frozenset(pair)))]
    assert len(said) > 80
    assert sum(word not in ("BEFORE", "AFTER") for word in said) > 0.93 * len(said)
