"""SemEval-2010 Task 8: 10,717 sentences with two marked nominals, of which 1,331 are cause and effect; in the package.

Each sentence is a document with two events of kind NOMINAL. Cause-Effect is CAUSES or CAUSED_BY, any other relation
NONE. `group` is "train" or "test". Source: Hendrickx et al. 2010. CC BY 3.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ...data import folder as embedded
from ...errors import BadFile, explain
from ..schema import Corpus, Document, Event, Relation
from .source import members, need

FILES = {"train": "*TRAIN_FILE.TXT", "test": "*TEST_FILE_FULL.TXT"}
MARKED = re.compile(r"<(e[12])>(.*?)</\1>")
LICENCE = "CC BY 3.0"


def read(folder: str | Path | None = None, *, splits: Sequence[str] = ("train", "test")) -> Corpus:
    """Raises BadFile for another folder, and for a sentence without its two nominals, naming it."""
    path = Path(folder) if folder is not None else embedded("semeval_2010_8")
    found = []
    for split in splits:
        files = list(members(path, FILES[split]))
        need(files, path, "SemEval-2010 Task 8", FILES[split].removeprefix("*"))
        blocks = re.split(r"\r?\n\s*\r?\n", files[0][1].decode("utf-8", "replace").strip())
        found += [_document(block.splitlines(), split) for block in blocks]
    return Corpus("semeval-2010-8", tuple(found), (), LICENCE, embeddable=True)


def _document(lines: list[str], split: str) -> Document:
    number, _, sentence = lines[0].partition("\t")
    sentence = sentence.strip().removeprefix('"').removesuffix('"')
    text, spans, at = "", {}, 0
    for match in MARKED.finditer(sentence):
        text += sentence[at : match.start()]
        spans[match[1]] = (len(text), len(text) + len(match[2]))
        text += match[2]
        at = match.end()
    text += sentence[at:]
    if len(spans) != 2 or len(lines) < 2:
        raise BadFile(explain(f"sentence {number} has no <e1> and <e2> with a label.", "Fetch the corpus again."))
    said = lines[1].strip()
    label = {"Cause-Effect(e1,e2)": "CAUSES", "Cause-Effect(e2,e1)": "CAUSED_BY"}.get(said, "NONE")
    events = tuple(Event(name, *span, "NOMINAL") for name, span in sorted(spans.items(), key=lambda pair: pair[1]))
    relation = Relation("e1", "e2", label, "causal", said)
    return Document(
        f"{split}-{number.strip()}",
        text,
        events,
        (),
        (relation,),
        ((0, len(text)),),
        group=split,
        dense=frozenset({"causal"}),
    )
