"""The encoder of Astromer 1 in torch, and how it is made of a checkpoint."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from sklc.errors import WeightsError
from sklc.external.tensor_bundle import find_bundle, read_tensor_bundle

__all__ = ["AstromerNetwork", "load_astromer"]

_BASE = 10_000.0  # of the positional code: the released code does not use that of its settings
_N_HEADS = 4  # where the settings do not lie beside the checkpoint
_MAX_LENGTH = 200
# Names in a checkpoint, and here, of what a block consists of.
_OF_BLOCK = {
    "mha/wq": "query",
    "mha/wk": "key",
    "mha/wv": "value",
    "mha/dense": "mixed",
    "layernorm1": "norm1",
    "ffn/layer_with_weights-0": "expand",
    "ffn/layer_with_weights-1": "contract",
    "layernorm2": "norm2",
}
_PARTS = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


class AstromerNetwork(nn.Module):
    """The encoder of Donoso-Oliva et al. (2023): blocks without residual connections.

    Parameters
    ----------
    n_layers, width, n_heads, feedforward_size : int
    max_length : int
        Number of observations of a window in training.
    """

    frequency: Tensor
    phase: Tensor

    def __init__(
        self,
        n_layers: int = 2,
        width: int = 256,
        n_heads: int = _N_HEADS,
        feedforward_size: int = 128,
        max_length: int = _MAX_LENGTH,
    ) -> None:
        super().__init__()
        self.width, self.max_length = width, max_length
        self.embedding = nn.Linear(1, width)
        self.blocks = nn.ModuleList(
            _Block(width, n_heads, feedforward_size) for _ in range(n_layers)
        )
        dimension = torch.arange(width, dtype=torch.float64)
        self.register_buffer("frequency", _BASE ** (-2 * dimension / width), persistent=False)
        # odd dimensions are cosines
        self.register_buffer("phase", dimension % 2 * (math.pi / 2), persistent=False)

    def forward(self, time: Tensor, magnitude: Tensor, valid: Tensor) -> Tensor:
        """Return an embedding of every observation, (n_windows, length, width).

        Parameters
        ----------
        time, magnitude : Tensor of float64 and float32, shape (n_windows, length)
            Each minus its mean over the valid observations of the window.
        valid : Tensor of bool, shape (n_windows, length)
            False for padding, which no observation attends to.
        """
        angle = time[..., None] * self.frequency + self.phase
        x = self.embedding(magnitude[..., None]) + angle.sin().to(magnitude.dtype)
        mask = valid[:, None, None, :]
        for block in self.blocks:
            x = block(x, mask)
        return x

    def reset_as_published(self, generator: torch.Generator) -> None:
        """Draw weights as before the published training (Glorot & Bengio 2010)."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight, generator=generator)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.LayerNorm):
                module.reset_parameters()


class _Block(nn.Module):
    def __init__(self, width: int, n_heads: int, feedforward_size: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.mixed = (nn.Linear(width, width) for _ in range(4))
        self.expand = nn.Linear(width, feedforward_size)
        self.contract = nn.Linear(feedforward_size, width)
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        attended = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = self.norm1(self.mixed(attended.transpose(1, 2).flatten(-2)))
        return self.norm2(self.contract(self.expand(x).tanh()))


def load_astromer(path: str | os.PathLike[str]) -> AstromerNetwork:
    """Return the encoder that a checkpoint of Astromer 1 holds.

    Raises
    ------
    WeightsError
        If there is no checkpoint, it is damaged, or it is that of another network.
    """
    tensors = read_tensor_bundle(path)
    ending = "inp_transform/kernel"
    prefixes = [name.removesuffix(ending) for name in tensors if name.endswith(ending)]
    if len(prefixes) != 1:
        raise _other_network(path, f"it has {len(prefixes)} variables named {ending}")
    own = {name.removeprefix(prefixes[0]): tensors[name] for name in tensors
           if name.startswith(prefixes[0])}  # fmt: skip
    if any("reshape_leak" in name for name in own):
        raise _other_network(path, "its blocks have residual connections (use_leak)")
    try:
        return _built(own, _settings(path))
    except KeyError as error:
        raise _other_network(path, f"it has no variable {error.args[0]}") from error
    except (RuntimeError, ValueError, IndexError) as error:
        raise _other_network(path, " ".join(str(error).split())[:80]) from error


def _built(tensors: dict[str, np.ndarray], settings: dict[str, Any]) -> AstromerNetwork:
    numbers = {int(name.split("/")[1]) for name in tensors if name.startswith("enc_layers/")}
    if not numbers:
        raise KeyError("enc_layers/0")
    names = {f"inp_transform/{part}": f"embedding.{_PARTS[part]}" for part in ("kernel", "bias")}
    for number in numbers:
        for theirs, ours in _OF_BLOCK.items():
            for part in ("gamma", "beta") if theirs.startswith("layernorm") else ("kernel", "bias"):
                name = f"enc_layers/{number}/{theirs}/{part}"
                names[name] = f"blocks.{number}.{ours}.{_PARTS[part]}"
    # Keras multiplies from the other side
    state = {ours: torch.from_numpy(tensors[theirs].T.copy()) for theirs, ours in names.items()}
    n_inputs, width = tensors["inp_transform/kernel"].shape
    n_heads = int(settings.get("heads", _N_HEADS))
    if n_inputs != 1 or n_heads < 1 or width % n_heads:
        raise ValueError(f"{n_inputs} inputs, a width of {width} and {n_heads} heads")
    network = AstromerNetwork(
        len(numbers),
        width,
        n_heads,
        tensors["enc_layers/0/ffn/layer_with_weights-0/kernel"].shape[1],
        int(settings.get("max_obs", _MAX_LENGTH)),
    )
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def _settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    content = find_bundle(path).beside("conf.json")
    settings = json.loads(content) if content is not None else {}
    if not isinstance(settings, dict):
        raise ValueError("its conf.json is not a table of settings")
    return settings


def _other_network(path: str | os.PathLike[str], reason: str) -> WeightsError:
    return WeightsError(
        f"{os.fspath(path)} is a TensorFlow checkpoint, but not one of Astromer 1: {reason}. "
        "Pass one of those that the authors publish, such as macho_a0.zip; for Astromer 2 and "
        'other models, use sklc.external.EmbeddingModel("Astromer2", file="astromer2.onnx").'
    )
