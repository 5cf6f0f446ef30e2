"""Invented reports with their events, times and relations, for the tests of timelines. Nothing in them happened."""

from __future__ import annotations

import re

import numpy as np

from rankwise.relations.decode import decode
from rankwise.relations.schema import CAUSAL, Document, Event, Relation, Timex
from rankwise.relations.sentences import split
from rankwise.relations.timeline import Timeline, of_decoded

MARK = re.compile(r"\{([^}|]+)(?:\|([^}]+))?\}")

FLOOD = """After three days of rain, the river Arle {burst} its banks on {Monday|2031-03-10}. The water {flooded} the \
lower town of Senning before dawn, and the power station {failed}. By {noon on Monday|2031-03-10T12:00}, firefighters \
had {evacuated} two hundred families.

The council had {warned} of the weak dam in {February|2031-02}, but nobody {repaired} it. On {Tuesday|2031-03-11} the \
dam {collapsed}, which {destroyed} the old bridge. Mayor Ilse Brandt {resigned} two days later, after protesters \
{blocked} the town hall. An inquiry was {opened} in {April|2031-04}; insurers {expect} claims of ninety million.
"""

HARBOUR = """The strike at the port of Velmar began when the harbour authority {announced} in \
{May 2029|2029-05} that it would {close} the northern terminal. Dockers {learned} of the plan from a newspaper. They \
{met} on {12 May 2029|2029-05-12}, {voted} and {elected} a committee, which {demanded} talks.

The authority {refused}. On {14 May|2029-05-14} the cranes {stopped}. Ships {waited} outside, and two tankers \
{collided} in the fog on {16 May|2029-05-16}. Oil {leaked} into the bay, and the wind {drove} it ashore. Fishermen \
{lost} their season; the market {closed}, and prices {rose} across the coast.

The minister {flew} to Velmar on {18 May|2029-05-18}. She {promised} money, but critics {called} it too little. \
Divers {sealed} the wreck and volunteers {cleaned} the beaches, while birds {died} in the marshes. A court {ordered} \
the authority to {publish} its plans. Engineers {found} that the radar had {broken} months before, because the \
authority had {cut} its upkeep in {2028|2028}.

The finding {shocked} the town. The director {resigned} on {2 June|2029-06-02}, and her deputy {apologised}. Talks \
{resumed} the same week. The two sides {agreed} on {9 June|2029-06-09}: the terminal would {stay}, and pay would \
{rise}. Dockers {accepted} the offer and {returned} to work on {11 June|2029-06-11}. The first ship {docked} at noon, \
crowds {cheered}, and the mayor {thanked} the volunteers. The inquiry {continues}.
"""


def parse(name: str, text: str, created: str) -> Document:
    """{word} is an event, {words|value} a time."""
    events, timexes, plain, at = [], [], "", 0
    for match in MARK.finditer(text):
        plain += text[at : match.start()]
        at, start = match.end(), len(plain)
        plain += match[1]
        if match[2]:
            timexes.append(
                Timex(f"t{len(timexes) + 1}", start, len(plain), match[2], "TIME" if "T" in match[2] else "DATE")
            )
        else:
            events.append(Event(f"e{len(events) + 1}", start, len(plain), "OCCURRENCE"))
    plain += text[at:]
    return Document(name, plain, tuple(events), tuple(timexes), sentences=split(plain), created=created)


def flood() -> Document:
    """12 events; annotated."""
    d = parse("Flood at Senning", FLOOD, "2031-04-20")
    word = {d.surface(e.id): e.id for e in d.events} | {d.surface(t.id): t.id for t in d.timexes}
    said = """burst EQUAL Monday; burst BEFORE flooded; flooded BEFORE failed; flooded BEFORE evacuated;
        evacuated BEFORE noon on Monday; warned EQUAL February; warned BEFORE repaired; repaired VAGUE burst;
        collapsed EQUAL Tuesday; collapsed EQUAL destroyed; blocked BEFORE resigned; collapsed BEFORE blocked;
        opened EQUAL April; resigned BEFORE opened; expect AFTER collapsed; flooded BEFORE collapsed;
        burst CAUSES flooded; flooded CAUSES failed; flooded CAUSES evacuated; collapsed CAUSES destroyed;
        resigned CAUSED_BY blocked; repaired CAUSES collapsed"""
    relations = []
    for line in said.split(";"):
        source, label, target = re.fullmatch(r"\s*(.+?) ([A-Z_]+) (.+?)\s*", line).groups()
        relations.append(Relation(word[source], word[target], label, "causal" if label in CAUSAL else "temporal"))
    return Document(**{f: getattr(d, f) for f in d.__dataclass_fields__} | {"relations": tuple(relations)})


class Said:
    """What a model might say of a pair."""

    def __init__(self, temporal, causal):
        self.temporal, self.causal = tuple(temporal), tuple(causal)


def model_timeline(document: Document, seed: int = 0, reach: int = 2, noise: float = 1.2) -> Timeline:
    """The report as a model would have it: noisy scores of near pairs, through the real decoder.

    True starts are the order of the text, moved about a little, but for what happened long before.
    """
    rng = np.random.default_rng(seed)
    events, n = document.events, len(document.events)
    start = np.arange(n) + rng.normal(0, 0.8, n)
    start[[document.surface(e.id) in ("cut", "broken") for e in events]] -= n
    place = [document.sentence_of(e.start) for e in events]
    said = {}
    for i in range(n):
        for j in range(i + 1, n):
            if place[j] - place[i] <= reach:
                apart = start[j] - start[i]
                logits = rng.normal([2.2 * np.sign(apart), -2.2 * np.sign(apart), -1.5, -0.8], noise)
                link = rng.normal([2.6, 2.4 * (apart > 0) - 0.8 * (j - i), -0.5], 0.9)
                said[events[i].id, events[j].id] = Said(_softmax(logits), _softmax(link))
    decoded = decode(
        {pair: np.log(s.temporal) for pair, s in said.items()},
        {pair: np.log(s.causal) for pair, s in said.items()},
        events=[e.id for e in events],
        seconds=20.0,
    )
    for t in document.timexes:  # an event and the time after it in its sentence
        near = [
            e for e in events if document.sentence_of(e.start) == document.sentence_of(t.start) and e.end <= t.start
        ]
        if near:
            said[near[-1].id, t.id] = Said((0.05, 0.12, 0.8, 0.03), (1.0, 0.0, 0.0))
    sure = {e.id: float(p) for e, p in zip(events, rng.uniform(0.62, 1.0, n), strict=True)}
    return of_decoded(document, decoded, said, confidence=sure)


def harbour() -> Timeline:
    """40 events; read by a noisy model and decoded."""
    return model_timeline(parse("Strike at Velmar", HARBOUR, "2029-06-20"), seed=3)


def long(events: int = 150) -> Document:
    """As many events as wanted, one or two a sentence, in invented sentences."""
    verbs = ("met", "left", "spoke", "signed", "closed", "opened", "paid", "wrote", "called", "bought", "sold", "lost")
    who = ("The council", "The mayor", "A committee", "The union", "The court", "An engineer")
    lines = [
        f"{who[i % 6]} {{{verbs[i % 12]}}} the plan number {i}, and the press {{{verbs[(i * 7 + 3) % 12]}}} it"
        + (f" on {{{1 + i // 3 % 28} May 2030|2030-05-{1 + i // 3 % 28:02d}}}." if i % 6 == 0 else ".")
        for i in range(events // 2)
    ]
    return parse("A long report", " ".join(lines), "2030-06-30")


def _softmax(x):
    x = np.exp(x - x.max())
    return (x / x.sum()).tolist()
