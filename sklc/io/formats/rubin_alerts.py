"""Rubin alert packets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sklc.errors import LightCurveError
from sklc.io.objects import last_known_values
from sklc.io.packets import Packets, framed_schema, join, packets
from sklc.io.photometry import Photometry, Quality, columns_of
from sklc.io.registry import reader
from sklc.io.rubin import COLUMNS, NANOJANSKY, RubinOptions, rubin_photometry, with_present_names
from sklc.io.source import Source
from sklc.io.values import ids, numbers
from sklc.utils.text import counted

__all__ = ["read_rubin_alerts", "rubin_packets"]

FLUXCAL = 27.5  # the zero point of simulated fluxes, which PLAsTiCC and ELAsTiCC send as they are
_TABLES = ("prvDiaForcedSources", "prvDiaSources", "diaSource")


def _recognise(source: Source) -> bool:
    if source.kind == "binary":
        return framed_schema(source.head) is not None
    if source.kind == "avro":  # the schema is long, but this is its first field
        return source.has_fields("diaSourceId")
    return source.kind == "object" and source.has_fields("diaSource")


@reader(
    "rubin-alerts",
    title="Rubin alert packets (Avro)",
    flux="difference flux (flux='total': scienceFlux)",
    recognise=_recognise,
)
def read_rubin_alerts(
    source: Source,
    *,
    flux: str = "difference",
    quality: Quality = "good",
    zero_point: float | None = None,
    schema: Any = None,
) -> Photometry:
    """Read alert packets of the Vera C. Rubin Observatory.

    All schemas from 7 to 11 are read, and the older one of DC2 and ELAsTiCC (``psFlux``,
    ``filterName``, ``midPointTai``). A packet holds the current detection (``diaSource``), earlier
    ones (``prvDiaSources``) and forced photometry (``prvDiaForcedSources``). All of them are
    joined: forced photometry first, then detections on other images (visit and detector). Several
    packets of one object become one light curve, in which each image counts once, as the latest
    packet has it. Solar System objects have no light curve and are left out.

    Fluxes are in nJy (AB zero point 31.4), those of ELAsTiCC and of PLAsTiCC's simulations in units
    of zero point 27.5. Times are MJD, TAI, in the middle of the visit.

    Parameters
    ----------
    source : path, list of paths, bytes, list of bytes, binary file, or packets in memory
        Avro files with one or many packets, packets from the wire, or packets as dicts.
    flux : {"difference", "total"}, default="difference"
        ``psfFlux``, on the difference image, or ``scienceFlux`` (``totFlux``), on the visit image.
    quality : "good", "all" or callable, default="good"
        "good" leaves out rows that were withdrawn, whose ``psfFlux_flag``, ``_edge`` or
        ``_noGoodPixels`` is set, whose centre is saturated, without data, on a cosmic ray or a
        streak, which are off the image, or which contain an injected source. A flag that is missing
        was not measured and is not held against a row. A function gets the table of all rows, with
        the columns of the packets and ``forced`` (bool), and returns True for the rows to keep: for
        example ``lambda table: table["forced"] | (table["reliability"] > 0.5)``.
    zero_point : float, optional
        The AB zero point of the fluxes, if it is neither of those above.
    schema : dict or path, optional
        The Avro schema of packets that do not carry it, as those that come from the wire: they
        begin with a zero byte and the number of the schema.

    Returns
    -------
    LightCurves
        The metadata hold the position (ra and dec in degrees) and, where a packet has them, mwebv,
        redshift and label (of the Transient Name Server, as Fink adds them).

    Raises
    ------
    LightCurveError
        If a packet cannot be decoded, its schema is missing, or no observation can be used.
    ImportError
        If fastavro is not installed.

    References
    ----------
    https://sdm-schemas.lsst.io and https://github.com/lsst/alert_packet

    Examples
    --------
    >>> from sklc.io import read_rubin_alerts
    >>> now = {"diaObjectId": 170028485706776685, "visit": 2, "detector": 4, "band": "r"}
    >>> now |= {"midpointMjdTai": 61105.1, "psfFlux": -195.0, "psfFluxErr": 5.0}
    >>> packet = {"diaSource": now, "prvDiaSources": None, "prvDiaForcedSources": None}
    >>> curves = read_rubin_alerts(packet)
    >>> curves.ids, curves.flux, curves.zero_point
    (array([170028485706776685]), array([-195.]), 31.4)
    """
    return rubin_packets(source, RubinOptions(flux, quality), zero_point, schema)


def rubin_packets(
    source: Source, options: RubinOptions, zero_point: float | None = None, schema: Any = None
) -> Photometry:
    """Return the photometry of packets in the layout of Rubin, which brokers pass on."""
    tables: list[pa.Table] = []
    objects: list[pd.DataFrame] = []
    columns = columns_of(COLUMNS, options.quality)
    n_moving = n_packets = n_simulated = 0
    for some in packets(source, schema):
        if some.field("candidate", "jd").notna().any():
            raise LightCurveError(
                "packets of ZTF are among these packets: read the packets of each survey by "
                "themselves"
            )
        name, there = _objects(some)
        n_packets += len(some)
        n_moving += int(np.sum(~there))
        simulated = _simulated(some)
        n_simulated += int(np.sum(simulated & there))
        zp = np.where(simulated, FLUXCAL, NANOJANSKY) if zero_point is None else zero_point
        zp = np.broadcast_to(zp, len(some))
        time = _first_known(some, "diaSource", "midpointMjdTai", "midPointTai")
        issued = numbers({"time": time}, "time")
        for field in _TABLES:
            packet, table = some.rows(field, columns)
            if not len(table):
                continue
            own = {
                "object_id": name[packet],
                "version": issued[packet],
                "zero_point": zp[packet],
                "forced": np.full(len(packet), field == "prvDiaForcedSources"),
            }
            for key, column in own.items():
                table = table.append_column(key, pa.array(column))
            tables.append(table if there.all() else table.filter(pa.array(there[packet])))
        objects.append(_metadata(some, name)[there])
    notes = []
    if n_moving:
        notes.append(
            f"left out {n_moving} of {counted(n_packets, 'packet')}: Solar System objects, which "
            "have no light curve, or detections without an object"
        )
    if n_simulated and zero_point is None:
        notes.append(
            counted(n_simulated, "packet is a simulation", "packets are simulations")
            + " (ELAsTiCC, PLAsTiCC) with the zero point 27.5"
        )
    if not tables:
        raise LightCurveError(
            ("the packet has no" if n_packets == 1 else f"none of the {n_packets} packets has a")
            + " diaSource, as packets of Rubin have: "
            "check that these are alert packets of Rubin and that the file is complete"
        )
    if not any(len(table) for table in tables):
        return Photometry([], [], [], None, [], notes=notes)
    metadata = last_known_values(pd.concat(objects, ignore_index=True))
    table = with_present_names(join(tables))
    return rubin_photometry(table, options, metadata=metadata, notes=notes)


def _objects(some: Packets) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact ids of the objects, 0 where a packet has none, and where it has one."""
    found = np.zeros(len(some), dtype=np.int64)
    for field in ("diaSource", "diaObject"):
        column = some.field(field, "diaObjectId")
        missing = (found == 0) & column.notna().to_numpy()
        if missing.any():
            values = ids(column[missing].reset_index(drop=True), "diaObjectId")
            try:
                found[missing] = np.asarray(values).astype(np.int64)
            except (TypeError, ValueError, OverflowError) as error:
                raise LightCurveError(
                    f"a diaObjectId is no integer of 64 bits ({str(error)[:80]}): correct it, or "
                    "leave the packet out"
                ) from error
    return found, found != 0


def _simulated(some: Packets) -> np.ndarray:
    """Whether packets come from simulations, whose fluxes are not in nJy."""
    found = some.field("observation_reason").isin(["plasticc", "elasticc"])
    for name in ("hostgal_ellipticity", "hostgal_zphot", "z_final"):
        found |= some.field("diaObject", name).notna()
    return found.to_numpy(dtype=bool)


def _first_known(some: Packets, field: str, *names: str) -> pd.Series:
    column = some.field(field, names[0])
    for name in names[1:]:
        if column.notna().all():
            break
        column = column.where(column.notna(), some.field(field, name))
    return column


def _metadata(some: Packets, name: np.ndarray) -> pd.DataFrame:
    position = {}
    for axis, names in {"ra": ("ra",), "dec": ("dec", "decl")}.items():
        column = _first_known(some, "diaObject", *names)
        position[axis] = column.where(column.notna(), _first_known(some, "diaSource", *names))
    redshift = some.field("diaObject", "z_final")
    return pd.DataFrame(
        {
            "object_id": name,
            **position,
            "redshift": redshift.where(redshift.notna(), some.field("xm", "tns_redshift")),
            "mwebv": some.field("diaObject", "mwebv"),
            "label": some.field("xm", "tns_type"),
        }
    )
