"""Where the corpora are that may not travel with the project: $RANKWISE_CORPORA names a folder with one for each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def folder(name: str) -> Path:
    """The folder of a corpus that users bring themselves; the test is skipped where it is not there."""
    root = os.environ.get("RANKWISE_CORPORA")
    if not root or not (Path(root) / name).is_dir():
        pytest.skip(f"RANKWISE_CORPORA names no folder with {name}, which may not travel with the project")
    return Path(root) / name
