"""Light curves of the broker ANTARES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.io.frames import to_frame
from sklc.io.objects import last_known_values
from sklc.io.photometry import Photometry, Quality
from sklc.io.registry import reader
from sklc.io.rubin import FILTERS as RUBIN_FILTERS
from sklc.io.source import Source
from sklc.io.values import ids, numbers_or_nan, require_columns
from sklc.io.ztf import FILTERS as ZTF_FILTERS
from sklc.io.ztf import ZtfOptions, with_signs, ztf_photometry

__all__ = ["read_antares"]

_LIMIT, _LSST = 2, 4  # values of ant_survey; 1 is a detection of ZTF
_NAMES = {
    "ant_mjd": "mjd",
    "ant_mag": "magpsf",
    "ant_magerr": "sigmapsf",
    "ant_maglim": "diffmaglim",
    "ant_mag_corrected": "total",
    "ant_magerr_corrected": "total_err",
    "ztf_isdiffpos": "isdiffpos",
    "ztf_rb": "rb",
    "ztf_drb": "drb",
    "ztf_nbad": "nbad",
}


def _recognise(source: Source) -> bool:
    first = source.object
    if isinstance(first, list | tuple) and first:
        first = first[0]
    if hasattr(first, "locus_id") and hasattr(first, "lightcurve"):
        return True
    if isinstance(first, Mapping) and "locus_id" in first and "lightcurve" in first:
        return True
    return source.has_fields("ant_mjd", "ant_passband")


@reader(
    "antares",
    title="Light curves of ANTARES",
    flux="difference flux (flux='total': corrected magnitudes)",
    recognise=_recognise,
)
def read_antares(
    source: Source,
    *,
    flux: str = "difference",
    quality: Quality = "good",
    upper_limits: str = "omit",
    object_id: str | None = None,
) -> Photometry:
    """Read loci of the broker ANTARES.

    Fluxes come from AB magnitudes and have the zero point 27.5. Times (``ant_mjd``) are MJD: of
    ZTF, UTC at the start of the exposure, of LSST, TAI in the middle of the visit. The sign of a
    subtraction is in ``ztf_isdiffpos`` (of LSST, ``lsst_diaSource_psfFlux``), which the alerts of a
    locus have and its table ``lightcurve`` does not; without it, all fluxes are positive, with a
    warning.

    Parameters
    ----------
    source : Locus, list of Locus, table, path, bytes or binary file
        Loci of the client, their ``lightcurve`` or ``timeseries``, or a file of these columns.
    flux : {"difference", "total"}, default="difference"
        ``ant_mag``, on the difference image, or ``ant_mag_corrected``, which adds the source in the
        reference image.
    quality : "good", "all" or callable, default="good"
        As for `read_ztf_alerts`, where the table has ``ztf_rb``, ``ztf_drb`` or ``ztf_nbad``. A
        function gets the table of all rows and returns True for the rows to keep.
    upper_limits : {"omit", "zero"}, default="omit"
        "zero" reads an upper limit (``ant_survey`` 2) as a flux of 0, with a fifth of the limit
        ``ant_maglim`` as its error.
    object_id : str, optional
        The id of the object, where a table does not have it (``locus_id``).

    Returns
    -------
    LightCurves
        The metadata hold the position: ra and dec in degrees.

    Raises
    ------
    LightCurveError
        If columns are missing, or no observation can be used.

    Warns
    -----
    LightCurveWarning
        If the signs of the subtractions are not known.

    References
    ----------
    https://nsf-noirlab.gitlab.io/csdc/antares/client

    Examples
    --------
    >>> import pandas as pd
    >>> from sklc.io import read_antares
    >>> rows = {"ant_mjd": [59000.0, 59003.0], "ant_survey": [2, 1], "ant_passband": ["R", "R"]}
    >>> rows |= {"ant_mag": [None, 20.0], "ant_magerr": [None, 0.1], "ant_maglim": [20.5, 20.6]}
    >>> table = pd.DataFrame(rows | {"ztf_isdiffpos": [None, "f"]})
    >>> curves = read_antares(table, object_id="ANT2020abc")
    >>> curves.ids, curves.band_names, curves.flux.round(1)
    (array(['ANT2020abc'], dtype=object), array(['ztfr'], dtype=object), array([-1000.]))
    """
    options = ZtfOptions(flux, quality, upper_limits)
    raw = _table(source, object_id)
    require_columns(raw, "ant_mjd", "ant_passband")
    table = raw.rename(columns=_NAMES)
    survey = numbers_or_nan(raw, "ant_survey")
    lsst = survey == _LSST
    table["limit"] = survey == _LIMIT
    label = raw["ant_passband"].astype(object)
    table["fid"] = label.where(~lsst, "lsst" + label.astype(str).str.lower()).where(label.notna())
    sign = numbers_or_nan(raw, "lsst_diaSource_psfFlux")
    if np.isfinite(sign).any():
        own = np.where(sign < 0, -1, 1)
        old = table["isdiffpos"].astype(object) if "isdiffpos" in table else None
        table["isdiffpos"] = own if old is None else old.where(~np.isfinite(sign), own)
    about = {axis: raw.get(axis, raw.get(f"ant_{axis}")) for axis in ("ra", "dec")}
    return ztf_photometry(
        with_signs(table, "ztf_isdiffpos", options),
        options,
        metadata=last_known_values(pd.DataFrame({"object_id": table["object_id"], **about})),
        raw=raw,
        filters=RUBIN_FILTERS | ZTF_FILTERS,
    )


def _table(source: Source, object_id: str | None) -> pd.DataFrame:
    given = source.records() if source.kind == "json" else source.object
    if given is None:
        return _named(source.frame(), object_id)
    loci = list(given) if isinstance(given, list | tuple) else [given]
    if not loci or not (_of(loci[0], "locus_id") and _of(loci[0], "lightcurve") is not None):
        return _named(to_frame(given), object_id)
    tables = [
        _rows(locus).assign(
            object_id=_of(locus, "locus_id"), ra=_of(locus, "ra"), dec=_of(locus, "dec")
        )
        for locus in loci
    ]
    return pd.concat(tables, ignore_index=True)


def _of(locus: Any, name: str) -> Any:
    return locus.get(name) if isinstance(locus, Mapping) else getattr(locus, name, None)


def _rows(locus: Any) -> pd.DataFrame:
    """Return the light curve of a locus, with the signs that its alerts have."""
    table = to_frame(_of(locus, "lightcurve"))
    if "ztf_isdiffpos" in table or "alert_id" not in table:
        return table
    try:
        alerts = _of(locus, "alerts") or ()
    except Exception:  # the client fetches them now; without them, a warning follows
        return table
    properties = {_of(alert, "alert_id"): _of(alert, "properties") or {} for alert in alerts}
    for name in ("ztf_isdiffpos", "lsst_diaSource_psfFlux", "ztf_rb", "ztf_drb", "ztf_nbad"):
        values = {alert: own[name] for alert, own in properties.items() if name in own}
        if values:
            table = table.assign(**{name: table["alert_id"].map(values)})
    return table


def _named(table: pd.DataFrame, object_id: str | None) -> pd.DataFrame:
    known = [name for name in ("locus_id", "object_id") if name in table]
    given = "0" if object_id is None else object_id
    return table.assign(object_id=ids(table[known[0]], known[0]) if known else given)
