"""The constructors of `LightCurves`: what each source looks like to the user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sklc import _arrays, _convert
from sklc._store import DEFAULT_ZERO_POINT, Store
from sklc.passbands import Passband

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


class Constructors:
    """Class methods that build the container from tables, arrays, nested frames and files."""

    @classmethod
    def _from_store(cls, store: Store, rows: Any = None) -> Self:
        raise NotImplementedError

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        object_id: str = "object_id",
        time: str = "mjd",
        flux: str = "flux",
        flux_err: str | None = "flux_err",
        band: str | None = "band",
        metadata: Any = None,
        zero_point: Any = _convert.FROM_TABLE,
        survey: Any = None,
        passband: str | Passband | None = None,
        invalid: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Build from a long table: one row an observation.

        Parameters
        ----------
        frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
            Rows need no order. Objects keep the order of their first appearance; within an object
            rows are sorted by time where they are not, rows of equal time in their given order.
            Columns of the right type are not copied: do not change them in place afterwards.
        object_id, time, flux : str
            Names of the columns. Times are days, MJD as a rule. Integer, categorical or
            dictionary-encoded ids and bands are fast (10 million sorted rows in 30 to 100 ms);
            plain strings take three to ten times as long, unsorted rows longer still.
        flux_err : str or None, default="flux_err"
            Name of the column of standard errors; None if they are not known. A column that is
            NaN throughout counts as not known.
        band : str or None, default="band"
            Name of the column of band names, aliases or filter ids; None with `passband`.
        metadata : table, optional
            One row an object, indexed by id or with a column of the name `object_id`. Every
            object needs its row, and every row its object. Rows are put in the order of objects.
        zero_point : float or str, optional
            AB zero point of the fluxes, or the name of a column of zero points, by which each row
            is rescaled to 27.5. By default the column "zp" if the table has one, else 27.5.
        survey : str or sequence of str, optional
            The survey that short band names ("g", 1) belong to; or one for each object. By default
            the metadata column "survey", if there is one. Kept as that column.
        passband : str or Passband, optional
            The one passband of the table, with ``band=None``.
        invalid : {"raise", "drop"}, default="raise"
            What to do with observations whose time, flux or flux_err is NaN or infinite, whose
            flux_err is not positive, or whose band is missing. "drop" warns with the count.
            Objects that lose all observations stay, empty.
        duplicates : {"raise", "drop", "keep"}, default="raise"
            What to do with observations that repeat another of the same object in time, band, flux
            and flux_err. "drop" keeps the first and warns with the count. Another flux at the same
            time and band is another measurement, and is kept.

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
            If observations were dropped, or times or fluxes look like Julian dates, seconds or
            magnitudes.

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
        return cls._from_store(
            _convert.store_from_frame(
                frame,
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
        )

    @classmethod
    def from_nested(
        cls,
        nested_frame: Any,
        *,
        column: str | None = None,
        time: str | None = None,
        flux: str | None = None,
        flux_err: str | None = None,
        band: str | None = None,
        zero_point: Any = _convert.FROM_TABLE,
        survey: Any = None,
        passband: str | Passband | None = None,
        invalid: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Build from a nested-pandas frame: one row an object, one nested column of observations.

        Observations sorted by time are not copied. All other columns become metadata, the index
        becomes the ids.

        Parameters
        ----------
        nested_frame : nested_pandas.NestedFrame
            Or a pandas.DataFrame with a nested column. A missing light curve is an empty one.
        column : str, optional
            The nested column; by default the only one.
        time, flux, flux_err, band : str, optional
            Fields of the nested column. By default the first there is of mjd, time, t; flux;
            flux_err, fluxerr, flux_error; band, passband, filter. Without a field of errors they
            are not known.
        zero_point : float or str, optional
            AB zero point of the fluxes, or the name of a field of zero points, by which fluxes
            are rescaled to 27.5. By default the field "zp" if there is one, else 27.5.
        survey, passband, invalid, duplicates
            As for `from_frame`. Without a band field and without `passband`, the passband is an
            anonymous one.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            As `from_frame`, and if the nested column or a field is not there.

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
        from sklc._nested import store_from_nested

        return cls._from_store(
            store_from_nested(
                nested_frame,
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
        )

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
        zero_point: float = DEFAULT_ZERO_POINT,
        survey: Any = None,
        passband: str | Passband | None = None,
        invalid: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Build from flat arrays, or from lists of one array an object.

        Parameters
        ----------
        time, flux : array-like of shape (n_obs_total,), or list of arrays
            With lists, each entry is one object; otherwise pass `offsets` or `object_id`.
        flux_err : array-like, list of arrays or None
            None: not known.
        band : array-like, list, str, Passband or None
            Names or filter ids, as the other columns; one name stands for all observations (or
            those of its object, within a list). None: an anonymous passband.
        offsets : array-like of int, shape (n_objects + 1,), optional
            Object ``i`` owns the rows ``offsets[i]:offsets[i + 1]``.
        object_id : array-like of shape (n_obs_total,), optional
            The object of each row.
        ids : array-like of shape (n_objects,), optional
            With `offsets` or lists; by default 0, 1, 2, ...
        metadata : table or dict of arrays, optional
            One row an object: aligned by its index if that holds ids, otherwise in order.
        zero_point : float, default=27.5
            AB zero point of the fluxes.
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
            If it is not clear which rows belong to which object.

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
        return cls._from_store(
            _arrays.store_from_arrays(
                time,
                flux,
                flux_err,
                band,
                offsets=offsets,
                object_id=object_id,
                ids=ids,
                metadata=metadata,
                zero_point=zero_point,
                survey=survey,
                passband=passband,
                invalid=invalid,
                duplicates=duplicates,
            )
        )

    @classmethod
    def from_padded(
        cls,
        X: Any,
        lengths: Any = None,
        *,
        ids: Any = None,
        metadata: Any = None,
        zero_point: float = DEFAULT_ZERO_POINT,
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
            The passband, where there is no wavelength column; by default an anonymous one.
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
        return cls._from_store(
            _arrays.store_from_padded(
                X,
                lengths,
                ids=ids,
                metadata=metadata,
                zero_point=zero_point,
                passband=passband,
                invalid=invalid,
                duplicates=duplicates,
            )
        )

    @classmethod
    def from_parquet(
        cls,
        path: str | Path | None = None,
        *,
        objects: Any = None,
        photometry: Any = None,
        **options: Any,
    ) -> Self:
        """Build from parquet files; see `sklc.io.parquet.read_parquet`.

        Parameters
        ----------
        path : str or Path, optional
            A folder with ``objects.parquet`` and ``photometry.parquet``; or a folder of such
            folders, as `sklc.simulate.simulate_to_parquet` writes.
        objects, photometry : str or Path, optional
            The two files, instead of a folder.
        **options
            As for `from_frame`: object_id, time, flux, flux_err, band, zero_point, survey,
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
            If a file is not there.

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
        from sklc._operations import concatenate
        from sklc.io.parquet import list_parts, read_store

        if path is not None and objects is None and photometry is None:
            stores = [read_store(part, **options) for part in list_parts(path)]
            return cls._from_store(stores[0] if len(stores) == 1 else concatenate(stores))
        return cls._from_store(read_store(path, objects=objects, photometry=photometry, **options))

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
            Most objects to read at a time, for parts that are larger. The photometry must then
            have the observations of an object together, and the objects in the order of the
            objects file, as `to_parquet` writes them.
        **options
            As for `from_parquet`.

        Yields
        ------
        LightCurves
            One part after the other.

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
        from sklc.io.parquet import list_parts, read_store
        from sklc.io.parquet_blocks import iter_stores

        if n_objects is not None and (int(n_objects) != n_objects or n_objects < 1):
            raise ValueError(f"n_objects must be a positive integer, got {n_objects!r}")
        for part in list_parts(path):
            if n_objects is None:
                yield cls._from_store(read_store(part, **options))
            else:
                yield from map(cls._from_store, iter_stores(part, int(n_objects), **options))
