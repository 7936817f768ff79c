"""Objects that cannot be used: they are found, told, and left out of a prediction."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from pandas.core.groupby import DataFrameGroupBy

from sklc._optional import optional
from sklc.errors import LightCurveWarning
from sklc.light_curves.alignment import indexed_metadata
from sklc.light_curves.checks import warn
from sklc.light_curves.coerce import ANY_OPTIONS, as_light_curves, short_and_dark
from sklc.light_curves.container import LightCurves
from sklc.light_curves.forms import array_of
from sklc.light_curves.ids import id_array
from sklc.light_curves.light_curve import LightCurve
from sklc.light_curves.readers.nested import nested_columns
from sklc.light_curves.registry import READERS, reader_of
from sklc.light_curves.store import describe

if TYPE_CHECKING:
    import pyarrow as pa
else:  # an exported model runs without
    pa = optional("pyarrow")

__all__ = ["Screened", "screen", "select", "skips_unusable", "unusable"]

Loaded = TypeVar("Loaded")

# What a message about many objects says, and one about a single object does not.
_OF_A_SINGLE_OBJECT = {
    r"^object \S.{,200}? \(position 0\):? ": "",
    r"^the (table of the )?object at position 0": "it",
    r" \(position 0\)": "",
    r" \(1 of 1 objects?[^)]*\)": "",
    r"\. \d+ (of \d+|repeated) observations[^.]*(?=\. )": "",
}
# Larger integers are not exact as float64, the type of numbers among which some are missing.
_EXACT_AS_FLOAT = 2**53


def unusable(X: Any, *, min_points: int = 1) -> pd.DataFrame:
    """Return the objects that no estimator could use, each with the reason and a remedy.

    Estimators raise an error at the first such object. With ``on_error="nan"``, the methods that
    predict or transform give it a row of NaN instead, so that it does not cost the results of the
    others. `fit`, `fit_transform` and `score` have no such argument, since what they return would
    silently be about other objects than X: leave these objects out before, as in the example. The
    same holds for a pipeline, whose later steps refuse NaN or, worse, predict from it; only where
    the last step is an estimator of sklc, ``pipeline.predict(X, on_error="nan")`` reaches it.

    Parameters
    ----------
    X : light curves of n_objects
        In any form that `sklc.as_light_curves` takes.
    min_points : int, default=1
        The least number of observations that each object must have, as for the estimators.

    Returns
    -------
    pandas.DataFrame
        One row per object that cannot be used, none if all can; indexed by position in X. Columns
        are ``object_id``; ``reason``, which says what is wrong; and ``remedy``, which says what to
        do about it.

    Raises
    ------
    LightCurveError
        If X as a whole cannot be read, for example a table in which a column is missing.
    TypeError
        If X is none of the forms of light curves.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.light_curves import unusable
    >>> good = np.array([[59000.0, 31.0, 2.0], [59003.0, 52.0, 3.0]])
    >>> X = [good, np.array([[59000.0, np.inf, 2.0]]), good[:0]]
    >>> table = unusable(X)
    >>> table["reason"].tolist()
    ['flux is NaN or infinite in its observation 0', '0 observations, and 1 needed']
    >>> [X[k] for k in range(len(X)) if k not in table.index] == [good]
    True
    """
    return screen(X, min_points=min_points).failures


@dataclass(frozen=True)
class Screened:
    """The light curves of X that can be used, and why the others cannot.

    Parameters
    ----------
    curves : LightCurves
        The objects that can be used.
    positions : ndarray of int, shape (n_usable,)
        Their positions in X, ascending.
    ids : ndarray of shape (n_objects,)
        The ids of all objects of X.
    failures : pandas.DataFrame
        As `unusable` returns them.
    """

    curves: LightCurves
    positions: np.ndarray
    ids: np.ndarray
    failures: pd.DataFrame

    def scatter(self, result: Any) -> Any:
        """Return a result for the usable objects as one for all objects of X.

        The rows of the others are NaN in numbers (integers become floats for it), None among
        labels of other types, and False in sets, which are two-dimensional arrays of bool.
        """
        if isinstance(result, tuple):
            return tuple(map(self.scatter, result))
        n_objects = len(self.ids)
        if isinstance(result, pd.DataFrame):
            table = result.set_axis(pd.Index(self.positions)).reindex(np.arange(n_objects))
            return table.set_axis(pd.Index(self.ids, name=result.index.name))
        dtype, missing = _with_missing(result)
        every = np.full((n_objects, *result.shape[1:]), missing, dtype=dtype)
        every[self.positions] = result
        return every

    def of_usable(self, values: Any) -> Any:
        """Return those of the values, one per object of X, that belong to usable objects."""
        if values is None:
            return None
        if isinstance(values, pd.Series) and not isinstance(values.index, pd.RangeIndex):
            return values.loc[self.ids[self.positions]]  # it is indexed by the ids, in any order
        return select(values, self.positions)

    def warn(self) -> None:
        """Warn of the objects that cannot be used, if there are any."""
        n_failed = len(self.failures)
        if not n_failed:
            return
        position, first = self.failures.index[0], self.failures.iloc[0]
        warning = LightCurveWarning(
            f"{n_failed} of {len(self.ids)} objects cannot be used, and are missing (NaN, None or "
            f"an empty set) in the result: {describe(self.ids, position)}: {first['reason']}"
            + (", and others. " if n_failed > 1 else ". ")
            + f"{first['remedy']}. The attribute failures of this warning, and "
            "sklc.light_curves.unusable(X), list all of them"
        )
        warning.failures = self.failures
        warn(warning)


def screen(
    X: Any,
    *,
    min_points: int | None = 1,
    read: Callable[[Any], LightCurves] | None = None,
    read_part: Callable[[Any], LightCurves] | None = None,
    check: Callable[[LightCurves], Any] | None = None,
) -> Screened:
    """Separate the objects of X that can be used from those that cannot.

    Parameters
    ----------
    X : light curves of n_objects
        In any form.
    min_points : int or None
        As for `as_light_curves`.
    read : callable, optional
        A function that reads X, or some of its objects, without looking at their lengths.
    read_part : callable, optional
        A function that reads some of its objects; by default the reader that accepts X.
    check : callable, optional
        A function that raises if some of the light curves cannot be used for another reason.
    """
    read = read or partial(as_light_curves, min_points=None)
    name = None if isinstance(X, LightCurves) else reader_of(X)
    if name == "series":
        curves, rows, failed = _survivors(read, X, nothing=lambda: np.zeros(np.shape(X)))
    elif name is None:
        curves, rows, failed = _survivors(read, X)
    else:  # one item of a list may look like another form than the list
        reader = READERS[name]
        read_part = read_part or (lambda part: reader.read(part, ANY_OPTIONS))
        curves, rows, failed = _survivors(read, X, read_part)
    if failed:
        ids = _names(X, curves, rows, len(rows) + len(failed))
        curves = _renamed(curves, ids[rows])
    else:
        ids = curves.ids
    told = {k: _told(error) for k, error in failed.items()}
    short, dark = short_and_dark(curves, min_points)
    for k in short:
        n = int(curves.lengths[k])
        reason = f"{n} observation{'s' * (n != 1)}, and {min_points} needed"
        told[int(rows[k])] = reason, "Leave it out, or wait for more observations"
    for k in dark:
        reason = "no flux other than zero"
        told[int(rows[k])] = reason, "Leave it out, or check its column of fluxes"
    if len(short) + len(dark):
        kept = np.setdiff1d(np.arange(len(rows)), np.concatenate([short, dark]))
        curves, rows = curves[kept], rows[kept]
    if check is not None:
        _, kept, failed = _survivors(check, curves)
        told |= {int(rows[k]): _told(error) for k, error in failed.items()}
        if failed:
            curves, rows = curves[kept], rows[kept]
    positions = np.array(sorted(told), dtype=np.int64)
    failures = pd.DataFrame(
        {
            "object_id": ids[positions],
            "reason": [told[k][0] for k in positions],
            "remedy": [told[k][1] for k in positions],
        },
        index=pd.Index(positions, name="position"),
    )
    return Screened(curves, rows, ids, failures)


def skips_unusable(method: Callable[..., Any]) -> Callable[..., Any]:
    """Give a method of light curves X the argument ``on_error``, which its signature shows.

    The method itself raises at the first object that cannot be used. With ``on_error="nan"`` it
    is called with the others, that the method ``_screen(X)`` of its class returns.
    """

    @wraps(method)
    def wrapper(self: Any, X: Any, *args: Any, on_error: str = "raise", **kwargs: Any) -> Any:
        if check_on_error(on_error) == "raise":
            return method(self, X, *args, **kwargs)
        screened = self._screen(X)
        result = screened.scatter(method(self, screened.curves, *args, **kwargs))
        screened.warn()
        return result

    return wrapper


def check_on_error(on_error: Any) -> str:
    """Return the policy for objects that cannot be used, or refuse one that is not known."""
    if on_error not in ("raise", "nan"):
        raise ValueError(f'on_error must be "raise" or "nan", got {on_error!r:.80}')
    return on_error


def select(X: Any, positions: np.ndarray) -> Any:
    """Return the objects of X at these positions, in the same form."""
    if isinstance(X, list | tuple):
        return [X[k] for k in positions]
    if isinstance(X, Mapping | DataFrameGroupBy):  # objects by id
        items = list(X.items() if isinstance(X, Mapping) else X)
        return dict(items[k] for k in positions)
    if isinstance(X, pd.DataFrame | pd.Series):
        return X.iloc[positions]
    return X.take(pa.array(positions)) if isinstance(X, pa.Table | pa.RecordBatch) else X[positions]


def _survivors(
    load: Callable[[Any], Loaded],
    X: Any,
    load_part: Callable[[Any], Any] | None = None,
    nothing: Callable[[], Any] | None = None,
) -> tuple[Loaded, np.ndarray, dict[int, Exception]]:
    """Load the objects of X, or those that can be loaded: halves that fail are halved again.

    Parameters
    ----------
    load : callable
        A function of X, or of some of its objects.
    X : light curves of n_objects
        In any form.
    load_part : callable, optional
        A function for the halves, if that is another one.
    nothing : callable, optional
        A function that returns X without the faults of objects; by default X without objects.

    Returns
    -------
    loaded : object
        What `load` returns for the objects that it can load.
    rows : ndarray of int
        Their positions.
    failed : dict of int to Exception
        The positions of the others, each with its error.

    Raises
    ------
    Exception
        If X as a whole is at fault, so that `load` fails without these objects, too.
    """
    try:
        loaded = load(X)
        return loaded, np.arange(len(loaded) if isinstance(loaded, LightCurves) else len(X)), {}
    except (Warning, ImportError, MemoryError):  # no fault of an object
        raise
    except Exception as error:
        whole = error
    load_part = load_part or load
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are given at the end, when all are loaded at once
        try:
            every = np.arange(len(X))
            load_part(select(X, every[:0]) if nothing is None else nothing())
        except Exception:
            raise whole from None
        failed: dict[int, Exception] = {}
        waiting = [every]
        while waiting:
            part = waiting.pop()
            try:
                load_part(select(X, part))
            except Exception as error:
                if len(part) == 1:
                    failed[int(part[0])] = error
                else:
                    waiting += [part[: len(part) // 2], part[len(part) // 2 :]]
    rows = np.setdiff1d(every, list(failed))
    return load(select(X, rows)), rows, failed


def _names(X: Any, curves: LightCurves, rows: np.ndarray, n_objects: int) -> np.ndarray:
    """Return the ids of all objects of X, of which only those at `rows` could be read."""
    if nested_columns(X) or (isinstance(X, pd.Series) and X.dtype != object):
        return id_array(X.index.to_numpy())
    if isinstance(X, LightCurves):
        return X.ids
    if isinstance(X, Mapping | DataFrameGroupBy):
        return id_array(list(X if isinstance(X, Mapping) else X.groups))
    array = X if isinstance(X, list | tuple) else array_of(X)
    items = array if isinstance(array, list | tuple) or np.ndim(array) == 1 else ()
    if any(isinstance(item, LightCurve) for item in items):
        return id_array([item.id if isinstance(item, LightCurve) else k
                         for k, item in enumerate(items)])  # fmt: skip
    ids = np.arange(n_objects)
    if not np.array_equal(curves.ids, np.arange(len(rows))):  # a reader has given them names
        ids = ids.astype(object)
        ids[rows] = curves.ids
    return ids


def _renamed(curves: LightCurves, ids: np.ndarray) -> LightCurves:
    store = curves._compact()
    return LightCurves(replace(store, ids=ids, metadata=indexed_metadata(store.metadata, ids)))


def _told(error: Exception) -> tuple[str, str]:
    """Split the message about a single object into what is wrong and what to do."""
    text = re.sub(r"\s+", " ", str(error) or type(error).__name__).strip().rstrip(".")
    if "is a NoneType of shape" in text:
        return "it is missing (None)", "Leave it out"
    for found, instead in _OF_A_SINGLE_OBJECT.items():
        text = re.sub(found, instead, text)
    ends = list(re.finditer(r"[.:;] (?=[A-Z])", text)) or list(re.finditer(r": (?=\w)", text))
    reason, remedy = text, "Correct the object, or leave it out"
    if ends:
        reason, remedy = text[: ends[-1].start()], text[ends[-1].end() :]
    is_code = re.match(r"\w+[.(=]", remedy)
    return reason.strip(), remedy if is_code else remedy[:1].upper() + remedy[1:]


def _with_missing(result: np.ndarray) -> tuple[Any, Any]:
    """Return a type that holds the values and a missing one, and the missing value."""
    if result.dtype.kind == "f":
        return result.dtype, np.nan
    if result.dtype.kind == "b" and result.ndim > 1:
        return bool, False
    exact = result.dtype.kind in "iu" and np.all(np.abs(result.astype(float)) <= _EXACT_AS_FLOAT)
    return (np.float64, np.nan) if exact else (object, None)
