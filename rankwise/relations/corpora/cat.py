"""CAT XML: tokens with sentence numbers, markables anchored at tokens, relations between markables.

The text is the tokens of the wanted sentences joined by spaces, for the files hold no white space of their own. A
mention of several tokens spans from its first to its last, also where others lie between.
Source: Bartalesi Lenzi, Moretti and Sprugnoli 2012, "CAT: the CELCT Annotation Tool".
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from ...errors import BadFile, explain
from ..schema import Span
from .source import xml


@dataclass(frozen=True)
class Markable:
    """tag: of the XML element; tokens: t_ids of its anchors; fields: its attributes."""

    id: str
    tag: str
    tokens: tuple[str, ...]
    span: Span
    fields: dict[str, str]


@dataclass(frozen=True)
class Link:
    """source, target: m_ids; "" where the file names none."""

    tag: str
    source: str
    target: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Cat:
    """One file. sentences: number -> span of text; places: t_id -> span; markables without a place are in `without`."""

    name: str
    text: str
    sentences: dict[int, Span]
    places: dict[str, Span]
    markables: dict[str, Markable]
    without: dict[str, ET.Element]
    links: tuple[Link, ...]


def parse(name: str, content: bytes, first_sentence: int = 0) -> Cat:
    """One CAT file, from the sentence of this number on. Raises BadFile where it is no XML, or numbers no sentences."""
    root = xml(name, content)
    pieces: list[str] = []
    at = 0
    places: dict[str, Span] = {}
    sentences: dict[int, Span] = {}
    for token in root.iter("token"):
        number = _number(name, token)
        word = (token.text or "").strip()
        if number < first_sentence or not word:
            continue
        start = at + (1 if pieces else 0)
        at = start + len(word)
        pieces.append(word)
        places[token.get("t_id", "")] = (start, at)
        sentences[number] = (sentences.get(number, (start, at))[0], at)
    markables, without = {}, {}
    for node in root.find("Markables") or ():
        tokens = tuple(a.get("t_id", "") for a in node.iter("token_anchor"))
        inside = [places[t] for t in tokens if t in places]
        key = node.get("m_id", "")
        if not inside or len(inside) < len(tokens):
            without[key] = node
            continue
        span = min(start for start, _ in inside), max(end for _, end in inside)
        markables[key] = Markable(key, node.tag, tokens, span, dict(node.attrib))
    links = []
    for node in root.find("Relations") or ():
        ends = [node.find(side) for side in ("source", "target")]
        source, target = ("" if end is None else end.get("m_id", "") for end in ends)
        links.append(Link(node.tag, source, target, dict(node.attrib)))
    return Cat(name, " ".join(pieces), sentences, places, markables, without, tuple(links))


def _number(name: str, token: ET.Element) -> int:
    given = token.get("sentence", "0")
    if not given.isdecimal():
        what = f"{name}: token {token.get('t_id', '')} is in sentence {given!r}."
        raise BadFile(explain(what, "CAT numbers sentences from 0."), path=name)
    return int(given)
