"""Views of texts, estimates without some of the rows, and errors that count what the models miss."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal.aipw import split
from rankwise.causal.text_nuisance import Scores, refit, scores, words
from rankwise.causal.text_read import BY_TEXT, View, error_by_blocks, of_nuisances, read
from tests.texts import table


@pytest.fixture(scope="module")
def rows():
    made = table(200)
    t, y = made["t"].to_numpy(), made["y"].to_numpy()
    return words(made["review"].tolist()), t, y, split(t, 4, 0)


def test_a_view_without_some_rows_never_saw_them(rows):
    x, t, y, fold = rows
    keep = np.arange(200) % 7 != 0
    view = View.of("words", x, t, y, fold)
    found, fresh = view.only(keep, t, y, fold), scores("words", x[keep], t[keep], y[keep], fold[keep])
    assert (found.of_outcome == fresh.of_outcome).all()
    assert (found.of_treatment == fresh.of_treatment).all()
    changed = np.where(keep, y, 1e6)
    again = View.of("words", x, t, changed, fold).only(keep, t, changed, fold)
    assert (again.of_outcome == found.of_outcome).all()


def test_an_adapters_scores_are_kept_as_they_are(rows):
    x, t, y, fold = rows
    made = scores("adapter", x, t, y, fold)
    keep = np.arange(200) % 5 != 0
    kept = View(Scores("adapter", made.of_treatment, made.of_outcome)).only(keep, t, y, fold)
    assert (kept.of_outcome == made.of_outcome[:, keep]).all()
    assert kept.of_treatment.shape == (4, keep.sum(), 1)


def test_the_error_by_blocks_is_the_jackknife_of_the_whole_estimate(rows):
    x, t, y, fold = rows
    views, none = [View.of("words", x, t, y, fold)], np.empty((200, 0))
    found = error_by_blocks(views, t, y, fold, none, by=BY_TEXT, blocks=10, seed=3)
    block, values = split(t, 10, 4), []
    for k in range(10):
        keep = block != k
        fresh = scores("words", x[keep], t[keep], y[keep], fold[keep])
        parts = refit([fresh], t[keep], y[keep], fold[keep])
        values.append(of_nuisances(parts, t[keep], y[keep])[1])
    assert found == pytest.approx(np.sqrt(9 / 10 * ((values - np.mean(values)) ** 2).sum()), abs=1e-12)


def test_reading_the_rows_gives_the_nuisances_of_their_scores(rows):
    x, t, y, fold = rows
    seen = read([View.of("words", x, t, y, fold)], t, y, fold, np.empty((200, 0)))
    parts = refit([scores("words", x, t, y, fold)], t, y, fold)
    assert seen.by == BY_TEXT
    assert (seen.nuisances.q1 == parts.q1).all()
    assert 0.5 < seen.auc < 1
