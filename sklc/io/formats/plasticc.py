"""Light curves of the PLAsTiCC and ELAsTiCC challenges, as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sklc.io.bands import passband_column
from sklc.io.objects import metadata_table
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.service_tables import service_columns, service_table
from sklc.io.source import Source
from sklc.io.values import exact_ids, numbers

__all__ = ["read_elasticc", "read_plasticc"]

_MISSING = (-9.0, -99.0, -999.0, -9999.0)
_PLASTICC = {"object_id", "mjd", "passband", "flux", "flux_err"}
_PLASTICC_METADATA = {
    "label": ("true_target", "target"),
    "redshift": ("hostgal_specz",),
    "ra": ("ra",),
    "dec": ("decl", "dec"),
    "mwebv": ("mwebv",),
}
# In the form of `_plain`, since tables of databases have names in lower case.
_ELASTICC = ("diaobjectid", "midpointtai", "filtername", "psflux", "psfluxerr")
_ELASTICC_METADATA = {
    "label": ("class_name", "classname", "classid", "class_id", "true_gentype", "gentype", "label"),
    "redshift": ("true_z", "zcmb", "zhelio", "z_final", "redshift"),
    "ra": ("ra",),
    "dec": ("decl", "dec"),
    "mwebv": ("mwebv",),
}


def _is_plasticc(source: Source) -> bool:
    names = service_columns(source)
    return names >= _PLASTICC and bool({"detected", "detected_bool"} & names)


@reader(
    "plasticc",
    title="PLAsTiCC light curves",
    flux="difference flux",
    recognise=_is_plasticc,
)
def read_plasticc(source: Source, *, quality: Quality = "good", metadata: Any = None) -> Photometry:
    r"""Read light curves of PLAsTiCC, from Kaggle or Zenodo.

    Fluxes are **difference fluxes** with the AB zero point 27.5. Times are MJD; the challenge does
    not say in which time scale.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        Tables such as ``training_set.csv`` or ``plasticc_test_lightcurves_01.csv.gz``.
    quality : "good", "all" or callable, default="good"
        The challenge has no flags of bad rows: "good" and "all" both keep every row, detected or
        not. ``quality=lambda table: table.detected_bool == 1`` keeps detections.
    metadata : path, bytes, binary file or table, optional
        The table of the objects, such as ``training_set_metadata.csv``. It may hold more objects.

    Returns
    -------
    LightCurves
        With the metadata label (``true_target``, else ``target``), redshift (``hostgal_specz``),
        ra, dec and mwebv, and the other columns under their own names, among them the truth
        (``true_...``). Missing values (-9) are NaN.

    Raises
    ------
    LightCurveError
        If a column is missing or a value is not a number.

    Notes
    -----
    Data: https://zenodo.org/records/2539456.

    Examples
    --------
    >>> from sklc.io import read_plasticc
    >>> text = '''object_id,mjd,passband,flux,flux_err,detected_bool
    ... 615,59750.4229,2,-544.81,3.62,1
    ... 615,59750.4306,1,-816.43,5.55,1
    ... '''
    >>> read_plasticc(text.encode())
    LightCurves: 1 objects, 2 observations (median 2), bands lsstr lsstg, zero point 27.5
    """
    table = service_table(source)
    rows = Rows(table)
    flux, error = numbers(table, "flux"), numbers(table, "flux_err")
    rows.leave_out(~np.isfinite(flux + error) | (error <= 0), "without a flux or an error")
    rows.select(lambda t: np.ones(len(t), dtype=bool), quality, "flagged")
    objects = None
    if metadata is not None:
        objects = metadata_table(metadata, ("object_id",), _PLASTICC_METADATA, _MISSING)
    return _photometry(
        rows,
        ids=exact_ids(table["object_id"], "object_id"),
        time=numbers(table, "mjd"),
        flux=flux,
        error=error,
        band=passband_column(table["passband"], "LSST"),
        metadata=objects,
    )


def _plain(name: str) -> str:
    return name.casefold().replace("_", "")


def _is_elasticc(source: Source) -> bool:
    names = service_columns(source)
    if not set(_ELASTICC) <= {_plain(name) for name in names}:
        return False
    # Rubin's DP0.2 has the same names in nanojansky; databases of ELAsTiCC have them in lower case
    return "nobs" in names or "midPointTai" not in names


@reader(
    "elasticc",
    title="ELAsTiCC tables of difference sources",
    flux="difference flux",
    recognise=_is_elasticc,
)
def read_elasticc(source: Source, *, quality: Quality = "good", metadata: Any = None) -> Photometry:
    r"""Read tables of the sources and forced sources of ELAsTiCC and ELAsTiCC2.

    Fluxes (``psFlux``) are **difference fluxes** with the AB zero point 27.5: the alerts of the
    challenge have the names of an early schema of Rubin, but not its nanojansky. Times
    (``midPointTai``) are MJD, TAI, at the middle of the visit.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        Tables with the columns diaObjectId, midPointTai, filterName, psFlux and psFluxErr, in any
        case, with or without underscores. Where forced sources and sources are both given, equal
        measurements count once.
    quality : "good", "all" or callable, default="good"
        The challenge has no flags of bad rows: "good" and "all" both keep every row.
    metadata : path, bytes, binary file or table, optional
        The table of the objects or of the truth, with a column diaObjectId.

    Returns
    -------
    LightCurves
        With the metadata label, redshift, ra, dec and mwebv where `metadata` has them, and its
        other columns under their own names. Missing values (-9 to -9999) are NaN.

    Raises
    ------
    LightCurveError
        If a column is missing or a value is not a number.

    Notes
    -----
    Schema: https://github.com/LSSTDESC/elasticc. The light curves of its training sets are files of
    SNANA: see `read_snana`.

    Examples
    --------
    >>> from sklc.io import read_elasticc
    >>> text = '''diaObjectId,midPointTai,filterName,psFlux,psFluxErr,nobs
    ... 9007199254740993,60300.1,Y,120.5,9.1,3
    ... 9007199254740993,60303.1,g,80.5,7.1,3
    ... '''
    >>> read_elasticc(text.encode()).ids
    array([9007199254740993])
    """
    table = service_table(source)
    names = {
        plain: next((c for c in table.columns if _plain(c) == plain), plain) for plain in _ELASTICC
    }
    rows = Rows(table)
    flux, error = numbers(table, names["psflux"]), numbers(table, names["psfluxerr"])
    rows.leave_out(~np.isfinite(flux + error) | (error <= 0), "without a flux or an error")
    rows.select(lambda t: np.ones(len(t), dtype=bool), quality, "flagged")
    objects = None
    if metadata is not None:
        given = Source(metadata)
        id_names = [c for c in service_columns(given) if _plain(c) == "diaobjectid"]
        objects = metadata_table(given, id_names or ["diaObjectId"], _ELASTICC_METADATA, _MISSING)
    return _photometry(
        rows,
        ids=exact_ids(table[names["diaobjectid"]], names["diaobjectid"]),
        time=numbers(table, names["midpointtai"]),
        flux=flux,
        error=error,
        band=passband_column(table[names["filtername"]], "LSST"),
        metadata=objects,
    )


def _photometry(
    rows: Rows,
    *,
    ids: Any,
    time: np.ndarray,
    flux: np.ndarray,
    error: np.ndarray,
    band: pd.Categorical,
    metadata: pd.DataFrame | None,
) -> Photometry:
    kept: Any = slice(None) if rows.kept.all() else rows.kept
    return Photometry(
        object_id=ids[kept],
        time=time[kept],
        flux=flux[kept],
        flux_err=error[kept],
        band=band[kept],
        metadata=metadata,
        notes=rows.notes,
    )
