"""The command line: every command of rankwise, one file for each group of them.

Nothing here imports torch; commands import what they need when they run, so that help is quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from . import change, look, relations, schedule, use
from .audit import audit
from .common import unwrapped
from .demo import demo
from .effect import effect
from .failure import Commands
from .gates import gates
from .narratives import narratives
from .policy import policy
from .timeline import timeline
from .train import train
from .what_if import what_if

app = typer.Typer(
    name="rankwise",
    cls=Commands,
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"rankwise {__version__}")
        raise typer.Exit


@app.callback()
def _all(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Adapters that find their own rank: train, cut, combine and use them.

    Example:  rankwise demo
    """


for command in (
    demo,
    train,
    use.evaluate,
    use.predict,
    look.show,
    look.sites,
    change.cut,
    schedule.sparsify,
    change.combine,
    change.merge,
    change.export,
    timeline,
    effect,
    policy,
    audit,
    gates,
    narratives,
    what_if,
):
    app.command(help=unwrapped(command.__doc__ or ""))(command)


app.add_typer(relations.app, name="relations")


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
