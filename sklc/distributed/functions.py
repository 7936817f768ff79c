"""The functions that take a catalogue."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from sklc.distributed.dask_frames import is_dask_frame, predicted_frame
from sklc.distributed.parts import predict_parts
from sklc.distributed.predictor import Predictor

__all__ = ["anomaly_score", "predict", "predict_proba", "redshift", "transform"]


_SECTIONS = """

    Parameters
    ----------
    collection : lsdb.catalog.Catalog, dask DataFrame, or path
        A catalogue of LSDB with nested light curves; a dask DataFrame with one row per object and
        the observations in a nested column, or in columns of lists; a Parquet file, or a folder of
        them, with such rows, or with one row per observation; or a folder that
        `sklc.LightCurves.to_parquet` or `sklc.simulate.simulate_to_parquet` wrote.
    model : str, path or estimator
        {model}
        Files are taken, too: see `Predictor`.
    columns : sequence of str or None, default=None
        Columns that are kept beside the ids and, in LSDB, the coordinates.
    on_error : {{"nan", "raise"}}, default="nan"
        "nan" gives an object that cannot be used a row of missing values, and says why in the
        column ``reason``; "raise" stops at the first.
    output : path, optional
        The folder to write for Parquet files, with one file for each of them. It is required there,
        and only there: results of LSDB and dask are computed and written with their own methods.
    resume : bool, default=False
        With `output`, whether to keep the files that an interrupted call has written. They must be
        results of the same model and settings.
    n_jobs : int or None, default=None
        With `output`, the number of processes, as in joblib; ``joblib.parallel_config`` applies.
    verbose : int, bool or "auto", default="auto"
        With `output`, whether to show a progress bar; "auto" shows it in a terminal or notebook.
    batch_size : int, default=10_000
        The largest number of objects that a worker processes at a time.
    **options
        How the light curves are read, and ``sha256=`` of a file of the model; see `Predictor`.

    Returns
    -------
    lsdb.catalog.Catalog, dask DataFrame, or Written
        {returned}
        LSDB and dask compute it when it is asked for; `Written` says what is in `output`.

    Raises
    ------
    WeightsError
        If the model does not exist, or what is to be resumed was made with another one.
    LightCurveError
        If the table cannot be read or, with ``on_error="raise"``, an object cannot be used.
    TypeError
        If the collection is none of these, or the model cannot compute this.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklc import distributed
    >>> from sklc.datasets import load_demo
    >>> folder = tempfile.TemporaryDirectory()
    >>> night, result = Path(folder.name) / "night", Path(folder.name) / "result"
    >>> load_demo().curves[:20].to_parquet(night)
    >>> distributed.{method}(night, "any", output=result).n_objects
    20
    >>> pd.read_parquet(result).columns[:3].tolist()
    {printed}
    >>> folder.cleanup()
"""


def _documented(model: str, returned: str, printed: str) -> Callable[[Callable], Callable]:
    """Add to a function's docstring what all of them have in common."""

    def decorate(function: Callable) -> Callable:
        sections = _SECTIONS.format(
            model=model, returned=returned, printed=printed, method=function.__name__
        )
        function.__doc__ = f"{function.__doc__}{sections}"
        return function

    return decorate


def _apply(
    method: str,
    collection: Any,
    model: Any,
    *,
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    n_jobs: int | None = None,
    verbose: int | bool | str = "auto",
    **settings: Any,
) -> Any:
    catalog = any(kind.__module__.startswith("lsdb.") for kind in type(collection).__mro__)
    frame = not catalog and is_dask_frame(collection)
    if not catalog and not frame and not isinstance(collection, str | os.PathLike):
        raise TypeError(
            f"collection is a {type(collection).__module__}.{type(collection).__qualname__}: pass "
            "a catalogue of LSDB, a dask DataFrame, or the path of Parquet files; a table in "
            "memory is predicted for with the methods of the estimator itself"
        )
    predictor = Predictor(method, model, **settings)
    if not catalog and not frame:
        return predict_parts(collection, predictor, output, resume, n_jobs, verbose)
    if output is not None or resume:
        how = "result.write_catalog(path, resume=True)" if catalog else "result.to_parquet(path)"
        raise TypeError(f"output= and resume= are for Parquet files: write with {how}")
    if frame:
        return predicted_frame(collection, predictor)
    from sklc.distributed.lsdb_catalogs import predicted_catalog  # imports lsdb

    return predicted_catalog(collection, predictor)


@_documented(
    "The name of weights, or a transformer of light curves that names its features.",
    "With the columns ``latent_0``, ``latent_1``, ..., float32 (of other transformers, the names\n"
    "        of their features, float64).",
    "['object_id', 'latent_0', 'latent_1']",
)
def transform(
    collection: Any,
    model: Any,
    *,
    columns: Sequence[str] | None = None,
    on_error: str = "nan",
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    n_jobs: int | None = None,
    verbose: int | bool | str = "auto",
    batch_size: int = 10_000,
    **options: Any,
) -> Any:
    """Encode the light curves of a catalogue of any size."""
    return _apply(
        "transform", collection, model, output=output, resume=resume, n_jobs=n_jobs,
        verbose=verbose, columns=columns, on_error=on_error, batch_size=batch_size, **options,
    )  # fmt: skip


@_documented(
    "The name of weights, whose own classes are predicted, or a fitted classifier or regressor.",
    "With the column ``class`` (of regressors, ``redshift`` or ``prediction``).",
    "['object_id', 'class', 'reason']",
)
def predict(
    collection: Any,
    model: Any,
    *,
    columns: Sequence[str] | None = None,
    on_error: str = "nan",
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    n_jobs: int | None = None,
    verbose: int | bool | str = "auto",
    batch_size: int = 10_000,
    **options: Any,
) -> Any:
    """Return the most probable class of each object of a catalogue of any size."""
    return _apply(
        "predict", collection, model, output=output, resume=resume, n_jobs=n_jobs,
        verbose=verbose, columns=columns, on_error=on_error, batch_size=batch_size, **options,
    )  # fmt: skip


@_documented(
    "The name of weights, whose own classes are predicted, or a fitted classifier.",
    "With one column per class, float64.",
    "['object_id', 'AGN', 'KN']",
)
def predict_proba(
    collection: Any,
    model: Any,
    *,
    columns: Sequence[str] | None = None,
    on_error: str = "nan",
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    n_jobs: int | None = None,
    verbose: int | bool | str = "auto",
    batch_size: int = 10_000,
    **options: Any,
) -> Any:
    """Return class probabilities for a catalogue of any size."""
    return _apply(
        "predict_proba", collection, model, output=output, resume=resume, n_jobs=n_jobs,
        verbose=verbose, columns=columns, on_error=on_error, batch_size=batch_size, **options,
    )  # fmt: skip


@_documented(
    "The name of weights with a redshift head, or a fitted `sklc.RedshiftRegressor`.",
    "With the columns ``redshift`` and ``redshift_err``, its standard deviation, float64.",
    "['object_id', 'redshift', 'redshift_err']",
)
def redshift(
    collection: Any,
    model: Any,
    *,
    columns: Sequence[str] | None = None,
    on_error: str = "nan",
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    n_jobs: int | None = None,
    verbose: int | bool | str = "auto",
    batch_size: int = 10_000,
    **options: Any,
) -> Any:
    """Return redshifts for a catalogue of any size."""
    return _apply(
        "redshift", collection, model, output=output, resume=resume, n_jobs=n_jobs,
        verbose=verbose, columns=columns, on_error=on_error, batch_size=batch_size, **options,
    )  # fmt: skip


@_documented(
    "The name of weights with a novelty score, a fitted `sklc.LatentIsolationForest`, or a\n"
    "        classifier with a novelty score.",
    "With the column ``anomaly_score``, float64, which is higher for more unusual objects: the\n"
    "        score of the forest, or the novelty score of weights and classifiers.",
    "['object_id', 'anomaly_score', 'reason']",
)
def anomaly_score(
    collection: Any,
    model: Any,
    *,
    columns: Sequence[str] | None = None,
    on_error: str = "nan",
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    n_jobs: int | None = None,
    verbose: int | bool | str = "auto",
    batch_size: int = 10_000,
    **options: Any,
) -> Any:
    """Return how unusual each object of a catalogue of any size is."""
    return _apply(
        "anomaly_score", collection, model, output=output, resume=resume, n_jobs=n_jobs,
        verbose=verbose, columns=columns, on_error=on_error, batch_size=batch_size, **options,
    )  # fmt: skip
