"""Write rankwise/data/uds_time from the original release: python scripts/embed_uds_time.py FOLDER"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path

from rankwise.data import folder
from rankwise.relations.corpora.uds import SPLITS, original

rows = original(Path(sys.argv[1]))
for split in SPLITS:
    mine = [json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in rows if r["split"] == split]
    data = lzma.compress("\n".join(mine).encode(), preset=9 | lzma.PRESET_EXTREME)
    (folder("uds_time") / f"{split}.jsonl.xz").write_bytes(data)
    print(split, len(mine), "documents", len(data), "bytes")
