"""A bar with loss, score and mean rank, and a Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Progress:
    """tqdm on standard error; silent when not asked for."""

    def __init__(self, total: int, done: int, waste: float, shown: bool, name: str = "train") -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=total, initial=done, disable=not shown, desc=name, unit="step", leave=False)
        self.facts: dict[str, Any] = {"padding": f"{waste:.0%}"}
        self.smooth: float | None = None

    def step(self, loss: float, mean_rank: float | None) -> None:
        self.smooth = loss if self.smooth is None else 0.95 * self.smooth + 0.05 * loss
        self.facts["loss"] = f"{self.smooth:.3f}"
        if mean_rank is not None:
            self.facts["rank"] = f"{mean_rank:.2f}"
        self.bar.set_postfix(self.facts, refresh=False)
        self.bar.update()

    def score(self, value: float) -> None:
        self.facts["score"] = f"{value:.4f}"

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()


@contextmanager
def stop_on_ctrl_c() -> Iterator[list[bool]]:
    """Gives [False]; the first Ctrl-C makes it [True], the second one raises KeyboardInterrupt at once.

    Outside the main thread signals cannot be caught, and nothing changes.
    """
    asked = [False]
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def note(number: int, frame: FrameType | None) -> None:
        if asked[0]:
            raise KeyboardInterrupt
        asked[0] = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
