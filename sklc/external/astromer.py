"""Astromer 1 as a transformer of light curves, with a checkpoint of the user's."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch

from sklc.external.astromer_network import load_astromer
from sklc.external.per_band import PerBandTransformer, magnitudes_of
from sklc.light_curves import LightCurves
from sklc.networks.device import resolve_device, single_thread_in_workers
from sklc.passbands import Passband
from sklc.utils.sklearn_compat import Interval

__all__ = ["Astromer1"]

_BATCH = 64  # windows


class Astromer1(PerBandTransformer):
    """Embed light curves with Astromer 1, from a published checkpoint.

    Astromer 1 [1]_ is a transformer that was trained on the light curves of 1.5 million variable
    stars in one band. Its weights do not come with `sklc`: download a checkpoint from
    https://github.com/astromer-science/weights, such as ``macho_a0.zip``. TensorFlow is not needed.

    Each passband is embedded by itself. The model reads magnitudes, each minus the mean of its
    window, and times in days. It reads no errors, and observations below `min_snr` are left out. A
    light curve of more than 200 observations is cut into consecutive windows of 200. The embedding
    of a passband is the mean of the last layer over all its observations.

    Parameters
    ----------
    checkpoint : str or path
        The ``.index`` file of a checkpoint, the path without this ending, a folder that holds one,
        or the zip archive as it is published.
    bands : sequence of str or Passband, or None, default=None
        Passbands to embed. With None, all passbands with observations in the data given to `fit`.
        Observations in other bands are left out.
    min_snr : float, default=3.0
        Smallest ratio of flux to error of an observation that is read. Observations of zero or
        negative flux have no magnitude, and are never read.
    device : str, default="auto"
        Where to compute: "auto" (the GPU where there is one), "cpu", or a torch device.

    Attributes
    ----------
    passbands_ : tuple of Passband
        The bands embedded, by ascending wavelength.
    network_ : torch.nn.Module
        The network, on the CPU. A pickle holds it, and does not need the checkpoint.
    n_features_out_ : int
        256 for each band.
    n_features_in_ : int
        Number of samples per series; only when `fit` was given a 2-D array.
    feature_names_in_ : ndarray of str
        Column names; only when `fit` was given a 2-D frame with string column names.

    Raises
    ------
    WeightsError
        If there is no checkpoint, it is damaged, or it is that of another network; in `fit`.

    Notes
    -----
    The forward pass is that of the released code, except that padding is invisible to all
    observations. The released code adds 1 to the attention logits of padded observations instead,
    so that its embedding of a short light curve depends on the length that it is padded to.

    References
    ----------
    .. [1] Donoso-Oliva et al. 2023, A&A 670, A54.

    Examples
    --------
    >>> from sklc.external import Astromer1
    >>> Astromer1("macho_a0.zip", bands=["ztfg", "ztfr"])
    Astromer1(bands=['ztfg', 'ztfr'], checkpoint='macho_a0.zip')
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "checkpoint": [str, os.PathLike],
        "bands": ["array-like", None],
        "min_snr": [Interval(Real, 0, None, closed="left")],
        "device": [str],
    }

    def __init__(
        self,
        checkpoint: str | os.PathLike[str],
        *,
        bands: Sequence[str | Passband] | None = None,
        min_snr: float = 3.0,
        device: str = "auto",
    ):
        self.checkpoint = checkpoint
        self.bands = bands
        self.min_snr = min_snr
        self.device = device

    def _prepare(self) -> int:
        self.network_ = load_astromer(self.checkpoint)
        return self.network_.width

    def _embed(self, curves: LightCurves, passbands: Sequence[Passband]) -> np.ndarray:
        device = resolve_device(self.device)
        network = self.network_ if device == "cpu" else copy.deepcopy(self.network_).to(device)
        read = magnitudes_of(curves, passbands, self.min_snr)
        n_observations = np.diff(read.offsets)
        total = np.zeros((len(curves), network.width))
        windows = _windows(read.offsets, network.max_length)
        windows = windows[np.argsort(windows[:, 2] - windows[:, 1], kind="stable")]
        with torch.inference_mode(), single_thread_in_workers():
            for first in range(0, len(windows), _BATCH):
                position, start, stop = windows[first : first + _BATCH].T
                place = start[:, None] + np.arange((stop - start).max())
                valid = place < stop[:, None]
                place = np.minimum(place, stop[:, None] - 1)
                time, magnitude = (
                    torch.from_numpy(_centred(values[place], valid)).to(device)
                    for values in (read.time, read.magnitude)
                )
                seen = torch.from_numpy(valid).to(device)
                embedded = network(time, magnitude.float(), seen) * seen[..., None]
                np.add.at(total, position, embedded.sum(dim=1).cpu().numpy())
        with np.errstate(invalid="ignore"):  # NaN where there is no observation
            return (total / n_observations[:, None]).astype(np.float32)


def _windows(offsets: np.ndarray, length: int) -> np.ndarray:
    """Return object, first and last observation (exclusive) of consecutive windows."""
    n_windows = -(-np.diff(offsets) // length)
    position = np.repeat(np.arange(len(n_windows)), n_windows)
    number = np.arange(len(position)) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows)
    start = offsets[position] + number * length
    return np.column_stack([position, start, np.minimum(start + length, offsets[position + 1])])


def _centred(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Subtract the mean over the valid observations of each window; 0 elsewhere."""
    mean = np.sum(values, axis=1, where=valid, keepdims=True) / valid.sum(axis=1, keepdims=True)
    return np.where(valid, values - mean, 0.0)
