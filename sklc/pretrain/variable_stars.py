"""The simulated variable stars that the weights "variables" are trained on, and how."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from sklc.errors import SimulationError
from sklc.light_curves import LightCurves, concatenate
from sklc.networks.architectures import GRU
from sklc.representation import InputRepresentation
from sklc.simulate import VARIABLE_CLASSES, Photometry, Survey, draw_survey, simulate

__all__ = ["simulate_variable_stars", "variable_star_settings"]

# Light curves of each survey, and of each one that is drawn.
_SURVEYS = {
    "crts": 36000,
    "asas": 20000,
    "asas-sn": 14000,
    "ztf": 14000,
    "ogle": 14000,
    "lsst": 10000,
    "atlas": 10000,
    "gaia": 10000,
    "hipparcos": 10000,
}
_PER_DRAWN_SURVEY = 500
# How frequent a class is, relative to most: more of those that are frequent in catalogues.
_FREQUENCY = {
    **dict.fromkeys(("RRab", "RRc", "EA", "EW", "ROT"), 4.0),
    **dict.fromkeys(("EB", "SR"), 3.0),
    **dict.fromkeys(("RRd", "HADS", "DSCT", "DCEP", "Mira"), 2.5),
    **dict.fromkeys(("RRab/BL", "T2CEP", "ACEP", "CV", "YSO", "QSO"), 1.6),
}
# Shares of outliers, in turn.
_OUTLIERS = (0.002, 0.005, 0.01)
# Observations of an object: decimal logarithms of the smallest and largest number that is drawn,
# the share of objects with up to `_LONGEST`, and of those with hardly any.
_NUMBERS, _LONG_SHARE, _LONGEST, _SHORT_SHARE, _SHORTEST = (1.3, 2.35), 0.07, 500, 0.01, (2, 20)
_METADATA = ("class", "survey", "period", "amplitude")


def simulate_variable_stars(
    *, share: float = 1.0, n_surveys: int = 40, seed: int = 0, n_jobs: int = 1
) -> LightCurves:
    """Simulate variable stars and quasars in total flux, in nine surveys and in drawn ones.

    The surveys are those of Catalina, ASAS, ASAS-SN, ZTF, OGLE, LSST, ATLAS, Gaia and Hipparcos.
    Observations are left out at random, so that an object has between 2 and 500.

    Parameters
    ----------
    share : float, default=1.0
        Share of the 158,000 light curves (with 40 drawn surveys) to simulate.
    n_surveys : int, default=40
        Number of surveys drawn by `sklc.simulate.draw_survey`.
    seed : int, default=0
        Seed of surveys and objects.
    n_jobs : int, default=1
        Processes that simulate.

    Returns
    -------
    LightCurves
        With the metadata class, survey, period (days; NaN if there is none) and amplitude. Ids
        begin with the number of the survey. A class that a drawn survey hardly ever detects is left
        out there.

    Raises
    ------
    SimulationError
        As `sklc.simulate.simulate`: if templates are missing, for example.

    Examples
    --------
    See ``python -m sklc.pretrain --simulate --surveys variables``.

    >>> from sklc.pretrain import simulate_variable_stars
    >>> stars = simulate_variable_stars(share=0.01, n_surveys=1)  # doctest: +SKIP
    """
    rng = np.random.default_rng(seed)
    surveys: list[tuple[str | Survey, float]] = list(_SURVEYS.items())
    surveys += [(draw_survey(1000 * seed + k), _PER_DRAWN_SURVEY) for k in range(n_surveys)]
    parts = []
    for k, (survey, total) in enumerate(surveys):
        photometry = Photometry(outliers=_OUTLIERS[k % len(_OUTLIERS)], missing_bands=0.03)
        found = _simulated(
            _numbers(share * total), survey, photometry=photometry, random_state=1000 * seed + k,
            n_jobs=n_jobs,
        )  # fmt: skip
        parts.append(_thinned(found, rng))
    return concatenate(parts, prefix_ids=True)


def variable_star_settings(hidden_size: int) -> dict[str, Any]:
    """Return the arguments of `pretrain` for weights that tell variable stars apart.

    Parameters
    ----------
    hidden_size : int
        Units of each layer.

    Returns
    -------
    dict
        Magnitudes relative to the mean in each band are read in the order of their phases (Naul et
        al. 2018), and latents are standardised.

    Examples
    --------
    >>> from sklc.pretrain.variable_stars import variable_star_settings
    >>> variable_star_settings(128)["representation"].fold
    'period'
    """
    return {
        "representation": InputRepresentation.preset("magnitude").folded(),
        "architecture": GRU(hidden_size=hidden_size, standardize_latent=True),
        "augment": None,  # or periods would have to be found in every epoch
        "batch_size": 256,
        "learning_rate": 2e-3,
    }


def _simulated(numbers: dict[str, int], survey: str | Survey, **options: Any) -> LightCurves:
    try:
        return simulate(numbers, survey, **options)
    except SimulationError:
        if isinstance(survey, str):  # which detects all classes
            raise
    found = []
    for name, number in numbers.items():
        with suppress(SimulationError):
            found.append(simulate({name: number}, survey, **options))
    return concatenate(found, prefix_ids=True)


def _numbers(total: float) -> dict[str, int]:
    frequency = np.array([_FREQUENCY.get(name, 1.0) for name in VARIABLE_CLASSES])
    numbers = np.maximum(2, np.rint(total * frequency / frequency.sum())).astype(int)
    return dict(zip(VARIABLE_CLASSES, numbers.tolist(), strict=True))


def _thinned(curves: LightCurves, rng: np.random.Generator) -> LightCurves:
    """Leave out observations at random, and metadata that training does not read."""
    store = curves._compact()
    lengths = np.diff(store.offsets)
    kind, most = rng.random(len(lengths)), 10 ** rng.uniform(*_NUMBERS, len(lengths))
    most = np.where(kind < _LONG_SHARE, _LONGEST, most)
    most = np.where(kind > 1 - _SHORT_SHARE, rng.integers(*_SHORTEST, len(lengths)), most)
    kept = rng.random(store.n_observations) < np.repeat(most / lengths, lengths)
    kept[store.offsets[:-1]] = True
    columns = {name: getattr(store, name)[kept] for name in ("time", "flux", "flux_err", "band")}
    offsets = np.concatenate([[0], np.cumsum(kept)])[store.offsets]
    metadata = store.metadata[[name for name in _METADATA if name in store.metadata]]
    return LightCurves._from_store(replace(store, **columns, offsets=offsets, metadata=metadata))
