"""How a command ends that cannot do what it was asked: one message, no traceback, and an exit code that says whose.

0 done, 1 a fault of rankwise, 2 the user's to mend (a name, a file, a full device), 130 stopped by Ctrl-C,
141 the reader of the output went away.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup

from ..errors import Interrupted, RankwiseError

OURS, YOURS, STOPPED, NOBODY_READS = 1, 2, 130, 141
DEBUG = "RANKWISE_DEBUG"
VALUE = r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\.\.\.|(?:[^\s,;:()]*[^\s,;:().])?"
SETTING = re.compile(rf"(?<!--set )(?<![\w.-])(?P<name>[a-z_]+)=(?P<value>{VALUE})")
ALIASES = {"fraction": "valid_fraction", "num_threads": "threads"}  # the library's name -> the option's
FULL = (errno.ENOSPC, errno.EDQUOT)


class Commands(TyperGroup):
    """The group of all commands; what they raise ends here."""

    def invoke(self, ctx: Any) -> Any:
        def warn(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, FutureWarning | DeprecationWarning):  # those are for whoever writes code
                _say(f"warning: {message}", self._options(ctx))

        warnings.showwarning = warn
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader that went away is noticed here, not at exit
            return result
        except BaseException as error:
            code = _tell(error, self._options(ctx))
            if code is None:
                raise
            raise typer.Exit(code) from None

    def _options(self, ctx: Any) -> dict[str, str]:
        """name of each parameter of the command that runs -> its option."""
        command = self.get_command(ctx, ctx.invoked_subcommand) if ctx.invoked_subcommand else None
        found = {p.name: max(p.opts, key=len) for p in command.params if p.name} if command else {}
        return {name: option for name, option in found.items() if option.startswith("--")}


def spoken(text: str, options: Mapping[str, str]) -> str:
    """A message of the library in the command line's words: budget=25 as --budget 25, resume=True as --resume.

    Only what is an option of this command is turned; a setting that was given by --set stays as it is.
    """

    def turned(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        option = options.get(name) or options.get(ALIASES.get(name, ""))
        if option is None:
            return found[0]
        return option if value in ("", "...", "True") else f"{option} {value}"

    return SETTING.sub(turned, text)


def _tell(error: BaseException, options: Mapping[str, str]) -> int | None:
    """Say what happened on standard error; the exit code, or None for what typer itself deals with."""
    if isinstance(error, typer.Abort | SystemExit | GeneratorExit) or hasattr(error, "exit_code"):
        return None
    if isinstance(error, BrokenPipeError):
        # Python flushes standard output once more at exit; let that go nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, Interrupted | KeyboardInterrupt):
        _say(str(error) or "stopped.", options)
        return STOPPED
    if isinstance(error, RankwiseError):
        _say(f"{type(error).__name__}: {error}", options)
        return YOURS
    if isinstance(error, OSError) and (error.filename is not None or error.errno in FULL):
        where = f"{error.filename}: " if error.filename is not None else ""
        _say(f"{where}{error.strerror}.")
        return YOURS
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        _say("the memory does not hold this.\n  Smaller batches need less: --batch-rows 8, --max-length 64")
        return YOURS
    what = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    _say(f"this is a fault of rankwise, not yours: {what}\n  To see where: {DEBUG}=1 rankwise ...")
    return OURS


def _say(text: str, options: Mapping[str, str] = MappingProxyType({})) -> None:
    print(f"rankwise: {spoken(text, options)}", file=sys.stderr, flush=True)
