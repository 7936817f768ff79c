"""The files of a command, read one after the other in parts of bounded size."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sklc.cli.arguments import UsageError
from sklc.cli.console import Console, counted, explain
from sklc.cli.options import Reading, in_shell
from sklc.cli.usable import Problem
from sklc.errors import LightCurveError
from sklc.io import Format, Source, read_batches, read_report, recognise
from sklc.io.formats.snana_fits import in_pairs
from sklc.io.registry import FORMATS, NOTES
from sklc.io.unreadable import Unreadable, collect_unreadable
from sklc.light_curves import LightCurves
from sklc.light_curves.ids import id_array, join_ids

__all__ = ["FileReport", "Part", "Sources", "stem_of"]

# Files of more bytes are read part by part: some formats need to be sorted by object for that.
_LARGE = 1 << 28

_ENDINGS = {
    ".gz", ".bz2", ".xz", ".zip", ".tar", ".tgz", ".csv", ".tsv", ".txt", ".dat", ".json", ".avro",
    ".parquet", ".fits", ".ecsv", ".vot", ".xml",
}  # fmt: skip


@dataclass
class FileReport:
    """What was read of a file.

    Attributes
    ----------
    name : str
        The file.
    format : Format or None
        Its format; None if it could not be read.
    objects, observations : int
        How many there are.
    bands : dict of str to None
        The names of their bands, in the order of appearance.
    zero_point : float or None
        The AB zero point of the fluxes.
    notes : list of str
        What was left out or assumed.
    warnings : list of str
        The warnings while it was read.
    error : str
        Why it could not be read; empty if it could.
    """

    name: str
    format: Format | None = None
    objects: int = 0
    observations: int = 0
    bands: dict[str, None] = field(default_factory=dict)
    zero_point: float | None = None
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str = ""

    def add(self, curves: LightCurves, n_unreadable: int) -> None:
        """Count the objects of a part of the file."""
        self.objects += len(curves) + n_unreadable
        self.observations += len(curves.time)
        self.bands |= dict.fromkeys(curves.passbands[k].name for k in np.unique(curves.band))
        self.zero_point = curves.zero_point

    def __str__(self) -> str:
        if self.format is None or self.zero_point is None:
            return f"{self.name}: {self.error}"
        text = (
            f"{self.name}: {self.format.title}; {in_shell(self.format.flux, self.format)}; "
            f"{counted(self.objects, 'object')}, {counted(self.observations, 'observation')}, "
            f"bands {' '.join(self.bands)}, zero point {self.zero_point:g}"
        )
        return "; ".join([text, *self.notes, *([self.error] if self.error else [])])


@dataclass(frozen=True)
class Part:
    """A part of the objects of a file; the rows are in the order of the file.

    Attributes
    ----------
    file : str
        The name of the file.
    ids : ndarray of shape (n_rows,)
        The id of each row in the result.
    curves : LightCurves
        The objects that can be read.
    rows : ndarray of int, shape (n_objects,)
        Their rows.
    problems : dict of int to Problem
        Why the objects of the other rows cannot be read.
    repeated : dict to Problem
        Objects that have no row, by id: they are in another file, too.
    """

    file: str
    ids: np.ndarray
    curves: LightCurves
    rows: np.ndarray
    problems: dict[int, Problem]
    repeated: dict[Any, Problem]


class Sources:
    """The files of a command.

    Parameters
    ----------
    files : list of str
        Paths; "-" is standard input.
    reading : Reading
        How they are read.
    console : Console
        Where files that cannot be read are told.
    distinct : bool, default=True
        Whether an object that another file had before is left out, and told.
    """

    def __init__(
        self, files: list[str], reading: Reading, console: Console, *, distinct: bool = True
    ) -> None:
        twice = [file for file, count in Counter(files).items() if count > 1]
        if twice:
            raise UsageError(f"the file {twice[0]} is given twice: give it once")
        if "-" in files and len(files) > 1:
            raise UsageError("- (standard input) cannot be read beside files: give it alone")
        if reading.format is not None:
            FORMATS[reading.format]  # an unknown name is an error before anything is read
        self.files = files
        self.reading = reading
        self.console = console
        self.reports: list[FileReport] = []
        self.distinct = distinct
        self._seen: dict[str, str] = {}  # the file of each id, where it may occur again

    @property
    def failed(self) -> list[FileReport]:
        """The files that could not be read, or not to their end."""
        return [report for report in self.reports if report.error]

    def parts(self) -> Iterator[Part]:
        """Read the files.

        Yields
        ------
        Part

        Raises
        ------
        Exception
            What reading the only file raises, or the last if none can be read.
        """
        groups = in_pairs(self.files)  # SNANA's HEAD and PHOT files are one source
        several = len(groups) > 1 and not self.reading.join
        given: list[list[str]] = groups if several or len(groups) == 1 else [self.files]
        last: Exception | None = None
        for files in given:
            source: Any = files if len(files) > 1 else files[0]
            report = FileReport(_name_of(files[:1] if files in groups else files))
            self.reports.append(report)
            first = len(self.console.warnings)
            again = self.distinct and (several or _is_large(source))
            try:
                for part in self._parts_of(source, report):
                    report.warnings[:] = dict.fromkeys(self.console.warnings[first:])
                    yield self._without_repeated(part) if again else part
            except Exception as error:
                if isinstance(error, UsageError):
                    raise
                last = _told(error, report)
                if not several or self.reading.stop:
                    raise last from error
                report.error = explain(last)
                self.console.fail(report.error)
        if last is not None and len(self.failed) == len(self.reports):
            raise last

    def _parts_of(self, source: Any, report: FileReport) -> Iterator[Part]:
        with _listening(self.reading) as heard:
            waiting, taken = list[Unreadable](), 0
            for curves, last in _with_last(_batches(source, self.reading, report, heard)):
                notes = (in_shell(note, report.format) for note in heard.notes)
                report.notes[:] = dict.fromkeys(notes)
                waiting += heard.unreadable[taken:]
                taken = len(heard.unreadable)
                own = set(curves.ids.tolist()) if waiting else set()
                here = [u for u in waiting if last or u.after is None or u.after in own]
                waiting = [u for u in waiting if u not in here]
                alone = last and not report.objects and len(curves) == 1 and not here
                report.add(curves, len(here))
                yield self._part(report, curves, here, alone=alone)

    def _part(
        self, report: FileReport, curves: LightCurves, unreadable: list[Unreadable], *, alone: bool
    ) -> Part:
        """Put the unreadable objects in their places."""
        ids, rows = curves.ids, np.arange(len(curves))
        problems: dict[int, Problem] = {}
        if unreadable:
            place = {object_id: k + 1 for k, object_id in enumerate(ids.tolist())}
            places = [0 if u.after is None else place.get(u.after, len(ids)) for u in unreadable]
            order = np.argsort([*rows, *(p - 0.5 for p in places)], kind="stable")
            ids = join_ids([ids, id_array([u.object_id for u in unreadable])])[order]
            rows = np.flatnonzero(order < len(curves))
            missing = np.flatnonzero(order >= len(curves)).tolist()
            reasons = (unreadable[order[row] - len(curves)].reason for row in missing)
            told = [Problem.of(in_shell(reason, report.format)) for reason in reasons]
            problems = dict(zip(missing, told, strict=True))
        if self.reading.ids_from_files:
            stem = stem_of(report.name)
            own = [stem] if alone else [f"{stem}:{object_id}" for object_id in ids.tolist()]
            ids = np.array(own, dtype=object)
        return Part(report.name, ids, curves, rows, problems, {})

    def _without_repeated(self, part: Part) -> Part:
        """Leave out the objects that another file, or another part of a large file, had before."""
        names = [str(object_id) for object_id in part.ids.tolist()]
        known = np.array([name in self._seen for name in names], dtype=bool)
        repeated = {
            part.ids[row : row + 1].tolist()[0]: _repeated(self._seen[names[row]], part.file)
            for row in np.flatnonzero(known).tolist()
        }
        self._seen |= {name: self._seen.get(name, part.file) for name in names}
        if not repeated:
            return part
        new_row = np.cumsum(~known) - 1
        kept = ~known[part.rows]
        problems = {
            int(new_row[r]): problem for r, problem in part.problems.items() if not known[r]
        }
        return Part(
            part.file,
            part.ids[~known],
            part.curves[kept],
            new_row[part.rows[kept]],
            problems,
            repeated,
        )


@dataclass(frozen=True)
class _Heard:
    """What readers say while they read."""

    notes: list[str]
    unreadable: list[Unreadable]


@contextmanager
def _listening(reading: Reading) -> Iterator[_Heard]:
    """Collect the notes of readers and, unless the first is an error, unreadable objects."""
    notes: list[str] = []
    token = NOTES.set(notes)
    try:
        if reading.stop:
            yield _Heard(notes, [])
        else:
            with collect_unreadable() as unreadable:
                yield _Heard(notes, unreadable)
    finally:
        NOTES.reset(token)


def _batches(
    source: Any, reading: Reading, report: FileReport, heard: _Heard
) -> Iterator[LightCurves]:
    """Read a source in parts; its format is known before the first of them, and before errors."""
    opened = Source(sys.stdin.buffer.read() if source == "-" else source)
    format = recognise(opened) if reading.format is None else FORMATS[reading.format]
    report.format = format
    options = {} if format is None else reading.options_of(format)
    if format is not None and not reading.applies_quality(format):
        heard.notes.append(f"the format {format.name} has no flags of quality: all rows are read")
    name, step = None if format is None else format.name, reading.batch_size
    if _is_large(source) and not reading.whole:
        yield from read_batches(opened, format=name, n_objects=step, **options)
        return
    read = read_report(opened, name, **options)
    heard.notes.extend(read.notes)
    for k in range(0, len(read.curves), step):
        yield read.curves[k : k + step]


def _with_last(batches: Iterator[LightCurves]) -> Iterator[tuple[LightCurves, bool]]:
    """Yield each part, and whether it is the last."""
    previous = next(batches, None)
    while previous is not None:
        following = next(batches, None)
        yield previous, following is None
        previous = following


def _is_large(source: Any) -> bool:
    """Whether files are to be read part by part."""
    paths = [Path(path) for path in ([source] if isinstance(source, str) else source)]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if file.is_file()) > _LARGE


def _repeated(other: str, file: str) -> Problem:
    """Say why an object has no row of its own."""
    if other == file:
        return Problem(
            "it occurs again in another part of the file", "Read the file as a whole, with --whole"
        )
    return Problem(
        f"{other} has an object of this id, too, which is in the table",
        "If they are the same object, use --join; if they are not, --ids-from-files",
    )


def _told(error: Exception, report: FileReport) -> Exception:
    """Return an error of a reader in the words of a shell; it names the file."""
    text = explain(error)
    if report.name == "standard input":
        text = text.replace("the bytes", report.name)
    told = in_shell(text, report.format)
    told = told if report.name in told else f"{report.name}: {told}"
    return error if told == explain(error) else LightCurveError(told)


def _name_of(files: list[str]) -> str:
    if len(files) > 1:
        return f"{files[0]} and {len(files) - 1} more"
    return "standard input" if files == ["-"] else files[0]


def stem_of(file: str) -> str:
    """Return the name of a file without its folder and the endings of formats.

    Parameters
    ----------
    file : str
        The path of the file.
    """
    path = Path(file)
    while path.suffix.lower() in _ENDINGS:
        path = path.with_suffix("")
    return path.name
