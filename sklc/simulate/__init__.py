"""Simulated light curves of transients and variables, as surveys would have found them.

`simulate` returns them; `simulate_to_parquet` writes more of them than fit into memory. Both need
the extra ``sim``: ``pip install "sklc[sim]"``.
"""

from sklc.augment.transformers import (
    AlertCadence,
    DetectionsOnly,
    DropBands,
    DropEpochs,
    ExtraNoise,
    Prefixes,
    Redshifting,
)
from sklc.errors import SimulationError
from sklc.simulate.classes import (
    CLASSES,
    COMMON_CLASSES,
    RARE_CLASSES,
    TWELVE_CLASSES,
    VARIABLE_CLASSES,
    SourceClass,
    list_classes,
    register_class,
)
from sklc.simulate.lightcurvelynx import from_lightcurvelynx
from sklc.simulate.run import simulate
from sklc.simulate.settings import Photometry, Trigger
from sklc.simulate.sources import SpectralSource
from sklc.simulate.surveys import Survey, TotalFlux, draw_survey, list_surveys, register_survey
from sklc.simulate.to_parquet import simulate_to_parquet

__all__ = [
    "CLASSES",
    "COMMON_CLASSES",
    "RARE_CLASSES",
    "TWELVE_CLASSES",
    "VARIABLE_CLASSES",
    "AlertCadence",
    "DetectionsOnly",
    "DropBands",
    "DropEpochs",
    "ExtraNoise",
    "Photometry",
    "Prefixes",
    "Redshifting",
    "SimulationError",
    "SourceClass",
    "SpectralSource",
    "Survey",
    "TotalFlux",
    "Trigger",
    "draw_survey",
    "from_lightcurvelynx",
    "list_classes",
    "list_surveys",
    "register_class",
    "register_survey",
    "simulate",
    "simulate_to_parquet",
]
