"""Invented reviews whose one telling word moves treatment and outcome, with a known effect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

EFFECT = 1.0


def table(n: int = 400, seed: int = 0, *, noise: float = 0.5, told: bool = False, words: int = 24) -> pd.DataFrame:
    """columns review, t, y, liked. Half of the reviews hold "good" or "warm" (liked), half "bad" or "dull".

    t is 1 for 7 of 10 liked and 3 of 10 others, y = t + 2 liked + noise. told: the treated say "w0", no other does.
    """
    rng = np.random.default_rng(seed)
    liked = rng.integers(0, 2, n)
    t = (rng.random(n) < 0.3 + 0.4 * liked).astype(np.int64)
    y = EFFECT * t + 2.0 * liked + noise * rng.normal(size=n)
    reviews = []
    for i in range(n):
        telling = ("good", "warm") if liked[i] else ("bad", "dull")
        said = [str(rng.choice(telling)), *(f"w{k}" for k in rng.integers(2, words, 5))]
        reviews.append(" ".join([*(["w0"] if told and t[i] else []), *said]))
    return pd.DataFrame({"review": reviews, "t": t, "y": y, "liked": liked})


def with_answers(made: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The same with outcomes of 0 and 1: y is 1 for .2 + .3 t + .4 liked, so the effect is .3."""
    p = 0.2 + 0.3 * made["t"] + 0.4 * made["liked"]
    drawn: Any = np.random.default_rng([seed, 1]).random(len(made)) < p
    return made.assign(y=drawn.astype(int))
