"""What the commands write to standard error, a line at a time."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Console", "counted", "explain", "one_line"]

# What the library raises, with messages for people.
_EXPLAINED = (ValueError, TypeError, ImportError, OSError)


class Console:
    """Standard error.

    Parameters
    ----------
    quiet : bool
        Whether to write errors only.
    debug : bool
        Whether to show where an error comes from.
    silent : bool
        Whether to write nothing at all, where a second reading says the same.
    """

    def __init__(self, *, quiet: bool = False, debug: bool = False, silent: bool = False) -> None:
        self.quiet = quiet or silent
        self.debug = debug
        self.silent = silent
        self.warnings: list[str] = []

    @property
    def progress(self) -> str | int:
        """The ``verbose`` of progress bars."""
        return 0 if self.quiet else "auto"

    def say(self, text: str) -> None:
        """Write a line, unless errors only are asked for."""
        if not self.quiet:
            _write(f"sklc: {text}")

    def warn(self, text: str) -> None:
        """Write a warning, once."""
        if text not in self.warnings:
            self.say(f"warning: {text}")
        self.warnings.append(text)

    def error(self, error: BaseException) -> None:
        """Write an error in one line, after its traceback if that is asked for."""
        if self.debug:
            traceback.print_exception(error, file=sys.stderr)
        self.fail(explain(error))

    def fail(self, text: str) -> None:
        """Write an error, in one line."""
        if not self.silent:
            _write(f"sklc: error: {text}")

    @contextmanager
    def shows_warnings(self) -> Iterator[None]:
        """Write the warnings of the library as lines; those for programmers are left out."""

        def show(message: Warning | str, *_: Any, **__: Any) -> None:
            self.warn(one_line(message))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = show
            yield


def one_line(text: Any) -> str:
    """Return a text without line breaks."""
    return " ".join(str(text).split())


def counted(number: int, what: str) -> str:
    """Return a number and a noun: "1 object", "12,000 objects"."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def explain(error: BaseException) -> str:
    """Say in one line what went wrong."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return one_line(f"{where}{error.strerror}")
    if isinstance(error, MemoryError):
        return "there is not enough memory: try a smaller --batch-size, or fewer objects"
    text = one_line(error)
    if isinstance(error, _EXPLAINED) and text:
        return text
    return f"{type(error).__name__}: {text} (add --debug to see where)"


def _write(line: str) -> None:
    # A progress bar has to make room; tqdm is only asked if it is in use.
    tqdm = getattr(sys.modules.get("tqdm"), "tqdm", None)
    if tqdm is None:
        print(line, file=sys.stderr)
    else:
        tqdm.write(line, file=sys.stderr)
