"""Light curves of the broker ALeRCE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.frames import exact_column, to_frame
from sklc.io.objects import last_known_values
from sklc.io.photometry import Photometry, Quality, columns_of
from sklc.io.registry import reader
from sklc.io.rubin import COLUMNS, FILTERS, RubinOptions, rubin_photometry
from sklc.io.source import Source
from sklc.io.values import ids, numbers_or_nan, require_columns
from sklc.io.ztf import ZtfOptions, with_signs, ztf_photometry

__all__ = ["read_alerce"]

_PARTS = {
    "detections": "detections",
    "non_detections": "non_detections",
    "forced_photometry": "forced",
    "forced_photometries": "forced",
    "forced": "forced",
}
# ALeRCE counts the filters of Rubin from g, with u at the end; its older tables start with u.
_RUBIN_FILTERS = FILTERS | {str(k): f"lsst{band}" for k, band in enumerate("ugrizyu")}
_FORCED_NAMES = {
    "mag": "magpsf",
    "e_mag": "sigmapsf",
    "mag_corr": "magpsf_corr",
    "e_mag_corr": "sigmapsf_corr",
    "e_mag_corr_ext": "sigmapsf_corr_ext",
}

_COLUMNS = {
    *("oid", "mjd", "fid", "band", "band_name", "ra", "dec", "detections", *_PARTS, *COLUMNS),
    *(
        "magpsf",
        "sigmapsf",
        "isdiffpos",
        "diffmaglim",
        "rb",
        "drb",
        "nbad",
        "dubious",
        "procstatus",
    ),
    *("magpsf_corr", "sigmapsf_corr", "sigmapsf_corr_ext", "corrected", "forced", "extra_fields"),
    *("forcediffimflux", "forcediffimfluxunc", "magzpsci", "psfFlux", *_FORCED_NAMES),
}


def _recognise(source: Source) -> bool:
    if source.kind == "object" and isinstance(source.object, Mapping) and source.object:
        first = next(iter(source.object.values()))
        if isinstance(first, Mapping) and "detections" in first:  # objects by their ids
            return True
    if source.kind == "object" and source.has_fields("detections"):
        return True
    others = ("non_detections", "forced_photometry", "magpsf", "psfFlux")
    if source.kind == "json" and any(source.has_fields("detections", name) for name in others):
        return True
    named = any(source.has_fields(name) for name in ("fid", "band", "band_name"))
    ztf = source.has_fields("mjd", "magpsf", "sigmapsf", "isdiffpos")
    ztf = ztf or source.has_fields("mjd", "mag", "e_mag", "isdiffpos")
    return named and (ztf or source.has_fields("oid", "mjd", "psfFlux", "psfFluxErr"))


@reader(
    "alerce",
    title="Light curves of ALeRCE (ZTF and LSST)",
    flux="difference flux (flux='total': corrected magnitudes or scienceFlux)",
    recognise=_recognise,
)
def read_alerce(
    source: Source,
    *,
    flux: str = "difference",
    quality: Quality = "good",
    upper_limits: str = "omit",
    object_id: Any = None,
) -> Photometry:
    """Read detections, non-detections and forced photometry of the broker ALeRCE.

    Forced photometry is taken first, then detections on other images.

    Fluxes of ZTF have the AB zero point 27.5, and are negative where ``isdiffpos`` is; times are
    MJD, UTC, at the start of the exposure. Fluxes of LSST are in nJy (zero point 31.4); times are
    MJD, TAI, in the middle of the visit.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, table, list of dict, or dict
        What ``query_detections``, ``query_forced_photometry`` or ``query_lightcurve`` of the client
        return, as a table or as dicts; a file of it; or several of them as a dict with the keys
        "detections", "non_detections" and "forced_photometry", or a list of such dicts.
    flux : {"difference", "total"}, default="difference"
        ``magpsf`` and ``psfFlux``, on the difference image; or the magnitudes that ALeRCE corrects
        for the source in the reference image (``magpsf_corr``, where ``corrected`` is true, with
        ``sigmapsf_corr``, or ``sigmapsf_corr_ext`` where that is missing) and ``scienceFlux``.
    quality : "good", "all" or callable, default="good"
        "good" leaves out rows that are ``dubious``; detections of ZTF with ``rb`` below 0.65 and
        ``drb`` below 0.5; forced photometry of ZTF with a status other than "0"; and rows of LSST
        as `read_rubin_alerts` does. A function gets the table of all rows and returns True for the
        rows to keep.
    upper_limits : {"omit", "zero"}, default="omit"
        "zero" reads a non-detection as a flux of 0, with a fifth of the limit ``diffmaglim`` as its
        error.
    object_id : str or int, optional
        The id of the object, where the rows do not have it (``oid``).

    Returns
    -------
    LightCurves
        The metadata hold the position: ra and dec in degrees. Probabilities of classes are no
        labels, and are not read.

    Raises
    ------
    LightCurveError
        If columns are missing, or no observation can be used.

    References
    ----------
    https://alerce.readthedocs.io

    Examples
    --------
    >>> from sklc.io import read_alerce
    >>> row = {"oid": "ZTF20abc", "mjd": 59000.2, "fid": 2, "magpsf": 20.0, "sigmapsf": 0.1}
    >>> curves = read_alerce({"detections": [row | {"isdiffpos": -1}], "non_detections": []})
    >>> curves.flux.round(1), curves.band_names
    (array([-1000.]), array(['ztfr'], dtype=object))
    """
    options = ZtfOptions(flux, quality, upper_limits)
    found = _parts(source, object_id, columns_of(_COLUMNS, quality))
    parts = [_canonical(part, kind, name) for name, part, kind in found if len(part)]
    if not parts:
        raise LightCurveError(
            f"{source.name} has no rows: ask ALeRCE for the object's detections, with survey="
        )
    rubin = ["psfFlux" in part for part in parts]
    if any(rubin) and not all(rubin):
        raise LightCurveError(
            "the tables hold observations of ZTF and of LSST: read each survey by itself, and join "
            "the light curves with sklc.concatenate"
        )
    table = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    table["object_id"] = ids(table["object_id"], "oid")
    position = [name for name in ("ra", "dec") if name in table]
    metadata = last_known_values(table[["object_id", *position]])
    if all(rubin):
        rubin_options = RubinOptions(flux, quality)
        return rubin_photometry(table, rubin_options, metadata=metadata, filters=_RUBIN_FILTERS)
    return ztf_photometry(with_signs(table, "isdiffpos", options), options, metadata=metadata)


def _parts(source: Source, object_id: Any, columns: Any) -> Iterator[tuple[Any, pd.DataFrame, str]]:
    """Yield the id of an object, or None, a table of its rows, and what they are."""
    given = source.object
    if source.kind == "json":
        given = source.records()
    elif given is None:
        given = source.frame(columns)
    if isinstance(given, pd.DataFrame) and "detections" in given:
        given = to_frame(given).to_dict("records")  # one row per object, with lists
    if isinstance(given, Mapping) and not set(given) & set(_PARTS):
        inside = list(given.values())
        if inside and all(isinstance(v, Mapping) and set(v) & set(_PARTS) for v in inside):
            given = [{"oid": name, **value} for name, value in given.items()]
    if isinstance(given, Mapping):
        given = [given]
    if isinstance(given, list | tuple) and given and isinstance(given[0], Mapping):
        if not set(given[0]) & set(_PARTS):
            yield object_id, to_frame(list(given)), "detections"
            return
        for number, one in enumerate(given):
            parts = [(_PARTS[key], _rows(key, one[key])) for key in one if key in _PARTS]
            name = one.get("oid", object_id)
            own = {
                oid
                for _, part in parts
                if "oid" in part
                for oid in ids(part["oid"].dropna(), "oid").categories
            }
            if name is None and len(own) == 1:
                name = own.pop()  # non-detections may lack the id that detections have
            elif name is None and len(given) > 1:
                name = str(number)
            yield from ((name, part, kind) for kind, part in parts)
        return
    yield object_id, to_frame(given), "detections"


def _rows(key: str, given: Any) -> pd.DataFrame:
    if given is None:
        return pd.DataFrame()
    if not hasattr(given, "__len__") or isinstance(given, str | bytes):
        raise LightCurveError(f"{key!r} is {str(given)[:40]!r}: expected a table or list of rows")
    return to_frame(given) if len(given) else pd.DataFrame()


def _canonical(part: pd.DataFrame, kind: str, name: Any) -> pd.DataFrame:
    """Return the rows with the names of the survey's alerts."""
    table = part.copy(deep=False)
    if "extra_fields" in table:
        extra = [v if isinstance(v, Mapping) else {} for v in table["extra_fields"]]
        for key in dict.fromkeys(key for fields in extra for key in fields):
            if key not in table:
                table[key] = exact_column([fields.get(key) for fields in extra])
    if "oid" in table and table["oid"].notna().all():
        table["object_id"] = table["oid"]
    else:
        table["object_id"] = exact_column(["0" if name is None else name] * len(table))
    forced = kind == "forced" or ("e_mag" in table and "magpsf" not in table)
    if forced or "forced" not in table:
        table["forced"] = forced
    if "psfFlux" in table:
        table["midpointMjdTai"] = numbers_or_nan(table, "mjd")
        if "band_name" in table:
            table["band"] = table["band_name"]
        return table
    if "e_mag" in table:
        table = table.rename(columns={k: v for k, v in _FORCED_NAMES.items() if v not in table})
    if "fid" not in table:
        name = "band_name" if "band_name" in table else "band"
        require_columns(table, name)
        table["fid"] = table[name]
    if "magpsf_corr" in table:
        table = _with_totals(table)
    table["limit"] = kind == "non_detections"
    return table


def _with_totals(table: pd.DataFrame) -> pd.DataFrame:
    corrected = table["corrected"].isin([True, 1]) if "corrected" in table else True
    error = numbers_or_nan(table, "sigmapsf_corr")
    extended = numbers_or_nan(table, "sigmapsf_corr_ext")
    return table.assign(
        total=np.where(corrected, numbers_or_nan(table, "magpsf_corr"), np.nan),
        total_err=np.where(error < 50, error, extended),  # 100 stands for missing
    )
