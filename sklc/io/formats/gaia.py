"""Epoch photometry of Gaia, from the archive's DataLink service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.formats.astropy_table import format_of, tables_of
from sklc.io.formats.long_table import tables
from sklc.io.frames import columns_of, to_frame
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join
from sklc.io.values import coded, flags, labels, numbers
from sklc.light_curves.tables import is_astropy_table

__all__ = ["read_gaia"]

_MJD_OF_ZERO = 55_197.0  # BJD 2455197.5, the beginning of 2010
# Zero points of EDR3 in the AB system, for electrons per second (Riello et al. 2021, table 4).
_ZERO_POINTS = {"G": 25.8010, "BP": 25.3540, "RP": 25.1040}
_LONG = {"source_id", "band", "time", "flux", "flux_error"}
# Columns of the layout with one row per transit, or with arrays: time, flux, error, two flags.
_WIDE = {
    "G": ("g_transit_time", "g_transit_flux", "g_transit_flux_error", "variability_flag_g_reject",
          "photometry_flag_noisy_data"),
    "BP": ("bp_obs_time", "bp_flux", "bp_flux_error", "variability_flag_bp_reject",
           "photometry_flag_bp_reject"),
    "RP": ("rp_obs_time", "rp_flux", "rp_flux_error", "variability_flag_rp_reject",
           "photometry_flag_rp_reject"),
}  # fmt: skip
_REJECTED = ("rejected_by_photometry", "rejected_by_variability")


def _is_gaia(columns: Any) -> bool:
    columns = set(columns)
    wide = {"source_id", "g_transit_time", "g_transit_flux"} <= columns
    return wide or (columns >= _LONG and "rejected_by_photometry" in columns)


def _members(given: Any) -> list[Any]:
    """Return the tables in what astroquery's `Gaia.load_data` returns, or a table itself."""
    if is_astropy_table(given) or isinstance(given, pd.DataFrame):
        return [given]
    if isinstance(given, Mapping) and not _is_gaia(given):
        values = [
            v for value in given.values() for v in (value if isinstance(value, list) else [value])
        ]
        return [v.to_table() if hasattr(v, "to_table") else v for v in values]
    return [given]


def _recognise(source: Source) -> bool:
    if source.object is not None:
        found = _members(source.object)
        return bool(found) and _is_gaia(columns_of(found[0]))
    if source.kind == "xml":
        head = source.head
        return b"g_transit_time" in head or all(
            b'name="' + name in head for name in (b"rejected_by_photometry", b"source_id", b"band")
        )
    if source.kind == "fits":
        return b"g_transit_time" in source.head or b"rejected_by_photometry" in source.head
    return _is_gaia(source.columns)


def _tables(source: Source) -> Iterator[pd.DataFrame]:
    if source.object is not None:
        for member in _members(source.object):
            yield to_frame(member, bare=columns_of(member))
    elif format_of(source) is not None:
        yield from (to_frame(table, bare=table.colnames) for _, table in tables_of(source))
    else:
        yield from (frame for _, frame in tables(source))


def _long(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with one row per observation, of either layout."""
    if not _is_gaia(table.columns):
        raise LightCurveError(
            f"these are not the columns of epoch photometry: {list(table.columns)[:30]}. Retrieve "
            'it with retrieval_type="EPOCH_PHOTOMETRY"'
        )
    if "g_transit_time" not in table:
        return table
    objects = [n for n in table if table[n].dtype == object]
    arrays = [n for n in objects if isinstance(table[n].iloc[0], np.ndarray | list)]
    if arrays:
        table = table.explode(arrays, ignore_index=True)
    parts = []
    for band, (time, flux, error, variability, photometry) in _WIDE.items():
        if time not in table:
            continue
        rejected = np.zeros(len(table), dtype=bool)
        for name in (photometry, _REJECTED[0]):
            if name in table and not (name == photometry and band == "G"):
                rejected |= flags(table, name)
        parts.append(pd.DataFrame({
            "source_id": table["source_id"],
            "band": band,
            "time": table[time],
            "flux": table[flux],
            "flux_error": table[error],
            _REJECTED[0]: rejected,
            _REJECTED[1]: flags(table, variability),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _photometry(table: pd.DataFrame, quality: Quality) -> Photometry:
    table = _long(table)
    rows = Rows(table)
    time, flux, error = (numbers(table, n) for n in ("time", "flux", "flux_error"))
    codes, found = labels(table["band"])
    bands = [str(band).upper() for band in found]
    if unknown := sorted(set(bands) - set(_ZERO_POINTS)):
        raise LightCurveError(f"the bands {unknown[:10]} are not G, BP or RP: remove their rows")
    rows.leave_out(codes < 0, "without a band")
    rows.leave_out(~np.isfinite(time), "transits without a measurement in a band")
    rows.leave_out(~(np.isfinite(flux) & (error > 0)), "without a flux or a positive error")
    rows.select(
        lambda t: ~np.logical_or.reduce([flags(t, n) for n in _REJECTED if n in t]),
        quality,
        "rejected by photometry or variability processing",
    )
    kept = rows.kept
    return Photometry(
        object_id=table["source_id"].to_numpy()[kept],
        time=time[kept] + _MJD_OF_ZERO,
        flux=flux[kept],
        flux_err=error[kept],
        band=coded(codes[kept], [f"gaia_{band.lower()}" for band in bands]),
        zero_point=np.array([_ZERO_POINTS[band] for band in bands])[codes[kept]],
        notes=rows.notes,
    )


@reader(
    "gaia",
    title="Gaia epoch photometry (DataLink: CSV, VOTable or FITS)",
    flux="total flux",
    recognise=_recognise,
)
def read_gaia(source: Source, *, quality: Quality = "good") -> Photometry:
    r"""Read epoch photometry of Gaia in the layouts of its DataLink service.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, table or dict
        Files or tables of the data structures INDIVIDUAL, COMBINED (one row per observation) or RAW
        (one row per transit, or arrays); or the dict that ``Gaia.load_data`` of astroquery returns.
    quality : {"good", "all"} or callable, default="good"
        "good" leaves out what the photometric or the variability processing rejected. A callable
        gets a table with the columns source_id, band, time, flux, flux_error,
        rejected_by_photometry and rejected_by_variability. Rows without a flux are always left out.

    Returns
    -------
    LightCurves
        Total flux in the bands gaia_g, gaia_bp and gaia_rp. The electrons per second of each band
        are taken with its AB zero point (25.8010, 25.3540, 25.1040; Riello et al. 2021) and
        rescaled to 27.5; the magnitudes in the file, which are of the Vega system, are not used.
        Times are MJD, barycentric, TCB (about 20 s ahead of TDB), the mean of the transit. Ids are
        source ids, exact.

    Raises
    ------
    LightCurveError
        If the file is damaged or is no epoch photometry.
    ImportError
        If a VOTable or FITS file is read and astropy is not installed.

    Examples
    --------
    >>> from sklc.io import read_gaia
    >>> head = b"source_id,transit_id,band,time,flux,flux_error,rejected_by_photometry\n"
    >>> curves = read_gaia(head + b"2328619740476096384,7,G,1756.81,61379.6,66.4,false\n")
    >>> curves.ids, curves.time
    (array([2328619740476096384]), array([56953.81]))
    """
    parts = [_photometry(table, quality) for table in _tables(source)]
    if not parts:
        raise LightCurveError(
            f"{source.name} has no tables: none of the sources has epoch photometry"
        )
    return join(parts)
