"""The same simulated events as several surveys see them, at the same positions and times."""

from __future__ import annotations

import numpy as np

from sklc.light_curves import LightCurves, concatenate
from sklc.simulate import Survey, Trigger, simulate
from sklc.simulate.surveys.visits import Visits

# Labels of the surveys, in the order of the results, with their names.
SURVEYS = {"ZTF": "ztf", "LSST": "lsst", "PS1": "ps1", "DES": "des"}
CLASSES = ("SNIa", "SNIb/c", "SNII", "SLSN-I", "TDE", "AGN")
# ZTF has to see them, too, and all surveys together have them as long as the shortest lasts.
BRIGHT = Trigger(n_det=6, snr=5, bright_limit=19.0)
DAYS = 900.0
SYSTEMATIC = 0.01
_START = 60000.0
_NIGHT_START = 0.8  # no telescope, from Hawaii to Chile, observes at this fraction of the UT day


def same_events(
    number: int, min_points: int, seed: int, n_jobs: int = 1
) -> tuple[LightCurves, np.ndarray, np.ndarray]:
    """Simulate events, and split what several surveys together saw of them by survey.

    Parameters
    ----------
    number : int
        Events of each class.
    min_points : int
        An event counts if each survey has so many observations above 3 sigma.
    seed : int
    n_jobs : int

    Returns
    -------
    curves : LightCurves
        Light curves, one for each event and survey.
    survey : ndarray of shape (n_curves,)
        Labels of the surveys.
    event : ndarray of int of shape (n_curves,)
        Numbers of the events.
    """
    joint = joint_survey()
    drawn = simulate(4 * number, joint, list(CLASSES), z_max=0.5, trigger=BRIGHT,
                     random_state=seed, n_jobs=n_jobs)  # fmt: skip
    views = {
        label: drawn.with_bands(*(p for p in joint.passbands if p.survey == label))
        for label in SURVEYS
    }
    seen = np.all([view.detections(3).lengths >= min_points for view in views.values()], axis=0)
    y = drawn.metadata["class"].to_numpy(dtype=str)
    kept = np.concatenate([np.flatnonzero(seen & (y == name))[:number] for name in CLASSES])
    curves = concatenate([
        with_ids(view[kept], [f"{label} {i}" for i in kept]) for label, view in views.items()
    ])  # fmt: skip
    return curves, np.repeat(list(views), len(kept)), np.tile(kept, len(views))


def with_ids(curves: LightCurves, ids: list[str]) -> LightCurves:
    """Return light curves under other ids."""
    return LightCurves.from_arrays(
        curves.time, curves.flux, curves.flux_err, np.array(curves.passbands)[curves.band],
        offsets=curves.offsets, ids=ids, zero_point=curves.zero_point,
        metadata=curves.metadata.reset_index(drop=True),
    )  # fmt: skip


def joint_survey() -> Survey:
    """Return one survey with the visits of all, whose first seasons begin on the same day."""
    surveys = [Survey.builtin(name) for name in SURVEYS.values()]
    n_positions = min(survey.visits.n_positions for survey in surveys)
    first_code = np.cumsum([0, *(len(survey.passbands) for survey in surveys)])
    rows: list[list[np.ndarray]] = [[], [], [], []]
    lengths = []
    for position in range(n_positions):
        own = [_visits(survey, position, code) for survey, code in zip(surveys, first_code,
                                                                       strict=False)]  # fmt: skip
        time, band, sky, source = (np.concatenate(column) for column in zip(*own, strict=True))
        order = np.argsort(time, kind="stable")
        for column, values in zip(rows, (time, band, sky, source), strict=True):
            column.append(values[order])
        lengths.append(len(time))
    time, band, sky, source = map(np.concatenate, rows)
    return Survey(
        "same events",
        "same events",
        tuple(passband for survey in surveys for passband in survey.passbands),
        Visits(time, band.astype(np.int16), sky, source, np.cumsum([0, *lengths])),
        SYSTEMATIC,
        night_start=_NIGHT_START,
    )


def _visits(survey: Survey, position: int, first_code: int) -> tuple[np.ndarray, ...]:
    """Return times, band codes and noise of the visits to a position in the first years."""
    visits = survey.visits
    rows = slice(visits.offsets[position], visits.offsets[position + 1])
    time = visits.time[rows]
    time = time - np.floor(time[0]) + _START
    kept = time < _START + DAYS
    return (time[kept], visits.band[rows][kept] + first_code, visits.sky[rows][kept],
            visits.source[rows][kept])  # fmt: skip
