"""Models of light sources behind one small interface, `Source`."""

from sklc.simulate.sources.agn import DampedRandomWalk, draw_damped_random_walk
from sklc.simulate.sources.base import ChromaticScatter, Kind, Normal, Source
from sklc.simulate.sources.galactic import Microlensing
from sklc.simulate.sources.powered import DiffusionSource, Kilonova, Magnetar, Nickel
from sklc.simulate.sources.salt import SALTSource
from sklc.simulate.sources.spectral import SpectralSource
from sklc.simulate.sources.stars import PeriodicStar, SubtractionArtefact
from sklc.simulate.sources.thermal import FallbackTDE, ThermalPulse, ThermalSource

__all__ = [
    "ChromaticScatter",
    "DampedRandomWalk",
    "DiffusionSource",
    "FallbackTDE",
    "Kilonova",
    "Kind",
    "Magnetar",
    "Microlensing",
    "Nickel",
    "Normal",
    "PeriodicStar",
    "SALTSource",
    "Source",
    "SpectralSource",
    "SubtractionArtefact",
    "ThermalPulse",
    "ThermalSource",
    "draw_damped_random_walk",
]
