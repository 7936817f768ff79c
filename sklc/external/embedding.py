"""The ONNX models of `light_curve.embed` as one transformer of light curves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.external.embedding_models import MODELS, EmbeddingKind, open_model
from sklc.external.per_band import PerBandTransformer, chosen_passbands, magnitudes_of
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object
from sklc.passbands import Passband, get_passband
from sklc.utils.sklearn_compat import HasMethods, Interval

__all__ = ["EmbeddingModel"]

_WINDOWS = "non-overlapping-windows"
_ZERO_POINT = 27.5  # of the fluxes that multi-band models read


class EmbeddingModel(PerBandTransformer):
    """Embed light curves with a published model of the light-curve package.

    The models of ``light_curve.embed`` [1]_ run in ONNX Runtime. Their files are downloaded from
    Hugging Face, or lie on your disk. They differ in what they read:

    - ``"Astromer1"``, ``"Astromer1ZTF"`` and ``"Astromer2"`` read times and magnitudes;
      ``"Chronos2"``, ``"ChronosBolt"`` and ``"Moment1"`` read magnitudes in the order of time
      alone. Each passband is embedded by itself, and embeddings lie side by side.
    - ``"AstraCLR"`` (ZTF g, r, i) reads magnitudes of all bands at once, and ``"ATCAT"`` and
      ``"ATAT"`` (LSST u to y) fluxes. There is one embedding per object. Other passbands are an
      error unless `band_map` says which band of the model each of them stands for.

    Models that read magnitudes are given observations above `min_snr` alone. A light curve that is
    longer than the input of a model is cut into consecutive windows, and their embeddings are
    averaged.

    Parameters
    ----------
    model : str
        Name of the class in ``light_curve.embed``: one of those above.
    file : str or path, or None, default=None
        An ONNX file of this model. None downloads it, which needs the package huggingface_hub and
        an internet connection.
    size : str or None, default=None
        Size of "ChronosBolt" ("tiny", "mini", "small" or "base") or "Moment1" ("small", "base" or
        "large"). Other models have one size.
    output : str or None, default=None
        Output of the model, such as "mean", "max" or "last". None takes that of the package.
        "sequence" is no embedding of an object.
    bands : sequence of str or Passband, or None, default=None
        Passbands that models of a single band embed, as in `Astromer1`.
    band_map : mapping of str to str, or None, default=None
        Which band of a multi-band model a passband stands for, such as
        ``{"ps1g": "lsstg", "ps1r": "lsstr"}``. Observations in passbands that are not named are
        left out. With None, every passband must be one of the model's.
    min_snr : float, default=3.0
        Smallest ratio of flux to error of an observation whose magnitude is read.
    reduction : str, list of str or Reduction, default="non-overlapping-windows"
        What is read of a light curve that is too long: see ``light_curve.embed``. Others, such as
        "beginning", "middle" or "end", leave observations out.

    Attributes
    ----------
    passbands_ : tuple of Passband
        The bands read, by ascending wavelength.
    n_features_out_ : int
        Number of columns of the embedding.
    n_features_in_ : int
        Number of samples per series; only when `fit` was given a 2-D array.
    feature_names_in_ : ndarray of str
        Column names; only when `fit` was given a 2-D frame with string column names.

    Raises
    ------
    ImportError
        If light-curve, ONNX Runtime or huggingface_hub is missing, or light-curve is too old; in
        `fit`.
    WeightsError
        If the file cannot be downloaded, is missing, or is that of another model; in `fit`.
    LightCurveError
        If a multi-band model does not know one of the passbands, or an error that it reads is
        missing.

    See Also
    --------
    Astromer1 : Astromer 1 with a checkpoint of its authors, without ONNX Runtime.

    Notes
    -----
    Terms of use differ: ATCAT's forbid military use. "ATAT" and "AstraCLR" have a limit per band,
    where the package cuts light curves by default: here, windows of such models end wherever one
    of the bands is full. A pickle holds the name of the file, and not its content.

    References
    ----------
    .. [1] https://github.com/light-curve/light-curve-python

    Examples
    --------
    >>> from sklc.external import EmbeddingModel
    >>> EmbeddingModel("Astromer2", file="astromer2.onnx")
    EmbeddingModel(file='astromer2.onnx', model='Astromer2')
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "model": [str],
        "file": [str, os.PathLike, None],
        "size": [str, None],
        "output": [str, None],
        "bands": ["array-like", None],
        "band_map": [HasMethods("items"), None],
        "min_snr": [Interval(Real, 0, None, closed="left")],
        "reduction": [str, list, HasMethods("preprocess_lc")],
    }

    def __init__(
        self,
        model: str,
        *,
        file: str | os.PathLike[str] | None = None,
        size: str | None = None,
        output: str | None = None,
        bands: Sequence[str | Passband] | None = None,
        band_map: Mapping[str, str] | None = None,
        min_snr: float = 3.0,
        reduction: Any = _WINDOWS,
    ):
        self.model = model
        self.file = file
        self.size = size
        self.output = output
        self.bands = bands
        self.band_map = band_map
        self.min_snr = min_snr
        self.reduction = reduction

    def __getstate__(self) -> dict[str, Any]:
        # a session of ONNX Runtime cannot be pickled
        return {k: v for k, v in super().__getstate__().items() if k != "_session"}

    def _kind(self) -> EmbeddingKind:
        if self.model not in MODELS:
            raise ValueError(f"model={self.model!r:.80} is not known: use one of {list(MODELS)}.")
        kind = MODELS[self.model]
        if kind.bands and self.bands is not None:
            raise ValueError(
                f"{self.model} reads all bands at once: pass band_map= instead of bands=."
            )
        if self.band_map is not None and not kind.bands:
            raise ValueError(
                f"{self.model} embeds each band by itself: pass bands= instead of band_map=."
            )
        return kind

    def _prepare(self) -> int:
        kind = self._kind()
        reduction = self.reduction
        if kind.most_per_band and reduction == _WINDOWS:
            reduction = "beginning"  # of windows that are short enough
        self._session = open_model(kind, self.file, self.size, self.output, reduction)
        return kind.embedding_size(self._session, self.file)

    def _label(self) -> str:
        return self.model.lower()

    def _groups(self) -> list[tuple[str, tuple[Passband, ...]]]:
        return [("", self.passbands_)] if self._kind().bands else super()._groups()

    def _learned_passbands(self, curves: LightCurves) -> tuple[Passband, ...]:
        kind = self._kind()
        if not kind.bands:
            return chosen_passbands(curves, self.bands)
        self._codes = self._model_codes(kind, curves)
        return chosen_passbands(curves, list(self._codes))

    def _model_codes(self, kind: EmbeddingKind, curves: LightCurves) -> dict[str, int]:
        """Return the number of the model's band for each passband that it reads, by name."""
        numbers = {name: number for number, name in enumerate(kind.bands)}
        seen = [curves.passbands[code] for code in np.unique(curves.band)]
        if self.band_map is None:
            unknown = [band for band in seen if band.name not in numbers]
            if unknown:
                near = {band.name: _nearest(band, kind.bands) for band in unknown}
                there = {band.name: band.name for band in seen if band.name in numbers}
                raise LightCurveError(
                    f"{self.model} knows the bands {', '.join(kind.bands)} alone, and the light "
                    f"curves have {', '.join(sorted(near))[:80]}. Pass band_map= to say what they "
                    f"stand for, for example band_map={ {**there, **near} }."
                )
            return {band.name: numbers[band.name] for band in seen}
        wrong = sorted({str(name) for name in self.band_map.values()} - set(numbers))
        if wrong:
            raise ValueError(
                f"band_map has {', '.join(wrong)[:80]}, which is no band of {self.model}: use "
                f"{', '.join(kind.bands)}."
            )
        return {get_passband(name).name: numbers[to] for name, to in self.band_map.items()}

    def _embed(self, curves: LightCurves, passbands: Sequence[Passband]) -> np.ndarray:
        if not hasattr(self, "_session"):  # after unpickling
            self._prepare()
        kind, size = self._kind(), self.n_features_out_ // len(self._groups())
        if kind.reads_flux:
            columns = self._fluxes(curves, passbands)
        else:
            columns = self._magnitudes(curves, passbands)
        offsets = columns.pop("offsets")
        embedded = np.full((len(curves), size), np.nan, dtype=np.float32)
        for position, (start, stop) in enumerate(pairwise(offsets)):
            if start == stop:
                continue
            own = {name: values[start:stop] for name, values in columns.items()}
            self._require_errors(kind, own, curves, position)
            windows = self._windows(kind, own)
            parts = [np.ravel(self._session(*(w[name] for name in kind.arguments)))
                     for w in windows]  # fmt: skip
            embedded[position] = np.mean(parts, axis=0)
        return embedded

    def _magnitudes(self, curves: LightCurves, passbands: Sequence[Passband]) -> dict[str, Any]:
        read = magnitudes_of(curves, passbands, self.min_snr)
        return {
            "offsets": read.offsets,
            "time": read.time,
            "magnitude": read.magnitude,
            "magnitude_err": read.magnitude_err,
            "band": self._band_numbers(curves)[read.band],
        }

    def _fluxes(self, curves: LightCurves, passbands: Sequence[Passband]) -> dict[str, Any]:
        codes = [code for code, passband in enumerate(curves.passbands) if passband in passbands]
        kept = np.isin(curves.band, codes)
        scale = 10 ** (0.4 * (_ZERO_POINT - curves.zero_point))
        return {
            "offsets": np.concatenate([[0], np.cumsum(kept)])[curves.offsets],
            "time": np.asarray(curves.time, dtype=np.float64)[kept],
            "flux": scale * np.asarray(curves.flux, dtype=np.float64)[kept],
            "flux_err": scale * np.asarray(curves.flux_err, dtype=np.float64)[kept],
            "band": self._band_numbers(curves)[curves.band[kept]],
        }

    def _band_numbers(self, curves: LightCurves) -> np.ndarray:
        """Return the number of the model's band by code of a passband; -1 for none."""
        codes = getattr(self, "_codes", {})
        return np.array([codes.get(band.name, -1) for band in curves.passbands], dtype=np.int64)

    def _require_errors(
        self, kind: EmbeddingKind, own: Mapping[str, np.ndarray], curves: LightCurves, position: int
    ) -> None:
        name = next((name for name in kind.arguments if name.endswith("_err")), None)
        if name is not None and not (own[name] > 0).all():
            raise LightCurveError(
                f"{name_object(curves, position)} has observations without an error, which "
                f"{self.model} reads: add errors, or leave the object out."
            )

    def _windows(
        self, kind: EmbeddingKind, own: dict[str, np.ndarray]
    ) -> list[dict[str, np.ndarray]]:
        """Cut a light curve wherever a band of the model is full."""
        if not kind.most_per_band or self.reduction != _WINDOWS:
            return [own]
        counts, ends = np.zeros(len(kind.bands), dtype=int), []
        for place, band in enumerate(own["band"]):
            if counts[band] == kind.most_per_band[band]:
                ends.append(place)
                counts[:] = 0
            counts[band] += 1
        pieces = {name: np.split(values, ends) for name, values in own.items()}
        return [{name: parts[k] for name, parts in pieces.items()} for k in range(len(ends) + 1)]


def _nearest(band: Passband, names: Sequence[str]) -> str:
    return min(names, key=lambda name: abs(get_passband(name).wavelength - band.wavelength))
