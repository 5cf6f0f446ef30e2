"""Short stories of two events, written so that each of six cues can be read off and set with all else held.

    From the newswire. Lena had ordered the lamp. The square was quiet. Later, Omar received the stove.
    What Lena did led to what Omar did.

A `Plot` says everything that such a text says; `tell` writes it, `plot_of` reads it back, and a text that `tell` would
not write letter for letter is no plot. So an edit is: read, change one field, tell again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from ..relations.schema import Document, Event, Relation, Span

STYLES = ("newswire", "diary", "court record", "old tale")
LEADS = ("From the newswire.", "From a diary.", "From the court record.", "From an old tale.")
WORDS = (("Later", "Earlier"), ("After that", "Before that"), ("Afterwards", "Beforehand"), ("Then", "Previously"))
"""By style: how a second sentence says that it came later, or earlier, than the first."""
FILLERS = ("The square was quiet.", "Nobody else was there.", "The air was cold.", "The street was empty.")
NAMES = (
    *("Lena", "Omar", "Ines", "Paul", "Mara", "Theo", "Nora", "Ivan", "Rosa", "Felix", "Aisha", "Bruno", "Clara"),
    *("David", "Elsa", "Hugo", "Irene", "Jonas", "Karim", "Lucia", "Marco", "Nadia", "Oscar", "Petra", "Ravi", "Sofia"),
)
SCRIPTS = (  # what comes first by nature: past and participle; what comes after it; things that both can be done to
    (("built", "built"), ("demolished", "demolished"), ("the barn", "the wall", "the tower", "the shed")),
    (("ordered", "ordered"), ("received", "received"), ("the lamp", "the stove", "the carpet", "the mirror")),
    (("planted", "planted"), ("harvested", "harvested"), ("the wheat", "the corn", "the barley", "the beans")),
    (("wrote", "written"), ("published", "published"), ("the novel", "the report", "the essay", "the poem")),
    (("hired", "hired"), ("dismissed", "dismissed"), ("the cook", "the guard", "the driver", "the clerk")),
    (("opened", "opened"), ("closed", "closed"), ("the gate", "the shop", "the window", "the hatch")),
    (("broke", "broken"), ("repaired", "repaired"), ("the clock", "the fence", "the radio", "the bridge")),
    (("arrested", "arrested"), ("convicted", "convicted"), ("the forger", "the smuggler", "the thief", "the spy")),
    (("baked", "baked"), ("ate", "eaten"), ("the bread", "the cake", "the pie", "the tart")),
    (("lost", "lost"), ("found", "found"), ("the ring", "the purse", "the letter", "the key")),
    (("drafted", "drafted"), ("ratified", "ratified"), ("the treaty", "the charter", "the accord", "the pact")),
    (("caught", "caught"), ("released", "released"), ("the fox", "the owl", "the trout", "the hare")),
)
NEUTRAL = (  # neither comes first by nature
    (("painted", "painted"), ("photographed", "photographed"), ("the boat", "the chapel", "the garden", "the mill")),
    (("praised", "praised"), ("mentioned", "mentioned"), ("the singer", "the actor", "the sculptor", "the pianist")),
    (("touched", "touched"), ("watched", "watched"), ("the horse", "the dog", "the goat", "the donkey")),
    (("washed", "washed"), ("measured", "measured"), ("the table", "the floor", "the bench", "the door")),
)
LIFES = (*SCRIPTS, *NEUTRAL)
FORMS = {form: (i, k) for i, life in enumerate(LIFES) for k, verb in enumerate(life[:2]) for form in verb}
CLAUSE = re.compile(
    r"(?:(?P<word>[A-Z][a-z]+(?: that)?), )?(?P<who>[A-Z][a-z]+) (?P<had>had )?(?P<verb>[a-z]+) (?P<what>the [a-z]+)\."
)
ONE = re.compile(
    r"(?P<who>[A-Z][a-z]+) (?P<had>had )?(?P<verb>[a-z]+) (?P<what>the [a-z]+)(?P<word>, and| before| after)"
    r" (?P<who2>[A-Z][a-z]+) (?P<had2>had )?(?P<verb2>[a-z]+) (?P<what2>the [a-z]+)\."
)
SIGNAL = re.compile(r"What ([A-Z][a-z]+) did led to what ([A-Z][a-z]+) did\.")


@dataclass(frozen=True)
class Plot:
    """Everything that a story says. Both clauses in the order of the text, and 0 and 1 stand for them.

    script: of LIFES. opener: the clause that has the script's first verb. who, what: subjects and objects.
    earlier: the clause that a connective says to be earlier; perfect: the one in the past perfect; cause: the one that
        led to the other; None where that is not said.
    filler: the sentence between them, of FILLERS. joined: both clauses are one sentence, and there is no filler.
    """

    style: int
    script: int
    opener: int
    who: tuple[str, str]
    what: tuple[str, str]
    earlier: int | None = None
    perfect: int | None = None
    cause: int | None = None
    filler: int | None = None
    joined: bool = False

    @property
    def swapped(self) -> Plot:
        """The clauses mentioned the other way round, and the same said of each."""
        return replace(
            self,
            opener=1 - self.opener,
            who=self.who[::-1],
            what=self.what[::-1],
            earlier=_other(self.earlier),
            perfect=_other(self.perfect),
            cause=_other(self.cause),
        )

    @property
    def neutral(self) -> bool:
        """Whether the verbs come in no order by nature."""
        return self.script >= len(SCRIPTS)


def _other(clause: int | None) -> int | None:
    return None if clause is None else 1 - clause


def _verb(plot: Plot, clause: int) -> str:
    """The verb with its auxiliary."""
    forms = LIFES[plot.script][0 if plot.opener == clause else 1]
    return f"had {forms[1]}" if plot.perfect == clause else forms[0]


def sentences(plot: Plot) -> list[str]:
    """The story, a sentence each."""
    first, second = (f"{plot.who[i]} {_verb(plot, i)} {plot.what[i]}" for i in (0, 1))
    if plot.joined:
        word = ", and" if plot.earlier is None else (" before", " after")[plot.earlier]
        told = [f"{first}{word} {second}."]
    else:
        word = "" if plot.earlier is None else f"{WORDS[plot.style][plot.earlier]}, "
        between = [] if plot.filler is None else [FILLERS[plot.filler]]
        told = [f"{first}.", *between, f"{word}{second}."]
    if plot.cause is not None:
        told.append(f"What {plot.who[plot.cause]} did led to what {plot.who[1 - plot.cause]} did.")
    return [LEADS[plot.style], *told]


def tell(plot: Plot, name: str, ids: tuple[str, str], relations: tuple[Relation, ...] = ()) -> Document:
    """The story as a document of that id; ids: of the events, in the order of the text."""
    parts = sentences(plot)
    spans: list[Span] = []
    at = 0
    for part in parts:
        spans.append((at, at + len(part)))
        at += len(part) + 1
    text = " ".join(parts)
    events, start = [], len(LEADS[plot.style])
    for clause in (0, 1):
        said = f"{plot.who[clause]} {_verb(plot, clause)} "
        end = text.index(said, start) + len(said) - 1
        start = end - len(said.split()[-1])
        events.append(Event(ids[clause], start, end, "VERB"))
        start = end
    return Document(name, text, tuple(events), (), relations, tuple(spans), group=STYLES[plot.style])


@lru_cache(maxsize=200_000)
def plot_of(text: str) -> Plot | None:
    """What the text says; None where it is not a story of ours to the letter."""
    style = next((i for i, lead in enumerate(LEADS) if text.startswith(lead + " ")), None)
    if style is None:
        return None
    rest = re.split(r"(?<=\.) ", text[len(LEADS[style]) + 1 :])
    signal = SIGNAL.fullmatch(rest[-1])
    if signal:
        rest.pop()
    plot = _joined(rest[0], style) if len(rest) == 1 else _apart(rest, style)
    if plot is not None and signal:
        plot = replace(plot, cause=plot.who.index(signal[1])) if signal[1] in plot.who else None
    return plot if plot is not None and " ".join(sentences(plot)) == text else None


def _joined(sentence: str, style: int) -> Plot | None:
    found = ONE.fullmatch(sentence)
    if found is None:
        return None
    earlier = {", and": None, " before": 0, " after": 1}[found["word"]]
    parts = [(found["who" + i], found["had" + i], found["verb" + i], found["what" + i]) for i in ("", "2")]
    return _plot(style, parts, earlier, None, True)


def _apart(rest: list[str], style: int) -> Plot | None:
    first, second = CLAUSE.fullmatch(rest[0]), CLAUSE.fullmatch(rest[-1])
    if len(rest) > 3 or first is None or second is None or first["word"]:
        return None
    if second["word"] and second["word"] not in WORDS[style]:
        return None
    if len(rest) == 3 and rest[1] not in FILLERS:
        return None
    earlier = WORDS[style].index(second["word"]) if second["word"] else None
    filler = FILLERS.index(rest[1]) if len(rest) == 3 else None
    parts = [(c["who"], c["had"], c["verb"], c["what"]) for c in (first, second)]
    return _plot(style, parts, earlier, filler, False)


def _plot(
    style: int, parts: list[tuple[str, str | None, str, str]], earlier: int | None, filler: int | None, joined: bool
) -> Plot | None:
    (who, had, verb, what), (who2, had2, verb2, what2) = parts
    if verb not in FORMS or verb2 not in FORMS or (had and had2):
        return None
    (script, k), (script2, k2) = FORMS[verb], FORMS[verb2]
    if script != script2 or k == k2:
        return None
    perfect = 0 if had else 1 if had2 else None
    return Plot(style, script, k, (who, who2), (what, what2), earlier, perfect, None, filler, joined)
