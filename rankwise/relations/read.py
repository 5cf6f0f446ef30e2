"""From raw text to a timeline: sentences, times, events, what the model says of each pair, one consistent graph."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

from ..data import folder
from ..errors import DataError, explain
from .corpora import read as corpus
from .extract import FILE, REACH, Extractor
from .language import language
from .onward import DEICTIC, tells_on
from .schema import Document
from .sentences import split
from .timeline import Timeline, of_decoded
from .times import checked_date, document_date, month_first, no_day, times, whole_day

ENGLISH = "en"
FOREIGN = 0.5  # how sure the guess of another language must be before it is said
MANY = 600  # events; more are too many to draw, and to decode in a minute
WEEK, YEAR = 7, 366  # days
ONWARD = "a weekday, or a month without its year, is counted from what was told before it"
OPENING = 200  # characters in which a text's own date stands
SAMPLE = "113227_Russian_stock_markets_suspended_amid_market_turmoil"


def prepare(text: str, created: str = "", name: str = "text") -> tuple[Document, list[str]]:
    """The text with sentences, times and its own date, and what a reader should know about it.

    created: TIMEX3 date on which the text was written; "" takes the first full date in the text.

    Raises DataError for an empty text and for a date that cannot be.
    """
    if not text.strip():
        raise DataError(explain(f"{name} is empty.", "A timeline needs a text with events."))
    created, begins, notes = _dated(text, created)
    code, sure = language(text)
    if code != ENGLISH and sure >= FOREIGN:
        notes.append(f"The text looks like another language ({code}); this reader was trained on English.")
    document = Document(name, text, (), times(text, created or None, begins=begins), (), split(text), created)
    undated = [t for t in document.timexes if t.type in ("DATE", "TIME") and not t.value]
    wrong = [t for t in undated if no_day(document.surface(t.id))]
    notes += [f'"{document.surface(t.id)}" is no day of the calendar, so it dates nothing.' for t in wrong]
    notes += [
        f'"{document.surface(t.id)}" is read month first, as {t.value}. If the day comes first, write the month out.'
        for t in document.timexes
        if month_first(document.surface(t.id))
    ]
    if not created and len(undated) > len(wrong):
        notes.append(
            "Times that need the day of writing (yesterday, last week) stay open. To give it: --date YYYY-MM-DD"
        )
    return document, notes


def _dated(text: str, created: str) -> tuple[str, str, list[str]]:
    """The day of writing, the day on which a report begins, "" where there is none, and what is to be said of them."""
    head = text[:OPENING] if created else text
    day, (start, end) = document_date(head) or ("", (0, 0))
    said, report = " ".join(text[start:end].split()), bool(day) and tells_on(text, start)
    if day and not report:
        day, _ = document_date(head, last=True) or (day, 0)
    if created:
        created, notes = checked_date(created), []
        apart = abs((date.fromisoformat(day) - whole_day(created)).days) if day else 0
        old = apart > YEAR and DEICTIC.search(text)  # its "yesterday" is not of the day on which it begins
        if report and apart > WEEK and not old:
            notes.append(f'The text is read as a report that begins on "{said}": {ONWARD}.')
            return created, day, notes
        if day and apart > YEAR:
            notes.append(f'The text begins with "{said}" ({day}), far from the date given, {created}. Is that right?')
        return created, "", notes
    if report:
        return "", day, [f'No date was given. The report begins on "{said}" ({day}): {ONWARD}.']
    if day:
        what = (
            "is taken for the day of writing, from which days without a date are counted. To give it: --date YYYY-MM-DD"
        )
        return day, "", [f'No date was given: the first one in the text, "{said}" ({day}), {what}']
    return "", "", ["No date was given, and the text has no full one: the day of writing is not known."]


def read(
    text: str,
    extractor: Extractor,
    *,
    created: str = "",
    name: str = "text",
    reach: int = REACH,
    threshold: float = 0.5,
) -> Timeline:
    """The timeline of a text.

    Args:
        created: when it was written, as TIMEX3; "" takes the first full date in the text.
        reach: events so many sentences apart are asked about; the rest follows, or stays open.
        threshold: probability from which a word is an event.

    Raises:
        DataError: an empty text, one without events, or with more than 600; a date that cannot be.
        BadFile: the extractor finds no events.
    """
    document, notes = prepare(text, created, name)
    found = extractor.find([document], threshold)[0]
    inside = [f for f in found if not any(t.start < f.event.end and f.event.start < t.end for t in document.timexes)]
    if not inside:
        n = len(document.sentences)
        raise DataError(
            explain(
                f"{name}: no events were found in {n} sentence{'s' * (n != 1)}, so there is nothing to order.",
                "; ".join(notes) if len(notes) > 1 else "",
                f"To take less certain ones: threshold={threshold / 2:g}",
            )
        )
    if len(inside) > MANY:
        raise DataError(
            explain(
                f"{name} has {len(inside)} events; a timeline holds at most {MANY}.",
                "Split the text into parts.",
                "To take only the surest events: threshold=0.9",
            )
        )
    document = replace(document, events=tuple(f.event for f in inside))
    if len(inside) == 1:
        notes.append("There is one event, so there is nothing to order it against.")
    reading = extractor.decode(document, reach)
    sure = {f.event.id: f.confidence for f in inside}
    return of_decoded(
        document,
        reading.decoded,
        reading.said,
        confidence=sure,
        stated=reading.stated,
        beside=reading.beside,
        notes=notes,
    )


def sample() -> tuple[str, str]:
    """Name and text of an article of MEANTIME that the extractor in the package was not trained on: SAMPLE, or should a
    later extractor learn from that one, the first."""
    held = json.loads((folder("timeline_reader") / FILE).read_text(encoding="utf-8"))["held_out"]["meantime"]
    document = corpus("meantime")[SAMPLE if SAMPLE in held else held[0]]
    lines = [document.text[start:end] for start, end in document.sentences]
    return document.id, "\n".join(joined(line) for line in lines) + "\n"


def joined(tokens: str) -> str:
    """Tokens with the spaces of print again: "a , b 's ( c )" as "a, b's (c)"."""
    text = re.sub(r" ([,.;:!?%)\]]|'s\b|n't\b|'(?=\s|$))", r"\1", tokens)
    text = re.sub(r"([(\[$]) ", r"\1", text)
    text = re.sub(r"`` ?", '"', text)
    return re.sub(r" ?''", '"', text)
