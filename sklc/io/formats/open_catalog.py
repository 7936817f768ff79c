"""Light curves of the Open Supernova Catalog and its relatives (JSON)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.documents import degrees, documents, fields_of, record, records, to_number
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.values import coded, flags, numbers, words
from sklc.io.vega import ab_minus_vega, uses_vega
from sklc.light_curves.magnitudes import flux_from_magnitude
from sklc.light_curves.values import object_array
from sklc.passbands import Passband, get_passband, list_passbands

__all__ = ["read_open_catalog"]

# What a filter without a known instrument is taken for.
_STANDARD = {"U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr", "I": "besselli",
             "J": "2massj", "H": "2massh", "K": "2massks", "Ks": "2massks", "u": "sdssu",
             "g": "sdssg", "r": "sdssr", "i": "sdssi", "z": "sdssz", "y": "ps1y",
             "w": "ps1w"}  # fmt: skip
_AB = {"ab", "sdss", "ps1", "abmag"}
_VEGA = {"vega", "johnson", "bessell", "landolt", "johnson-cousins", "cousins"}
_WHERE = ("survey", "instrument", "telescope", "bandset")  # what may name the system of a filter
_CORRECTED = ("kcorrected", "scorrected", "mcorrected", "xcorrected")
_TEXT = ("band", "system", "u_time", *_WHERE)
_LIMITS = ("upperlimit", "lowerlimit")
_MODELS = ("model", "realization")
_MARKS = (*_LIMITS, *_MODELS, "host", *_CORRECTED)  # for which rows are left out
_NEEDED = {*_TEXT, *_MARKS, "time", "magnitude", "e_magnitude", "e_lower_magnitude",
           "e_upper_magnitude"}  # fmt: skip
_Columns = dict[str, list[Any]]


def _recognise(source: Source) -> bool:
    if isinstance(source.object, Mapping) and source.object:
        first = next(iter(source.object.values()))
        return isinstance(first, Mapping) and "photometry" in first
    marks = (b"astrocatalogs", b'"u_time"', b'"claimedtype"')
    return source.kind == "json" and any(mark in source.head for mark in marks)


@reader(
    "open-catalog",
    title="Open Supernova Catalog (JSON)",
    flux="flux as published, mostly difference flux",
    recognise=_recognise,
)
def read_open_catalog(
    source: Source,
    *,
    quality: Quality = "good",
    bands: Mapping[str, Any] | None = None,
    mag_err: float | None = None,
) -> Photometry:
    r"""Read light curves of the Open Supernova Catalog, and of its relatives for other transients.

    The catalog holds magnitudes as they were published, mostly **difference** magnitudes of
    transients. They are converted to fluxes with the AB zero point 27.5. Vega magnitudes
    (``system`` Vega, or none for Johnson, Cousins and 2MASS filters) become AB magnitudes first.
    Times are MJD.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or dict
        JSON files of one or several objects.
    quality : "good", "all" or callable, default="good"
        "good" leaves out magnitudes of models and of host galaxies, and those that are corrected
        (``kcorrected``, ``scorrected``, ``mcorrected``, ``xcorrected``). Upper limits, X-ray and
        radio rows, and repeated measurements are always left out.
    bands : dict, optional
        The passbands of filters: ``{"V": "asasV"}``. By default they are those of the survey,
        instrument or telescope where it is known, else Bessell's UBVRI, SDSS's ugriz and 2MASS's
        JHK. Rows of other filters are left out and reported.
    mag_err : float, optional
        The error of magnitudes that have none. The default leaves them out.

    Returns
    -------
    LightCurves
        With the metadata label (the first ``claimedtype``), redshift, ra, dec and mwebv (``ebv``).

    Raises
    ------
    LightCurveError
        If the file is not complete, or has no magnitude that can be used.

    Notes
    -----
    Guillochon et al. 2017, ApJ 835, 64; schema:
    https://github.com/astrocatalogs/supernovae/blob/master/SCHEMA.md. The catalog ended in 2022.

    Examples
    --------
    >>> from sklc.io import read_open_catalog
    >>> row = {"time": "54039.47", "u_time": "MJD", "band": "V", "magnitude": "16.0"}
    >>> rows = [{**row, "e_magnitude": "0.02"}, {**row, "upperlimit": True}]
    >>> catalog = {"SN2006le": {"redshift": [{"value": "0.0174"}], "photometry": rows}}
    >>> curves = read_open_catalog(catalog)
    >>> curves.lengths, curves.band_names.tolist(), curves.metadata["redshift"].tolist()
    (array([1]), ['bessellv'], [0.0174])
    """
    entries: list[Mapping[str, Any]] = []
    lengths: list[int] = []
    objects: dict[str, dict[str, Any]] = {}
    for name, document in documents(source):
        if not isinstance(document, Mapping):
            raise LightCurveError(f"{name} holds no objects of the Open Supernova Catalog")
        for key, item in document.items():
            if key in objects:
                raise LightCurveError(f"{name} repeats the object {key!r}: read one of the files")
            where = f"{name}, {key}"
            objects[key] = _about(record(item, where), where)
            rows_of_item = records(item.get("photometry"), f"{where}, photometry")
            entries += rows_of_item
            lengths.append(len(rows_of_item))
    if not entries:
        raise LightCurveError(f"{source.name} holds no photometry: look for another source")
    columns = fields_of(entries, None if callable(quality) else _NEEDED)
    shown = columns if callable(quality) else [name for name in _MARKS if name in columns]
    rows = Rows(
        pd.DataFrame(
            {name: object_array(columns[name]) for name in shown},
            index=pd.RangeIndex(len(entries)),
            copy=False,
        )
    )
    nothing = [None] * len(entries)
    for column in (*_TEXT, "time", "magnitude", "e_magnitude"):
        columns.setdefault(column, nothing)
    ids = coded(np.repeat(np.arange(len(objects)), lengths), list(objects))
    magnitude = numbers(columns, "magnitude")
    rows.leave_out(~np.isfinite(magnitude), "counts, fluxes, X-ray or radio data, no magnitudes")
    for column in _LIMITS:
        if column in columns:
            rows.leave_out(flags(rows.table, column), f"limits ({column})")
    time = _times(columns)
    rows.leave_out(~np.isfinite(time), "no MJD")
    rows.select(_good, quality, 'models, host galaxies or corrected, see quality="all"')
    error = _errors(columns, mag_err)
    rows.leave_out(~(np.isfinite(error) & (error > 0)), "without an error (pass mag_err=)")
    codes, passbands = _passbands(columns, rows, bands or {})
    offset = _offsets(columns["system"], codes, passbands)
    rows.leave_out(~np.isfinite(offset), "Vega magnitudes in filters whose offset is not known")
    same = pd.DataFrame({"o": ids.codes, "t": time, "b": codes, "m": magnitude, "e": error})
    repeated = same[rows.kept].duplicated().reindex(same.index, fill_value=False)
    rows.leave_out(repeated, "repeated measurements")
    flux, flux_err = flux_from_magnitude(magnitude + offset, error)
    assert flux_err is not None
    kept = rows.kept
    return Photometry(
        object_id=ids[kept],
        time=time[kept],
        flux=flux[kept],
        flux_err=flux_err[kept],
        band=coded(codes[kept], passbands),
        metadata=pd.DataFrame(list(objects.values()), index=list(objects)),
        notes=rows.notes,
    )


def _about(item: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The metadata of an object: the first value of each quantity is the one that was chosen."""

    def first(key: str) -> Any:
        return next(iter(records(item.get(key), f"{where}, {key}")), {}).get("value")

    about: dict[str, Any] = {}
    if (label := first("claimedtype")) is not None:
        about["label"] = str(label)
    for name, key in (("redshift", "redshift"), ("mwebv", "ebv")):
        if (value := first(key)) is not None:
            about[name] = to_number(value, f"{where}, {key}")
    for name, hours in (("ra", True), ("dec", False)):
        if (value := first(name)) is not None:
            about[name] = degrees(value, f"{where}, {name}", hours=hours)
    return about


def _times(columns: _Columns) -> np.ndarray:
    """MJD, in the middle where the catalog has an interval; NaN for what is no MJD."""
    times = columns["time"]
    if list in set(map(type, times)):
        times = [
            np.mean([to_number(t, "a time") for t in given]) if isinstance(given, list) else given
            for given in (None if given == [] else given for given in times)
        ]
    time = numbers({"time": times}, "time")
    position, units = words(columns["u_time"])
    shift = {"": 0.0, "MJD": 0.0, "JD": 2400000.5}
    return time - np.array([shift.get(unit.upper(), np.nan) for unit in units])[position]


def _good(table: pd.DataFrame) -> np.ndarray:
    good = np.ones(len(table), dtype=bool)
    for column in ("host", *_CORRECTED):
        if column in table.columns:
            good &= ~flags(table, column)
    for column in _MODELS:
        if column in table.columns:
            good &= table[column].isna().to_numpy()
    return good


def _errors(columns: _Columns, mag_err: float | None) -> np.ndarray:
    error = numbers(columns, "e_magnitude")
    sides = [f"e_{side}_magnitude" for side in ("lower", "upper")]
    if set(sides) <= set(columns):
        mean = sum(numbers(columns, side) for side in sides) / 2
        error = np.where(np.isfinite(error), error, mean)
    return error if mag_err is None else np.where(np.isfinite(error), error, mag_err)


def _passbands(
    columns: _Columns, rows: Rows, bands: Mapping[str, Any]
) -> tuple[np.ndarray, list[Passband]]:
    """The passbands of the rows, as codes; rows of unknown filters are left out."""
    position, texts = zip(*(words(columns[name]) for name in ("band", *_WHERE)), strict=True)
    shape = tuple(map(len, texts))
    row_label, labels = pd.factorize(np.asarray(np.ravel_multi_index(position, shape)))
    known: dict[Passband, int] = {}
    code_of = []
    for label in zip(*np.unravel_index(labels, shape), strict=True):
        first, *where = (text[k] for text, k in zip(texts, label, strict=True))
        band = _passband(first, [word for word in where if word], bands)
        code_of.append(-1 if band is None else known.setdefault(band, len(known)))
    codes = np.array(code_of)[row_label]
    unknown = np.flatnonzero(rows.kept & (codes < 0)).tolist()
    strange = sorted({str(columns["band"][row]) for row in unknown})
    names = ", ".join(repr(label)[:80] for label in strange[:10])
    rows.leave_out(codes < 0, f"filters that are not known ({names}), see bands=")
    return codes, list(known)


def _passband(label: str, where: list[str], bands: Mapping[str, Any]) -> Passband | None:
    plain = re.sub(r"(?<=^[ugriz])(['`]|p)$", "", label)  # Sloan's g' is also written gp
    label = plain if label not in bands else label
    if label in bands:
        return get_passband(bands[label])
    if not label:
        return None
    for survey in where:
        try:
            list_passbands(survey)
            return get_passband(label, survey)
        except UnknownPassbandError:
            continue
    if len(label) <= 2 and label not in _STANDARD:  # "C" is clear, and not ATLAS's cyan
        return None
    try:
        return get_passband(_STANDARD.get(label, label))
    except UnknownPassbandError:
        return None


def _offsets(system: list[Any], codes: np.ndarray, passbands: list[Passband]) -> np.ndarray:
    """What to add to the magnitudes to make them AB; NaN where it is not known."""
    offset = np.full(len(passbands) + 1, np.nan)
    usual = np.zeros(len(passbands) + 1, dtype=bool)
    for number, passband in enumerate(passbands):
        usual[number] = uses_vega(passband)
        try:
            offset[number] = ab_minus_vega(passband)
        except LightCurveError:
            continue
    position, names = words(system)
    is_vega, is_ab = (
        np.array([name.casefold() in known for name in names])[position] for known in (_VEGA, _AB)
    )
    vega = is_vega | (~is_ab & usual[codes])
    return np.where(vega, offset[codes], 0.0)
