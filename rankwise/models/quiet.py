"""Silence for libraries that report on standard error what rankwise says itself, in its own words."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from huggingface_hub.constants import HF_HUB_DISABLE_PROGRESS_BARS
from huggingface_hub.utils import logging as hub_logging
from transformers.utils import logging


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Reports off, and progress bars too unless somebody watches; everything as before afterwards.

    The user's HF_HUB_DISABLE_PROGRESS_BARS, where set, decides about the bars instead.
    """
    level, hub_level = logging.get_verbosity(), hub_logging.get_verbosity()
    hide = logging.is_progress_bar_enabled() and HF_HUB_DISABLE_PROGRESS_BARS is None and not sys.stderr.isatty()
    logging.set_verbosity_error()
    hub_logging.set_verbosity_error()
    if hide:
        logging.disable_progress_bar()  # the hub's bars too
    try:
        yield
    finally:
        logging.set_verbosity(level)
        hub_logging.set_verbosity(hub_level)
        if hide:
            logging.enable_progress_bar()
