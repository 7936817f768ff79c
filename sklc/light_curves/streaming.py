"""Predictions for any number of light curves, in bounded memory."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from sklc.light_curves.coerce import as_light_curves
from sklc.light_curves.container import LightCurves
from sklc.light_curves.light_curve import LightCurve
from sklc.light_curves.registry import reader_of

__all__ = ["stream"]


def stream(
    method: Callable[[LightCurves], Any],
    source: str | os.PathLike[str] | LightCurves | Iterable[Any],
    *,
    n_objects: int = 10_000,
) -> Iterator[tuple[np.ndarray, Any]]:
    """Apply a method of an estimator to a large data set, part by part.

    Only one part and its result are in memory at a time, however many light curves there are.

    Parameters
    ----------
    method : callable
        A method that takes light curves and returns one row for each: ``encoder.transform``,
        ``pipeline.predict_proba``, ``forest.score_samples``, ...
    source : path, LightCurves, or iterable
        A folder that `LightCurves.to_parquet` or `simulate_to_parquet` wrote; light curves in any
        form that `as_light_curves` takes, except a list; or a list or other iterable of parts,
        each in one of these forms, or of single `LightCurve` objects, which are collected.
    n_objects : int, default=10_000
        The largest number of light curves in a part. Parts that an iterable yields are not split.

    Yields
    ------
    ids : ndarray of shape (n_part,)
        The ids of the light curves of the part, in the order of the source.
    result : ndarray or DataFrame of n_part rows
        What `method` returned.

    Raises
    ------
    LightCurveError
        If light curves cannot be read or used; the message names the object and the remedy.
    ValueError
        If `n_objects` is not positive, or `method` returns another number of rows.

    Examples
    --------
    >>> import tempfile
    >>> from sklc import LightCurveEncoder, stream
    >>> from sklc.datasets import load_demo
    >>> encoder = LightCurveEncoder.pretrained("ztf")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_demo().curves.to_parquet(folder)
    ...     for ids, latents in stream(encoder.transform, folder, n_objects=250):
    ...         print(len(ids), latents.shape)
    250 (250, 128)
    250 (250, 128)
    100 (100, 128)
    """
    if int(n_objects) != n_objects or n_objects < 1:
        raise ValueError(f"n_objects must be a positive integer, got {n_objects!r}")
    for part in _parts(source, int(n_objects)):
        result = method(part)
        n_rows = len(result) if np.ndim(result) else 0
        if n_rows != len(part):
            raise ValueError(
                f"{getattr(method, '__qualname__', method)} returned {n_rows} rows for "
                f"{len(part)} light curves: pass a method that returns one for each."
            )
        yield part.ids, result


def _parts(source: Any, n_objects: int) -> Iterator[LightCurves]:
    if isinstance(source, (str, os.PathLike)):
        yield from LightCurves.iter_parquet(os.fspath(source), n_objects=n_objects)
        return
    if not isinstance(source, LightCurves | list | tuple) and reader_of(source) is not None:
        source = as_light_curves(source, min_points=None)
    if isinstance(source, LightCurves):
        for start in range(0, len(source), n_objects):
            yield source[start : start + n_objects]
        return
    items = iter(source)
    for item in items:
        if isinstance(item, LightCurve):
            yield as_light_curves([item, *itertools.islice(items, n_objects - 1)])
        else:
            yield as_light_curves(item)
