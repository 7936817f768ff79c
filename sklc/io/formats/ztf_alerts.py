"""ZTF alert packets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sklc.errors import LightCurveError
from sklc.io.objects import last_known_values
from sklc.io.packets import Packets, join, packets
from sklc.io.photometry import Photometry, Quality, columns_of
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.values import ids, numbers
from sklc.io.ztf import ZtfOptions, ztf_photometry

__all__ = ["read_ztf_alerts", "ztf_packets"]

_MJD = 2_400_000.5
_COLUMNS = (
    *("jd", "fid", "candid", "magpsf", "sigmapsf", "isdiffpos", "diffmaglim", "rb", "drb", "nbad"),
    *("magnr", "sigmagnr", "distnr"),
    *("forcediffimflux", "forcediffimfluxunc", "magzpsci", "procstatus"),
)


def _recognise(source: Source) -> bool:
    return source.kind in ("avro", "json", "object") and source.has_fields(
        "objectId", "candidate", "prv_candidates"
    )


@reader(
    "ztf-alerts",
    title="ZTF alert packets (Avro)",
    flux="difference flux (flux='total': with the source in the reference image)",
    recognise=_recognise,
)
def read_ztf_alerts(
    source: Source,
    *,
    flux: str = "difference",
    quality: Quality = "good",
    upper_limits: str = "omit",
    schema: Any = None,
) -> Photometry:
    """Read alert packets of the Zwicky Transient Facility (ZTF).

    A packet holds the current detection, the detections and limits of the 30 days before, and,
    since schema 4.02, forced photometry of these days. All of them are joined: forced photometry
    first, then detections on other images. Several packets of one object become one light curve,
    in which each image counts once, as the latest packet has it.

    Fluxes are point-source fluxes of the difference image, negative where the object is fainter
    than in the reference image (``isdiffpos``), with the AB zero point 27.5. Times are MJD, UTC, at
    the start of the exposure of 30 s. Errors of magnitudes above 0.3 belong to a signal-to-noise
    ratio below 4, where the flux that follows from the magnitude is biased high.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, or packets in memory
        Avro files with one or many packets, archives of them (tar, tar.gz) as ZTF publishes for
        each night, or packets as dicts.
    flux : {"difference", "total"}, default="difference"
        "total" adds the flux of the nearest source in the reference image (``magnr``), for variable
        stars and active galaxies. Rows without such a source within 1.4 arcsec are left out.
    quality : "good", "all" or callable, default="good"
        "good" keeps detections with a real-bogus score of at least 0.65 (``rb``) or 0.5 (``drb``)
        and without bad pixels (``nbad``), and forced photometry with the status "0"
        (``procstatus``). A function gets the table of all rows, with the columns of the packets and
        ``forced`` (bool), and returns True for the rows to keep.
    upper_limits : {"omit", "zero"}, default="omit"
        "zero" reads a non-detection as a flux of 0, with a fifth of the limit ``diffmaglim`` as its
        error.
    schema : dict or path, optional
        The Avro schema of packets that do not carry it.

    Returns
    -------
    LightCurves
        The metadata hold the position: ra and dec in degrees.

    Raises
    ------
    LightCurveError
        If a packet cannot be decoded, or no observation can be used.
    ImportError
        If fastavro is not installed.

    References
    ----------
    https://zwickytransientfacility.github.io/ztf-avro-alert/

    Examples
    --------
    >>> from sklc.io import read_ztf_alerts
    >>> now = {"jd": 2459000.5, "fid": 1, "magpsf": 20.0, "sigmapsf": 0.1, "isdiffpos": "t"}
    >>> before = {"jd": 2458997.5, "fid": 1, "magpsf": None, "diffmaglim": 20.5}
    >>> packet = {"objectId": "ZTF20abc", "candidate": now, "prv_candidates": [before]}
    >>> curves = read_ztf_alerts(packet)
    >>> curves.time, curves.flux.round(1)
    (array([59000.]), array([1000.]))
    """
    return ztf_packets(source, ZtfOptions(flux, quality, upper_limits), schema)


def ztf_packets(source: Source, options: ZtfOptions, schema: Any = None) -> Photometry:
    """Return the photometry of packets in the layout of ZTF, which brokers pass on."""
    tables: list[pa.Table] = []
    objects: list[pd.DataFrame] = []
    columns = columns_of(_COLUMNS, options.quality)
    names: list[np.ndarray] = []
    n_packets = 0
    for some in packets(source, schema):
        name = some.field("objectId")
        if (other := np.flatnonzero(name.isna())).size:
            raise LightCurveError(
                f"packet {n_packets + other[0]} has no objectId, as packets of ZTF have "
                f"({other.size} such packets): read the packets of each survey by themselves"
            )
        names.append(name.to_numpy(dtype=object))
        issued = numbers({"jd": some.field("candidate", "jd")}, "jd")
        for field in ("candidate", "prv_candidates", "fp_hists"):
            packet, table = some.rows(field, columns)
            if not len(table):
                continue
            own = {
                "packet": pa.array(packet + n_packets),
                "version": pa.array(issued[packet]),
                "forced": pa.array(np.full(len(packet), field == "fp_hists")),
            }
            tables.append(_with(table, own))
        n_packets += len(some)
        objects.append(_metadata(some, name))
    if not tables:
        raise LightCurveError(
            "no packet has a candidate, as packets of ZTF have: check that these are alert packets "
            "of ZTF and that the file is complete"
        )
    rows = join(tables)
    rows["object_id"] = ids(np.concatenate(names)[rows.pop("packet")], "objectId")
    rows["mjd"] = numbers(rows, "jd") - _MJD
    return ztf_photometry(
        rows, options, metadata=last_known_values(pd.concat(objects, ignore_index=True))
    )


def _with(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _metadata(some: Packets, name: pd.Series) -> pd.DataFrame:
    label = some.field("tns")
    return pd.DataFrame(
        {
            "object_id": name,
            "ra": some.field("candidate", "ra"),
            "dec": some.field("candidate", "dec"),
            "label": label.where(label.notna(), some.field("tnsclass")),
        }
    )
