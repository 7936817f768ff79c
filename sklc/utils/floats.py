"""Arithmetic of floats that stays finite where numbers are extreme."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["exponent_of", "in_blocks", "saturated"]

# Rows of a block: a multiple of what the kernels of matrix products take at a time.
_BLOCK = 128


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


def in_blocks(
    function: Callable[..., np.ndarray], first: np.ndarray, *others: np.ndarray | None
) -> np.ndarray:
    """Apply a function to blocks of always as many rows, the last one filled up with its first.

    The rounding of matrix products depends on the number of rows. In blocks, the result of an
    object does not depend on how many there are beside it.

    Parameters
    ----------
    function : callable
        A function of the arrays that returns one row for each of theirs.
    first, *others : ndarray of shape (n_rows, ...) or None
        Its arguments.

    Returns
    -------
    ndarray of shape (n_rows, ...)

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.utils.floats import in_blocks
    >>> in_blocks(lambda x: 2 * x, np.arange(3.0)).tolist()
    [0.0, 2.0, 4.0]
    """
    if not len(first):
        return function(first, *others)
    results = []
    for start in range(0, len(first), _BLOCK):
        rows = np.arange(start, start + _BLOCK)
        rows[rows >= len(first)] = start
        block = function(*(a if a is None else a[rows] for a in (first, *others)))
        results.append(block[: len(first) - start])
    return np.concatenate(results)
