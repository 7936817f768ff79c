"""What a network says of single observations, and of the experts that it sends them to."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sklc.measurements import predicted_channel
from sklc.networks.architectures.interface import EncoderNetwork
from sklc.networks.objectives.hiding import encode_hidden
from sklc.networks.objectives.masked import MASKED, mean_and_variance
from sklc.networks.padding import consecutive, pad, plan_batches
from sklc.representation import InputRepresentation

if TYPE_CHECKING:
    from sklc.light_curves import LightCurves

__all__ = ["expert_usage", "reconstruct"]

# Observations that are encoded at a time, and most objects in a batch.
_PART_OBSERVATIONS, _BATCH = 500_000, 64


def reconstruct(
    network: EncoderNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    hidden: np.ndarray,
    device: str = "cpu",
) -> tuple[np.ndarray, np.ndarray]:
    """Return fluxes and their standard deviations at hidden observations.

    Parameters
    ----------
    network : EncoderNetwork
        Trained with ``objective="masked"``.
    representation : InputRepresentation
        The input convention that it was trained with.
    curves : LightCurves
        Light curves with a visible observation each.
    hidden : ndarray of bool, shape (n_observations,)
        The observations to predict.
    device : str
        The device to compute on.

    Returns
    -------
    flux, std : ndarray of shape (n_hidden,), float64
        At the zero point of the light curves.
    """
    module, decode = _on(network, device), predicted_channel(representation).decode
    flux, std, offsets = np.empty(len(hidden)), np.empty(len(hidden)), curves._compact().offsets
    for part in consecutive(curves.lengths, _PART_OBSERVATIONS):
        own = slice(offsets[part.start], offsets[part.stop])
        encoded = encode_hidden(representation, curves[part], hidden[own])
        columns = np.concatenate(
            [encoded.values, encoded.hidden[:, None].astype(np.float32)], axis=1
        )
        said = np.empty((2, len(encoded.values)))

        def predict(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            states = module.sequence_states(values[..., :-1], lengths, values[..., -1] > 0.5)
            head = module.sequence_heads[MASKED]
            return torch.stack(mean_and_variance(head(states.observations)), dim=-1)

        for rows, inside, found in _batches(columns, encoded.lengths, predict, device):
            said[:, encoded.order[rows[inside]]] = found[inside].T
        of_flux = decode(encoded.shown, said[0], np.sqrt(said[1]))
        for target, column in zip((flux, std), of_flux, strict=True):
            target[own.start + encoded.rows] = column[encoded.order] / encoded.flux_scale
    return flux[hidden], std[hidden]


def expert_usage(
    network: EncoderNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    device: str = "cpu",
) -> np.ndarray:
    """Return the share of each expert in the output of each layer, for every object.

    Parameters
    ----------
    network, representation, curves, device
        As for `reconstruct`; the network is a transformer with experts.

    Returns
    -------
    ndarray of shape (n_objects, n_layers, n_experts), float32
    """
    module, parts = _on(network, device), []
    settings = network.architecture
    for part in consecutive(curves.lengths, _PART_OBSERVATIONS):
        values, lengths = representation.encode(curves[part])
        usage = np.empty((len(lengths), settings.n_layers, settings.experts), dtype=np.float32)
        starts = np.cumsum(lengths) - lengths
        usage_of: Any = module.expert_usage
        for rows, _, found in _batches(values, lengths, usage_of, device):
            usage[np.searchsorted(starts, rows[:, 0])] = found
        parts.append(usage)
    empty = np.empty((0, settings.n_layers, settings.experts), dtype=np.float32)
    return np.concatenate([empty, *parts])


def _on(network: EncoderNetwork, device: str) -> EncoderNetwork:
    """The network in evaluation mode, or a copy of it on another device."""
    if torch.device(device).type == "cpu":
        return network.eval()
    return copy.deepcopy(network).to(device).eval()


def _batches(
    values: np.ndarray,
    lengths: np.ndarray,
    function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    device: str,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the rows of each padded batch, which of them are observations, and the result."""
    starts = np.cumsum(lengths) - lengths
    for batch in plan_batches(lengths, _BATCH, None):
        padded = torch.from_numpy(pad(values, starts[batch], lengths[batch])).to(device)
        n = torch.from_numpy(lengths[batch].astype(np.int64)).to(device)
        steps = np.arange(padded.shape[1])
        with torch.inference_mode():
            found = function(padded, n).float().cpu().numpy()
        yield starts[batch][:, None] + steps, steps < lengths[batch][:, None], found
