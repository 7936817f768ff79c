"""`LightCurves`: many light curves in flat arrays, with selections that copy nothing."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._as_light_curves import as_light_curves, is_series_matrix
from sklc._constructors import Constructors
from sklc._exports import Exports
from sklc._light_curve import LightCurve
from sklc._selections import Selections
from sklc._store import Store, offsets_of
from sklc._validation import check_usable
from sklc.passbands import Passband

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "LightCurve",
    "LightCurves",
    "as_light_curves",
    "check_usable",
    "concatenate",
    "is_series_matrix",
]


class LightCurves(Constructors, Exports, Selections):
    """Light curves of many objects, each a set of observations in any number of bands.

    Built with `from_frame`, `from_nested`, `from_arrays`, `from_padded` or `from_parquet`, which
    validate their input; never changed afterwards. Within an object, observations are in order of
    time. Indexing selects objects, and a selection is a view: it holds row numbers only, and
    gathers its arrays when they are first asked for.

    All estimators of sklc take a `LightCurves` as X, and so do the splitters, searches, pipelines
    and most meta-estimators of scikit-learn (stacking, voting, calibration, one-versus-rest).
    Those that turn X into an array themselves, `BaggingClassifier`, `BaggingRegressor` and
    `SelfTrainingClassifier`, take ``curves.to_nested()[["lightcurve"]]`` instead: the nested
    column alone, since column names, and with them the metadata, do not survive.

    Attributes
    ----------
    time : ndarray of float64, shape (n_obs_total,)
        Days, MJD as a rule; objects one after the other, ascending within an object.
    flux, flux_err : ndarray of float32 or float64, shape (n_obs_total,)
        Flux and its standard error; the error is NaN where the source has none.
    band : ndarray of int16, shape (n_obs_total,)
        Index into `passbands`.
    band_names : ndarray of str, shape (n_obs_total,)
    wavelength : ndarray of float64, shape (n_obs_total,)
        Effective wavelength of the passband, micrometre.
    passbands : tuple of Passband
        Of the container that this is a selection of; not all need occur in the selection.
    offsets : ndarray of int64, shape (n_objects + 1,)
        Object ``i`` owns the observations ``offsets[i]:offsets[i + 1]``.
    lengths : ndarray of int64, shape (n_objects,)
        Number of observations of each object; may be 0.
    ids : ndarray of shape (n_objects,)
    metadata : pandas.DataFrame
        One row an object, indexed by id; possibly without columns. A copy.
    zero_point : float
        AB zero point of the fluxes: magnitude = zero_point - 2.5 log10(flux).
    shape : tuple of int
        ``(n_objects,)``.

    Notes
    -----
    The arrays are read-only.

    Examples
    --------
    >>> from sklc.light_curves import LightCurves
    >>> curves = LightCurves.from_arrays(
    ...     time=[[59000.0, 59003.0], [59001.0], [59002.0, 59004.0, 59006.0]],
    ...     flux=[[110.0, 180.0], [60.0], [30.0, 20.0, 10.0]],
    ...     flux_err=[[5.0, 6.0], [7.0], [5.0, 5.0, 5.0]],
    ...     band=["ztfg", "ztfr", "ztfg"],
    ...     ids=["a", "b", "c"],
    ...     metadata={"redshift": [0.03, 0.05, 0.02]},
    ... )
    >>> curves
    LightCurves: 3 objects, 6 observations (median 2), bands ztfg ztfr, zero point 27.5, metadata redshift
    >>> curves[curves.lengths > 1].ids
    array(['a', 'c'], dtype=object)
    >>> curves[-1].flux
    array([30., 20., 10.])
    >>> curves.detections(5).lengths
    array([2, 1, 1])
    """  # noqa: E501

    def __init__(self, store: Store, rows: np.ndarray | None = None) -> None:
        if not isinstance(store, Store):
            raise TypeError(
                "LightCurves is built with LightCurves.from_frame, from_nested, from_arrays, "
                f"from_padded or from_parquet, not from a {type(store).__name__} directly; "
                "sklc.as_light_curves(X) takes any form"
            )
        self._store = store
        self._rows = rows
        self._cache: dict[str, Any] = {}

    @classmethod
    def _from_store(cls, store: Store, rows: np.ndarray | None = None) -> Self:
        return cls(store, rows)

    def __reduce__(self) -> tuple[Any, ...]:
        store, rows = self._store, self._rows
        # a small selection leaves the rest behind; a large one keeps the shared arrays as they
        # are, which joblib then maps into memory once for all its workers
        if rows is not None and 2 * self.offsets[-1] < store.n_observations:
            store, rows = self._compact(), None
        return type(self)._from_store, (store, rows)

    def _compact(self) -> Store:
        """Return a store of this selection alone."""
        if self._rows is None:
            return self._store
        return replace(
            self._store,
            time=self.time,
            flux=self.flux,
            flux_err=self.flux_err,
            band=self.band,
            offsets=self.offsets,
            ids=self.ids,
            metadata=self.metadata,
        )

    def _cached(self, name: str, make: Any) -> Any:
        if name not in self._cache:
            self._cache[name] = make()
        return self._cache[name]

    def _flat(self, column: int) -> np.ndarray:
        def gather() -> tuple[np.ndarray, ...]:
            store = self._store
            if self._rows is None:
                return store.time, store.flux, store.flux_err, store.band
            return store.flat(self._rows)

        return self._cached("flat", gather)[column]

    # -- observations

    @property
    def time(self) -> np.ndarray:
        """Times in days, shape (n_obs_total,)."""
        return self._flat(0)

    @property
    def flux(self) -> np.ndarray:
        """Fluxes, shape (n_obs_total,)."""
        return self._flat(1)

    @property
    def flux_err(self) -> np.ndarray:
        """Standard errors of the fluxes, NaN where not known, shape (n_obs_total,)."""
        return self._flat(2)

    @property
    def band(self) -> np.ndarray:
        """Codes of the passbands, an index into `passbands`, shape (n_obs_total,)."""
        return self._flat(3)

    @property
    def band_names(self) -> np.ndarray:
        """Canonical names of the passbands, shape (n_obs_total,)."""
        return np.array([p.name for p in self.passbands], dtype=object)[self.band]

    @property
    def wavelength(self) -> np.ndarray:
        """Effective wavelengths in micrometre, shape (n_obs_total,)."""
        table = np.array([p.wavelength for p in self.passbands], dtype=np.float64)
        return self._cached("wavelength", lambda: table[self.band])

    @property
    def passbands(self) -> tuple[Passband, ...]:
        """The passbands that `band` refers to."""
        return self._store.passbands

    @property
    def zero_point(self) -> float:
        """AB zero point of the fluxes."""
        return self._store.zero_point

    # -- objects

    @property
    def offsets(self) -> np.ndarray:
        """Where each object's observations start, and where the last one's end."""
        if self._rows is None:
            return self._store.offsets
        return self._cached("offsets", lambda: offsets_of(self.lengths))

    @property
    def lengths(self) -> np.ndarray:
        """Number of observations of each object."""

        def make() -> np.ndarray:
            offsets, rows = self._store.offsets, self._rows
            return np.diff(offsets) if rows is None else offsets[rows + 1] - offsets[rows]

        return self._cached("lengths", make)

    @property
    def ids(self) -> np.ndarray:
        """Identifiers of the objects."""
        if self._rows is None:
            return self._store.ids
        return self._cached("ids", lambda: self._store.ids[self._rows])

    @property
    def metadata(self) -> pd.DataFrame:
        """Per-object columns, indexed by id; a copy."""
        if self._rows is None:
            return self._store.metadata.copy()
        return self._store.metadata.iloc[self._rows].copy()

    @property
    def shape(self) -> tuple[int]:
        """``(n_objects,)``, as scikit-learn asks of X."""
        return (len(self),)

    @property
    def is_view(self) -> bool:
        """Whether this is a selection that shares the arrays of a larger container."""
        return self._rows is not None

    def __len__(self) -> int:
        return self._store.n_objects if self._rows is None else len(self._rows)

    def __iter__(self) -> Iterator[LightCurve]:
        rows = range(len(self)) if self._rows is None else self._rows
        return (LightCurve(self._store, int(row)) for row in rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Refuse: numpy would make an array of objects that no estimator can use."""
        raise TypeError(
            "LightCurves cannot be turned into an array. Meta-estimators that do so themselves "
            '(bagging, self-training) take curves.to_nested()[["lightcurve"]] instead; for arrays '
            "use curves.to_padded(), curves.time, curves.flux, ..."
        )

    def __getitem__(self, key: Any) -> Any:
        """Return one object as a `LightCurve`, or several as a `LightCurves` view.

        Parameters
        ----------
        key : int, slice, or array-like of int or bool
            Or a tuple of one of these and ``...``, as scikit-learn indexes arrays.

        Returns
        -------
        LightCurve or LightCurves
        """
        if isinstance(key, tuple):
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError(
                    f"LightCurves has one axis, the objects, got the index {key!r}; for several "
                    "objects pass a list of positions"
                )
            key = key[0]
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            if not -len(self) <= key < len(self):
                raise IndexError(f"position {key} is out of range for {len(self)} objects")
            position = int(key) % len(self)
            row = position if self._rows is None else int(self._rows[position])
            return LightCurve(self._store, row)
        if self._rows is None and isinstance(key, slice):
            # not by way of all row numbers: a part of millions of objects costs what it holds
            return self._from_store(self._store, np.arange(*key.indices(len(self))))
        rows = np.arange(self._store.n_objects) if self._rows is None else self._rows
        chosen = key if isinstance(key, slice) else self._positions(key)
        return self._from_store(self._store, rows[chosen])

    def _positions(self, key: Any) -> np.ndarray:
        """Return a key for several objects as an array of bool or int."""
        if isinstance(key, pd.Series) and key.dtype == bool:
            default = isinstance(key.index, pd.RangeIndex)
            if not default and len(key) == len(self) and not (key.index == self.ids).all():
                raise IndexError(
                    "the mask is indexed by other ids, or in another order, than these light "
                    "curves: use mask.loc[curves.ids]"
                )
        if isinstance(key, str) or np.ndim(key) != 1:
            raise IndexError(
                f"LightCurves is indexed by position, slice, mask or list of positions, got "
                f"{key!r}; to select by id: curves[curves.ids == id]"
            )
        array = np.asarray(key)
        if not len(array) and array.dtype != bool:
            return array.astype(np.int64)
        if array.dtype == object and all(isinstance(k, bool | np.bool_) for k in array):
            array = array.astype(bool)
        if array.dtype.kind not in "iub":
            raise IndexError(f"positions must be integers or booleans, got dtype {array.dtype}")
        if array.dtype == bool and len(array) != len(self):
            raise IndexError(f"the mask has {len(array)} values for {len(self)} objects")
        return array

    # -- comparison and display

    def equals(self, other: object) -> bool:
        """Whether another container holds the same light curves.

        Parameters
        ----------
        other : object

        Returns
        -------
        bool
            True if ids, observations, band names, zero point and metadata are equal; NaN equals
            NaN, and the precision of the fluxes does not matter.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], offsets=[0, 1, 2])
        >>> curves.equals(curves[[0, 1]]), curves.equals(curves[[1, 0]])
        (True, False)
        """
        if not isinstance(other, LightCurves) or len(self) != len(other):
            return False
        return bool(
            self.zero_point == other.zero_point
            and np.array_equal(self.ids, other.ids)
            and np.array_equal(self.lengths, other.lengths)
            and np.array_equal(self.time, other.time)
            and np.array_equal(self.flux, other.flux)
            and np.array_equal(self.flux_err, other.flux_err, equal_nan=True)
            and np.array_equal(self.band_names, other.band_names)
            and np.array_equal(self.wavelength, other.wavelength)
            and self.metadata.equals(other.metadata)
        )

    def __repr__(self) -> str:
        text = f"LightCurves: {len(self):,} objects, {int(self.offsets[-1]):,} observations"
        if len(self):
            text += f" (median {np.median(self.lengths):g})"
        bands = [p.name for p in self.passbands]
        text += f", bands {_some(bands, 8)}" if bands else ""
        text += f", zero point {self.zero_point:g}"
        columns = [str(c) for c in self._store.metadata.columns]
        return text + (f", metadata {_some(columns, 6)}" if columns else "")

    def _repr_html_(self) -> str:
        rows = []
        for curve in self[:5]:
            span = f"{curve.time[0]:.1f} to {curve.time[-1]:.1f}" if len(curve) else ""
            rows.append(
                {
                    "object_id": curve.id,
                    "observations": len(curve),
                    "time": span,
                    "bands": " ".join(p.name for p in curve.passbands),
                    **curve.metadata.iloc[:4].to_dict(),
                }
            )
        table = pd.DataFrame(rows).to_html(index=False, border=0) if rows else ""
        more = f"<p>and {len(self) - 5:,} more</p>" if len(self) > 5 else ""
        return f"<p>{html.escape(repr(self))}</p>{table}{more}"


def concatenate(
    containers: Sequence[LightCurves],
    *,
    suffixes: Sequence[str] | None = None,
    prefix_ids: bool = False,
) -> LightCurves:
    """Put the objects of several containers one after the other.

    Parameters
    ----------
    containers : sequence of LightCurves
    suffixes : sequence of str, optional
    prefix_ids : bool, default=False
        As for `LightCurves.concatenate`, which this is.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        If an id occurs twice, or ids are of mixed types.

    Examples
    --------
    >>> from sklc.light_curves import LightCurves, concatenate
    >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], None, "ztfg", offsets=[0, 1, 2])
    >>> len(concatenate([curves, curves], prefix_ids=True))
    4
    """
    return LightCurves.concatenate(containers, suffixes=suffixes, prefix_ids=prefix_ids)


def _some(names: list[str], most: int) -> str:
    return " ".join(names[:most]) + (" ..." if len(names) > most else "")
