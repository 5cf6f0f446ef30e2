"""Narratives follow their structural model: shares, labels, known effects, confounding and the want of overlap."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from rankwise.causal.narratives import CUES, EFFECTS, NAMES, Story, generate
from rankwise.causal.plots import STYLES
from rankwise.causal.story_cues import values
from rankwise.errors import RecipeError, UnknownName
from rankwise.relations import edits


def table(story: Story, n: int = 2000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cues [n, 6], labels [n], styles [n]."""
    cases = story.draw(n, seed=4)
    x = np.array([list(values(c).values()) for c in cases], dtype=float)
    return x, np.array([c.label == "BEFORE" for c in cases], dtype=float), np.array([c.style for c in cases])


def test_one_seed_gives_one_list_and_another_seed_another() -> None:
    first, again = generate(20, seed=3), generate(20, seed=3)
    assert first == again
    assert first != generate(20, seed=4)
    assert first[:5] == generate(5, seed=3)
    assert len({c.document.id for c in first}) == 20


def test_every_cue_of_every_case_is_there_and_can_be_set_both_ways() -> None:
    for case in generate(50, confounding=0.9):
        for cue in CUES:
            assert cue.value(case) in (0, 1)
            for value in (0, 1):
                edited = cue.edit(case, value)
                assert edited is not None
                assert cue.value(edited) == value


def test_clean_cues_are_independent_coins() -> None:
    x, _, styles = table(Story())
    assert x.mean(0) == pytest.approx(np.full(6, 0.5), abs=0.04)
    assert np.abs(np.corrcoef(x.T) - np.eye(6)).max() < 0.08
    for style in STYLES:
        assert x[styles == style].mean(0) == pytest.approx(np.full(6, 0.5), abs=0.08)


def test_confounded_cues_lean_with_style_and_keep_both_values() -> None:
    x, _, styles = table(Story(confounding=0.5))
    for style, chance in zip(STYLES, (0.75, 0.6, 0.4, 0.25), strict=True):
        assert x[styles == style].mean(0) == pytest.approx(np.full(6, chance), abs=0.07)
    assert np.corrcoef(x.T)[~np.eye(6, dtype=bool)].min() > 0.05


def test_a_deterministic_story_leaves_no_overlap() -> None:
    x, _, _ = table(Story(deterministic=True), 200)
    assert set(map(tuple, x)) == {(0.0,) * 6, (1.0,) * 6}


def test_labels_come_from_the_effects_alone() -> None:
    x, y, _ = table(Story({"connective": 2.0}), 4000)
    for value, chance in ((0, 1 / (1 + math.e)), (1, math.e / (1 + math.e))):
        assert y[x[:, 0] == value].mean() == pytest.approx(chance, abs=0.03)
    assert y[x[:, 1] == 1].mean() - y[x[:, 1] == 0].mean() == pytest.approx(0, abs=0.04)


def test_effects_are_known_in_closed_form_and_by_enumeration() -> None:
    assert Story({"connective": 2.0}).ace("connective") == pytest.approx(math.tanh(0.5), abs=1e-12)
    assert Story({"connective": 2.0}).ace("order") == 0.0
    two = Story({"connective": 2.0, "order": 1.0}, bias=0.5)
    s = [1 / (1 + math.exp(-z)) for z in (2.0, 1.0, 0.0, -1.0)]  # (1, 1), (1, 0), (0, 1), (0, 0)
    assert two.ace("connective") == pytest.approx((s[0] - s[2] + s[1] - s[3]) / 2, abs=1e-12)
    assert two.ace("order") == pytest.approx((s[0] - s[1] + s[2] - s[3]) / 2, abs=1e-12)
    assert sum(p for p, _, _ in Story(confounding=0.7, lacking={"tense": 0.3}).worlds()) == pytest.approx(1)


def test_confounding_misleads_a_difference_of_means_and_not_the_clean_one() -> None:
    for name in NAMES:
        assert Story().naive(name) == pytest.approx(Story().ace(name), abs=1e-12)
        assert Story(confounding=0.5).naive(name) > Story(confounding=0.5).ace(name) + 0.1
    x, y, _ = table(Story(confounding=0.5), 4000)
    seen = y[x[:, 4] == 1].mean() - y[x[:, 4] == 0].mean()
    assert Story(confounding=0.5).ace("distance") == 0.0
    assert seen == pytest.approx(Story(confounding=0.5).naive("distance"), abs=0.05)
    assert math.isnan(Story(joined=True).naive("distance"))


def test_cues_can_be_lacking_and_then_say_nothing() -> None:
    cases = Story(lacking={"connective": 0.5, "tense": 1.0, "trigger": 0.3}).draw(400)
    share = Counter(name for c in cases for name, v in values(c).items() if v is None)
    assert share["tense"] == 400
    assert share["connective"] / 400 == pytest.approx(0.5, abs=0.08)
    assert share["trigger"] / 400 == pytest.approx(0.3, abs=0.08)
    assert not any("had" in c.document.text for c in cases)
    assert math.isnan(Story(lacking={"tense": 1.0}).ace("tense"))


def test_joined_stories_can_be_augmented_where_before_and_after_rule() -> None:
    story = Story({"connective": 60.0}, joined=True, lacking={"tense": 1.0, "signal": 1.0})
    cases = story.draw(40)
    for case in cases:
        (site,) = edits.sites(case.document)
        assert {site.a, site.b} == {"e1", "e2"}
    assert len(edits.augment([c.document for c in cases])) > 2 * 40
    assert values(cases[0])["distance"] == 0


def test_wrong_models_are_refused_in_one_clear_line() -> None:
    with pytest.raises(UnknownName, match=r"'tens' is no cue.\n  Nearest: tense"):
        Story({"tens": 1.0})
    with pytest.raises(UnknownName, match=r"'signals'"):
        Story(lacking={"signals": 0.5})
    with pytest.raises(RecipeError, match=r"confounding=1 is out of range.*\n.*deterministic=True"):
        Story(confounding=1.0)
    with pytest.raises(RecipeError, match=r"lacking order=0.5"):
        Story(lacking={"order": 0.5})
    with pytest.raises(RecipeError, match=r"n=0"):
        generate(0)
    assert set(EFFECTS) == set(NAMES)
