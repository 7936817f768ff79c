"""`simulate_to_parquet` writes more light curves than fit into memory, and can be resumed.

A simulation is a folder of parts, each of which is a folder in the format of
`LightCurves.to_parquet`. A part is renamed once it is complete, so that parts with their final name
are complete, and what an interrupted run left behind is removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np

import sklc
from sklc.errors import SimulationError
from sklc.light_curves.readers.parquet import MANIFEST, PART
from sklc.simulate.classes import SourceClass
from sklc.simulate.classes.requests import counts_by_class
from sklc.simulate.engine import CHUNK
from sklc.simulate.run import assemble, list_tasks, seed_of, simulate_chunk
from sklc.simulate.settings import Photometry, Settings, Trigger, is_integer
from sklc.simulate.surveys import Survey, get_survey
from sklc.utils.progress import progress_bar

__all__ = ["simulate_to_parquet"]

_UNFINISHED = ".manifest"  # begins the names of manifests that are being written


def simulate_to_parquet(
    path: str | Path,
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
    random_state: int = 0,
    n_jobs: int = 1,
    part_size: int = 20_000,
    progress: bool = True,
) -> Path:
    """Simulate light curves into a folder of Parquet files, in bounded memory.

    Repeating a call continues where an interrupted one stopped, and does nothing if all parts
    exist. The objects are those that `simulate` returns for the same arguments. Every part holds
    all classes in the requested proportions, until a class is complete.

    Parameters
    ----------
    path : str or Path
        The folder, which is created if it does not exist.
    n, survey, classes, redshift, z_max, trigger, window, nightly, photometry
        As for `simulate`.
    random_state : int, default=0
        Seed of the random numbers.
    n_jobs : int, default=1
        Number of processes, each of which simulates and writes parts. The files do not depend on
        it.
    part_size : int, default=20000
        Approximate number of objects in a part. Each process needs about 100 MB of memory per
        20,000 objects.
    progress : bool, default=True
        Whether to show a progress bar.

    Returns
    -------
    Path
        The folder. ``LightCurves.from_parquet(folder)`` reads all of it, and
        ``LightCurves.iter_parquet(folder)`` part by part.

    Raises
    ------
    SimulationError
        As `simulate`; and if the folder holds another simulation or other files.

    Examples
    --------
    >>> import tempfile
    >>> from sklc import LightCurves
    >>> from sklc.simulate import simulate_to_parquet
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = simulate_to_parquet(folder, 50, "lsst", ["TDE", "AGN"], progress=False)
    ...     len(LightCurves.from_parquet(path))
    100
    """
    if not is_integer(part_size, least=1):
        raise SimulationError(f"part_size={part_size!r} is not an integer of at least 1.")
    counts = counts_by_class(n, classes)
    survey = get_survey(survey)
    seed = seed_of(random_state)
    settings = Settings(redshift, z_max, trigger, window, nightly, photometry, seed)
    occupied = sum(count > 0 for _, count in counts)
    per_class = max(1, round(part_size / (CHUNK * max(occupied, 1))))
    longest = max((count for _, count in counts), default=0)
    n_parts = max(1, -(-longest // (CHUNK * per_class)))
    folder = Path(path)
    record = _record(counts, survey, settings, per_class, n_parts)
    missing = _prepare(folder, record, n_parts)
    if missing:
        for simulator, *_ in list_tasks(counts, survey, settings):
            simulator.grid  # noqa: B018  built here, once
        call = uuid.uuid4().hex
        results = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            joblib.delayed(_write_part)(call, folder, part, per_class, counts, survey, settings)
            for part in missing
        )
        of_part = CHUNK * per_class
        total = sum(
            min(max(count - part * of_part, 0), of_part) for _, count in counts for part in missing
        )
        with progress_bar(progress, total=total, unit="curve", unit_scale=True) as bar:
            for done in results:
                bar.update(done)
    return folder


def part_folder(folder: Path, part: int) -> Path:
    """Return the folder of a part."""
    return folder / f"{PART}{part:05d}"


def _record(
    counts: list[tuple[SourceClass, int]],
    survey: Survey,
    settings: Settings,
    per_class: int,
    n_parts: int,
) -> dict[str, Any]:
    """Return the contents of the manifest, which identify a simulation."""
    visits = survey.visits
    curves = sorted(((str(k), v) for k, v in survey.curves.items()), key=lambda item: item[0])
    hashes = [
        joblib.hash([getattr(visits, name) for name in ("time", "band", "sky", "source")]),
        joblib.hash([(name, *map(np.asarray, curve)) for name, curve in curves]),
        f"{survey.systematic} {survey.night_start}",
    ]
    if survey.zero_point != 27.5:  # added later: other folders keep their record
        hashes.append(f"zero point {survey.zero_point}")
    if any(source_class.source.total for source_class, _ in counts):
        hashes.append(f"{survey.total_flux} {settings.nightly}")
    return {
        "n": {source_class.name: count for source_class, count in counts},
        "survey": survey.name,
        "redshift": settings.redshift,
        "z_max": settings.z_max,
        "trigger": vars(settings.trigger),
        "window": None if settings.window is None else list(settings.window),
        "nightly": settings.nightly is not False,
        "photometry": vars(settings.photometry),
        "random_state": int(settings.seed),
        "chunks_per_part": per_class,
        "classes": _digest(source_class.key() for source_class, _ in counts),
        "passbands": [str(passband) for passband in survey.passbands],
        "visits": _digest(hashes),
        "parts": n_parts,
    }


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("|".join(texts).encode()).hexdigest()[:16]


def _prepare(folder: Path, record: dict[str, Any], n_parts: int) -> list[int]:
    """Write the manifest or compare with an existing one, and return the missing parts."""
    manifest = folder / MANIFEST
    if manifest.is_file():
        try:
            known = json.loads(manifest.read_text(encoding="utf-8"))
        except ValueError as error:
            raise SimulationError(
                f"{manifest} cannot be read ({error}): remove the folder, or choose another."
            ) from error
        differ = [key for key, value in record.items() if known.get(key) != value]
        if differ:
            key = differ[0]
            raise SimulationError(
                f"{folder} holds another simulation: {key} is {known.get(key)!r} there and "
                f"{record[key]!r} here ({len(differ)} differences): choose another folder, or "
                "remove this one."
            )
    else:
        for left in folder.glob(f"{_UNFINISHED}*"):
            left.unlink(missing_ok=True)
        if folder.is_dir() and any(folder.iterdir()):
            raise SimulationError(
                f"{folder} is not empty and holds no simulation: choose an empty or a new folder."
            )
        folder.mkdir(parents=True, exist_ok=True)
        versions = {"sklc": sklc.__version__, "sncosmo": version("sncosmo")}
        text = json.dumps({**record, "versions": versions}, indent=1, default=np.generic.item)
        handle, part = tempfile.mkstemp(dir=folder, prefix=_UNFINISHED)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
        os.replace(part, manifest)
    for left in folder.glob(f".{PART}*"):
        shutil.rmtree(left, ignore_errors=True)
    return [part for part in range(n_parts) if not part_folder(folder, part).is_dir()]


def _write_part(
    call: str,
    folder: Path,
    part: int,
    per_class: int,
    counts: list[tuple[SourceClass, int]],
    survey: Survey,
    settings: Settings,
) -> int:
    """Simulate and write one part; return the number of its objects."""
    chunks, numbers = [], []
    for source_class, count in counts:
        for index in range(part * per_class, (part + 1) * per_class):
            own = min(CHUNK, count - index * CHUNK)
            if own > 0:
                chunks.append(simulate_chunk(call, survey, source_class, settings, index, own))
                numbers.append(range(index * CHUNK, index * CHUNK + own))
    curves = assemble(chunks, numbers, survey)
    working = Path(tempfile.mkdtemp(dir=folder, prefix=f".{PART}"))
    curves.to_parquet(working)
    os.replace(working, part_folder(folder, part))
    return len(curves)
