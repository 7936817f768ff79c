"""Results of LightCurveLynx are converted to `LightCurves`, without using LightCurveLynx itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.light_curves import LightCurves
from sklc.light_curves import columns as tables
from sklc.light_curves.bands import resolve_bands
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.readers.nested import list_parts, nested_columns, one_list_array
from sklc.light_curves.store import DEFAULT_ZERO_POINT, describe
from sklc.passbands.lookup import Passband, get_passband
from sklc.utils.offsets import object_of, offsets_after, per_observation

__all__ = ["from_lightcurvelynx"]

_FIELDS = ["mjd", "filter", "flux", "fluxerr"]
_LEFT_OUT = {"id", "nobs", "params", "__index_level_0__"}  # the last is what to_parquet adds


def from_lightcurvelynx(
    results: Any,
    *,
    survey: str | Sequence[str] | None = None,
    class_name: str | None = None,
    passbands: Mapping[str, str | Passband] | None = None,
    saturated: str = "drop",
    invalid: str = "raise",
    duplicates: str = "raise",
) -> LightCurves:
    """Convert what LightCurveLynx's ``simulate_lightcurves`` returns.

    Fluxes are rescaled from nJy (AB zero point 31.4) to the zero point 27.5. Metadata are survey,
    class, redshift (the column ``z``), ra, dec, t0 and any further columns, such as those of
    ``param_cols``, but not nobs, params and spectra. Objects without observations stay, empty.

    Parameters
    ----------
    results : nested_pandas.NestedFrame
        The result, or a file of it that was read with ``nested_pandas.read_parquet``. The column
        ``id`` becomes the ids.
    survey : str or sequence of str, optional
        The survey that filters such as "g" belong to, or a list of several in the order of
        ``survey_info``. It is not needed if the filters include it ("LSST_g", or
        ``full_filter_name``). The metadata name the surveys that observed an object, or all of
        them if none did: "lsst+ztf".
    class_name : str, optional
        Column of the classes or, if there is no such column, the class of all objects.
    passbands : mapping of str to str or Passband, optional
        Passbands of filters, if they differ from the registered ones: ``{"g": "ps1g"}`` or, with
        the given name of the survey, ``{"ztf_g": "ps1g"}``.
    saturated : {"drop", "keep"}, default="drop"
        What to do with saturated observations, which have a clipped flux and a wide error. "drop"
        warns, and says how many.
    invalid, duplicates : {"raise", "drop"}, {"raise", "drop", "keep"}
        As for `LightCurves.from_frame`. Errors that are all zero (no noise) count as not known.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        If `results` is not such a frame, lacks a column, or has invalid observations; if a filter
        is not known, its subclass `UnknownPassbandError`: pass `survey` or `passbands`.

    Examples
    --------
    >>> import pandas as pd
    >>> from nested_pandas import NestedFrame
    >>> from sklc.simulate.lightcurvelynx import from_lightcurvelynx
    >>> results = NestedFrame({"id": [0, 1], "z": [0.1, 0.2]}).join_nested(pd.DataFrame(
    ...     {"mjd": [60000.0, 60001.0], "filter": "g", "flux": [912.0, 575.0], "fluxerr": 50.0}
    ... ), "lightcurve")
    >>> curves = from_lightcurvelynx(results, survey="lsst", class_name="SNIa")
    >>> curves.metadata.columns.tolist(), curves.passbands[0].name
    (['survey', 'class', 'redshift'], 'lsstg')
    >>> curves.flux.round(2)  # 24.0 and 24.5 mag
    array([25.12, 15.84])
    """
    if saturated not in ("drop", "keep"):
        raise ValueError(f'saturated must be "drop" or "keep", got {saturated!r}')
    offsets, fields = _observations(results, drop_saturated=saturated == "drop")
    ids = _plain(results["id"]) if "id" in results else results.index.to_numpy()
    if len(twice := np.flatnonzero(pd.Index(ids).duplicated())):
        raise LightCurveError(
            f"{describe(ids, twice[0])} has an id that occurs before ({len(twice)} repeated ids; "
            "the files of parallel runs all count from 0): results['id'] = range(len(results))"
        )
    index = np.zeros(offsets[-1], dtype=np.int64)
    if "survey_idx" in fields:
        index = tables.numeric(fields["survey_idx"], "survey_idx").astype(np.int64)
    n_surveys = int(index.max(initial=0)) + 1
    surveys = [None] * n_surveys if survey is None else np.atleast_1d(survey).tolist()
    if len(outside := np.flatnonzero((index < 0) | (index >= len(surveys)))):
        raise LightCurveError(
            f"{describe(ids, object_of(offsets, outside)[0])} has an observation of survey_idx "
            f"{index[outside[0]]}, but survey={survey!r} names {len(surveys)} ({len(outside)} of "
            f'{len(index)} observations): pass a list, such as survey=["lsst", "ztf"]'
        )
    by_full_name = survey is None and "full_filter_name" in fields
    codes, filters = tables.labels(fields["full_filter_name" if by_full_name else "filter"])
    pairs, keys = pd.factorize(codes.astype(np.int64) * n_surveys + index)
    bands = np.full(len(keys), None, dtype=object)
    for k, (code, i) in enumerate(zip(*np.divmod(keys, n_surveys), strict=True)):
        if code >= 0:
            bands[k] = _band(filters[code], surveys[i], passbands or {})
    pairs[codes < 0] = -1  # a missing filter, which `build` reports
    band, table = resolve_bands(pairs, bands, offsets=offsets, ids=ids)
    one_each = [*(p.survey for p in table), None] if survey is None else surveys
    observer = np.array(one_each, dtype=object)[band if survey is None else index]
    # from nJy, of the AB zero point 31.4
    factor = 10 ** (-0.4 * (31.4 - DEFAULT_ZERO_POINT))
    flux = tables.numeric(fields["flux"], "flux") * factor
    flux_err = tables.numeric(fields["fluxerr"], "fluxerr") * factor
    store = build(
        time=fields["mjd"],
        flux=flux,
        flux_err=flux_err if flux_err.any() else None,
        band_table=(band, table),
        offsets=offsets,
        ids=ids,
        metadata=_metadata(results, _joined_by_object(observer, surveys, offsets), class_name),
        options=ReadOptions(invalid=invalid, duplicates=duplicates),
    )
    return LightCurves(store)


def _observations(results: Any, drop_saturated: bool) -> tuple[np.ndarray, dict[str, pa.Array]]:
    """Return the offsets of the objects, and the fields of their observations."""
    if "lightcurve" not in nested_columns(results):
        columns = list(map(str, getattr(results, "columns", ())))
        raise LightCurveError(
            "expected the NestedFrame that simulate_lightcurves returns, with the nested column "
            f"'lightcurve', got a {type(results).__name__} (columns: {columns}). Read files with "
            "nested_pandas.read_parquet(path); convert several results one by one, and join them "
            "with sklc.concatenate(containers, prefix_ids=True)"
        )
    offsets, rows = list_parts(one_list_array(results["lightcurve"].array.list_array))
    names = [field.name for field in rows.type]
    if missing := [name for name in _FIELDS if name not in names]:
        raise LightCurveError(
            f"the column 'lightcurve' has no field {missing[0]!r}; its fields are {names}, needed "
            f"are {_FIELDS}. Other nested frames are read by LightCurves.from_nested"
        )
    if drop_saturated and "is_saturated" in names:
        keep = ~(tables.numeric(rows.field("is_saturated"), "is_saturated") > 0)
        if not keep.all():
            warn(f"dropped {np.sum(~keep)} saturated of {len(keep)} observations")
            offsets = offsets_after(keep, offsets)
            rows = rows.filter(pa.array(keep))
    return offsets, {name: rows.field(name) for name in names}


def _band(name: str, survey: str | None, passbands: Mapping[str, str | Passband]) -> Passband | str:
    """Return the passband of a filter, or the name under which an error is to report it."""
    full_name = name if survey is None else f"{survey}_{name}"
    try:
        return get_passband(passbands.get(full_name, passbands.get(name, name)), survey)
    except UnknownPassbandError:
        return full_name


def _joined_by_object(names: np.ndarray, surveys: list, offsets: np.ndarray) -> Any:
    """Return the names that occur in each object, joined by "+"; all names where none does."""
    everyone = sorted({*names, *surveys} - {None})
    if len(everyone) < 2:
        return "".join(everyone) or None
    owners = per_observation(np.arange(len(offsets) - 1), offsets)
    pairs = pd.DataFrame({"name": names, "owner": owners}).dropna().drop_duplicates()
    joined = pairs.sort_values("name").groupby("owner")["name"].agg("+".join)
    return joined.reindex(range(len(offsets) - 1), fill_value="+".join(everyone)).to_numpy(
        dtype=object
    )


def _metadata(results: pd.DataFrame, survey: Any, class_name: str | None) -> pd.DataFrame:
    left_out = _LEFT_OUT.union(nested_columns(results))
    kept = [c for c in results if c not in left_out]
    columns = {"redshift" if c == "z" else str(c): _plain(results[c]) for c in kept}
    first = {"survey": survey}
    if class_name is not None:
        first["class"] = columns.pop(class_name, class_name)
    return pd.DataFrame(first | columns | first, index=range(len(results)))


def _plain(column: pd.Series) -> np.ndarray:
    """Return a column as a numpy array of its type; NaN where all is missing."""
    if column.isna().all():
        return np.full(len(column), np.nan)
    raw = tables.raw_column(column)
    raw = raw.to_numpy(zero_copy_only=False) if isinstance(raw, pa.Array) else np.asarray(raw)
    return pd.Series(raw).infer_objects().to_numpy() if raw.dtype == object else raw
