"""Magnitudes as fluxes: limits, signs and errors as tables write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.store import DEFAULT_ZERO_POINT

if TYPE_CHECKING:
    import pyarrow as pa
else:  # an exported model runs without
    pa = optional("pyarrow")

__all__ = ["LARGE_ERROR", "flux_from_magnitude", "numbers_or_limits", "signs"]

#: Above this error (mag) the signal-to-noise ratio is below 3.6, and magnitudes are biased.
LARGE_ERROR = 0.3
_POSITIVE = ("t", "true", "1", "1.0", "+", "+1", "positive", "pos")
_NEGATIVE = ("f", "false", "0", "0.0", "-", "-1", "-1.0", "−", "−1", "negative", "neg")

# d(flux) / flux = d(mag) * ln(10) / 2.5
_RELATIVE_ERROR = np.log(10) / 2.5


def flux_from_magnitude(
    mag: Any, mag_err: Any = None, *, zero_point: float = DEFAULT_ZERO_POINT, sign: Any = 1.0
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the fluxes of magnitudes, and their errors.

    ``flux = sign * 10 ** (-0.4 * (mag - zero_point))`` and, to first order,
    ``flux_err = |flux| * mag_err * ln(10) / 2.5``.

    Parameters
    ----------
    mag : array-like of shape (n,)
        AB magnitudes.
    mag_err : array-like of shape (n,), optional
        Standard errors of the magnitudes.
    zero_point : float, default=27.5
        The AB zero point that the fluxes shall have.
    sign : float or array-like of shape (n,), default=1.0
        The signs of the fluxes: -1 where an object is fainter than in the reference image.

    Returns
    -------
    flux : ndarray of shape (n,)
    flux_err : ndarray of shape (n,) or None
        None if `mag_err` is None.

    Examples
    --------
    >>> from sklc.light_curves.magnitudes import flux_from_magnitude
    >>> flux, flux_err = flux_from_magnitude([20.0], [0.1])
    >>> flux.round(1), flux_err.round(1)
    (array([1000.]), array([92.1]))
    """
    mag = np.asarray(mag, dtype=np.float64)
    flux = np.asarray(sign, dtype=np.float64) * 10 ** (-0.4 * (mag - zero_point))
    if mag_err is None:
        return flux, None
    return flux, np.abs(flux) * np.asarray(mag_err, dtype=np.float64) * _RELATIVE_ERROR


def numbers_or_limits(values: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a column of magnitudes, NaN for sentinels such as 99 and -9, and which are limits.

    Text such as ">18.2" (Sky Patrol) or "<14.5" (AAVSO, fainter than) is a limit.
    """
    raw = tables.raw_column(values)
    text = raw.to_pandas() if isinstance(raw, pa.Array) else pd.Series(raw)
    is_limit = np.zeros(len(text), dtype=bool)
    if not pd.api.types.is_numeric_dtype(text.dtype) or text.dtype == bool:
        text = text.astype(object)
        is_text = text.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
        stripped = text.where(~is_text, text.astype(str).str.strip())
        is_limit = is_text & stripped.astype(str).str.match("[<>]").to_numpy(dtype=bool)
        cut = stripped.where(~is_limit, stripped.astype(str).str.lstrip("<> "))
        number = pd.to_numeric(cut, errors="coerce")
        empty = cut.isna() | cut.astype(str).str.casefold().isin(["", "nan", "null", "none", "-"])
        raw = number.to_numpy(dtype=np.float64) if (number.notna() | empty).all() else raw
    magnitude = np.array(tables.numeric(raw, name), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        magnitude[~(np.abs(magnitude) < 90) | (magnitude <= -9)] = np.nan
    return magnitude, is_limit


def signs(values: Any, column: str = "") -> np.ndarray:
    """Return the signs of difference fluxes: 1, -1, or NaN where they are missing.

    Parameters
    ----------
    values : column or number
        One sign, or a column in any spelling of `isdiffpos`: t and f, true and false, 1 and 0,
        1 and -1, + and -, as text or as numbers.
    column : str, optional
        The name of the column, for the message.

    Raises
    ------
    LightCurveError
        If a value is none of these.

    Examples
    --------
    >>> from sklc.light_curves.magnitudes import signs
    >>> signs(["t", "f", "1", "0"])
    array([ 1., -1.,  1., -1.])
    """
    codes, names = tables.labels([values] if np.isscalar(values) else values)
    found = np.full(len(names) + 1, np.nan)  # code -1 picks the last
    for code, name in enumerate(names):
        text = (name.decode() if isinstance(name, bytes) else str(name)).strip().casefold()
        if text in _POSITIVE or text in _NEGATIVE:
            found[code] = 1.0 if text in _POSITIVE else -1.0
        elif text not in ("", "nan", "none", "null"):
            raise LightCurveError(
                f"the sign {f'({column}) ' if column else ''}{str(name)[:80]!r} is not understood: "
                "write t and f, 1 and 0, 1 and -1, "
                "True and False, or + and -"
            )
    return found[codes]
