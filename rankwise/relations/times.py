"""Time expressions of English text and their TIMEX3 values, anchored at the day on which the text was written.

Microsoft's Recognizers-Text finds and resolves them: of the libraries on PyPI it alone gives spans with values in TIMEX
terms, for dates, ranges, durations and sets (docs/times.md has the comparison). Here its answers become TIMEX3, and
what could be two days ("Monday") becomes one: the last on or before the day of writing, as newspapers mean it, or the
next one where the words before it look ahead.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta

from ..errors import DataError, explain
from .onward import onward, since_told
from .schema import Span, Timex
from .sentences import split
from .telling import DID, told
from .time_mentions import COUNTED, Found, mentions

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WILL = re.compile(r"\b(will|shall|would)\b", re.IGNORECASE)
FULL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
AHEAD = re.compile(
    r"\b(will|shall|would|next|coming|upcoming|due|scheduled|expected|until|by|expires?|payable|plans?|deadline)\b",
    re.IGNORECASE,
)
PLANNED = re.compile(
    r"\b(?:(?:(?:re)?opens|begins|starts|resumes|closes|ends|expires|returns)\s+(?:on\s+)?"
    r"|(?:is|are|takes?\s+place|meets?)\s+on\s+)$",
    re.IGNORECASE,
)
"""Right before a weekday: "The fair opens on Sunday", "The meeting is on Wednesday"."""
ENDED = re.compile(r"\b(?:by|(?:lasted|continued|remained)\s+until)\s+(?:the\s+)?$", re.IGNORECASE)
OPENS = re.compile(r"(?:.*\b(?:and|but))?\s*(?:in|on)?\s*", re.IGNORECASE)
PAST = re.compile(
    rf"\b(?:was|were|had|did|ran|said|fell|rose|came|went|{DID})\b", re.IGNORECASE
)  # "In January the council approved": the last one
PART = re.compile(r"T(MO|AF|EV|NI|MI|DT)$")
SEASONS = ("SP", "SU", "FA", "WI")
VALID = re.compile(
    r"\d{4}(-\d\d(-\d\d(T(\d\d:\d\d|MO|AF|EV|NI|MI|DT))?)?|-W\d\d(-WE)?|-Q\d|-H\d|-(SP|SU|FA|WI))?|\d{2,3}"
    r"|P(T?(\d+(\.\d+)?|X)[YMWDHS])+|(PAST|PRESENT|FUTURE)_REF"
)
VAGUE = re.compile(r"\b(few|several|some|many)\b", re.IGNORECASE)
ELSEWHERE = re.compile(r"\b(later|earlier|before)$", re.IGNORECASE)  # counted from what was told before, not from today
LAST_MONTH = re.compile(r"last\s+(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
BEGINNING = 5000  # characters in which the document's own date is looked for
NEAR = 60  # characters around an expression, in its sentence, in which a word may look ahead
ANCHORS = datetime(2001, 5, 16), datetime(2014, 11, 27)  # two days that share neither weekday, month nor year


def times(text: str, created: str | date | None = None, *, begins: str | None = None) -> tuple[Timex, ...]:
    """Time expressions in the order of the text, named t1, t2, ...

    created: the day of writing as a TIMEX3 date (a year or a month counts from its first day), or None: then only what
        does not depend on it has a value ("14 May 2009", "for three days"), and the rest has "".
    begins: of a report, the first day that it tells of; then weekdays, and months and days without a year, are those
        after what was told last (onward.py), and only the rest goes by the day of writing.

    Raises DataError for a date that cannot be.
    """
    if created is None or created == "":
        first, second = (list(mentions(text, anchor)) for anchor in ANCHORS)
        said = [(f, _value(text, f, ANCHORS[0])) for f in first]
        other = {(f.start, f.end): _value(text, f, ANCHORS[1]) for f in second}
        found = [(f, v if other.get((f.start, f.end)) == v else "") for f, v in said]
    else:
        anchor = _day(created)
        found = said = [(f, _value(text, f, anchor)) for f in mentions(text, anchor)]
    spans = [
        ((f.start, f.end), v, here, f.kind in ("time", "timerange"))
        for (f, v), (_, here) in zip(found, said, strict=True)
    ]
    as_told = told(text, spans, split(text))
    values = onward(as_told, _day(begins).date()) if begins else since_told(as_told)
    found = [(f, v) for (f, _), v in zip(found, values, strict=True)]
    return tuple(Timex(f"t{i}", f.start, f.end, value, _type(f, value)) for i, (f, value) in enumerate(found, 1))


def document_date(text: str, *, last: bool = False) -> tuple[str, Span] | None:
    """The first full date in the text's beginning, and where: a guess at when it was written, to be said aloud.

    last: of a range ("2 to 11 September 2024") the last day and not the first.
    """
    for found in mentions(text[:BEGINNING], ANCHORS[0]):
        value = _value(text, found, ANCHORS[0])[:10]
        if DAY.fullmatch(value) and value[:4] in text[found.start : found.end]:
            end = found.values[0].get("end", "")[:10] if last else ""
            return end if DAY.fullmatch(end) else value, (found.start, found.end)
    return None


def no_day(words: str) -> bool:
    """Whether a date is written out that no calendar has: "31 April", "February 30, 2020", "2021-02-30"."""
    if iso := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", words):
        year, month, day = map(int, iso.groups())
    else:
        name = re.search(rf"\b({'|'.join(MONTHS)})[a-z]*", words, re.IGNORECASE)
        numbers = [int(n) for n in re.findall(r"\b\d{1,2}(?=\b|st|nd|rd|th)", words)]
        if name is None or len(numbers) != 1:
            return False
        years = re.findall(r"\b\d{4}\b", words)
        year, month, day = int(years[0]) if years else 2000, MONTHS.index(name[1].lower()) + 1, numbers[0]
    return year < 1 or not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]


def month_first(words: str) -> bool:
    """Whether a date in figures was read month first and would be another day first: "05/06/2021", not "5.6.2021"."""
    figures = re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-]\d{2,4}", words)
    if figures is None:
        return False
    first, second = int(figures[1]), int(figures[2])
    return first != second and first <= 12 and second <= 12


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


def whole_day(created: str) -> date:
    """The day of a TIMEX3 date; the first one of a year or a month."""
    return _day(created).date()


def _day(created: str | date) -> datetime:
    if isinstance(created, date):
        return datetime(created.year, created.month, created.day)
    match = FULL_DATE.match(checked_date(created[:10]))
    parts = match.groups() if match else ()
    return datetime(*(int(part) if part else 1 for part in parts))  # type: ignore[arg-type]


def _type(found: Found, value: str) -> str:
    """DATE, TIME, DURATION or SET."""
    if found.kind == "set":
        return "SET"
    if value.startswith("P") and not value.endswith("_REF"):
        return "DURATION"
    clock = "T" in value if value else found.kind.startswith(("time", "datetime"))
    lasts = found.kind == "duration" and not value[:1].isdigit()  # "two days later" is a date
    return "DURATION" if lasts else "TIME" if clock and not value.endswith("_REF") else "DATE"


def _value(text: str, found: Found, anchor: datetime) -> str:
    """The TIMEX3 value; "" where the expression has none."""
    if found.kind == "set":
        return found.values[0].get("timex", "")
    words = text[found.start : found.end]
    if ELSEWHERE.search(words):
        return ""
    value = _duration(words, found) if found.kind == "duration" else _calendar(text, found, anchor)
    return value if VALID.fullmatch(value) else ""


def _duration(words: str, found: Found) -> str:
    said, seconds = found.values[0].get("timex", ""), found.values[0].get("value", "")
    if "decade" in words.lower() and seconds.isdigit():  # the library says P11 of one
        said = f"P{int(seconds) // (365 * 24 * 3600)}Y"
    return re.sub(r"\d+", "X", said) if VAGUE.search(words) else said


def _calendar(text: str, found: Found, anchor: datetime) -> str:
    said, words = found.values[0].get("timex", ""), text[found.start : found.end]
    if said.endswith("_REF") or said.isdigit():
        return said
    if words.lower().endswith(" ago") and (VAGUE.search(words) or "decade" in words.lower()):
        return "PAST_REF"
    if said[-2:] in SEASONS:
        return f"{said[:4] if said[:4].isdigit() else anchor.year}-{said[-2:]}"
    if said.startswith("(") and COUNTED.match(words):
        return said.rstrip(")").rsplit(",", 1)[-1]
    if month := LAST_MONTH.match(words):
        number = MONTHS.index(month[1].lower()) + 1
        return f"{anchor.year - (number >= anchor.month)}-{number:02d}"
    chosen, part = _chosen(text, found, anchor), PART.search(said)
    begin, today = chosen.get("start", chosen.get("value", "")), f"{anchor:%Y-%m-%d}"
    if not DAY.match(begin):
        return today + (part[0] if part else f"T{begin[:5]}")
    if part:
        return begin[:10] + part[0]
    if "start" in chosen:
        return _range(begin, chosen.get("end", ""))
    return begin.replace(" ", "T")[:16]


def _chosen(text: str, found: Found, anchor: datetime) -> dict[str, str]:
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
    first = len(before.split()) < 3  # "On Monday it will", but not "said on Monday that it would"
    if PAST.search(before):
        before = ENDED.sub("", before)  # "lasted until Friday", "had left by May": the last one
    looks = bool(AHEAD.search(before) or PLANNED.search(before) or (first and WILL.search(after)))
    ahead = looks or not past or (_nearer(dated, today) and not (OPENS.fullmatch(before) and PAST.search(after)))
    return found.values[later[0] if ahead and later else past[-1]]


def _nearer(dated: list[tuple[str, int]], today: str) -> bool:
    """Whether the same day or month of next year is meant: a day that is nearer, a month that was nine months ago."""
    days = [(date.fromisoformat(when[:10]) - date.fromisoformat(today)).days for when, _ in dated]
    past, next_ = max((d for d in days if d <= 0), default=0), min((d for d in days if d > 0), default=0)
    if next_ - past < 300:  # weekdays
        return False
    month = all(when[8:10] == "01" for when, _ in dated)
    return next_ * (3 if month else 1) < -past


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
        if months == 6 and first.month % 6 == 1:
            return f"{first:%Y}-H{first.month // 6 + 1}"
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
