"""The command ``sklc``: which command runs, and what becomes of errors."""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FrameType

from sklc.cli.arguments import Parser, UsageError, build_parser, with_explicit_merge
from sklc.cli.console import Console

__all__ = ["main"]

# Module and function of each command. They are imported by name, when a command runs.
_COMMANDS = {
    "classify": "sklc.cli.predict:classify",
    "encode": "sklc.cli.predict:encode",
    "redshift": "sklc.cli.predict:redshift",
    "anomalies": "sklc.cli.anomalies:anomalies",
    "plot": "sklc.cli.plot:plot",
    "info": "sklc.cli.info:info",
    "simulate": "sklc.cli.simulate:simulate",
    "weights": "sklc.cli.listings:weights",
    "formats": "sklc.cli.listings:formats",
}
_FAILED, _INTERRUPTED, _NO_READER, _TERMINATED = 2, 130, 141, 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line ``sklc``.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments to use instead of those of the process.

    Returns
    -------
    int
        The exit status: 0 if everything was done, 1 if some objects or some of several files could
        not be used, 2 if nothing could be done, 130 if interrupted.

    Examples
    --------
    >>> from sklc.cli import main
    >>> main(["weights", "list"])  # doctest: +ELLIPSIS
    any ...
    0
    """
    given = list(sys.argv[1:] if arguments is None else map(str, arguments))
    console = Console(quiet="-q" in given or "--quiet" in given, debug="--debug" in given)
    try:
        with _termination_is_an_exit(), console.shows_warnings():
            status = _run(given, console)
            if sys.stdout is not None:
                sys.stdout.flush()
    except SystemExit as exit:  # of --help and --version, and of a termination
        if exit.code == _TERMINATED:
            console.say("terminated")
        return exit.code if isinstance(exit.code, int) else 0
    except BrokenPipeError:
        _leave_standard_output()
        return _NO_READER
    except KeyboardInterrupt:
        console.say("interrupted")
        return _INTERRUPTED
    except Exception as error:
        console.error(error)
        return _FAILED
    return status


def _run(given: list[str], console: Console) -> int:
    if given and given[0] not in _COMMANDS and os.path.exists(given[0]):
        raise UsageError(f"name a command before the file, such as: sklc info {given[0]}")
    defaults = Namespace(debug=False, quiet=False)
    options, rest = build_parser().parse_known_args(with_explicit_merge(given), defaults)
    console.quiet, console.debug = options.quiet, options.debug
    if options.command == "pretrain":
        rest = [word for word in given[given.index("pretrain") + 1 :] if word != "--debug"]
        own = Parser(prog="sklc pretrain", description="Train weights on simulated light curves.")
        import_module("sklc.pretrain").main(rest, parser=own)
        return 0
    if rest and hasattr(options, "files") and not any(_is_option(word) for word in rest):
        options.files += rest  # files may stand between options
    elif rest:
        raise UsageError(
            f"unknown argument {rest[0]!r} (see sklc {options.command} --help, and begin names of "
            "files that start with - by ./)"
        )
    module, function = _COMMANDS[options.command].split(":")
    return getattr(import_module(module), function)(options, console)


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


@contextmanager
def _termination_is_an_exit() -> Iterator[None]:
    """Let a termination (SIGTERM) unwind, so that unfinished files are removed."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(_TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave_standard_output() -> None:
    """Let nothing more be written to a pipe that nobody reads, not even at the exit."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
