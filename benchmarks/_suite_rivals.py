"""Published encoders of others in the suite: ParSNIP, and Astromer 1."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from sklc import LightCurves, as_light_curves
from sklc.external import Astromer1, EmbeddingModel

# Models that come with ParSNIP (Boone 2021), and what it calls our passbands.
PARSNIP_BANDS = {
    "plasticc": {f"lsst{band}": f"lsst{band}" for band in "ugrizy"},
    "plasticc_photoz": {f"lsst{band}": f"lsst{band}" for band in "ugrizy"},
    "ps1": {f"ps1{band}": f"ps1::{band}" for band in "griz"},
}
# What ParSNIP's own classifier reads.
PARSNIP_COLUMNS = ("color", "s1", "s2", "s3", "luminosity")
PARSNIP_ERRORS = (*(f"{name}_error" for name in PARSNIP_COLUMNS), "reference_time_error")
PARSNIP_ZERO_POINT = 25.0
# Photometric redshifts scatter by this times (1 + z).
PHOTO_Z_ERROR = 0.03
ASTROMER_CHECKPOINT = "astromer1_macho_a0.zip"


class ParsnipFeatures(TransformerMixin, BaseEstimator):
    """Color, three shape parameters and luminosity of ParSNIP, with their errors.

    It needs the metadata column ``redshift``. The model with photometric redshifts is given this
    with an error of .03 (1 + z), which depends on the light curve alone. An object that ParSNIP
    rejects gets NaN.

    Parameters
    ----------
    model : {"plasticc", "plasticc_photoz", "ps1"}
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
            about |= _photometric_redshift(about["redshift"], columns["time"])
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


def _photometric_redshift(z: float, time: np.ndarray) -> dict[str, float]:
    """Return a redshift with an error, the same one whenever the light curve is read."""
    rng = np.random.default_rng(np.frombuffer(np.asarray(time[:4]).tobytes(), dtype=np.uint32))
    error = PHOTO_Z_ERROR * (1 + z)
    drawn = float(np.abs(z + error * rng.normal()))
    return {"hostgal_specz": z, "hostgal_photoz": drawn, "hostgal_photoz_err": error}


@lru_cache(maxsize=3)
def _parsnip(model: str) -> Any:
    import parsnip

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parsnip.load_model(model, threads=1)


def astromer() -> Any:
    """Return Astromer 1: from its checkpoint beside the data sets, or else downloaded."""
    folder = os.environ.get("SKLC_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
    checkpoint = Path(folder) / "rivals" / ASTROMER_CHECKPOINT
    if checkpoint.is_file():
        return Astromer1(checkpoint, device="cpu")
    return EmbeddingModel("Astromer1")


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
    model = astromer()
    if isinstance(model, Astromer1):
        return ""
    try:
        model.fit(LightCurves.from_arrays([[0.0, 1.0]], [[1.0, 2.0]], [[0.1, 0.1]], "ztfg"))
    except (ImportError, ValueError) as error:
        return f"no {ASTROMER_CHECKPOINT} in DIR/rivals, and {' '.join(str(error).split())[:80]}"
    return ""
