"""`LightCurves`: many light curves in flat arrays, with selections that copy nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc.light_curves import concatenation, operations
from sklc.light_curves.display import html_table, summary
from sklc.light_curves.indexing import selected_rows
from sklc.light_curves.light_curve import LightCurve
from sklc.light_curves.options import FROM_TABLE, NOT_GIVEN, ReadOptions
from sklc.light_curves.readers import (
    arrays,
    magnitudes,
    nested,
    padded,
    parquet_blocks,
    parquet_writing,
)
from sklc.light_curves.readers import frame as tables
from sklc.light_curves.store import DEFAULT_ZERO_POINT, OBSERVATIONS, Store
from sklc.passbands.registry import Passband
from sklc.utils.offsets import offsets_of

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from nested_pandas import NestedFrame

__all__ = ["LightCurves"]


class LightCurves:
    """Light curves of many objects, each a set of observations in any number of bands.

    The constructors `from_frame`, `from_nested`, `from_arrays`, `from_padded` and `from_parquet`
    validate their input; a container never changes afterwards. The observations of an object are
    sorted by time. Indexing selects objects. A selection is a view: it holds only row numbers, and
    gathers its arrays when they are first used.

    All estimators of sklc take a `LightCurves` as X, and so do the splitters, searches, pipelines
    and most meta-estimators of scikit-learn (stacking, voting, calibration, one-versus-rest).
    Those that turn X into an array themselves, `BaggingClassifier`, `BaggingRegressor` and
    `SelfTrainingClassifier`, take ``curves.to_nested()[["lightcurve"]]`` instead: the nested
    column alone, since column names, and with them the metadata, do not survive.

    Attributes
    ----------
    time : ndarray of float64, shape (n_obs_total,)
        Times in days, usually MJD; one object after the other, ascending within each object.
    flux, flux_err : ndarray of float32 or float64, shape (n_obs_total,)
        Flux and its standard error; the error is NaN where the source has none.
    band : ndarray of int16, shape (n_obs_total,)
        Index into `passbands`.
    band_names : ndarray of str, shape (n_obs_total,)
        Names of the passbands. Passbands of different surveys or wavelengths may share a name.
    wavelength : ndarray of float64, shape (n_obs_total,)
        Effective wavelength of the passband, micrometre.
    passbands : tuple of Passband
        The passbands of the container, or of the one that this selection was made from; not all of
        them need to occur.
    offsets : ndarray of int64, shape (n_objects + 1,)
        Object ``i`` owns the observations ``offsets[i]:offsets[i + 1]``.
    lengths : ndarray of int64, shape (n_objects,)
        Number of observations of each object; may be 0.
    ids : ndarray of shape (n_objects,)
        Identifiers of the objects.
    metadata : pandas.DataFrame
        A copy of the per-object columns: one row per object, indexed by id; there may be none.
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
        # a small selection is pickled alone; a large one keeps the shared arrays, which joblib
        # then maps into memory once for all its workers
        if rows is not None and 2 * self.offsets[-1] < store.n_observations:
            store, rows = self._compact(), None
        return type(self)._from_store, (store, rows)

    def _compact(self) -> Store:
        """Return a store of this selection alone."""
        if self._rows is None:
            return self._store
        own = (*OBSERVATIONS, "offsets", "ids", "metadata")
        return replace(self._store, **{name: getattr(self, name) for name in own})

    def _cached(self, name: str, make: Any) -> Any:
        if name not in self._cache:
            self._cache[name] = make()
        return self._cache[name]

    def _flat(self, name: str) -> np.ndarray:
        if self._rows is None:
            return getattr(self._store, name)
        return self._cached("flat", lambda: self._store.flat(self._rows))[name]

    # -- observations

    @property
    def time(self) -> np.ndarray:
        """Times in days, shape (n_obs_total,)."""
        return self._flat("time")

    @property
    def flux(self) -> np.ndarray:
        """Fluxes, shape (n_obs_total,)."""
        return self._flat("flux")

    @property
    def flux_err(self) -> np.ndarray:
        """Standard errors of the fluxes, NaN where not known, shape (n_obs_total,)."""
        return self._flat("flux_err")

    @property
    def band(self) -> np.ndarray:
        """Codes of the passbands, an index into `passbands`, shape (n_obs_total,)."""
        return self._flat("band")

    @property
    def band_names(self) -> np.ndarray:
        """Names of the passbands, shape (n_obs_total,)."""
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
        offsets, rows = self._store.offsets, self._rows
        if rows is None:
            return self._cached("lengths", lambda: np.diff(offsets))
        return self._cached("lengths", lambda: offsets[rows + 1] - offsets[rows])

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
            The objects to select, or a tuple of this and ``...``, as scikit-learn indexes arrays.

        Returns
        -------
        LightCurve or LightCurves
        """
        rows = selected_rows(key, len(self), lambda: self.ids, self._rows)
        if isinstance(rows, int):
            return LightCurve(self._store, rows)
        return self._from_store(self._store, rows)

    # -- comparison and display

    def equals(self, other: object) -> bool:
        """Whether another container holds the same light curves.

        Parameters
        ----------
        other : object
            The container to compare with; anything else is not equal.

        Returns
        -------
        bool
            True if ids, observations, passbands (name, survey and wavelength), zero point and
            metadata are equal; NaN equals NaN, and the precision of the fluxes does not matter.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], offsets=[0, 1, 2])
        >>> curves.equals(curves[[0, 1]]), curves.equals(curves[[1, 0]])
        (True, False)
        """
        if not isinstance(other, LightCurves) or len(self) != len(other):
            return False
        return operations.equal(self._compact(), other._compact())

    # Constructors

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        object_id: str | None = "object_id",
        time: str = "mjd",
        flux: str = "flux",
        flux_err: str | None = "flux_err",
        band: str | None = "band",
        metadata: Any = None,
        zero_point: Any = FROM_TABLE,
        survey: Any = None,
        passband: str | Passband | None = None,
        invalid: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Build from a long table: one row per observation.

        Parameters
        ----------
        frame : table
            A table of pandas, polars, pyarrow or astropy, a structured array, or a mapping of
            columns. The rows may be in any order. Objects keep the order of their first appearance.
            The rows of an object are sorted by time; rows of equal time keep their order. Columns
            of the right type are not copied: do not change them in place afterwards. If the columns
            hold lists, there is one row per object, and the columns that are not named become
            metadata.
        object_id : str or None, default="object_id"
            Name of the column of ids. With None, all rows are of one object, with the id 0; if the
            columns hold lists, the index of the table holds the ids.
        time, flux : str
            Names of the columns. Times are in days, usually MJD. Integer, categorical or
            dictionary-encoded ids and bands are fast (10 million sorted rows in 30 to 100 ms);
            plain strings take three to ten times as long, unsorted rows longer still.
        flux_err : str or None, default="flux_err"
            Name of the column of standard errors; None if they are not known. A column that is
            NaN throughout counts as not known.
        band : str or None, default="band"
            Name of the column of band names, aliases or filter ids; None if `passband` is given. If
            the table has the columns band_survey and band_wavelength (micrometre; named after this
            column), as `to_frame` writes them, they identify the passbands together with it.
        metadata : table, optional
            One row per object, indexed by id or with a column named as `object_id`. Every object
            must have a row, and every row an object. Rows are put into the order of the objects.
        zero_point : float or str, optional
            AB zero point of the fluxes, or the name of a column of zero points. If that
            column holds a single value, this is the zero point; if it holds several, each row is
            rescaled to 27.5. The default is the column "zp" if the table has one, else that of the
            unit which the name of the column of fluxes tells (uJy: 23.9, psfFlux in nJy: 31.4),
            else 27.5. A column "zpsys" tells which zero points are of the Vega system.
        survey : str or sequence of str, optional
            The survey that short band names ("g", 1) belong to, or one survey per object. The
            default is the metadata column "survey", if there is one. It is kept as that column.
        passband : str or Passband, optional
            The one passband of all rows; it requires ``band=None``.
        invalid : {"raise", "drop"}, default="raise"
            What to do with observations whose time, flux or flux_err is NaN or infinite, whose
            flux_err is not positive, or whose band is missing. "drop" warns, and says how many.
            Objects that lose all observations stay, as empty objects.
        duplicates : {"raise", "drop", "keep"}, default="raise"
            What to do with observations that repeat another of the same object in time, band, flux
            and flux_err. "drop" keeps the first, and warns; it also finds copies that were rounded
            to other digits, up to 6e-5 days in time, 0.1 % in flux and 1 % in flux_err.
            Observations of equal time and band but different flux are different measurements, and
            are kept.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If a column is missing, ids are missing or of mixed types, or observations are invalid.
        UnknownPassbandError
            If a band is not known; register it with `sklc.register_passband`.
        TypeError
            If `frame` is not a table.

        Warns
        -----
        LightCurveWarning
            If observations were dropped; if times or fluxes look like Julian dates, seconds or
            magnitudes; or if errors or metadata hold numbers that usually stand for a missing
            value, such as -9, 99 or 1e20.

        Notes
        -----
        Values that are masked, None, ``pandas.NA`` or null are missing. Units of astropy are
        converted: times to days (a `Time` becomes MJD, in its own scale), errors to the unit of the
        fluxes, and flux densities set the zero point (8.9 for Jy, 16.4 for mJy, 23.9 for uJy, 31.4
        for nJy). Fluxes in other units need `zero_point`.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklc.light_curves import LightCurves
        >>> frame = pd.DataFrame({
        ...     "object_id": ["a", "a", "b"],
        ...     "mjd": [59002.4, 59001.3, 59001.3],
        ...     "band": ["ztfr", "ztfg", "ztfg"],
        ...     "flux": [310.0, 250.0, 90.0],
        ...     "flux_err": [9.0, 8.0, 11.0],
        ... })
        >>> curves = LightCurves.from_frame(frame)
        >>> curves
        LightCurves: 2 objects, 3 observations (median 1.5), bands ztfr ztfg, zero point 27.5
        >>> curves[0].band_names
        array(['ztfg', 'ztfr'], dtype=object)
        """
        options = ReadOptions(
            object_id=object_id,
            time=time,
            flux=flux,
            flux_err=flux_err,
            band=band,
            metadata=metadata,
            zero_point=zero_point,
            survey=survey,
            passband=passband,
            invalid=invalid,
            duplicates=duplicates,
        )
        return cls(tables.read(frame, options))

    @classmethod
    def from_magnitudes(
        cls,
        frame: Any,
        *,
        mag: str = "mag",
        mag_err: str | None = "mag_err",
        limiting_mag: str | None = None,
        sign: str | float | None = None,
        limits: str = "drop",
        system: str = "AB",
        object_id: str | None = "object_id",
        time: str = "mjd",
        band: str | None = "band",
        metadata: Any = None,
        zero_point: float = DEFAULT_ZERO_POINT,
        survey: Any = None,
        passband: str | Passband | None = None,
        invalid: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Build from a long table of magnitudes: one row per observation.

        ``flux = sign * 10 ** (-0.4 * (mag - zero_point))``, and to first order
        ``flux_err = |flux| * mag_err * ln(10) / 2.5``.

        Parameters
        ----------
        frame : table
            As for `from_frame`.
        mag : str, default="mag"
            Name of the column of magnitudes. Missing values and the sentinels 99, 999, -9, -99, ...
            mark rows without a detection. Text such as ">18.2" or "<18.2" is a limit.
        mag_err : str or None, default="mag_err"
            Name of the column of standard errors in magnitudes; None if they are not known.
            Errors above 0.3 mag, which belong to fluxes below 3.6 sigma, are kept with a warning:
            magnitudes of faint detections are biased, and their fluxes are not Gaussian.
        limiting_mag : str, optional
            Name of the column of 5-sigma limits, which are used where there is no magnitude; or of
            a column of booleans, which say that the magnitude itself is a limit.
        sign : str or {1, -1}, optional
            Name of the column of the signs of difference fluxes, in any spelling of `isdiffpos`
            ("t" and "f", 1 and 0, 1 and -1, "+" and "-", True and False), or one sign for all. The
            default is positive.
        limits : {"drop", "zero"}, default="drop"
            "drop" leaves out rows without a magnitude. "zero" reads limits as flux 0 with a fifth
            of the limit's flux as error. Both warn, and say how many rows were left out.
        system : str, default="AB"
            "AB", "Vega", or the name of a column that holds these. Vega magnitudes are converted
            by ``Passband.ab_minus_vega``.
        object_id, time, band, metadata
            As for `from_frame`.
        zero_point : float, default=27.5
            The AB zero point that the fluxes shall have.
        survey, passband, invalid, duplicates
            As for `from_frame`.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            As `from_frame`, and if a magnitude has no usable error or sign, or the offset of a
            passband from Vega to AB magnitudes is not known.
        ValueError
            If `limits` or `system` is not known.

        Warns
        -----
        LightCurveWarning
            If rows were left out, errors are above 0.3 mag, or the table has signs that were not
            asked for.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklc.light_curves import LightCurves
        >>> frame = pd.DataFrame({
        ...     "object_id": ["a", "a", "a"],
        ...     "mjd": [59001.3, 59002.4, 59004.3],
        ...     "band": ["ztfr", "ztfg", "ztfr"],
        ...     "mag": [20.0, 19.5, float("nan")],
        ...     "mag_err": [0.1, 0.05, float("nan")],
        ...     "diffmaglim": [20.6, 20.4, 20.5],
        ...     "isdiffpos": ["t", "f", None],
        ... })
        >>> curves = LightCurves.from_magnitudes(
        ...     frame, limiting_mag="diffmaglim", limits="zero", sign="isdiffpos"
        ... )
        >>> curves.flux.round(1), curves.flux_err.round(1)
        (array([ 1000. , -1584.9,     0. ]), array([ 92.1,  73. , 126.2]))
        """
        names = magnitudes.MagnitudeColumns(mag, mag_err, limiting_mag, sign, limits, system)
        options = ReadOptions(
            object_id=object_id,
            time=time,
            band=band,
            metadata=metadata,
            zero_point=zero_point,
            survey=survey,
            passband=passband,
            invalid=invalid,
            duplicates=duplicates,
        )
        return cls(magnitudes.read(frame, names, options))

    @classmethod
    def from_nested(
        cls,
        nested_frame: Any,
        *,
        object_id: str | None = None,
        column: str | None = None,
        time: str | None = None,
        flux: str | None = None,
        flux_err: str | None = None,
        band: str | None = None,
        zero_point: Any = FROM_TABLE,
        survey: Any = None,
        passband: str | Passband | None = None,
        invalid: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Build from a nested-pandas frame: one row per object, one nested column of observations.

        Observations that are sorted by time are not copied. All other columns become metadata, and
        the index, or the column `object_id`, becomes the ids.

        Parameters
        ----------
        nested_frame : nested_pandas.NestedFrame
            The frame, or a table of pandas, pyarrow or polars with a column of structures of lists,
            or of lists of structures, as these libraries read the same files. A missing light curve
            is read as an empty one.
        object_id : str, optional
            Name of the column of ids; by default the index holds them. The index of catalogues of
            LSDB, ``_healpix_29``, does not, since several objects may share it: then the default
            is a column of the usual names, such as objectId.
        column : str, optional
            Name of the nested column. It may be left out if there is only one.
        time, flux, flux_err, band : str, optional
            Names of the fields of the nested column. The default is the first of these that exists:
            mjd, time, t; flux; flux_err, fluxerr, flux_error; band, passband, filter. If there is
            no field of errors, they are unknown.
        zero_point : float or str, optional
            As for `from_frame`, with the name of a field, "zp" by default.
        survey, passband, invalid, duplicates
            As for `from_frame`. If there is neither a band field nor `passband`, the passband is
            anonymous.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            As `from_frame`, and if the nested column or a field does not exist.

        Examples
        --------
        >>> from nested_pandas import NestedFrame
        >>> from sklc.light_curves import LightCurves
        >>> nested = LightCurves.from_arrays(
        ...     [[1.0, 2.0], [1.5]], [[10.0, 20.0], [5.0]], [[1.0, 1.0], [1.0]], "lsstr", ids=[7, 8]
        ... ).to_nested()
        >>> LightCurves.from_nested(nested).lengths
        array([2, 1])
        """
        options = ReadOptions(
            column=column,
            time=time,
            flux=flux,
            flux_err=flux_err,
            band=band,
            zero_point=zero_point,
            survey=survey,
            passband=passband,
            invalid=invalid,
            duplicates=duplicates,
        )
        return cls(nested.read(nested_frame, options, object_id))

    @classmethod
    def from_arrays(
        cls,
        time: Any,
        flux: Any,
        flux_err: Any = None,
        band: Any = None,
        *,
        offsets: Any = None,
        object_id: Any = None,
        ids: Any = None,
        metadata: Any = None,
        zero_point: Any = NOT_GIVEN,
        survey: Any = None,
        passband: str | Passband | None = None,
        invalid: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Build from flat arrays, or from lists of one array per object.

        Parameters
        ----------
        time, flux : array-like of shape (n_obs_total,), or list of arrays
            Times and fluxes. In lists, each entry is one object; otherwise pass `offsets` or
            `object_id`.
        flux_err : array-like, list of arrays or None
            Errors of the fluxes; None if they are not known.
        band : array-like, list, str, Passband or None
            Names or filter ids, in the form of the other columns. One name stands for all
            observations, or in a list for all observations of its object. None stands for an
            anonymous passband.
        offsets : array-like of int, shape (n_objects + 1,), optional
            Object ``i`` owns the rows ``offsets[i]:offsets[i + 1]``.
        object_id : array-like of shape (n_obs_total,), optional
            The object that each row belongs to.
        ids : array-like of shape (n_objects,), optional
            Identifiers of the objects, for use with `offsets` or lists; by default 0, 1, 2, ...
        metadata : table or dict of arrays, optional
            One row per object: aligned by its index if that holds ids, otherwise in order.
        zero_point : float or array-like, default=27.5
            AB zero point of the fluxes, or one for each observation or object: then the fluxes are
            rescaled, unless all are equal. By default that of the unit of the fluxes, if they have
            one.
        survey, passband, invalid, duplicates
            As for `from_frame`.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            As `from_frame`, and if lengths do not match.
        ValueError
            If the arguments do not say which rows belong to which object.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays(
        ...     time=[1.0, 2.0, 1.5],
        ...     flux=[10.0, 20.0, 5.0],
        ...     flux_err=[1.0, 1.0, 2.0],
        ...     band=["g", "r", "g"],
        ...     offsets=[0, 2, 3],
        ...     survey="ztf",
        ... )
        >>> curves.band_names
        array(['ztfg', 'ztfr', 'ztfg'], dtype=object)
        """
        options = ReadOptions(
            metadata=metadata,
            zero_point=zero_point,
            survey=survey,
            passband=passband,
            invalid=invalid,
            duplicates=duplicates,
        )
        own = {"offsets": offsets, "object_id": object_id, "ids": ids}
        return cls(arrays.read(time, flux, flux_err, band, **own, options=options))

    @classmethod
    def from_padded(
        cls,
        X: Any,
        lengths: Any = None,
        *,
        ids: Any = None,
        metadata: Any = None,
        zero_point: Any = NOT_GIVEN,
        passband: str | Passband | None = None,
        invalid: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Build from a 3-D array that is padded with NaN at the end of each object.

        Parameters
        ----------
        X : array-like of shape (n_objects, n_observations, n_columns)
            Columns time (days), flux[, flux_err[, wavelength (micrometre)]]. Rows that are NaN
            throughout, after an object's last observation, are padding; a NaN before that is
            invalid. A wavelength within 1e-4 of a registered passband is that passband, any other
            an anonymous one.
        lengths : array-like of int, shape (n_objects,), optional
            Number of observations of each object, if it is known.
        ids, metadata, zero_point
            As for `from_arrays`.
        passband : str or Passband, optional
            The passband, if there is no wavelength column; by default it is anonymous.
        invalid, duplicates
            As for `from_frame`.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            As `from_frame`, and if the shape or the lengths are wrong.

        Examples
        --------
        >>> import numpy as np
        >>> from sklc.light_curves import LightCurves
        >>> X = np.full((2, 3, 2), np.nan)
        >>> X[0, :2], X[1, :3] = [[1, 10], [2, 20]], [[1, 5], [3, 6], [4, 9]]
        >>> LightCurves.from_padded(X, passband="kepler", zero_point=25.0)
        LightCurves: 2 objects, 5 observations (median 2.5), bands kepler, zero point 25
        """
        options = ReadOptions(
            metadata=metadata,
            zero_point=zero_point,
            passband=passband,
            invalid=invalid,
            duplicates=duplicates,
        )
        return cls(padded.read(X, options, lengths, ids))

    @classmethod
    def from_parquet(
        cls,
        path: str | Path | None = None,
        *,
        objects: Any = None,
        photometry: Any = None,
        **options: Any,
    ) -> Self:
        """Build from two parquet files, one of objects and one of their observations.

        Parameters
        ----------
        path : str or Path, optional
            A folder with ``objects.parquet`` and ``photometry.parquet``; or a folder of such
            folders, as `sklc.simulate.simulate_to_parquet` writes.
        objects, photometry : str or Path, optional
            The two files, instead of a folder.
        **options
            The options of `from_frame`: object_id, time, flux, flux_err, band, zero_point, survey,
            passband, invalid, duplicates.

        Returns
        -------
        LightCurves
            In the order of the objects file, whose other columns become metadata.

        Raises
        ------
        LightCurveError
            As `from_frame`, and if an object has no photometry, or photometry no object.
        FileNotFoundError
            If a file does not exist.

        Examples
        --------
        >>> import tempfile
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], [1.0, 1.0], "ztfg",
        ...                                  offsets=[0, 2], ids=["a"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     curves.to_parquet(folder)
        ...     LightCurves.from_parquet(folder).equals(curves)
        True
        """
        files = {"objects": objects, "photometry": photometry}
        return cls(parquet_blocks.read_whole(path, options, **files))

    @classmethod
    def iter_parquet(
        cls, path: str | Path, *, n_objects: int | None = None, **options: Any
    ) -> Iterator[Self]:
        """Read a large data set part by part, in bounded memory.

        Parameters
        ----------
        path : str or Path
            As for `from_parquet`; a folder without parts is one part.
        n_objects : int, optional
            The largest number of objects to read at a time; larger parts are divided. The
            photometry must then keep the observations of an object together, and the objects in the
            order of the objects file, as `to_parquet` writes them.
        **options
            As for `from_parquet`.

        Yields
        ------
        LightCurves
            The parts, in order.

        Raises
        ------
        LightCurveError
            As `from_parquet`, and if parts are missing, or not in the order that `n_objects`
            needs.
        ValueError
            If `n_objects` is not positive.

        Examples
        --------
        >>> import tempfile
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], [1.0, 1.0], "ztfg",
        ...                                  offsets=[0, 2], ids=["a"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     curves.to_parquet(folder)
        ...     [len(part) for part in LightCurves.iter_parquet(folder)]
        [1]
        """
        yield from map(cls, parquet_blocks.iter_parts(path, n_objects, options))

    # Selections and other changes

    def detections(self, snr: float = 5.0) -> Self:
        """Keep the observations with flux / flux_err >= snr.

        Parameters
        ----------
        snr : float, default=5.0
            The least signal-to-noise ratio.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If the errors are not known.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 2.0], [1.0, 1.0], "ztfg",
        ...                                  offsets=[0, 2])
        >>> curves.detections(snr=5).flux
        array([9.])
        """
        return self._from_store(operations.detections(self._compact(), snr))

    def truncate(self, *, days: float | None = None, points: int | None = None) -> Self:
        """Keep the beginning of each light curve.

        Parameters
        ----------
        days : float, optional
            Keep the observations up to this long after the object's first, inclusive.
        points : int, optional
            Keep this many observations, in any band.

        Returns
        -------
        LightCurves

        Raises
        ------
        ValueError
            If not exactly one of the two is given, or it is negative.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0, 9.0], [9.0, 8.0, 7.0], None, "ztfg",
        ...                                  offsets=[0, 3])
        >>> curves.truncate(days=5).time, curves.truncate(points=1).time
        (array([1., 2.]), array([1.]))
        """
        return self._from_store(operations.truncate(self._compact(), days, points))

    def with_bands(self, *names: str | Passband) -> Self:
        """Keep the observations in these bands.

        Parameters
        ----------
        *names : str or Passband
            A name or an unambiguous alias selects all passbands of that name, whatever their
            surveys and wavelengths; a `Passband` selects exactly that one. The selected ones
            become `passbands`, in this order.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If no passband of the container has the name, or none is the given passband.
        ValueError
            If no name is given.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], None, ["ztfg", "ztfr"],
        ...                                  offsets=[0, 2])
        >>> curves.with_bands("ztfr").flux
        array([8.])
        """
        return self._from_store(operations.with_bands(self._compact(), names))

    def nightly(self) -> Self:
        """Average the observations of one object, band and night.

        The night is ``floor(time)``, the day of MJD. Times and fluxes are averaged with
        inverse-variance weights, and flux_err is the error of that average. If an error is not
        known, the average is unweighted and its error is not known.

        Returns
        -------
        LightCurves

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.25, 1.75, 2.5], [8.0, 10.0, 7.0], [1.0, 1.0, 1.0],
        ...                                  "ztfg", offsets=[0, 3])
        >>> curves.nightly().time, curves.nightly().flux
        (array([1.5, 2.5]), array([9., 7.]))
        """
        return self._from_store(operations.nightly(self._compact()))

    def with_metadata(self, frame: Any = None, /, **columns: Any) -> Self:
        """Add per-object columns, or replace those of the same name.

        Parameters
        ----------
        frame : table, optional
            A pandas.DataFrame indexed by id, or a table of another library with a column object_id;
            in any order, with a row for each object. Other rows are ignored.
        **columns : array-like of shape (n_objects,) or scalar
            Values in the order of the objects; a Series that is indexed by ids is aligned by them.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If an object has no row, or a column does not have one value per object.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], None, "ztfg",
        ...                                  offsets=[0, 1, 2], ids=["a", "b"])
        >>> curves.with_metadata(redshift=[0.1, 0.2]).metadata["redshift"].to_dict()
        {'a': 0.1, 'b': 0.2}
        """
        return self._from_store(operations.with_metadata(self._compact(), frame, columns))

    @classmethod
    def concatenate(
        cls,
        containers: Sequence[Self],
        *,
        suffixes: Sequence[str] | None = None,
        prefix_ids: bool = False,
    ) -> Self:
        """Put the objects of several containers one after the other.

        Fluxes are rescaled to the zero point of the first, the passband tables are merged, and
        metadata columns that a container lacks are missing (NaN) for its objects.

        Parameters
        ----------
        containers : sequence of LightCurves
            The containers, at least one.
        suffixes : sequence of str, optional
            One suffix per container, which is appended to its ids; these become strings.
        prefix_ids : bool, default=False
            Whether to put the number of the container before its ids: "0_", "1_", ...

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If an id occurs twice, or ids are of mixed types.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], None, "ztfg",
        ...                                  offsets=[0, 1, 2], ids=["a", "b"])
        >>> LightCurves.concatenate([curves, curves[:1]], suffixes=["", "_again"]).ids
        array(['a', 'b', 'a_again'], dtype=object)
        """
        checked = concatenation.check_containers(containers, LightCurves, suffixes)
        stores = [container._compact() for container in checked]
        return cls(concatenation.concatenate(stores, suffixes=suffixes, prefix_ids=prefix_ids))

    # Exports

    def to_frame(self) -> pd.DataFrame:
        """Return a long table, one row per observation.

        `from_frame` reads the table back, if the metadata is passed along:
        ``LightCurves.from_frame(curves.to_frame(), metadata=curves.metadata)``. Objects without
        observations have no row, and a table without rows has no zero point.

        Returns
        -------
        pandas.DataFrame
            Columns object_id, mjd, band (categorical, the names of the passbands), flux, flux_err
            and zp. If the name of any passband does not identify it among the built-in ones,
            two more columns do: band_survey (categorical) and band_wavelength
            (micrometre).

        Warns
        -----
        LightCurveWarning
            If objects have no observations.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], [1.0, 1.0], "ztfg",
        ...                                  offsets=[0, 2], ids=["a"])
        >>> curves.to_frame()
          object_id  mjd  band  flux  flux_err    zp
        0         a  1.0  ztfg   9.0       1.0  27.5
        1         a  2.0  ztfg   8.0       1.0  27.5
        """
        return tables.to_frame(self._compact())

    def to_nested(self) -> NestedFrame:
        """Return a nested-pandas frame, one row per object.

        This is the form for meta-estimators that turn X into an array themselves, and the way to
        LSDB. `from_nested` reads it back.

        Returns
        -------
        nested_pandas.NestedFrame
            The metadata, and a nested column "lightcurve" with the fields time, band, flux and
            flux_err, and zp if the zero point is not 27.5; indexed by id. As in `to_frame`, there
            are the fields band_survey and band_wavelength where names do not identify the
            passbands. Arrays are not copied.

        Raises
        ------
        LightCurveError
            If a metadata column has the name "lightcurve".

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], [1.0, 1.0], "ztfg",
        ...                                  offsets=[0, 2], ids=["a"])
        >>> nested = curves.to_nested()
        >>> nested["lightcurve.flux"].to_list()
        [9.0, 8.0]
        """
        return nested.to_nested(self._compact())

    def to_padded(self) -> np.ndarray:
        """Return a 3-D array padded with NaN; `from_padded` reads it back.

        The array holds times, fluxes, errors and the wavelengths of the passbands, from which
        `from_padded` chooses names. Ids, metadata and the zero point have to be passed to it
        separately. Fluxes become float64.

        Returns
        -------
        ndarray of float64, shape (n_objects, longest, 4)
            Columns time (days), flux, flux_err, wavelength (micrometre).

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([[1.0, 2.0], [3.0]], [[9.0, 8.0], [7.0]],
        ...                                  [[1.0, 1.0], [2.0]], "ztfg")
        >>> curves.to_padded()[1]
        array([[3.    , 7.    , 2.    , 0.4814],
               [   nan,    nan,    nan,    nan]])
        """
        return padded.to_padded(self._compact(), self.wavelength)

    def to_parquet(self, folder: str | Path) -> None:
        """Write objects.parquet and photometry.parquet; `from_parquet` reads them back.

        Parameters
        ----------
        folder : str or Path
            The folder, which is created if it does not exist. Files of these names are replaced,
            both or none of them, whatever interrupts it; other files stay.

        Raises
        ------
        LightCurveError
            If a metadata column has the name "object_id".
        OSError
            If the folder cannot be written, for example because the disk is full. It is then as
            it was.

        Examples
        --------
        See `LightCurves.from_parquet`.
        """
        parquet_writing.write_store(self._compact(), folder)

    # Display

    def __repr__(self) -> str:
        return summary(self._store, self.lengths)

    def _repr_html_(self) -> str:
        return html_table(repr(self), list(self[:5]), len(self))
