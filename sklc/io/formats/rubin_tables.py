"""Light curves from the tables of Rubin's data previews and releases."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.bands import passband_column
from sklc.io.objects import first_values, metadata_table
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.service_tables import service_columns, service_table
from sklc.io.source import Source
from sklc.io.values import exact_ids, flags, numbers, require_columns
from sklc.utils.text import counted

__all__ = ["read_rubin_tables"]

_IDS = ("diaObjectId", "objectId")
_TIMES = ("midpointMjdTai", "expMidptMJD", "midPointTai", "obsStartMJD")
_BANDS = ("band", "filterName")
_VISITS = (("visit", "visit"), ("visit", "visitId"), ("ccdVisitId", "ccdVisitId"))
# Columns that only one kind of table has: psfFlux is a total flux in forced tables, and a
# difference flux in tables of difference sources.
_FORCED = {"psfDiffFlux", "forcedSourceId", "forcedSourceOnDiaObjectId", "psfDiffFluxErr"}
_SOURCES = {
    "diaSourceId",
    "scienceFlux",
    "midpointMjdTai",
    "totFlux",
    "psFlux",
    "diaForcedSourceId",
}
# Columns of DP0.2 that ELAsTiCC, whose names are the same and whose zero point is not, lacks.
_DP02 = {"totFlux", "apFlux", "pixelId", "ixxPSF", "dipMeanFlux", "coord_ra", "isDipole"}
_FLUXES = {
    ("forced", "difference"): ("psfDiffFlux",),
    ("forced", "total"): ("psfFlux",),
    ("sources", "difference"): ("psfFlux", "psFlux"),
    ("sources", "total"): ("scienceFlux", "totFlux"),
}
_BAD_FLAGS = {
    "forced": ("invalidPsfFlag", "pixelFlags_bad", "pixelFlags_crCenter", "pixelFlags_edge",
               "pixelFlags_nodata", "pixelFlags_saturatedCenter",
               "diff_PixelFlags_nodataCenter"),
    "sources": ("psfFlux_flag_edge", "psfFlux_flag_noGoodPixels", "pixelFlags_saturatedCenter",
                "pixelFlags_crCenter", "pixelFlags_nodataCenter", "pixelFlags_offimage",
                "pixelFlags_streakCenter", "pixelFlags_injected", "pixelFlags_injectedCenter"),
}  # fmt: skip
_METADATA = {
    "label": ("label", "class", "truth_type"),
    "redshift": ("redshift", "z"),
    "ra": ("ra", "coord_ra"),
    "dec": ("dec", "decl", "coord_dec"),
    "mwebv": ("mwebv", "ebv"),
}
_WANTED = {
    *_IDS, *_TIMES, *_BANDS, "visit", "ccdVisitId", *_FORCED, *_SOURCES, *_DP02, "ra", "dec",
    "decl", "coord_dec", "timeWithdrawnMjdTai", *_BAD_FLAGS["forced"],
    *_BAD_FLAGS["sources"],
    *(n + end for names in _FLUXES.values() for n in names for end in ("", "Err", "_flag")),
}  # fmt: skip
Table = Literal["forced", "sources"]


def _recognise(source: Source) -> bool:
    names = service_columns(source)
    if {"psFlux", "nobs"} <= names:  # ELAsTiCC
        return False
    known_flux = {"psfDiffFlux", "psfFlux", "psFlux"} & names
    timed = names & {*_TIMES, "visit", "ccdVisitId"}
    return bool(known_flux and timed and names & set(_BANDS) and names & set(_IDS))


@reader(
    "rubin-tables",
    title="Rubin tables (DiaSource, ForcedSource, ForcedSourceOnDiaObject)",
    flux="difference flux, or total flux with flux='total'",
    recognise=_recognise,
)
def read_rubin_tables(
    source: Source,
    *,
    quality: Quality = "good",
    flux: Literal["difference", "total"] = "difference",
    visit: Any = None,
    metadata: Any = None,
    table: Table | None = None,
    zero_point: float | None = None,
) -> Photometry:
    r"""Read light curves from tables of Rubin: DP1, DP2, DP0.2 and later releases.

    The tables hold both fluxes, in nanojansky (AB zero point 31.4). By default this gives the
    **difference flux**: ``psfDiffFlux`` of ForcedSource and ForcedSourceOnDiaObject, ``psfFlux`` of
    DiaSource (``psFlux`` in DP0.2). The **total flux** is ``psfFlux`` of the forced tables, and
    ``scienceFlux`` (``totFlux``) of DiaSource. Times are MJD, TAI, at the middle of the visit.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        The table, as the Butler, TAP (CSV, VOTable) or a Parquet file give it. Astropy tables whose
        columns have another unit of flux are converted.
    quality : "good", "all" or callable, default="good"
        "good" leaves out rows with a flag of the chosen flux (``psfDiffFlux_flag``,
        ``psfFlux_flag``), an invalid PSF, or bad, saturated, missing or cosmic-ray pixels at the
        centre, pixels at an edge or streaks, injected sources, and rows that were withdrawn, as far
        as the table has these columns. A missing flag was not measured, and does not count.
    flux : {"difference", "total"}, default="difference"
        Which of the two fluxes to read.
    visit : path, bytes, binary file or table, optional
        The table Visit (``visit``, ``expMidptMJD``), or CcdVisit for DP0.2, which has the times.
        The forced tables need it, unless it was joined to them.
    metadata : path, bytes, binary file or table, optional
        The table DiaObject or Object. It may hold more objects.
    table : {"forced", "sources"}, optional
        Which kind of table it is, where the columns do not tell: a forced table or DiaSource.
    zero_point : float, optional
        The AB zero point, where the fluxes are not in nanojansky.

    Returns
    -------
    LightCurves
        The ids are those of ``diaObjectId``, else ``objectId``, as exact integers. Metadata are ra
        and dec, and the columns of `metadata`.

    Raises
    ------
    LightCurveError
        If the table has no times, does not tell which flux it holds, or holds ids that went
        through floating point numbers.

    Notes
    -----
    Schemas: https://sdm-schemas.lsst.io.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklc.io import read_rubin_tables
    >>> forced = pd.DataFrame({
    ...     "diaObjectId": [611255759837069401, 611255759837069401],
    ...     "visit": [2024110800250, 2024110900251],
    ...     "band": ["g", "r"],
    ...     "psfDiffFlux": [1200.0, 1500.0],
    ...     "psfDiffFluxErr": [90.0, 95.0],
    ... })
    >>> visits = pd.DataFrame({
    ...     "visit": [2024110800250, 2024110900251],
    ...     "expMidptMJD": [60623.25, 60624.26],
    ... })
    >>> read_rubin_tables(forced, visit=visits)
    LightCurves: 1 objects, 2 observations (median 2), bands lsstg lsstr, zero point 31.4
    """
    if flux not in ("difference", "total"):
        raise LightCurveError(f'flux must be "difference" or "total", got {flux!r}')
    # a missing id would otherwise make floating point numbers of all ids of a CSV file
    exact = dict.fromkeys((*_IDS, "visit", "ccdVisitId", "ssObjectId"), "Int64")
    units = {f"{n}{e}": "nJy" for group in _FLUXES.values() for n in group for e in ("", "Err")}
    frame = service_table(source, units, None if callable(quality) else _WANTED, dtype=exact)
    kind = table or _kind(frame)
    flux_name = _flux_name(frame, kind, flux)
    require_columns(frame, flux_name, f"{flux_name}Err")
    zero_point = _zero_point(frame, zero_point)
    id_name = next((name for name in _IDS if name in frame.columns), _IDS[0])
    band_name = next((name for name in _BANDS if name in frame.columns), _BANDS[0])
    require_columns(frame, id_name, band_name)
    rows = Rows(frame)
    unidentified = (frame[id_name] == 0) | frame[id_name].isna()
    rows.leave_out(unidentified, f"without {id_name}, as moving objects are")
    values, errors = numbers(frame, flux_name), numbers(frame, f"{flux_name}Err")
    rows.leave_out(~np.isfinite(values + errors) | (errors <= 0), "without a flux or an error")
    rows.leave_out(frame[band_name].isna(), "without a band")
    rows.select(
        lambda t: _good(t, kind, flux_name), quality, 'flagged or withdrawn, see quality="all"'
    )
    time = _times(frame, visit)
    kept = rows.kept
    rows.leave_out(~np.isfinite(time), "without a time")
    ids = exact_ids(frame[id_name][kept], id_name)
    objects = _positions(frame, kept, ids)
    if metadata is not None:
        objects = metadata_table(metadata, (id_name, *_IDS), _METADATA, dtype=exact)
    return Photometry(
        object_id=ids,
        time=time[kept],
        flux=values[kept],
        flux_err=errors[kept],
        band=passband_column(frame[band_name], "LSST")[kept],
        zero_point=zero_point,
        metadata=objects,
        notes=[f"{flux_name} is the {flux} flux of this table", *rows.notes],
    )


def _kind(frame: pd.DataFrame) -> Table:
    """Tell a forced table from one of difference sources by its columns."""
    names = set(frame.columns)
    if names & _FORCED:
        return "forced"
    if names & _SOURCES:
        return "sources"
    if "diaObjectId" not in names:  # the table of objects that were found in deep images
        return "forced"
    raise LightCurveError(
        "psfFlux is the total flux in ForcedSourceOnDiaObject and the difference flux in "
        'DiaSource, and the columns do not tell which table this is: pass table="forced" or '
        'table="sources"'
    )


def _flux_name(frame: pd.DataFrame, kind: Table, flux: str) -> str:
    names = _FLUXES[kind, flux]
    found = next((name for name in names if name in frame.columns), None)
    if found is not None:
        return found
    other = "total" if flux == "difference" else "difference"
    there = [name for name in _FLUXES[kind, other] if name in frame.columns]
    remedy = f'; pass flux="{other}" for the {other} flux, {there[0]}' if there else ""
    raise LightCurveError(
        f"the table has no column {names[0]!r}, the {flux} flux: add it to the query{remedy}"
    )


def _zero_point(frame: pd.DataFrame, given: float | None) -> float:
    if given is not None:
        return given
    names = set(frame.columns)
    if "psFlux" in names and not names & _DP02:
        raise LightCurveError(
            "psFlux is in nanojansky in DP0.2 and has the zero point 27.5 in ELAsTiCC, and the "
            "columns do not tell which this is: pass zero_point=31.4 for DP0.2, or "
            'format="elasticc" (read_elasticc)'
        )
    return 31.4


def _good(frame: pd.DataFrame, kind: Table, flux_name: str) -> np.ndarray:
    bad = np.zeros(len(frame), dtype=bool)
    for name in (f"{flux_name}_flag", *_BAD_FLAGS[kind]):
        if name in frame.columns:
            bad |= flags(frame, name)
    if "timeWithdrawnMjdTai" in frame.columns:
        bad |= frame["timeWithdrawnMjdTai"].notna().to_numpy()
    return ~bad


def _times(frame: pd.DataFrame, visit: Any) -> np.ndarray:
    """Return the times of the rows, their own or those of their visits."""
    if visit is None:
        own = next((name for name in _TIMES if name in frame.columns), None)
        if own is None:
            raise LightCurveError(
                "the table has no times, which are in the table Visit: pass it with visit=, a "
                "table with the columns visit and expMidptMJD (CcdVisit with ccdVisitId for DP0.2)"
            )
        return numbers(frame, own)
    exact = {"visit": "Int64", "visitId": "Int64", "ccdVisitId": "Int64"}
    visits = service_table(Source(visit), dtype=exact)
    keys = next(((a, b) for a, b in _VISITS if a in frame.columns and b in visits.columns), None)
    time_name = next((name for name in _TIMES if name in visits.columns), None)
    if keys is None or time_name is None:
        raise LightCurveError(
            "visit= needs a column visit (or ccdVisitId) that the table has, too, and expMidptMJD; "
            f"its columns are {[str(c) for c in visits.columns][:20]}"
        )
    index = pd.Index(exact_ids(visits[keys[1]], keys[1]))
    times = pd.Series(numbers(visits, time_name), index=index)
    if index.has_duplicates:  # one row per detector: the times are those of the visit
        spread = times.groupby(level=0).agg(np.ptp)
        if spread.max() > 1e-6:
            raise LightCurveError(
                f"visit= has different times for the visit {spread.idxmax()}: keep one row per "
                "visit"
            )
        times = times[~index.duplicated()]
    wanted = exact_ids(frame[keys[0]], keys[0])
    position = times.index.get_indexer(wanted)
    if (absent := position < 0).any():
        raise LightCurveError(
            f"visit= has no row for the visit {np.asarray(wanted)[absent][0]} "
            f"({counted(int(absent.sum()), 'row')} of the table in all): pass the complete table"
        )
    return times.to_numpy()[position]


def _positions(frame: pd.DataFrame, kept: np.ndarray, ids: Any) -> pd.DataFrame | None:
    for ra, dec in (("ra", "dec"), ("coord_ra", "coord_dec"), ("ra", "decl")):
        if ra in frame.columns and dec in frame.columns:
            columns = {"ra": numbers(frame, ra)[kept], "dec": numbers(frame, dec)[kept]}
            return first_values(ids, columns)
    return None
