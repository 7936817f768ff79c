"""Models of light sources behind one small interface, `Source`."""

from sklc.simulate.sources.agn import DampedRandomWalk, draw_damped_random_walk
from sklc.simulate.sources.base import ChromaticScatter, Kind, Normal, Source
from sklc.simulate.sources.eclipsing import ContactBinary, EclipsingBinary, EllipsoidalStar
from sklc.simulate.sources.eruptive import EruptiveKind, EruptiveStar, FlareStar
from sklc.simulate.sources.galactic import Microlensing
from sklc.simulate.sources.powered import DiffusionSource, Kilonova, Magnetar, Nickel
from sklc.simulate.sources.pulsating import MultimodeStar, PulsatingStar
from sklc.simulate.sources.quasar import Quasar
from sklc.simulate.sources.rotating import SpottedStar
from sklc.simulate.sources.salt import SALTSource
from sklc.simulate.sources.spectral import SpectralSource
from sklc.simulate.sources.stars import PeriodicStar, SubtractionArtefact
from sklc.simulate.sources.thermal import FallbackTDE, ThermalPulse, ThermalSource
from sklc.simulate.sources.variable import Mixture, Modulation, Relation, VariableStar

__all__ = [
    "ChromaticScatter",
    "ContactBinary",
    "DampedRandomWalk",
    "DiffusionSource",
    "EclipsingBinary",
    "EllipsoidalStar",
    "EruptiveKind",
    "EruptiveStar",
    "FallbackTDE",
    "FlareStar",
    "Kilonova",
    "Kind",
    "Magnetar",
    "Microlensing",
    "Mixture",
    "Modulation",
    "MultimodeStar",
    "Nickel",
    "Normal",
    "PeriodicStar",
    "PulsatingStar",
    "Quasar",
    "Relation",
    "SALTSource",
    "Source",
    "SpectralSource",
    "SpottedStar",
    "SubtractionArtefact",
    "ThermalPulse",
    "ThermalSource",
    "VariableStar",
    "draw_damped_random_walk",
]
