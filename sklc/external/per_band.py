"""What transformers that embed each passband by itself have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.light_curves.estimator_input import input_of
from sklc.light_curves.usable import Screened, screen, skips_unusable
from sklc.passbands import Passband, get_passband, passband_labels
from sklc.utils.sklearn_compat import check_feature_names_in, fit_context

__all__ = ["Magnitudes", "PerBandTransformer", "chosen_passbands", "magnitudes_of"]


@dataclass(frozen=True)
class Magnitudes:
    """Observations that have a magnitude, object by object.

    Parameters
    ----------
    offsets : ndarray of int, shape (n_objects + 1,)
        Where the observations of each object start, and where the last ones end.
    time, magnitude, magnitude_err : ndarray of float64, shape (n_observations,)
    band : ndarray of int, shape (n_observations,)
        Codes of the passbands of the light curves.
    """

    offsets: np.ndarray
    time: np.ndarray
    magnitude: np.ndarray
    magnitude_err: np.ndarray
    band: np.ndarray


def magnitudes_of(curves: LightCurves, passbands: Sequence[Passband], min_snr: float) -> Magnitudes:
    """Return magnitudes in some passbands, of fluxes that are positive and above `min_snr`."""
    codes = [code for code, passband in enumerate(curves.passbands) if passband in passbands]
    flux, error = (np.asarray(v, dtype=np.float64) for v in (curves.flux, curves.flux_err))
    # an error that is not known is no reason to leave an observation out
    kept = np.isin(curves.band, codes) & (flux > 0) & (flux > min_snr * np.nan_to_num(error))
    flux, error = flux[kept], error[kept]
    return Magnitudes(
        np.concatenate([[0], np.cumsum(kept)])[curves.offsets],
        np.asarray(curves.time, dtype=np.float64)[kept],
        curves.zero_point - 2.5 * np.log10(flux),
        2.5 / np.log(10) * error / flux,
        curves.band[kept],
    )


def chosen_passbands(
    curves: LightCurves, bands: Sequence[str | Passband] | None
) -> tuple[Passband, ...]:
    """Return the passbands that are asked for, or those with observations, by wavelength."""
    if bands is None:
        chosen = [curves.passbands[code] for code in np.unique(curves.band)]
        if not chosen:
            raise LightCurveError(
                f"None of the {len(curves)} light curves has an observation, so there are no "
                'bands to learn: name the bands, bands=["ztfg", "ztfr"].'
            )
    else:
        if isinstance(bands, str) or not len(bands):
            raise ValueError(
                f"bands={bands!r:.80} is not a list of passbands: pass one, such as "
                '["ztfg", "ztfr"], or None for all bands of the light curves.'
            )
        chosen = []
        for band in bands:
            there = [passband for passband in curves.passbands if passband.name == band]
            chosen += there or [get_passband(band)]
    return tuple(sorted(dict.fromkeys(chosen), key=lambda p: (p.wavelength, p.name, p.survey)))


class PerBandTransformer(TransformerMixin, BaseEstimator):
    """Embeds the light curve of each passband by itself, side by side.

    A class that derives from it has the parameters `bands` and `min_snr`, and the methods
    `_prepare` and `_embed`.
    """

    bands: Sequence[str | Passband] | None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        return tags

    @abstractmethod
    def _prepare(self) -> int:
        """Load the model, and return the size of an embedding."""

    @abstractmethod
    def _embed(self, curves: LightCurves, passbands: Sequence[Passband]) -> np.ndarray:
        """Return embeddings in some passbands, NaN for objects without observations there."""

    def _groups(self) -> list[tuple[str, tuple[Passband, ...]]]:
        """Return what is embedded at once: a label for the names of columns, and passbands."""
        labels = passband_labels(self.passbands_)
        return [(label, (band,)) for label, band in zip(labels, self.passbands_, strict=True)]

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> PerBandTransformer:
        """Load the model, and learn which passbands occur; nothing is trained.

        Parameters
        ----------
        X : light curves
            Any form that `sklc.as_light_curves` takes.
        y : None
            Ignored; present for compatibility with scikit-learn pipelines.

        Returns
        -------
        self : object
        """
        size = self._prepare()
        curves = self._curves(X, reset=True)
        self.passbands_ = self._learned_passbands(curves)
        self.n_features_out_ = size * len(self._groups())
        return self

    @skips_unusable
    def transform(self, X: Any, *, on_error: str = "raise") -> np.ndarray:
        """Compute the embeddings.

        Parameters
        ----------
        X : light curves
            Any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, or give it a row of NaN and warn
            ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        embeddings : ndarray of float32, shape (n_objects, n_features_out_)
            NaN where an object has no observation that the model can read.
        """
        check_is_fitted(self)
        curves = self._curves(X, reset=False)
        if not len(curves):
            return np.empty((0, self.n_features_out_), dtype=np.float32)
        parts = [self._embed(curves, passbands) for _, passbands in self._groups()]
        return np.concatenate(parts, axis=1).astype(np.float32, copy=False)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Only checked against `feature_names_in_`, as scikit-learn asks.

        Returns
        -------
        names : ndarray of str objects, shape (n_features_out_,)
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features, generate_names=False)
        groups, model = self._groups(), self._label()
        size = self.n_features_out_ // len(groups)
        return np.array([f"{prefix}{'_' if prefix else ''}{model}_{k}" for prefix, _ in groups
                         for k in range(size)], dtype=object)  # fmt: skip

    def _label(self) -> str:
        return type(self).__name__.lower()

    def _learned_passbands(self, curves: LightCurves) -> tuple[Passband, ...]:
        return chosen_passbands(curves, self.bands)

    def _screen(self, X: Any) -> Screened:
        check_is_fitted(self)
        return screen(X, min_points=None, read=partial(self._curves, reset=False))

    def _curves(self, X: Any, *, reset: bool) -> LightCurves:
        # An object without observations is a row of NaN, not an error.
        return input_of(self, X, reset=reset, min_points=None)
