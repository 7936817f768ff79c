"""Light curves of the forced-photometry service of ZTF (ZFPS)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.bands import passband_column
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.service_tables import read_text_table, service_columns, service_table
from sklc.io.source import Source
from sklc.io.values import numbers, require_columns, words

__all__ = ["read_ztf_forced"]

_NEEDED = ("filter", "jd", "zpdiff", "forcediffimflux", "forcediffimfluxunc")
_IMAGE = ["field", "ccdid", "qid", "filter"]  # the images that share a reference image
_SENTINELS = (-99999.0, -999.0)
_BAD_CALIBRATION = 2**25  # infobitssci from here on: bits of the calibration
_FEWEST = 5  # rows from which a baseline is measured


def _recognise(source: Source) -> bool:
    return {"forcediffimflux", "zpdiff"} <= service_columns(source) or any(
        "forcediffimflux" in line and "zpdiff" in line for line in source.lines
    )


@reader(
    "ztf-forced",
    title="ZTF forced photometry (ZFPS)",
    flux="difference flux",
    recognise=_recognise,
)
def read_ztf_forced(
    source: Source,
    *,
    quality: Quality = "good",
    baseline: float | tuple[float, float] | None = None,
    scale_errors: bool = False,
    object_id: str | None = None,
) -> Photometry:
    r"""Read light curves of the forced-photometry service of ZTF.

    The service gives one text file for each position. Fluxes are **difference fluxes** in counts,
    with an AB zero point in each row (``zpdiff``); they are converted to the zero point 27.5.
    Times are UTC at the start of the exposure (30 s).

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        A file or a table of the service, or several of them. Names of columns may end in a comma,
        as they do when the header is split at blanks.
    quality : "good", "all" or callable, default="good"
        "good" keeps rows with ``infobitssci`` < 33554432, ``scisigpix`` <= 25, ``sciinpseeing`` <=
        4 arcsec and without code 56 (bad pixels) in ``procstatus``. Other codes of ``procstatus``
        than 0 are kept and reported. Rows without flux are always left out.
    baseline : float or tuple of float, optional
        Subtract the median flux of the rows before this MJD, or between two, as a transient that is
        also in the reference image needs. It is measured for each combination of field, CCD,
        quadrant and filter with at least 5 such rows. The default is to subtract nothing.
    scale_errors : bool, default=False
        Multiply the errors by the square root of the median ``forcediffimchisq``, for each
        combination of field, CCD, quadrant and filter.
    object_id : str, optional
        The id of the object, or the name of a column with the ids of several objects. The default
        is the name of each file.

    Returns
    -------
    LightCurves
        With the metadata ra and dec where the file names the position.

    Raises
    ------
    LightCurveError
        If the source is damaged or has no row that can be used.

    Notes
    -----
    The cuts are those of Masci et al. 2023, arXiv:2305.16279.

    Examples
    --------
    >>> from sklc.io import read_ztf_forced
    >>> text = '''# Requested input R.A. = 150.1 degrees
    ... index, filter, zpdiff, jd, forcediffimflux, forcediffimfluxunc, procstatus
    ... 0 ZTF_g 26.2 2459000.7 150.0 15.0 0
    ... 1 ZTF_r 26.3 2459000.8 null null 63
    ... '''
    >>> curves = read_ztf_forced(text.encode(), object_id="SN2020x")
    >>> curves.ids, curves.lengths, curves.flux.round(1), curves.zero_point
    (array(['SN2020x'], dtype=object), array([1]), array([496.7]), 27.5)
    """
    table, first_line = _table(source, object_id)
    require_columns(table, *_NEEDED)
    rows = Rows(table)
    flux = numbers(table, "forcediffimflux", missing=_SENTINELS, first_line=first_line)
    error = numbers(table, "forcediffimfluxunc", missing=_SENTINELS, first_line=first_line)
    zero_point = numbers(table, "zpdiff", missing=_SENTINELS, first_line=first_line)
    to_flux = 10 ** (0.4 * (27.5 - zero_point))
    rows.leave_out(~np.isfinite(flux * error * to_flux) | (error <= 0), "without a flux")
    rows.select(_good, quality, 'poor images or code 56, see quality="all"')
    _report_codes(rows)
    flux, error = flux * to_flux, error * to_flux
    if scale_errors:
        error = error * _scale(table, rows)
    if baseline is not None:
        flux = flux - _baseline(table, rows, flux, numbers(table, "jd") - 2400000.5, baseline)
    kept = rows.kept
    return Photometry(
        object_id=table["object_id"][kept],
        time=numbers(table, "jd", first_line=first_line)[kept] - 2400000.5,
        flux=flux[kept],
        flux_err=error[kept],
        band=passband_column(table["filter"], "ZTF")[kept],
        metadata=_positions(table),
        notes=rows.notes,
    )


def _table(source: Source, object_id: str | None) -> tuple[pd.DataFrame, int | None]:
    """Return the table with the column object_id, and the line of its first row."""
    parts, line = [], None
    if source.kind == "text":
        for name, file in source.files():
            with file:
                read = read_text_table(
                    file,
                    lambda names: "forcediffimflux" in names and len(names) > 4,
                    "index, field, ccdid, ...",
                    na_values=["null"],
                    dtype={"procstatus": str, "filter": str},
                )
            own = read.table
            if missing := [column for column in _NEEDED if column not in own.columns]:
                raise LightCurveError(f"{name} lacks the columns {missing}: request it again")
            if object_id not in own.columns:
                own["object_id"] = object_name(name) if object_id is None else object_id
            for key, pattern in (("ra", r"R\.?A\.?"), ("dec", r"Dec\.?")):
                angle = rf"input {pattern} *= *([-+]?\d+\.?\d*)(?![\w.+-])"
                found = re.search(angle, "\n".join(read.comments))
                own[f"requested {key}"] = float(found[1]) if found else np.nan
            parts.append(own)
            line = read.first_line
        table = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
        line = line if len(parts) == 1 else None
    else:
        table = service_table(source)
    if object_id in table.columns:
        table = table.assign(object_id=table[object_id])
    elif "object_id" not in table.columns:
        table = table.assign(object_id="0" if object_id is None else object_id)
    return table, line


def _codes(table: pd.DataFrame) -> tuple[np.ndarray, list[list[str]]]:
    """The codes of procstatus: the position of each row's combination, and the combinations."""
    position, combinations = words(table["procstatus"])
    return position, [t.removesuffix(".0").replace(" ", "").split(",") for t in combinations]


def _good(table: pd.DataFrame) -> np.ndarray:
    good = np.ones(len(table), dtype=bool)
    for name, largest in (("scisigpix", 25.0), ("sciinpseeing", 4.0)):
        if name in table.columns:
            good &= ~(numbers(table, name) > largest)
    if "infobitssci" in table.columns:
        good &= ~(numbers(table, "infobitssci") >= _BAD_CALIBRATION)
    if "procstatus" in table.columns:
        position, codes = _codes(table)
        good &= ~np.array(["56" in code for code in codes])[position]
    return good


def _report_codes(rows: Rows) -> None:
    """Note the codes of the rows that are kept although the service warns."""
    if "procstatus" not in rows.table.columns:
        return
    position, codes = _codes(rows.table)
    counts = np.bincount(position[rows.kept], minlength=len(codes))
    warned = [
        f"{','.join(code)} ({n} rows)"
        for code, n in zip(codes, counts, strict=True)
        if n and code != ["0"]
    ]
    if warned:
        rows.notes.append(f"kept rows with the codes of procstatus {', '.join(warned[:5])}")


def _groups(table: pd.DataFrame) -> list[Any]:
    require_columns(table, *_IMAGE)
    return [table["object_id"], *(table[name] for name in _IMAGE)]


def _scale(table: pd.DataFrame, rows: Rows) -> np.ndarray:
    """Factors of the errors: the root of the median chi square of each reference image."""
    chi_square = pd.Series(numbers(table, "forcediffimchisq", missing=_SENTINELS)).where(rows.kept)
    median = chi_square.groupby(_groups(table)).transform("median")
    return np.sqrt(median.where(median > 0, 1.0).to_numpy())


def _baseline(
    table: pd.DataFrame,
    rows: Rows,
    flux: np.ndarray,
    mjd: np.ndarray,
    baseline: float | tuple[float, float],
) -> np.ndarray:
    """The flux to subtract from each row: the median baseline of its reference image."""
    start, stop = (-np.inf, baseline) if np.ndim(baseline) == 0 else tuple(baseline)  # type: ignore
    groups = _groups(table)
    quiet = pd.Series(flux).where(rows.kept & (mjd >= start) & (mjd < stop)).groupby(groups)
    median = quiet.transform("median").where(quiet.transform("count") >= _FEWEST)
    if missing := int((median.isna() & rows.kept).sum()):
        rows.notes.append(
            f"no baseline was subtracted from {missing} rows, whose field, CCD, quadrant and "
            f"filter have fewer than {_FEWEST} rows in the interval"
        )
    return median.fillna(0.0).to_numpy()


def _positions(table: pd.DataFrame) -> pd.DataFrame | None:
    names = {"requested ra": "ra", "requested dec": "dec"}
    if not set(names) <= set(table.columns):
        return None
    positions = table.groupby("object_id", sort=False)[list(names)].first().rename(columns=names)
    return None if positions.isna().all(axis=None) else positions
