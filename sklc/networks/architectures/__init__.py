"""Networks that encode light curves, one file each, and how to add another."""

from sklc.networks.architectures.gru import GRU
from sklc.networks.architectures.interface import Architecture, EncoderNetwork, NetworkShape
from sklc.networks.architectures.registry import ARCHITECTURES, register_architecture

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "EncoderNetwork",
    "GRU",
    "NetworkShape",
    "register_architecture",
]

ARCHITECTURES.register("gru", GRU)
