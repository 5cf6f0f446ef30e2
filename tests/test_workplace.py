"""Where a run writes: nothing replaced unasked, nothing half there, nothing in the way of the next run."""

import pytest
import torch
from safetensors.torch import load_file

import rankwise as rw
from rankwise.errors import BadFile, Diverged, FolderExists
from rankwise.methods import SoRA
from rankwise.train.recipe import Recipe
from rankwise.train.record import NAME
from rankwise.train.workplace import Output, Workplace
from tests import learn, tiny

STATE = {"run": {"best": {"step": 0, "score": -float("inf"), "stale": 0}}, "history": []}


def made():
    return tiny.shaken(learn.adapter(learn.encoder(), SoRA(rank=3), learn.task()))


def prepare(out, resume=False, overwrite=False):
    return Workplace.prepare(out, resume=resume, overwrite=overwrite)


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = prepare(None)
    place.save(made(), STATE)
    place.save_best(made())
    assert place.finish(made(), Recipe()) is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadFile, match="no folder was given"):
        place.load()


def test_the_working_folder_stands_beside_and_goes_at_the_end(tmp_path):
    place = prepare(tmp_path / "deep" / "a.b")
    assert place.work == tmp_path / "deep" / "a.b.run"
    (place.work / NAME).write_text("{}\n")
    adapter = made()
    assert place.finish(adapter, Recipe(lr=0.5)) == tmp_path / "deep" / "a.b"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.b"]
    assert rw.load(tmp_path / "deep" / "a.b").equal(adapter)
    assert (tmp_path / "deep" / "a.b" / NAME).read_text() == "{}\n"
    assert Recipe.from_toml(tmp_path / "deep" / "a.b" / "recipe.toml").lr == 0.5


def test_an_output_says_layout_and_further_files(tmp_path):
    adapter = made()
    adapter.factors["last"]["gate"][1:] = 0  # rank 1 there, 3 elsewhere
    for layout, sizes in (("uniform", 1), ("compact", 2)):
        place = prepare(Output(tmp_path / layout, layout=layout, extra={"tokens.txt": b"x"}))
        place.finish(adapter, Recipe())
        assert (tmp_path / layout / "tokens.txt").read_bytes() == b"x"
        pair = load_file(tmp_path / layout / "adapter_model.safetensors")
        assert len({t.shape[0] for n, t in pair.items() if "lora_A" in n}) == sizes


def test_a_checkpoint_comes_back_with_its_best(tmp_path):
    place = prepare(tmp_path / "a")
    now, best = made(), tiny.shaken(made(), seed=4)
    state = STATE | {"run": {"best": {"step": 3, "score": 0.5, "stale": 1}, "rng": torch.get_rng_state()}}
    place.save(now, state)
    place.save_best(best)
    saved = prepare(tmp_path / "a", resume=True).load()
    assert saved.adapter.equal(now)
    assert saved.best.equal(best)
    assert saved.state["run"]["best"] == state["run"]["best"]
    assert torch.equal(saved.state["run"]["rng"], state["run"]["rng"])


def test_before_the_first_best_there_is_none_and_a_lost_one_is_an_error(tmp_path):
    place = prepare(tmp_path / "a")
    place.save(made(), STATE)
    saved = place.load()
    assert saved.best is None
    assert saved.state["run"]["best"]["score"] == -float("inf")
    place.save(made(), {"run": {"best": {"step": 3}}})
    with pytest.raises(BadFile, match="best"):
        place.load()


def test_a_folder_that_is_there_is_refused_and_asked_for_replaced(tmp_path):
    prepare(tmp_path / "a").finish(made(), Recipe())
    with pytest.raises(FolderExists, match=r"a is there already\.\n(.|\n)*--overwrite") as caught:
        prepare(tmp_path / "a")
    assert caught.value.path == tmp_path / "a"
    other = tiny.shaken(made(), seed=9)
    prepare(tmp_path / "a", overwrite=True).finish(other, Recipe())
    assert rw.load(tmp_path / "a").equal(other)


def test_what_could_not_be_replaced_at_the_end_is_refused_at_the_beginning(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    with pytest.raises(FolderExists, match="without an adapter in it"):
        prepare(tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos" / "one.jpg").exists()
    assert not (tmp_path / "photos.run").exists()


def test_a_stopped_run_is_refused_with_what_can_be_done_about_it(tmp_path):
    place = prepare(tmp_path / "a")
    with pytest.raises(FolderExists, match="before its first checkpoint") as caught:
        prepare(tmp_path / "a")
    assert "--resume" not in str(caught.value)
    with pytest.raises(BadFile, match="nothing to resume"):
        prepare(tmp_path / "a", resume=True)
    place.save(made(), STATE)
    with pytest.raises(FolderExists, match="--resume"):
        prepare(tmp_path / "a")
    assert prepare(tmp_path / "a", resume=True).load().adapter.equal(made())
    prepare(tmp_path / "a", overwrite=True)
    assert not (tmp_path / "a.run" / "last").exists()


def test_checking_changes_nothing(tmp_path):
    prepare(tmp_path / "a").save(made(), STATE)
    Workplace.check(tmp_path / "a", resume=False, overwrite=True)
    Workplace.check(tmp_path / "new", resume=False, overwrite=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.run"]
    assert (tmp_path / "a.run" / "last").is_dir()


def test_a_failure_clears_the_folder_unless_a_checkpoint_or_a_curve_is_in_it(tmp_path):
    def fail(name, error, save=False):
        place = prepare(tmp_path / name)
        (place.work / NAME).touch()
        if save:
            place.save(made(), STATE)
        with pytest.raises(error), place.cleared_if_unused():
            raise error("x")
        return place.work.exists()

    assert not fail("a", ValueError)
    assert not fail("b", KeyboardInterrupt)
    assert fail("c", ValueError, save=True)
    assert fail("d", Diverged)


def test_a_failure_to_write_the_result_keeps_the_run(tmp_path):
    place = prepare(tmp_path / "a")
    place.save(made(), STATE)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "somebody's").touch()  # came while the run went on
    with pytest.raises(FolderExists), place.cleared_if_unused():
        place.finish(made(), Recipe())
    assert place.load().adapter.equal(made())
