"""Arithmetic of floats that stays finite where numbers are extreme."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["exponent_of", "saturated"]


def saturated(values: np.ndarray, dtype: DTypeLike | None = None) -> np.ndarray:
    """Convert to a type of floats; numbers beyond its range become its largest ones.

    Parameters
    ----------
    values : ndarray
        Numbers, which may be infinite where they overflowed. NaN stays NaN.
    dtype : dtype, optional
        A type of floats; by default that of the values.

    Returns
    -------
    ndarray of `dtype`

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.utils.floats import saturated
    >>> saturated(np.array([1.0, -1e300, np.nan]), np.float32).tolist()
    [1.0, -3.4028234663852886e+38, nan]
    """
    dtype = values.dtype if dtype is None else dtype
    largest = np.finfo(dtype).max
    return np.clip(values, -largest, largest).astype(dtype, copy=False)


def exponent_of(values: np.ndarray) -> np.ndarray:
    """Return exponents of 2 by which ``numpy.ldexp(values, -exponent)`` is of the order of 1.

    Such a scaling changes no digit, so that what is computed is what it would have been without,
    except that nothing overflows.

    Parameters
    ----------
    values : ndarray
        Numbers, none of them infinite.

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.utils.floats import exponent_of
    >>> exponent_of(np.array([0.75, 1e300])).tolist()
    [0, 997]
    """
    return np.frexp(values)[1]
