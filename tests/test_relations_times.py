"""Time expressions and their values by hand: absolute and relative, backward and forward, with and without a date."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankwise.errors import DataError
from rankwise.relations.times import checked_date, document_date, month_first, no_day, times

WEDNESDAY = "2009-05-20"


@pytest.mark.parametrize(
    ("text", "words", "value", "kind"),
    [
        ("It closed on May 14, 2009.", "May 14, 2009", "2009-05-14", "DATE"),
        ("It closed on Monday.", "Monday", "2009-05-18", "DATE"),
        ("It will close on Monday.", "Monday", "2009-05-25", "DATE"),
        ("On Monday it will close.", "Monday", "2009-05-25", "DATE"),
        ("It closed today.", "today", "2009-05-20", "DATE"),
        ("It closed yesterday.", "yesterday", "2009-05-19", "DATE"),
        ("It closed last week.", "last week", "2009-W20", "DATE"),
        ("It closed in April.", "April", "2009-04", "DATE"),
        ("It closed in October.", "October", "2008-10", "DATE"),
        ("It will close in October.", "October", "2009-10", "DATE"),
        ("It closed in 1998.", "1998", "1998", "DATE"),
        ("It is closed since 1998.", "1998", "1998", "DATE"),
        ("It closed in the first quarter of 2008.", "the first quarter of 2008", "2008-Q1", "DATE"),
        ("It closed two years ago.", "two years ago", "2007-05-20", "DATE"),
        ("It was closed for three days.", "three days", "P3D", "DURATION"),
        ("It closed this morning.", "this morning", "2009-05-20TMO", "TIME"),
        ("It closes every Monday.", "every Monday", "XXXX-WXX-1", "SET"),
        ("It is closed now.", "now", "PRESENT_REF", "DATE"),
        ("It is currently closed.", "currently", "PRESENT_REF", "DATE"),
        ("It closed early last year.", "early last year", "2008", "DATE"),
        ("It will open in late November.", "late November", "2009-11", "DATE"),
        ("It closed in the first half of 2008.", "the first half of 2008", "2008-H1", "DATE"),
        ("It was closed for the past two months.", "the past two months", "P2M", "DURATION"),
        ("It was closed for two decades.", "two decades", "P20Y", "DURATION"),
        ("It was closed for several weeks.", "several weeks", "PXW", "DURATION"),
        ("It closed two decades ago.", "two decades ago", "PAST_REF", "DATE"),
        ("It closed in the late 1990s.", "the late 1990s", "199", "DATE"),
        ("It closed at night.", "night", "2009-05-20TNI", "TIME"),
        ("It closed late Friday.", "Friday", "2009-05-15", "DATE"),
        ("It closed last April.", "last April", "2009-04", "DATE"),  # not of 2008
        ("It closed last June.", "last June", "2008-06", "DATE"),
        ("The meeting is on June 3.", "June 3", "2009-06-03", "DATE"),  # two weeks ahead, not a year back
        ("The fair opens on Sunday.", "Sunday", "2009-05-24", "DATE"),
        ("The fair opened on Sunday.", "Sunday", "2009-05-17", "DATE"),
        ("On 12 July, 14 men were held.", "12 July", "2008-07-12", "DATE"),
        ("In May, 30 dockers resigned.", "May", "2009-05", "DATE"),
        ("Sales fell on 3 March, 12 % of it abroad.", "3 March", "2009-03-03", "DATE"),
        ("It fell on May 3, 2008.", "May 3, 2008", "2008-05-03", "DATE"),
        ("It was done by the end of March 2008.", "the end of March 2008", "2008-03", "DATE"),
        ("Pay no later than 20 December 2008.", "20 December 2008", "2008-12-20", "DATE"),
        ("They met on Feb. 3.", "Feb. 3", "2009-02-03", "DATE"),
        ("They said on Monday that it would close.", "Monday", "2009-05-18", "DATE"),
        ("It closed and opened two years later.", "two years later", "", "DATE"),  # later than what?
        ("It rose from a year earlier.", "a year earlier", "", "DURATION"),
    ],
)
def test_values_by_hand(text, words, value, kind):
    (found,) = times(text, WEDNESDAY)
    assert (text[found.start : found.end], found.value, found.type) == (words, value, kind)


def test_without_a_day_only_what_needs_none_has_a_value():
    text = "On May 14, 2009 and on Monday, for three days, in 1998 and last week."
    assert [t.value for t in times(text)] == ["2009-05-14", "", "P3D", "1998", ""]
    assert times(text, "") == times(text)


def test_a_bare_number_is_no_hour():
    assert times("It held 19 percent and the others 13, but 3 pm is one.", WEDNESDAY)[0].value == "2009-05-20T15:00"
    assert len(times("It held 19 percent and the others 13.", WEDNESDAY)) == 0


def test_names_and_order():
    found = times("In 1998, in 1999 and in 2001.", date(2009, 5, 20))
    assert [t.id for t in found] == ["t1", "t2", "t3"]
    assert [t.start for t in found] == sorted(t.start for t in found)


def test_the_first_full_date_is_the_documents():
    text = "Since 1998 they met on Mondays. On 3 June 2008 they left; on 4 July 2010 they came."
    day, (start, end) = document_date(text)
    assert (day, text[start:end]) == ("2008-06-03", "3 June 2008")
    assert document_date("They met on Monday, in May, in 1998.") is None


@pytest.mark.parametrize("value", ["2021-02-30", "2021-13-01", "21-02-03", "tomorrow", "", "2021-2-3", "0000-01-01"])
def test_a_date_that_cannot_be_is_refused_with_an_example(value):
    with pytest.raises(DataError, match=r"(.|\n)*YYYY-MM-DD(.|\n)*2021-02-28") as error:
        checked_date(value)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("value", ["2021", "2021-02", "2020-02-29", " 2021-02-28 "])
def test_a_date_that_can_be_is_given_back(value):
    assert checked_date(value) == value.strip()


@given(st.text(max_size=60) | st.text(st.sampled_from("on Monday in 1998 May 3, ten days ago. "), max_size=40))
def test_whatever_the_text_spans_are_in_order_and_apart(text):
    at = 0
    for t in times(text, WEDNESDAY):
        assert at <= t.start < t.end <= len(text)
        at = t.end


def test_a_month_that_opens_a_sentence_in_the_past_is_the_last_one():
    said = "In January the council approved it. In January it will open. The first one ran in October."
    assert [t.value for t in times(said, "2021-11-05")] == ["2021-01", "2022-01", "2021-10"]


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("31 February 2020", True),
        ("February 30, 2020", True),
        ("29 February 2021", True),
        ("29 February 2020", False),
        ("29 February", False),  # of some year
        ("31 April", True),
        ("the 31st of June", True),
        ("31 May", False),
        ("2021-02-30", True),
        ("2021-13-01", True),
        ("2021-02-28", False),
        ("0000-01-01", True),
        ("3 to 8 May", False),
        ("May", False),
        ("14:05", False),
    ],
)
def test_dates_that_no_calendar_has(words, wrong):
    assert no_day(words) is wrong


def test_times_before_the_next_morning_are_not_lost():
    found = times("A crack was found on 2 February 2022, and the bridge closed the next morning.")
    assert [t.value for t in found] == ["2022-02-02", "2022-02-03TMO"]


@pytest.mark.parametrize(
    ("words", "either"),
    [("05/06/2021", True), ("5-6-21", True), ("5/05/2021", False), ("13/06/2021", False), ("5.6.2021", False)],
)
def test_figures_that_could_be_two_days_are_known(words, either):
    """The library reads dots day first, and 13 can be no month."""
    assert month_first(words) is either
    _, month, day = times(f"They met on {words}.")[0].value.split("-")
    first, second = (int(n) for n in words.replace("/", "-").replace(".", "-").split("-")[:2])
    assert ((int(month), int(day)) == (first, second)) is (either or first == second)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The review meeting is on Wednesday.", "2023-03-08"),
        ("The board meets on Wednesday.", "2023-03-08"),
        ("The meeting was on Wednesday.", "2023-03-01"),
        ("He is seen on Wednesday.", "2023-03-01"),  # not right before it
    ],
)
def test_what_is_on_a_weekday_is_still_to_come(text, value):
    assert [t.value for t in times(text, "2023-03-06")] == [value]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("from 10 May to 12 May 2020", ["2020-05-10", "2020-05-12"]),
        ("from May to July 2019", ["2019-05", "2019-07"]),
        ("on 10 May or 11 May 2020", ["2020-05-10", "2020-05-11"]),
        ("on May 10 and May 11, 2020", ["2020-05-10", "2020-05-11"]),
        ("on 3 March, 5 April and on 7 June 2019", ["2019-03-03", "2019-04-05", "2019-06-07"]),
        ("from November to February 2019", ["2018-11", "2019-02"]),  # a range runs forward
        ("from Nov. 2018 to Feb. 2019", ["2018-11", "2019-02"]),
        ("in May, and in June 2019 they left", ["2021-05", "2019-06"]),  # another clause
        ("in May and in 2019", ["2021-05", "2019"]),
        ("on 3 May. In June 2019 they left", ["2021-05-03", "2019-06"]),
        ("from 30 February to 12 May 2020", ["", "2020-05-12"]),  # no calendar has it
        ("on 3 March, 31 April and 5 May 2020", ["2021-03-03", "", "2020-05-05"]),
    ],
)
def test_the_year_of_the_last_of_several_dates_is_that_of_all(words, values):
    assert [t.value for t in times(f"They met {words}.", "2021-09-01")] == values


def test_a_year_that_follows_makes_a_date_that_needs_no_day_of_writing():
    assert [t.value for t in times("It lasted from 10 May to 12 May 2020.")] == ["2020-05-10", "2020-05-12"]
