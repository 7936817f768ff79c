"""Blocks of shell commands in the documentation, run in this process."""

import contextlib
import doctest
import io
import shlex

from sklc.cli import main

_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def differences(transcript):
    """Return what the commands of a transcript print otherwise than it says.

    Lines that begin with "$ " are commands; those below are what they print, on standard output
    and standard error. "$ echo $?" prints the exit status of the command before.
    """
    found, status = [], 0
    commands = [part.partition("\n") for part in ("\n" + transcript).split("\n$ ")[1:]]
    for command, _, expected in commands:
        if command == "echo $?":
            printed = f"{status}\n"
        else:
            status, printed = run(command)
        if not doctest.OutputChecker().check_output(expected, printed, _OPTIONS):
            found.append(f"$ {command}\nexpected:\n{expected}\nprinted:\n{printed}")
    return found


def run(command):
    """Run a command "sklc ..."; return its exit status and what it prints."""
    program, *words = shlex.split(command.replace("\\\n", " "), comments=True)
    assert program == "sklc", command
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main(words)
    return status, printed.getvalue()
