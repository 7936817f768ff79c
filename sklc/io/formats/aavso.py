"""AAVSO: downloads of the International Database, and reports in the extended format."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.columns import plain
from sklc.io.frames import to_frame
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join
from sklc.io.text import read_text_table
from sklc.io.values import by_label, coded, constant, labels, numbers
from sklc.io.vega import ab_minus_vega, uses_vega
from sklc.light_curves.magnitudes import flux_from_magnitude
from sklc.passbands.lookup import Passband, get_passband

__all__ = ["read_aavso"]

_MJD_OF_JD = 2_400_000.5
_ZERO_POINT = 27.5
_EXTENDED = {"name": "starname", "date": "jd", "mag": "magnitude", "merr": "uncertainty",
             "filt": "band", "mtype": "measurementmethod"}  # fmt: skip
_NEEDED = {"jd", "magnitude", "uncertainty", "hquncertainty", "band", "validationflag",
           "measurementmethod", "starname"}  # fmt: skip
_REPORT = ["NAME", "DATE", "MAG", "MERR", "FILT", "TRANS", "MTYPE", "CNAME", "CMAG", "KNAME",
           "KMAG", "AIRMASS", "GROUP", "CHART", "NOTES"]  # fmt: skip
# The filters of the AAVSO, by the standard passband of their wavelength. Those of the same standard
# passband are bands of their own, since they differ from it and from each other by tenths of a
# magnitude.
_STANDARD = {"U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr", "I": "besselli",
             "J": "2massj", "H": "2massh", "K": "2massks", "SU": "sdssu", "SG": "sdssg",
             "SR": "sdssr",
             "SI": "sdssi", "SZ": "sdssz", "ZS": "ps1z", "Y": "ps1y"}  # fmt: skip
_LIKE = {"Vis.": "bessellv", "CV": "bessellv", "TG": "bessellv", "CR": "bessellr", "TR": "bessellr",
         "TB": "bessellb", "CBB": "bessellv", "RJ": "bessellr", "IJ": "besselli"}  # fmt: skip


def _recognise(source: Source) -> bool:
    if any(
        line.replace(" ", "").upper().startswith("#TYPE=EXTENDED") for line in source.lines[:10]
    ):
        return True
    columns = {plain(name) for name in source.columns}
    return {"jd", "magnitude", "uncertainty", "band"} <= columns and bool(
        columns & {"hquncertainty", "observercode", "validationflag", "starname"}
    )


def _passband(label: str) -> tuple[Passband, float]:
    """Return the passband of a filter of the AAVSO, and m(AB) - m(Vega) in it."""
    label = {"Vis": "Vis.", "VIS": "Vis.", "VIS.": "Vis."}.get(label, label)
    if label in _STANDARD:
        passband = get_passband(_STANDARD[label])
        return passband, ab_minus_vega(passband) if uses_vega(passband) else 0.0
    if label not in _LIKE:
        raise UnknownPassbandError(
            f"the band {label[:80]!r} of the AAVSO is not known; known are "
            f"{sorted({*_STANDARD, *_LIKE})}: remove its rows, or keep those of known bands with "
            'quality=lambda table: table["Band"].isin(["V", "B"])'
        )
    standard = get_passband(_LIKE[label])
    try:
        own = get_passband(label, "AAVSO")
    except UnknownPassbandError:
        own = Passband(f"aavso{label.rstrip('.')}", "AAVSO", standard.wavelength)
    return own, ab_minus_vega(standard)


def _column(table: pd.DataFrame, name: str) -> pd.Series | None:
    own = next((c for c in table.columns if plain(c) == name), None)
    return None if own is None else table[own]


def _photometry(
    table: pd.DataFrame, name: str, missing_error: float | None, quality: Quality
) -> Photometry:
    table = table.rename(columns=lambda c: _EXTENDED.get(plain(c), c))
    dates, magnitudes, labelled = (_needed(table, what) for what in ("jd", "magnitude", "band"))
    time = numbers({"JD": dates}, "JD")
    rows = Rows(table)
    if magnitudes.dtype.kind not in "fiu":
        limits = by_label(magnitudes, lambda text: text.startswith(("<", ">")))
        rows.leave_out(limits, "fainter-than limits")
    mag = numbers({"Magnitude": magnitudes}, "Magnitude", limits=True)
    rows.leave_out(labels(labelled)[0] < 0, "without a band")
    rows.leave_out(~(np.abs(mag) < 40) | ~np.isfinite(time), "without a magnitude or a date")
    rows.select(_good, quality, "discrepant (flag T) or not standard magnitudes (DIFF, STEP)")
    given = _errors(table)
    known = np.isfinite(given) & (given > 0)
    error: np.ndarray | None = given
    if missing_error is not None:
        error = np.where(known, given, missing_error)
    elif (known & rows.kept).any():
        rows.leave_out(
            ~known, "without an error (missing_error=0.3 keeps them with this error, in magnitudes)"
        )
    else:
        error = None
        rows.notes.append("no observation has an error")
    kept = rows.kept
    codes, bands = labels(labelled[kept])
    found = [_passband(str(band)) for band in bands]
    offset = np.array([offset for _, offset in found])
    flux, flux_err = flux_from_magnitude(
        mag[kept] + (offset[codes] if len(found) else 0.0),
        None if error is None else error[kept],
        zero_point=_ZERO_POINT,
    )
    stars = _column(table, "starname")
    ids = constant(name, len(table)) if stars is None else pd.Categorical(stars)
    return Photometry(
        object_id=ids[kept],
        time=time[kept] - (_MJD_OF_JD if np.nanmedian(time) > _MJD_OF_JD else 0.0),
        flux=flux,
        flux_err=flux_err,
        band=coded(codes, [band for band, _ in found]),
        zero_point=_ZERO_POINT,
        notes=rows.notes,
    )


def _needed(table: pd.DataFrame, name: str) -> pd.Series:
    column = _column(table, name)
    if column is None:
        raise LightCurveError(f"there is no column {name} among {list(table.columns)[:30]}")
    return column


def _errors(table: pd.DataFrame) -> np.ndarray:
    """Return the errors that observers gave, or else those of the AAVSO's headquarters."""
    error = np.full(len(table), np.nan)
    for name in ("hquncertainty", "uncertainty"):
        column = _column(table, name)
        if column is not None:
            own = numbers({name: column}, name)
            error = np.where(np.isfinite(own) & (own > 0), own, error)
    return error


def _good(table: pd.DataFrame) -> np.ndarray:
    good = np.ones(len(table), dtype=bool)
    flag, method = _column(table, "validationflag"), _column(table, "measurementmethod")
    if flag is not None:
        good &= ~by_label(flag, lambda label: label.upper() == "T")
    if method is not None:
        good &= ~by_label(method, lambda label: label.upper() in ("DIFF", "DIF", "STEP"))
    return good


@reader(
    "aavso",
    title="AAVSO data downloads and extended reports",
    flux="total flux",
    recognise=_recognise,
)
def read_aavso(
    source: Source, *, missing_error: float | None = None, quality: Quality = "good"
) -> Photometry:
    r"""Read observations of variable stars of the AAVSO.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        Files of the data download ("JD,Magnitude,Uncertainty,HQuncertainty,Band,..."), with commas
        or tabs, or reports in the extended format ("#TYPE=EXTENDED").
    missing_error : float, optional
        The standard error, in magnitudes, of observations that have none, as most visual ones; 0.2
        to 0.3 is usual. By default these are left out, with a note, unless no observation has an
        error.
    quality : {"good", "all"} or callable, default="good"
        "good" leaves out observations that validation found discrepant (flag T), and differential
        and step magnitudes. A callable gets the table. Limits ("<13.5") are always left out.

    Returns
    -------
    LightCurves
        Total flux, zero point 27.5. Magnitudes are of the Vega system, and were converted to AB
        with the offset of each passband; Sloan bands (SU to SZ) are AB. Visual, unfiltered
        (CV, CR) and tri-colour (TB, TG, TR) magnitudes are bands of their own. Times are MJD from
        JD, UTC, not heliocentric, in the middle of the exposure. Ids are the names of the stars.

    Raises
    ------
    LightCurveError
        If a column is missing or a value is no number.
    UnknownPassbandError
        If a band is not known.

    Examples
    --------
    >>> from sklc.io import read_aavso
    >>> head = b"JD,Magnitude,Uncertainty,HQuncertainty,Band,Validation Flag,Star Name\n"
    >>> curves = read_aavso(head + b"2459454.9,14.844,0.088,,V,Z,V339 Del\n")
    >>> curves.ids, curves.flux.round(-4)
    (array(['V339 Del'], dtype=object), array([110000.]))
    """
    if source.object is not None:
        return join([_photometry(to_frame(source.object), "0", missing_error, quality)])
    parts = []
    for name, file in source.files():
        with file:
            start = file.read(4096).decode("utf-8-sig", errors="replace")
            file.seek(0)
            table = _extended(start, file, name, None if callable(quality) else _NEEDED)
        parts.append(_photometry(table, object_name(name), missing_error, quality))
    return join(parts)


def _extended(start: str, file: Any, name: str, wanted: Collection[str] | None) -> pd.DataFrame:
    """Return the table of a file, whose separator and columns a header of comments may name."""
    if "#TYPE" not in start.upper():
        return read_text_table(
            file, name, text=_texts(start), wanted=lambda c: wanted is None or plain(c) in wanted
        )
    separator, names = ",", None
    for line in start.splitlines():
        key, _, value = line.lstrip("# ").partition("=")
        if line.startswith("#") and key.strip().upper() == "DELIM":
            value = value.strip()
            separator = {"comma": ",", "tab": "\t", "semicolon": ";"}.get(
                value.lower(), value or ","
            )
        elif (
            line.startswith("#")
            and key.strip().upper() == "DATE"
            and value.strip().upper() == "EXCEL"
        ):
            raise LightCurveError("the dates are in Excel's format: export the report with JD")
        elif line.upper().lstrip("# ").startswith("NAME" + separator):
            names = line.lstrip("# ").split(separator)
    return read_text_table(file, name, names=names or _REPORT, separator=separator, text=("NOTES",))


def _texts(start: str) -> tuple[str, ...]:
    """Return the columns that are text whatever they look like."""
    known = ("Star Name", "Band", "Validation Flag")
    return tuple(name for name in known if name in start.partition("\n")[0])
