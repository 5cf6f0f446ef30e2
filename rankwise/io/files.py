"""Writing that a kill cannot tear: the old file or folder is there, or the new one, at every moment.

A folder is written beside its target under a hidden name, forced to the disk, and put in place by one system call:
rename where nothing was there, and an exchange of the two names (renameat2, RENAME_EXCHANGE) on Linux where
something was. Where the system cannot exchange names, the old folder is first renamed aside; a kill between these
two renames leaves it there, and the next load or save of that folder puts it back.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import secrets
import shutil
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from ..errors import FileThere, FolderExists, NoSpace, explain

CONFIG = "adapter_config.json"
PAIR = "adapter_model.safetensors"
PICKLED = "adapter_model.bin"
NATIVE_JSON = "rankwise.json"
NATIVE = "rankwise.safetensors"
STATE = "state.safetensors"
CARD = "README.md"
OURS = frozenset({CONFIG, PAIR, PICKLED, NATIVE_JSON, NATIVE, STATE, CARD})

AT_FDCWD, RENAME_EXCHANGE = -100, 2


def atomic_write(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace a file by `data`, or leave it as it was.

    Raises:
        NoSpace: the device is full; what was there before is untouched.
    """
    path = Path(path)
    new = path.with_name(f".{path.name}.{_tag()}.new")
    with _room_for(path):
        try:
            _write(new, data)
            os.replace(new, path)
            _sync(path.parent)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise


@contextmanager
def new_file(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[TextIO]:
    """A text file to write into, which appears under its name at the end of the block; an error leaves none.

    Raises:
        FileThere: it exists and `overwrite` is False, or it is a folder.
        NoSpace: the device is full; what was there before is untouched.
    """
    path = Path(path)
    if path.is_dir():
        raise FileThere(explain(f"{path} is a folder.", "Name a file in it."), path=path)
    if path.exists() and not path.is_file():  # a pipe or a device: there is nothing to replace
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    if path.exists() and not overwrite:
        raise FileThere(explain(f"{path} is there already.", "To replace it: overwrite=True"), path=path)
    with _room_for(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{_tag()}.new")
        try:
            with new.open("x", encoding="utf-8", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
            _sync(path.parent)
        finally:
            new.unlink(missing_ok=True)


def write_folder(
    folder: str | os.PathLike[str], contents: Mapping[str, bytes], *, overwrite: bool = False, says: str = "adapter"
) -> Path:
    """A folder with these files, whole or not at all. Parents are made.

    Overwriting replaces an adapter folder; files in it that no adapter folder of ours wrote are carried over.

    Raises:
        FolderExists: it is there and `overwrite` is False, or it is something else than an adapter folder.
        NoSpace: the device is full; the old folder, where there was one, is untouched.
    """
    folder = Path(folder).expanduser()
    folder = folder.parent.resolve() / folder.name if not folder.is_symlink() else folder.resolve()
    for name in contents:
        if name != os.path.basename(name) or name in ("", ".", ".."):
            raise ValueError(f"{name!r} is no plain file name.")
    recover(folder)
    check_free(folder, overwrite, says)
    with _room_for(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        new = folder.with_name(f".{folder.name}.{_tag()}.new")
        try:
            new.mkdir()
            for name, data in contents.items():
                _write(new / name, data)
            if folder.is_dir():
                _carry(folder, new, set(contents) | OURS | _written_before(folder))
            _sync(new)
            _put(new, folder)
        finally:  # after an exchange, this is the old folder
            shutil.rmtree(new, ignore_errors=True)
    return folder


def check_free(folder: Path, overwrite: bool, says: str = "adapter") -> None:
    """Refuse a target that may not be written, before any work is done.

    Raises:
        FolderExists: see write_folder. FileThere: it is a file.
    """
    if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not is_adapter(folder):
        if not folder.is_dir():
            raise FileThere(
                explain(f"{folder} is a file, and a folder is to be written.", "Choose another name."), path=folder
            )
        raise FolderExists(
            explain(
                f"{folder} is a folder without an adapter in it: it is not overwritten.",
                f"Only a folder with {CONFIG} or {NATIVE_JSON} may be replaced by an {says}.",
                "Choose another name.",
            ),
            folder=folder,
        )
    if not overwrite:
        raise FolderExists(
            explain(
                f"{folder} exists already.",
                f"To replace the {says} in it: overwrite=True",
            ),
            folder=folder,
        )


def is_adapter(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (CONFIG, NATIVE_JSON))


def recover(folder: Path) -> None:
    """Put back a folder that a kill left under its name aside (only where names cannot be exchanged)."""
    aside = _aside(folder)
    if aside.is_dir() and not os.path.lexists(folder):
        os.rename(aside, folder)


def _write(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Force a folder's entries to the disk, where the system can (not on Windows)."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _room_for(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NoSpace(
            explain(
                f"no space left on the device while writing {path}.",
                "What was there before is untouched.",
                f"Free some space, or write elsewhere. Free now: {_free(path)}",
            ),
            path=path,
            errno=problem.errno,
        ) from problem


def _free(path: Path) -> str:
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return f"{shutil.disk_usage(path).free:,} bytes in {path}"


def _put(new: Path, folder: Path) -> None:
    """Give `new` the name `folder`; what had it, if anything, is at `new` afterwards, or gone."""
    if not folder.is_dir():
        os.rename(new, folder)
    elif not _exchange(new, folder):
        aside = _aside(folder)
        os.rename(folder, aside)
        try:
            os.rename(new, folder)
        except BaseException:
            with suppress(OSError):
                os.rename(aside, folder)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    _sync(folder.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the system or the file system cannot."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    if swap is None:
        return False
    swap.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    if swap(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _tag() -> str:
    """Which process of which machine a temporary name belongs to."""
    return f"{_machine()}-{os.getpid()}-{secrets.token_hex(3)}"


def _machine() -> str:
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return f"{zlib.crc32(name.encode()):08x}"


def _sweep(folder: Path) -> None:
    """Remove what killed processes of this machine left beside `folder`."""
    if folder.is_dir():
        shutil.rmtree(_aside(folder), ignore_errors=True)
    start = f".{folder.name}.{_machine()}-"
    for path in folder.parent.iterdir():
        if path.name.startswith(start) and path.name.endswith(".new"):
            pid = path.name.removeprefix(start).split("-")[0]
            if pid.isdigit() and not _alive(int(pid)):
                shutil.rmtree(path, ignore_errors=True)


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # os.kill(pid, 0) would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _written_before(folder: Path) -> set[str]:
    """Names that an earlier save put into `folder` beyond the usual ones, as its rankwise.json says."""
    try:
        names = json.loads((folder / NATIVE_JSON).read_bytes())["files"]
        return {n for n in names if isinstance(n, str)}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _carry(old: Path, new: Path, ours: set[str]) -> None:
    """What others put into the old folder goes on existing in the new one: hard links where possible."""
    for path in sorted(old.iterdir()):
        if path.name in ours:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, new / path.name, symlinks=True, copy_function=_link)
        else:
            _link(path, new / path.name)


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
