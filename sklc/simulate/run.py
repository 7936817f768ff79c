"""`simulate` returns light curves of transients and variables as a survey would have seen them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import joblib
import numpy as np
import pandas as pd

from sklc.light_curves import LightCurves
from sklc.light_curves.store import Store
from sklc.simulate.classes import SourceClass
from sklc.simulate.classes.requests import counts_by_class
from sklc.simulate.engine import CHUNK, Chunk, ClassSimulator
from sklc.simulate.settings import Photometry, Settings, Trigger
from sklc.simulate.surveys import Survey, get_survey
from sklc.utils.offsets import offsets_of

__all__ = ["simulate"]


def simulate(
    n: int | Mapping[str, int],
    survey: str | Survey,
    classes: str | SourceClass | Sequence[str | SourceClass] | None = None,
    *,
    redshift: str = "volumetric",
    z_max: float | None = None,
    trigger: Trigger = Trigger(n_det=2, snr=5),
    window: tuple[float, float] | None = (-30.0, 60.0),
    nightly: bool | None = None,
    photometry: Photometry = Photometry(),
    random_state: int | np.random.Generator | np.random.RandomState | None = 0,
    n_jobs: int = 1,
) -> LightCurves:
    """Simulate light curves of transients and variables as a survey would have found them.

    Redshifts come from volumetric rates, luminosities from luminosity functions, spectra from
    templates and physical models; they are dimmed by distance and by dust of the host and the
    Milky Way, integrated over the survey's passbands, observed at one of its positions with the
    noise of each visit, and kept if they trigger.

    Parameters
    ----------
    n : int or mapping
        Number of light curves of every class, or a mapping of class to number. Only objects that
        trigger count.
    survey : str or Survey
        "ztf", "lsst" (the wide-fast-deep survey, also "lsst-wfd"), "lsst-ddf", "ps1", "des", or
        one made with `Survey.from_pointings`.
    classes : str, SourceClass or sequence of them, optional
        The classes; by default those of `n` if it is a mapping, else the eight of Gupta,
        Muthukrishna & Audenaert (2025): SNIa, SNIa-91bg, SNIax, SNIb/c, SNII, SLSN-I, TDE and AGN.
        `list_classes` lists all others; define your own as a `SourceClass`.
    redshift : {"volumetric", "flat"}, default="volumetric"
        Distribution of the redshifts of all events, before any are lost: rate times volume, or
        uniform.
    z_max : float, optional
        Largest redshift. By default, it is where the survey ceases to see the brightest objects of
        the class, up to limits between 0.1 (ILOT) and 3.2 (AGN).
    trigger : Trigger
        The condition for an object to be found; by default two detections at 5 sigma, half an hour
        apart. Its ``bright_limit`` selects samples similar to spectroscopic ones.
    window : (float, float) or None, default=(-30, 60)
        Observer-frame days before the first and after the last detection for which there is
        forced photometry; None for all visits of the survey. AGN are followed for 800 days
        instead, and stars and quasars in total flux as long as the survey lasts.
        ``curves.detections(5)`` keeps what an alert stream would contain.
    nightly : bool, optional
        Whether to average the visits of a night in each band with inverse-variance weights. The
        trigger applies to the result, in which a night in a band is at most one detection. By
        default, all classes but stars and quasars in total flux, which change within a night.
    photometry : Photometry
        The rates of outliers and missing bands.
    random_state : int, Generator, RandomState or None, default=0
        The seed, or a generator that draws one; None takes a new seed from the operating system.
    n_jobs : int, default=1
        Number of processes, as in joblib. The result does not depend on it.

    Returns
    -------
    LightCurves
        The light curves, class by class; shuffle them before splitting by position. The metadata
        are survey, class, redshift (0 in the Milky Way), mwebv and host_ebv (E(B-V)),
        template, peak_absmag (in the reference band of its class), peak_mag (brightest of the
        observations, without noise), explosion_mjd (first light) and peak_mjd, and the parameters
        of the models, NaN for objects of other classes.

    Raises
    ------
    SimulationError
        If a class, survey or option is unknown or invalid, if a template or passband cannot be
        found, or if (almost) no object triggers.
    ImportError
        If sncosmo is not installed: ``pip install "sklc[sim]"``.

    Examples
    --------
    >>> from sklc.simulate import simulate
    >>> curves = simulate(100, "ztf", classes=["TDE", "AGN"])
    >>> curves.metadata["class"].value_counts().to_dict()
    {'TDE': 100, 'AGN': 100}
    >>> curves.equals(simulate(100, "ztf", classes=["TDE", "AGN"], n_jobs=2))
    True
    """
    counts, survey = counts_by_class(n, classes), get_survey(survey)
    seed = seed_of(random_state)
    settings = Settings(redshift, z_max, trigger, window, nightly, photometry, seed)
    tasks = list_tasks(counts, survey, settings)
    for simulator in {id(task[0]): task[0] for task in tasks}.values():
        _ = simulator.grid  # built here, once; the processes read it from the cache
    if n_jobs == 1:
        chunks = [simulator.chunk(index, count) for simulator, index, count in tasks]
    else:
        call = uuid.uuid4().hex
        chunks = joblib.Parallel(n_jobs=n_jobs)(
            joblib.delayed(simulate_chunk)(call, survey, simulator.source_class, settings, *own)
            for simulator, *own in tasks
        )
    numbers = [range(index * CHUNK, index * CHUNK + count) for _, index, count in tasks]
    return assemble(chunks, numbers, survey)


def seed_of(random_state: Any) -> Any:
    """Return the seed that a generator or None stands for; anything else is left to `Settings`.

    Parameters
    ----------
    random_state : int, Generator, RandomState or None
        Where the seed comes from.

    Returns
    -------
    int
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return random_state


Task = tuple[ClassSimulator, int, int]


def list_tasks(
    counts: list[tuple[SourceClass, int]], survey: Survey, settings: Settings
) -> list[Task]:
    """Return the chunks that make up a simulation: simulator, index and size of each.

    Parameters
    ----------
    counts : list of (SourceClass, int)
        Classes, and the number of light curves of each.
    survey : Survey
        Survey that observes.
    settings : Settings
        Options of the simulation.

    Returns
    -------
    list of (ClassSimulator, int, int)
    """
    tasks = []
    for source_class, count in counts:
        if not count:
            continue
        simulator = ClassSimulator(survey, source_class, settings)
        for index in range(-(-count // CHUNK)):
            tasks.append((simulator, index, min(CHUNK, count - index * CHUNK)))
    return tasks


_kept: dict[tuple[str, str], ClassSimulator] = {}


def simulate_chunk(
    call: str, survey: Survey, source_class: SourceClass, settings: Settings, index: int, count: int
) -> Chunk:
    """Simulate a chunk in a process, which keeps its simulators for all tasks of one call.

    Parameters
    ----------
    call : str
        The name of the call.
    survey : Survey
        Survey that observes.
    source_class : SourceClass
        Class of objects to simulate.
    settings : Settings
        Options of the simulation.
    index, count : int
        Number of the chunk within its class, and the number of its objects.

    Returns
    -------
    Chunk
    """
    if any(known != call for known, _ in _kept):
        _kept.clear()
    key = (call, source_class.name)
    if key not in _kept:
        _kept[key] = ClassSimulator(survey, source_class, settings)
    return _kept[key].chunk(index, count)


def assemble(chunks: list[Chunk], numbers: list[range], survey: Survey) -> LightCurves:
    """Combine chunks to one container of light curves.

    Parameters
    ----------
    chunks : list of Chunk
        Chunks in the order of the result.
    numbers : list of range
        Numbers of the objects of each chunk within their class, for the ids.
    survey : Survey
        Survey that observes.

    Returns
    -------
    LightCurves
    """

    def flat(name: str, dtype: type) -> np.ndarray:
        arrays = [getattr(chunk, name) for chunk in chunks]
        return np.concatenate(arrays).astype(dtype) if arrays else np.empty(0, dtype=dtype)

    metadata = pd.concat(
        [pd.DataFrame(chunk.truth) for chunk in chunks] or [_no_truth()], ignore_index=True
    )
    prefix = survey.name.lower()
    ids = np.array(
        [
            f"{prefix}_{chunk.truth['class'][0]}_{number:07d}"
            for chunk, own in zip(chunks, numbers, strict=True)
            for number in own
        ],
        dtype=object,
    )
    metadata.index = pd.Index(ids, name="object_id")
    scale = 10 ** (0.4 * (survey.zero_point - 27.5))  # the engine's unit is that of 27.5
    store = Store(
        time=flat("time", np.float64),
        flux=(flat("flux", np.float64) * scale).astype(np.float32),
        flux_err=(flat("flux_err", np.float64) * scale).astype(np.float32),
        band=flat("band", np.int16),
        offsets=offsets_of(flat("lengths", np.int64)),
        passbands=survey.passbands,
        ids=ids,
        metadata=metadata,
        zero_point=float(survey.zero_point),
    )
    return LightCurves._from_store(store)


def _no_truth() -> pd.DataFrame:
    text = {"survey", "class", "template"}
    columns = (
        "survey class redshift mwebv host_ebv template peak_absmag peak_mag explosion_mjd peak_mjd"
    )
    row = {name: [""] if name in text else [np.nan] for name in columns.split()}
    return pd.DataFrame(row).iloc[:0]  # with the types of tables that have rows
