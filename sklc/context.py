"""What is known of objects besides their light curves: redshift, dust, the last non-detection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.container import LightCurves
from sklc.light_curves.metadata import name_object, numeric_column
from sklc.representation import InputRepresentation
from sklc.utils.offsets import per_observation, reduce_by_object
from sklc.utils.text import listed, shown

__all__ = [
    "CONTEXT_CHANNELS",
    "CONTEXT_ITEMS",
    "Context",
    "ContextValues",
    "first_detection",
    "items_of",
    "last_non_detection",
]

#: What may be known, in the order in which it is listed.
CONTEXT_ITEMS = ("redshift", "redshift_err", "mwebv", "last_non_detection")

# Redshifts may be slightly negative, by the motion of a nearby galaxy.
_LOWEST_REDSHIFT, _HIGHEST_REDSHIFT = -0.01, 10.0
# E(B-V) beyond the densest clouds: what is larger stands for a missing value.
_LARGEST_EBV = 90.0
_FIRST_JULIAN_DATE = 2_400_000.0
# What is older than a century is no last non-detection: it stands for a missing value, such as -99
# or 0, is a magnitude, or counts days from another epoch than the times do.
_LONGEST_UNDETECTED = 36_525.0


@dataclass(frozen=True, eq=False)
class ContextValues:
    """What is known of objects; NaN where it is not.

    Parameters
    ----------
    redshift, redshift_err : ndarray of shape (n_objects,)
        Redshift and its standard error, which is 0 where it was measured in a spectrum.
    mwebv : ndarray of shape (n_objects,)
        Reddening E(B-V) by the dust of the Milky Way, in magnitudes.
    undetected_days : ndarray of shape (n_objects,)
        Days between the last non-detection and the first detection.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.context import ContextValues
    >>> known, unknown = np.array([0.1, 0.5]), np.full(2, np.nan)
    >>> ContextValues(known, 0.1 * known, unknown, unknown).channels(("relative_redshift_err",))
    array([[0.00909091],
           [0.03333334]], dtype=float32)
    """

    redshift: np.ndarray
    redshift_err: np.ndarray
    mwebv: np.ndarray
    undetected_days: np.ndarray

    def channels(self, names: Sequence[str]) -> np.ndarray:
        """Return the numbers that a network reads.

        Parameters
        ----------
        names : sequence of str
            Names from `CONTEXT_CHANNELS`.

        Returns
        -------
        ndarray of shape (n_objects, n_names), float32
            NaN where a value is not known.
        """
        columns = [CONTEXT_CHANNELS[name][1](self) for name in names]
        return np.stack(columns, axis=1).astype(np.float32)


#: The inputs of networks: what each is made of, and how. Weights files name those that they use.
CONTEXT_CHANNELS: dict[str, tuple[str, Callable[[ContextValues], np.ndarray]]] = {
    "log1p_redshift": ("redshift", lambda x: np.log1p(x.redshift)),
    # The distance modulus follows it at low redshift.
    "log_redshift": ("redshift", lambda x: np.log(np.maximum(x.redshift, 1e-3))),
    "relative_redshift_err": (
        "redshift_err",
        lambda x: np.minimum(x.redshift_err / (1 + x.redshift), 0.3),
    ),
    "mwebv": ("mwebv", lambda x: np.minimum(x.mwebv, 1.0)),
    "log_undetected_days": (
        "last_non_detection",
        lambda x: np.log(np.clip(x.undetected_days, 0.01, 1000.0)),
    ),
}


def items_of(channels: Sequence[str]) -> tuple[str, ...]:
    """Return what must be known for these inputs of a network.

    Parameters
    ----------
    channels : sequence of str
        Names from `CONTEXT_CHANNELS`.

    Returns
    -------
    tuple of str
        Names from `CONTEXT_ITEMS`, in their order.

    Examples
    --------
    >>> from sklc.context import items_of
    >>> items_of(["mwebv", "log_redshift", "log1p_redshift"])
    ('redshift', 'mwebv')
    """
    used = {CONTEXT_CHANNELS[name][0] for name in channels}
    return tuple(item for item in CONTEXT_ITEMS if item in used)


@dataclass(frozen=True)
class Context:
    """Where the context of objects is found: the metadata column of each of its items.

    Parameters
    ----------
    columns : mapping of str to str or True
        A metadata column for each item, of `CONTEXT_ITEMS`. For "last_non_detection", True stands
        for the light curves themselves.

    Examples
    --------
    >>> from sklc.context import Context
    >>> Context.of(["redshift", "mwebv"]).columns
    {'redshift': 'redshift', 'mwebv': 'mwebv'}
    """

    columns: Mapping[str, str | bool]

    @classmethod
    def of(cls, context: Any) -> Context | None:
        """Return what the parameter `context` of an estimator asks for.

        Parameters
        ----------
        context : str, sequence of str, mapping of str to str or True, or None
            Items that are columns of the same name, or a mapping of items to columns.

        Returns
        -------
        Context or None
            None where none is asked for.

        Raises
        ------
        ValueError
            If an item is not known, a column is not a name, or there is an error without a
            redshift.
        """
        if context is None:
            return None
        columns: dict[Any, Any] = {}
        if isinstance(context, Mapping):
            columns = dict(context)
        elif isinstance(context, Iterable):
            names = [context] if isinstance(context, str) else list(context)
            columns = {str(name): str(name) for name in names}
        if not columns or any(item not in CONTEXT_ITEMS for item in columns):
            raise ValueError(
                f"context={shown(context)} does not name what is known of the objects: map any of "
                f"{listed(CONTEXT_ITEMS)} to metadata columns, such as "
                "context={'redshift': 'host_z'}."
            )
        for item, column in columns.items():
            if not isinstance(column, str) and not (column is True and item == CONTEXT_ITEMS[-1]):
                raise ValueError(
                    f"context[{item!r}]={shown(column)} is not the name of a metadata column: give "
                    f"one, such as context={{{item!r}: 'my_column'}}."
                )
        if "redshift_err" in columns and "redshift" not in columns:
            raise ValueError(
                "context has the item 'redshift_err' without 'redshift': name the column of the "
                "redshift as well, such as context={'redshift': 'photo_z', 'redshift_err': "
                f"{columns['redshift_err']!r}}}."
            )
        return cls({item: columns[item] for item in CONTEXT_ITEMS if item in columns})

    def read(self, curves: LightCurves, representation: InputRepresentation) -> ContextValues:
        """Return what the light curves say of these items.

        Parameters
        ----------
        curves : LightCurves
            Light curves of n_objects, none of them empty.
        representation : InputRepresentation
            Decides which observations are detections.

        Returns
        -------
        ContextValues

        Raises
        ------
        LightCurveError
            If a column is missing or not numeric, or a value is impossible; the message names the
            object.
        """
        nothing = np.full(len(curves), np.nan)
        redshift, error = self._redshifts(curves) if "redshift" in self.columns else [nothing] * 2
        mwebv = nothing
        if "mwebv" in self.columns:
            mwebv = self._column(curves, "mwebv")
            _require(
                (mwebv >= 0) & (mwebv < _LARGEST_EBV), mwebv, curves, self.columns["mwebv"],
                f"E(B-V) must be a number of magnitudes from 0 to below {_LARGEST_EBV:g}",
            )  # fmt: skip
        days = nothing
        if "last_non_detection" in self.columns:
            days = self._undetected_days(curves, representation)
        return ContextValues(redshift, error, mwebv, days)

    def _column(self, curves: LightCurves, item: str) -> np.ndarray:
        return numeric_column(curves, str(self.columns[item]), np.float64, "context")

    def _redshifts(self, curves: LightCurves) -> tuple[np.ndarray, np.ndarray]:
        """Return redshifts and errors, which are known for the same objects."""
        redshift = self._column(curves, "redshift")
        _require(
            (redshift >= _LOWEST_REDSHIFT) & (redshift <= _HIGHEST_REDSHIFT),
            redshift, curves, self.columns["redshift"],
            f"a redshift must lie between {_LOWEST_REDSHIFT:g} and {_HIGHEST_REDSHIFT:g}",
        )  # fmt: skip
        if "redshift_err" not in self.columns:
            return redshift, np.where(np.isnan(redshift), np.nan, 0.0)
        column, error = self.columns["redshift_err"], self._column(curves, "redshift_err")
        _require(
            (error >= 0) & (error <= _HIGHEST_REDSHIFT), error, curves, column,
            f"the error of a redshift must lie between 0 and {_HIGHEST_REDSHIFT:g}",
        )  # fmt: skip
        alone = np.flatnonzero(np.isnan(error) & ~np.isnan(redshift))
        if len(alone):
            raise LightCurveError(
                f"{name_object(curves, int(alone[0]))} has a redshift, and no error of it in "
                f"metadata column {column!r} ({len(alone)} of {len(curves)} objects). Give 0 for "
                "a redshift from a spectrum, the error of a photometric one, or NaN for both."
            )
        return redshift, np.where(np.isnan(redshift), np.nan, error)

    def _undetected_days(
        self, curves: LightCurves, representation: InputRepresentation
    ) -> np.ndarray:
        """Return days from the last non-detection to the first observation that is shown."""
        first = first_detection(curves, representation)
        if self.columns["last_non_detection"] is True:
            return first - last_non_detection(curves, representation)
        last = self._column(curves, "last_non_detection")
        late = np.flatnonzero(last > first)
        if len(late):
            number, of = int(late[0]), f"({len(late)} of {len(curves)} objects)"
            what = "the last non-detection before the first detection"
            if last[number] > _FIRST_JULIAN_DATE > first[number]:
                what += ", as MJD like the times: subtract 2400000.5"
            raise LightCurveError(
                f"The last non-detection of {name_object(curves, number)} in metadata column "
                f"{self.columns['last_non_detection']!r}, {last[number]:.10g}, lies after its "
                f"first detection, {first[number]:.10g} {of}. Give {what}, or NaN."
            )
        column, days = str(self.columns["last_non_detection"]), first - last
        _require(
            days < _LONGEST_UNDETECTED, last, curves, column,
            "a last non-detection must be a time, as MJD like those of the light curve, and at "
            "most a century before its first detection",
        )  # fmt: skip
        return days


def last_non_detection(curves: LightCurves, representation: InputRepresentation) -> np.ndarray:
    """Return the time of the last observation before the first that a network is shown.

    Parameters
    ----------
    curves : LightCurves
        Light curves of n_objects, none of them empty.
    representation : InputRepresentation
        Decides which observations are shown.

    Returns
    -------
    ndarray of shape (n_objects,)
        NaN for an object without such an observation, as in a stream of detections alone.

    Examples
    --------
    >>> from sklc import InputRepresentation, LightCurves
    >>> from sklc.context import last_non_detection
    >>> curves = LightCurves.from_arrays([59000.0, 59003.0, 59005.0], [1.0, 40.0, 20.0],
    ...                                  [2.0, 2.0, 2.0], "ztfg", offsets=[0, 3])
    >>> last_non_detection(curves, InputRepresentation.preset("corroborated"))
    array([59000.])
    """
    first = per_observation(first_detection(curves, representation), curves.offsets)
    before = np.where(curves.time < first, curves.time, -np.inf)
    last = reduce_by_object(np.maximum, before, curves.offsets, empty=-np.inf)
    return np.where(np.isfinite(last), last, np.nan)


def first_detection(curves: LightCurves, representation: InputRepresentation) -> np.ndarray:
    """Return the time of the first observation that a network is shown.

    Parameters
    ----------
    curves : LightCurves
        Light curves of n_objects, none of them empty.
    representation : InputRepresentation
        Decides which observations are shown.

    Returns
    -------
    ndarray of shape (n_objects,)

    Examples
    --------
    See `last_non_detection`.
    """
    seen = representation.shown(curves)
    return reduce_by_object(np.minimum, seen.time.astype(np.float64), seen.offsets, empty=np.nan)


def _require(
    possible: np.ndarray, values: np.ndarray, curves: LightCurves, column: str | bool, rule: str
) -> None:
    """Refuse values that are neither possible nor missing."""
    wrong = np.flatnonzero(~possible & ~np.isnan(values))
    if len(wrong):
        number = int(wrong[0])
        value = float(values[number])
        raise LightCurveError(
            f"Metadata column {column!r} of {name_object(curves, number)} is {value:g} "
            f"({len(wrong)} of {len(values)} values are impossible): {rule}, and is NaN where it "
            "is not known; numbers such as -9 or -99 stand for missing ones. Replace them by NaN: "
            f"curves.with_metadata(curves.metadata[[{column!r}]].astype(float).replace({value!r}, "
            "numpy.nan))"
        )
