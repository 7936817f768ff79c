"""From a table with one row per observation, of whatever origin, to photometry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.columns import (
    ZERO_POINTS,
    Names,
    identify,
    metadata_columns,
    missing,
    numbers,
    offset_in_name,
    plain,
    unit_of,
)
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.source import Source
from sklc.io.vega import ab_minus_vega, uses_vega
from sklc.light_curves.magnitudes import flux_from_magnitude
from sklc.passbands.lookup import Passband, get_passband

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Choices", "constant", "join", "located", "photometry_of", "recognised"]

_MJD_OF_JD = 2_400_000.5
_ZERO_POINT = 27.5  # of fluxes made from magnitudes, and the default of a flux without a unit
_FAINTEST, _BRIGHTEST = 40.0, -30.0  # magnitudes beyond are sentinels, such as 99.99
_LARGEST_ERROR = 9.0  # magnitudes
_STANDARD = {letter: f"sdss{letter}" for letter in "ugriz"} | {
    "U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr", "I": "besselli",
    "J": "2massj", "H": "2massh", "K": "2massks", "Ks": "2massks", "u'": "sdssu", "g'": "sdssg",
    "r'": "sdssr", "i'": "sdssi", "z'": "sdssz",
}  # fmt: skip
_UNFILTERED = {"0", "clear", "unfiltered", "unfilt.", "unfilt", "none", "open", "white"}
_TRUE = {"true", "t", "1", "1.0", "yes", "y"}


@dataclass(frozen=True)
class Choices:
    """What the user says about a table.

    Parameters
    ----------
    names : Names
        Columns that the user named.
    zero_point : float, optional
        The AB zero point of the fluxes.
    survey : str, optional
        The survey of short names of bands.
    passband : str or Passband, optional
        The passband of all observations.
    bands : mapping, optional
        Passbands of the labels in the table.
    system : {"AB", "Vega"}, optional
        The system of magnitudes.
    quality : "good", "all" or callable
        Which rows to keep.
    metadata : table, path or None
        One row per object.
    """

    names: Names = field(default_factory=Names)
    zero_point: float | None = None
    survey: str | None = None
    passband: str | Passband | None = None
    bands: Mapping[Any, Any] | None = None
    system: str | None = None
    quality: Quality = "good"
    metadata: Any = None

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Return the choices for the options of `read_long_table`."""
        own = {field.name for field in fields(cls)} - {"names"}
        columns = {f.name for f in fields(Names)} - {"system", "zero_point", "limit", "telescope"}
        if unknown := set(options) - own - columns:
            raise LightCurveError(
                f"there is no option {sorted(unknown)}: the options are {sorted(own | columns)}"
            )
        return cls(
            Names(**{k: v for k, v in options.items() if k in columns}),
            **{k: v for k, v in options.items() if k in own},
        )

    def __post_init__(self) -> None:
        if self.system is not None and str(self.system).casefold() not in ("ab", "vega"):
            raise LightCurveError(f'system must be "AB" or "Vega", got {str(self.system)[:80]!r}')
        zero_point = self.zero_point
        if zero_point is not None and not (
            isinstance(zero_point, int | float | np.number) and 0 < zero_point < 60
        ):
            raise LightCurveError(
                f"zero_point must be an AB magnitude between 0 and 60, got {str(zero_point)[:80]}"
            )


def recognised(source: Source) -> bool:
    """Whether the columns of a source are those of light curves."""
    return identify(source.columns).is_light_curve


def constant(value: Any, n_rows: int) -> pd.Categorical:
    """Return a column that has one value in all rows."""
    values = pd.Index([value], dtype=object if isinstance(value, str) else None)
    return pd.Categorical.from_codes(np.zeros(n_rows, dtype=np.int8), values)


def photometry_of(frame: pd.DataFrame, choices: Choices, object_id: str = "0") -> Photometry:
    """Return the photometry in a table with one row per observation.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    choices : Choices
        What the user says about it.
    object_id : str
        The id of the object, where the table has no column of ids.

    Returns
    -------
    Photometry
    """
    frame = frame.rename(columns=str)
    names = identify(frame.columns, choices.names)
    if not names.is_light_curve:
        what = "times" if names.time is None else "fluxes or magnitudes"
        raise LightCurveError(
            f"no column of {what} is recognised among {list(frame.columns)[:40]}: pass time= and "
            "flux= or mag=, the names of these columns"
        )
    rows = Rows(frame)
    rows.select(lambda table: np.ones(len(table), dtype=bool), choices.quality, "not good")
    time = mjd_of(frame[names.time], str(names.time), rows)
    rows.leave_out(~np.isfinite(time), "without a time")
    bands = _bands(frame, names, choices, rows)
    if _prefers_magnitudes(frame, names, choices):
        flux, flux_err, zero_point = _from_magnitudes(frame, names, choices, bands, rows)
    else:
        flux, flux_err, zero_point = _from_fluxes(frame, names, choices, rows)
    keep = rows.kept
    if flux_err is not None:
        measured = np.isfinite(flux_err) & (flux_err > 0)
        if (measured & keep).any():
            rows.leave_out(~measured, f"without a positive error {names.flux_err or names.mag_err}")
            keep = rows.kept
        else:
            flux_err = None
    ids = _ids(frame, names, object_id, guessed=choices.names.object_id is None)
    return Photometry(
        object_id=ids[keep],
        time=time[keep],
        flux=flux[keep],
        flux_err=None if flux_err is None else flux_err[keep],
        band=bands[keep],
        zero_point=zero_point if np.ndim(zero_point) == 0 else np.asarray(zero_point)[keep],
        survey=None if choices.survey == "standard" else choices.survey,
        metadata=_metadata(frame, names, ids, choices),
        notes=rows.notes,
    )


@contextmanager
def located(name: str) -> Iterator[None]:
    """Name the file in an error about its content."""
    try:
        yield
    except LightCurveError as error:
        if name in str(error) or name.startswith("the "):
            raise
        raise type(error)(f"{name}: {error}") from error


def join(parts: Sequence[Photometry]) -> Photometry:
    """Return the photometry of several files in one; errors must be known in all or none."""
    if len(parts) == 1:
        return parts[0]
    without = [part.flux_err is None for part in parts]
    errors = [
        np.full(len(p.time), np.nan) if p.flux_err is None else p.flux_err for p in parts
    ]
    tables = [part.metadata for part in parts if part.metadata is not None]
    metadata = pd.concat(tables) if tables else None
    if metadata is not None:
        metadata = metadata[~metadata.index.duplicated()]
    zero_points = {p.zero_point for p in parts if np.ndim(p.zero_point) == 0}
    same = len(zero_points) == 1 and all(np.ndim(p.zero_point) == 0 for p in parts)
    return Photometry(
        object_id=_stack([p.object_id for p in parts]),
        time=np.concatenate([p.time for p in parts]),
        flux=np.concatenate([p.flux for p in parts]),
        flux_err=None if all(without) else np.concatenate(errors),
        band=_stack([p.band for p in parts]),
        zero_point=zero_points.pop()
        if same
        else np.concatenate([np.broadcast_to(p.zero_point, len(p.time)) for p in parts]),
        survey=parts[0].survey,
        metadata=metadata,
        notes=list(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _stack(columns: Sequence[Any]) -> Any:
    if all(isinstance(column, pd.Categorical) for column in columns):
        return union_categoricals([c.remove_unused_categories() for c in columns])
    arrays = [np.asarray(column) for column in columns]
    if len({array.dtype.kind for array in arrays}) > 1:
        arrays = [array.astype(object) for array in arrays]
    return np.concatenate(arrays)


def mjd_of(values: pd.Series, name: str, rows: Rows) -> np.ndarray:
    """Return times as MJD, whatever their name says: "jd", "BTJD", "HJD-2450000", dates."""
    if values.dtype.kind == "M":
        utc = values.dt.tz_convert(None) if getattr(values.dt, "tz", None) else values
        return pd.DatetimeIndex(utc).to_julian_date().to_numpy() - _MJD_OF_JD
    if values.dtype.kind not in "fiub":
        text = values.dropna().astype(str).str.strip()
        if len(text) and text.str.match(r"\d{4}-\d\d-\d\d").all():
            return mjd_of(pd.to_datetime(values, format="ISO8601", utc=True), name, rows)
    time = numbers(values, name)
    offset = offset_in_name(name)
    if offset is None:
        offset = {"bkjd": 2_454_833.0, "btjd": 2_457_000.0}.get(plain(name), 0.0)
    julian = np.nanmedian(time) if np.isfinite(time).any() else 0.0
    if offset or julian > _MJD_OF_JD:
        if values.dtype == np.float32 and not offset:
            raise LightCurveError(
                f"column {name!r} holds Julian dates in single precision, which are rounded to a "
                "quarter of a day: read them as float64"
            )
        rows.notes.append(f"{name} was converted to MJD")
        return time + offset - _MJD_OF_JD
    return time


def _ids(frame: pd.DataFrame, names: Names, object_id: str, *, guessed: bool) -> Any:
    if names.object_id is None:
        return constant(object_id, len(frame))
    ids = frame[names.object_id]
    absent = missing(ids)
    if absent.any():
        raise LightCurveError(
            f"the object id ({names.object_id}) is missing in row {int(np.argmax(absent)) + 1} of "
            f"the table ({int(absent.sum())} rows in all): fill it in, or remove these rows"
        )
    if guessed and len(ids) > 1 and plain(names.object_id) == "id" and ids.is_unique:
        raise LightCurveError(
            f"each row has an {names.object_id} of its own, which seems to number the observations: "
            f"pass object_id= the column that names the objects (object_id={names.object_id!r} if it "
            "is this one), or remove it"
        )
    return ids.array if isinstance(ids.dtype, pd.CategoricalDtype) else ids.to_numpy()


def _bands(frame: pd.DataFrame, names: Names, choices: Choices, rows: Rows) -> pd.Categorical:
    """Return labels or passbands; those of telescopes that are no surveys are resolved here."""
    if choices.passband is not None:
        return constant(choices.passband, len(frame))
    if names.band is None:
        raise LightCurveError(
            f"no column of bands is recognised among {list(frame.columns)[:40]}: pass band= the name "
            'of one, or passband= the passband of all rows, such as passband="ztfr"'
        )
    column = frame[names.band]
    rows.leave_out(missing(column), f"without a band ({names.band})")
    codes, labels = pd.factorize(column)
    labels = [label.decode() if isinstance(label, bytes) else label for label in labels]
    chosen = {str(k): v for k, v in (choices.bands or {}).items()}
    mapped = [chosen.get(str(label), label) for label in labels]
    if names.telescope is not None and choices.survey is None:
        return _of_telescopes(frame[names.telescope], codes, mapped, rows)
    if choices.survey == "standard":
        mapped = [_STANDARD.get(str(label), label) for label in mapped]
    unique = list(dict.fromkeys(mapped))
    lookup = np.array([unique.index(label) for label in mapped] + [-1])
    return pd.Categorical.from_codes(lookup[codes], pd.Index(unique, dtype=object))


def _of_telescopes(telescopes: pd.Series, codes: np.ndarray, labels: list[Any], rows: Rows) -> Any:
    """Return the passbands of labels such as "V" and "r" of many telescopes.

    A label of one or two letters is that of the telescope, if it is a known survey with such a
    band, and else a standard filter.
    """
    sites, site_names = pd.factorize(telescopes)
    n_sites = len(site_names) + 1
    pairs = np.where(codes < 0, -1, codes * n_sites + sites % n_sites)
    keys, unique = pd.factorize(pairs)
    found: list[Any] = []
    standard: set[str] = set()
    for pair in unique:
        label = labels[pair // n_sites]
        site = str(site_names[pair % n_sites]) if pair % n_sites < len(site_names) else None
        found.append(None if pair < 0 else _of_telescope(label, site, standard))
    if standard:
        rows.notes.append(
            f"{' '.join(sorted(standard))} were read as standard filters (Bessell UBVRI, SDSS ugriz, "
            "2MASS JHK)"
        )
    bare = [k for k, band in enumerate(found) if str(band).casefold() in _UNFILTERED]
    rows.leave_out(np.isin(keys, bare), 'unfiltered (name their passband with bands={"0": ...})')
    kinds = list(dict.fromkeys(band for k, band in enumerate(found) if band is not None and k not in bare))
    lookup = np.array([kinds.index(b) if b in kinds else -1 for b in found] + [-1])
    return pd.Categorical.from_codes(lookup[keys], pd.Index(kinds, dtype=object))


def _of_telescope(label: Any, site: str | None, standard: set[str]) -> Any:
    if isinstance(label, Passband):
        return label
    if site is not None:
        try:
            found = get_passband(label, site)
        except UnknownPassbandError:
            found = None
        if found is not None and label in (found.name, *found.aliases):  # R is not r
            return found
    if str(label) in _STANDARD:
        standard.add(str(label))
        return get_passband(_STANDARD[str(label)])
    return label


def _prefers_magnitudes(frame: pd.DataFrame, names: Names, choices: Choices) -> bool:
    """Whether to read magnitudes: if there is no flux, or none whose zero point is known."""
    if names.mag is None or names.flux is None:
        return names.flux is None
    if choices.names.flux is not None or choices.names.mag is not None:
        return choices.names.flux is None
    return not (choices.zero_point or names.zero_point or unit_of(names.flux))


def _from_fluxes(
    frame: pd.DataFrame, names: Names, choices: Choices, rows: Rows
) -> tuple[np.ndarray, np.ndarray | None, Any]:
    assert names.flux is not None
    flux = numbers(frame[names.flux], names.flux)
    error = None if names.flux_err is None else numbers(frame[names.flux_err], names.flux_err)
    rows.leave_out(~np.isfinite(flux) | (np.abs(flux) > 1e19), f"without a flux ({names.flux})")
    if names.limit is not None:
        rows.leave_out(_flags(frame[names.limit]), f"upper limits ({names.limit})")
    zero_point: Any = choices.zero_point
    unit = unit_of(names.flux)
    if zero_point is None and names.zero_point is not None:
        zero_point = numbers(frame[names.zero_point], names.zero_point)
        if names.system is not None:
            systems = {str(s).casefold() for s in frame[names.system].dropna().unique()}
            if systems - {"ab"}:
                raise LightCurveError(
                    f"the zero points are in the system {sorted(systems)} ({names.system}): convert "
                    "them to AB, or pass zero_point="
                )
        bad = rows.kept & ~((zero_point > 5) & (zero_point < 60))
        if bad.any():
            row = int(np.argmax(bad))
            raise LightCurveError(
                f"the zero point ({names.zero_point}) is {zero_point[row]:g} in row {row + 1} of the "
                f"table ({int(bad.sum())} such rows), which is none: correct it, or pass zero_point="
            )
    elif zero_point is None and unit is not None:
        zero_point = ZERO_POINTS[unit]
        other = unit_of(names.flux_err) if names.flux_err else None
        if other not in (None, unit):
            raise LightCurveError(
                f"the fluxes ({names.flux}) and their errors ({names.flux_err}) have different "
                "units: convert one of them"
            )
    elif zero_point is None:
        zero_point = _ZERO_POINT
        rows.notes.append("zero point 27.5 was assumed: pass zero_point= if it is another")
    return flux, error, zero_point


def _from_magnitudes(
    frame: pd.DataFrame, names: Names, choices: Choices, bands: pd.Categorical, rows: Rows
) -> tuple[np.ndarray, np.ndarray | None, float]:
    assert names.mag is not None
    mag = numbers(frame[names.mag], names.mag, limits=True)
    if names.limit is not None:
        rows.leave_out(_flags(frame[names.limit]), f"upper limits ({names.limit})")
    if frame[names.mag].dtype.kind not in "fiub":
        text = frame[names.mag].astype(str).str.strip()
        rows.leave_out(text.str.match(r"[<>]").to_numpy(dtype=bool), "upper limits")
    bad = ~((mag > _BRIGHTEST) & (mag < _FAINTEST))
    rows.leave_out(bad, f"without a magnitude ({names.mag})")
    error = None
    if names.mag_err is not None:
        error = numbers(frame[names.mag_err], names.mag_err)
        rows.leave_out(error > _LARGEST_ERROR, f"limits, whose {names.mag_err} is a sentinel")
        rows.leave_out(error < 0, f"whose {names.mag_err} is negative")
    mag = mag + _offsets(frame, names, choices, bands, rows)
    sign = _sign(frame)
    with np.errstate(over="ignore", invalid="ignore"):
        flux, flux_err = flux_from_magnitude(
            np.where(bad, np.nan, mag), error, zero_point=_ZERO_POINT, sign=sign
        )
    kept = rows.kept
    if error is not None and (many := int(np.sum(kept & (error > 0.3)))):
        rows.notes.append(f"{many} magnitudes have errors above 0.3, whose fluxes are biased")
    return flux, flux_err, _ZERO_POINT


def _sign(frame: pd.DataFrame) -> Any:
    """Return the sign of difference fluxes, where a column isdiffpos says it."""
    if "isdiffpos" not in frame.columns:
        return 1.0
    text = frame["isdiffpos"].astype(str).str.strip().str.casefold()
    return np.where(text.isin([*_TRUE, "+", "pos"]), 1.0, -1.0)


def _offsets(
    frame: pd.DataFrame, names: Names, choices: Choices, bands: pd.Categorical, rows: Rows
) -> np.ndarray | float:
    """Return what makes magnitudes AB: by row, from the user, the table, or the passbands."""
    system = choices.system
    if system is not None and system.casefold() == "ab":
        return 0.0
    own = None
    if system is None and names.system is not None:
        own = frame[names.system].astype(str).str.strip().str.casefold()
        unknown = ~own.isin(["ab", "vega", "landolt", "johnson", "bessell", "nan", "none", ""])
        if (unknown & rows.kept).any():
            row = int(np.argmax(unknown & rows.kept))
            raise LightCurveError(
                f"the system of magnitudes ({names.system}) is {own.iloc[row][:80]!r} in row {row + 1}"
                ' of the table: it must be AB or Vega; convert, or pass system="AB" or "Vega"'
            )
        own = own.isin(["vega", "landolt", "johnson", "bessell"]).to_numpy()
    codes = np.asarray(bands.codes)
    used = np.zeros(len(bands.categories), dtype=bool)
    used[np.unique(codes[rows.kept & (codes >= 0)])] = True
    survey = None if choices.survey == "standard" else choices.survey
    offsets = np.zeros(len(bands.categories) + 1)
    assumed = []
    for k in np.flatnonzero(used):
        label = bands.categories[k]
        passband = label if isinstance(label, Passband) else get_passband(label, survey)
        if system is None and own is None and uses_vega(passband):
            assumed.append(str(passband.name))
            offsets[k] = ab_minus_vega(passband)
        elif system is not None or (own is not None and own[codes == k].any()):
            offsets[k] = ab_minus_vega(passband)
    if assumed:
        rows.notes.append(
            f'magnitudes in {" ".join(assumed)} were taken for Vega magnitudes: pass system="AB" if '
            "they are AB"
        )
    return offsets[codes] if own is None else np.where(own, offsets[codes], 0.0)


def _flags(values: pd.Series) -> np.ndarray:
    if values.dtype.kind == "b":
        return values.to_numpy()
    flags = values.astype(str).str.strip().str.casefold()
    if not flags.isin(_TRUE | {"false", "f", "0", "0.0", "no", "n", "nan", "none", "", "<na>"}).all():
        return np.zeros(len(values), dtype=bool)  # a column of limits themselves, not of flags
    return flags.isin(_TRUE).to_numpy()


def _metadata(
    frame: pd.DataFrame, names: Names, ids: Any, choices: Choices
) -> pd.DataFrame | None:
    """Return columns that have one value per object, and those of the user's own table."""
    columns = metadata_columns(set(frame.columns) - set(filter(None, vars(names).values())))
    found = None
    if columns and len(frame):
        groups = frame[list(columns.values())].groupby(np.asarray(ids), sort=False)
        found = groups.first()
        same = (groups.nunique(dropna=True) <= 1).all()
        found = found.loc[:, [n in (columns.get("ra"), columns.get("dec")) or bool(same[n])
                              for n in found.columns]]  # fmt: skip
        found = found.rename(columns={name: what for what, name in columns.items()})
        if "redshift" in found and found["redshift"].dtype.kind in "fi":
            found["redshift"] = found["redshift"].where(found["redshift"] > -1)
        if not found.shape[1]:
            found = None
    if choices.metadata is None:
        return found
    own = objects_of(choices.metadata, names.object_id)
    own = own.reindex(pd.Index(pd.unique(np.asarray(ids))))
    return own if found is None else own.combine_first(found)


def objects_of(given: Any, object_id: str | None) -> pd.DataFrame:
    """Return a table of objects, indexed by id, with the usual names of columns."""
    source = given if isinstance(given, Source) else Source(given)
    frame = source.frame()
    name = object_id if object_id in frame.columns else identify(frame.columns).object_id
    if name is not None:
        frame = frame.set_index(name)
    elif isinstance(frame.index, pd.RangeIndex):
        raise LightCurveError(
            f"metadata ({source.name}) has no column of object ids among "
            f"{list(frame.columns)[:40]}: name it as in the light curves"
        )
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()][0]
        raise LightCurveError(f"metadata ({source.name}) has two rows of object {twice!r}: keep one")
    new = {name: what for what, name in metadata_columns(frame.columns).items() if what not in frame}
    return frame.rename(columns=new)
