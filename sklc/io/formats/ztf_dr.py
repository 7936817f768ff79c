"""Light curves of the public data releases of ZTF (IRSA)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sklc.io.bands import passband_column
from sklc.io.objects import first_values
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.service_tables import service_columns, service_table
from sklc.io.source import Source
from sklc.io.values import exact_ids, numbers, require_columns
from sklc.light_curves.magnitudes import flux_from_magnitude
from sklc.utils.text import counted

__all__ = ["read_ztf_dr"]

_IDS = ("oid", "objectid", "ps1_objid", "objid")
_BANDS = ("filtercode", "filterid", "fid", "band")
_TIMES = ("mjd", "hmjd", "hjd")  # the first that is there
_LISTS = ("hmjd", "mjd", "hjd", "mag", "magerr", "clrcoeff", "catflags")
_WANTED = {*_IDS, *_BANDS, *_LISTS, "ra", "dec", "objra", "objdec"}
_POSITIONS = {"ra": ("ra", "objra"), "dec": ("dec", "objdec")}
_NAMES = {"zg": "ztfg", "zr": "ztfr", "zi": "ztfi"}


def _recognise(source: Source) -> bool:
    names = service_columns(source)
    return {"mag", "magerr", "catflags"} <= names and bool(
        names & set(_BANDS) and names & set(_TIMES)
    )


@reader(
    "ztf-dr",
    title="ZTF public light curves (IRSA)",
    flux="total flux",
    recognise=_recognise,
)
def read_ztf_dr(
    source: Source, *, quality: Quality = "good", match_radius: float | None = None
) -> Photometry:
    r"""Read light curves of the public data releases of ZTF.

    Magnitudes are AB magnitudes of the star in each image: the fluxes are **total fluxes**, with
    the zero point 27.5. Times are ``mjd``, UTC; tables that have only heliocentric dates
    (``hmjd``, ``hjd``) give these, and it is reported. One ``oid`` is one star in one field **and
    one filter**: `match_radius` joins those of a star.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        Tables of IRSA's light-curve service (CSV, VOTable, IPAC table, Parquet), or files of the
        bulk download (Parquet with one row per ``objectid`` and lists of measurements).
    quality : "good", "all" or callable, default="good"
        "good" keeps rows with ``catflags`` = 0. The bit 32768 marks unusable images.
    match_radius : float, optional
        Join all ``oid`` within this many arcseconds of each other, 1.5 for example. The joined
        object has the smallest ``oid``. The default keeps each ``oid`` as an object of its own.

    Returns
    -------
    LightCurves
        With the metadata ra and dec where the table has the position.

    Raises
    ------
    LightCurveError
        If a column is missing or a value is not a number.

    Notes
    -----
    Columns: https://irsa.ipac.caltech.edu/data/ZTF/docs/ztf_explanatory_supplement.pdf.

    Examples
    --------
    >>> from sklc.io import read_ztf_dr
    >>> text = '''oid,mjd,mag,magerr,catflags,filtercode,ra,dec
    ... 1234567,58338.47,17.51,0.02,0,zg,255.9302,11.8654
    ... 1234567,58339.47,17.43,0.02,32768,zg,255.9302,11.8654
    ... 1234999,58338.48,16.80,0.01,0,zr,255.9302,11.8655
    ... '''
    >>> curves = read_ztf_dr(text.encode(), match_radius=1.5)
    >>> curves.ids, curves.lengths, curves.band_names.tolist()
    (array([1234567]), array([2]), ['ztfg', 'ztfr'])
    """
    table = _long(service_table(source, wanted=None if callable(quality) else _WANTED))
    names = {
        what: next((name for name in known if name in table.columns), known[0])
        for what, known in (("id", _IDS), ("band", _BANDS), ("time", _TIMES))
    }
    require_columns(table, names["id"], "mag", "magerr", names["time"], names["band"])
    rows = Rows(table)
    magnitude, error = numbers(table, "mag"), numbers(table, "magerr")
    time = numbers(table, names["time"])
    measured = np.isfinite(magnitude + error + time) & (error > 0) & (np.abs(magnitude) < 90)
    rows.leave_out(~measured, "without a magnitude or an error")
    rows.select(_good, quality, 'catflags is not 0, see quality="all"')
    if names["time"] != "mjd":
        rows.notes.append("times are heliocentric: the table has no mjd")
    if names["time"] == "hjd":
        time = time - 2400000.5
    ids = exact_ids(table[names["id"]], names["id"])
    positions = _positions(table, ids)
    if positions is not None and match_radius is not None:
        joined = _joined(positions, match_radius)
        ids = joined.reindex(ids).to_numpy()
        positions = positions.groupby(joined.to_numpy(), sort=False).first()
    elif positions is not None and (n := len(positions) - _joined(positions, 1.5).nunique()):
        rows.notes.append(
            f"{counted(n, 'id lies', 'ids lie')} within 1.5 arcsec of another one, as do the "
            "filters and fields of one star: pass match_radius=1.5 to join them"
        )
    flux, flux_err = flux_from_magnitude(magnitude, error)
    assert flux_err is not None
    kept = rows.kept
    return Photometry(
        object_id=ids[kept],
        time=time[kept],
        flux=flux[kept],
        flux_err=flux_err[kept],
        band=passband_column(table[names["band"]], "ZTF", _NAMES)[kept],
        metadata=positions,
        notes=rows.notes,
    )


def _long(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per observation, also for a table with one row per object."""
    lists = [name for name in _LISTS if name in table.columns and table[name].dtype == object]
    lists = [name for name in lists if len(table) and np.ndim(table[name].iloc[0]) == 1]
    if not lists:
        return table
    lengths = np.array([len(values) for values in table[lists[0]]])
    columns: dict[str, Any] = {
        name: np.concatenate(table[name].tolist())
        if name in lists
        else table[name].array.repeat(lengths)
        for name in table.columns
    }
    return pd.DataFrame(columns)


def _good(table: pd.DataFrame) -> np.ndarray:
    return numbers(table, "catflags") == 0


def _positions(table: pd.DataFrame, ids: Any) -> pd.DataFrame | None:
    names = {
        what: next((name for name in known if name in table.columns), None)
        for what, known in _POSITIONS.items()
    }
    if None in names.values():
        return None
    return first_values(ids, {what: numbers(table, str(name)) for what, name in names.items()})


def _joined(positions: pd.DataFrame, arcsec: float) -> pd.Series:
    """Return, for each id, the smallest id of those that lie together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    ra, dec = np.radians(positions["ra"]), np.radians(positions["dec"])
    unit = np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    # ids without a position lie alone, far from the sphere
    unit = np.where(np.isfinite(unit), unit, 10.0 + np.arange(len(unit))[:, None])
    pairs = cKDTree(unit).query_pairs(np.radians(arcsec / 3600), output_type="ndarray")
    n = len(positions)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    group = connected_components(graph, directed=False)[1]
    return pd.Series(positions.index, positions.index).groupby(group).transform("min")
