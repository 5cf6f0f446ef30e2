"""What holds for every test: no network, few threads, no colours that depend on the terminal."""

from __future__ import annotations

import os

# Set before any library reads them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("MPLBACKEND", "Agg")
# On tiny tensors threads cost more than they save, most of all on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["TERM"] = "dumb"
os.environ["NO_COLOR"] = "1"

from hypothesis import HealthCheck, settings

# On a busy machine a first draw can take seconds; how fast examples come is no property of our code.
settings.register_profile("rankwise", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rankwise")
