"""Light curves of the broker Fink."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.formats.rubin_alerts import FLUXCAL, rubin_packets
from sklc.io.formats.ztf_alerts import ztf_packets
from sklc.io.frames import to_frame
from sklc.io.objects import last_known_values
from sklc.io.photometry import Photometry, Quality, columns_of
from sklc.io.registry import reader
from sklc.io.rubin import COLUMNS, RubinOptions, rubin_photometry, with_present_names
from sklc.io.source import Source
from sklc.io.values import by_label, ids, numbers, require_columns
from sklc.io.ztf import ZtfOptions, with_signs, ztf_photometry
from sklc.utils.text import counted

__all__ = ["read_fink"]

_MJD = 2_400_000.5
_PREFIXES = ("i:", "d:", "v:", "r:", "f:")
# Columns of arrays, with history and current measurement of an alert, by the kind of time.
_ARRAYS = {"cjd": "cmagpsf", "cmidpointMjdTai": "cpsfFlux", "cmidPointTai": "cpsFlux"}

_ZTF_COLUMNS = (
    "objectId", "jd", "fid", "magpsf", "sigmapsf", "isdiffpos", "diffmaglim", "rb", "drb", "nbad",
    "magnr", "sigmagnr", "distnr", "ra", "dec",
)  # fmt: skip
_RUBIN_COLUMNS = ("diaObjectId", "diaForcedSourceId", "ra", "dec", "decl", *COLUMNS)
_COLUMNS = {
    *(f"{prefix}{name}" for name in _ZTF_COLUMNS for prefix in ("", "i:", "c")),
    *(f"{prefix}{name}" for name in _RUBIN_COLUMNS for prefix in ("", "r:", "c")),
    *("d:tag", "d:tns", "f:xm_tns_type", "f:xm_tns_redshift", "tns"),
}


def _recognise(source: Source) -> bool:
    if source.kind in ("xml", "json"):
        return any(f'"{name}"'.encode() in source.head for name in ("i:jd", "r:midpointMjdTai"))
    if any(source.has_fields(*names) for names in _ARRAYS.items()):
        return True
    if source.kind == "parquet" or (source.kind == "object" and hasattr(source.object, "columns")):
        if source.has_fields("objectId", "candidate", "prv_candidates"):
            return True
        if source.has_fields("diaSource", "prvDiaSources"):
            return True
    return source.has_fields("i:jd", "i:fid") or source.has_fields("r:midpointMjdTai", "r:band")


@reader(
    "fink",
    title="Light curves and alerts of Fink (ZTF and Rubin)",
    flux="difference flux (flux='total': with the source in the reference image, or scienceFlux)",
    recognise=_recognise,
)
def read_fink(
    source: Source,
    *,
    flux: str = "difference",
    quality: Quality = "good",
    upper_limits: str = "omit",
    zero_point: float | None = None,
    schema: Any = None,
) -> Photometry:
    """Read tables and alerts of the broker Fink.

    These are read: tables of the API, for ZTF (columns ``i:jd``, ``i:magpsf``, ``d:tag``, …) and
    Rubin (``r:midpointMjdTai``, ``r:psfFlux``, ``f:xm_tns_type``, …); alerts of the livestream and
    the Data Transfer service, of ZTF, Rubin and ELAsTiCC, with nested columns; and tables with
    arrays for each alert (``cjd``, ``cfid``, ``cmagpsf``, ``csigmapsf``). Several alerts of one
    object become one light curve, in which each image counts once.

    Fluxes of ZTF have the AB zero point 27.5, and are negative where ``isdiffpos`` is; times are
    MJD, UTC, at the start of the exposure. Fluxes of Rubin are in nJy (zero point 31.4), those of
    ELAsTiCC have the zero point 27.5; times are MJD, TAI, in the middle of the visit.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, table or list of dict
        Parquet, CSV, JSON, VOTable or Avro files, a folder of the Data Transfer service, or the
        table or alerts in memory.
    flux : {"difference", "total"}, default="difference"
        As for `read_ztf_alerts` and `read_rubin_alerts`.
    quality : "good", "all" or callable, default="good"
        "good" is as for `read_ztf_alerts` and `read_rubin_alerts`, and leaves out what Fink tags as
        "badquality". A function gets the table of all rows, with the columns of the source, and
        returns True for the rows to keep.
    upper_limits : {"omit", "zero"}, default="omit"
        "zero" reads a non-detection of ZTF as a flux of 0, with a fifth of the limit as its error.
    zero_point : float, optional
        The AB zero point of the fluxes of Rubin, if it is neither of those above.
    schema : dict or path, optional
        The Avro schema of alerts that do not carry it.

    Returns
    -------
    LightCurves
        The metadata hold the position (ra and dec in degrees) and, where the source has them, label
        and redshift of the Transient Name Server, and mwebv. Classes that Fink assigns are no
        labels, and are not read.

    Raises
    ------
    LightCurveError
        If columns are missing, or no observation can be used.
    ImportError
        If the format needs fastavro or astropy, which is not installed.

    References
    ----------
    https://doc.fink-broker.org

    Examples
    --------
    >>> from sklc.io import read_fink
    >>> row = {"r:diaObjectId": 170028485706776685, "r:midpointMjdTai": 61105.1, "r:band": "r"}
    >>> curves = read_fink([row | {"r:psfFlux": -195.0, "r:psfFluxErr": 5.0}])
    >>> curves.ids, curves.flux, curves.zero_point
    (array([170028485706776685]), array([-195.]), 31.4)
    """
    ztf, rubin = ZtfOptions(flux, quality, upper_limits), RubinOptions(flux, quality)
    if source.has_fields("candidate", "prv_candidates"):
        return ztf_packets(source, ztf, schema)
    if source.has_fields("diaSource", "prvDiaSources") or source.kind in ("avro", "binary"):
        return rubin_packets(source, rubin, zero_point, schema)
    raw = _table(source, quality)
    for time, value in _ARRAYS.items():
        if {time, value} <= set(raw.columns):
            raw = _exploded(raw, time)
            if time == "cmidPointTai" and zero_point is None:
                zero_point = FLUXCAL  # the older names are those of ELAsTiCC
            break
    table = raw.rename(columns=lambda name: _without_prefix(str(name)))
    table = table.loc[:, ~table.columns.duplicated()].copy(deep=False)
    if "jd" in table:
        return _ztf_table(table, raw, ztf)
    return _rubin_table(with_present_names(table), raw, rubin, zero_point)


def _table(source: Source, quality: Quality) -> pd.DataFrame:
    if source.kind != "xml":
        return source.frame(columns_of(_COLUMNS, quality))
    votable = require("astropy.io.votable", extra="io", user="Reading VOTables")
    table = votable.parse_single_table(io.BytesIO(source.content()))
    return to_frame(table.to_table(use_names_over_ids=True))


def _without_prefix(name: str) -> str:
    return name[2:] if name.startswith(_PREFIXES) else name


def _exploded(table: pd.DataFrame, time: str) -> pd.DataFrame:
    """Return one row per observation of alerts whose columns c… hold arrays."""
    arrays = [
        name for name in table.columns if name.startswith("c") and np.ndim(table[name].iloc[0]) == 1
    ]
    whole = [name for name in table.columns if name in ("objectId", "diaObjectId", "ra", "dec")]
    found = table[[*whole, *arrays]].assign(version=[np.max(times) for times in table[time]])
    try:
        found = found.explode(arrays, ignore_index=True)
    except ValueError as error:
        raise LightCurveError(
            f"the arrays {arrays} of an alert differ in length: make them with the same function"
        ) from error
    return found.rename(columns={name: name[1:] for name in arrays})


def _ztf_table(table: pd.DataFrame, raw: pd.DataFrame, options: ZtfOptions) -> Photometry:
    require_columns(table, "fid", "magpsf", "sigmapsf")
    table["object_id"] = _ids(table, "objectId")
    table["mjd"] = numbers(table, "jd") - _MJD
    table["limit"] = "tag" in table and by_label(table["tag"], lambda tag: tag == "upperlim")
    about = {"ra": "ra", "dec": "dec", "label": "tns"}
    return ztf_photometry(
        with_signs(table, "i:isdiffpos", options),
        options,
        metadata=_metadata(table, about),
        raw=raw,
    )


def _rubin_table(
    table: pd.DataFrame, raw: pd.DataFrame, options: RubinOptions, zero_point: float | None
) -> Photometry:
    require_columns(table, "midpointMjdTai", "band")
    notes = []
    if "diaObjectId" in table:
        moving = (table["diaObjectId"].isna() | table["diaObjectId"].isin([0, "0"])).to_numpy()
        if moving.any():
            notes.append(
                f"left out {moving.sum()} of {counted(len(table), 'row')}: Solar System objects, "
                "which have no light curve, or detections without an object"
            )
            table, raw = table[~moving].copy(), raw[~moving]
    table["object_id"] = _ids(table, "diaObjectId")
    if "diaForcedSourceId" in table:
        table["forced"] = table["diaForcedSourceId"].notna()
    if zero_point is not None:
        table["zero_point"] = zero_point
    about = {"ra": "ra", "dec": "dec", "label": "xm_tns_type", "redshift": "xm_tns_redshift"}
    metadata = _metadata(table, about)
    return rubin_photometry(table, options, metadata=metadata, notes=notes, raw=raw)


def _ids(table: pd.DataFrame, name: str) -> pd.Categorical:
    return ids(table[name] if name in table else np.full(len(table), "0", dtype=object), name)


def _metadata(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    there = {ours: table[theirs] for ours, theirs in names.items() if theirs in table}
    return last_known_values(pd.DataFrame({"object_id": table["object_id"], **there}))
