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
from sklc.io.columns import Names, identify, metadata_columns, plain, unit_in_name
from sklc.io.frames import columns_of, has_units, to_frame
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join, photometry_of
from sklc.light_curves.tables import is_astropy_table
from sklc.light_curves.units import is_convertible
from sklc.light_curves.values import joined, unit_of

__all__ = ["read_astropy_table"]


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
                    # what FITS files do not mark as missing is looked for later
                    options = {"mask_invalid": False} if kind == "fits" else {}
                    table = tables.Table.read(content, format=kind, **options)
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


def frame_of(table: Any, choices: Choices) -> tuple[pd.DataFrame, Choices]:
    """Return any table as a DataFrame, its units converted, and the choices for this."""
    if not has_units(table):
        return to_frame(table), choices
    names, choices = _magnitudes(table, identify(columns_of(table), choices.names), choices)
    fluxes = [name for name in (names.flux, names.flux_err) if name is not None]
    if choices.zero_point is None:
        _check_units(table, fluxes)
    frame = to_frame(table, bare=() if choices.zero_point is None else fluxes)
    about = getattr(table, "meta", None) or {}
    for what, key in metadata_columns(about).items():  # of a table of one object
        value = about[key]
        if what not in metadata_columns(frame.columns) and np.ndim(value) == 0:
            frame[what] = value
    return frame, choices


def _check_units(table: Any, fluxes: list[str]) -> None:
    """Raise unless fluxes and their errors are flux densities, or both have no unit."""
    units = {name: unit_of(joined(table[name])) for name in fluxes}
    for name, unit in units.items():
        if unit is None and any(units.values()):
            raise LightCurveError(
                f"column {name!r} has no unit, and one of {fluxes} has: give both a unit, or none"
            )
        is_a_number = is_convertible(unit, "") and unit_in_name(name) if unit is not None else True
        if unit is not None and not is_a_number and not is_convertible(unit, "Jy"):
            raise LightCurveError(
                f"column {name!r} has the unit {str(unit)[:80]!r}, which is no flux density: pass "
                "zero_point=, the AB magnitude of a flux of 1, or convert the column to nJy"
            )


def _magnitudes(table: Any, names: Names, choices: Choices) -> tuple[Names, Choices]:
    """Return which columns are magnitudes by their units, and the system that these name."""
    chosen = names.mag if names.flux is None or choices.names.mag is not None else names.flux
    unit = None if chosen is None else unit_of(joined(table[chosen]))
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
