"""Light curves in sncosmo's own text format, and sncosmo's tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.bands import passband_column
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.service_tables import (
    clean_name,
    read_text_table,
    service_columns,
    service_table,
)
from sklc.io.source import Source
from sklc.io.values import numbers, words
from sklc.io.vega import ab_minus_vega

__all__ = ["read_sncosmo"]

# The names of columns that sncosmo understands.
_ALIASES = {
    "time": {"time", "date", "jd", "mjd", "mjdobs", "mjd_obs"},
    "band": {"band", "bandpass", "filter", "flt"},
    "flux": {"flux", "f"},
    "fluxerr": {"fluxerr", "fe", "fluxerror", "flux_error", "flux_err"},
    "zp": {"zp", "zpt", "zeropoint", "zero_point"},
    "zpsys": {"zpsys", "zpmagsys", "magsys"},
}
_METADATA = {
    "label": ("label", "type", "sntype", "class"),
    "redshift": ("z", "redshift", "z_helio", "redshift_helio"),
    "ra": ("ra",),
    "dec": ("dec", "decl"),
    "mwebv": ("mwebv", "mw_ebv"),
}
_IDS = ("id", "snid", "name", "sn", "object_id")
_JULIAN_DATE = 2400000.0


def _standard(name: str) -> str:
    lower = name.casefold()
    return next((key for key, known in _ALIASES.items() if lower in known), name)


def _is_header(names: Any) -> bool:
    return set(_ALIASES) <= {_standard(name) for name in names}


def _recognise(source: Source) -> bool:
    if source.kind == "text":
        rows = (line for line in source.lines[:500] if not line.startswith(("@", "#")))
        first = next((line for line in rows if line.strip()), "")
        return _is_header([clean_name(word) for word in re.split(r"[,\s]+", first)])
    tables = source.object if isinstance(source.object, list) else [source.object]
    if source.object is not None and len(tables) and hasattr(tables[0], "colnames"):
        return all(_is_header(getattr(table, "colnames", ())) for table in tables)
    return _is_header(service_columns(source))


@reader(
    "sncosmo",
    title="sncosmo light curves (text or table)",
    flux="flux as the table has it",
    recognise=_recognise,
)
def read_sncosmo(
    source: Source,
    *,
    quality: Quality = "good",
    survey: str | None = None,
    bands: Mapping[str, Any] | None = None,
) -> Photometry:
    r"""Read light curves in sncosmo's own text format.

    The format does not say whether fluxes are **difference or total fluxes**: sncosmo expects
    difference fluxes of transients. The zero point is that of each row (``zp``), in the magnitude
    system of each row (``zpsys``): AB or Vega. Times are MJD; Julian dates are converted.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, astropy.table.Table or list of tables
        Each file, and each table in a list, holds one object.
    quality : "good", "all" or callable, default="good"
        The format has no flags: "good" and "all" both keep every row with a flux and an error.
    survey : str, optional
        The survey of the bands. The default takes them as sncosmo's names, such as "sdssg".
    bands : dict, optional
        The passbands of other labels, such as ``{"B": "bessellb"}``.

    Returns
    -------
    LightCurves
        With the metadata of the lines that begin with ``@``: z as redshift, ra, dec and mwebv, and
        all others under their own names.

    Raises
    ------
    LightCurveError
        If a row cannot be read, or the magnitude system is not known.
    UnknownPassbandError
        If a band is not known.

    Notes
    -----
    Format: https://sncosmo.readthedocs.io/en/stable/photdata.html

    Examples
    --------
    >>> from sklc.io import read_sncosmo
    >>> text = '''@z 0.5
    ... time band flux fluxerr zp zpsys
    ... 55070.0 sdssg 0.36 0.67 25.0 ab
    ... 55072.1 sdssr 5.20 0.67 25.0 ab
    ... '''
    >>> curves = read_sncosmo(text.encode())
    >>> curves.zero_point, curves.band_names.tolist(), curves.metadata["redshift"].tolist()
    (25.0, ['sdssg', 'sdssr'], [0.5])
    """
    parts, meta = _tables(source)
    lines = parts[0].attrs.get("first_line") if len(parts) == 1 else None
    table = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    rows = Rows(table)
    time, flux, error, zero_point = (
        numbers(table, name, first_line=lines) for name in ("time", "flux", "fluxerr", "zp")
    )
    rows.leave_out(~np.isfinite(flux + error + time) | (error <= 0), "without a flux or an error")
    rows.select(lambda t: np.ones(len(t), dtype=bool), quality, "flagged")
    julian = time > _JULIAN_DATE
    if julian.any():
        time = np.where(julian, time - 2400000.5, time)
        rows.notes.append(f"{int(julian.sum())} times are Julian dates: converted to MJD")
    band = passband_column(table["band"], survey, bands)
    kept = rows.kept
    return Photometry(
        object_id=table["object_id"][kept],
        time=time[kept],
        flux=flux[kept],
        flux_err=error[kept],
        band=band[kept],
        zero_point=_ab_zero_points(zero_point, table["zpsys"], band)[kept],
        metadata=meta,
        notes=rows.notes,
    )


def _tables(source: Source) -> tuple[list[pd.DataFrame], pd.DataFrame | None]:
    """Return the tables with standard names and the column object_id, and the metadata."""
    parts: list[pd.DataFrame] = []
    headers: dict[Any, dict[str, Any]] = {}
    for default, table, header in _objects(source):
        table = table.rename(columns=_standard)
        known = {key.casefold(): value for key, value in header.items()}
        own = next((known.pop(key) for key in _IDS if key in known), default)
        id_column = next((c for c in table.columns if c.casefold() in _IDS), None)
        table["object_id"] = own if id_column is None else table[id_column]
        if own in headers:
            raise LightCurveError(
                f"the object {own!r} occurs twice: give each its own name, as in @id {own}-2"
            )
        headers[own] = {
            next((s for s, names in _METADATA.items() if key in names), key): value
            for key, value in known.items()
            if isinstance(value, str | int | float | np.number)
        }
        parts.append(table)
    meta = pd.DataFrame(list(headers.values()), index=list(headers))
    return parts, meta if len(meta.columns) else None


def _objects(source: Source) -> Any:
    """Yield a name, a table and a header of each object."""
    if source.kind == "text":
        for name, file in source.files():
            with file:
                read = read_text_table(file, _is_header, "time band flux fluxerr zp zpsys")
            pairs = [line[1:].split(None, 1) for line in read.comments if line.startswith("@")]
            header = {pair[0]: _value(pair[1].strip()) for pair in pairs if len(pair) == 2}
            read.table.attrs["first_line"] = read.first_line
            yield object_name(name), read.table, header
        return
    listed = isinstance(source.object, list) and hasattr(source.object[0], "colnames")
    for number, item in enumerate(source.object if listed else [source]):
        table = service_table(Source(item) if listed else item)
        header = dict(getattr(item if listed else source.object, "meta", None) or {})
        yield str(number), table, header


def _value(text: str) -> Any:
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return text


def _ab_zero_points(zero_point: np.ndarray, system: pd.Series, band: Any) -> np.ndarray:
    """Return AB zero points, for those in the system of each row."""
    codes, systems = words(system)
    lower = np.array([name.casefold() for name in systems])
    if (strange := ~np.isin(lower, ["ab", "vega"])[codes]).any():
        row = int(np.argmax(strange))
        raise LightCurveError(
            f"zpsys is {str(system.iloc[row])[:80]!r} in row {row + 1}, and only "
            '"ab" and "vega" can be converted: convert the zero points to AB, and write ab'
        )
    vega = (lower == "vega")[codes]
    if not vega.any():
        return zero_point
    used = set(np.unique(band.codes[vega]))
    offsets = [ab_minus_vega(p) if n in used else 0.0 for n, p in enumerate(band.categories)]
    return zero_point + np.where(vega, np.array([*offsets, np.nan])[band.codes], 0.0)
