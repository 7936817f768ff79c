"""Tables of astropy, and the files that it reads: ECSV, VOTable, FITS, CDS, IPAC."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.choices import Choices
from sklc.io.columns import Names, identify, metadata_columns, plain, unit_of
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join, photometry_of

__all__ = ["read_astropy_table"]

_JANSKY_NAME = "flux (nJy)"  # units of flux are converted to nJy, which this name says


def is_astropy_table(given: Any) -> bool:
    """Whether this is a Table, QTable or TimeSeries, without importing astropy."""
    return any(c.__module__.startswith("astropy.table") for c in type(given).__mro__)


def format_of(source: Source) -> str | None:
    """Return the name that astropy has for the format of a file; None for an unknown one."""
    start = source.head[:3000].decode("utf-8", errors="replace").lstrip("\ufeff \n")
    if source.kind == "fits" and b"XTENSION= 'BINTABLE'" in source.head:
        return "fits"
    if source.kind == "xml" and re.search(r"<(\w+:)?VOTABLE", start, re.I):
        return "votable"
    if start.startswith("# %ECSV"):
        return "ascii.ecsv"
    if "Byte-by-byte Description of file" in start:
        return "ascii.mrt" if start.startswith("Title:") else "ascii.cds"
    if (start.startswith("\\") and "\n|" in start) or re.match(r"\|[^\n]+\|\s*\n\|", start):
        return "ascii.ipac"
    return None


def _recognise(source: Source) -> bool:
    if source.object is not None:
        given = source.object
        return is_astropy_table(given) and identify(given.colnames).is_light_curve
    return format_of(source) is not None


def tables_of(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield the name of each file, and its astropy Table."""
    if source.object is not None:
        yield source.name, source.object
        return
    tables = require("astropy.table", extra="io", user="sklc.io.read")
    kind = format_of(source)
    for name, file in source.files():
        with file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # units and names that are not standard
            warnings.filterwarnings("error", message=".*truncated.*")
            content: Any = decompressed(file)
            if kind is not None and kind.startswith("ascii"):
                # as lines: a text of one line would be taken for the name of a file
                content = content.read().decode("utf-8-sig").splitlines()
            try:
                if kind == "votable":
                    table = _votable(content)
                else:
                    table = tables.Table.read(content, format=kind)
            except Warning as warning:
                raise LightCurveError(
                    f"{name} is truncated: {warning}. Fetch it again"
                ) from warning
        yield name, table


def decompressed(file: Any) -> Any:
    """Return the content of a compressed file; astropy would take a damaged one for a short one."""
    return file if isinstance(file, io.BufferedReader) else io.BytesIO(file.read())


def _votable(content: Any) -> Any:
    votable = require("astropy.io.votable", extra="io", user="sklc.io.read")
    found = list(votable.parse(content, verify="ignore").iter_tables())
    found = [table for table in found if len(table.array)]
    if not found:
        raise LightCurveError("the VOTable has no rows: check that the query succeeded")
    if len(found) > 1:
        light_curves = [t for t in found if identify(f.name for f in t.fields).is_light_curve]
        found = light_curves or found
    if len(found) > 1:
        raise LightCurveError(
            f"the VOTable holds {len(found)} tables of light curves: read one of them with "
            "astropy.io.votable.parse(file).iter_tables() and pass its .to_table()"
        )
    return found[0].to_table()


def plain_column(column: Any) -> Any:
    """Return a column of an astropy table without a unit, in the byte order of this machine."""
    values = getattr(column, "value", column)
    mask = np.asarray(getattr(values, "mask", getattr(column, "mask", False)))
    array = np.asarray(getattr(values, "unmasked", getattr(values, "data", values)))
    missing = mask if mask.ndim == array.ndim == 1 and mask.any() else None
    if array.dtype.kind in "SU":
        codes, found = _factorized(array)
        texts = [
            text.decode(errors="replace") if isinstance(text, bytes) else text for text in found
        ]
        unique = pd.Index([text.strip() for text in texts], dtype=object)
        if not unique.is_unique:
            return pd.Categorical(unique.take(codes))
        return pd.Categorical.from_codes(np.where(mask, -1, codes), unique)
    if array.dtype.kind != "O":
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if missing is None:
        return array
    if array.dtype.kind == "f":
        return np.where(missing, np.nan, array)
    return pd.Series(array).astype(object).where(~missing, None)


def _factorized(array: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return codes and labels of fixed-width text; short text is compared as integers."""
    if array.dtype.kind == "S" and array.dtype.itemsize <= 8:
        codes, found = pd.factorize(np.ascontiguousarray(array.astype("S8")).view(np.uint64))
        return codes, found.view("S8")
    return pd.factorize(array.astype(object))


def frame_of(table: Any, choices: Choices) -> tuple[pd.DataFrame, Choices]:
    """Return an astropy table as a DataFrame, its units converted, and the choices for this."""
    names = identify(table.colnames, choices.names)
    names, choices = _magnitudes(table, names, choices)
    columns: dict[str, Any] = {}
    renamed: dict[str, str] = {}
    for name in table.colnames:
        column = table[name]
        if hasattr(column, "mjd"):  # a Time, in its own scale
            columns[name] = np.asarray(np.ma.filled(column.mjd, np.nan))
            continue
        if len(getattr(column, "shape", (0,))) > 1:
            continue  # images and vectors
        columns[name] = plain_column(column)
        unit = getattr(column, "unit", None)
        if name in (names.flux, names.flux_err) and unit is not None and names.flux is not None:
            if choices.zero_point is None:
                new, values = _in_nanojansky(column, name, names.flux)
                columns[name], renamed[name] = values, new
        elif name == names.time and unit is not None:
            columns[name] = _in_days(column, name)
    frame = pd.DataFrame(
        {renamed.get(name, name): value for name, value in columns.items()}, copy=False
    )
    for what, key in metadata_columns(table.meta).items():  # of a table of one object
        value = table.meta[key]
        if what not in metadata_columns(frame.columns) and np.ndim(value) == 0:
            frame[what] = value
    given = {
        k: (renamed.get(v, v) if v is not None else None) for k, v in vars(choices.names).items()
    }
    if renamed:
        given |= {
            "flux": renamed.get(str(names.flux)),
            "flux_err": renamed.get(str(names.flux_err)),
        }
    return frame, replace(choices, names=type(names)(**given))


def _magnitudes(table: Any, names: Names, choices: Choices) -> tuple[Names, Choices]:
    """Return which columns are magnitudes by their units, and the system that these name."""
    chosen = names.mag if names.flux is None or choices.names.mag is not None else names.flux
    unit = None if chosen is None else getattr(table[chosen], "unit", None)
    text = str(unit).replace(" ", "").casefold()
    if unit is None or "mag" not in text:
        return names, choices
    if chosen == names.flux:  # such as the flux of a time series in magnitudes
        names = replace(names, flux=None, flux_err=None, mag=chosen, mag_err=names.flux_err)
    given = {k: getattr(names, k) for k in ("flux", "flux_err", "mag", "mag_err")}
    choices = replace(choices, names=replace(choices.names, **given))
    if text in ("mag(st)", "stmag"):
        raise LightCurveError(f"column {chosen!r} is in STmag: convert it to ABmag")
    if text in ("mag(ab)", "abmag") and choices.system is None:
        choices = replace(choices, system="AB")
    return names, choices


def _in_nanojansky(column: Any, name: str, flux: str) -> tuple[str, Any]:
    """Return a new name and the values of a column of fluxes or of their errors."""
    units = require("astropy.units", extra="io", user="sklc.io.read")
    unit = units.Unit(str(column.unit), parse_strict="silent")
    what = _JANSKY_NAME if name == flux else "flux_err (nJy)"
    try:
        factor = unit.to(units.nJy)
    except (units.UnitConversionError, units.UnitTypeError, AttributeError) as error:
        if unit == units.dimensionless_unscaled and unit_of(name):
            return name, plain_column(column)
        raise LightCurveError(
            f"column {name!r} has the unit {str(column.unit)[:80]!r}, which is no flux density: "
            "pass zero_point=, the AB magnitude of a flux of 1, or convert the column to nJy"
        ) from error
    return what, np.asarray(plain_column(column), dtype=np.float64) * factor


def _in_days(column: Any, name: str) -> Any:
    units = require("astropy.units", extra="io", user="sklc.io.read")
    unit = units.Unit(str(column.unit), parse_strict="silent")
    values = plain_column(column)
    if not hasattr(unit, "is_equivalent") or not unit.is_equivalent(units.day):
        return values  # such as "BJD - 2454833" or "MJD", which is no unit
    if unit == units.year and plain(name) != "time":
        raise LightCurveError(f"column {name!r} is in years: convert it to MJD")
    return np.asarray(values, dtype=np.float64) * unit.to(units.day)


@reader(
    "astropy-table",
    title="astropy Table, QTable or TimeSeries; ECSV, VOTable, FITS, CDS or IPAC table",
    flux="flux as the table has it",
    recognise=_recognise,
)
def read_astropy_table(source: Source, **options: Any) -> Photometry:
    """Read a table of astropy with one row per observation, or a file that astropy reads.

    Units are converted: fluxes to nJy, times to days. A `Time` becomes MJD in its own scale. Masked
    values are missing.

    Parameters
    ----------
    source : Table, QTable, TimeSeries, path, list of paths, bytes or binary file
        A table in memory, or a file: ECSV, VOTable, FITS (the first table), CDS or AAS
        machine-readable table, IPAC table.
    **options
        Options of `read_long_table`, such as `survey`, `zero_point` or `quality`. With
        `zero_point`, the unit of the fluxes is not looked at.

    Returns
    -------
    LightCurves
        As from `read_long_table`. Entries ``ra``, ``dec``, ``redshift``, ``mwebv`` and ``label`` of
        the ``meta`` of a table are metadata of its objects.

    Raises
    ------
    LightCurveError
        If the file is damaged, a column is missing, or the unit of the flux is no flux density.
    ImportError
        If astropy is not installed.

    Examples
    --------
    >>> from astropy.table import Table
    >>> from sklc.io import read_astropy_table
    >>> table = Table({"mjd": [59000.1, 59003.1], "flux": [3.0, 5.0], "band": ["ztfg", "ztfr"]})
    >>> table["flux"].unit = "uJy"
    >>> curves = read_astropy_table(table)
    >>> curves.flux, curves.zero_point
    (array([3000., 5000.]), 31.4)
    """
    choices = Choices.of(**options)
    parts = []
    for name, table in tables_of(source):
        frame, own = frame_of(table, choices)
        parts.append(photometry_of(frame, own, _object_of(table, name, source)))
    return join(parts)


def _object_of(table: Any, name: str, source: Source) -> str:
    meta = {plain(key): value for key, value in table.meta.items()}
    for key in ("objectid", "object", "objectname", "target", "name", "snname"):
        if isinstance(meta.get(key), str | int):
            return str(meta[key])
    return "0" if source.object is not None else object_name(name)
