"""3-D arrays that are padded with NaN at the end of each object."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.alignment import per_object
from sklc.light_curves.bands import resolve_wavelengths
from sklc.light_curves.build import build
from sklc.light_curves.forms import array_of
from sklc.light_curves.ids import object_ids
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.placeholders import check_wavelengths
from sklc.light_curves.store import Store
from sklc.light_curves.values import numbers, plain_array, plain_nd
from sklc.utils.offsets import offsets_of


def accepts(X: Any) -> bool:
    """Whether X is an array of three axes, or of more, for which `read` raises an error."""
    array = array_of(X)
    return array is not None and array.ndim > 2


def read(X: Any, options: ReadOptions, lengths: Any = None, ids: Any = None) -> Store:
    """Return a padded array as a store; see `LightCurves.from_padded`."""
    X = numbers(plain_nd(X, "padded array"), "padded")
    if X.ndim != 3 or not 2 <= X.shape[2] <= 4:
        raise LightCurveError(
            "a padded array has the shape (n_objects, n_observations, 2 to 4) with the columns "
            f"time, flux[, flux_err[, wavelength]], got shape {X.shape}"
        )
    n_objects, longest, n_columns = X.shape
    if lengths is None:
        given = ~np.isnan(X).all(axis=2)
        lengths = np.max(given * np.arange(1, longest + 1), axis=1, initial=0)
    else:
        lengths = plain_array(lengths)
        bad = np.flatnonzero((lengths < 0) | (lengths > longest)) if lengths.ndim == 1 else [0]
        if lengths.shape != (n_objects,) or lengths.dtype.kind not in "iu" or len(bad):
            raise LightCurveError(
                f"lengths must be {n_objects} integers between 0 and {longest}, one per object"
            )
    lengths = lengths.astype(np.int64)
    values = X[np.arange(longest) < lengths[:, None]]
    ids = object_ids(ids, n_objects)
    time, flux, *rest = (values[:, k] for k in range(n_columns))
    if len(rest) > 1:
        check_wavelengths(rest[1])
    return build(
        time=time,
        flux=flux,
        flux_err=rest[0] if rest else None,
        band_table=resolve_wavelengths(rest[1]) if len(rest) > 1 else None,
        offsets=offsets_of(lengths),
        ids=ids,
        metadata=per_object(options.metadata, ids),
        options=options,
    )


def to_padded(store: Store, wavelength: np.ndarray) -> np.ndarray:
    """See `LightCurves.to_padded`."""
    longest = int(store.lengths.max(initial=0))
    padded = np.full((store.n_objects, longest, 4), np.nan)
    where = np.arange(longest) < store.lengths[:, None]
    for k, column in enumerate((store.time, store.flux, store.flux_err, wavelength)):
        padded[where, k] = column
    return padded
