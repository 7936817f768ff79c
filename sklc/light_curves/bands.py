"""Band labels of a table as passbands: names, aliases, filter ids, wavelengths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import UnknownPassbandError
from sklc.light_curves.columns import with_missing
from sklc.light_curves.store import blocks, describe
from sklc.passbands.lookup import Passband, get_passband, list_passbands
from sklc.utils.offsets import object_of, per_observation

#: The passband of plain series, the rows of a 2-D array; in the middle of the optical.
SERIES_PASSBAND = Passband(name="series", survey="anonymous", wavelength=0.6)
#: The passband of light curves that come without one.
UNNAMED_PASSBAND = Passband(name="unnamed", survey="anonymous", wavelength=0.6)

_ANONYMOUS = re.compile(r"(\d+(?:\.\d+)?)um")
_WAVELENGTH_TOLERANCE = 1e-4  # micrometre


def resolve(label: Any, survey: str | None = None) -> Passband:
    """Return the passband of a label, within a survey if one is given.

    Besides what `sklc.passbands.get_passband` knows, the names of anonymous passbands
    (``"unnamed"``, ``"0.4746um"``) are understood, so that exported tables can be read back.

    Raises
    ------
    UnknownPassbandError
        If the label is not known.
    """
    if isinstance(label, Passband):
        return label
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, bytes):
        label = label.decode()
    if isinstance(label, float) and label.is_integer():
        label = int(label)  # filter ids turn to float in tables with missing values
    if isinstance(label, str):
        for passband in (SERIES_PASSBAND, UNNAMED_PASSBAND):
            if label == passband.name:
                return passband
        if match := _ANONYMOUS.fullmatch(label):
            return anonymous_passband(float(match[1]))
    if survey is not None:
        try:
            return get_passband(label, survey=survey)
        except UnknownPassbandError as error:
            in_survey = error
        try:
            return get_passband(label)
        except UnknownPassbandError:
            raise in_survey from None
    return get_passband(label)


def anonymous_passband(wavelength: float) -> Passband:
    """Return a passband known by its effective wavelength (micrometre) alone."""
    name = f"{wavelength:.6g}"
    return Passband(name=f"{name}um", survey="anonymous", wavelength=float(name))


def resolve_bands(
    codes: np.ndarray,
    labels: np.ndarray,
    *,
    offsets: np.ndarray,
    ids: np.ndarray,
    survey: str | np.ndarray | None = None,
    known: Mapping[str, Passband] = MappingProxyType({}),
) -> tuple[np.ndarray, tuple[Passband, ...]]:
    """Turn label codes into codes of passbands.

    Parameters
    ----------
    codes : ndarray of int, shape (n_obs_total,)
        -1 where the band is missing.
    labels : ndarray of object, shape (n_labels,)
        Labels that no observation uses need not be known.
    offsets, ids : ndarray
        To name the object that uses an unknown band.
    survey : str, ndarray of shape (n_objects,) or None
        One survey, or one for each object; the latter is asked only about labels that mean
        nothing without a survey.
    known : mapping of str to Passband
        Passbands for labels that are not registered.

    Returns
    -------
    band : ndarray of int16, shape (n_obs_total,)
    passbands : tuple of Passband
        Those in use, in the order of `labels`.

    Raises
    ------
    UnknownPassbandError
        Naming the first object that uses an unknown band, and all unknown ones.
    """
    used = _used_codes(codes, len(labels))
    one_survey = survey if isinstance(survey, str) else None
    found: dict[int, Passband] = {}
    failed: dict[int, UnknownPassbandError] = {}
    for code in used:
        try:
            found[code] = resolve(labels[code], one_survey)
        except UnknownPassbandError as error:
            if labels[code] in known:
                found[code] = known[labels[code]]
            else:
                failed[code] = error
    if failed and isinstance(survey, np.ndarray):
        codes, labels, found, failed = _resolve_per_object(codes, labels, survey, offsets)
    if failed:
        _raise_unknown(codes, labels, failed, offsets, ids)
    passbands = tuple(dict.fromkeys(found.values()))
    position = {passband: k for k, passband in enumerate(passbands)}
    lookup = np.full(len(labels) + 1, -1, dtype=np.int16)  # code -1 picks the last
    for code, passband in found.items():
        lookup[code] = position[passband]
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
    known = list_passbands()
    table = np.array([p.wavelength for p in known])
    passbands = []
    for value in values:
        nearest = int(np.argmin(np.abs(table - value)))
        is_known = abs(table[nearest] - value) <= _WAVELENGTH_TOLERANCE
        if abs(UNNAMED_PASSBAND.wavelength - value) <= 1e-9:
            passbands.append(UNNAMED_PASSBAND)
        else:
            passbands.append(known[nearest] if is_known else anonymous_passband(value))
    unique = tuple(dict.fromkeys(passbands))
    lookup = np.array([unique.index(p) for p in passbands] + [-1], dtype=np.int16)
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


def _resolve_per_object(
    codes: np.ndarray, labels: np.ndarray, survey: np.ndarray, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray, dict[int, Passband], dict[int, UnknownPassbandError]]:
    """Resolve pairs of label and survey; the pairs take the place of the labels."""
    survey_codes, surveys = pd.factorize(np.asarray(survey, dtype=object))
    surveys = with_missing(surveys)
    survey_codes = survey_codes % len(surveys)
    pairs = codes.astype(np.int64) * len(surveys)
    pairs += per_observation(survey_codes, offsets)
    pairs[codes < 0] = -1
    codes, keys = pd.factorize(pairs)
    if (missing := np.flatnonzero(keys == -1)).size:
        codes = np.where(codes == missing[0], -1, codes)
    found: dict[int, Passband] = {}
    failed: dict[int, UnknownPassbandError] = {}
    pair_labels = np.empty(len(keys), dtype=object)
    for code, key in enumerate(keys):
        if key < 0:
            continue
        pair_labels[code] = label = labels[key // len(surveys)]
        name = surveys[key % len(surveys)]
        try:
            found[code] = resolve(label, None)
        except UnknownPassbandError as error:
            try:
                found[code] = resolve(label, None if name is None else str(name))
            except UnknownPassbandError as in_survey:
                failed[code] = in_survey if name is not None else error
    return codes, pair_labels, found, failed


def _raise_unknown(
    codes: np.ndarray,
    labels: np.ndarray,
    failed: dict[int, UnknownPassbandError],
    offsets: np.ndarray,
    ids: np.ndarray,
) -> None:
    first_use = {code: int(np.argmax(codes == code)) for code in failed}
    code = min(failed, key=first_use.__getitem__)
    position = int(object_of(offsets, np.array([first_use[code]]))[0])
    others = list(dict.fromkeys(str(labels[c]) for c in failed if labels[c] != labels[code]))
    message = f"{describe(ids, position)} uses the band {labels[code]!r}: {failed[code]}"
    if others:
        message += f"\n{len(others)} more unknown band(s) in these light curves: {others}"
    raise UnknownPassbandError(message)
