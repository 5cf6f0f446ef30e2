"""Time expressions of English text and their TIMEX3 values, anchored at the day on which the text was written.

Microsoft's Recognizers-Text finds and resolves them: of the libraries on PyPI it alone gives spans with values in TIMEX
terms, for dates, ranges, durations and sets (docs/times.md has the comparison). Here its answers become TIMEX3, and
what could be two days ("Monday") becomes one: the last on or before the day of writing, as newspapers mean it, or the
next one where the words before it look ahead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from recognizers_date_time import Culture, recognize_datetime

from ..errors import DataError, explain
from .schema import Span, Timex

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WILL = re.compile(r"\b(will|shall|would)\b", re.IGNORECASE)
FULL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
AHEAD = re.compile(r"\b(will|shall|would|next|coming|upcoming|due|scheduled|expected|until|by)\b", re.IGNORECASE)
LEAD = re.compile(
    r"(?:since|from|before|after|until|till|by|in|on|at|during|for|between|about|around|of)\s+", re.IGNORECASE
)
BARE = re.compile(r"\d{1,2}")  # "13 percent" is no hour
PART = re.compile(r"T(MO|AF|EV|NI|MI|DT)$")
SEASONS = ("SP", "SU", "FA", "WI")
TYPES = {"duration": "DURATION", "set": "SET", "time": "TIME", "datetime": "TIME", "datetimerange": "TIME"}
BEGINNING = 5000  # characters in which the document's own date is looked for
NEAR = 60  # characters around an expression, in its sentence, in which a word may look ahead
ANCHORS = datetime(2001, 5, 16), datetime(2014, 11, 27)  # two days that share neither weekday, month nor year


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    kind: str
    values: tuple[dict[str, str], ...]


def times(text: str, created: str | date | None = None) -> tuple[Timex, ...]:
    """Time expressions in the order of the text, named t1, t2, ...

    created: the day of writing as a TIMEX3 date (a year or a month counts from its first day), or None: then only what
        does not depend on it has a value ("14 May 2009", "for three days"), and the rest has "".

    Raises DataError for a date that cannot be.
    """
    if created is None or created == "":
        first, second = (list(_recognised(text, anchor)) for anchor in ANCHORS)
        said = [(f, _value(text, f, ANCHORS[0])) for f in first]
        other = {(f.start, f.end): _value(text, f, ANCHORS[1]) for f in second}
        found = [(f, v if other.get((f.start, f.end)) == v else "") for f, v in said]
    else:
        anchor = _day(created)
        found = [(f, _value(text, f, anchor)) for f in _recognised(text, anchor)]
    return tuple(
        Timex(f"t{i}", f.start, f.end, value, "DATE" if value.endswith("_REF") else TYPES.get(f.kind, "DATE"))
        for i, (f, value) in enumerate(found, 1)
    )


def document_date(text: str) -> tuple[str, Span] | None:
    """The first full date in the text's beginning, and where: a guess at when it was written, to be said aloud."""
    for found in _recognised(text[:BEGINNING], ANCHORS[0]):
        value = _value(text, found, ANCHORS[0])[:10]
        if DAY.fullmatch(value) and value[:4] in text[found.start : found.end]:
            return value, (found.start, found.end)
    return None


def checked_date(value: str) -> str:
    """The date if it can be: YYYY, YYYY-MM or YYYY-MM-DD. Raises DataError: the value, the rule and an example."""
    match = FULL_DATE.fullmatch(value.strip())
    if match:
        year, month, day = (int(part) if part else 1 for part in match.groups())
        try:
            date(year, month, day)
            return value.strip()
        except ValueError:
            pass
    raise DataError(
        explain(f"date={value!r} is no day.", "It is written YYYY-MM-DD.", "For example: 2021-02-28"), date=value
    )


def _day(created: str | date) -> datetime:
    if isinstance(created, date):
        return datetime(created.year, created.month, created.day)
    match = FULL_DATE.match(checked_date(created[:10]))
    parts = match.groups() if match else ()
    return datetime(*(int(part) if part else 1 for part in parts))  # type: ignore[arg-type]


def _recognised(text: str, anchor: datetime) -> Iterator[_Found]:
    """What the library finds, apart and in order."""
    end = 0
    found: list[Any] = recognize_datetime(text, Culture.English, reference=anchor)
    for r in sorted(found, key=lambda r: (r.start, -r.end)):
        values = tuple((r.resolution or {}).get("values", ()))
        if r.start < end or not values or BARE.fullmatch(text, r.start, r.end + 1):
            continue
        end = r.end + 1
        lead = LEAD.match(text, r.start, end)
        bare = recognize_datetime(text[lead.end() : end], Culture.English, reference=anchor) if lead else []
        if lead and len(bare) == 1 and (bare[0].start, bare[0].end) == (0, end - lead.end() - 1) and bare[0].resolution:
            yield _Found(lead.end(), end, _kind(bare[0]), tuple(bare[0].resolution.get("values", ())))
        else:
            yield _Found(r.start, end, _kind(r), values)


def _kind(recognised: Any) -> str:
    return str(recognised.type_name).rsplit(".", 1)[-1]


def _value(text: str, found: _Found, anchor: datetime) -> str:
    """The TIMEX3 value; "" where the expression has none."""
    first = found.values[0]
    said = first.get("timex", "")
    if said.endswith("_REF"):
        return said
    if found.kind == "set":
        return said
    if found.kind == "duration":
        return said if said.startswith("P") else ""
    if said[-2:] in SEASONS and (year := said[:4] if said[:4].isdigit() else str(anchor.year)):
        return f"{year}-{said[-2:]}"
    chosen = _chosen(text, found, anchor)
    if "start" in chosen:
        part = PART.search(said)
        return chosen["start"][:10] + part[0] if part else _range(chosen["start"], chosen.get("end", ""))
    value = chosen.get("value", "")
    if found.kind == "time" and value:
        return f"{anchor:%Y-%m-%d}T{value[:5]}"
    if found.kind == "datetime" and value:
        return value.replace(" ", "T")[:16]
    return value if DAY.fullmatch(value) else ""


def _chosen(text: str, found: _Found, anchor: datetime) -> dict[str, str]:
    """Of several readings the last that begins on or before the anchor; the first after it where words look ahead."""
    dated = sorted((v.get("start", v.get("value", "")), i) for i, v in enumerate(found.values))
    dated = [(when, i) for when, i in dated if DAY.match(when)]
    if len(dated) < 2:
        return found.values[dated[0][1]] if dated else found.values[0]
    today = f"{anchor:%Y-%m-%d}"
    past = [i for when, i in dated if when[:10] <= today]
    later = [i for when, i in dated if when[:10] > today]
    before = re.split(r"[.!?\n]", text[max(0, found.start - NEAR) : found.start])[-1]
    after = re.split(r"[.!?\n]", text[found.end : found.end + NEAR // 2])[0]
    ahead = bool(AHEAD.search(before) or WILL.search(after)) or not past
    return found.values[later[0] if ahead and later else past[-1]]


def _range(start: str, end: str) -> str:
    """A range of days as the TIMEX3 unit that it fills: year, quarter, month, week, day; else its first day."""
    try:
        first, last = date.fromisoformat(start[:10]), date.fromisoformat(end[:10])
    except ValueError:
        return start[:10]
    months = (last.year - first.year) * 12 + last.month - first.month
    if first.day == last.day == 1:
        if months == 12 and first.month == 1:
            return f"{first:%Y}"
        if months == 3 and first.month % 3 == 1:
            return f"{first:%Y}-Q{first.month // 3 + 1}"
        if months == 1:
            return f"{first:%Y-%m}"
        if months == 120 and first.month == 1 and first.year % 10 == 0:
            return f"{first.year // 10}"
    if last - first == timedelta(7) and first.weekday() == 0:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02d}"
    if last - first == timedelta(2) and first.weekday() == 5:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02d}-WE"
    return f"{first:%Y-%m-%d}"
