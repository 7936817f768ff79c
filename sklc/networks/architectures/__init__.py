"""Networks that encode light curves, one file each, and how to add another."""

from sklc.networks.architectures.gru import GRU
from sklc.networks.architectures.interface import Architecture, EncoderNetwork
from sklc.networks.architectures.registry import ARCHITECTURES, register_architecture
from sklc.networks.architectures.shape import NetworkShape, States
from sklc.networks.architectures.transformer import Transformer

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "EncoderNetwork",
    "GRU",
    "NetworkShape",
    "States",
    "Transformer",
    "register_architecture",
]

ARCHITECTURES.register("gru", GRU)
ARCHITECTURES.register("transformer", Transformer)
