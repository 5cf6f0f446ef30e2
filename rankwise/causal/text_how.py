"""How a text is read for an effect, and the rows that can be: each mistake with its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, RecipeError, explain, nearest, refuse_unknown
from ..train.recipe import Recipe
from . import columns as column_rules
from .jackknife import BLOCKS
from .refute import ALL
from .text_adapter import RECIPE
from .unseen import OF_TEXT

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("lora", "sora", "frozen", "bag")
FEWEST = 10
"""Blocks: from fewer, the error itself is off by a quarter."""
MOST_ROWS = 1_000
"""Beyond, leaving blocks out takes minutes (36 s for 1,000 rows, 206 s for 2,000), and is to be asked for."""
NUMBERS = OF_TEXT
"""Columns that stand in for the text: expected outcome of either arm, and the logit of the propensity."""


@dataclass(frozen=True)
class How:
    """How a text is read.

    Args:
        method: "lora" or "sora" (an adapter a fold, beside the two that follow), "frozen" (numbers of several layers of
            the encoder as it is), "bag" (words alone, no encoder).
        base: the encoder: "minilm", a folder or a hub name. max_length: tokens of a text; longer ones are cut.
        folds: >= 2. seed: of folds, adapters and refuters.
        epochs: of each adapter; recipe: the rest of its training.
        refuters, simulations: see estimate.Settings; () for none, and then nothing is asked of DoWhy.
        blocks: of rows, left out in turn for the standard error (jackknife.py), 10 at least; 0 takes the models as
            given, whose intervals are too narrow for hundreds of rows. None: 20 for up to 1,000 rows, 0 for more.
        group: column whose rows belong together. Rows of equal text always do.
    """

    method: str = "lora"
    base: str = "minilm"
    max_length: int = 128
    folds: int = 5
    seed: int = 0
    epochs: float = RECIPE.epochs
    recipe: Recipe = RECIPE
    refuters: tuple[str, ...] = ALL
    simulations: int | None = None
    blocks: int | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            near = nearest(self.method, METHODS, 1)[0]
            raise RecipeError(
                explain(f"method={self.method!r} is not known.", f"Nearest: {near}. All: {', '.join(METHODS)}.")
            )
        if self.folds < 2:
            raise RecipeError(explain(f"folds={self.folds}: a row must be held out of something.", "At least 2."))
        if self.blocks is not None and self.blocks != 0 and self.blocks < FEWEST:
            raise RecipeError(
                explain(f"blocks={self.blocks} tell no error.", f"At least {FEWEST}, or 0 to take the models as given.")
            )


def how_of(given: dict[str, Any]) -> How:
    """Raises UnknownName for what is no setting, and RecipeError as How."""
    refuse_unknown("text_effect()", given, How.__dataclass_fields__)
    return How(**given)


def together(texts: list[str], groups: NDArray[Any] | None) -> NDArray[Any] | None:
    """Rows that are held out together: those of a group, or else those of equal text, where any are."""
    if groups is not None or len(set(texts)) == len(texts):
        return groups
    numbers = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    return np.array([numbers[text] for text in texts])


def blocks_for(how: How, t: NDArray[np.int64], groups: NDArray[Any] | None) -> int:
    """How many blocks are left out in turn. Raises RecipeError where more were asked for than there are rows for."""
    units = [len(t[t == arm]) if groups is None else len(np.unique(groups[t == arm])) for arm in (0, 1)]
    most = min(units) // 2  # two rows of each arm in a block
    if how.blocks is None:
        return BLOCKS if len(t) <= MOST_ROWS and most >= BLOCKS else 0
    if how.blocks > most:
        what = "rows" if groups is None else "groups of rows"
        raise RecipeError(
            explain(f"blocks={how.blocks} for {min(units)} {what} of one arm.", f"At most {most}, or 0 for none.")
        )
    return how.blocks


def prepared(
    table: pd.DataFrame, treatment: str, outcome: str, text: str, covariates: tuple[str, ...], how: How
) -> tuple[pd.DataFrame, list[str]]:
    """The columns that are used, rows with gaps left out, and notes of what was done."""
    names = [treatment, outcome, text, *covariates, *([how.group] if how.group else [])]
    column_rules.check_columns(table.iloc[:0], names)
    roles = {treatment: "the treatment", outcome: "the outcome"} | dict.fromkeys(covariates, "a covariate")
    if text in roles:
        raise DataError(explain(f"column {text!r} is named as the text and is {roles[text]}.", "Name it once."))
    for name in NUMBERS:
        if name in names:
            raise DataError(f"a column named {name!r} stands in the way of what is read off the text: rename it.")
    data = table[list(dict.fromkeys(names))]
    gone = data.isna().any(axis=1) | (data[text].astype(str).str.strip() == "")
    notes = []
    if gone.any():
        notes.append(
            f"{int(gone.sum())} of {len(table)} rows are left out, for they have gaps. What is found is about the "
            "others; fill the gaps, and say how, if these rows are of another kind."
        )
        data = data[~gone]
    if not len(data):
        raise DataError(explain("every row has a gap.", f"Columns that are used: {', '.join(names)}."))
    _check_text(data[text], text, table)
    return data, notes


def _check_text(column: Any, name: str, table: pd.DataFrame) -> None:
    wrong = next((v for v in column if not isinstance(v, str)), None)
    if wrong is None and len(set(column)) > 1:
        return
    others = [str(c) for c in table.columns if table[c].map(lambda v: isinstance(v, str)).all()]
    known = f"Columns of text: {', '.join(others) or 'none'}."
    if wrong is not None:
        raise DataError(explain(f"column {name!r} holds {wrong!r}, which is no text.", known), column=name)
    raise DataError(explain(f"column {name!r} holds one text in every row: it tells nothing.", known), column=name)
