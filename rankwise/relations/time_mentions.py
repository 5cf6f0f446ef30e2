"""Where time expressions stand in English text, with every reading that Recognizers-Text has of each.

Each sentence is read by itself: over a whole article the library loses a seventh of them (it joins "Friday." with the
"In a" that follows). What it adds or leaves out at the ends is put right here, and words that only look like times go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from recognizers_date_time import Culture, recognize_datetime

from .counted import MONTHS, OF_THE_YEAR
from .sentences import split

LEAD = re.compile(
    r"(?:no\s+later\s+than|since|from|before|after|until|till|by|in|on|at|during|for|between|about|around|of|over)\s+",
    re.IGNORECASE,
)
MODIFIER = re.compile(
    r"(?:the\s+)?(?:early|earlier|late|later|mid|middle|start|beginning|end)(?:\s+(?:in|of)\b|-)?\s*", re.IGNORECASE
)
JOINED = re.compile(r"\s+(?:to|until|till|through|and)\s+|\s*[-–]\s*", re.IGNORECASE)
DECADE = re.compile(r"\b(?:the\s+)?(?:(?:early|mid|late)[\s-]+)?(1[5-9]\d|20\d)0['’]?s\b", re.IGNORECASE)
ARTICLE = re.compile(r"\bthe\s+(?:(?:first|last|past|next|previous|latest)\s+)?$", re.IGNORECASE)  # "the [two days]"
COUNTED = re.compile(r"(?:the\s+)?(?:past|last|next|coming|previous|following)\b", re.IGNORECASE)  # "past two months"
COUNT = re.compile(r",\s+\d{1,2}$")
"""At the end of a date that a word or "%" follows: "On 12 July, 14 men" counts men."""
OF_MONTH = re.compile(
    rf"\b(?:the\s+)?(?:end|middle|beginning|start)\s+of\s+(?=(?:{'|'.join(MONTHS)})\s+\d{{4}}\b)", re.IGNORECASE
)
"""The library does not read the year behind such a month."""
AGE = re.compile(r"[\s-]olds?\b")
BARE = re.compile(r"\d{1,2}")  # "13 percent" is no hour
CLOCK = re.compile(r"\d|noon|midnight|clock|[ap]\.?m\b", re.IGNORECASE)  # "one five" is no time of the day
WORDS = {"may", "march", "fall", "spring", "sat", "sun"}  # small letters, alone: seldom a month, season or day
ORDINAL = re.compile(r"(?:a|the)\s+second|second", re.IGNORECASE)  # "a second fire"
FRACTION = re.compile(r"\d{1,2}/(?:2|4|8|16|32)|previously", re.IGNORECASE)  # "fell 7/8"; "previously announced"
ASIDE = re.compile(r"[\s-](?:earlier|later|before)\b", re.IGNORECASE)  # "[a year] earlier"
SAID = {"currently": "PRESENT_REF", "soon": "FUTURE_REF"}  # what the library does not know
REFERENCE = re.compile(r"\b(?:currently|soon)\b", re.IGNORECASE)
SEASON = re.compile(r"\b(?:in|by|since|until|during|of|before|after|every|each)\s+(?:the\s+)?$", re.IGNORECASE)
YEARLESS = re.compile(rf"(?:the\s+)?{OF_THE_YEAR}", re.IGNORECASE)
BETWEEN = re.compile(
    r"(?:\s*[,–/-]|,?\s+(?:to|until|till|through|and|or)|\s+(?:and|or)\s+(?:in|on))\s*(?:\bthe\s+)?", re.IGNORECASE
)
"""Of dates whose year only the last one has: "from 10 May to 12 May 2020"."""
YEAR = re.compile(r"\b\d{4}$")


@dataclass(frozen=True)
class Found:
    """text[start:end]; kind: the library's date, daterange, time, timerange, datetime, datetimerange, duration or set.

    values: its readings, each with "timex" and "value", or "start" and "end".
    """

    start: int
    end: int
    kind: str
    values: tuple[dict[str, str], ...]


def mentions(text: str, anchor: datetime) -> Iterator[Found]:
    """Time expressions in the order of the text, apart from each other."""
    end = 0
    for first, last in split(text):
        here = sorted(_of_sentence(text[first:last], anchor), key=lambda f: (f.start, -f.end))
        for found in _with_years(text[first:last], here, anchor):
            if first + found.start >= end:
                end = first + found.end
                yield Found(first + found.start, end, found.kind, found.values)


def _with_years(text: str, found: list[Found], anchor: datetime) -> list[Found]:
    """Dates without a year that are listed before one that has it take that year, or the one before if they would come
    later: "from May to July 2019", "between November and February 2019"."""
    made, year, after = [], 0, ""
    for i, each in reversed(list(enumerate(found))):
        words = text[each.start : each.end]
        joined = i + 1 < len(found) and BETWEEN.fullmatch(text[each.end : found[i + 1].start])
        values = _in_year(words, year, after, anchor) if year and joined and YEARLESS.fullmatch(words) else ()
        own = YEAR.search(words)
        if values:
            each = replace(each, values=values)
            year, after = int(_begin(values)[:4]), _begin(values)
        elif own and _begin(each.values) and YEARLESS.fullmatch(words[: own.start()].rstrip(" ,")):
            year, after = int(own[0]), _begin(each.values)
        else:
            year, after = 0, ""
        made.append(each)
    return made[::-1]


def _in_year(words: str, year: int, after: str, anchor: datetime) -> tuple[dict[str, str], ...]:
    """Readings of a date in that year, or in the one before where it would come after `after`; () for no day."""
    for each in (year, year - 1):
        recognised = _recognise(f"{words} {each}", anchor)
        values = _values(recognised[0]) if len(recognised) == 1 else ()
        if not _begin(values) or _begin(values) <= after:
            return values if _begin(values) else ()
    return ()


def _begin(values: tuple[dict[str, str], ...]) -> str:
    """The day on which the first reading begins; "" where there is none."""
    begin = values[0].get("start", values[0].get("value", "")) if values else ""
    return begin if begin[:1].isdigit() else ""


def _of_sentence(text: str, anchor: datetime) -> Iterator[Found]:
    for match in DECADE.finditer(text):
        yield Found(*match.span(), "daterange", ({"timex": match[1]},))
    for match in REFERENCE.finditer(text):
        yield Found(*match.span(), "date", ({"timex": SAID[match[0].lower()]},))
    for place, r in _apart(text, anchor):
        start, end = place + r.start, place + r.end + 1
        if (count := COUNT.search(text, start, end)) and re.match(r"\s+[a-z]|\s*%", text[end:], re.IGNORECASE):
            end = count.start()
        if start and text[start - 1].isalnum() and text[start].isalnum():  # "d by Jan. 14" of "expected by Jan. 14"
            start += len(text[start:end].split()[0])
            start += len(text[start:end]) - len(text[start:end].lstrip())
        start += len(text[start:end]) - len(text[start:end].lstrip())
        if start == end:
            continue
        for found in _parts(text, start, end, anchor) or [Found(start, end, _kind(r), _values(r))]:
            if found.values and not _only_looks_so(text, found):
                yield found


def _parts(text: str, start: int, end: int, anchor: datetime) -> list[Found]:
    """The expression without a preposition, the two ends of a range, a modified time as its time; [] for none of it."""
    lead = LEAD.match(text, start, end)
    inner = lead.end() if lead else start
    ends = JOINED.search(text, inner, end)
    if ends:
        both = [_whole(text, *span, anchor) for span in ((inner, ends.start()), (ends.end(), end))]
        if all(f and f.kind in ("date", "daterange") for f in both):
            return [f for f in both if f]
    modifier = MODIFIER.match(text, inner, end)
    if modifier and (found := _whole(text, modifier.end(), end, anchor)) and found.kind != "duration":
        return [Found(inner, end, found.kind, found.values)]
    found = _whole(text, inner, end, anchor)
    if found is None:
        return []
    counted = found.kind == "duration" or COUNTED.match(text, inner, end)
    if counted and (article := ARTICLE.search(text, 0, inner)):
        inner = article.start()
    if found.kind == "duration" and (aside := ASIDE.match(text, end)):
        end = aside.end()
    return [Found(inner, end, found.kind, found.values)]


def _whole(text: str, start: int, end: int, anchor: datetime) -> Found | None:
    """The one expression that fills text[start:end], but for an article before it."""
    found = _recognise(text[start:end], anchor)
    if len(found) != 1 or found[0].end + 1 != end - start or not _values(found[0]):
        return None
    before = text[start : start + found[0].start].strip().lower()
    return Found(start, end, _kind(found[0]), _values(found[0])) if before in ("", "the") else None


def _apart(text: str, anchor: datetime) -> Iterator[tuple[int, Any]]:
    """The library's answers and where their text begins. One without a value that reaches over a comma ("2 May 2022,
    and the bridge closed the next morning") is two."""
    for r in _recognise(text, anchor):
        comma = text.find(",", r.start, r.end + 1)
        if _values(r) or comma < 0:
            yield 0, r
            continue
        for begin, end in ((r.start, comma), (comma + 1, r.end + 1)):
            begin += len(text[begin:end]) - len(text[begin:end].lstrip())  # a space before "and" confuses the library
            yield from ((begin + place, part) for place, part in _apart(text[begin:end], anchor))


def _recognise(text: str, anchor: datetime) -> list[Any]:
    """The library's own answers. It lowers the text, and one letter becomes two then, which would move every place."""
    text = OF_MONTH.sub(lambda m: " " * len(m[0]), text.replace("İ", "I").replace("\n", " "))
    return list(recognize_datetime(text, Culture.English, reference=anchor))


def _values(recognised: Any) -> tuple[dict[str, str], ...]:
    return tuple((recognised.resolution or {}).get("values") or ())


def _kind(recognised: Any) -> str:
    return str(recognised.type_name).rsplit(".", 1)[-1]


def _only_looks_so(text: str, found: Found) -> bool:
    words = text[found.start : found.end]
    if (
        BARE.fullmatch(words)
        or FRACTION.fullmatch(words)
        or (words in WORDS and not SEASON.search(text[: found.start]))
    ):
        return True
    if found.kind == "duration":
        counted = (
            ORDINAL.fullmatch(words) and re.match(r"\s+[a-z]", text[found.end :]) and not ASIDE.match(text, found.end)
        )
        return bool(counted or AGE.match(text, found.end))
    return found.kind == "time" and not CLOCK.search(words)
