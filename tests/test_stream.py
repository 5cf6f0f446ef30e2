"""The order of batches: every row once an epoch, and from any step on as if never stopped."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankwise.train.data import Example
from rankwise.train.recipe import Recipe
from rankwise.train.stream import epoch_of, shares, steps, steps_in, total_steps, waste
from tests import learn


def tasks_of(counts, lengths=(3, 9)):
    """Tasks of so many rows, their lengths going round in `lengths`."""
    low, high = lengths
    made = []
    for number, count in enumerate(counts):
        rows = [Example((4,) * (low + i % (high - low + 1)), i % 2) for i in range(count)]
        made.append(learn.task(name=f"t{number}", train=rows, valid=()))
    return made


recipes = st.builds(
    Recipe,
    batch_rows=st.integers(1, 7),
    batch_tokens=st.none() | st.integers(3, 40),
    accumulate=st.integers(1, 4),
    seed=st.integers(0, 3),
)


@settings(max_examples=60, deadline=None)
@given(recipe=recipes, counts=st.lists(st.integers(1, 30), min_size=1, max_size=3), epoch=st.integers(0, 3))
def test_an_epoch_has_every_row_of_every_task_once(recipe, counts, epoch):
    tasks = tasks_of(counts)
    seen = [(number, row) for number, rows in epoch_of(tasks, recipe, epoch) for row in rows]
    assert sorted(seen) == [(n, i) for n, count in enumerate(counts) for i in range(count)]


@settings(max_examples=60, deadline=None)
@given(recipe=recipes, counts=st.lists(st.integers(1, 20), min_size=1, max_size=3), done=st.integers(0, 40))
def test_a_stream_goes_on_from_any_step_as_if_it_had_never_stopped(recipe, counts, done):
    tasks = tasks_of(counts)
    whole = list(islice(steps(tasks, recipe), done + 12))
    assert list(islice(steps(tasks, recipe, done), 12)) == whole[done:]
    assert [step for step, _, _ in whole] == list(range(1, done + 13))


@settings(max_examples=40, deadline=None)
@given(recipe=recipes, count=st.integers(1, 30))
def test_the_end_of_an_epoch_is_marked_where_its_rows_are_through(recipe, count):
    tasks = tasks_of([count])
    rows = 0
    for _, ends, group in islice(steps(tasks, recipe), 25):
        assert 1 <= len(group) <= recipe.accumulate
        rows += sum(len(batch) for _, batch in group)
        assert ends == (rows == count)
        rows = 0 if ends else rows


def test_epochs_and_seeds_differ_and_the_same_ones_agree():
    tasks = tasks_of([40, 40])
    recipe = Recipe(batch_rows=4)
    assert epoch_of(tasks, recipe, 0) == epoch_of(tasks, recipe, 0)
    assert epoch_of(tasks, recipe, 0) != epoch_of(tasks, recipe, 1)
    assert epoch_of(tasks, recipe, 0) != epoch_of(tasks, Recipe(batch_rows=4, seed=1), 0)


def test_two_tasks_of_one_size_are_shuffled_apart_and_their_batches_mixed():
    mixed = epoch_of(tasks_of([40, 40]), Recipe(batch_rows=4), 0)
    first, second = ([rows for n, rows in mixed if n == number] for number in (0, 1))
    assert first != second
    numbers = [n for n, _ in mixed]
    assert numbers not in (sorted(numbers), sorted(numbers, reverse=True))


@pytest.mark.parametrize(
    ("recipe", "want"),
    [
        (Recipe(batch_rows=4, epochs=1), 5),  # 20 rows
        (Recipe(batch_rows=4, epochs=2, accumulate=2), 6),  # 5 batches: 3 steps
        (Recipe(batch_rows=3, epochs=1, accumulate=100), 1),
        (Recipe(batch_rows=4, epochs=0.5), 3),  # 2.5
        (Recipe(batch_rows=4, epochs=0.01), 1),
        (Recipe(batch_rows=2, epochs=1.1), 11),  # 1.1 * 10 = 11.000000000000002
        (Recipe(batch_rows=4, epochs=9, steps=7), 7),
        (Recipe(batch_tokens=30, epochs=1), 4),  # of 5 tokens each: 6 + 6 + 6 + 2 rows
    ],
)
def test_steps_by_hand(recipe, want):
    assert total_steps(tasks_of([20], lengths=(5, 5)), recipe) == want


def test_several_tasks_add_up():
    assert steps_in(tasks_of([20, 7]), Recipe(batch_rows=4)) == 5 + 2


def test_padding_by_hand():
    rows = [Example((4,) * n, 0) for n in (2, 2, 5)]
    one = learn.task(train=rows, valid=())
    assert waste([one], Recipe(batch_rows=3)) == pytest.approx(1 - 9 / 15)  # 3 rows of 5
    assert waste([one], Recipe(batch_rows=1)) == 0
    even = learn.task(name="even", train=rows[:2], valid=())
    assert waste([one, even], Recipe(batch_rows=3)) == pytest.approx(1 - 13 / 19)  # with 2 rows of 2


def test_micro_batches_weigh_by_rows_within_a_task_and_by_number_between_tasks():
    tasks = tasks_of([10, 10])
    assert shares(tasks, [(0, [1, 2, 3])]) == [1.0]
    assert shares(tasks, [(0, [1, 2, 3]), (0, [4])]) == [0.75, 0.25]
    # 3 of 4 micro-batches are task 0's, of 4 + 4 + 2 rows; task 1 has the fourth
    got = shares(tasks, [(0, [0, 1, 2, 3]), (1, [0]), (0, [4, 5, 6, 7]), (0, [8, 9])])
    assert got == pytest.approx([0.3, 0.25, 0.3, 0.15])


def test_token_rows_weigh_by_their_labels_and_rows_without_any_weigh_alike():
    rows = [Example((4, 5, 6), (1, 0, 1)), Example((4, 5), (-100, 1)), Example((4,), (-100,))]
    one = learn.task("tokens", train=rows, valid=())
    assert shares([one], [(0, [0]), (0, [1])]) == [0.75, 0.25]
    assert shares([one], [(0, [2]), (0, [2])]) == [0.5, 0.5]
