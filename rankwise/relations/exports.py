"""A timeline for other programs: GraphML, TimeML, CSV, JSON and the page, chosen by the ending of a file's name."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import networkx as nx

from ..errors import UnknownName, explain, nearest
from ..io.files import new_file
from .algebra import tell
from .corpora.timeml import LABELS
from .page import to_html
from .schema import DEADLINE, DOCUMENT_TIME, Event, Timex
from .sentences import whole
from .sources import bound_by
from .timeline import Link, Timeline
from .timeline_json import to_json

RELTYPE = {"BEFORE": "BEFORE", "AFTER": "AFTER", "EQUAL": "BEGINS", "VAGUE": "NONE"}
"""TLINKs for labels of start points, without an annotator's own word: of two things that start together, the first
begins the second. BEFORE and AFTER keep their names, though TimeML says them of whole intervals."""
LONG = 12  # relations of a reason that a cell tells in full
EVENT_COLUMNS = (
    *("id", "text", "kind", "start", "end", "sentence", "confidence"),
    "layer",
    "earliest",
    "latest",
    "bound_by",
)
LINK_COLUMNS = (*("source", "label", "target", "kind", "confidence", "origin", "source_text", "target_text"), "why")


def to_graphml(timeline: Timeline) -> str:
    """A directed multigraph: events and times as nodes, every link as an edge; AFTER and CAUSED_BY are turned round."""
    graph = nx.MultiDiGraph(name=_clean(timeline.document.id))
    layer = _layer(timeline)
    for mark in timeline.document.marks:
        kind = "event" if isinstance(mark, Event) else "time"
        facts: dict[str, str | int | float] = {"label": _clean(timeline.document.surface(mark.id)), "type": kind}
        if isinstance(mark, Timex):
            facts["value"] = _clean(mark.value)
        else:
            facts |= {"confidence": timeline.confidence.get(mark.id, 1.0), "layer": layer.get(mark.id, 0)}
            facts |= dict(zip(("earliest", "latest"), _when(timeline, mark.id), strict=True))
        graph.add_node(mark.id, start=mark.start, end=mark.end, **facts)
    for link in timeline.links:
        r = link.relation if link.relation.label not in ("AFTER", "CAUSED_BY") else link.relation.converse
        for end in (r.source, r.target):
            if end == DOCUMENT_TIME:
                graph.add_node(end, label="document time", type="time", value=timeline.document.created)
        graph.add_edge(
            r.source, r.target, label=r.label, kind=r.kind, confidence=float(r.confidence), origin=link.origin
        )
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def to_timeml(timeline: Timeline, inferred: bool = False) -> str:
    """TimeML 1.2.1: the text with EVENT and TIMEX3, then MAKEINSTANCE, TLINK and CLINK.

    Ids become e1, t1, ... in the order of the text, as TimeML demands. A TLINK keeps an annotator's own word; otherwise
    see RELTYPE. CLINKs run from cause to effect. Of marks that overlap, the later one has no place in the text; it and
    what is said of it are left out. Characters that XML 1.0 has no form for become U+FFFD.

    inferred: write also what follows from other relations.
    """
    document = timeline.document
    root = ET.Element("TimeML")
    ET.SubElement(root, "DOCID").text = _clean(document.id)
    own = ET.SubElement(ET.SubElement(root, "DCT"), "TIMEX3", tid="t0", type="DATE", value=_clean(document.created))
    own.set("functionInDocument", "CREATION_TIME")
    names = {DOCUMENT_TIME: ("timeID", "t0")}
    _body(ET.SubElement(root, "TEXT"), timeline, names)
    for kind, name in list(names.values()):
        if kind == "eventInstanceID":
            ET.SubElement(root, "MAKEINSTANCE", eiid=name, eventID=name.replace("ei", "e"), tense="NONE", aspect="NONE")
    counts = {"TLINK": 0, "CLINK": 0}
    for link in timeline.links:
        tag = "TLINK" if link.relation.kind == "temporal" else "CLINK"
        if set(link.pair) <= set(names) and (inferred or not link.inferred):
            counts[tag] += 1
            _element(root, tag, f"{'l' if tag == 'TLINK' else 'c'}{counts[tag]}", link, names)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _body(body: ET.Element, timeline: Timeline, names: dict[str, tuple[str, str]]) -> None:
    """Fill <TEXT>, and note what each mark is called in TLINKs."""
    document, at, last = timeline.document, 0, None
    counts = {"e": 0, "t": 0}
    for mark in sorted(document.marks, key=lambda x: (x.start, -x.end)):
        if mark.start < at:
            continue
        gap = _clean(document.text[at : mark.start])
        if last is None:
            body.text = gap
        else:
            last.tail = gap
        letter = "e" if isinstance(mark, Event) else "t"
        counts[letter] += 1
        name = f"{letter}{counts[letter]}"
        if isinstance(mark, Event):
            last = ET.SubElement(body, "EVENT", {"eid": name, "class": _clean(mark.kind) or "OCCURRENCE"})
            names[mark.id] = ("eventInstanceID", f"ei{counts[letter]}")
        else:
            last = ET.SubElement(body, "TIMEX3", tid=name, type=_clean(mark.type), value=_clean(mark.value))
            names[mark.id] = ("timeID", name)
        last.text = _clean(document.text[mark.start : mark.end])
        at = mark.end
    rest = _clean(document.text[at:])
    if last is None:
        body.text = rest
    else:
        last.tail = rest


def _element(root: ET.Element, tag: str, lid: str, link: Link, names: dict[str, tuple[str, str]]) -> None:
    r = link.relation if link.relation.label != "CAUSED_BY" else link.relation.converse
    made = ET.SubElement(root, tag, lid=lid)
    (first, source), (second, target) = names[r.source], names[r.target]
    made.set(first, source)
    made.set("relatedToEventInstance" if second == "eventInstanceID" else "relatedToTime", target)
    if tag == "TLINK":
        made.set("relType", r.original if r.original in LABELS else RELTYPE[r.label])
    made.set("confidence", f"{r.confidence:.4f}")
    made.set("origin", link.origin)


def to_csv(timeline: Timeline) -> tuple[str, str]:
    """(events, relations) as two tables with a heading each, in the order of the text and of `links`.

    Cells that a spreadsheet would take for a formula begin with an apostrophe.
    """
    document, layer, by = timeline.document, _layer(timeline), bound_by(timeline)
    events: list[Row] = []
    for e in document.events:
        p = f"{timeline.confidence.get(e.id, 1.0):.4f}"
        place = (e.start, e.end, document.sentence_of(e.start) + 1)
        when = (*_when(timeline, e.id), by.get(e.id, ""))
        events.append((e.id, document.surface(e.id), e.kind, *place, p, layer.get(e.id, ""), *when))
    words = {m.id: document.text[m.start : m.end] for m in document.marks} | {DOCUMENT_TIME: document.created}
    links: list[Row] = []
    for x in timeline.links:
        r = x.relation
        facts = (r.source, r.label, r.target, r.kind, f"{r.confidence:.4f}", x.origin)
        links.append((*facts, words[r.source], words[r.target], _why(x)))
    return _table(EVENT_COLUMNS, events), _table(LINK_COLUMNS, links)


def _why(link: Link) -> str:
    if link.change:
        because = f" because {tell(link.change.because)}" if link.change.because else ""
        return f"by itself {link.change.before} ({link.change.p_before:.2f}); {link.change.reason}{because}"
    if len(link.because) > LONG:
        return f"follows from {len(link.because)} relations: {tell(link.because[:LONG])}, ..."
    if link.relation.original == DEADLINE:
        return "starts no later than this time"
    return f"follows from {tell(link.because)}" if link.because else ""


Row = tuple[str | int, ...]


def _table(columns: tuple[str, ...], rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[f"'{c}" if isinstance(c, str) and c[:1] in tuple("=+-@\t\r") else c for c in r] for r in rows])
    return out.getvalue()


def _layer(timeline: Timeline) -> dict[str, int]:
    return {name: at for at, layer in enumerate(timeline.layers, 1) for name in layer}


def _when(timeline: Timeline, name: str) -> tuple[str, str]:
    b = timeline.bounds.get(name)
    if b is None:
        return "", ""
    return b.earliest.isoformat() if b.earliest else "", b.latest.isoformat() if b.latest else ""


def _clean(text: str) -> str:
    """Only characters of XML 1.0."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
        for c in text
    )


WRITERS: dict[str, Callable[[Timeline], str]] = {
    ".html": to_html,
    ".json": lambda timeline: to_json(timeline, 1),
    ".graphml": to_graphml,
    ".tml": to_timeml,
    ".xml": to_timeml,
}


def write(timeline: Timeline, path: str | Path, overwrite: bool = False) -> tuple[Path, ...]:
    """Write by the ending: .html, .json, .graphml, .tml or .xml (TimeML), .csv (two files).

    out.csv becomes out.events.csv and out.relations.csv.

    Raises:
        UnknownName: another ending. FileThere: a file is there and `overwrite` is False.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending == ".csv":
        parts = ("events", "relations")
        files = {path.with_suffix(f".{n}.csv"): text for n, text in zip(parts, to_csv(timeline), strict=True)}
    elif ending in WRITERS:
        files = {path: WRITERS[ending](timeline)}
    else:
        known = (*WRITERS, ".csv")
        near = nearest(ending or ".html", known, most=1)[0]
        raise UnknownName(
            explain(
                f"{path}: no timeline is written with the ending {ending!r}.",
                f"It is one of {', '.join(known)}.",
                f"Nearest: {path.with_suffix(near).name}",
            ),
            path=path,
        )
    for file, text in files.items():
        with new_file(file, overwrite) as out:
            out.write(whole(text))
    return tuple(files)
