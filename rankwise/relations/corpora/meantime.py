"""MEANTIME: 120 Wikinews articles with events, times, TLINKs and CLINKs; inside the package (CC BY 4.0).

Sentence 0 is the title, 1 the date line; links were made in sentences 2 to 5 alone, and not for every pair: a pair
without a TLINK is not VAGUE, but one without a CLINK is NONE. Source: Minard et al. 2016, LREC.
"""

from __future__ import annotations

from pathlib import Path

from ...data import folder as embedded
from ..schema import DOCUMENT_TIME, Corpus, Document, Event, Problem, Relation, Timex
from .cat import Cat, parse
from .source import members, need
from .timeml import LABELS

TOPICS = ("airbus", "apple", "gm", "stock")
LINKED = range(6)  # sentences in which mentions were annotated; relations: 2 to 5, and six of the title
LICENCE = "CC BY 4.0 (text: Wikinews, CC BY 2.5)"


def read(folder: str | Path | None = None) -> Corpus:
    """The articles in the order of their numbers; `group` is the topic. Raises BadFile for another folder."""
    path = Path(folder) if folder is not None else embedded("meantime")
    files = list(members(path, "*intra_cross-doc_annotation/*.xml"))
    need(files, path, "MEANTIME", "intra_cross-doc_annotation/corpus_*/*.xml")
    found, problems = [], []
    for name, content in files:
        cat = parse(name, content)
        document, wrong = _document(cat, Path(name).stem, Path(name).parent.name.removeprefix("corpus_"))
        found.append(document)
        problems += wrong
    return Corpus("meantime", tuple(found), tuple(problems), LICENCE, embeddable=True)


def _document(cat: Cat, name: str, topic: str) -> tuple[Document, list[Problem]]:
    marks = cat.markables.values()
    events = [Event("e" + m.id, *m.span, m.fields.get("pos", "")) for m in marks if m.tag == "EVENT_MENTION"]
    timexes = [_timex(cat, m.id) for m in marks if m.tag == "TIMEX3"]
    own = [
        (m, n.get("value", ""))
        for m, n in [
            *((k, c.fields) for k, c in cat.markables.items()),
            *((k, e.attrib) for k, e in cat.without.items()),
        ]
        if n.get("functionInDocument") == "CREATION_TIME"
    ]
    names = {m.id: "e" + m.id for m in marks if m.tag == "EVENT_MENTION"}
    names |= {t.id[1:]: t.id for t in timexes} | {m: DOCUMENT_TIME for m, _ in own}
    relations, problems = _relations(cat, name, names)
    sentences = tuple(span for _, span in sorted(cat.sentences.items()))
    inside = [span for number, span in cat.sentences.items() if number in LINKED]
    return (
        Document(
            id=name,
            text=cat.text,
            events=tuple(sorted(events, key=lambda e: (e.start, e.end))),
            timexes=tuple(sorted(timexes, key=lambda t: (t.start, t.end))),
            relations=tuple(relations),
            sentences=sentences,
            created=own[0][1] if own else "",
            group=topic,
            linked=(min(s for s, _ in inside), max(e for _, e in inside)),
            dense=frozenset({"causal"}),
        ),
        problems,
    )


def _timex(cat: Cat, key: str) -> Timex:
    m = cat.markables[key]
    return Timex("t" + key, *m.span, m.fields.get("value", ""), m.fields.get("type", "DATE"))


def _relations(cat: Cat, name: str, names: dict[str, str]) -> tuple[list[Relation], list[Problem]]:
    relations, problems = [], []
    for link in cat.links:
        if link.tag not in ("TLINK", "CLINK"):
            continue
        said = link.fields.get("reltype", "")
        label = "CAUSES" if link.tag == "CLINK" else LABELS.get(said)
        if label is None:  # MEASURE joins a duration to an event: no order
            continue
        if link.source not in names or link.target not in names:
            problems.append(Problem(name, f"{link.tag} to an unknown markable", f"{link.source}, {link.target}"))
            continue
        source, target = names[link.source], names[link.target]
        if source == target:
            problems.append(Problem(name, f"{link.tag} of a thing with itself", source))
            continue
        kind = "causal" if link.tag == "CLINK" else "temporal"
        relations.append(Relation(source, target, label, kind, said or "CLINK"))
    return relations, problems
