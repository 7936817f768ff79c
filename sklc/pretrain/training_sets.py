"""The simulated light curves that the shipped weights are trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sklc.context import last_non_detection
from sklc.errors import NotDetectedError, SimulationError
from sklc.light_curves import LightCurves, concatenate
from sklc.representation import PRESETS
from sklc.simulate import TWELVE_CLASSES, Survey, draw_survey, simulate

__all__ = [
    "CLASS_SHARES",
    "SIMULATED",
    "simulate_any_survey",
    "simulate_training_set",
    "simulate_unknown",
]

# Simulated light curves of each class in a survey. The two large classes of real samples are
# larger here, too; 180,000 in all for two surveys.
SIMULATED = {
    "SNIa": 14000,
    "SNII": 14000,
    "SNIb": 6000,
    "SNIc": 6000,
    "SNIc-BL": 5000,
    "SNIIb": 6000,
    "SNIIn": 6000,
    "SNIa-91bg": 6000,
    "SNIax": 6000,
    "TDE": 7000,
    "SLSN-I": 7000,
    "AGN": 7000,
}


def simulate_training_set(
    surveys: Sequence[str], *, share: float = 1.0, seed: int = 0, n_jobs: int = 1
) -> LightCurves:
    """Simulate the light curves of twelve classes that the shipped weights are trained on.

    Parameters
    ----------
    surveys : sequence of str
        Names that `sklc.simulate.simulate` knows.
    share : float, default=1.0
        Share of the 90,000 light curves of each survey to simulate.
    seed : int, default=0
        Seed of the simulation.
    n_jobs : int, default=1
        Processes that simulate.

    Returns
    -------
    LightCurves
        Light curves with the classes of Gupta, Muthukrishna, Rehemtulla & Shah (2025).

    Raises
    ------
    SimulationError
        As `sklc.simulate.simulate`: if templates are missing, for example.

    Examples
    --------
    See ``python -m sklc.pretrain --simulate``; it needs the templates of sncosmo.
    >>> from sklc.pretrain import SIMULATED
    >>> sum(SIMULATED.values())
    90000
    """
    numbers = {name: max(20, round(share * count)) for name, count in SIMULATED.items()}
    options: dict[str, Any] = {"random_state": seed, "n_jobs": n_jobs}
    return concatenate([simulate(numbers, name, TWELVE_CLASSES, **options) for name in surveys])


# Light curves of each class in one survey of `simulate_any_survey`.
_ANY_SURVEY = {
    "SNIa": 620,
    "SNII": 620,
    "SNIb": 280,
    "SNIc": 280,
    "SNIc-BL": 240,
    "SNIIb": 280,
    "SNIIn": 280,
    "SNIa-91bg": 280,
    "SNIax": 280,
    "TDE": 320,
    "SLSN-I": 320,
    "AGN": 320,
    "variable-star": 300,
    "artefact": 250,
    "dwarf-nova": 200,
    "uLens": 150,
    "KN": 60,
}
# Classes that none of the weights are trained on, and light curves of each in one survey.
_UNKNOWN = {"Ca-rich": 100, "SLSN-II": 100, "SNIbn": 100, "SNIa-CSM": 100, "PISN": 100, "ILOT": 100}
# Expected shares that these weights bring along, relative to each of the other classes: however
# alike the light curves are, a source is seldom a TDE, which are .4 % in the ZTF Bright Transient
# Survey (Rehemtulla et al. 2024; see `TransferClassifier`), where a class of supernovae has a tenth
# on average; and hardly ever a kilonova, of which surveys have found none by themselves (Andreoni
# et al. 2021, ApJ 918, 63).
CLASS_SHARES = {"TDE": 0.04, "KN": 0.01}
# What is kept around the detections: a season, years, all of the survey, or what alerts have.
_WINDOWS = ((-30.0, 60.0), (-200.0, 400.0), None, (-5.0, 100.0))
# Surveys that exist, and how many light curves of each: in multiples of those of a drawn one.
_KNOWN = {"ztf": 3, "lsst": 2, "ps1": 1, "des": 1, "lsst-ddf": 1}
# Drawn surveys between two rounds of the known ones.
_ROUND = 6
# What is dropped here is never shown, also with the noise that augmentation adds.
_KEPT = replace(PRESETS["corroborated"], min_snr=2.5)
# The redshift of objects in the Milky Way, whose logarithm a redshift head may ask for.
_NEAREST = 1e-4


@dataclass(frozen=True)
class _Part:
    """Light curves of one survey with one window."""

    name: str
    survey: str | Survey
    numbers: Mapping[str, int]
    window: tuple[float, float] | None
    seed: int

    def simulate(self, n_jobs: int) -> tuple[LightCurves, list[str]]:
        """Return the light curves, and the classes that the survey does not detect."""
        found, missing = [], []
        for name, number in self.numbers.items():
            try:
                curves = simulate({name: number}, self.survey, window=self.window,
                                  random_state=self.seed, n_jobs=n_jobs)  # fmt: skip
            except NotDetectedError:
                missing.append(name)
                continue
            before = last_non_detection(curves, _KEPT)  # noise is dropped, and this is kept
            found.append(_KEPT.shown(curves).with_metadata(last_non_detection=before))
        return concatenate(found), missing


def simulate_any_survey(
    folder: str | Path,
    *,
    share: float = 1.0,
    n_surveys: int = 90,
    leave_out: Sequence[str] = (),
    seed: int = 0,
    n_jobs: int = 1,
) -> LightCurves:
    """Simulate seventeen classes in surveys drawn at random and in known ones, part by part.

    Each survey is seen through one of four windows, from a season around the detections to all of
    its years. Observations that no weights are shown are dropped.

    Parameters
    ----------
    folder : str or Path
        Where the parts are written. A repeated call simulates only those that are missing.
    share : float, default=1.0
        Share of the 780,000 light curves (with 90 surveys) to simulate.
    n_surveys : int, default=90
        Number of surveys drawn by `sklc.simulate.draw_survey`.
    leave_out : sequence of str, default=()
        Known surveys to leave out, to measure how weights fare in a survey that they never saw.
    seed : int, default=0
        Seed of surveys and objects.
    n_jobs : int, default=1
        Processes that simulate.

    Returns
    -------
    LightCurves
        With the metadata class, survey, redshift, mwebv, and last_non_detection. Ids begin with
        the number of the part.

    Raises
    ------
    SimulationError
        If the folder holds parts of another share or seed, or if templates are missing, for
        example. A class that a drawn survey does not detect is left out of that survey, as
        ``missing.json`` beside its part says.

    Examples
    --------
    See ``python -m sklc.pretrain --simulate --surveys any``; it needs the templates of sncosmo.

    >>> from sklc.pretrain import simulate_any_survey
    >>> curves = simulate_any_survey("parts", share=0.01, n_surveys=6)  # doctest: +SKIP
    """
    parts, folder = [], Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings, kept = {"share": share, "seed": seed}, folder / "settings.json"
    if not kept.exists():
        kept.write_text(json.dumps(settings))
    if (found := json.loads(kept.read_text())) != settings:
        raise SimulationError(
            f"{folder} holds light curves that were simulated with {found}, not with {settings}: "
            "choose another folder, or the same values."
        )
    for part in _parts(share, n_surveys, leave_out, seed):
        own = folder / part.name
        if not (own / "missing.json").exists():
            curves, absent = part.simulate(n_jobs)
            curves.to_parquet(own)
            # Written last: a part with it is complete.
            (own / "missing.json").write_text(json.dumps(absent))
        parts.append(_for_training(LightCurves.from_parquet(own)))
    return concatenate(parts, prefix_ids=True)


def simulate_unknown(
    *, share: float = 1.0, n_surveys: int = 12, seed: int = 0, n_jobs: int = 1
) -> LightCurves:
    """Simulate light curves of six rare classes that no weights are trained on.

    They are calcium-rich transients, supernovae of the types Ibn, Ia-CSM and pair instability,
    hydrogen-rich superluminous ones, and intermediate-luminosity optical transients, in the known
    surveys of `simulate_any_survey` and in drawn ones.

    Parameters
    ----------
    share : float, default=1.0
        Share of the 600 light curves of each survey to simulate.
    n_surveys : int, default=12
        Number of surveys drawn by `sklc.simulate.draw_survey`.
    seed : int, default=0
        Seed of surveys and objects.
    n_jobs : int, default=1
        Processes that simulate.

    Returns
    -------
    LightCurves
        With the metadata class, survey and redshift, for `add_novelty` as ``unknown``. A class that
        a survey does not detect is left out there.

    Raises
    ------
    SimulationError
        As `sklc.simulate.simulate`: if templates are missing, for example.

    Examples
    --------
    It needs the templates of sncosmo.

    >>> from sklc.pretrain import simulate_unknown
    >>> unknown = simulate_unknown(share=0.1)  # doctest: +SKIP
    """
    numbers = {name: max(2, round(share * n)) for name, n in _UNKNOWN.items()}
    surveys: list[str | Survey] = [
        *_KNOWN,
        *(draw_survey(1000 * seed + k) for k in range(n_surveys)),
    ]
    parts = []
    for k, survey in enumerate(surveys):
        name = survey if isinstance(survey, str) else survey.name
        window = _WINDOWS[k % len(_WINDOWS)]
        found, _ = _Part(name, survey, numbers, window, 5000 * (seed + 1) + k).simulate(n_jobs)
        parts.append(_for_training(found))
    return concatenate(parts, prefix_ids=True)


def _parts(share: float, n_surveys: int, leave_out: Sequence[str], seed: int) -> Iterator[_Part]:
    def numbers(times: int) -> dict[str, int]:
        return {name: max(2, round(times * share * n)) for name, n in _ANY_SURVEY.items()}

    for k in range(n_surveys):
        turn, left = divmod(k, _ROUND)
        if left == 0:
            window, own_seed = _WINDOWS[turn % len(_WINDOWS)], 1000 * (seed + 1) + turn
            for name, times in _KNOWN.items():
                if name not in leave_out:
                    yield _Part(f"{name}-{turn}", name, numbers(times), window, own_seed)
        own_seed = 1000 * seed + k
        survey = draw_survey(own_seed)
        yield _Part(survey.name, survey, numbers(1), _WINDOWS[k % len(_WINDOWS)], own_seed)


def _for_training(curves: LightCurves) -> LightCurves:
    """Return the light curves with only the metadata that training reads."""
    names = ["class", "survey", "redshift", "mwebv", "last_non_detection"]
    metadata = curves.metadata[[name for name in names if name in curves.metadata]]
    nearest = metadata["redshift"].clip(lower=_NEAREST).fillna(_NEAREST)
    store = replace(curves._compact(), metadata=metadata.assign(redshift=nearest))
    return LightCurves._from_store(store)
