"""Published encoders of others as transformers of light curves: ParSNIP, and Astromer."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import warnings
from functools import lru_cache
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from sklc import LightCurves, as_light_curves

# Models that come with ParSNIP (Boone 2021), and what it calls our passbands.
PARSNIP_BANDS = {
    "plasticc": {f"lsst{band}": f"lsst{band}" for band in "ugrizy"},
    "ps1": {f"ps1{band}": f"ps1::{band}" for band in "griz"},
}
# What ParSNIP's own classifier reads.
PARSNIP_COLUMNS = ("color", "s1", "s2", "s3", "luminosity")
PARSNIP_ERRORS = (*(f"{name}_error" for name in PARSNIP_COLUMNS), "reference_time_error")
PARSNIP_ZERO_POINT = 25.0
ASTROMER_MIN_SNR = 3.0


class ParsnipFeatures(TransformerMixin, BaseEstimator):
    """Color, three shape parameters and luminosity of ParSNIP, with their errors.

    It needs the metadata column ``redshift``. An object that ParSNIP rejects gets NaN.

    Parameters
    ----------
    model : {"plasticc", "ps1"}
        A model that comes with the package.
    """

    def __init__(self, model="plasticc"):
        self.model = model

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        """Return an array of shape (n_objects, 11)."""
        import astropy.table
        import lcdata

        curves = as_light_curves(X)
        scale = 10 ** (0.4 * (PARSNIP_ZERO_POINT - curves.zero_point))
        names, tables = PARSNIP_BANDS[self.model], []
        metadata = curves.metadata
        for number, curve in enumerate(curves):
            columns = {
                "time": curve.time,
                "flux": scale * np.asarray(curve.flux, dtype=float),
                "fluxerr": scale * np.asarray(curve.flux_err, dtype=float),
                "band": [names.get(str(band), str(band)) for band in curve.band_names],
            }
            about = {"object_id": f"{number:09d}"}
            for name in ("redshift", "mwebv"):
                value = float(metadata[name].iloc[number]) if name in metadata else 0.0
                about[name] = value if np.isfinite(value) else 0.0
            tables.append(astropy.table.Table(columns, meta=about))
        described = np.full((len(curves), len(PARSNIP_COLUMNS + PARSNIP_ERRORS)), np.nan)
        # it reports progress on standard output
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            found = _parsnip(self.model).predict_dataset(lcdata.from_light_curves(tables))
        rows = np.array([int(name) for name in found["object_id"]])
        for number, name in enumerate(PARSNIP_COLUMNS + PARSNIP_ERRORS):
            described[rows, number] = np.asarray(found[name], dtype=float)
        described[~np.isfinite(described)] = np.nan
        return described


class AstromerFeatures(TransformerMixin, BaseEstimator):
    """The mean embedding of Astromer for each passband, side by side.

    It reads magnitudes, so that only observations above 3 sigma count. A passband in which an
    object has none gets NaN. The passbands are those of the light curves that it is fitted on.
    """

    def fit(self, X, y=None):
        self.bands_ = tuple(band.name for band in as_light_curves(X).passbands)
        return self

    def transform(self, X):
        """Return an array of shape (n_objects, 256 * n_bands)."""
        session, rows = astromer(), []
        for curve in as_light_curves(X):
            with np.errstate(invalid="ignore"):
                bright = curve.flux > ASTROMER_MIN_SNR * np.nan_to_num(curve.flux_err)
            parts = []
            for band in self.bands_:
                shown = bright & (curve.band_names == band)
                if not shown.any():
                    parts.append(None)
                    continue
                magnitude = curve.zero_point - 2.5 * np.log10(curve.flux[shown])
                parts.append(np.ravel(session(curve.time[shown], magnitude)))
            rows.append(parts)
        sizes = {len(part) for row in rows for part in row if part is not None} or {1}
        empty = np.full(max(sizes), np.nan)
        return np.stack([np.concatenate([empty if p is None else p for p in row]) for row in rows])


@lru_cache(maxsize=2)
def _parsnip(model: str) -> Any:
    import parsnip

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parsnip.load_model(model, threads=1)


@lru_cache(maxsize=1)
def astromer() -> Any:
    """Return Astromer 1 of the light-curve package, whose weights it downloads."""
    from light_curve.embed import Astromer1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental
        return Astromer1.from_hf()


# -- why not


def without_parsnip() -> str:
    """Return why ParSNIP cannot be used here, "" if it can."""
    if missing := [n for n in ("parsnip", "lcdata", "sncosmo") if not importlib.util.find_spec(n)]:
        return f"not installed ({', '.join(missing)}): pip install astro-parsnip"
    return ""


def not_for_parsnip(model: str, curves: LightCurves) -> str:
    """Return why a model of ParSNIP cannot read these light curves, "" if it can."""
    bands = {band.name for band in curves.passbands}
    if not bands & set(PARSNIP_BANDS[model]):
        return f"trained on {', '.join(PARSNIP_BANDS[model])} alone"
    if "redshift" not in curves.metadata:
        return "needs a redshift of every object"
    z = curves.metadata["redshift"].to_numpy(dtype=float, na_value=np.nan)
    if not np.all(z > 0):
        return f"needs a redshift of every object, and {np.sum(~(z > 0)):,} have none"
    try:
        _parsnip(model)
    except Exception as error:
        return f"the model cannot be loaded: {str(error)[:80]}"
    return ""


def without_astromer() -> str:
    """Return why Astromer cannot be used here, "" if it can."""
    if importlib.util.find_spec("light_curve") is None:
        return 'not installed: pip install "sklc[features]" huggingface_hub'
    try:
        astromer()
    except Exception as error:
        return f"its weights cannot be downloaded: {' '.join(str(error).split())[:80]}"
    return ""
