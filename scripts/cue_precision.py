"""How often the detectors of cues are right, by verdicts given case by case: python scripts/cue_precision.py

Reads results/cues/verdicts.jsonl, asks today's detectors for the same cases, and writes results/cues/precision.json. A
case that is no longer read counts for nothing; one that is read with another value than was judged counts as wrong.
"""

from __future__ import annotations

import json
from pathlib import Path

from rankwise.causal.cue import Case
from rankwise.causal.cues import CUES
from rankwise.relations import corpora

FOLDER = Path(__file__).parents[1] / "results" / "cues"
documents = {d.id: d for name in ("meantime", "uds-time") for d in corpora.read(name)}
by_name = {cue.name: cue for cue in CUES}
table: dict[str, dict[str, dict[str, float]]] = {}
for line in (FOLDER / "verdicts.jsonl").read_text().splitlines():
    row = json.loads(line)
    cell = table.setdefault(row["cue"], {}).setdefault(
        row["sample"], {"judged": 0, "right": 0, "read": 0, "right now": 0}
    )
    now = by_name[row["cue"]].value(Case(documents[row["document"]], tuple(row["pair"])))
    cell["judged"] += 1
    cell["right"] += row["right"]
    cell["read"] += now is not None
    cell["right now"] += bool(row["right"] and now == row["value"])
for samples in table.values():
    for cell in samples.values():
        cell["precision"] = round(cell["right now"] / cell["read"], 3) if cell["read"] else 0.0
(FOLDER / "precision.json").write_text(json.dumps(table, indent=2) + "\n")
print(json.dumps(table, indent=2))
