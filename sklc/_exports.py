"""The exports of `LightCurves`: tables, nested frames, padded arrays and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sklc._store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from nested_pandas import NestedFrame


class Exports:
    """Methods that hand the light curves to other libraries; each has its constructor."""

    def _compact(self) -> Store:
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """Return a long table, one row an observation.

        Objects without observations have no row. `from_frame` reads the table back.

        Returns
        -------
        pandas.DataFrame
            Columns object_id, mjd, band (categorical, canonical names), flux, flux_err, zp.

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
        store = self._compact()
        names = pd.Index([p.name for p in store.passbands], dtype=object)
        return pd.DataFrame(
            {
                "object_id": np.repeat(store.ids, np.diff(store.offsets)),
                "mjd": store.time,
                "band": pd.Categorical.from_codes(store.band, names),
                "flux": store.flux,
                "flux_err": store.flux_err,
                "zp": np.full(store.n_observations, store.zero_point),
            }
        )

    def to_nested(self) -> NestedFrame:
        """Return a nested-pandas frame, one row an object.

        This is the form for meta-estimators that turn X into an array themselves, and the way to
        LSDB. `from_nested` reads it back.

        Returns
        -------
        nested_pandas.NestedFrame
            The metadata, and a nested column "lightcurve" with the fields time, band, flux and
            flux_err, and zp if the zero point is not 27.5; indexed by id. Arrays are not copied.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], [1.0, 1.0], "ztfg",
        ...                                  offsets=[0, 2], ids=["a"])
        >>> nested = curves.to_nested()
        >>> nested["lightcurve.flux"].to_list()
        [9.0, 8.0]
        """
        from sklc._nested import to_nested

        return to_nested(self._compact())

    def to_padded(self) -> np.ndarray:
        """Return a 3-D array padded with NaN; `from_padded` reads it back.

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
        store = self._compact()
        lengths = np.diff(store.offsets)
        longest = int(lengths.max()) if len(lengths) else 0
        padded = np.full((len(lengths), longest, 4), np.nan)
        where = np.arange(longest) < lengths[:, None]
        wavelengths = np.array([p.wavelength for p in store.passbands], dtype=np.float64)
        for k, column in enumerate((store.time, store.flux, store.flux_err)):
            padded[where, k] = column
        padded[where, 3] = wavelengths[store.band]
        return padded

    def to_parquet(self, folder: str | Path) -> None:
        """Write objects.parquet and photometry.parquet; `from_parquet` reads them back.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there; files of these names are replaced.

        Raises
        ------
        LightCurveError
            If a metadata column has the name "object_id".

        Examples
        --------
        See `LightCurves.from_parquet`.
        """
        from sklc.io.parquet import write_store

        write_store(self._compact(), folder)
