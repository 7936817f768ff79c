"""The names, aliases and effective wavelengths of passbands."""

from sklc.passbands.lookup import find_passbands, get_passband, list_passbands, register_passband
from sklc.passbands.registry import Passband, passband_labels

__all__ = [
    "Passband",
    "find_passbands",
    "get_passband",
    "list_passbands",
    "passband_labels",
    "register_passband",
]
