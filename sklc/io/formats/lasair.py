"""Light curves of the broker Lasair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sklc.errors import LightCurveError
from sklc.io.formats.rubin_alerts import rubin_packets
from sklc.io.objects import last_known_values
from sklc.io.packets import Packets, join, packets
from sklc.io.photometry import Photometry, Quality
from sklc.io.registry import reader
from sklc.io.rubin import RubinOptions
from sklc.io.source import Source
from sklc.io.values import ids, numbers_or_nan
from sklc.io.ztf import ZtfOptions, with_signs, ztf_photometry
from sklc.utils.text import counted

__all__ = ["read_lasair"]

_MJD = 2_400_000.5
# What Lasair calls the lists of a packet of Rubin.
_LISTS = {"diaSourcesList": "prvDiaSources", "diaForcedSourcesList": "prvDiaForcedSources"}


def _recognise(source: Source) -> bool:
    if source.kind not in ("json", "object"):
        return False
    if source.has_fields("diaSourcesList") or source.has_fields("objectId", "candidates"):
        return True
    return source.kind == "json" and source.has_fields("diaObject", "diaSource")


@reader(
    "lasair",
    title="Light curves and alerts of Lasair (JSON; ZTF and LSST)",
    flux="difference flux (flux='total': with the source in the reference image, or scienceFlux)",
    recognise=_recognise,
)
def read_lasair(
    source: Source,
    *,
    flux: str = "difference",
    quality: Quality = "good",
    upper_limits: str = "omit",
    zero_point: float | None = None,
) -> Photometry:
    """Read objects and alerts of the broker Lasair.

    Forced photometry is taken first, then detections on other images.

    Fluxes of ZTF have the AB zero point 27.5, and are negative where ``isdiffpos`` is "f"; times
    are MJD, UTC, at the start of the exposure. Fluxes of LSST are in nJy (zero point 31.4), those
    of Lasair's simulated alerts (``observation_reason`` "plasticc") have the zero point 27.5; times
    are MJD, TAI, in the middle of the visit.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, dict or list of dict
        What ``object``, ``objects`` or ``lightcurves`` of the client return, a JSON file of it, or
        the JSON of an alert.
    flux : {"difference", "total"}, default="difference"
        As for `read_ztf_alerts` and `read_rubin_alerts`; Lasair's rows of ZTF lack the distance to
        the source in the reference image, so its total fluxes are those of LSST only.
    quality : "good", "all" or callable, default="good"
        As for `read_ztf_alerts` and `read_rubin_alerts`, as far as Lasair passes on scores and
        flags.
    upper_limits : {"omit", "zero"}, default="omit"
        "zero" reads a non-detection of ZTF as a flux of 0, with a fifth of the limit as its error.
    zero_point : float, optional
        The AB zero point of the fluxes of LSST, if it is neither of those above.

    Returns
    -------
    LightCurves
        The metadata hold the position (ra and dec in degrees) and, where the source has them, label
        and redshift of the Transient Name Server, and mwebv. Sherlock's classes are predictions
        from the position, no labels, and are not read.

    Raises
    ------
    LightCurveError
        If the JSON is not complete, columns are missing, or no observation can be used.

    References
    ----------
    https://lasair.readthedocs.io

    Examples
    --------
    >>> from sklc.io import read_lasair
    >>> seen = {"candid": 7, "fid": 1, "jd": 2459000.5, "magpsf": 20.0, "sigmapsf": 0.1}
    >>> limit = {"fid": 1, "jd": 2458997.5, "magpsf": 20.5, "diffmaglim": 20.5}
    >>> found = {"objectId": "ZTF20abc", "candidates": [limit, seen | {"isdiffpos": "f"}]}
    >>> curves = read_lasair(found)
    >>> curves.time, curves.flux.round(1)
    (array([59000.]), array([-1000.]))
    """
    records = [_unwrapped(record) for record in _records(source)]
    ztf = ["candidates" in record for record in records]
    if any(ztf) and not all(ztf):
        raise LightCurveError(
            "the records hold objects of ZTF and of LSST: read each survey by itself, and join the "
            "light curves with sklc.concatenate"
        )
    found = Source(records)
    if not any(ztf):
        return rubin_packets(found, RubinOptions(flux, quality), zero_point)
    return _ztf(found, ZtfOptions(flux, quality, upper_limits))


def _records(source: Source) -> list[Any]:
    given = source.records() if source.object is None else source.object
    given = [given] if isinstance(given, Mapping) else list(given)
    for number, record in enumerate(given):
        if not isinstance(record, Mapping):
            raise LightCurveError(
                f"record {number} is a {type(record).__name__}: expected one dict per object, as "
                "the methods object and objects of the client return"
            )
    return given


def _unwrapped(record: Any) -> dict[str, Any]:
    """Return an object of Lasair in the layout of a packet of its survey."""
    alert = record.get("alert")
    record = {**record, **alert} if isinstance(alert, Mapping) else dict(record)
    for ours, theirs in _LISTS.items():
        if ours in record:
            record[theirs] = record.pop(ours)
    about = record.get("diaObject")
    if isinstance(about, Mapping) or "diaObjectId" in record:
        about = dict(about) if isinstance(about, Mapping) else {}
        about.setdefault("diaObjectId", record.get("diaObjectId"))
        added = record.get("lasairData")
        added = added if isinstance(added, Mapping) else {}
        about.setdefault("mwebv", added.get("ebv", about.get("ebv")))
        record["diaObject"] = about
        tns = added.get("TNS", record.get("TNS"))
        if isinstance(tns, Mapping):
            record.setdefault("xm", {"tns_type": tns.get("type"), "tns_redshift": tns.get("z")})
    return record


def _ztf(source: Source, options: ZtfOptions) -> Photometry:
    tables, objects, names = [], [], []
    n_packets = 0
    for some in packets(source):
        name = _names(some)
        names.append(name)
        for field in ("candidates", "forcedphot"):
            packet, table = some.rows(field)
            if len(table):
                table = table.append_column("packet", pa.array(packet + n_packets))
                forced = np.full(len(packet), field == "forcedphot")
                tables.append(table.append_column("forced", pa.array(forced)))
        n_packets += len(some)
        objects.append(
            pd.DataFrame(
                {
                    "object_id": name,
                    "ra": some.field("objectData", "ramean"),
                    "dec": some.field("objectData", "decmean"),
                    "label": some.field("TNS", "type"),
                    "redshift": some.field("TNS", "z"),
                }
            )
        )
    if not tables:
        return ztf_photometry(pd.DataFrame(), options)
    table = join(tables)
    table["object_id"] = ids(np.concatenate(names)[table.pop("packet")], "objectId")
    mjd, jd = numbers_or_nan(table, "mjd"), numbers_or_nan(table, "jd")
    table["mjd"] = np.where(np.isfinite(jd), jd - _MJD, mjd)
    # A limit repeats diffmaglim as magpsf: only the lack of a candid tells.
    table["limit"] = table["candid"].isna() if "candid" in table else table["isdiffpos"].isna()
    metadata = last_known_values(pd.concat(objects, ignore_index=True))
    found = ztf_photometry(with_signs(table, "isdiffpos", options), options, metadata=metadata)
    empty = len(metadata) - table["object_id"].nunique()
    if empty:
        found.notes.append(
            f"{empty} of {counted(len(metadata), 'object')} {'has' if empty == 1 else 'have'} no "
            "candidates"
        )
    return found


def _names(some: Packets) -> np.ndarray:
    name = some.field("objectId")
    if name.isna().any() and len(some) > 1:
        raise LightCurveError(
            f"record {int(np.argmax(name.isna()))} has no objectId: add it to each dict"
        )
    return name.where(name.notna(), "0").to_numpy()
