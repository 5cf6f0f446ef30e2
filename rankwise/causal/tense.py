"""The tense of an event's verb group, and the verb groups that can be put into another tense for certain.

A group is the event's verb with the auxiliaries before it, over adverbs: "had already been seen". Where the group is
negated, contracted, shared with another verb, or of a form that says no time ("to go", "having gone", "could go",
"has gone"), its tense is unknown or its edit refused, for nobody knows what the text would then say.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..relations.edits import Change
from ..relations.schema import Document
from .reading import Reading, Word, reading

RANKS = {"past perfect": 0, "past": 1, "present": 2, "future": 3}
"""Earlier tenses first. The present perfect has no rank: it may stand beside any past."""
BE = {"was": "past", "were": "past", "is": "present", "are": "present", "am": "present", "'re": "present"}
AUXILIARY = frozenset(
    {*BE, "been", "being", "be", "had", "has", "have", "having", "will", "shall", "did", "do", "does", "to"}
    | {"'s", "'re", "'m", "'ve", "'d", "'ll", "would", "could", "should", "may", "might", "must", "can", "ca", "wo"}
)
NOT = frozenset({"not", "n't", "never", "hardly", "scarcely", "no", "n’t"})
WAS = {"i": "was", "he": "was", "she": "was", "it": "was", "we": "were", "you": "were", "they": "were"}


@dataclass(frozen=True)
class Group:
    """An event's verb and what stands before it.

    auxiliaries: in the order of the text; adverbs between them are left out. tense: of RANKS, or None.
    negated: a word of NOT among them. shared: its auxiliary may serve, or come from, a verb joined by "and" or "or".
    """

    verb: Word
    auxiliaries: tuple[Word, ...]
    tense: str | None
    negated: bool
    shared: bool

    @property
    def rank(self) -> int | None:
        return None if self.tense is None else RANKS[self.tense]


def group(document: Document, event: str) -> Group | None:
    """The verb group of an event; None where the event is no verb."""
    read = reading(document)
    start, end = document.span(event)
    verbs = [w for w in read.between(start, end) if w.tag.startswith("VB")]
    if len(verbs) != 1 or any(w.tag.startswith(("NN", "JJ")) for w in read.between(start, end)):
        return None
    verb = verbs[0]
    place = read.index(verb.start)
    if _serves(read, place):
        return None
    chain: list[Word] = []
    negated = False
    at = place - 1
    while at >= 0 and read.words[at].sentence == verb.sentence:
        word = read.words[at]
        if word.lower in AUXILIARY and word.tag not in ("POS", "NN"):
            chain.insert(0, word)
        elif word.lower in NOT:
            negated = True
        elif not word.tag.startswith("RB"):
            break
        at -= 1
    if not chain:
        negated = negated and read.words[place - 1].lower in NOT
    shared = _shared(read, place, at)
    return Group(verb, tuple(chain), _tense(verb, [w.lower for w in chain], shared, read), negated, shared)


def _serves(read: Reading, place: int) -> bool:
    """Whether this verb is itself the auxiliary of a verb behind it."""
    word = read.words[place]
    after = [w for w in read.words[place + 1 : place + 5] if not w.tag.startswith("RB") and w.lower not in NOT]
    follows = bool(after) and after[0].sentence == word.sentence and after[0].tag.startswith("VB")
    return word.lower in AUXILIARY - {"to"} and follows


def _shared(read: Reading, place: int, left: int) -> bool:
    """Whether a verb joined to this one by "and", "or" or a comma may share its auxiliary."""
    verb = read.words[place]
    if left >= 0 and read.words[left].tag == "CC" and read.words[left].sentence == verb.sentence:
        return True
    after = [w for w in read.words[place + 1 : place + 25] if w.sentence == verb.sentence]
    for i, word in enumerate(after[:-1]):
        if word.lower in (";", ":", "that", "before", "after"):
            return False
        rest = [w for w in after[i + 1 : i + 3] if not w.tag.startswith("RB")]
        if (word.tag == "CC" or word.said == ",") and rest and rest[0].tag in ("VBN", "VBD", "VBG"):
            return True
    return False


def _tense(verb: Word, chain: list[str], shared: bool, read: Reading) -> str | None:
    """By the first auxiliary; without one by the verb's own tag."""
    if not chain:
        if _timeless(verb.said, verb.tag):
            return None
        if verb.tag == "VBD":
            had = any(w.lower == "had" for w in read.sentence(verb.sentence) if w.start < verb.start)
            return None if shared and had else "past"
        return "present" if verb.tag in ("VBZ", "VBP") else None
    first, rest = chain[0], chain[1:]
    if first == "had" and rest in ([], ["been"]):
        return "past perfect" if verb.tag in ("VBN", "VBD", "VB") or (rest and verb.tag == "VBG") else None
    if first in BE and rest in ([], ["being"]):
        return BE[first] if verb.tag in ("VBN", "VBG", "VBD") else None
    if first in ("will", "shall", "'ll") and rest in ([], ["be"]):
        return "future" if verb.tag in (("VB", "VBP") if not rest else ("VBN", "VBG", "VBD")) else None
    if first in ("did", "do", "does") and not rest and verb.tag in ("VB", "VBP"):
        return "past" if first == "did" else "present"
    return None


def to_perfect(document: Document, event: str) -> list[Change] | str:
    """The changes that put an event of any ranked tense into the past perfect, or why that is not certain."""
    found = group(document, event)
    if found is None or found.tense is None:
        return "no tense"
    if found.tense == "past perfect":
        return []
    if (why := _uncertain(found)) is not None:
        return why
    verb, chain = found.verb, [w.lower for w in found.auxiliaries]
    if chain == ["do"] or chain == ["does"] or chain == ["did"]:
        return "emphatic do"
    if chain and chain[-1] in ("be", "being", *BE):
        return (
            [(found.auxiliaries[0].start, found.auxiliaries[-1].end, "had been")] if _tight(found) else "adverb between"
        )
    if inverted(document, found):
        return "verb before its subject, or a fixed phrase"
    participle = inflected(verb.said, "VBN", "VB" if chain else verb.tag)
    if participle is None:
        return "verb of unknown forms"
    if chain:
        return [(found.auxiliaries[0].start, found.auxiliaries[0].end, "had"), (verb.start, verb.end, participle)]
    return [(verb.start, verb.start, "had "), (verb.start, verb.end, participle)]


def inverted(document: Document, found: Group) -> bool:
    """ "..., says Ann" and "used to": there "had" cannot simply be put before the verb."""
    words = reading(document).sentence(found.verb.sentence)
    place = words.index(found.verb)
    before = [w for w in words[:place] if not w.tag.startswith("RB")]
    after = words[place + 1].lower if place + 1 < len(words) else ""
    mark = not before or not before[-1].said[-1].isalnum()
    return (mark and not found.auxiliaries) or (found.verb.lower == "used" and after == "to")


def to_past(document: Document, event: str) -> list[Change] | str:
    """The changes that put an event from the past perfect into the simple past, or why that is not certain."""
    found = group(document, event)
    if found is None or found.tense is None:
        return "no tense"
    if found.tense != "past perfect":
        return []
    if (why := _uncertain(found)) is not None:
        return why
    had = found.auxiliaries[0]
    if len(found.auxiliaries) == 2:
        number = _number(document, had)
        if number is None:
            return "subject of unknown number"
        return [(had.start, found.auxiliaries[1].end, number)] if _tight(found) else "adverb between"
    past = inflected(found.verb.said, "VBD", "VBN")
    if past is None:
        return "verb of unknown forms"
    gap = len(document.text[had.end :]) - len(document.text[had.end :].lstrip())
    return [(had.start, had.end + gap, ""), (found.verb.start, found.verb.end, past)]


def inflected(word: str, tag: str, was: str) -> str | None:
    """The form with `tag` of a verb whose form with the tag `was` is `word`, with the same capital.

    None where its forms are not known for certain.
    """
    lemma = lemma_of(word, was)
    if lemma is None:
        return None
    forms = _forms(lemma, tag)
    if len(forms) > 1 or len(_forms(lemma, was)) > 1:  # "dreamed" stays; of "lay" nobody knows whether "lied" or "lain"
        forms = tuple(f for f in forms if f == word.lower())
    if len(forms) != 1:
        return None
    return forms[0].capitalize() if word[:1].isupper() else forms[0]


@lru_cache(maxsize=8192)
def lemma_of(word: str, tag: str) -> str | None:
    """The base of a verb whose form with this tag is `word`; None where several have it, or no dictionary does."""
    from lemminflect import getAllLemmas

    bases = getAllLemmas(word.lower(), upos="VERB").get("VERB", ())
    found = {str(base) for base in bases if word.lower() in _forms(str(base), tag)}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=8192)
def _forms(lemma: str, tag: str) -> tuple[str, ...]:
    from lemminflect import getInflection

    if tag == "VB":
        return (lemma,)
    return tuple(map(str, getInflection(lemma, tag=tag, inflect_oov=False)))


def _timeless(word: str, tag: str) -> bool:
    """Whether this form is as much past as present: "put", "read"."""
    other = {"VBD": "VBP", "VBP": "VBD"}.get(tag)
    return other is not None and lemma_of(word, tag) is not None and lemma_of(word, tag) == lemma_of(word, other)


def _tight(found: Group) -> bool:
    """Whether no word stands between the auxiliaries, so that they can be replaced as one."""
    return all(b.start - a.end == 1 for a, b in zip(found.auxiliaries, found.auxiliaries[1:], strict=False))


def _uncertain(found: Group) -> str | None:
    if found.negated:
        return "negated"
    if found.shared:
        return "auxiliary may be shared"
    if any("'" in w.lower for w in found.auxiliaries):
        return "contraction"
    return None


def _number(document: Document, had: Word) -> str | None:
    """ "was" or "were" by the subject right before "had", where it is a pronoun or a plain noun phrase."""
    words = [w for w in reading(document).sentence(had.sentence) if w.end <= had.start]
    while words and words[-1].tag.startswith("RB"):
        words.pop()
    if not words:
        return None
    head = words.pop()
    if head.lower in WAS:
        return WAS[head.lower]
    if head.tag not in ("NN", "NNS", "NNP", "NNPS"):
        return None
    while words and words[-1].tag in ("NN", "NNP", "NNS", "JJ", "DT", "PRP$", "CD", "VBN"):
        words.pop()
    if words and words[-1].lower not in (
        "before",
        "after",
        "because",
        "that",
        ",",
        "when",
        "while",
        "since",
        "``",
        '"',
    ):
        return None
    return "was" if head.tag in ("NN", "NNP") else "were"
