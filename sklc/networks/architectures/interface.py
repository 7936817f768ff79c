"""What an architecture is: settings that make a network, and the network that an encoder trains.

A new architecture is one file with two classes. The network, a subclass of `EncoderNetwork`, makes
its layers in ``add_backbone`` and maps padded observations to one state per object in ``state``;
the settings, a frozen dataclass derived from `Architecture`, name it as their ``network``. All that
follows the state (dense layers, the branch for metadata, the latent, heads) is inherited.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from sklc.networks.architectures.modules import ContextAdapter, MetadataBranch, dense_layers
from sklc.networks.architectures.registry import name_of
from sklc.networks.architectures.shape import SIZES_IN_CONFIG, NetworkShape, States
from sklc.networks.onnx.graph import Graph

__all__ = ["Architecture", "EncoderNetwork"]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Settings of a network; subclasses are frozen dataclasses that add their own.

    Settings are plain values, since weights files keep them as JSON. An instance can be given as
    ``LightCurveEncoder(architecture=...)``, and one of several be chosen by a grid search.

    Parameters
    ----------
    latent_size : int, default=128
        Length of the latent vector.
    standardize_latent : bool, default=False
        Whether the units of the latent are linear, and have mean 0 and variance 1 over the training
        data. Otherwise they are cut at 0 (ReLU), as in the papers, and many of them may be idle.

    Examples
    --------
    An architecture that averages a dense layer over the observations of each object:

    >>> from dataclasses import dataclass
    >>> import torch
    >>> from sklc.networks.architectures import Architecture, EncoderNetwork, NetworkShape
    >>> class MeanNetwork(EncoderNetwork):
    ...     def add_backbone(self, n_channels):
    ...         self.observation = torch.nn.Linear(n_channels, self.architecture.width)
    ...         return self.architecture.width
    ...
    ...     def state(self, values, lengths):
    ...         hidden = torch.relu(self.observation(values))
    ...         behind = torch.arange(values.shape[1], device=values.device) >= lengths[:, None]
    ...         return hidden.masked_fill(behind[:, :, None], 0).sum(1) / lengths[:, None]
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Mean(Architecture):
    ...     network = MeanNetwork
    ...     width: int = 16
    >>> network = Mean(width=8).build(NetworkShape(("flux", "flux_err"), n_classes=3))
    >>> network(torch.zeros(5, 20, 2), torch.full((5,), 20)).shape
    torch.Size([5, 3])
    """

    #: The class of its networks.
    network: ClassVar[type[EncoderNetwork]]
    #: Channels that an input representation must have.
    required_channels: ClassVar[tuple[str, ...]] = ()
    #: Whether later observations may change how an earlier one is encoded. If so, `state` has to
    #: mask the padding behind the last observation.
    looks_ahead: ClassVar[bool] = True
    #: Settings for which 0 means that there is no such part.
    may_be_zero: ClassVar[tuple[str, ...]] = ()

    latent_size: int = 128
    standardize_latent: bool = False

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.name in SIZES_IN_CONFIG:
                raise TypeError(
                    f"A setting of {type(self).__name__} cannot be named {setting.name}."
                )
            if type(setting.default) is bool and not isinstance(value, (bool, np.bool_)):
                raise ValueError(
                    f"{type(self).__name__}({setting.name}={value!r}): give True or False."
                )
            least = 0 if setting.name in self.may_be_zero else 1
            if type(setting.default) is int and not (
                isinstance(value, (int, np.integer))
                and not isinstance(value, bool)
                and value >= least
            ):
                kind = "an integer of at least 0" if least == 0 else "a positive integer"
                raise ValueError(
                    f"{type(self).__name__}({setting.name}={value!r}): give {kind}, such as "
                    f"{setting.default}."
                )

    def build(self, shape: NetworkShape) -> EncoderNetwork:
        """Return a network with initial weights, which torch's global generator draws.

        Parameters
        ----------
        shape : NetworkShape
            The channels, classes, columns and heads that it is built for.

        Returns
        -------
        EncoderNetwork
            On the CPU.

        Raises
        ------
        ValueError
            If a channel is missing that the architecture needs.

        Examples
        --------
        See `Architecture`.
        """
        missing = [name for name in self.required_channels if name not in shape.channels]
        if missing:
            raise ValueError(
                f"The architecture {type(self).__name__} needs the channels {missing}, and the "
                f"input representation has {list(shape.channels)}: add them, with "
                "representation=InputRepresentation(channels=...), or use another architecture."
            )
        return self.network(self, shape)


_NO_STATES = (
    "objective='masked' predicts single observations, and the architecture {} has no states of "
    "them: write its method sequence_states, or use architecture='transformer' or 'gru'."
)


class EncoderNetwork(nn.Module, ABC):
    """A network in two steps: observations to a state, and the state to the latent and its heads.

    observations -> `state` -> dense (tanh) -> [metadata branch, concatenated] -> dense latent
    (ReLU or linear) -> [shifted by the context, where there is any] -> class logits and further
    linear heads

    Parameters
    ----------
    architecture : Architecture
        Its settings.
    shape : NetworkShape
        The channels, classes, columns and heads that it is built for.

    Attributes
    ----------
    state_size, latent_size : int
        Columns of the state and of the latent.
    summary_size : int
        Columns of `summary`, which the dense layers read: those of the state, unless the
        architecture sets it in ``add_backbone``.
    sequence_size, mask_size : int
        Columns of the state of an observation, and of the token that stands for a hidden one; 0
        where an architecture has no such states. It sets them in ``add_backbone``.
    head : torch.nn.Linear or None
        Class head.
    redshift : torch.nn.Module or None
        Mean and log scale of ``ln(1 + z)``.
    heads : torch.nn.ModuleDict
        Further heads by name, that of the redshift excepted.
    recurrent : torch.nn.GRU or None
        Where `state` is the last state of such layers and nothing else: the layers, which faster
        loops without padding then run on a CPU.

    Examples
    --------
    >>> import torch
    >>> from sklc.networks.architectures import GRU, NetworkShape
    >>> shape = NetworkShape(("flux", "flux_err"), n_classes=3)
    >>> network = GRU(hidden_size=10, latent_size=4).build(shape)
    >>> state = network.state(torch.zeros(5, 20, 2), torch.full((5,), 20))
    >>> network.to_latent(state).shape, network.outputs(state, with_state=True).shape
    (torch.Size([5, 4]), torch.Size([5, 14]))
    """

    architecture: Any
    metadata: MetadataBranch | None
    context: ContextAdapter | None
    head: Any  # torch.nn.Linear, or None without classes
    redshift: nn.Module | None
    recurrent: nn.GRU | None = None
    summary_size: int = 0
    sequence_size: int = 0
    mask_size: int = 0
    mask_token: torch.Tensor

    def __init__(self, architecture: Architecture, shape: NetworkShape) -> None:
        super().__init__()
        self.architecture, self.shape = architecture, shape
        self.latent_size = int(architecture.latent_size)
        self.state_size = self.add_backbone(len(shape.channels))
        self.summary_size = self.summary_size or self.state_size
        self.dense = nn.Linear(self.summary_size, self.summary_size)
        self.metadata = MetadataBranch(shape.n_metadata) if shape.n_metadata else None
        width = self.summary_size + (self.metadata.n_outputs if self.metadata is not None else 0)
        self.latent = nn.Linear(width, self.latent_size)
        self.head = nn.Linear(self.latent_size, shape.n_classes) if shape.n_classes else None
        heads = {name: dense_layers(self.latent_size, sizes) for name, sizes in shape.heads.items()}
        self.redshift = heads.pop("redshift", None)
        self.heads = nn.ModuleDict(heads)
        self.context = None
        if shape.context:
            sizes = self.state_size, self.latent_size, shape.context_sizes
            self.context = ContextAdapter(len(shape.context), *sizes)
        self.sequence_heads = nn.ModuleDict()
        if shape.sequence_heads:
            if not self.sequence_size:
                raise ValueError(_NO_STATES.format(type(self).__name__))
            self.mask_token = nn.Parameter(0.5 * torch.randn(self.mask_size))
            for name, widths in shape.sequence_heads.items():
                self.sequence_heads[name] = dense_layers(self.sequence_size, widths)

    @abstractmethod
    def add_backbone(self, n_channels: int) -> int:
        """Make the layers that `state` uses.

        Parameters
        ----------
        n_channels : int
            Number of channels of an observation.

        Returns
        -------
        int
            The size of the state.

        Examples
        --------
        See `Architecture`.
        """

    @abstractmethod
    def state(self, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """State of each object, which must not depend on what lies behind its last observation.

        Parameters
        ----------
        values : Tensor of shape (n_objects, longest, n_channels)
            Observations in order of time, padded with zeros.
        lengths : Tensor of shape (n_objects,), int64
            Number of observations of each object.

        Returns
        -------
        Tensor of shape (n_objects, state_size)

        Examples
        --------
        See `Architecture`.
        """

    def sequence_states(
        self, values: torch.Tensor, lengths: torch.Tensor, hidden: torch.Tensor | None = None
    ) -> States:
        """State of each object and, where the architecture has them, of each observation.

        An architecture overrides this, and sets ``sequence_size`` and ``mask_size``, to be trained
        with ``objective="masked"``.

        Parameters
        ----------
        values, lengths
            As for `state`.
        hidden : Tensor of shape (n_objects, longest), bool, optional
            Observations whose measurement the network must not see: it puts ``mask_token`` in the
            place of their `sklc.measurements.MEASURED_CHANNELS`.

        Returns
        -------
        States
            Those of observations need not be there without `hidden`.

        Raises
        ------
        ValueError
            If observations are hidden, and the architecture has no states of them.

        Examples
        --------
        See the architecture "gru", in ``sklc/networks/architectures/gru.py``.
        """
        if hidden is not None:
            raise ValueError(_NO_STATES.format(type(self).__name__))
        return States(self.state(values, lengths))

    def set_scales(self, time_scale: float, values: torch.Tensor) -> None:
        """Learn the units of the channels before training; does nothing where no layer needs them.

        Parameters
        ----------
        time_scale : float
            Days per unit of the channel ``time``.
        values : Tensor of shape (n_observations, n_channels)
            Observations to train on.

        Examples
        --------
        See the architecture "transformer", in ``sklc/networks/architectures/transformer.py``.
        """

    def summary(self, state: torch.Tensor) -> torch.Tensor:
        """What the dense layers read of the state: all of it, unless a network overrides this.

        Parameters
        ----------
        state : Tensor of shape (n_objects, state_size)
            What `state` returns.

        Returns
        -------
        Tensor of shape (n_objects, summary_size)

        Examples
        --------
        See the architecture "transformer", in ``sklc/networks/architectures/transformer.py``.
        """
        return state

    def summary_to_onnx(self, graph: Graph, state: str) -> str:
        """Append `summary` to an ONNX graph.

        Parameters
        ----------
        graph : Graph
            Appended to.
        state : str
            Name of the state.

        Returns
        -------
        str
            Name of the summary.

        Examples
        --------
        See the architecture "transformer", in ``sklc/networks/architectures/transformer.py``.
        """
        return state

    def state_to_onnx(self, graph: Graph, values: str, lengths: str) -> str:
        """Append what `state` computes to an ONNX graph, for `LightCurveEncoder.to_onnx`.

        Parameters
        ----------
        graph : Graph
            Appended to.
        values, lengths : str
            Names of the inputs, as for `state`; `lengths` is int32 there.

        Returns
        -------
        str
            The name of the state in the graph.

        Raises
        ------
        NotImplementedError
            Unless the architecture overrides this method.

        Examples
        --------
        See the architecture "gru", in ``sklc/networks/architectures/gru.py``.
        """
        raise NotImplementedError(
            f"The architecture {self.config['name']!r} has no ONNX graph, so it cannot be exported "
            "with to_onnx: save the encoder with encoder.save(path) and load it with "
            f"LightCurveEncoder(path), or write {type(self).__name__}.state_to_onnx."
        )

    @property
    def config(self) -> dict[str, Any]:
        """Name, settings and sizes, as plain data: what a network is rebuilt from."""
        kind, on_each = type(self.architecture), self.shape.sequence_heads
        settings = asdict(self.architecture).items()
        return {
            "name": name_of(self.architecture) or f"{kind.__module__}.{kind.__qualname__}",
            # JSON knows no numpy scalars, which grids of parameters are made of.
            **{name: v.item() if isinstance(v, np.generic) else v for name, v in settings},
            "n_channels": len(self.shape.channels),
            "n_classes": self.shape.n_classes,
            "n_metadata": self.shape.n_metadata,
            "heads": {name: list(sizes) for name, sizes in self.shape.heads.items()},
            # Only where there is one, so that older releases read the others.
            **({"context": list(self.shape.context)} if self.shape.context else {}),
            **({"context_sizes": list(self.shape.context_sizes)} if self.shape.context else {}),
            **(
                {"sequence_heads": {name: list(sizes) for name, sizes in on_each.items()}}
                if on_each
                else {}
            ),
        }

    def all_heads(self) -> dict[str, nn.Module]:
        """Return the heads beside that of the classes.

        Returns
        -------
        dict of str to torch.nn.Module
            By name.

        Examples
        --------
        See `NetworkShape`.
        """
        return dict(self.heads) | ({} if self.redshift is None else {"redshift": self.redshift})

    @property
    def block_sizes(self) -> tuple[int, int]:
        """Columns of `outputs` with the state: of the latent, then of the state."""
        return self.latent_size, self.state_size

    def parameters_of(self, part: Literal["backbone", "encoder"]) -> list[nn.Parameter]:
        """Return the parameters that a way of fine-tuning trains.

        Parameters
        ----------
        part : {"backbone", "encoder"}
            The parameters of the state, for ``finetune="backbone+head"``, or also those of the
            latent, for ``finetune="all"``.

        Returns
        -------
        list of torch.nn.Parameter

        Examples
        --------
        See `TransferClassifier`, whose fine-tuning uses it.
        """
        behind = {"head", "heads", "redshift", "sequence_heads", "mask_token"}
        if part == "backbone":
            behind |= {"dense", "metadata", "latent", "context"}
        return [p for name, p in self.named_parameters() if name.partition(".")[0] not in behind]

    def to_latent(self, state: torch.Tensor, metadata: torch.Tensor | None = None) -> torch.Tensor:
        """Map the state to the latent.

        Parameters
        ----------
        state : Tensor of shape (n_objects, state_size)
            What `state` returns.
        metadata : Tensor of shape (n_objects, n_metadata [+ n_context]), optional
            Per-object columns, where the network reads them: those of the branch for metadata,
            then, where it is known, the context; NaN is missing.

        Returns
        -------
        Tensor of shape (n_objects, latent_size)
        """
        dense, n_metadata = torch.tanh(self.dense(self.summary(state))), self.shape.n_metadata
        if self.metadata is not None and metadata is not None:
            dense = torch.cat([dense, self.metadata(metadata[:, :n_metadata])], dim=1)
        latent = self.latent(dense)
        if not self.architecture.standardize_latent:
            latent = torch.relu(latent)
        if self.context is None or metadata is None or metadata.shape[1] == n_metadata:
            return latent
        return self.context(latent, state, metadata[:, n_metadata:])

    def rescale_latent(self, mean: torch.Tensor, scale: torch.Tensor) -> None:
        """Shift and divide each unit of a linear latent; what the heads say of it stays the same.

        Parameters
        ----------
        mean, scale : Tensor of shape (latent_size,)
            What is subtracted from each unit, and what it is then divided by.

        Examples
        --------
        See `Architecture`, whose `standardize_latent` uses it after training.
        """
        with torch.no_grad():
            self.latent.bias.sub_(mean).div_(scale)
            self.latent.weight.div_(scale[:, None])
            for head in (self.head, *self.all_heads().values()):
                layers = [] if head is None else head.modules()
                for first in [layer for layer in layers if isinstance(layer, nn.Linear)][:1]:
                    first.bias.add_(first.weight @ mean)
                    first.weight.mul_(scale)
            if self.context is not None:
                self.context.rescale(mean, scale)

    def outputs(
        self, state: torch.Tensor, metadata: torch.Tensor | None = None, *, with_state: bool
    ) -> torch.Tensor:
        """Return the latent and the state side by side.

        Parameters
        ----------
        state : Tensor of shape (n_objects, state_size)
            What `state` returns.
        metadata : Tensor of shape (n_objects, n_metadata [+ n_context]), optional
            Per-object columns, as for `to_latent`.
        with_state : bool
            Whether the state is wanted: without it, this is `to_latent`.

        Returns
        -------
        Tensor of shape (n_objects, n_columns)
        """
        latent = self.to_latent(state, metadata)
        return torch.cat([latent, state], dim=1) if with_state else latent

    def to_onnx(
        self, graph: Graph, values: str, lengths: str, *, with_context: bool = False
    ) -> str:
        """Append `state` and `to_latent` to an ONNX graph.

        The input ``metadata`` is declared if there is a branch for it.

        Parameters
        ----------
        graph : Graph
            Appended to.
        values, lengths : str
            Names of the inputs, as for `state_to_onnx`.
        with_context : bool, default=False
            Whether to declare the input ``context`` as well, and to append the adapter for it.

        Returns
        -------
        str
            The name of the latent in the graph.

        Examples
        --------
        See `LightCurveEncoder.to_onnx`, which uses it.
        """
        state = self.state_to_onnx(graph, values, lengths)
        hidden = graph.apply("Tanh", graph.dense(self.dense, self.summary_to_onnx(graph, state)))
        if self.metadata is not None:
            shape: list[int | str] = ["n_objects", self.shape.n_metadata]
            branch = self.metadata.to_onnx(graph, graph.add_input("metadata", np.float32, shape))
            hidden = graph.apply("Concat", hidden, branch, axis=1)
        latent = graph.dense(self.latent, hidden)
        if not self.architecture.standardize_latent:
            latent = graph.apply("Relu", latent)
        if self.context is None or not with_context:
            return latent
        shape = ["n_objects", len(self.shape.context)]
        context = graph.add_input("context", np.float32, shape)
        return self.context.to_onnx(graph, latent, state, context)

    def forward(
        self, values: torch.Tensor, lengths: torch.Tensor, metadata: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Class logits of padded observations.

        Parameters
        ----------
        values : Tensor of shape (n_objects, longest, n_channels)
            Observations in order of time, padded with zeros.
        lengths : Tensor of shape (n_objects,), int64
            Number of observations of each object.
        metadata : Tensor of shape (n_objects, n_metadata [+ n_context]), optional
            Per-object columns, as for `to_latent`.

        Returns
        -------
        Tensor of shape (n_objects, n_classes)

        Examples
        --------
        See `Architecture`.
        """
        return self.head(self.to_latent(self.state(values, lengths), metadata))
