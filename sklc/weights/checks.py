"""What a weights file says is checked before anything of its size is made.

A file may come from anywhere. Its header names sizes and settings, which are compared with the
tensors that the file really holds while the network exists in outline only (on torch's device
"meta", which has no memory). Only then it is built, with as much memory as the file has bytes.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from sklc.utils.text import shown

if TYPE_CHECKING:
    from sklc.networks.architectures import EncoderNetwork

__all__ = ["build_as_told", "check_facts", "check_finite", "check_labels", "read_json"]

#: A tensor of a file: its shape, and its type by the name that safetensors has for it.
Told = Mapping[str, tuple[tuple[int, ...], str]]

# Longer headers than this are nonsense, in characters.
_LONGEST_HEADER = 1 << 24
# No training makes larger weights, with which results would overflow.
_LARGEST = 1e10
_DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


def read_json(text: str) -> dict[str, Any]:
    """Return the JSON object of a header, or raise a ValueError."""
    if len(text) > _LONGEST_HEADER:
        raise ValueError(f"its header has {len(text)} characters")
    try:
        header = json.loads(text)
    except RecursionError:
        raise ValueError("its header is nested too deep") from None
    if not isinstance(header, dict):
        raise ValueError(f"its header is {shown(header)}, and not a JSON object")
    return header


def check_labels(classes: Any, columns: Any) -> None:
    """Refuse class labels, or names of metadata columns, that are none."""
    for what, values, kinds in (
        ("classes", classes, (str, int, float)),
        ("metadata_columns", columns, (str,)),
    ):
        if not isinstance(values, list) or not all(isinstance(v, kinds) for v in values):
            raise ValueError(f"its {what} are {shown(values)}")
        if len({isinstance(v, str) for v in values}) > 1 or len(set(values)) < len(values):
            raise ValueError(f"its {what} repeat or are of several types, {shown(values)}")
        array = np.asarray(values)
        if array.dtype == object or (array.dtype.kind == "f" and not np.isfinite(array).all()):
            raise ValueError(f"its {what} are too large, {shown(values)}")


def check_facts(info: Any) -> None:
    """Refuse nonsense among what a file says that changes how its network is used."""
    if not isinstance(info, dict):
        raise ValueError(f"its info is {shown(info)}")
    shares, passbands = info.get("class_shares") or {}, info.get("passbands") or {}
    lengths = info.get("wavelength_range") or []
    for name, values, least in (
        ("class_shares", shares.values(), 0.0),
        ("passbands", passbands.values(), 1e-9),
        ("wavelength_range", lengths, 1e-9),
    ):
        if not all(_is_number(value) and least <= value < np.inf for value in values):
            raise ValueError(f"its {name} are {shown(info[name])}")
    if lengths and not (len(lengths) == 2 and lengths[0] <= lengths[1]):
        raise ValueError(f"its wavelength_range is {shown(lengths)}")
    if not isinstance(info.get("fine_tuned", False), bool):
        raise ValueError(f"fine_tuned is {shown(info['fine_tuned'])}")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def build_as_told(config: Mapping[str, Any], channels: Sequence[str], told: Told) -> EncoderNetwork:
    """Return a network whose tensors have the names and shapes of a file, and initial weights.

    Parameters
    ----------
    config : mapping
        As ``EncoderNetwork.config`` gives it.
    channels : sequence of str
        Channels of the input representation.
    told : mapping of str to (tuple of int, str)
        Shape and type of each tensor of the file.

    Raises
    ------
    ValueError
        If the network would have other tensors than the file.
    """
    import torch

    from sklc.networks.architectures.choice import network_from_config

    _check_sizes(config, told)
    try:
        with _at_most(2 * len(told) + 100), torch.device("meta"):
            outline = network_from_config(config, channels)
        _compare(outline, told)
    except (NotImplementedError, RuntimeError) as error:
        if "meta" not in str(error):
            raise
        # An architecture that computes with its initial weights, which has no outline.
    with _at_most(2 * len(told) + 100):
        network = network_from_config(config, channels)
    _compare(network, told)
    return network


def _check_sizes(config: Mapping[str, Any], told: Told) -> None:
    """Refuse sizes that no tensors of this file can have."""
    largest = 1000 + sum(int(np.prod(shape, dtype=object)) for shape, _ in told.values())
    waiting: list[Any] = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, int) and not -largest <= value <= largest:
            raise ValueError(f"its network has a size of {shown(value)}, and the file is small")
        elif isinstance(value, float) and not np.isfinite(value):
            raise ValueError(f"its network has the setting {value}")
    if list(config["heads"].get("redshift", [2]))[-1:] != [2]:
        raise ValueError(f"its redshift head has the sizes {shown(config['heads']['redshift'])}")


def _compare(network: EncoderNetwork, told: Told) -> None:
    """Refuse a network whose tensors are not those of the file."""
    own = network.state_dict()
    if different := sorted(own.keys() ^ told.keys()):
        raise ValueError(f"its network and its tensors differ in {different[0]!r}")
    for name, tensor in own.items():
        shape, kind = told[name]
        if tuple(tensor.shape) != shape:
            raise ValueError(
                f"its tensor {name!r} has the shape {shape}, and its network needs "
                f"{tuple(tensor.shape)}"
            )
        if _DTYPES.get(str(tensor.dtype).removeprefix("torch.")) != kind:
            raise ValueError(f"its tensor {name!r} is of type {kind}, and not {tensor.dtype}")


@contextlib.contextmanager
def _at_most(number: int) -> Iterator[None]:
    """Stop the making of a module in this thread that gets more parameters than a file can have."""
    from torch.nn.modules.module import register_module_parameter_registration_hook

    thread, count = threading.get_ident(), 0

    def registered(module: Any, name: str, parameter: Any) -> None:
        nonlocal count
        if threading.get_ident() == thread:
            count += 1
            if count > number:
                raise ValueError("its network has more layers than the file has tensors")

    handle = register_module_parameter_registration_hook(registered)
    try:
        yield
    finally:
        handle.remove()


def check_finite(network: EncoderNetwork, tensors: Mapping[str, np.ndarray]) -> None:
    """Refuse tensors, and a network, that do not give numbers.

    Parameters
    ----------
    network : EncoderNetwork
        The network, which has these tensors.
    tensors : mapping of str to ndarray
        The tensors of the file.
    """
    import torch

    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not (np.abs(tensor) <= _LARGEST).all():
            raise ValueError(
                f"its tensor {name!r} has values that are NaN or infinite, or beyond {_LARGEST:g}"
            )
    values = torch.linspace(-1, 1, 6)[:, None].repeat(1, len(network.shape.channels))
    columns = torch.zeros(2, network.shape.n_metadata) if network.shape.n_metadata else None
    with torch.inference_mode():
        state = network.state(values.reshape(2, 3, -1), torch.tensor([3, 2]))
        latent = network.to_latent(state, columns)
        heads = [network.head, *network.all_heads().values()]
        outputs = [latent, *(head(latent) for head in heads if head is not None)]
    if not all(bool(torch.isfinite(output).all()) for output in outputs):
        raise ValueError("its network overflows, so that results would be NaN or infinite")
