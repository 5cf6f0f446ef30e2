"""Reading what a user calls a text: a file or standard input, as UTF-8, or a line that says what it is instead."""

from __future__ import annotations

import sys
from pathlib import Path

from charset_normalizer import from_bytes

from ..errors import BadFile, explain

KNOWN = {  # first bytes -> what it is, and how to get text from it
    b"%PDF": ("a PDF", "pdftotext {name} {stem}.txt"),
    b"PK\x03\x04": ("a zip archive, as .docx and .odt are", "pandoc {name} -t plain -o {stem}.txt"),
    b"\xd0\xcf\x11\xe0": ("an old Word document", "soffice --convert-to txt {name}"),
    b"{\\rtf": ("a Rich Text document", "pandoc {name} -t plain -o {stem}.txt"),
    b"\x1f\x8b": ("compressed by gzip", "gunzip {name}"),
    b"<!DOCTYPE html": ("a web page", "pandoc {name} -f html -t plain -o {stem}.txt"),
    b"<html": ("a web page", "pandoc {name} -f html -t plain -o {stem}.txt"),
}


def read_text(source: Path) -> str:
    """The text of a file, or of standard input where `source` is "-"; a byte order mark is left out.

    Raises BadFile: nothing there, a folder, no UTF-8 (with the place, and the likely encoding), NULs, another format.
    """
    if str(source) == "-":
        return decode(sys.stdin.buffer.read(), "standard input")
    try:
        content = source.read_bytes()
    except OSError as error:
        near = sorted(p.name for p in source.parent.glob("*.txt"))[:5] if source.parent.is_dir() else []
        raise BadFile(
            explain(
                f"{source} cannot be read ({error.strerror}).", f"Texts beside it: {', '.join(near)}." if near else ""
            ),
            path=source,
        ) from error
    return decode(content, str(source))


def decode(content: bytes, name: str) -> str:
    """Bytes as text. Raises BadFile as `read_text` does."""
    for start, (what, command) in KNOWN.items():
        if content[:64].lstrip().lower().startswith(start.lower()):
            how = command.format(name=name, stem=Path(name).with_suffix(""))
            raise BadFile(explain(f"{name} is {what}, not plain text.", f"To make it one: {how}"), name=name)
    if content.lstrip()[:1] == b"{" and b'"rankwise timeline"' in content[:80]:
        raise BadFile(
            explain(f"{name} is a timeline already, not a text.", "To ask of it: rankwise what-if"), name=name
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if b"\0" in content or sum(byte < 9 or 13 < byte < 32 for byte in content) > len(content) / 50:
            raise BadFile(explain(f"{name} is not text: it holds control bytes.", "Is it another format?")) from error
        best = from_bytes(content).best()
        likely = best.encoding.replace("_", "-") if best else "cp1252"
        if likely.startswith(("cp125", "iso8859")) and _western(content):
            likely = "cp1252"  # of the one-byte encodings the one that most files have
        byte = content[error.start]
        what = f"{name} is not UTF-8: byte 0x{byte:02x} at position {error.start:,}. It looks like {likely}."
        pipe = f"iconv -f {likely} -t utf-8" + ("" if name == "standard input" else f" {name} > utf8.txt")
        raise BadFile(explain(what, f"To convert it: {pipe}"), position=error.start) from error
    if "\0" in text:
        at = text.index("\0")
        raise BadFile(
            explain(f"{name} holds a NUL at position {at:,}, so it is no text.", "Is it another format?"), position=at
        )
    return text


def _western(content: bytes) -> bool:
    """Whether all that is not ASCII is a letter of western Europe or a typographic sign in cp1252."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return all(c.isascii() or c in "€‚„…†‡‰‘’“”•–—™£§©«»°±²³µ·¼½¾¿¡" or "À" <= c <= "ÿ" for c in text)
