"""Whatever happens while a folder is written, the old one is there or the new one, whole."""

from __future__ import annotations

import builtins
import ctypes
import errno
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from rankwise.errors import BadFile, FileThere, FolderExists, NoSpace
from rankwise.io import files
from rankwise.io.files import CONFIG, NATIVE_JSON, atomic_write, new_file, recover, write_folder
from rankwise.io.find import find_folder, read

OLD = {CONFIG: b"old config", "weights": b"old" * 1000, NATIVE_JSON: b'{"files": ["weights", "run.jsonl"]}'}
NEW = {CONFIG: b"new config", "weights": b"newer" * 1000, NATIVE_JSON: b'{"files": ["weights"]}'}


def content(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.is_dir() else None


def put(folder, contents):
    folder.mkdir()
    for name, data in contents.items():
        (folder / name).write_bytes(data)


@pytest.fixture(params=["exchange", "rename"])
def system(request, monkeypatch):
    """A system that can exchange two names, and one whose C library has never heard of it."""
    if request.param == "rename":
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    return request.param


def test_a_new_folder_appears_with_its_parents(tmp_path):
    folder = write_folder(tmp_path / "some" / "where", NEW)
    assert content(folder) == NEW
    assert [p.name for p in folder.parent.iterdir()] == ["where"]


def test_an_existing_adapter_is_refused_and_named_and_left_alone(tmp_path):
    folder = write_folder(tmp_path / "a", OLD)
    with pytest.raises(FolderExists, match=r"a exists already\.\n.*overwrite=True") as caught:
        write_folder(folder, NEW)
    assert caught.value.folder == folder
    assert content(folder) == OLD


def test_overwriting_replaces_every_file_of_ours(system, tmp_path):
    folder = write_folder(tmp_path / "a", {**OLD, "run.jsonl": b"of the old run"})
    write_folder(folder, NEW, overwrite=True)
    assert content(folder) == NEW
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_what_others_put_into_the_folder_is_carried_over(system, tmp_path):
    folder = write_folder(tmp_path / "a", OLD)
    (folder / "notes.txt").write_text("mine")
    (folder / "logs").mkdir()
    (folder / "logs" / "events").write_text("of tensorboard")
    (folder / "link").symlink_to("notes.txt")
    write_folder(folder, NEW, overwrite=True)
    assert (folder / "notes.txt").read_text() == (folder / "link").read_text() == "mine"
    assert (folder / "logs" / "events").read_text() == "of tensorboard"
    assert (folder / "link").is_symlink()
    assert {n: (folder / n).read_bytes() for n in NEW} == NEW


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_adapter_is_never_overwritten(kind, tmp_path):
    target = tmp_path / "thesis"
    if kind == "folder":
        target.mkdir()
        (target / "chapter.tex").write_text("three years")
    else:
        target.write_text("three years")
    error, said = (FolderExists, "is not overwritten") if kind == "folder" else (FileThere, "is a file")
    with pytest.raises(error, match=said):
        write_folder(target, NEW, overwrite=True)
    assert "three years" in (target / "chapter.tex" if kind == "folder" else target).read_text()


def test_an_empty_folder_is_used(system, tmp_path):
    (tmp_path / "a").mkdir()
    assert content(write_folder(tmp_path / "a", NEW)) == NEW


def test_a_link_to_a_folder_stays_a_link(system, tmp_path):
    real = write_folder(tmp_path / "real", OLD)
    (tmp_path / "link").symlink_to(real)
    write_folder(tmp_path / "link", NEW, overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert content(real) == NEW


def test_a_file_name_may_not_leave_the_folder(tmp_path):
    for name in ("../escape", "a/b", "..", ""):
        with pytest.raises(ValueError, match="no plain file name"):
            write_folder(tmp_path / "a", {name: b""})
    assert list(tmp_path.iterdir()) == []


# ---- failures at every step -----------------------------------------------------------------------------------------


class Stopped(BaseException):
    """The process ends here, as by a signal: nobody catches it on purpose."""


@contextmanager
def fails_at(monkeypatch, step, problem):
    """The step-th call to the operating system raises `problem`."""
    count = 0

    def counted(real):
        def call(*args, **kwargs):
            nonlocal count
            count += 1
            if count == step:
                raise problem
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        for name in ("rename", "replace", "fsync", "open", "link", "mkdir"):
            patch.setattr(os, name, counted(getattr(os, name)))
        patch.setattr(builtins, "open", counted(builtins.open))
        yield lambda: count >= step


def stops_everywhere(monkeypatch, prepare, act, check, problem):
    """Run `act` with the first, second, ... system call failing, until one run needs fewer; check after each."""
    step = 0
    while True:
        step += 1
        assert step < 100
        prepare()
        with fails_at(monkeypatch, step, problem) as failed:
            try:
                act()
            except BaseException as caught:
                if not failed():
                    raise
                check(caught)
                continue
        if not failed():
            return step - 1
        check(None)


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("problem", [Stopped(), OSError(errno.EIO, "input/output error")])
def test_a_failure_at_any_step_leaves_the_old_folder_or_the_new_one(system, there, problem, monkeypatch, tmp_path):
    folder = tmp_path / "a"

    def prepare():
        shutil.rmtree(folder, ignore_errors=True)
        if there:
            put(folder, OLD)

    def act():
        write_folder(folder, NEW, overwrite=True)

    def check(caught):
        recover(folder)
        assert content(folder) in ([OLD, NEW] if there else [None, NEW])

    assert stops_everywhere(monkeypatch, prepare, act, check, problem) >= 8
    # Where the cleaning up itself was stopped, the old folder stays under a hidden name; the next process sweeps.
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".a.")] == ["a"]


def test_no_space_at_any_step_is_said_and_the_old_folder_is_intact(system, monkeypatch, tmp_path):
    folder, said = tmp_path / "a", []

    def prepare():
        shutil.rmtree(folder, ignore_errors=True)
        put(folder, OLD)

    def check(caught):
        assert isinstance(caught, NoSpace | None)
        assert content(folder) in (OLD, NEW)
        if caught is not None and content(folder) == OLD:
            assert caught.errno == errno.ENOSPC
            assert "no space left on the device" in str(caught)
            said.append(caught)

    def act():
        write_folder(folder, NEW, overwrite=True)

    stops_everywhere(monkeypatch, prepare, act, check, OSError(errno.ENOSPC, "full"))
    assert len(said) >= 6


@pytest.mark.parametrize("there", [True, False])
def test_a_file_is_replaced_whole_or_not_at_all(there, monkeypatch, tmp_path):
    path = tmp_path / "file"

    def prepare():
        path.unlink(missing_ok=True)
        if there:
            path.write_bytes(b"old")

    def act():
        atomic_write(path, b"new")

    def check(caught):
        assert (path.read_bytes() if path.exists() else None) in (b"old" if there else None, b"new")
        assert len(list(tmp_path.iterdir())) <= 1

    stops_everywhere(monkeypatch, prepare, act, check, OSError(errno.EIO, "input/output error"))
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")
def test_killed_at_any_moment_the_folder_is_old_or_new(system, tmp_path):
    """A child swaps two contents as fast as it can and is killed without warning, twenty times over."""
    folder = write_folder(tmp_path / "a", OLD)
    dice = random.Random(0)
    for _ in range(20):
        child = os.fork()
        if not child:
            try:
                while True:
                    for files_of in (NEW, OLD):
                        write_folder(folder, files_of, overwrite=True)
            finally:
                os._exit(1)
        time.sleep(dice.uniform(0.002, 0.03))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        recover(folder)
        assert content(folder) in (OLD, NEW)
    write_folder(folder, NEW, overwrite=True)  # and sweeps up what the killed ones left
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.fixture
def tiny_disk(tmp_path):
    """A real device of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no right to mount a device here")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="needs mount")
def test_a_device_that_is_really_full(tiny_disk):
    folder = write_folder(tiny_disk / "a", OLD)
    with pytest.raises(NoSpace, match=rf"no space left on the device while writing {folder}[\s\S]*Free now"):
        write_folder(folder, {**NEW, "weights": b"x" * 200_000}, overwrite=True)
    assert content(folder) == OLD
    assert [p.name for p in tiny_disk.iterdir()] == ["a"]
    with pytest.raises(NoSpace):
        atomic_write(tiny_disk / "b", b"x" * 200_000)
    assert [p.name for p in tiny_disk.iterdir()] == ["a"]


def test_a_folder_left_aside_by_a_kill_is_found_again(tmp_path):
    folder = write_folder(tmp_path / "a", OLD)
    os.rename(folder, tmp_path / ".a.old")  # the moment between two renames
    assert content(find_folder(folder)) == OLD


def test_another_running_process_is_not_swept_away(tmp_path):
    folder = write_folder(tmp_path / "a", OLD)
    busy = tmp_path / f".a.{files._machine()}-{os.getppid()}-abcdef.new"
    elsewhere = tmp_path / ".a.00000000-1-abcdef.new"
    busy.mkdir()
    elsewhere.mkdir()
    write_folder(folder, NEW, overwrite=True)
    assert busy.is_dir()
    assert elsewhere.is_dir()


# ---- a file that is written line by line


def test_a_new_file_appears_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    with new_file(path) as file:
        file.write("one\n")
        file.flush()
        assert not path.exists()
    assert path.read_text() == "one\n"
    with pytest.raises(FileThere, match=r"a\.txt is there already\.\n.*overwrite=True"), new_file(path):
        pass
    with new_file(path, overwrite=True) as file:
        file.write("two\n")
        file.flush()
        assert path.read_text() == "one\n"
    assert path.read_text() == "two\n"


def test_an_error_leaves_what_was_there(tmp_path):
    def torn(path):
        with new_file(path, overwrite=True) as file:
            file.write("half")
            raise KeyboardInterrupt

    (tmp_path / "a").write_text("old")
    for name in "ab":
        with pytest.raises(KeyboardInterrupt):
            torn(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_is_no_file_and_a_file_no_folder(tmp_path):
    with pytest.raises(FileThere, match="is a folder"), new_file(tmp_path, overwrite=True):
        pass
    (tmp_path / "a").write_text("")
    with pytest.raises(FileThere, match="a is a file, and a folder is to be written"):
        write_folder(tmp_path / "a", NEW, overwrite=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_device_is_written_as_it_is():
    with new_file("/dev/null") as file:
        file.write("x")
    with pytest.raises(OSError, match="No space"), new_file("/dev/full") as file:
        file.write("x")


# ---- finding --------------------------------------------------------------------------------------------------------


def test_a_missing_folder_names_the_nearest(tmp_path):
    write_folder(tmp_path / "stars-96", OLD)
    (tmp_path / "data").mkdir()
    with pytest.raises(BadFile, match=r"there is no folder .*/star-96\.\n  Nearest in .*: stars-96") as caught:
        find_folder(tmp_path / "star-96")
    assert caught.value.near[0] == "stars-96"
    with pytest.raises(BadFile, match=r"Adapters in .*: stars-96") as caught:
        find_folder(tmp_path / "zzz")
    assert "Nearest" not in str(caught.value)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(BadFile, match="is a file"):
        find_folder(tmp_path / "x")
    with pytest.raises(BadFile, match="there is no folder"):
        find_folder(Path("/nowhere/at/all"))


def test_a_missing_file_names_what_is_there(tmp_path):
    (tmp_path / "other.json").write_text("")
    with pytest.raises(BadFile, match=r"weights is missing\.\n  In that folder: other\.json"):
        read(tmp_path / "weights")
