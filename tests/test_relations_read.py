"""Raw text to a timeline with the extractor that ships: what it finds, what it says aloud, and what it refuses."""

from __future__ import annotations

from datetime import datetime

import pytest

from rankwise.data import folder
from rankwise.errors import DataError
from rankwise.relations.corpora import read as corpus
from rankwise.relations.extract import Extractor
from rankwise.relations.read import joined, prepare, read, sample
from rankwise.relations.schema import DEADLINE

STORY = """A cargo ship hit the bridge on Monday night after its engines failed. The collision caused the collapse of
two spans. Divers searched the river on Tuesday and found two survivors. Officials closed the port, and prices rose."""


@pytest.fixture(scope="module")
def reader():
    return Extractor.load(folder("timeline_reader"))


def test_a_story_becomes_one_consistent_graph(reader):
    made = read(STORY, reader, created="2024-05-14")
    words = [made.document.surface(e.id) for e in made.document.events]
    assert {"hit", "failed", "collapse", "searched", "found", "closed", "rose"} <= set(words)
    assert [t.value[:10] for t in made.document.timexes] == ["2024-05-13", "2024-05-14"]
    assert made.contradictions == ()
    assert len(made.of_kind("temporal")) > len(words)
    assert all(0 < p <= 1 for p in made.confidence.values())
    place = {made.document.surface(name): at for at, layer in enumerate(made.layers) for name in layer}
    assert place["failed"] < place["hit"]
    assert ("collision", "collapse") in {
        tuple(made.document.surface(x) for x in link.pair) for link in made.of_kind("causal")
    }
    assert made.notes == ()


def test_a_deadline_bounds_its_event_by_the_word_of_the_text(reader):
    made = read("The road must be repaired by 9 May 2024.", reader)
    names = {made.document.surface(e.id): e.id for e in made.document.events}
    bound = made.bounds[names["repaired"]]
    assert (bound.latest, bound.open) == (datetime(2024, 5, 10), True)
    (link,) = [x for x in made.links if x.relation.original == DEADLINE]
    assert (link.pair[0], link.origin) == (names["repaired"], "text")


def test_two_dates_of_one_event_are_a_contradiction_that_is_told(reader):
    text = "The road opened on 8 May 2024. On 4 May 2024 the shop closed on 6 May 2024, and the mayor spoke."
    made = read(text, reader)
    (found,) = made.contradictions
    assert found.kind == "dates"
    assert {made.document.surface(x) for r in found.cycle for x in (r.source, r.target)} >= {"4 May 2024", "6 May 2024"}
    assert (found.left_out.label, found.left_out.confidence) == ("EQUAL", 0.97)


def test_the_first_date_of_the_text_is_taken_and_said(reader):
    made = read("Paris, 14 May 2024. The ship hit a bridge on Monday, and it sank.", reader)
    assert made.document.created == "2024-05-14"
    assert '"14 May 2024" (2024-05-14), is taken for the day of writing' in made.notes[0]


def test_of_a_range_the_day_of_writing_is_the_last_and_a_report_begins_on_the_first():
    minutes, (note,) = prepare(
        "Minutes, 2 to 11 September 2024. On 10 September the board had met to hear of the new plan."
    )
    assert minutes.created == "2024-09-11"
    assert "To give it: --date YYYY-MM-DD" in note
    assert [t.value for t in minutes.timexes] == ["2024-09-02", "2024-09-10"]
    for words in ("Between 1 and 5 May 2018", "From 1 to 5 May 2018"):
        report, _ = prepare(f"{words} the ground shook. On 17 May the hill burst.")
        assert report.created == ""
        assert [t.value for t in report.timexes] == ["2018-05-01", "2018-05-17"]


def test_an_hour_in_a_newspaper_is_of_the_day_told_before_it_and_else_of_the_day_of_writing():
    sunk, _ = prepare("The ferry sank on Saturday. The crew called at 15:52.", "2023-03-06")
    assert [t.value for t in sunk.timexes] == ["2023-03-04", "2023-03-04T15:52"]
    today, _ = prepare("The mayor spoke at 10am.", "2023-03-06")
    assert [t.value for t in today.timexes] == ["2023-03-06T10:00"]


def test_a_report_that_begins_with_a_date_is_read_onwards():
    document, notes = prepare("On 14 May 2024 the ship hit a bridge. It sank on Monday.")
    assert document.created == ""  # nobody knows when it was written
    assert [t.value for t in document.timexes] == ["2024-05-14", "2024-05-20"]
    assert 'report begins on "14 May 2024" (2024-05-14)' in notes[0]


def test_a_date_given_does_not_make_a_newspaper_of_a_report():
    text = "On 3 March 2020 the pump failed. On Monday it was replaced, and yesterday they met."
    document, notes = prepare(text, "2020-07-01")
    assert document.created == "2020-07-01"
    assert [t.value for t in document.timexes] == ["2020-03-03", "2020-03-09", "2020-06-30"]
    assert 'begins on "3 March 2020"' in notes[0]
    assert prepare("On 3 March 2020 the pump failed. On Monday it was replaced.", "2020-03-05")[1] == []


def test_an_old_date_in_a_text_that_points_at_its_day_of_writing_is_no_beginning():
    text = "The firm opened on 1 July 1998. On Tuesday it said that it would strike next week."
    document, notes = prepare(text, "2024-09-10")
    assert [t.value for t in document.timexes] == ["1998-07-01", "2024-09-10", "2024-W38"]
    assert "far from the date given" in notes[0]


def test_a_date_far_from_the_texts_own_is_doubted():
    _, (note,) = prepare("Paris, 14 May 2021. It burned last month.", "2030-01-01")
    assert "far from the date given, 2030-01-01" in note


def test_times_that_need_the_day_of_writing_are_told_of_where_there_are_any():
    assert [len(prepare(text)[1]) for text in ("They bought it in March 2019.", "He met me yesterday.")] == [1, 2]


def test_a_date_that_cannot_be_is_told():
    _, notes = prepare("On 31 February 2020 the storm broke. It was cold.")
    assert notes[-1] == '"31 February 2020" is no day of the calendar, so it dates nothing.'


def test_a_date_in_figures_is_said_to_be_read_month_first():
    _, notes = prepare("They met on 05/06/2021 and left on 13/06/2021.", "2021-09-01")
    said = '"05/06/2021" is read month first, as 2021-05-06. If the day comes first, write the month out.'
    assert [note for note in notes if "month first" in note] == [said]
    assert not any("To give it" in note for note in notes)  # a day of writing would not mend it


def test_without_a_date_and_in_another_language_it_is_said():
    document, notes = prepare("L'entreprise a annoncé lundi la fermeture de deux usines après la baisse des ventes.")
    assert document.created == ""
    assert "the day of writing is not known" in notes[0]
    assert "(fr)" in notes[1]


def test_one_event_is_drawn_and_said(reader):
    made = read("They met.", reader, created="2024")
    assert len(made.document.events) == 1
    assert "nothing to order it against" in made.notes[-1]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("", {}, "text is empty"),
        (" \n", {"name": "a.txt"}, "a.txt is empty"),
        ("The red house.", {"created": "2024"}, "no events were found in 1 sentence,"),
        ("They met.", {"created": "2021-02-30"}, "2021-02-30"),
    ],
)
def test_a_text_that_gives_no_timeline_is_refused_with_the_reason(reader, text, options, says):
    with pytest.raises(DataError, match=says):
        read(text, reader, **options)


def test_too_many_events_are_refused_with_a_way_out(reader, monkeypatch):
    monkeypatch.setattr("rankwise.relations.read.MANY", 2)
    with pytest.raises(DataError, match=r"a timeline holds at most 2(.|\n)*threshold=0.9"):
        read(STORY, reader, created="2024-05-14")


def test_the_sample_is_an_article_of_the_package_that_was_held_out():
    name, text = sample()
    document = corpus("meantime")[name]
    assert "".join(text.split()) == "".join(document.text.replace("``", '"').replace("''", '"').split())
    assert " ," not in text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("a , b 's ( c ) .", "a, b's (c)."),
        ("it did n't cost $ 5 %", "it didn't cost $5%"),
        ("he said , `` no . ''", 'he said, "no."'),
    ],
)
def test_tokens_are_joined_as_they_are_printed(tokens, text):
    assert joined(tokens) == text
