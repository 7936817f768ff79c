"""Folders of Parquet files that sklc itself writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklc.errors import LightCurveError
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.light_curves.container import LightCurves

__all__ = ["read_sklc_parquet"]


def _recognise(source: Source) -> bool:
    if not source.is_folder:
        return False
    folder = source.paths[0]
    return (folder / "objects.parquet").is_file() or any(folder.glob("part-*/objects.parquet"))


def _batches(source: Source, n_objects: int, **options: Any) -> Iterator[LightCurves]:
    for folder in source.paths:
        yield from LightCurves.iter_parquet(folder, n_objects=n_objects, **options)


@reader(
    "sklc-parquet",
    title="Folders of Parquet files that sklc wrote",
    flux="flux as it was written",
    recognise=_recognise,
    batches=_batches,
)
def read_sklc_parquet(source: Source, **options: Any) -> LightCurves:
    """Read folders that `LightCurves.to_parquet` or `sklc.simulate.simulate_to_parquet` wrote.

    Parameters
    ----------
    source : path or list of paths
        Folders with ``objects.parquet`` and ``photometry.parquet``, or with parts of these.
    **options
        Options of `LightCurves.from_parquet`, such as ``invalid="drop"``.

    Returns
    -------
    LightCurves
        Fluxes, zero point, times and metadata as they were written.

    Raises
    ------
    LightCurveError
        If a part is missing, the files do not belong together, or a file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from sklc.io import read_sklc_parquet
    >>> from sklc.datasets import load_demo
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_demo().curves[:3].to_parquet(folder)
    ...     len(read_sklc_parquet(folder))
    3
    """
    if not source.paths:
        raise LightCurveError("the folders that sklc writes are read from their paths: pass a path")
    options.pop("quality", None)  # all observations in these files are usable
    parts = [part for path in source.paths for part in LightCurves.iter_parquet(path, **options)]
    return parts[0] if len(parts) == 1 else LightCurves.concatenate(parts)
