"""One light curve of a `LightCurves` container."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sklc.light_curves.bands import band_columns
from sklc.light_curves.store import DEFAULT_ZERO_POINT, Store
from sklc.passbands.registry import Passband, passband_labels


class LightCurve:
    """One object: its observations in order of time, its id and its metadata.

    Indexing a `LightCurves` container with an integer, or iterating over it, returns such objects.
    The arrays are read-only views of those of the container.

    Attributes
    ----------
    id : int or str
        Identifier of the object.
    time : ndarray of float64, shape (n_obs,)
        Days, ascending.
    flux, flux_err : ndarray of float, shape (n_obs,)
        Flux in units that `zero_point` sets, and its standard error (NaN where not known).
    band : ndarray of int, shape (n_obs,)
        Index into `passbands`.
    band_names : ndarray of str, shape (n_obs,)
        Names of the passbands. Passbands of different surveys or wavelengths may share a name.
    wavelength : ndarray of float64, shape (n_obs,)
        Effective wavelength, micrometre.
    passbands : tuple of Passband
        The passbands that occur in this light curve.
    metadata : pandas.Series
        The object's row of `LightCurves.metadata`.
    zero_point : float
        AB zero point: magnitude = zero_point - 2.5 log10(flux).

    Examples
    --------
    >>> from sklc.light_curves import LightCurves
    >>> curves = LightCurves.from_arrays(
    ...     [59000.0, 59003.0], [110.0, 180.0], [5.0, 6.0], "ztfg", offsets=[0, 2], ids=["a"]
    ... )
    >>> curves[0]
    LightCurve 'a': 2 observations over 3.0 days, bands ztfg
    >>> curves[0].flux
    array([110., 180.])
    """

    __slots__ = ("_row", "_store")

    def __init__(self, store: Store, row: int) -> None:
        self._store = store
        self._row = row

    def __reduce__(self) -> tuple[Any, ...]:
        # the pickle holds this object alone, without the observations of the others
        if self._store.n_objects == 1:
            return LightCurve, (self._store, 0)
        return LightCurve, (self._store.compact(np.array([self._row])), 0)

    def _own(self, column: np.ndarray) -> np.ndarray:
        offsets = self._store.offsets
        return column[offsets[self._row] : offsets[self._row + 1]]

    @property
    def id(self) -> Any:
        """Identifier of the object."""
        own = self._store.ids[self._row]
        return own.item() if isinstance(own, np.generic) else own

    @property
    def time(self) -> np.ndarray:
        """Times in days, ascending, shape (n_obs,)."""
        return self._own(self._store.time)

    @property
    def flux(self) -> np.ndarray:
        """Fluxes, shape (n_obs,)."""
        return self._own(self._store.flux)

    @property
    def flux_err(self) -> np.ndarray:
        """Standard errors of the fluxes, NaN where not known, shape (n_obs,)."""
        return self._own(self._store.flux_err)

    @property
    def band_names(self) -> np.ndarray:
        """Canonical names of the passbands, shape (n_obs,)."""
        names = np.array([p.name for p in self._store.passbands], dtype=object)
        return names[self._own(self._store.band)]

    @property
    def band(self) -> np.ndarray:
        """Codes of the passbands, an index into `passbands`, shape (n_obs,)."""
        return np.unique(self._own(self._store.band), return_inverse=True)[1]

    @property
    def wavelength(self) -> np.ndarray:
        """Effective wavelengths in micrometre, shape (n_obs,)."""
        table = np.array([p.wavelength for p in self._store.passbands], dtype=np.float64)
        return table[self._own(self._store.band)]

    @property
    def passbands(self) -> tuple[Passband, ...]:
        """The passbands that occur in this light curve."""
        codes = np.unique(self._own(self._store.band))
        return tuple(self._store.passbands[code] for code in codes)

    @property
    def metadata(self) -> pd.Series:
        """Per-object columns, as a Series."""
        return self._store.metadata.iloc[self._row].copy()

    @property
    def zero_point(self) -> float:
        """AB zero point of the flux."""
        return self._store.zero_point

    def __len__(self) -> int:
        return int(self._store.offsets[self._row + 1] - self._store.offsets[self._row])

    def to_frame(self) -> pd.DataFrame:
        """Return the observations as a table.

        Returns
        -------
        pandas.DataFrame
            Columns mjd, band, flux and flux_err; one row per observation. As in
            `LightCurves.to_frame`, there are the columns band_survey and band_wavelength where
            names do not identify the passbands; and there is a column zp if the zero point is not
            27.5.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> LightCurves.from_arrays([1.0], [9.0], [0.5], "ztfg", offsets=[0, 1])[0].to_frame()
           mjd  band  flux  flux_err
        0  1.0  ztfg   9.0       0.5
        """
        bands = band_columns(self._own(self._store.band), self._store.passbands)
        frame = pd.DataFrame(
            {
                "mjd": self.time,
                **{name: np.asarray(column) for name, column in bands.items()},
                "flux": self.flux,
                "flux_err": self.flux_err,
            }
        )
        return frame if self.zero_point == DEFAULT_ZERO_POINT else frame.assign(zp=self.zero_point)

    def __repr__(self) -> str:
        text = f"LightCurve {self.id!r}: {len(self)} observations"
        if not len(self):
            return text
        span = self.time[-1] - self.time[0]
        return f"{text} over {span:.1f} days, bands {' '.join(passband_labels(self.passbands))}"
