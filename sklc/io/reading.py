"""One function reads light curves from any format that is known."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from sklc.errors import LightCurveError
from sklc.io.registry import FORMATS, NOTES, Format, recognise
from sklc.io.source import Source
from sklc.io.text import layout_of
from sklc.light_curves.container import LightCurves

__all__ = ["Report", "list_formats", "read", "read_report"]


@dataclass(frozen=True)
class Report:
    """Light curves, and what was found out while they were read: what `read_report` returns.

    Parameters
    ----------
    curves : LightCurves
        The light curves.
    format : Format
        The format that was recognised, or chosen.
    name : str
        The name of the source.
    notes : tuple of str
        What was left out or assumed.

    Examples
    --------
    See `read_report`:

    >>> from sklc.io import Report, read_report
    >>> isinstance(read_report([{"mjd": 59000.1, "band": "ztfg", "flux": 31.0}]), Report)
    True
    """

    curves: LightCurves
    format: Format
    name: str
    notes: tuple[str, ...]

    def __str__(self) -> str:
        text = f"{self.name}: {self.format.title}; {self.format.flux}; {self.curves!r}"
        return "\n  ".join([text, *self.notes])


def read_report(source: Any, format: str | None = None, **options: Any) -> Report:
    r"""Read light curves as `read` does, and report what was found out.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or object
        As for `read`.
    format : str, optional
        The name of the format. By default it is recognised.
    **options
        Options of the format.

    Returns
    -------
    Report

    Raises
    ------
    LightCurveError
        As `read` does.

    Examples
    --------
    >>> from sklc.io import read_report
    >>> report = read_report(b"mjd,band,flux,flux_err\n59000.1,ztfg,31,2\n59001.1,ztfg,,\n")
    >>> report.format.name, report.curves.lengths, report.notes[0]
    ('long-table', array([1]), 'left out 1 of 2 rows: without a flux (flux)')
    """
    opened = source if isinstance(source, Source) else Source(source)
    chosen = format_of(opened, format)
    notes: list[str] = []
    token = NOTES.set(notes)
    try:
        curves = chosen.read(opened, **options)
    finally:
        NOTES.reset(token)
    return Report(curves, chosen, opened.name, tuple(notes))


def read(
    source: Any, format: str | None = None, *, verbose: bool = True, **options: Any
) -> LightCurves:
    r"""Read light curves from a file or an object of any known format.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or object
        A file, which may be compressed (gzip, bzip2, xz) or an archive (tar, zip) of such files; a
        folder; several files of one format; or an object in memory, such as the table that the
        client of a broker returns.
    format : str, optional
        The name of the format, see `list_formats`. By default it is recognised.
    verbose : bool, default=True
        Whether to say on standard error which format was recognised, how many objects and
        observations there are, and what was left out.
    **options
        Options of the format, such as ``quality="all"``: see the function of the format.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        If the format is not known, or the source is damaged, empty or cannot be used. The message
        names the source and what to do.
    FileNotFoundError
        If a file does not exist.
    ImportError
        If the format needs a package that is not installed.

    Examples
    --------
    >>> from sklc.io import read
    >>> rows = ["object_id,mjd,band,flux,flux_err", "a,59000.1,ztfg,31,2", "a,59003.1,ztfg,52,3"]
    >>> read("\n".join(rows).encode(), verbose=False)
    LightCurves: 1 objects, 2 observations (median 2), bands ztfg, zero point 27.5
    """
    report = read_report(source, format, **options)
    if verbose:
        print(f"sklc: {report}", file=sys.stderr)
    return report.curves


def format_of(source: Source, format: str | None) -> Format:
    """Return the format of a name, or the one that is recognised.

    Raises
    ------
    LightCurveError
        If there is none.
    """
    chosen = recognise(source) if format is None else FORMATS[format]
    if chosen is None:
        raise LightCurveError(_unknown(source))
    return chosen


def list_formats() -> dict[str, str]:
    """Return the names of all formats that can be read, and what they are.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> from sklc.io import list_formats
    >>> list_formats()["ztf-alerts"]
    'ZTF alert packets (Avro)'
    """
    return {name: format.title for name, format in FORMATS.entries.items()}


def _unknown(source: Source) -> str:
    layout = layout_of(source.lines)
    if layout is not None and not layout.names:
        return (
            f"{source.name} is a text table without a header (its first row is "
            f'{source.lines[layout.first][:80]!r}): pass format="text" and names=, the names of '
            'all columns in order, such as names=["mjd", "mag", "mag_err", "band"]'
        )
    columns = f" with the columns {list(source.columns)[:20]}" if source.columns else ""
    return (
        f"{source.name} ({source.kind}{columns}) has no format that is known: pass format= one of "
        f"{sorted(FORMATS.entries)}; or read it into a table with one row per observation and use "
        "LightCurves.from_frame"
    )
