"""How a command ends that cannot do what it was asked: one message, no traceback, and an exit code that says whose.

0 done, 1 a fault of rankwise, 2 the user's to mend (a name, a file, a full device), 130 stopped by Ctrl-C,
141 the reader of the output went away.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from typing import Any

import typer
from typer.core import TyperGroup

from ..errors import Interrupted, RankwiseError

OURS, YOURS, STOPPED, NOBODY_READS = 1, 2, 130, 141
DEBUG = "RANKWISE_DEBUG"
FULL = (errno.ENOSPC, errno.EDQUOT)


class Commands(TyperGroup):
    """The group of all commands; what they raise ends here."""

    def invoke(self, ctx: Any) -> Any:
        warnings.showwarning = _warn
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader that went away is noticed here, not at exit
            return result
        except BaseException as error:
            code = _tell(error)
            if code is None:
                raise
            raise typer.Exit(code) from None


def _tell(error: BaseException) -> int | None:
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
        _say(str(error) or "stopped.")
        return STOPPED
    if isinstance(error, RankwiseError):
        _say(f"{type(error).__name__}: {error}")
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


def _warn(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    if not issubclass(category, FutureWarning | DeprecationWarning):  # those are for whoever writes code
        _say(f"warning: {message}")


def _say(text: str) -> None:
    print(f"rankwise: {text}", file=sys.stderr, flush=True)
