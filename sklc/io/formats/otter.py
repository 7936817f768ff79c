"""Light curves of OTTER, the catalog of multiwavelength transients (JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from sklc._optional import require
from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.documents import degrees, documents, record, records, to_number
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.values import coded, flags, numbers, words
from sklc.io.vega import ab_minus_vega
from sklc.light_curves.magnitudes import flux_from_magnitude
from sklc.light_curves.values import object_array
from sklc.passbands import Passband, get_passband

__all__ = ["read_otter"]

_COLUMNS = ("raw", "raw_err", "raw_units", "date", "date_format", "filter_key", "filter",
            "obs_type", "upperlimit", "telescope", "corr_k", "corr_s", "corr_av", "ignore",
            "telescope_area")  # fmt: skip
_OPTICAL = {"uvoir", "uvoptir", "optical", "uv", "ir", ""}
_AB = {"ab", "mag(ab)", "abmag", "mag ab", "mag", "ab mag", "mag_ab"}
_VEGA = {"vega", "mag(vega)", "vegamag", "mag vega", "vega mag"}
_MARKS = ("default_name", "filter_alias", "filter_key", "obs_type", "raw_units", "reference_alias")


def _recognise(source: Source) -> bool:
    item = source.object
    if isinstance(item, list) and item:
        item = item[0]
    if isinstance(item, Mapping):
        return {"photometry", "filter_alias"} <= set(item) and "name" in item
    return source.kind == "json" and sum(f'"{m}"'.encode() in source.head for m in _MARKS) >= 2


@reader(
    "otter",
    title="OTTER transients (JSON)",
    flux="flux as published, mostly difference flux",
    recognise=_recognise,
)
def read_otter(
    source: Source,
    *,
    quality: Quality = "good",
    bands: Mapping[str, Any] | None = None,
) -> Photometry:
    r"""Read light curves of OTTER: ultraviolet, optical and infrared photometry of transients.

    The catalog holds magnitudes and flux densities as they were published, mostly **difference**
    measurements. They are converted to fluxes with the AB zero point 27.5. Times are MJD; other
    dates are converted. Radio and X-ray data are left out.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, dict or list of dicts
        JSON files, or what the catalog's own client returns.
    quality : "good", "all" or callable, default="good"
        "good" leaves out what the catalog marks to be ignored, and what is corrected for redshift
        or extinction (``corr_k``, ``corr_s``, ``corr_av``). Upper limits are always left out.
    bands : dict, optional
        The passbands of filters: ``{"V": "asasV"}``. By default they are those of the telescope
        where it is known, else new passbands at the wavelength that the file gives.

    Returns
    -------
    LightCurves
        With the metadata label (the class with the highest confidence), redshift, ra and dec.

    Raises
    ------
    LightCurveError
        If the file is not complete, or has nothing that can be used.
    ImportError
        If astropy is not installed, and units or dates have to be converted.

    Notes
    -----
    Franz et al. 2025; schema: https://astro-otter.readthedocs.io.

    Examples
    --------
    >>> from sklc.io import read_otter
    >>> transient = {
    ...     "name": {"default_name": "AT2018hyz"},
    ...     "filter_alias": [{"filter_key": "g", "wave_eff": 475.0, "wave_units": "nm"}],
    ...     "photometry": [{
    ...         "raw": [16.27, 18.1], "raw_err": [0.04, 0.1], "raw_units": "mag(AB)",
    ...         "date": [58429.3, 58500.2], "date_format": "MJD", "filter_key": "g",
    ...         "obs_type": "uvoir", "upperlimit": [False, True],
    ...     }],
    ... }
    >>> read_otter(transient)
    LightCurves: 1 objects, 1 observations (median 1), bands g, zero point 27.5
    """
    blocks: list[tuple[str, str, Mapping[str, Any]]] = []
    objects: dict[str, dict[str, Any]] = {}
    filters: dict[str, Mapping[str, Any]] = {}
    for name, document in documents(source):
        for item in document if isinstance(document, list) else [document]:
            if not isinstance(item, Mapping) or "name" not in item:
                raise LightCurveError(f"{name} holds no transient of OTTER: it has no name")
            key = str(record(item["name"], f"{name}, name").get("default_name"))
            if key in objects:
                raise LightCurveError(f"{name} repeats the object {key!r}: read one of the files")
            where = f"{name}, {key}"
            objects[key] = _about(item, where)
            aliases = records(item.get("filter_alias"), f"{where}, filter_alias")
            filters |= {str(alias.get("filter_key")): alias for alias in aliases}
            photometry = f"{where}, photometry"
            for place, block in enumerate(_blocks(item.get("photometry"), photometry)):
                blocks.append((key, f"{photometry} {place}", block))
    if not blocks:
        raise LightCurveError(f"{source.name} holds no photometry: look for another source")
    table = _table(blocks)
    rows = Rows(table)
    position, kinds = words(table["obs_type"])
    rows.leave_out(
        ~np.array([kind.casefold() in _OPTICAL for kind in kinds])[position], "radio or X-ray data"
    )
    rows.leave_out(flags(table, "upperlimit"), "upper limits")
    rows.select(_good, quality, 'ignored or corrected by the catalog, see quality="all"')
    codes, passbands = _passbands(table, filters, bands or {})
    rows.leave_out(codes < 0, "filters without a wavelength, see bands=")
    flux, error = _fluxes(table, codes, passbands, rows)
    rows.leave_out(~np.isfinite(flux + error) | (error <= 0), "without a value or an error")
    time = _times(table, rows)
    rows.leave_out(~np.isfinite(time), "without a date")
    kept = rows.kept
    return Photometry(
        object_id=table["object_id"][kept],
        time=time[kept],
        flux=flux[kept],
        flux_err=error[kept],
        band=coded(codes[kept], passbands),
        metadata=pd.DataFrame(list(objects.values()), index=list(objects)),
        notes=rows.notes,
    )


def _blocks(photometry: Any, where: str) -> list[Mapping[str, Any]]:
    """The blocks of photometry; in the first version of the schema, rows were objects of JSON."""
    if not isinstance(photometry, Mapping):
        return records(photometry, where)
    rows = [
        row
        for key, block in photometry.items()
        for kind in ("flux", "magnitude")
        for row in records(record(block, f"{where}, {key}").get(kind), f"{where}, {key}, {kind}")
    ]
    return [{name: [row.get(name) for row in rows] for name in _COLUMNS}] if rows else []


def _entries(item: Mapping[str, Any], where: str, key: str, *kinds: str) -> list[Mapping[str, Any]]:
    """The entries of one of these kinds; in the first version of the schema, it was their key."""
    entries, where = item.get(key), f"{where}, {key}"
    if isinstance(entries, Mapping):
        return [e for kind in kinds for e in records(entries.get(kind), f"{where}, {kind}")]
    return [e for e in records(entries, where) if e.get(f"{key}_type", kinds[0]) in kinds]


def _table(blocks: list[tuple[str, str, Mapping[str, Any]]]) -> pd.DataFrame:
    """One row per measurement of blocks, with their objects; what is given once holds for all."""
    for _, where, block in blocks:
        if not isinstance(block.get("raw"), list):
            raise LightCurveError(f"{where} has no list of values (raw): correct the file")
    lengths = [len(block["raw"]) for _, _, block in blocks]
    columns: dict[str, Any] = {"object_id": _repeated([key for key, _, _ in blocks], lengths)}
    present = set().union(*(block for _, _, block in blocks))
    for name in _COLUMNS:
        values = [block.get(name) or None for _, _, block in blocks] if name in present else [None]
        if list not in set(map(type, values)):
            columns[name] = _repeated(values, lengths if name in present else [sum(lengths)])
            continue
        for (_, where, _), n, value in zip(blocks, lengths, values, strict=True):
            if isinstance(value, list) and len(value) != n:
                raise LightCurveError(
                    f"{where} has {n} values and {len(value)} of {name}: correct the file"
                )
        listed = [
            v if isinstance(v, list) else [v] * n for v, n in zip(values, lengths, strict=True)
        ]
        columns[name] = _column(listed, sum(lengths))
    table = pd.DataFrame(columns, copy=False)
    if table["filter_key"].isna().any():
        own, other = (table[name].astype(object) for name in ("filter_key", "filter"))
        table["filter_key"] = own.where(own.notna(), other)
    return table


def _column(lists: list[list[Any]], n_rows: int) -> Any:
    """Return the values of lists as numbers or flags, if all are, or as objects."""
    first = next(chain.from_iterable(lists), None)
    if isinstance(first, float):
        try:
            return np.fromiter(chain.from_iterable(lists), dtype=np.float64, count=n_rows)
        except (TypeError, ValueError, OverflowError):
            pass  # some are missing, or text
    values = list(chain.from_iterable(lists))
    are_flags = isinstance(first, bool) and set(map(type, values)) == {bool}
    return np.array(values) if are_flags else object_array(values)


def _repeated(values: list[Any], lengths: list[int]) -> pd.Categorical:
    """A column of one value per block, which is None where it is not known."""
    found = [value for value in dict.fromkeys(values) if value is not None]
    code_of = {value: code for code, value in enumerate(found)} | {None: -1}
    return coded(np.repeat([code_of[value] for value in values], lengths), found)


def _about(item: Mapping[str, Any], where: str) -> dict[str, Any]:
    about: dict[str, Any] = {}
    classes = item.get("classification")
    if isinstance(classes, Mapping):
        classes = classes.get("value")
    classes = records(classes, f"{where}, classification")
    if classes:
        sure = [to_number(c.get("confidence") or 0, f"{where}, confidence") for c in classes]
        best = max(range(len(classes)), key=lambda k: (bool(classes[k].get("default")), sure[k]))
        about["label"] = classes[best].get("object_class")
    if shift := _chosen(_entries(item, where, "distance", "redshift"), "value"):
        about["redshift"] = to_number(shift["value"], f"{where}, redshift")
    if place := _chosen(_entries(item, where, "coordinate", "equatorial", "equitorial"), "ra"):
        unit = str(place.get("ra_units", "hour")).casefold()
        sexagesimal = any(mark in str(place["ra"]).strip() for mark in ": ")
        about["ra"] = degrees(place["ra"], f"{where}, ra", hours=unit.startswith("hour"))
        if unit.startswith("hour") and not sexagesimal and "ra_units" in place:
            about["ra"] *= 15
        if "dec" in place:
            about["dec"] = degrees(place["dec"], f"{where}, dec", hours=False)
    return about


def _chosen(entries: list[Mapping[str, Any]], key: str) -> Mapping[str, Any] | None:
    """The default of the entries that have a key, else the first of them."""
    having = [entry for entry in entries if key in entry]
    return max(having, key=lambda entry: bool(entry.get("default")), default=None)


def _good(table: pd.DataFrame) -> np.ndarray:
    bad = np.zeros(len(table), dtype=bool)
    for name in ("ignore", "corr_k", "corr_s", "corr_av"):
        bad |= flags(table, name)
    return ~bad


def _passbands(
    table: pd.DataFrame, filters: Mapping[str, Mapping[str, Any]], bands: Mapping[str, Any]
) -> tuple[np.ndarray, list[Passband]]:
    """The passbands of the rows, as codes; -1 where there is none."""
    filter_code, keys = words(table["filter_key"])
    telescope_code, telescopes = words(table["telescope"])
    pair_code, pairs = pd.factorize(filter_code * len(telescopes) + telescope_code)
    known: dict[Passband, int] = {}
    codes = []
    for pair in pairs:
        key, telescope = divmod(int(pair), len(telescopes))
        band = _passband(keys[key], telescopes[telescope], filters, bands)
        codes.append(-1 if band is None else known.setdefault(band, len(known)))
    return np.array(codes)[pair_code], list(known)


def _passband(
    key: str, telescope: str, filters: Mapping[str, Mapping[str, Any]], bands: Mapping[str, Any]
) -> Passband | None:
    if key in bands:
        return get_passband(bands[key])
    if telescope:
        try:
            return get_passband(key, telescope)
        except UnknownPassbandError:
            pass
    about = filters.get(key, {})
    if about.get("wave_eff") is None:
        return None
    factor = {"nm": 1e-3, "aa": 1e-4, "angstrom": 1e-4, "um": 1.0, "micron": 1.0}
    unit = str(about.get("wave_units", "nm")).casefold()
    if unit not in factor:
        return None
    wave = to_number(about["wave_eff"], f"the wavelength (wave_eff) of the filter {key}")
    micrometre = round(wave * factor[unit], 6)
    return Passband(key, "OTTER", micrometre) if 0.01 <= micrometre <= 1000 else None


def _fluxes(
    table: pd.DataFrame, codes: np.ndarray, passbands: list[Passband], rows: Rows
) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes with the zero point 27.5, from magnitudes and flux densities."""
    value, given = numbers(table, "raw"), numbers(table, "raw_err")
    position, units = words(table["raw_units"])
    flux, error = np.full(len(table), np.nan), np.full(len(table), np.nan)
    for number, text in enumerate(units):
        chosen = np.flatnonzero((position == number) & rows.kept)
        if not len(chosen):
            continue
        if text.casefold() in _AB | _VEGA:
            magnitude = value[chosen]
            if text.casefold() in _VEGA:
                magnitude = magnitude + np.array([_vega(p) for p in passbands])[codes[chosen]]
            flux[chosen], error[chosen] = flux_from_magnitude(magnitude, given[chosen])
        elif (scale := _scale(text)) is not None:
            flux[chosen], error[chosen] = value[chosen] * scale, given[chosen] * scale
        else:
            rows.leave_out(position == number, f"in a unit that is no flux per frequency: {text}")
    return flux, error


def _vega(passband: Passband) -> float:
    try:
        return ab_minus_vega(passband)
    except LightCurveError:
        return np.nan


def _scale(unit: str) -> float | None:
    """The factor from a flux density to a flux with the zero point 27.5."""
    units = require("astropy.units", extra="io", user="sklc.io.read_otter")
    try:
        return float(units.Unit(unit).to("uJy")) * 10 ** (0.4 * (27.5 - 23.9))
    except (ValueError, units.UnitConversionError):
        return None


def _times(table: pd.DataFrame, rows: Rows) -> np.ndarray:
    time = np.full(len(table), np.nan)
    position, formats = words(table["date_format"])
    for number, name in enumerate(formats):
        chosen = np.flatnonzero((position == number) & rows.kept)
        dates, text = table["date"].iloc[chosen], name.casefold()
        if text in ("mjd", "jd", ""):
            values = numbers({"date": dates}, "date")
            time[chosen] = values - 2400000.5 if text == "jd" else values
        elif len(chosen):
            times = require("astropy.time", extra="io", user="sklc.io.read_otter")
            time[chosen] = times.Time(dates.tolist(), format=text).mjd
    return time
