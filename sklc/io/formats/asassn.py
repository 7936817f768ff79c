"""ASAS-SN: light curves of the Sky Patrol (versions 1 and 2) and of the photometry database."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.columns import plain
from sklc.io.formats.long_table import tables
from sklc.io.frames import columns_of, to_frame
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join
from sklc.io.text import read_text_table
from sklc.io.values import by_label, coded, constant, numbers

__all__ = ["read_asassn"]

_MJD_OF_JD = 2_400_000.5
_ZERO_POINT = 16.4  # mJy
_V_CAMERAS = [f"b{letter}" for letter in "abcdefgh"]
# Spellings of the columns, in the plain form of `plain`, in the versions of the service.
_COLUMNS = {
    "time": ("hjd", "jd"),
    "flux": ("flux",),
    "flux_err": ("fluxerr", "fluxerror"),
    "mag": ("mag",),
    "mag_err": ("magerr", "magerror"),
    "filter": ("filter", "photfilter"),
    "camera": ("camera", "cam"),
    "quality": ("quality",),
    "object_id": ("asassnid", "id"),
}


def _named(columns: Any) -> dict[str, str]:
    """Return the columns of a table by what they hold."""
    known = {plain(name): str(name) for name in reversed(list(columns))}
    return {
        what: next(known[word] for word in words if word in known)
        for what, words in _COLUMNS.items()
        if any(word in known for word in words)
    }


def _is_asassn(columns: Any) -> bool:
    """Whether there are the columns that only ASAS-SN has together."""
    names = _named(columns)
    own = {plain(name) for name in columns}
    return {"time", "flux", "flux_err", "mag", "mag_err"} <= set(names) and (
        "camera" in names or {"limit", "fwhm"} <= own
    )


def _table_of(given: Any) -> Any:
    """Return the table in an object of pyasassn, or a table itself."""
    data = getattr(given, "data", None) if not hasattr(given, "columns") else None
    return given if data is None or not hasattr(data, "columns") else data


def _recognise(source: Source) -> bool:
    if source.object is not None:
        return _is_asassn(columns_of(_table_of(source.object)))
    return source.kind in ("text", "parquet") and _is_asassn(source.columns)


def _tables(source: Source) -> Iterator[tuple[str, pd.DataFrame, dict[str, Any]]]:
    """Yield the name of each file, its table and what its header says."""
    if source.object is not None:
        given = source.object
        found = getattr(given, "catalog_info", getattr(given, "meta", None))
        header = {}
        if isinstance(found, pd.DataFrame) and len(found) == 1:
            header = {str(k): v for k, v in found.iloc[0].items()}
        table = _table_of(given)
        names = _named(columns_of(table))
        units = {names[what]: "mJy" for what in ("flux", "flux_err") if what in names}
        yield "0", to_frame(table, units), header
    elif source.kind == "parquet":
        yield from ((object_name(name), frame, {}) for name, frame in tables(source))
    else:
        for name, file in source.files():
            with file:
                comments = []
                while (line := file.readline()).lstrip().startswith(b"#"):
                    comments.append(line.decode(errors="replace").strip().lstrip("# "))
                file.seek(0)
                yield (
                    object_name(name),
                    read_text_table(file, name, separator=","),
                    _header(comments),
                )


def _header(comments: list[str]) -> dict[str, Any]:
    """Return what the comments say: JSON without its braces, or lines of "key: value"."""
    found: dict[str, Any] = {}
    for comment in comments:
        if comment.startswith('"'):
            try:
                found |= json.loads("{" + comment + "}")
            except json.JSONDecodeError:
                continue
        elif match := re.match(r"([\w\s().-]+?)\s*[:=]\s*(.+)", comment):
            key, value = plain(match[1]), match[2].strip()
            if "id" in key and "asassn" in key and value.isdecimal():
                found["asas_sn_id"] = int(value)
            elif key in ("ra", "dec", "radeg", "decdeg", "rightascension", "declination"):
                key = "ra_deg" if key.startswith("r") else "dec_deg"
                found[key] = pd.to_numeric(value.split()[0], errors="coerce")
    return found


def _bands(table: pd.DataFrame, names: dict[str, str], rows: Rows) -> Any:
    if "filter" in names:
        unknown = ~by_label(table[names["filter"]], lambda label: label in ("V", "g"))
        if unknown.any():
            row = int(np.argmax(unknown))
            value = str(table[names["filter"]].iloc[row])[:80]
            raise LightCurveError(
                f"the filter is {value!r} in row {row + 1} of the table, which is neither V nor g: "
                "correct or remove such rows"
            )
        is_v = by_label(table[names["filter"]], lambda label: label == "V")
    elif "camera" in names:
        is_v = by_label(table[names["camera"]], lambda label: label in _V_CAMERAS)
        rows.notes.append("the file has no filter: V for cameras ba to bh, g for all others")
    else:
        is_v = np.ones(len(table), dtype=bool)
        rows.notes.append("the file has neither filter nor camera: all in V")
    return coded(is_v.astype(np.int8), ["asassng", "asassnV"])


def _photometry(
    name: str, table: pd.DataFrame, header: dict[str, Any], limits: str, quality: Quality
) -> Photometry:
    names = _named(table.columns)
    for what in ("time", "flux", "flux_err", "mag_err"):
        if what not in names:
            raise LightCurveError(f"there is no column {what} among {list(table.columns)[:30]}")
    rows = Rows(table)
    time, flux, error, mag_err = (
        numbers(table, names[what]) for what in ("time", "flux", "flux_err", "mag_err")
    )
    mag = numbers(table, names["mag"], limits=True) if "mag" in names else mag_err
    sentinel = (error >= 99) | (np.abs(flux - 99.99) < 0.005) & (error > 9) | ~np.isfinite(flux)
    rows.leave_out(~np.isfinite(time) | sentinel | ~(error > 0), "without a flux")
    is_limit = (mag_err > 99) | ~np.isfinite(mag) | ~np.isfinite(mag_err)
    if limits == "drop":
        rows.leave_out(is_limit, 'not detected at 5 sigma (limits="keep" keeps their fluxes)')
    if "quality" in names:
        good = by_label(table[names["quality"]], lambda label: label.upper() == "G")
        rows.select(lambda t: good, quality, "of bad quality (B)")
    else:
        rows.select(lambda t: np.ones(len(t), dtype=bool), quality, "of bad quality")
    kept = rows.kept
    if "object_id" in names:
        ids: Any = table[names["object_id"]].to_numpy()
    else:
        ids = constant(header.get("asas_sn_id", name), len(table))
    metadata = pd.DataFrame(index=pd.Index(pd.unique(np.asarray(ids))))
    for what in ("ra", "dec"):
        value = header.get(f"{what}_deg", header.get(what))
        if isinstance(value, int | float):
            metadata[what] = float(value)
    return Photometry(
        object_id=ids[kept],
        time=time[kept] - (_MJD_OF_JD if np.nanmedian(time) > _MJD_OF_JD else 0.0),
        flux=flux[kept],
        flux_err=error[kept],
        band=_bands(table, names, rows)[kept],
        zero_point=_ZERO_POINT,
        metadata=metadata if metadata.shape[1] else None,
        notes=rows.notes,
    )


@reader(
    "asassn",
    title="ASAS-SN light curves (Sky Patrol 1 and 2, photometry database, pyasassn)",
    flux="total flux, or difference flux if that was requested",
    recognise=_recognise,
)
def read_asassn(source: Source, *, limits: str = "drop", quality: Quality = "good") -> Photometry:
    r"""Read light curves of ASAS-SN.

    The levels of the cameras differ by some per cent; the file does not correct for this.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, table or pyasassn object
        CSV files of Sky Patrol version 1 ("HJD,UT Date,Camera,...,flux(mJy),flux_err,Filter") or 2
        ("JD,Flux,Flux Error,..."), of the photometry database or of the client pyasassn (with a
        JSON header, or Parquet); its `LightCurve` and `LightCurveCollection`; or a table.
    limits : {"drop", "keep"}, default="drop"
        What to do with observations whose magnitude is a limit (its error is 99.99). "keep" takes
        the flux that was measured, never the limit.
    quality : {"good", "all"} or callable, default="good"
        "good" leaves out rows whose quality is not "G", where there is such a column. A callable
        gets the table. Rows without a flux are always left out.

    Returns
    -------
    LightCurves
        Flux in mJy, zero point 16.4, in the bands asassnV and asassng. It is the total flux, unless
        image subtraction without the reference flux was requested from version 1. Magnitudes in V
        are tied to APASS V (Vega) and were turned into mJy as if AB, an error of 0.02 mag. Times
        are MJD from HJD (version 1) or JD (version 2), UTC, in the middle of the exposure. The
        metadata are ra and dec, where the header has them.

    Raises
    ------
    LightCurveError
        If the file is damaged, a column is missing, or a filter is unknown.

    Examples
    --------
    >>> from sklc.io import read_asassn
    >>> head = b"JD,Flux,Flux Error,Mag,Mag Error,Limit,FWHM,Filter,Quality\n"
    >>> curves = read_asassn(head + b"2457148.1,26.04,0.13,12.92,0.005,16.9,1.7,V,G\n")
    >>> curves.band_names, curves.zero_point
    (array(['asassnV'], dtype=object), 16.4)
    """
    if limits not in ("drop", "keep"):
        raise LightCurveError(f'limits must be "drop" or "keep", got {str(limits)[:80]!r}')
    return join([_photometry(*found, limits, quality) for found in _tables(source)])
