"""rankwise timeline: a text in, a page out that shows what happened when, and what led to what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Base, Json, counted, need_relations, note, packaged, print_json

ENDINGS = (".html", ".json", ".graphml", ".tml", ".csv")


def timeline(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="TEXT", help="A text file, a folder of .txt files, or - for standard input.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            help="File to write, by its ending: .html, .json, .graphml, .tml (TimeML) or .csv; for a folder of texts,"
            " a folder.",
        ),
    ] = Path("timeline.html"),
    demo: Annotated[
        bool, typer.Option("--demo", help="Take an article that comes with rankwise and was not trained on.")
    ] = False,
    date: Annotated[
        str,
        typer.Option(metavar="YYYY-MM-DD", help="When the text was written; else its first date.", show_default=False),
    ] = "",
    adapter: Annotated[
        Path | None,
        typer.Option(
            metavar="ADAPTER",
            help="An extractor of rankwise relations train.",
            callback=packaged,
            show_default="rankwise's own",
        ),
    ] = None,
    base: Base = None,
    reach: Annotated[int, typer.Option(min=0, help="Sentences between two events that are asked about.")] = 2,
    threshold: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Probability from which a word is an event.")
    ] = 0.5,
    ending: Annotated[str, typer.Option("--format", help="For a folder: what to write for each text.")] = "html",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Order the events of a text in time, find what caused what, and draw it.

    Finds events and times in English text, asks one adapted encoder about pairs of them, and decodes what it says into
    one consistent graph. The page is one file that needs no network: click an event to see its sentence and why it
    stands where it does. Works at once: an extractor comes with rankwise.

    Example:  rankwise timeline article.txt --out timeline.html
    """
    need_relations()
    from ..data import folder
    from ..errors import BadFile, explain
    from ..relations.extract import Extractor
    from ..relations.read import sample

    texts: list[tuple[str, str | Path, Path]]
    if demo and source is not None:
        raise BadFile(explain(f"{source} and --demo are both named.", "One text at a time: leave one of them out."))
    if demo:
        name, example = sample()
        texts = [(name, example, out)]
    else:
        texts = _texts(source, out, "." + ending.removeprefix("."))
    reader = Extractor.load(adapter or folder("timeline_reader"), base)
    figures, failed = [], []
    for name, text, target in texts:
        made = _one(name, text, target, reader, date=date, reach=reach, threshold=threshold, overwrite=overwrite)
        if isinstance(made, Exception):
            failed.append(made)
            if len(texts) == 1:
                raise made
            note(f"{name}: {made}")
            continue
        figures.append(made)
        if not as_json:
            _tell(made, many=len(texts) > 1)
    if as_json:
        print_json(figures[0] if len(texts) == 1 else figures)
    if failed:
        raise typer.Exit(2)


def _texts(source: Path | None, out: Path, ending: str) -> list[tuple[str, str | Path, Path]]:
    """(name, file to read, file to write) of every text.

    Raises:
        BadFile: nothing was named, or no .txt is in a folder. UnknownName: an unknown --format.
    """
    from ..errors import BadFile, UnknownName, explain, nearest

    if source is None:
        raise BadFile(explain("no text was named.", "Name a file, a folder, - for standard input, or --demo."))
    if str(source) == "-" or not source.is_dir():
        return [("standard input" if str(source) == "-" else source.name, source, out)]
    if ending not in ENDINGS:
        near = nearest(ending, ENDINGS, most=1)
        raise UnknownName(
            explain(f"--format {ending[1:]} is not written.", f"Nearest: {' '.join(near)[1:]}."), name=ending
        )
    files = sorted(source.glob("*.txt"))
    if not files:
        raise BadFile(
            explain(f"{source} holds no .txt file.", "A timeline is made of each text in a folder."), path=source
        )
    out.mkdir(parents=True, exist_ok=True)
    return [(file.name, file, out / (file.stem + ending)) for file in files]


def _one(name: str, source: str | Path, target: Path, reader: Any, *, overwrite: bool, date: str, **how: Any) -> Any:
    """The figures of one text, or the error that says why there is none."""
    import time

    from ..errors import RankwiseError
    from ..relations.exports import write
    from ..relations.read import read
    from ..relations.sources import bound_by
    from ..relations.textfile import read_text

    start = time.perf_counter()
    try:
        text = source if isinstance(source, str) else read_text(source)
        made = read(text, reader, created=date, name=name, **how)
        files = write(made, target, overwrite)
    except RankwiseError as error:
        return error
    origins = [link.origin for link in made.links]
    return {
        "text": name,
        "files": [str(f) for f in files],
        "events": len(made.document.events),
        "times": len(made.document.timexes),
        "date": made.document.created,
        "temporal": len(made.of_kind("temporal")),
        "causal": len(made.of_kind("causal")),
        "inferred": sum(o in ("inferred", "dates") for o in origins),
        "changed": sum(link.change is not None for link in made.links),
        "dated": sum(e.id in made.bounds and made.bounds[e.id].known for e in made.document.events),
        "by_text": sum(said == "text" for said in bound_by(made).values()),
        "contradictions": [_in_words(c, made.document) for c in made.contradictions],
        "notes": list(made.notes),
        "seconds": round(time.perf_counter() - start, 2),
    }


def _in_words(contradiction: Any, document: Any) -> str:
    """With the words of its events and times beside their ids."""
    said, words = str(contradiction), {m.id: document.surface(m.id) for m in document.marks}
    for name in sorted(words, key=len, reverse=True):
        said = re.sub(rf"\b{re.escape(name)}\b(?! \")", lambda match: f'{match[0]} "{words[match[0]]}"', said)
    return said


def _tell(figures: dict[str, Any], many: bool) -> None:
    whose = f"{figures['text']}: " if many else ""
    for text in (*figures["notes"], *figures["contradictions"]):
        note(f"note: {whose}{text}")
    print(
        f"{figures['text']}: {counted(figures['events'], 'event')}, {figures['dated']} of them with a bound in time "
        f"({figures['by_text']} by what the text states alone); "
        f"{counted(figures['temporal'], 'temporal relation')} ({figures['inferred']:,} inferred, "
        f"{figures['changed']:,} changed by decoding), {counted(figures['causal'], 'cause')}; {figures['seconds']} s"
    )
    print("written  " + ", ".join(figures["files"]))
