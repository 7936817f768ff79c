"""Tables with one row per observation, whose columns have names that are recognised."""

from __future__ import annotations

from typing import Any

from sklc.io.photometry import Photometry, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.light_curves.columns import COLUMN_NAMES

__all__ = ["read_long_table"]


def _recognise(source: Source) -> bool:
    return all(_found(source.columns, argument) for argument in ("time", "flux", "band"))


def _found(columns: Any, argument: str) -> str | None:
    return next((name for name in COLUMN_NAMES[argument] if name in columns), None)


@reader(
    "long-table",
    title="A table with one row per observation (CSV, Parquet or in memory)",
    flux="flux as the table has it",
    recognise=_recognise,
)
def read_long_table(source: Source, *, survey: str | None = None) -> Photometry:
    r"""Read a table with one row per observation.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        A CSV or Parquet file or a table, with columns for time (``mjd``, ``time`` or ``t``), flux,
        flux error (if known), band and object id (if there is more than one object), under the
        usual names. For other names use `LightCurves.from_frame`.
    survey : str, optional
        The survey that short band names belong to.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        If a column is missing or observations cannot be used.

    Examples
    --------
    >>> from sklc.io import read_long_table
    >>> read_long_table(b"mjd,band,flux\n59000.1,ztfg,31.0\n59003.1,ztfg,52.0\n")
    LightCurves: 1 objects, 2 observations (median 2), bands ztfg, zero point 27.5
    """
    rows = Rows(source.frame())
    table = rows.result()
    names = {argument: _found(table.columns, argument) for argument in COLUMN_NAMES}
    ids = names["object_id"]
    errors = names["flux_err"]
    return Photometry(
        object_id=table[ids] if ids else ["0"] * len(table),
        time=table[names["time"]],
        flux=table[names["flux"]],
        flux_err=table[errors] if errors else None,
        band=table[names["band"]],
        zero_point=table.get("zp", 27.5),
        survey=survey,
        notes=rows.notes,
    )
