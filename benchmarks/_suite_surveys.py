"""Simulated surveys of the suite: those of the library, ATLAS, and Swift UVOT."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import numpy as np
import pandas as pd
from _common import use_templates

from sklc import LightCurves, get_passband
from sklc.simulate import TWELVE_CLASSES, Survey, simulate
from sklc.simulate.surveys.conditions import moonlight, season_phase, sky

# Lower and upper half-power wavelength in Angstrom, and 5-sigma depth of a night in AB magnitudes.
ATLAS = {"atlasc": (4200.0, 6500.0, 20.3), "atlaso": (5600.0, 8200.0, 20.0)}
UVOT = {
    "uvotuvw2": (1600.0, 2257.0, 21.0),
    "uvotuvm2": (1997.0, 2495.0, 20.8),
    "uvotuvw1": (2254.0, 2947.0, 20.6),
    "uvotu": (3072.0, 3857.0, 20.2),
    "uvotb": (3905.0, 4880.0, 19.4),
    "uvotv": (5084.0, 5853.0, 18.7),
}
N_POSITIONS = 40


def atlas() -> Survey:
    """Return two wide bands, one by moonlight; every second night for five years with seasons."""
    rng = np.random.default_rng(0)
    ra, _ = sky(rng, N_POSITIONS, -40.0, 80.0)
    tables = []
    for position in range(N_POSITIONS):
        night = 59000.3 + np.cumsum(np.maximum(rng.normal(2.0, 0.5, 900), 1.0))
        in_season = season_phase(ra[position : position + 1], night)[0] < 120
        night = night[in_season & (rng.random(len(night)) < 0.65)]
        band = np.where(moonlight(night) < 0.4, "atlasc", "atlaso")
        tables.append(pd.DataFrame({"mjd": night, "band": band, "position": position}))
    return _survey("ATLAS", pd.concat(tables, ignore_index=True), ATLAS, rng)


def uvot() -> Survey:
    """Return six bands, visited every few days for two years, from space."""
    rng = np.random.default_rng(1)
    tables = []
    for position in range(N_POSITIONS):
        visit = 59000.0 + np.cumsum(rng.exponential(4.0, 180))
        for number, band in enumerate(UVOT):
            seen = visit[rng.random(len(visit)) < 0.85] + 0.002 * number
            tables.append(pd.DataFrame({"mjd": seen, "band": band, "position": position}))
    return _survey("UVOT", pd.concat(tables, ignore_index=True), UVOT, rng)


def _survey(
    name: str,
    table: pd.DataFrame,
    bands: dict[str, tuple[float, float, float]],
    rng: np.random.Generator,
) -> Survey:
    middle = table["band"].map({band: depth for band, (_, _, depth) in bands.items()})
    table["depth"] = middle + rng.normal(0.0, 0.3, len(table))
    survey = Survey.from_pointings(table, name=name, systematic=0.01)
    curves = {get_passband(band): _trapezoid(*bands[band][:2]) for band in bands}
    return replace(survey, curves=curves)


def _trapezoid(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return wavelengths and a transmission whose edges are a tenth of the width each."""
    edge = 0.05 * (high - low)
    corners = [low - edge, low + edge, high - edge, high + edge]
    wave = np.linspace(corners[0], corners[-1], 100)
    return wave, np.interp(wave, corners, [0.0, 1.0, 1.0, 0.0])


SURVEYS = {"atlas": atlas, "uvot": uvot}


def simulated_survey(
    survey: str,
    n_per_class: int,
    window: tuple[float, float] | None,
    seed: int,
    options: Namespace,
) -> LightCurves:
    """Simulate the twelve classes.

    Parameters
    ----------
    survey : str
        One of `SURVEYS`, or a survey of the library.
    n_per_class : int
    window : tuple of float or None
        As in `sklc.simulate`.
    seed : int
    options : Namespace
        As parsed.

    Raises
    ------
    FileNotFoundError
        If there are no spectral templates.
    """

    def stop(message: str) -> None:
        raise FileNotFoundError(
            "there are no spectral templates here: set SNCOSMO_DATA_DIR to a folder of sncosmo's "
            "data, or pass --data DIR with DIR/templates"
        )

    use_templates(Namespace(**{**vars(options), "stop": stop}))
    made = SURVEYS[survey]() if survey in SURVEYS else survey
    return simulate(n_per_class, made, TWELVE_CLASSES, window=window, random_state=seed)
