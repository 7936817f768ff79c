"""Tables of ELAsTiCC as ALeRCE keeps them: simulated light curves of Rubin."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sklc.io.bands import passbands_among
from sklc.io.objects import known, metadata_table
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.rubin import FILTERS
from sklc.io.source import Source
from sklc.io.values import ids, numbers, require_columns

__all__ = ["read_alerce_elasticc"]

_FLUXCAL = 27.5
_NAMES = {
    "redshift": ("redshift", "REDSHIFT_HELIO"),
    "mwebv": ("mwebv", "MWEBV"),
    "ra": ("ra", "RA"),
    "dec": ("dec", "DEC"),
    "label": ("label", "CLASS", "class", "alerceclass", "SIM_TYPE_NAME"),
}
_SENTINELS = (-9, -99, -999, -9999)


def _recognise(source: Source) -> bool:
    return source.kind in ("parquet", "text", "object") and source.has_fields(
        "SNID", "MJD", "BAND", "FLUXCAL", "FLUXCALERR"
    )


@reader(
    "alerce-elasticc",
    title="Tables of ELAsTiCC as ALeRCE keeps them (SNID, MJD, BAND, FLUXCAL)",
    flux="difference flux",
    recognise=_recognise,
)
def read_alerce_elasticc(
    source: Source, *, quality: Quality = "good", metadata: Any = None, zero_point: float = _FLUXCAL
) -> Photometry:
    """Read tables of the simulation ELAsTiCC in the layout of ALeRCE.

    Fluxes are ``FLUXCAL`` on the difference image, with the AB zero point 27.5. Times are MJD.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        A table with the columns SNID, MJD, BAND, FLUXCAL and FLUXCALERR.
    quality : "good", "all" or callable, default="good"
        The tables have no flags: "good" and "all" keep every row with a flux and its error. A
        function gets the table and returns True for the rows to keep.
    metadata : path or table, optional
        A table with one row per object, indexed by SNID or with this column. ``REDSHIFT_HELIO``,
        ``MWEBV``, ``RA``, ``DEC`` and the class become redshift, mwebv, ra, dec and label; other
        columns keep their names; sentinels such as -9 and -999 become NaN.
    zero_point : float, default=27.5
        The AB zero point of FLUXCAL. Simulations of SNANA since April 2026 have 31.4.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        If columns are missing, an object has no row in the metadata, or no observation can be used.

    References
    ----------
    https://portal.nersc.gov/cfs/lsst/DESC_TD_PUBLIC/ELASTICC/

    Examples
    --------
    >>> import pandas as pd
    >>> from sklc.io import read_alerce_elasticc
    >>> rows = {"SNID": ["7", "7"], "MJD": [60000.1, 60003.1], "BAND": ["g", "Y"]}
    >>> table = pd.DataFrame(rows | {"FLUXCAL": [52.0, -3.0], "FLUXCALERR": [4.0, 5.0]})
    >>> about = pd.DataFrame({"SNID": ["7"], "REDSHIFT_HELIO": [0.31], "MWEBV": [0.02]})
    >>> read_alerce_elasticc(table, metadata=about).metadata
               redshift  mwebv
    object_id
    7              0.31   0.02
    """
    table = source.frame()
    require_columns(table, "SNID", "MJD", "BAND", "FLUXCAL", "FLUXCALERR")
    rows = Rows(table)
    rows.select(lambda t: [True] * len(t), quality, "")
    error = numbers(table, "FLUXCALERR")
    flux = numbers(table, "FLUXCAL")
    rows.leave_out(~((error > 0) & (flux > -1e30)), "without FLUXCAL and its error")
    kept = rows.kept
    return Photometry(
        object_id=ids(table["SNID"][kept], "SNID"),
        time=numbers(table, "MJD")[kept],
        flux=flux[kept],
        flux_err=error[kept],
        band=passbands_among(table["BAND"], FILTERS, "Rubin")[kept],
        zero_point=zero_point,
        metadata=None if metadata is None else _metadata(metadata),
        notes=rows.notes,
    )


def _metadata(given: Any) -> pd.DataFrame:
    table = metadata_table(given, ("SNID",), _NAMES, _SENTINELS)
    return table.assign(**{name: known(table[name], name) for name in _NAMES if name in table})
