"""`simulate_to_parquet` writes more light curves than fit into memory, and can be resumed.

A simulation is a folder of parts, each of which is a folder in the format of
`LightCurves.to_parquet`. A part is renamed once it is complete, so that parts with their final name
are complete, and what an interrupted run left behind is removed. Two runs on one folder share it:
where both have made a part, which is the same, the first one counts.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np

import sklc
from sklc.errors import SimulationError
from sklc.light_curves.readers.parquet_folder import MANIFEST, PART
from sklc.light_curves.readers.parquet_writing import write_store
from sklc.simulate.classes import SourceClass
from sklc.simulate.classes.requests import counts_by_class
from sklc.simulate.engine import CHUNK
from sklc.simulate.run import assemble, list_tasks, seed_of, simulate_chunk
from sklc.simulate.settings import Photometry, Settings, Trigger, is_integer
from sklc.simulate.surveys import Survey, get_survey
from sklc.utils.files import locked, partial_folder, partials, remove_leftovers, replace_file
from sklc.utils.progress import progress_bar
from sklc.utils.text import shown

__all__ = ["simulate_to_parquet"]


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
    exist. The same call may run twice at a time, and both end with the whole folder. The objects
    are those that `simulate` returns for the same arguments. Every part holds all classes in the
    requested proportions, until a class is complete.

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
    OSError
        If the folder cannot be written, for example because the disk is full. The parts that are
        complete stay, and the same call goes on once there is room.

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
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        remove_leftovers(manifest)
        if not manifest.is_file():
            if set(folder.iterdir()) - set(partials(manifest)):
                raise SimulationError(
                    f"{folder} is not empty and holds no simulation: choose an empty or a new "
                    "folder."
                )
            versions = {"sklc": sklc.__version__, "sncosmo": version("sncosmo")}
            text = json.dumps({**record, "versions": versions}, indent=1, default=np.generic.item)
            replace_file(manifest, f"{text}\n".encode())
    try:
        known = json.loads(manifest.read_text(encoding="utf-8"))
        if not isinstance(known, dict):
            raise TypeError("it is no JSON object")
    except (ValueError, TypeError, RecursionError) as error:
        raise SimulationError(
            f"{manifest} cannot be read ({error}): remove the folder, or choose another."
        ) from error
    plain = json.loads(json.dumps(record, default=np.generic.item))
    differ = [key for key, value in plain.items() if known.get(key) != value]
    if differ:
        key = differ[0]
        raise SimulationError(
            f"{folder} holds another simulation: {key} is {shown(known.get(key))} there and "
            f"{shown(plain[key])} here ({len(differ)} differences): choose another folder, or "
            "remove this one."
        )
    for left in folder.glob(f".{PART}*"):
        remove_leftovers(folder / left.name[1:].partition(".")[0])
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
    chunks, numbers, place = [], [], part_folder(folder, part)
    for source_class, count in counts:
        for index in range(part * per_class, (part + 1) * per_class):
            own = min(CHUNK, count - index * CHUNK)
            if own > 0:
                chunks.append(simulate_chunk(call, survey, source_class, settings, index, own))
                numbers.append(range(index * CHUNK, index * CHUNK + own))
    curves = assemble(chunks, numbers, survey)
    if not place.is_dir():  # another run may have been faster
        with partial_folder(place) as working:
            write_store(curves._compact(), working, alone=True)
    return len(curves)
