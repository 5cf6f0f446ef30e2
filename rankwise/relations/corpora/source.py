"""Files of a corpus, whether its folder holds them or an archive that does. Nothing is unpacked onto the disk."""

from __future__ import annotations

import lzma
import tarfile
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from ...errors import BadFile, explain

ARCHIVES = (".tar.xz", ".tar.gz", ".tgz", ".tar.bz2", ".tar", ".zip")


def folder_of(folder: str | Path | None, corpus: str) -> Path:
    """The folder that the user gave. Raises BadFile where none was given, or there is none."""
    if folder is None:
        raise BadFile(
            explain(
                f"{corpus} does not travel inside the package: its licence does not allow it.",
                "Name the folder of your own copy.",
                f"rankwise relations convert {corpus} FOLDER --out {corpus}.jsonl",
            )
        )
    path = Path(folder)
    if not path.exists():
        raise BadFile(explain(f"{path} is not there.", f"It should be the folder of {corpus}."), path=path)
    return path


def members(folder: Path, *patterns: str) -> Iterator[tuple[str, bytes]]:
    """(name, content) of every file below `folder`, or in an archive there, whose path fits one of the patterns.

    Patterns are of fnmatch, against the path below the folder or inside the archive; `*` crosses slashes. In the order
    of the names, unpacked files first. Raises BadFile for an archive that cannot be read.
    """
    inside = [folder] if folder.is_file() else sorted(p for p in folder.rglob("*") if p.is_file())
    for path in inside:
        name = path.relative_to(folder).as_posix() if path != folder else path.name
        if any(fnmatch(name, p) or fnmatch("/" + name, p) for p in patterns):
            yield name, path.read_bytes()
    for path in inside:
        if not path.name.endswith(ARCHIVES):
            continue
        try:
            yield from sorted(_packed(path, lambda n: any(fnmatch(n, p) or fnmatch("/" + n, p) for p in patterns)))
        except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
            raise BadFile(explain(f"{path} cannot be read ({error}).", "Fetch it again."), path=path) from error


def _packed(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if wanted(name):
                    yield name, archive.read(name)
        return
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile() and wanted(member.name) and (file := tar.extractfile(member)):
                yield member.name, file.read()


def need(found: object, folder: Path, corpus: str, looked_for: str) -> None:
    """Raises BadFile where a reader found nothing of its corpus."""
    if not found:
        raise BadFile(
            explain(f"{folder} is not {corpus}: there is no {looked_for} below it.", "Is it the right folder?"),
            path=folder,
        )


def table(name: str, content: bytes) -> list[list[str]]:
    """The fields of every line that is not empty, split at tabs, bare. Raises BadFile for what is not UTF-8."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadFile(explain(f"{name} is not UTF-8 text ({error}).", "Fetch the corpus again."), path=name) from error
    return [[field.strip() for field in line.split("\t")] for line in text.splitlines() if line.strip()]


def xml(name: str, content: bytes) -> ET.Element:
    """The root of an XML file; expat fetches no external entity. Raises BadFile for a damaged one."""
    try:
        return ET.fromstring(content)
    except ET.ParseError as error:
        raise BadFile(
            explain(f"{name} is not well-formed XML ({error}).", "Fetch the corpus again."), path=name
        ) from error
