"""What the table knows of a survey or instrument."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["CURVE", "SVO", "Row", "Survey"]

Row = tuple[str, float, tuple[str, ...], str | None]
#: Sources that several surveys have.
CURVE = "mean of the transmission curve distributed with sncosmo"
SVO = "mean wavelength (lambda_mean) of the SVO Filter Profile Service, Rodrigo & Solano 2020"


class Survey(NamedTuple):
    """A survey or instrument: its other names, the source of its wavelengths, and its bands.

    `labels` are what the survey's own files write for passbands that are rows of other surveys.
    A survey has several entries if its wavelengths have several sources.
    """

    name: str
    aliases: tuple[str, ...]
    source: str
    rows: tuple[Row, ...] = ()
    labels: Mapping[str, str] = MappingProxyType({})
