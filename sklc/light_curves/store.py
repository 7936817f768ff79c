"""The arrays behind `LightCurves`: flat observations, offsets and one row per object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sklc._optional import AbsentModule, optional
from sklc.passbands.registry import Passband
from sklc.utils.offsets import offsets_after, offsets_of, row_index
from sklc.utils.text import shown

sparse = optional("scipy.sparse")

DEFAULT_ZERO_POINT = 27.5
#: The columns of a `Store` that have one row per observation.
OBSERVATIONS = ("time", "flux", "flux_err", "band")
# Small enough for the cache, large enough to hide the loop.
_BLOCK = 131_072


@dataclass(frozen=True, eq=False, slots=True)
class Store:
    """Validated light curves in flat arrays; never changed after it is made.

    Parameters
    ----------
    time, flux, flux_err : ndarray of shape (n_obs_total,)
        Objects one after the other, times ascending within an object.
    band : ndarray of int16, shape (n_obs_total,)
        Index into `passbands`.
    offsets : ndarray of int64, shape (n_objects + 1,)
        Object ``i`` owns the observations ``offsets[i]:offsets[i + 1]``.
    passbands : tuple of Passband
    ids : ndarray of shape (n_objects,)
    metadata : pandas.DataFrame
        One row per object, indexed by `ids`.
    zero_point : float
        AB zero point of `flux`.
    """

    time: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    band: np.ndarray
    offsets: np.ndarray
    passbands: tuple[Passband, ...]
    ids: np.ndarray
    metadata: pd.DataFrame
    zero_point: float = DEFAULT_ZERO_POINT

    @property
    def n_objects(self) -> int:
        """Number of objects."""
        return len(self.offsets) - 1

    @property
    def n_observations(self) -> int:
        """Number of observations of all objects together."""
        return len(self.time)

    @property
    def lengths(self) -> np.ndarray:
        """Number of observations of each object, shape (n_objects,)."""
        return np.diff(self.offsets)

    @property
    def wavelength(self) -> np.ndarray:
        """Effective wavelengths in micrometre, shape (n_obs_total,)."""
        return np.array([p.wavelength for p in self.passbands], dtype=np.float64)[self.band]

    def flat(self, rows: np.ndarray) -> dict[str, Any]:
        """Return the `OBSERVATIONS` of the objects `rows`; adjacent objects are not copied."""
        if len(rows) and is_range(rows):
            own: Any = slice(self.offsets[rows[0]], self.offsets[rows[-1] + 1])
        else:
            own = row_index(self.offsets[rows], self.offsets[rows + 1])
        return {name: getattr(self, name)[own] for name in OBSERVATIONS}

    def compact(self, rows: np.ndarray) -> Store:
        """Return a store that holds only the objects `rows`."""
        objects: dict[str, Any] = {"ids": self.ids[rows], "metadata": self.metadata.iloc[rows]}
        return replace(self, offsets=offsets_of(self.lengths[rows]), **objects, **self.flat(rows))

    def keep(self, mask: np.ndarray) -> Store:
        """Return the observations where the mask is true; every object stays, even if empty."""
        kept: dict[str, Any] = {n: read_only(getattr(self, n)[mask]) for n in OBSERVATIONS}
        return replace(self, offsets=read_only(offsets_after(mask, self.offsets)), **kept)


def blocks(n_rows: int) -> Iterator[slice]:
    """Slices of rows that fit into the cache while several quantities are computed from them.

    Computed for whole columns of ten million rows, each quantity would read all of the memory.
    """
    for start in range(0, n_rows, _BLOCK):
        yield slice(start, min(start + _BLOCK, n_rows))


def is_range(rows: np.ndarray) -> bool:
    """Whether `rows` counts up by one."""
    if not len(rows) or rows[-1] - rows[0] != len(rows) - 1:
        return False
    return bool((rows[1:] - rows[:-1] == 1).all())


def stable_order(codes: np.ndarray, n_codes: int) -> np.ndarray:
    """Return the rows in the order of their codes 0 ... n_codes - 1, rows of one code in theirs.

    As ``numpy.argsort(codes, kind="stable")``, several times as fast for millions of rows: a
    counting sort, which is how scipy turns columns of one entry each into rows.
    """
    if isinstance(sparse, AbsentModule):
        return np.argsort(codes, kind="stable")
    shape, ends = (n_codes, len(codes)), np.arange(len(codes) + 1)
    by_column = sparse.csc_array((np.ones(len(codes), dtype=np.int8), codes, ends), shape=shape)
    return by_column.tocsr().indices.astype(np.int64, copy=False)


def describe(ids: np.ndarray, position: int | np.integer) -> str:
    """Return how messages name an object: by id and position."""
    return f"object {shown(ids[position])} (position {position})"


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a read-only view; the array it views keeps its own flag."""
    view = array.view()
    view.flags.writeable = False
    return view
