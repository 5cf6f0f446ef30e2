"""EventStoryLine v0.9 on ECB+ texts: which event explains which, in 258 documents of 22 topics.

PRECONDITION says that the source, mentioned first, makes the target possible; FALLING_ACTION that it is a consequence
of the target. The literature scores the 5,625 pairs of `evaluation_format` (most from coreference), which are the
relations here; `links="plot"` takes the 2,252 PLOT_LINKs of the annotation. Source: Caselli and Vossen 2017.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...errors import UnknownName, explain
from ..schema import CONVERSE, Corpus, Document, Event, Problem, Relation, Span
from .cat import Cat, parse
from .source import folder_of, members, need

LABELS = {"PRECONDITION": "CAUSES", "FALLING_ACTION": "CAUSED_BY"}
DEVELOPMENT = ("37", "41")  # topics that the literature tunes on
GOLD = "*evaluation_format/full_corpus/v0.9/event_mentions_extended/*.tab"


def read(folder: str | Path | None = None, *, links: str = "evaluation") -> Corpus:
    """Every document; `group` is the topic, every other pair of events a negative.

    links: "evaluation" or "plot"; see above. In "evaluation" 23 pairs have no type: the literature counts them as
        causal; their label is CAUSES, and `original` is "null".

    Raises:
        BadFile: another folder. UnknownName: other links.
    """
    if links not in ("evaluation", "plot"):
        raise UnknownName(explain(f"links={links!r}.", "It is evaluation or plot."), name=links)
    path = folder_of(folder, "eventstoryline")
    files = list(members(path, "*annotated_data/v0.9/*.xml"))
    need(files, path, "EventStoryLine v0.9", "annotated_data/v0.9/<topic>/*.xml.xml")
    gold = {(Path(n).parent.name, Path(n).stem): c.decode() for n, c in members(path, GOLD)}
    need(gold or links == "plot", path, "EventStoryLine v0.9", GOLD.removeprefix("*"))
    found, problems = [], []
    for name, content in files:
        cat = parse(name, content, first_sentence=1)
        topic, stem = Path(name).parent.name, Path(name).name.removesuffix(".xml").removesuffix(".xml")
        events, ids = _events(cat)
        said = _plot(cat) if links == "plot" else _listed(gold.get((topic, stem), ""))
        relations, wrong = _relations(stem, said, ids)
        problems += wrong
        sentences = tuple(span for _, span in sorted(cat.sentences.items()))
        dense = frozenset({"causal"})
        found.append(Document(stem, cat.text, events, (), relations, sentences, group=topic, dense=dense))
    return Corpus("eventstoryline", tuple(found), tuple(problems), "annotation: CC BY 3.0; text: the publishers'")


Tokens = tuple[str, ...]


def _events(cat: Cat) -> tuple[tuple[Event, ...], dict[Tokens, str]]:
    """One event an extent (several mentions may share it), and its id by its tokens."""
    spans: dict[Span, Event] = {}
    ids: dict[Tokens, str] = {}
    for m in cat.markables.values():
        if m.tag.startswith(("ACTION_", "NEG_ACTION_")):
            event = spans.setdefault(m.span, Event("e" + m.id, *m.span, m.tag))
            ids[tuple(sorted(m.tokens, key=int))] = event.id
    return tuple(sorted(spans.values(), key=lambda e: (e.start, e.end))), ids


def _listed(tab: str) -> list[tuple[Tokens, Tokens, str]]:
    rows = [line.split("\t") for line in tab.splitlines() if line.strip()]
    return [(_tokens(r[0]), _tokens(r[1]), r[2].strip()) for r in rows]


def _tokens(field: str) -> Tokens:
    return tuple(sorted(field.strip().split("_"), key=int))


def _plot(cat: Cat) -> list[tuple[Tokens, Tokens, str]]:
    found = []
    for link in cat.links:
        ends = [cat.markables.get(key) for key in (link.source, link.target)]
        said = link.fields.get("relType", "")
        if link.tag == "PLOT_LINK" and said and all(end is not None and "ACTION_" in end.tag for end in ends):
            found.append((*(tuple(sorted(end.tokens, key=int)) for end in ends if end), said))
    return found  # type: ignore[return-value]


def _relations(
    name: str, said: list[tuple[Tokens, Tokens, str]], ids: dict[Tokens, str]
) -> tuple[tuple[Relation, ...], list[Problem]]:
    relations: dict[tuple[str, str], Relation] = {}
    problems = []
    for first, second, kind in said:
        if first not in ids or second not in ids:
            problems.append(Problem(name, "pair of tokens that are no event", f"{'_'.join(first)}, {'_'.join(second)}"))
            continue
        source, target, label = ids[first], ids[second], LABELS.get(kind, "CAUSES")
        if source == target:
            problems.append(Problem(name, "pair of one extent", "_".join(first)))
        elif (source, target) in relations or (target, source) in relations:
            other = relations.get((source, target)) or relations[target, source].converse
            if other.label not in (label, CONVERSE[label]):
                problems.append(Problem(name, "pair with two labels", f"{source}, {target}"))
        else:
            relations[source, target] = Relation(source, target, label, "causal", kind)
    return tuple(relations.values()), problems


def folds(documents: Iterable[Document], count: int = 5) -> list[list[str]]:
    """Topics in `count` folds of four, in the order of their numbers, without the two for development."""
    topics = sorted({d.group for d in documents} - set(DEVELOPMENT), key=int)
    return [topics[i::count] for i in range(count)]
