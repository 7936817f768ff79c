"""Band labels of a table as passbands, and passbands as columns of a table.

A passband is its name, survey and wavelength. A column of names is enough for the passbands that
every installation knows. Tables with any other passband have two more columns, named after the
column of names: ``band_survey`` and ``band_wavelength`` (micrometre).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.light_curves.columns import Table, numeric, with_missing
from sklc.light_curves.columns import labels as labels_of
from sklc.light_curves.store import blocks, describe
from sklc.passbands.lookup import (
    Passband,
    as_registered,
    built_in_passband,
    get_passband,
    list_passbands,
    lookup_passband,
)
from sklc.passbands.resolving import cut
from sklc.utils.offsets import object_of, per_observation

if TYPE_CHECKING:
    import pyarrow as pa
else:  # an exported model runs without
    pa = optional("pyarrow")

#: The passband of plain series, the rows of a 2-D array; in the middle of the optical.
SERIES_PASSBAND = Passband(name="series", survey="anonymous", wavelength=0.6)
#: The passband of light curves that come without one.
UNNAMED_PASSBAND = Passband(name="unnamed", survey="anonymous", wavelength=0.6)

_Key = tuple[Any, str | None]  # a label and its survey
# An error names this many bands.
_MOST_NAMED = 20
_ANONYMOUS = re.compile(r"(\d+(?:\.\d+)?)um")
_WAVELENGTH_TOLERANCE = 1e-4  # micrometre
_MOST_PASSBANDS = np.iinfo(np.int16).max
# A wavelength such as 0.52 is more likely a user's own than that of these wide bands.
_ROUND_WAVELENGTHS = frozenset({"EROS", "MACHO", "unfiltered"})
_SURVEY, _WAVELENGTH = "_survey", "_wavelength"


def resolve(label: Any, survey: str | None = None) -> Passband:
    """Return the passband of a label, within a survey if one is given.

    Besides what `sklc.passbands.get_passband` knows, the names of anonymous passbands
    (``"unnamed"``, ``"0.4746um"``) are understood, so that exported tables can be read back.

    Raises
    ------
    UnknownPassbandError
        If the label is not known.
    """
    if isinstance(label, str) and (anonymous := _anonymous(label)):
        return anonymous
    return get_passband(label, survey)


def anonymous_passband(wavelength: float) -> Passband:
    """Return a passband known by its effective wavelength (micrometre) alone."""
    name = f"{wavelength:.6g}"
    return Passband(name=f"{name}um", survey="anonymous", wavelength=float(name))


def _anonymous(name: str) -> Passband | None:
    """Return the anonymous passband of this name, if it is the name of one."""
    for passband in (SERIES_PASSBAND, UNNAMED_PASSBAND):
        if name == passband.name:
            return passband
    match = _ANONYMOUS.fullmatch(name)
    return anonymous_passband(float(match[1])) if match else None


def unique_passbands(passbands: Sequence[Passband]) -> tuple[np.ndarray, tuple[Passband, ...]]:
    """Return the code of each passband among the different ones, a final -1, and these."""
    code = {passband: k for k, passband in enumerate(dict.fromkeys(passbands))}
    if len(code) > _MOST_PASSBANDS:
        raise LightCurveError(
            f"there are {len(code)} different passbands, and at most {_MOST_PASSBANDS} can be told "
            "apart: check that the column of bands or wavelengths holds these, and not times or "
            "fluxes"
        )
    return np.array([*(code[p] for p in passbands), -1], dtype=np.int16), tuple(code)


def band_columns(
    band: np.ndarray, passbands: Sequence[Passband], name: str = "band"
) -> dict[str, pa.Array]:
    """Return the columns of a table that identify the passband of each observation.

    Parameters
    ----------
    band : ndarray of int16, shape (n_obs,)
        Index into `passbands`.
    passbands : sequence of Passband
    name : str, default="band"
        Name of the column of names.

    Returns
    -------
    dict of str to pyarrow.Array
        The column of names, and two more columns if any passband that occurs has a name that does
        not identify it in every installation.
    """
    columns = {name: _encoded(band, [p.name for p in passbands], pa.string())}
    if not all(map(_told_by_name, passbands)) and not all(
        _told_by_name(passbands[code]) for code in _used_codes(band, len(passbands))
    ):
        wavelength = np.array([p.wavelength for p in passbands])
        columns[name + _SURVEY] = _encoded(band, [p.survey for p in passbands], pa.string())
        columns[name + _WAVELENGTH] = pa.array(wavelength[band])
    return columns


def _told_by_name(passband: Passband) -> bool:
    return (_anonymous(passband.name) or built_in_passband(passband.name)) == passband


def _encoded(band: np.ndarray, values: list[str], kind: pa.DataType) -> pa.DictionaryArray:
    unique = list(dict.fromkeys(values))
    lookup = np.array([*map(unique.index, values), -1], dtype=np.int16)
    return pa.DictionaryArray.from_arrays(pa.array(_look_up(lookup, band)), pa.array(unique, kind))


def identified(table: Table, band: str | None, known: Mapping[str, Passband] | None = None) -> Any:
    """Return the column of bands of a table: of passbands, where the table identifies them.

    Parameters
    ----------
    table : Table
    band : str or None
        Name of the column of names. The further columns that `band_columns` writes are read as
        well if they exist; a row without values in them is identified by its name.
    known : mapping of str to Passband, optional
        Passbands of names, where there are no such columns.

    Raises
    ------
    LightCurveError
        If a band has a wavelength but no survey, or a wavelength that is implausible in
        micrometres.
    """
    if band is None:
        return None
    names = table.column(band, "band")
    further = (band + _SURVEY, band + _WAVELENGTH)
    if not any(name in table for name in further):
        if not known:
            return names
        codes, told = labels_of(names)
        found = [as_registered(known[name]) if name in known else name for name in told]
        return pd.Categorical.from_codes(codes, pd.Index(found, dtype=object))
    surveys, wavelengths = (
        table.column(name, "band") if name in table else np.full(len(table), np.nan)
        for name in further
    )
    coded = [labels_of(c) for c in (names, surveys, numeric(wavelengths, further[1]))]
    shape = [len(labels) + 1 for _, labels in coded]
    # wrapped around, the code -1 of a missing value is the last
    codes, keys = pd.factorize(np.ravel_multi_index([c for c, _ in coded], shape, mode="wrap"))
    parts = np.unravel_index(keys, shape)
    values = (with_missing(labels)[k] for (_, labels), k in zip(coded, parts, strict=True))
    found = list(map(_identity, *values))
    # in the order of the labels if each stands for one passband, else of appearance
    by_label = len(np.unique(parts[0])) == len(keys)
    order = np.argsort(keys) if by_label else range(len(keys))
    labels = {found[k]: None for k in order if found[k] is not None}
    position = {label: k for k, label in enumerate(labels)}
    lookup = np.array([position.get(label, -1) for label in found], dtype=np.int64)
    return pd.Categorical.from_codes(lookup[codes], pd.Index(list(labels), dtype=object))


def _identity(name: Any, survey: str | None, wavelength: float | None) -> Any:
    """Return the passband that a row of a table stands for, or its label if that is all it has."""
    if name is None or (survey is None and wavelength is None):
        return name
    if wavelength is None:
        return resolve(name, survey)
    if survey is None:
        raise LightCurveError(
            f"the band {name!r} has the wavelength {wavelength:g} but no survey: fill in both "
            "columns that go with the column of bands, or neither"
        )
    return as_registered(Passband(name, survey, wavelength))


def resolve_bands(
    codes: np.ndarray,
    labels: np.ndarray,
    *,
    offsets: np.ndarray,
    ids: np.ndarray,
    survey: str | np.ndarray | None = None,
) -> tuple[np.ndarray, tuple[Passband, ...]]:
    """Turn label codes into codes of passbands.

    Parameters
    ----------
    codes : ndarray of int, shape (n_obs_total,)
        Index into `labels`, -1 where the band is missing.
    labels : ndarray of object, shape (n_labels,)
        The labels. Those that no observation uses may be unknown.
    offsets, ids : ndarray
        The objects, one of which is named if it uses an unknown band.
    survey : str, ndarray of shape (n_objects,) or None
        One survey, or one per object; names are looked up in the same way in both cases.

    Returns
    -------
    band : ndarray of int16, shape (n_obs_total,)
    passbands : tuple of Passband
        The passbands that occur, in the order of `labels`.

    Raises
    ------
    UnknownPassbandError
        If a band is unknown; the message names the first object that uses one, and all such bands.
    """
    keys: dict[int, _Key] = {
        code: (labels[code], survey if isinstance(survey, str) else None)
        for code in _used_codes(codes, len(labels))
    }
    found = {code: _find(*key) for code, key in keys.items()}
    if isinstance(survey, np.ndarray) and keys:
        survey_codes, surveys = _surveys(survey)
        occurring = [surveys[code] for code in np.unique(survey_codes)]
        found = {code: _same_in_all(labels[code], occurring) for code in keys}
        if None in found.values():
            codes, keys = _keys_per_object(codes, labels, survey_codes, surveys, offsets)
            found = {code: _find(*key) for code, key in keys.items()}
    failed = {code: keys[code] for code, passband in found.items() if passband is None}
    if failed:
        _raise_unknown(codes, failed, offsets, ids)
    position, passbands = unique_passbands([band for band in found.values() if band is not None])
    lookup = np.full(max(found, default=-1) + 2, -1, dtype=np.int16)  # code -1 picks the last
    lookup[list(found)] = position[:-1]
    return _look_up(lookup, codes), passbands


def resolve_wavelengths(wavelength: np.ndarray) -> tuple[np.ndarray, tuple[Passband, ...]]:
    """Turn effective wavelengths (micrometre) into codes of passbands; NaN becomes -1.

    A wavelength within 1e-4 of a registered passband is that passband (the nearest, the first of
    equals); any other becomes an anonymous one.

    Raises
    ------
    LightCurveError
        If a wavelength is not plausible in micrometre.
    """
    codes, values = pd.factorize(wavelength)
    known = [band for band in list_passbands() if band.survey not in _ROUND_WAVELENGTHS]
    table, first = np.unique([p.wavelength for p in known], return_index=True)
    right = np.clip(np.searchsorted(table, values), 1, len(table) - 1)
    sides = np.stack([right - 1, right])
    distance = np.abs(table[sides] - values)
    # of two at the same distance, the one that is listed first
    side = np.lexsort((first[sides], distance), axis=0)[0]
    every = np.arange(len(values))
    nearest, is_known = first[sides[side, every]], distance[side, every] <= _WAVELENGTH_TOLERANCE
    is_unnamed = np.abs(UNNAMED_PASSBAND.wavelength - values) <= 1e-9
    passbands = [
        UNNAMED_PASSBAND if is_unnamed[k]
        else known[nearest[k]] if is_known[k] else anonymous_passband(value)
        for k, value in enumerate(values)
    ]  # fmt: skip
    lookup, unique = unique_passbands(passbands)
    return _look_up(lookup, codes), unique


def _used_codes(codes: np.ndarray, n_labels: int) -> list[int]:
    """Return the codes that occur; stops as soon as all have been seen."""
    seen = np.zeros(n_labels + 1, dtype=bool)
    for rows in blocks(len(codes)):
        seen[codes[rows]] = True
        if seen[:-1].all():
            break
    return np.flatnonzero(seen[:-1]).tolist()


def _look_up(lookup: np.ndarray, codes: np.ndarray) -> np.ndarray:
    if np.array_equal(lookup[:-1], np.arange(len(lookup) - 1)):
        return codes.astype(np.int16, copy=False)
    band = np.empty(len(codes), dtype=np.int16)
    for rows in blocks(len(codes)):
        band[rows] = lookup[codes[rows]]
    return band


def _find(label: Any, survey: str | None) -> Passband | None:
    """Return the passband that `resolve` returns, or None where it raises an error."""
    anonymous = _anonymous(label) if isinstance(label, str) else None
    return anonymous or lookup_passband(label, survey)


def _surveys(survey: np.ndarray) -> tuple[np.ndarray, list[str | None]]:
    """Return the code of each object's survey, and the surveys, a final None for no survey."""
    codes, surveys = pd.factorize(np.asarray(survey, dtype=object))
    return codes % (len(surveys) + 1), [*map(str, surveys), None]


def _same_in_all(label: Any, surveys: list[str | None]) -> Passband | None:
    """Return the passband of a label if it is the same whatever the survey."""
    found = {_find(label, survey) for survey in surveys}
    return found.pop() if len(found) == 1 else None


def _keys_per_object(
    codes: np.ndarray,
    labels: np.ndarray,
    survey_codes: np.ndarray,
    surveys: list[str | None],
    offsets: np.ndarray,
) -> tuple[np.ndarray, dict[int, _Key]]:
    """Return codes of pairs of label and survey, and these pairs; -1 stays -1."""
    pairs = codes.astype(np.int64) * len(surveys)
    pairs += per_observation(survey_codes, offsets)
    pairs[codes < 0] = -1
    codes, used = pd.factorize(pairs)
    if (missing := np.flatnonzero(used == -1)).size:
        codes = np.where(codes == missing[0], -1, codes)
    keys = {
        code: (labels[pair // len(surveys)], surveys[pair % len(surveys)])
        for code, pair in enumerate(used)
        if pair >= 0
    }
    return codes, keys


def _raise_unknown(
    codes: np.ndarray, failed: dict[int, _Key], offsets: np.ndarray, ids: np.ndarray
) -> None:
    first_use = {code: int(np.argmax(codes == code)) for code in list(failed)[:_MOST_NAMED]}
    code = min(first_use, key=first_use.__getitem__)
    label, survey = failed[code]
    position = int(object_of(offsets, np.array([first_use[code]]))[0])
    others = list(dict.fromkeys(str(other)[:80] for other, _ in failed.values() if other != label))
    try:
        get_passband(label, survey)
    except UnknownPassbandError as error:
        message = f"{describe(ids, position)} uses the band {cut(label)}: {error}"
    if others:
        listed = f"{others[:_MOST_NAMED]}{' ...' if len(others) > _MOST_NAMED else ''}"
        message += f"\n{len(others)} more unknown band(s) in these light curves: {listed}"
    raise UnknownPassbandError(message)
