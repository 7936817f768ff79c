"""The bands of a table: labels, or the passbands that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.choices import Choices
from sklc.io.columns import Names, labels
from sklc.io.photometry import Rows
from sklc.passbands.lookup import Passband, get_passband

__all__ = ["bands_of", "constant"]

_STANDARD = {letter: f"sdss{letter}" for letter in "ugriz"} | {
    "U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr", "I": "besselli",
    "J": "2massj", "H": "2massh", "K": "2massks", "Ks": "2massks", "u'": "sdssu", "g'": "sdssg",
    "r'": "sdssr", "i'": "sdssi", "z'": "sdssz",
}  # fmt: skip
_UNFILTERED = {"0", "clear", "unfiltered", "unfilt.", "unfilt", "none", "open", "white"}


def constant(value: Any, n_rows: int) -> pd.Categorical:
    """Return a column that has one value in all rows."""
    values = pd.Index([value], dtype=object if isinstance(value, str) else None)
    return pd.Categorical.from_codes(np.zeros(n_rows, dtype=np.int8), values)


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
    unique = list(dict.fromkeys(mapped))
    lookup = np.array([unique.index(label) for label in mapped] + [-1])
    return pd.Categorical.from_codes(lookup[codes], pd.Index(unique, dtype=object))


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
    bare = [k for k, band in enumerate(found) if str(band).casefold() in _UNFILTERED]
    rows.leave_out(np.isin(keys, bare), 'unfiltered (name their passband with bands={"0": ...})')
    kinds = list(
        dict.fromkeys(band for k, band in enumerate(found) if band is not None and k not in bare)
    )
    lookup = np.array([kinds.index(b) if b in kinds else -1 for b in found] + [-1])
    return pd.Categorical.from_codes(lookup[keys], pd.Index(kinds, dtype=object))


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
