"""TimeML documents (TimeBank, AQUAINT, Platinum and what others made of them), and their own TLINKs.

The text is the character data of <TEXT>, tags away, white space kept; a line is a paragraph or a sentence.
TLINKs become start points: INCLUDES says that the source began first, IS_INCLUDED and DURING that the target did.
Source: Pustejovsky et al. 2003, "The TimeBank corpus"; UzZaman et al. 2013, TempEval-3.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import BadFile, explain
from ..schema import DOCUMENT_TIME, Corpus, Document, Event, Problem, Relation, Timex
from ..sentences import split
from .source import folder_of, members, need, xml

LABELS = {
    "BEFORE": "BEFORE",
    "IBEFORE": "BEFORE",
    "INCLUDES": "BEFORE",
    "ENDED_BY": "BEFORE",
    "AFTER": "AFTER",
    "IAFTER": "AFTER",
    "IS_INCLUDED": "AFTER",
    "DURING": "AFTER",
    "ENDS": "AFTER",
    "SIMULTANEOUS": "EQUAL",
    "IDENTITY": "EQUAL",
    "BEGINS": "EQUAL",
    "BEGUN_BY": "EQUAL",
    "DURING_INV": "BEFORE",
    "NONE": "VAGUE",
}
"""Of the start points, as far as a TLINK tells: who includes another began before it, or with it (BEFORE is taken)."""


@dataclass(frozen=True)
class Parsed:
    """A document, and what its annotations call things.

    instances: eiid -> eid. names: every id of the file that has a place (or is the document's time) -> id in Document.
    """

    document: Document
    root: ET.Element
    instances: dict[str, str]
    names: dict[str, str]
    problems: tuple[Problem, ...]


def parse(name: str, content: bytes, newlines: bool = True) -> Parsed:
    """One TimeML file. Raises BadFile where it is no XML or has no <TEXT>."""
    root = xml(name, content)
    body = root.find("TEXT")
    if body is None:
        raise BadFile(explain(f"{name} has no <TEXT>.", "A TimeML document has one."), path=name)
    text, spans = _text(body)
    stem = stem_of(name)
    events, timexes, problems, names = [], [], [], {}
    for node, (start, end) in spans:
        key = node.get("eid") or node.get("tid") or ""
        if key in names:
            problems.append(Problem(stem, "id that names two things", key))
        elif not text[start:end].strip():
            problems.append(Problem(stem, f"{node.tag} without text", key))
        elif node.tag == "EVENT":
            events.append(Event(key, start, end, node.get("class", "")))
            names[key] = key
        else:
            timexes.append(Timex(key, start, end, node.get("value", ""), node.get("type", "DATE")))
            names[key] = key
    created, own = _created(root)
    names.update(own)
    clash = DOCUMENT_TIME in {t.id for t in timexes}
    if clash:  # a time in the text may be called t0 as well
        timexes = [replace(t, id="t0-text") if t.id == DOCUMENT_TIME else t for t in timexes]
        names[DOCUMENT_TIME] = "t0-text"
    document = Document(
        stem, text, tuple(events), tuple(timexes), sentences=split(text, newlines=newlines), created=created
    )
    instances = {n.get("eiid", ""): n.get("eventID", "") for n in root.iter("MAKEINSTANCE")}
    return Parsed(document, root, instances, names, tuple(problems))


def stem_of(path: str) -> str:
    """The document's id: the name of its file without what TempEval-3 and others put behind it."""
    return Path(path).name.removesuffix(".xml").removesuffix(".tml").removesuffix(".TE3input")


def _text(body: ET.Element) -> tuple[str, list[tuple[ET.Element, tuple[int, int]]]]:
    """The text of <TEXT>, and the span of every EVENT and TIMEX3 in it, in the order of the text."""
    pieces: list[str] = []
    length = 0
    found: list[tuple[ET.Element, tuple[int, int]]] = []

    def walk(node: ET.Element) -> None:
        nonlocal length
        start = length
        for piece, child in [(node.text, None), *((c.tail, c) for c in node)]:
            if child is not None:
                walk(child)
            pieces.append(piece or "")
            length += len(piece or "")
        if node.tag in ("EVENT", "TIMEX3"):
            found.append((node, (start, length)))

    walk(body)
    return "".join(pieces), sorted(found, key=lambda pair: pair[1])


def _created(root: ET.Element) -> tuple[str, dict[str, str]]:
    """The document's time, and the ids that mean it: any TIMEX3 outside <TEXT> whose function says so."""
    body = root.find("TEXT")
    inside = set(body.iter("TIMEX3")) if body is not None else set()
    outside = [t for t in root.iter("TIMEX3") if t not in inside]
    own = [t for t in outside if t.get("functionInDocument") in ("CREATION_TIME", "PUBLICATION_TIME")] or outside[:1]
    value = own[0].get("value", "") if own else ""
    return value, {t.get("tid", ""): DOCUMENT_TIME for t in own}


def documents(
    folder: Path, corpus: str, *patterns: str, without: Iterable[str] = ()
) -> tuple[dict[str, Parsed], list[Problem]]:
    """Every TimeML file below the folder by the id of its document, and the ids in `without` that name none of them.

    Where two files have the same name, the first in the order of their paths is taken.
    """
    drop, seen = set(without), set()
    found: dict[str, Parsed] = {}
    for path, content in members(folder, *(patterns or ("*.tml",))):
        seen.add(name := stem_of(path))
        if name not in drop and name not in found:
            found[name] = parse(path, content)
    need(seen, folder, corpus, "TimeML file (*.tml)")
    return found, absent(drop, seen)


def absent(drop: Iterable[str], there: Iterable[str]) -> list[Problem]:
    """Ids to leave out that are not there: one that is misspelt protects nothing, and must be seen."""
    return [Problem(name, "document to leave out that is not there", name) for name in sorted(set(drop) - set(there))]


def read(folder: str | Path | None = None, *, without: Iterable[str] = ()) -> Corpus:
    """The TLINKs of every TimeML document below the folder: events, times and the document's time.

    without: ids of documents to leave out; one that is not there is a Problem.
    """
    texts, problems = documents(folder_of(folder, "tlink"), "TimeML", without=without)
    found = []
    for made in texts.values():
        relations, wrong = tlinks(made)
        found.append(replace(made.document, relations=relations))
        problems += [*made.problems, *wrong]
    return Corpus("tlink", tuple(found), tuple(problems), "as the documents")


def tlinks(made: Parsed) -> tuple[tuple[Relation, ...], tuple[Problem, ...]]:
    """The TLINKs of one document, and those that could not be resolved."""
    relations, problems = [], []
    for node in made.root.iter("TLINK"):
        ends = [
            made.instances.get(node.get(by_event, ""), "") if node.get(by_event) else node.get(by_time, "")
            for by_event, by_time in (("eventInstanceID", "timeID"), ("relatedToEventInstance", "relatedToTime"))
        ]
        label = LABELS.get(node.get("relType", ""))
        if label is None or not all(end in made.names for end in ends):
            what = "TLINK of unknown type" if label is None else "TLINK to an unknown id"
            problems.append(Problem(made.document.id, what, node.get("lid", "")))
            continue
        source, target = (made.names[end] for end in ends)
        if source == target:
            problems.append(Problem(made.document.id, "TLINK of a thing with itself", node.get("lid", "")))
            continue
        relations.append(Relation(source, target, label, "temporal", node.get("relType", "")))
    return tuple(relations), tuple(problems)


def kinds(documents: Iterable[Document]) -> Counter[str]:
    """How many relations of each original label."""
    return Counter(r.original for d in documents for r in d.relations)
