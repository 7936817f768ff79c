"""What the commands that print a row per object share: read, compute, write, sum up."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from sklc.cli.arguments import UsageError
from sklc.cli.console import Console, counted, one_line
from sklc.cli.options import Reading, in_shell
from sklc.cli.sources import Part, Sources
from sklc.cli.tables import Failure, OutputFile, TableWriter, write_failures
from sklc.cli.usable import Problem, collect_problems
from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.utils.progress import progress_bar

__all__ = ["Tally", "rows_of", "warn_of_total_flux", "write_rows"]

_SHOWN = 10  # lines of files and of failures in the summary
Columns = dict[str, np.ndarray]


class Tally:
    """Counts what was done and what failed, and sums it up at the end.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Where the summary goes.
    """

    def __init__(self, options: Namespace, console: Console) -> None:
        self.console = console
        self.stop = options.on_error == "raise"
        self.n_objects = 0
        self.failures: list[Failure] = []
        self.output: OutputFile | None = None
        if options.failures is not None:
            self.output = OutputFile(
                options.failures, [".csv"], overwrite=options.overwrite, inputs=options.files
            )
            if (
                options.output is not None
                and options.output.resolve() == options.failures.resolve()
            ):
                raise UsageError(f"{options.failures} is the file of -o, too: choose another name")

    def add(self, file: str, object_id: Any, problem: Problem) -> None:
        """Count an object that cannot be used.

        Raises
        ------
        LightCurveError
            If the first such object is to be an error.
        """
        if self.stop:
            raise LightCurveError(f"{file}: object {object_id!r}: {problem}")
        self.failures.append(Failure(file, object_id, *map(one_line, problem)))

    def finish(self, done: str, sources: Sources, written: str = "") -> int:
        """Write the summary and the table of failures.

        Parameters
        ----------
        done : str
            What was done, such as "classified".
        sources : Sources
            The files that were read.
        written : str, optional
            The file that was written.

        Returns
        -------
        int
            The exit status.
        """
        say, failed, read = self.console.say, len(self.failures), sources.reports
        complete = [report for report in read if not report.error]  # of the others it was said
        for report in complete[:_SHOWN]:
            say(f"read {report}")
        if len(complete) > _SHOWN:
            say(f"read {counted(len(complete) - _SHOWN, 'more file')}")
        text = f"{done} {counted(self.n_objects, 'object')}"
        if failed:
            text += f"; {failed:,} could not be used"
        if sources.failed:
            text += f"; {len(sources.failed):,} of {len(read):,} files were not read"
        say(text)
        alike: dict[Problem, list[Failure]] = {}
        for failure in self.failures:
            alike.setdefault(Problem(failure.reason, failure.remedy), []).append(failure)
        for why, own in list(alike.items())[:_SHOWN]:
            others = f" and {counted(len(own) - 1, 'other')}" if len(own) > 1 else ""
            say(f"  {own[0].object_id!r} in {own[0].file}{others}: {why}")
        if len(alike) > _SHOWN:
            more = "" if self.output else " (--failures FILE.csv lists all)"
            say(f"  ... and others, for {len(alike) - _SHOWN:,} more reasons{more}")
        if self.output is not None:
            of_files = [Failure(report.name, None, report.error, "") for report in sources.failed]
            write_failures([*self.failures, *of_files], self.output)
            say(f"wrote {self.output.path}")
        if written:
            say(f"wrote {written}")
        return int(bool(failed or sources.failed))


def write_rows(
    options: Namespace,
    console: Console,
    done: str,
    method: Callable[[LightCurves], Columns],
) -> int:
    """Write one row per object: its id, and the columns that a method makes of it.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Where progress and summary go.
    done : str
        What is done, such as "classified".
    method : callable
        It takes light curves, and returns columns with one value per object; with a warning of
        those that it cannot use.

    Returns
    -------
    int
        The exit status.
    """
    tally = Tally(options, console)
    sources = Sources(options.files, Reading.of(options), console)
    with (
        TableWriter(options.output, overwrite=options.overwrite, inputs=[*options.files]) as writer,
        progress_bar(console.progress, unit=" objects", unit_scale=True, desc=done) as bar,
    ):
        for frame in rows_of(sources.parts(), method, tally):
            writer.write(frame)
            bar.update(len(frame))
    warn_of_total_flux(sources, console)
    return tally.finish(done, sources, str(writer.output.path) if writer.output else "")


def warn_of_total_flux(sources: Sources, console: Console) -> None:
    """Warn if the weights, which know difference fluxes, have been applied to total fluxes.

    Parameters
    ----------
    sources : Sources
        The files that were read.
    console : Console
        Where the warning goes.
    """
    for format in {report.format for report in sources.reports if report.format is not None}:
        flux = in_shell(format.flux, format)
        if "total" in flux and "difference" not in flux:
            console.warn(
                f"{format.name} gives {flux}, and the weights were trained on difference fluxes of "
                "transients: do not rely on the result unless the objects have no other light"
            )


def rows_of(
    parts: Iterator[Part], method: Callable[[LightCurves], Columns], tally: Tally
) -> Iterator[pd.DataFrame]:
    """Apply a method to all objects, and make tables with a row for each.

    Parameters
    ----------
    parts : iterator of Part
        The objects.
    method : callable
        As for `write_rows`.
    tally : Tally
        Counts the objects, and those that fail.

    Yields
    ------
    DataFrame
        Ids and columns; the values of objects that could not be used are missing.
    """
    for part in parts:
        with collect_problems() as problems:
            columns = method(part.curves)
        of_rows = part.problems | {int(part.rows[k]): own for k, own in problems.items()}
        for row in sorted(of_rows):
            tally.add(part.file, part.ids[row : row + 1].tolist()[0], of_rows[row])
        for object_id, problem in part.repeated.items():
            tally.add(part.file, object_id, problem)
        table = pd.DataFrame(columns, index=part.rows)
        truths = dict.fromkeys(table.select_dtypes("bool"), "boolean")  # may be missing
        table = table.astype(truths).drop(index=part.rows[list(problems)].tolist())
        tally.n_objects += len(table)
        table = table.reindex(np.arange(len(part.ids)))
        table.insert(0, "object_id", part.ids)
        yield table
