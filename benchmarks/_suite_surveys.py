"""Simulated surveys of the suite: those of the library, ATLAS, and Swift UVOT."""

from __future__ import annotations

from argparse import Namespace

from _common import use_templates
from _monitored import MONITORED

from sklc import LightCurves
from sklc.simulate import TWELVE_CLASSES, simulate


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
        One of `MONITORED`, or a survey of the library.
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
    monitored = MONITORED.get(survey.upper())
    made = survey if monitored is None else monitored.survey()
    return simulate(n_per_class, made, TWELVE_CLASSES, window=window, random_state=seed)
