"""EventStoryLine v0.9 on ECB+ texts: which event explains which, in 258 documents of 22 topics.

PRECONDITION says that the source, mentioned first, makes the target possible; FALLING_ACTION that it is a consequence
of the target. The literature scores the 5,625 pairs of `evaluation_format` (most from coreference), which are the
relations here; `links="plot"` takes the 2,266 PLOT_LINKs of the annotation: 2,243 pairs, for 14 have no type and 9
say a pair again. Source: Caselli and Vossen 2017.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...errors import UnknownName, explain
from ..schema import Corpus, Document, Event, Problem, Relation, Span
from .cat import Cat, parse
from .source import folder_of, members, need, table

LABELS = {"PRECONDITION": "CAUSES", "FALLING_ACTION": "CAUSED_BY", "null": "CAUSES"}
ACTIONS = ("ACTION_", "NEG_ACTION_")  # what the tags of event mentions begin with
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
    files = _first(members(path, "*annotated_data/v0.9/*.xml"))
    need(files, path, "EventStoryLine v0.9", "annotated_data/v0.9/<topic>/*.xml.xml")
    gold = {key: table(*file) for key, file in _first(members(path, GOLD)).items()}
    need(gold or links == "plot", path, "EventStoryLine v0.9", GOLD.removeprefix("*"))
    found, problems = [], []
    if links == "evaluation":
        problems = [Problem(s, "pairs without their document", f"topic {t}") for t, s in gold if (t, s) not in files]
    for (topic, stem), (name, content) in files.items():
        cat = parse(name, content, first_sentence=1)
        events, ids = _events(cat)
        said, lost = _plot(stem, cat) if links == "plot" else _listed(stem, gold.get((topic, stem), []))
        relations, wrong = _relations(stem, said, ids)
        problems += [*_unplaced(stem, cat), *lost, *wrong]
        sentences = tuple(span for _, span in sorted(cat.sentences.items()))
        dense = frozenset({"causal"})
        found.append(Document(stem, cat.text, events, (), relations, sentences, group=topic, dense=dense))
    return Corpus("eventstoryline", tuple(found), tuple(problems), "annotation: CC BY 3.0; text: the publishers'")


Tokens = tuple[str, ...]
Said = list[tuple[Tokens, Tokens, str]]


def _first(files: Iterable[tuple[str, bytes]]) -> dict[tuple[str, str], tuple[str, bytes]]:
    """(topic, document) -> the first file of it, for a folder may hold the archive and what was in it."""
    found: dict[tuple[str, str], tuple[str, bytes]] = {}
    for name, content in files:
        stem = Path(name).name.removesuffix(".tab").removesuffix(".xml").removesuffix(".xml")
        found.setdefault((Path(name).parent.name, stem), (name, content))
    return found


def _events(cat: Cat) -> tuple[tuple[Event, ...], dict[Tokens, str]]:
    """One event an extent (several mentions may share it), and its id by its tokens."""
    spans: dict[Span, Event] = {}
    ids: dict[Tokens, str] = {}
    for m in cat.markables.values():
        if m.tag.startswith(ACTIONS):
            event = spans.setdefault(m.span, Event("e" + m.id, *m.span, m.tag))
            ids[_tokens(m.tokens)] = event.id
    return tuple(sorted(spans.values(), key=lambda e: (e.start, e.end))), ids


def _unplaced(name: str, cat: Cat) -> list[Problem]:
    """Mentions anchored at tokens that the text lacks; without any anchor they are descriptors, not mentions."""
    lost = [k for k, n in cat.without.items() if n.tag.startswith(ACTIONS) and n.find("token_anchor") is not None]
    return [Problem(name, "event without a place in the text", key) for key in lost]


def _listed(name: str, rows: list[list[str]]) -> tuple[Said, list[Problem]]:
    said = [(_tokens(r[0].split("_")), _tokens(r[1].split("_")), r[2]) for r in rows if len(r) == 3]
    return said, [Problem(name, "line without three columns", "\t".join(r)) for r in rows if len(r) != 3]


def _tokens(ids: Iterable[str]) -> Tokens:
    """In the order of their numbers, whatever they are."""
    return tuple(sorted(ids, key=lambda t: (len(t), t)))


def _plot(name: str, cat: Cat) -> tuple[Said, list[Problem]]:
    said, problems = [], []
    for link in cat.links:
        if link.tag != "PLOT_LINK":
            continue
        source, target = cat.markables.get(link.source), cat.markables.get(link.target)
        kind, value = link.fields.get("relType", ""), f"{link.source}, {link.target}"
        if not kind:
            problems.append(Problem(name, "PLOT_LINK without a type", value))
        elif (
            source is None or target is None or not (source.tag.startswith(ACTIONS) and target.tag.startswith(ACTIONS))
        ):
            problems.append(Problem(name, "PLOT_LINK to what is no event", value))
        else:
            said.append((_tokens(source.tokens), _tokens(target.tokens), kind))
    return said, problems


def _relations(name: str, said: Said, ids: dict[Tokens, str]) -> tuple[tuple[Relation, ...], list[Problem]]:
    """One relation a pair. Of two that contradict each other, the first stays."""
    relations: dict[tuple[str, str], Relation] = {}
    problems = []
    for first, second, kind in said:
        tokens = f"{'_'.join(first)}, {'_'.join(second)}"
        if kind not in LABELS:
            problems.append(Problem(name, "unknown label", kind))
            continue
        if first not in ids or second not in ids:
            problems.append(Problem(name, "pair of tokens that are no event", tokens))
            continue
        source, target, label = ids[first], ids[second], LABELS[kind]
        other = relations.get((source, target))
        if other is None and (back := relations.get((target, source))):
            other = back.converse
        if source == target:
            problems.append(Problem(name, "pair of one extent", tokens))
        elif other is None:
            relations[source, target] = Relation(source, target, label, "causal", kind)
        else:
            problems.append(
                Problem(name, "pair said again" if other.label == label else "pair with two labels", tokens)
            )
    return tuple(relations.values()), problems


def folds(documents: Iterable[Document], count: int = 5) -> list[list[str]]:
    """Topics in `count` folds of four, in the order of their numbers, without the two for development."""
    topics = sorted({d.group for d in documents} - set(DEVELOPMENT), key=int)
    return [topics[i::count] for i in range(count)]
