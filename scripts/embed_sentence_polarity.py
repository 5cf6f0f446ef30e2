"""Write rankwise/data/sentence_polarity/*.jsonl.xz from the corpus as its authors released it.

    python scripts/embed_sentence_polarity.py sentence_polarity.zip

The corpus has no official split (the literature uses ten-fold cross-validation), so this script fixes one:
80/10/10, the same share of each label, shuffled with seed 2005. Snippets that are the same words apart from
case and punctuation are kept together, so none of them is both learnt from and tested on. Running it again on
the same file gives the same bytes with the same liblzma; tests check the rows, not the bytes.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import random
import re
import sys
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

SEED = 2005
OUT = Path(__file__).parents[1] / "rankwise" / "data" / "sentence_polarity"
MEMBERS = {"negative": "sentence_polarity/rt-polarity.neg", "positive": "sentence_polarity/rt-polarity.pos"}
SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}

# The release converted ISO-8859-1 to UTF-8, but the text was Windows-1252: quotes and dashes became
# control characters, which tokenizers delete, gluing two words together ("not realshe can't").
WINDOWS_1252 = {0x91: "\u2018", 0x96: "\u2013", 0x97: "\u2014"}


def read(archive: Path) -> list[tuple[str, str]]:
    """(text, label) of every line, outer blanks removed and stray control characters repaired."""
    rows = []
    with zipfile.ZipFile(archive) as folder:
        for label, member in MEMBERS.items():
            for line in folder.read(member).decode("utf-8").split("\n"):
                if text := line.translate(WINDOWS_1252).strip():
                    rows.append((text, label))
    return rows


def key(text: str) -> str:
    """What two copies of one snippet have in common: its words, without case and punctuation."""
    return " ".join(re.findall(r"\w+", text.lower())) or text


def split(rows: list[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Rows by split. Copies travel together, with the label of the first; singles fill each label's share."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        groups[key(row[0])].append(row)
    rng = random.Random(SEED)
    parts: dict[str, list[tuple[str, str]]] = {name: [] for name in SHARES}
    totals = Counter(label for _, label in rows)
    for label, total in sorted(totals.items()):
        mine = [group for group in groups.values() if group[0][1] == label]
        rng.shuffle(mine)
        held = round(total * SHARES["dev"])
        room = {"dev": held, "test": held}
        for group in mine:  # fill dev, then test; a group too large for what is left goes to train
            name = next((n for n, left in room.items() if left >= len(group)), "train")
            if name != "train":
                room[name] -= len(group)
            parts[name].extend(group)
    for part in parts.values():
        rng.shuffle(part)
    return parts


def main(archive: str) -> None:
    rows = read(Path(archive))
    same, alike = Counter(text for text, _ in rows), Counter(key(text) for text, _ in rows)
    exact, near = len(rows) - len(same), len(rows) - len(alike)
    print(f"{len(rows)} rows; copies: {exact} exact, {near} but for punctuation")
    OUT.mkdir(parents=True, exist_ok=True)
    for name, part in split(rows).items():
        lines = [json.dumps({"text": t, "label": y}, ensure_ascii=False) + "\n" for t, y in part]
        packed = lzma.compress("".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME)
        (OUT / f"{name}.jsonl.xz").write_bytes(packed)
        counts = dict(sorted(Counter(y for _, y in part).items()))
        print(f"{name}: {len(part)} {counts}, {len(packed)} bytes, sha256 {hashlib.sha256(packed).hexdigest()}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
