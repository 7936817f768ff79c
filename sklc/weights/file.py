"""Weights files: what is in one, reading and checking it, finding it by name."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
from safetensors.numpy import save

from sklc.context import items_of
from sklc.errors import UnknownWeightsError, WeightsError
from sklc.representation import FIRST_CHANNELS, InputRepresentation
from sklc.utils.files import replace_file
from sklc.utils.text import shown
from sklc.weights.catalogue import FOLDER, file_digest, list_weights, manifest
from sklc.weights.checks import build_as_told, check_facts, check_finite, check_labels, read_json

if TYPE_CHECKING:  # torch is imported where a network is built
    from sklc.networks.architectures import EncoderNetwork

__all__ = [
    "ESTIMATOR_KEY",
    "FORMAT_VERSION",
    "WeightsFile",
    "header_digest",
    "list_weights",
    "load_weights",
    "tensor_digest",
]

#: Files of version 1 do not name the architecture of their network, since there was only one.
#: Files of version 3 hold an adapter for the context of objects, those of version 4 a transformer,
#: heads on single observations, or inputs that are magnitudes or folded; all others have version 2.
FORMAT_VERSION = 4
_HEADER_KEY = "sklc"
# What takes the place of the header in a file of an estimator, see `sklc.estimators.persistence`.
ESTIMATOR_KEY = "sklc_estimator"


@dataclass(frozen=True)
class WeightsFile:
    """Plain data of a trained encoder: sizes, input convention, tensors, and where it came from.

    Parameters
    ----------
    architecture : dict
        Name, settings and sizes of the network, as its ``config`` has them.
    representation : InputRepresentation
        The input convention the network was trained with.
    classes : tuple of str
        Classes in the order of the outputs of the class head.
    tensors : dict of str to ndarray
        Weights of the network by name.
    metadata_columns : tuple of str
        Per-object columns that the network reads besides the light curve.
    info : dict
        Name, version, training data and seed, passbands, metrics, licence, for information only.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklc.weights.file import WeightsFile, load_weights
    >>> checkpoint = load_weights("ztf")
    >>> checkpoint.architecture["name"], checkpoint.architecture["latent_size"]
    ('gru', 128)
    >>> network = checkpoint.build()
    >>> copy = WeightsFile.from_network(network, checkpoint.representation, checkpoint.classes)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = copy.save(Path(folder) / "copy.safetensors")
    ...     WeightsFile.read(path).classes == checkpoint.classes
    True
    """

    architecture: dict[str, Any]
    representation: InputRepresentation
    classes: tuple[Any, ...]
    tensors: dict[str, np.ndarray]
    metadata_columns: tuple[str, ...] = ()
    info: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_network(
        cls,
        network: EncoderNetwork,
        representation: InputRepresentation,
        classes: Any,
        metadata_columns: tuple[str, ...] = (),
        info: dict[str, Any] | None = None,
    ) -> WeightsFile:
        """Take a snapshot of a network.

        Parameters
        ----------
        network : EncoderNetwork
            The network, whose weights are copied.
        representation : InputRepresentation
            The input convention it was trained with.
        classes : sequence
            Classes in the order of its outputs.
        metadata_columns : tuple of str, optional
            Per-object columns that it reads besides the light curve.
        info : dict, optional
            Plain values to keep.

        Returns
        -------
        WeightsFile
        """
        tensors = {k: v.detach().cpu().numpy().copy() for k, v in network.state_dict().items()}
        # JSON knows no numpy scalars.
        plain = tuple(c.item() if isinstance(c, np.generic) else c for c in classes)
        columns = tuple(metadata_columns)
        return cls(network.config, representation, plain, tensors, columns, info or {})

    def build(self) -> EncoderNetwork:
        """Return a fresh network with these tensors.

        Returns
        -------
        EncoderNetwork
            On the CPU, in evaluation mode.

        Raises
        ------
        ValueError
            If the architecture is not registered in this process.
        """
        from sklc.networks.architectures.choice import network_from_config

        return self._fill(network_from_config(self.architecture, self.representation.channels))

    def _fill(self, network: EncoderNetwork) -> EncoderNetwork:
        """Give a network these tensors."""
        import torch

        network.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in self.tensors.items()})
        return network.eval()

    @property
    def context(self) -> tuple[str, ...]:
        """What the network can read of the context of an object; see `sklc.context`."""
        return items_of(self.architecture.get("context", ()))

    @property
    def format_version(self) -> int:
        """Version of the format that `save` writes: the oldest that can hold the network."""
        later_input = not FIRST_CHANNELS.issuperset(self.representation.channels)
        if self.architecture["name"] == "transformer" or "sequence_heads" in self.architecture:
            return FORMAT_VERSION
        if later_input or self.representation.fold is not None:
            return FORMAT_VERSION
        return 3 if self.context else 2

    @cached_property
    def network(self) -> EncoderNetwork:
        """A network with these tensors, built once and shared: it must never be changed."""
        return self.build()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file, whole or not at all.

        Parameters
        ----------
        path : str or path
            The file to write or replace.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ValueError
            If the architecture of the network is not registered, so that it has no name.
        """
        from sklc.networks.architectures import ARCHITECTURES

        name = self.architecture["name"]
        if name not in ARCHITECTURES:
            raise ValueError(
                f"The architecture {name} has no name by which a weights file could be loaded: "
                "register it first, with sklc.register_architecture(name, "
                f"{name.rpartition('.')[2]}), and save again."
            )
        header = {
            "format_version": self.format_version,
            "architecture": self.architecture,
            "representation": self.representation.to_dict(),
            "classes": list(self.classes),
            "metadata_columns": list(self.metadata_columns),
            "tensors_sha256": tensor_digest(self.tensors),
            "info": self.info,
        }
        header["header_sha256"] = header_digest(header)
        content = save(self.tensors, metadata={_HEADER_KEY: json.dumps(header)})
        return replace_file(Path(path), content)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> WeightsFile:
        """Read and check a file written by `save`.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        WeightsFile

        Raises
        ------
        WeightsError
            If the file is damaged, is not a weights file of sklc, is of a newer format, or if its
            architecture is not registered in this process.
        """
        from sklc.networks.architectures import ARCHITECTURES
        from sklc.networks.architectures.choice import current_config

        path = Path(path)
        try:
            with safetensors.safe_open(path, framework="np") as handle:
                texts = handle.metadata() or {}
                if ESTIMATOR_KEY in texts:
                    raise WeightsError(
                        f"{path} holds a whole fitted estimator, and not weights alone: load it "
                        "with the method load of its class, such as TransferClassifier.load(path)."
                    )
                if _HEADER_KEY not in texts:
                    raise WeightsError(
                        f"{path} is a safetensors file, but not one written by sklc: it carries no "
                        "input convention. Write weights with LightCurveEncoder.save(path)."
                    )
                header = read_json(texts[_HEADER_KEY])
                version = header["format_version"]
                if not isinstance(version, int) or isinstance(version, bool) or version < 1:
                    raise ValueError(f"its format_version is {shown(version)}")
                if version > FORMAT_VERSION:
                    raise WeightsError(
                        f"{path} has weights format {shown(version)}, and this sklc reads up to "
                        f"{FORMAT_VERSION}: upgrade with `pip install --upgrade sklc`."
                    )
                config = current_config(header["architecture"])
                name = config["name"]
                if not isinstance(name, str):
                    raise ValueError(f"its architecture is called {shown(name)}")
                representation = InputRepresentation.from_dict(header["representation"])
                check_labels(header["classes"], header["metadata_columns"])
                check_facts(header["info"])
                sizes = {
                    "n_channels": len(representation.channels),
                    "n_classes": len(header["classes"]),
                    "n_metadata": len(header["metadata_columns"]),
                }
                for size, found in sizes.items():
                    if config[size] != found:
                        raise ValueError(f"its network has another {size} than {found}")
                if header["header_sha256"] != header_digest(header):
                    raise ValueError("the input convention does not match its checksum")
                network, known = None, name in ARCHITECTURES
                if known:
                    parts = {key: handle.get_slice(key) for key in handle.keys()}  # noqa: SIM118
                    told = {k: (tuple(p.get_shape()), p.get_dtype()) for k, p in parts.items()}
                    network = build_as_told(config, representation.channels, told)
                tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118
            if tensor_digest(tensors) != header["tensors_sha256"]:
                raise ValueError("the tensors do not match their checksum")
            checkpoint = cls(
                config,
                representation,
                tuple(header["classes"]),
                tensors,
                tuple(header["metadata_columns"]),
                header["info"],
            )
            _ = checkpoint.context  # refuses an item that is not known
            if network is not None:
                check_finite(checkpoint._fill(network), tensors)
        except WeightsError:
            raise
        except FileNotFoundError:
            raise WeightsError(f"There is no weights file {path}.") from None
        except Exception as error:  # whatever reading a file that is damaged may raise
            raise _damaged(path, error) from error
        if not known:
            raise WeightsError(
                f"{path} holds a network of the architecture {shown(name)}, which is not known "
                f"here: register it first, with sklc.register_architecture({shown(name)}, ...), "
                f"then load the file. Known are {ARCHITECTURES.names()}."
            )
        return checkpoint


def _damaged(path: Path, error: Exception) -> WeightsError:
    return WeightsError(
        f"The weights file {path} is damaged ({_reason(error)}), or it is something else. Copy it "
        "again, "
        "or reinstall sklc if it came with the package; LightCurveEncoder.save(path) writes such "
        "files."
    )


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__


def header_digest(header: dict[str, Any]) -> str:
    """Return a checksum of everything in the header but the checksum itself.

    Parameters
    ----------
    header : dict
        Plain data.

    Returns
    -------
    str
        A sha256.

    Examples
    --------
    >>> from sklc.weights.file import header_digest
    >>> header_digest({"a": 1}) == header_digest({"a": 1, "header_sha256": "of another file"})
    True
    """
    rest = {key: value for key, value in header.items() if key != "header_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def tensor_digest(tensors: dict[str, np.ndarray]) -> str:
    """Return a checksum of tensors, with their names, types and shapes.

    Parameters
    ----------
    tensors : dict of str to ndarray
        By name.

    Returns
    -------
    str
        A sha256.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.weights.file import tensor_digest
    >>> tensor_digest({"a": np.zeros(2)}) == tensor_digest({"a": np.zeros((2, 1))})
    False
    """
    sha256 = hashlib.sha256()
    for name in sorted(tensors):
        sha256.update(f"{name} {tensors[name].dtype.str} {tensors[name].shape}".encode())
        sha256.update(np.ascontiguousarray(tensors[name]).tobytes())
    return sha256.hexdigest()


def load_weights(weights: str | os.PathLike[str]) -> WeightsFile:
    """Load weights by name, or from the user's own file.

    Parameters
    ----------
    weights : str or path
        A name from `list_weights` (``"ztf+lsst"`` points to the newest version,
        ``"ztf+lsst-v1"`` never changes), or the path of a ``.safetensors`` file.

    Returns
    -------
    WeightsFile

    Raises
    ------
    UnknownWeightsError
        If it is neither; the message lists the names.
    WeightsError
        If the file is damaged or newer than this version of sklc.

    Examples
    --------
    >>> from sklc.weights.file import load_weights
    >>> load_weights("ztf+lsst").classes[:3]
    ('AGN', 'SLSN-I', 'SNII')
    """
    known, name = manifest(), os.fspath(weights)
    entry = known["weights"].get(known["aliases"].get(name, name))
    path = Path(weights) if entry is None else FOLDER / entry["file"]
    digest = file_digest(path)
    if entry is not None and digest is None:
        raise WeightsError(f"The weights file {path} is missing: reinstall sklc.")
    if entry is not None and digest != entry["sha256"]:
        raise _damaged(path, ValueError("its sha256 is not the one in the manifest"))
    if digest is not None and path.is_file():
        return _read_cached(str(path.resolve()), digest)
    if path.suffix == ".safetensors" or len(path.parts) > 1:
        raise UnknownWeightsError(
            f"There is no weights file {path.resolve()}. Use the path of a file written by "
            f"LightCurveEncoder.save(path), or one of the names {sorted(list_weights())}."
        )
    raise UnknownWeightsError(
        f"weights={str(weights)!r} is not known. Use one of {sorted(list_weights())}, or the path "
        "of a .safetensors file written by LightCurveEncoder.save(path)."
    )


@lru_cache(maxsize=16)
def _read_cached(path: str, digest: str) -> WeightsFile:
    """Read once per process; `digest` makes a rewritten file a new entry."""
    return WeightsFile.read(path)
