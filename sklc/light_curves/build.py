"""From columns of any source to a validated `Store`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.bands import UNNAMED_PASSBAND, identified, resolve, resolve_bands
from sklc.light_curves.checks import (
    Observations,
    check_ids,
    check_policy,
    check_same_length,
    clean,
    warn_magnitudes,
)
from sklc.light_curves.columns import Table
from sklc.light_curves.store import (
    DEFAULT_ZERO_POINT,
    Store,
    describe,
    offsets_of,
    read_only,
    row_index,
    stable_order,
)
from sklc.passbands.registry import Passband


class _FromTable:
    """The default zero point: the table's column "zp" if it has one, else 27.5."""

    def __repr__(self) -> str:
        return 'the column "zp" if there is one, else 27.5'


FROM_TABLE: Final = _FromTable()


def build(
    *,
    time: Any,
    flux: Any,
    flux_err: Any,
    band: Any,
    offsets: np.ndarray,
    ids: np.ndarray,
    order: np.ndarray | None = None,
    metadata: pd.DataFrame | None = None,
    zero_point: float = DEFAULT_ZERO_POINT,
    zp_column: Any = None,
    survey: str | Sequence | np.ndarray | None = None,
    passband: str | Passband | None = None,
    band_table: tuple[np.ndarray, tuple[Passband, ...]] | None = None,
    errors_unknown: np.ndarray | None = None,
    check_unique: bool = True,
    invalid: str = "raise",
    duplicates: str = "raise",
) -> Store:
    """Validate columns that are grouped by object and return them as a store.

    Parameters
    ----------
    time, flux, flux_err, band : column
        `flux_err` may be None, or NaN throughout: not known. `band` may be None if `passband` or
        `band_table` is given.
    offsets, ids : ndarray
        Of the objects, in the order of the rows after `order` is applied.
    order : ndarray of int or None
        Rows to take, if the rows are not grouped by object.
    metadata : pandas.DataFrame or None
        One row an object, in the order of `ids`.
    zero_point : float
        Of the flux, unless `zp_column` is given: then it is the value of that column, or 27.5 if
        that has several, to which fluxes are then rescaled.
    zp_column : column or None
    survey : str, sequence of one an object, or None
    passband : str or Passband or None
        The passband of all observations.
    band_table : tuple or None
        Band codes and passbands that are known already.
    errors_unknown : ndarray of bool or None
        The objects whose source has no errors.
    check_unique : bool
        Whether an id may not occur twice; a resampled selection repeats its ids.
    invalid, duplicates : str
        Policies, see `LightCurves.from_frame`.
    """
    check_policy(invalid, duplicates)
    ids = tables.unwrap_strings(np.asarray(ids))
    check_ids(ids, unique=check_unique)
    metadata, survey = _with_survey(metadata, survey, ids)
    time = tables.numeric(time, "time").astype(np.float64, copy=False)
    flux = tables.numeric(flux, "flux")
    error = None if flux_err is None else tables.numeric(flux_err, "flux_err")
    if error is not None and len(error) and np.isnan(error[0]) and np.isnan(error).all():
        error = None
    if error is not None and error.dtype != flux.dtype:
        flux, error = flux.astype(np.float64), error.astype(np.float64)
    check_same_length(time=time, flux=flux, flux_err=error, band=band, zero_point=zp_column)
    codes, labels = _band_labels(band, band_table, len(time))
    factor = None
    if zp_column is not None and len(zp_column):
        zero_point, factor = _zero_points(zp_column, offsets, ids, order)
    if order is not None:
        time, flux, codes = time[order], flux[order], codes[order]
        error = None if error is None else error[order]
    if offsets[-1] != len(time):
        raise LightCurveError(f"offsets end at {offsets[-1]}, but there are {len(time)} rows")
    if band_table is not None:
        code, passbands = codes.astype(np.int16, copy=False), band_table[1]
    elif band is None:
        one = UNNAMED_PASSBAND if passband is None else resolve(passband, _one(survey))
        code, passbands = codes, (one,)
    else:
        code, passbands = resolve_bands(codes, labels, offsets=offsets, ids=ids, survey=survey)
    warn_magnitudes(flux, error)
    if factor is not None:
        factor = factor.astype(flux.dtype)
        flux, error = flux * factor, None if error is None else error * factor
    observations = clean(
        Observations(time, flux, error, code, offsets, ids, errors_unknown),
        invalid=invalid,
        duplicates=duplicates,
    )
    return _to_store(observations, passbands, metadata, float(zero_point))


def _to_store(
    obs: Observations,
    passbands: tuple[Passband, ...],
    metadata: pd.DataFrame | None,
    zero_point: float,
) -> Store:
    if not np.isfinite(zero_point):
        raise LightCurveError(f"the zero point must be a finite AB magnitude, got {zero_point}")
    flux_err = obs.flux_err
    if flux_err is None:
        flux_err = np.full(len(obs.flux), np.nan, dtype=obs.flux.dtype)
    return Store(
        time=read_only(np.ascontiguousarray(obs.time)),
        flux=read_only(np.ascontiguousarray(obs.flux)),
        flux_err=read_only(np.ascontiguousarray(flux_err)),
        band=read_only(obs.band),
        offsets=read_only(obs.offsets.astype(np.int64, copy=False)),
        passbands=passbands,
        ids=read_only(obs.ids),
        metadata=indexed_metadata(metadata, obs.ids),
        zero_point=zero_point,
    )


def indexed_metadata(metadata: pd.DataFrame | None, ids: np.ndarray) -> pd.DataFrame:
    """Return per-object columns as a plain DataFrame indexed by the ids."""
    index = pd.Index(ids, name="object_id")
    if metadata is None:
        return pd.DataFrame(index=index)
    metadata = pd.DataFrame(metadata).copy()
    metadata.index = index
    metadata.columns = metadata.columns.map(str)
    return metadata


def group_rows(object_id: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Group the rows of a long table by object, objects in the order of first appearance.

    Parameters
    ----------
    object_id : column
        The object of each row.

    Returns
    -------
    offsets : ndarray of shape (n_objects + 1,)
    ids : ndarray of shape (n_objects,)
    order : ndarray or None
        The rows in the order of the objects; None if they are grouped already.
    """
    column = tables.raw_column(object_id)
    starts, ids = tables.runs(column)
    stops = np.append(starts[1:], len(column))
    if ids.dtype == object or ids.dtype.kind == "f":
        missing = pd.isna(ids)
        if missing.any():
            raise LightCurveError(
                f"the object id is missing (None or NaN) in row {starts[missing][0]} "
                f"({int(np.sum((stops - starts)[missing]))} row(s) in all): give every row an id, "
                "or drop those rows with frame.dropna(subset=[object_id])"
            )
        kinds = set(map(type, ids)) if ids.dtype == object else ()
        if len(kinds) > 1:
            check_ids(ids)
    codes, unique = pd.factorize(ids)
    if len(unique) == len(ids):
        return np.append(starts, len(column)), ids, None
    if 2 * len(starts) > len(column):  # hardly any neighbours belong together
        codes = np.repeat(codes, stops - starts)
        return offsets_of(np.bincount(codes)), np.asarray(unique), stable_order(codes, len(unique))
    by_object = stable_order(codes, len(unique))
    order = row_index(starts[by_object], stops[by_object])
    lengths = np.bincount(codes, weights=stops - starts).astype(np.int64)
    return offsets_of(lengths), np.asarray(unique), order


def store_from_frame(
    frame: Any,
    *,
    object_id: str,
    time: str,
    flux: str,
    flux_err: str | None,
    band: str | None,
    metadata: Any = None,
    zero_point: Any = FROM_TABLE,
    survey: Any = None,
    passband: str | Passband | None = None,
    invalid: str = "raise",
    duplicates: str = "raise",
) -> Store:
    """See `LightCurves.from_frame`."""
    check_policy(invalid, duplicates)
    table = Table(frame)
    needed = {"object_id": object_id, "time": time, "flux": flux}
    needed |= {"flux_err": flux_err} if flux_err is not None else {}
    needed |= {"band": band} if band is not None else {}
    for argument, name in needed.items():
        table.require(name, argument)
    if band is None and passband is None:
        raise ValueError('band=None needs passband=, the one passband of the table: "ztfr"')
    if band is not None and passband is not None:
        raise ValueError("pass band= (a column) or passband= (one for the table), not both")
    column = {argument: table.column(name, argument) for argument, name in needed.items()}
    column["band"] = identified(table, band)
    zp, zp_name = zero_point_of(table.columns, zero_point)
    offsets, ids, order = group_rows(column["object_id"])
    return build(
        time=column["time"],
        flux=column["flux"],
        flux_err=column.get("flux_err"),
        band=column["band"],
        offsets=offsets,
        ids=ids,
        order=order,
        metadata=None if metadata is None else align_metadata(metadata, ids, object_id),
        zero_point=zp,
        zp_column=None if zp_name is None else table.column(zp_name, "zero_point"),
        survey=survey,
        passband=passband,
        invalid=invalid,
        duplicates=duplicates,
    )


def align_metadata(metadata: Any, ids: np.ndarray, object_id: str = "object_id") -> pd.DataFrame:
    """Return the rows of a per-object table in the order of the ids.

    Raises
    ------
    LightCurveError
        If an object has no row, or an object has two, or a row has no object.
    """
    if not isinstance(metadata, pd.DataFrame):
        metadata = pa.table(metadata).to_pandas()
    if object_id in metadata.columns:
        metadata = metadata.set_index(object_id)
    index = metadata.index
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise LightCurveError(
            f"the metadata has more than one row for object {twice!r}: keep one row an object"
        )
    rows = index.get_indexer(pd.Index(ids))
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        k = missing[0]
        raise LightCurveError(
            f"{describe(ids, k)} has no row in the metadata ({len(missing)} of "
            f"{len(ids)} objects; the metadata is indexed by {index[:1].tolist()}...): add the "
            f"rows, or index the metadata by object id: metadata.set_index({object_id!r})"
        )
    if len(index) > len(ids):
        extra = index.difference(pd.Index(ids), sort=False)
        raise LightCurveError(
            f"object {extra[0]!r} has a row in the metadata but no observations ({len(extra)} "
            "objects): drop these rows, metadata.loc[frame[object_id].unique()]"
        )
    return metadata.iloc[rows]


def _with_survey(
    metadata: pd.DataFrame | None, survey: Any, ids: np.ndarray
) -> tuple[pd.DataFrame | None, str | np.ndarray | None]:
    """Settle which survey resolves band names, and keep it as metadata."""
    has_column = metadata is not None and "survey" in metadata
    if survey is None:
        if not has_column:
            return metadata, None
        assert metadata is not None
        return metadata, metadata["survey"].to_numpy(dtype=object)
    if not isinstance(survey, str):
        survey = np.asarray(survey, dtype=object)
        if survey.shape != (len(ids),):
            raise LightCurveError(
                f"survey has shape {survey.shape}: pass one name, or one for each of the "
                f"{len(ids)} objects in their order"
            )
    if not has_column:
        metadata = pd.DataFrame(index=range(len(ids))) if metadata is None else metadata.copy()
        metadata["survey"] = survey
    return metadata, survey


def _one(survey: Any) -> str | None:
    return survey if isinstance(survey, str) else None


def _band_labels(
    band: Any, band_table: tuple[np.ndarray, tuple[Passband, ...]] | None, n_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    if band_table is not None:
        return band_table[0], np.empty(0, dtype=object)
    if band is None:
        return np.zeros(n_rows, dtype=np.int16), np.empty(0, dtype=object)
    return tables.labels(band)


def zero_point_of(names: Collection[str], zero_point: Any) -> tuple[float, str | None]:
    """Return the zero point of the fluxes, and the column to rescale by, if any."""
    if isinstance(zero_point, _FromTable):
        zero_point = "zp" if "zp" in names else DEFAULT_ZERO_POINT
    if isinstance(zero_point, str):
        return DEFAULT_ZERO_POINT, zero_point
    return float(zero_point), None


def _zero_points(
    zp_column: Any, offsets: np.ndarray, ids: np.ndarray, order: np.ndarray | None
) -> tuple[float, np.ndarray | None]:
    """Return the zero point of a container, and what to multiply the fluxes by to bring them to it.

    One value for all rows is kept; several are brought to 27.5.
    """
    zp = tables.numeric(zp_column, "zero point")
    if not np.isfinite(zp.sum()):
        zp = zp if order is None else zp[order]
        bad = np.flatnonzero(~np.isfinite(zp))
        k = int(np.searchsorted(offsets, bad[0], side="right")) - 1
        raise LightCurveError(
            f"{describe(ids, k)} has an observation without zero point "
            f"({len(bad)} of {len(zp)} observations): pass zero_point= the AB zero point of the "
            "fluxes, such as zero_point=25.0 (any constant for uncalibrated flux), or drop those "
            "rows"
        )
    if (low := float(zp.min())) == zp.max():
        return low, None
    zp = zp if order is None else zp[order]
    return DEFAULT_ZERO_POINT, 10 ** (-0.4 * (zp.astype(np.float64) - DEFAULT_ZERO_POINT))
