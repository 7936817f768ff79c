"""The bands of a table: labels, or the passbands that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.choices import Choices
from sklc.io.columns import Names
from sklc.io.photometry import Rows
from sklc.io.values import coded, constant, labels
from sklc.passbands import find_passbands
from sklc.passbands.lookup import Passband, get_passband

__all__ = ["bands_of", "passband_column", "passbands_among"]

_STANDARD = {letter: f"sdss{letter}" for letter in "ugriz"} | {
    "U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr", "I": "besselli",
    "J": "2massj", "H": "2massh", "K": "2massks", "Ks": "2massks", "u'": "sdssu", "g'": "sdssg",
    "r'": "sdssr", "i'": "sdssi", "z'": "sdssz",
}  # fmt: skip
_UNFILTERED = {"0", "clear", "unfiltered", "unfilt.", "unfilt", "none", "open", "white"}


def passband_column(
    column: Any, survey: str | None = None, bands: Mapping[Any, Any] | None = None
) -> pd.Categorical:
    """Return the passbands of a column of labels.

    Parameters
    ----------
    column : array-like of shape (n_rows,)
        The labels of the survey. Missing ones stay missing.
    survey : str, optional
        The survey that the labels belong to.
    bands : dict, optional
        The passbands of labels that the survey does not name, such as ``{"B": "bessellb"}``.

    Raises
    ------
    UnknownPassbandError
        If a label is not known. The message names it, its first row, and what to do.
    """

    def named(label: Any) -> Passband:
        try:
            return find_passbands([(bands or {}).get(label, label)], survey)[0]
        except UnknownPassbandError as error:
            raise UnknownPassbandError(
                f"{error}. Or name the passband with bands={{{label!r}: ...}}, or the survey with "
                "survey="
            ) from error

    return _named(column, named)


def passbands_among(column: Any, known: Mapping[str, str], survey: str) -> pd.Categorical:
    """Return the passbands of a column of filters, by their names as text.

    Raises
    ------
    UnknownPassbandError
        If a filter is not one of the survey's.
    """

    def named(label: Any) -> str:
        text = str(label).removesuffix(".0")
        if text not in known:
            raise UnknownPassbandError(
                f"{survey} does not have it: known are {sorted(known)}. Correct or remove these "
                "rows"
            )
        return known[text]

    return _named(column, named)


def _named(column: Any, of: Callable[[Any], Any]) -> pd.Categorical:
    codes, found = labels(column)
    named = []
    for code, label in enumerate(found):
        try:
            named.append(of(label))
        except UnknownPassbandError as error:
            row = int(np.argmax(codes == code)) + 1
            raise UnknownPassbandError(
                f"row {row} has the filter {str(label)[:80]!r}: {error}"
            ) from error
    return coded(codes, named)


def bands_of(frame: pd.DataFrame, names: Names, choices: Choices, rows: Rows) -> pd.Categorical:
    """Return labels or passbands; those of telescopes that are no surveys are resolved here."""
    if choices.passband is not None:
        return constant(choices.passband, len(frame))
    if names.band is None:
        raise LightCurveError(
            f"no column of bands is recognised among {list(frame.columns)[:40]}: pass band= the "
            'name of one, or passband= the passband of all rows, such as passband="ztfr"'
        )
    column = frame[names.band]
    codes, found = labels(column)
    rows.leave_out(codes < 0, f"without a band ({names.band})")
    chosen = {str(k): v for k, v in (choices.bands or {}).items()}
    mapped = [chosen.get(str(label), label) for label in found]
    telescopes = None if names.telescope is None else frame[names.telescope]
    if telescopes is not None and telescopes.dtype.kind not in "fiub" and choices.survey is None:
        return _of_telescopes(telescopes, codes, mapped, rows)
    if choices.survey == "standard":
        mapped = [_STANDARD.get(str(label), label) for label in mapped]
    return coded(codes, mapped)


def _of_telescopes(telescopes: pd.Series, codes: np.ndarray, bands: list[Any], rows: Rows) -> Any:
    """Return the passbands of labels such as "V" and "r" of many telescopes.

    A label of one or two letters is that of the telescope, if it is a known survey with such a
    band, and else a standard filter.
    """
    sites, site_names = pd.factorize(telescopes)
    n_sites = len(site_names) + 1
    pairs = np.where(codes < 0, -1, codes * n_sites + sites % n_sites)
    keys, unique = pd.factorize(pairs)
    found: list[Any] = []
    standard: set[str] = set()
    for pair in unique:
        label = bands[pair // n_sites]
        site = str(site_names[pair % n_sites]) if pair % n_sites < len(site_names) else None
        found.append(None if pair < 0 else _of_telescope(label, site, standard))
    if standard:
        rows.notes.append(
            f"{' '.join(sorted(standard))} were read as standard filters (Bessell UBVRI, SDSS "
            "ugriz, 2MASS JHK)"
        )
    is_bare = np.array([str(band).casefold() in _UNFILTERED for band in found], dtype=bool)
    rows.leave_out(is_bare[keys], 'unfiltered (name their passband with bands={"0": ...})')
    position = np.where(is_bare, -1, np.cumsum(~is_bare) - 1)
    return coded(position[keys], [b for b, bare in zip(found, is_bare, strict=True) if not bare])


def _of_telescope(label: Any, site: str | None, standard: set[str]) -> Any:
    if isinstance(label, Passband):
        return label
    if site is not None:
        try:
            found = get_passband(label, site)
        except UnknownPassbandError:
            found = None
        if found is not None and label in (found.name, *found.aliases):  # R is not r
            return found
    if str(label) in _STANDARD:
        standard.add(str(label))
        return get_passband(_STANDARD[str(label)])
    return label
