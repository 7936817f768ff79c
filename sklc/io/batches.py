"""Light curves of large files, part by part."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.photometry import NoObservationsError
from sklc.io.reading import format_of
from sklc.io.registry import Format
from sklc.io.source import Source
from sklc.light_curves.checks import warn
from sklc.light_curves.container import LightCurves
from sklc.utils.text import counted

__all__ = ["read_batches"]


def read_batches(
    source: Any, *, format: str | None = None, n_objects: int = 10_000, **options: Any
) -> Iterator[LightCurves]:
    r"""Read light curves part by part, so that large files need little memory.

    Parts of folders that sklc wrote, nested Parquet files and HATS catalogues, Avro files of
    alerts, and tables whose observations of an object stand together are read part by part. Files
    of other formats are read as a whole, and then divided.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or object
        As for `sklc.io.read`.
    format : str, optional
        The name of the format. By default it is recognised.
    n_objects : int, default=10_000
        The largest number of objects in a part.
    **options
        Options of the format, such as ``quality="all"``.

    Returns
    -------
    iterator of LightCurves
        The parts, in the order of the source. An object is in one part only; in Avro files of
        alerts, an object whose alerts are far apart is in several, with a warning.

    Raises
    ------
    LightCurveError
        As `sklc.io.read`, and if a table is not sorted by object.
    ValueError
        If `n_objects` is not positive.

    Examples
    --------
    >>> from sklc.io import read_batches
    >>> head = b"object_id,mjd,band,flux,flux_err\n"
    >>> rows = b"a,59000,ztfg,31,2\na,59003,ztfg,52,3\nb,59000,ztfr,11,1\nc,59001,ztfr,12,1\n"
    >>> [part.ids.tolist() for part in read_batches(head + rows, n_objects=2)]
    [['a', 'b'], ['c']]

    Predictions for any number of objects, in bounded memory:

    >>> from sklc import LightCurveEncoder, stream
    >>> encoder = LightCurveEncoder.pretrained("ztf")
    >>> for ids, latents in stream(encoder.transform, read_batches(head + rows, n_objects=2)):
    ...     print(ids, latents.shape)
    ['a' 'b'] (2, 128)
    ['c'] (1, 128)
    """
    if isinstance(n_objects, bool) or int(n_objects) != n_objects or n_objects < 1:
        raise ValueError(f"n_objects must be a positive integer, got {n_objects!r}")
    opened = source if isinstance(source, Source) else Source(source)
    chosen = format_of(opened, format)
    return _parts(opened, chosen, int(n_objects), options)


def _parts(
    source: Source, chosen: Format, n_objects: int, options: dict[str, Any]
) -> Iterator[LightCurves]:
    if chosen.batches is not None:
        yield from chosen.batches(source, n_objects, **options)
    elif source.kind == "avro":
        yield from _alerts(source, chosen, n_objects, options)
    else:
        curves = chosen.read(source, **options)
        yield from (curves[k : k + n_objects] for k in range(0, len(curves), n_objects))


def _alerts(
    source: Source, chosen: Format, n_objects: int, options: dict[str, Any]
) -> Iterator[LightCurves]:
    """Read alert packets, of which each holds the history of its object."""
    seen: set[Any] = set()
    again: set[Any] = set()
    problem: LightCurveError | None = None
    packets = _packets(source)
    while part := list(itertools.islice(packets, n_objects)):
        try:
            curves = chosen.read(part, **options)
        except NoObservationsError as error:  # such as alerts of Solar System objects alone
            problem = error
            continue
        ids = set(curves.ids.tolist())
        again |= seen & ids
        seen |= ids
        yield curves
    if not seen and problem is not None:
        raise problem
    if again:
        warn(
            f"{counted(len(again), 'object is', 'objects are')} in more than one part, such as "
            f"{str(next(iter(again)))[:80]!r}, whose alerts are more than {n_objects} alerts "
            "apart: the last part has the longest history; read the file as a whole to join them"
        )


def _packets(source: Source) -> Iterator[Any]:
    fastavro = require("fastavro", extra="io", user="sklc.io.read_batches")
    for name, file in source.files():
        with file:
            try:
                yield from fastavro.reader(file)
            except (EOFError, ValueError, StopIteration, IndexError) as error:
                raise LightCurveError(f"{name} is damaged or truncated: {error}") from error
