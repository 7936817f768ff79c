"""The models of `light_curve.embed`: what each of them reads, and how it is opened."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sklc.errors import WeightsError
from sklc.networks.onnx.session import open_session

__all__ = ["MODELS", "EmbeddingKind", "open_model"]

_LSST = tuple(f"lsst{band}" for band in "ugrizy")
_ZTF = ("ztfg", "ztfr", "ztfi")
_INSTALL = 'pip install --upgrade "sklc[embed]"'


@dataclass(frozen=True)
class EmbeddingKind:
    """A model of `light_curve.embed`.

    Parameters
    ----------
    name : str
        Name of its class.
    arguments : tuple of str
        What it is called with.
    inputs : tuple of str
        Names of the inputs of its ONNX file.
    bands : tuple of str
        Our names of the bands that it reads at once, in its order; none if it reads a single band.
    sizes : tuple of str
        Sizes that it is published in, if there are several.
    most_per_band : tuple of int
        Largest number of observations of each band, if it has such limits.
    """

    name: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    bands: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    most_per_band: tuple[int, ...] = ()

    @property
    def reads_flux(self) -> bool:
        """Whether it reads fluxes, and not magnitudes."""
        return "flux" in self.arguments

    def embedding_size(self, model: Any, file: Any) -> int:
        """Return the size of an embedding, which a light curve of two points tells."""
        points = {
            "time": np.array([58_200.0, 58_201.0]),
            "magnitude": np.array([18.0, 18.5]),
            "magnitude_err": np.array([0.1, 0.1]),
            "flux": np.array([6_300.0, 4_000.0]),
            "flux_err": np.array([100.0, 100.0]),
            "band": np.array([1, 1]),
        }
        try:
            return int(np.size(model(*(points[name] for name in self.arguments))))
        except Exception as error:  # whatever a file of something else makes of it
            raise WeightsError(
                f"{self._described(file)} cannot be run as {self.name}: "
                f"{' '.join(str(error).split())[:80]}. Pass the ONNX file of this model."
            ) from error

    def _described(self, file: Any) -> str:
        return "Its file" if file is None else os.fspath(file)


MODELS = {
    kind.name: kind
    for kind in (
        *(
            EmbeddingKind(name, ("time", "magnitude"), ("times", "input", "mask_in"))
            for name in ("Astromer1", "Astromer1ZTF", "Astromer2")
        ),
        EmbeddingKind("Chronos2", ("magnitude",), ("context",)),
        EmbeddingKind(
            "ChronosBolt", ("magnitude",), ("context",), sizes=("tiny", "mini", "small", "base")
        ),
        EmbeddingKind("Moment1", ("magnitude",), ("context",), sizes=("small", "base", "large")),
        EmbeddingKind(
            "AstraCLR",
            ("time", "magnitude", "magnitude_err", "band"),
            ("input", "times", "band_info", "mask"),
            bands=_ZTF,
            most_per_band=(300, 350, 50),
        ),
        EmbeddingKind(
            "ATCAT",
            ("time", "flux", "flux_err", "band"),
            ("flux", "flux_err", "time", "mask", "channel_index"),
            bands=_LSST,
        ),
        EmbeddingKind(
            "ATAT",
            ("time", "flux", "band"),
            ("data", "time", "mask"),
            bands=_LSST,
            most_per_band=(65,) * len(_LSST),
        ),
    )
}


def open_model(
    kind: EmbeddingKind,
    file: str | os.PathLike[str] | None,
    size: str | None,
    output: str | None,
    reduction: Any,
) -> Any:
    """Return an instance of the class of `light_curve.embed`.

    Raises
    ------
    ImportError
        If a package is missing or too old.
    ValueError
        If there is no such size or output.
    WeightsError
        If the file is missing, of another model, or cannot be downloaded.
    """
    if size is not None and size not in kind.sizes:
        known = f"use one of {list(kind.sizes)}" if kind.sizes else "it has one size, size=None"
        raise ValueError(f"{kind.name} has no size {size!r:.80}: {known}.")
    if size is None and kind.sizes:
        raise ValueError(f"{kind.name} comes in several sizes: pass size=, one of {kind.sizes}.")
    found = _class(kind.name)
    outputs = sorted(found.model_outputs - {"sequence"})
    if output is not None and output not in outputs:
        raise ValueError(f"{kind.name} has no output {output!r:.80}: use one of {outputs}.")
    options = {"reduction": reduction}
    if output is not None and len(outputs) > 1:
        options["output"] = output
    if size is not None:
        options["size"] = size
    if kind.bands and kind.reads_flux:
        options["mag_zp"] = 27.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental
        if file is None:
            return _downloaded(kind, found, options)
        return found(_session(kind, Path(file), output), **options)


def _class(name: str) -> Any:
    try:
        from light_curve import embed
    except ImportError as error:
        raise ImportError(
            "sklc.external.EmbeddingModel needs light-curve with light_curve.embed, and it cannot "
            f"be imported ({str(error)[:80]}): {_INSTALL}"
        ) from error
    if not hasattr(embed, name):
        raise ImportError(f"The installed light-curve has no light_curve.embed.{name}: {_INSTALL}")
    return getattr(embed, name)


def _session(kind: EmbeddingKind, file: Path, output: str | None) -> Any:
    if not file.is_file():
        raise WeightsError(
            f"There is no ONNX file {file}: pass the path of a copy, or file=None to download it."
        )
    try:
        session = open_session(str(file), n_threads=1)
    except ImportError as error:
        raise ImportError(f"sklc.external.EmbeddingModel needs onnxruntime: {_INSTALL}") from error
    except Exception as error:  # each version of ONNX Runtime has its own
        raise WeightsError(
            f"{file} is damaged, or not an ONNX file ({' '.join(str(error).split())[:80]}): copy "
            "it again."
        ) from error
    inputs = {one.name for one in session.get_inputs()}
    outputs = {one.name for one in session.get_outputs()}
    if inputs != set(kind.inputs) or (output is not None and output not in outputs):
        raise WeightsError(
            f"{file} is not a file of {kind.name}: it has the inputs {sorted(inputs)!s:.80} and "
            f"the outputs {sorted(outputs)!s:.80}, and not the inputs {sorted(kind.inputs)}"
            + (f" and the output {output!r}." if output else ".")
        )
    return session


def _downloaded(kind: EmbeddingKind, found: Any, options: dict[str, Any]) -> Any:
    try:
        return found.from_hf(**options)
    except ImportError as error:
        raise ImportError(
            f"To download {kind.name}, the package huggingface_hub is needed "
            f"({' '.join(str(error).split())[:80]}): pip install huggingface_hub; or pass file=, "
            "the path of its ONNX file."
        ) from error
    except Exception as error:  # of the network, the server, or the cache
        folder = getattr(found, "hf_repo", None) or f"light-curve (size {options.get('size')})"
        raise WeightsError(
            f"The ONNX file of {kind.name} cannot be downloaded "
            f"({' '.join(str(error).split())[:80]}): pass file=, the path of a copy of it, from "
            f"https://huggingface.co/{folder}."
        ) from error
