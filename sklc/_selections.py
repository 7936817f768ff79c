"""Methods of `LightCurves` that return new light curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc import _operations
from sklc._convert import indexed_metadata
from sklc._store import Store, describe
from sklc.errors import LightCurveError
from sklc.passbands import Passband

if TYPE_CHECKING:
    from typing import Self


class Selections:
    """Methods that keep ids, metadata, zero point and the order of objects.

    An object that loses its last observation stays, empty: `lengths` shows it.
    """

    def _compact(self) -> Store:
        raise NotImplementedError

    @classmethod
    def _from_store(cls, store: Store, rows: Any = None) -> Self:
        raise NotImplementedError

    def detections(self, snr: float = 5.0) -> Self:
        """Keep the observations with flux / flux_err >= snr.

        Parameters
        ----------
        snr : float, default=5.0
            The least signal-to-noise ratio.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If the errors are not known.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 2.0], [1.0, 1.0], "ztfg",
        ...                                  offsets=[0, 2])
        >>> curves.detections(snr=5).flux
        array([9.])
        """
        return self._from_store(_operations.detections(self._compact(), snr))

    def truncate(self, *, days: float | None = None, points: int | None = None) -> Self:
        """Keep the beginning of each light curve.

        Parameters
        ----------
        days : float, optional
            Keep the observations up to this long after the object's first, inclusive.
        points : int, optional
            Keep this many observations, in any band.

        Returns
        -------
        LightCurves

        Raises
        ------
        ValueError
            Unless exactly one of the two is given, and not negative.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0, 9.0], [9.0, 8.0, 7.0], None, "ztfg",
        ...                                  offsets=[0, 3])
        >>> curves.truncate(days=5).time, curves.truncate(points=1).time
        (array([1., 2.]), array([1.]))
        """
        return self._from_store(_operations.truncate(self._compact(), days, points))

    def with_bands(self, *names: str | Passband) -> Self:
        """Keep the observations in these bands.

        Parameters
        ----------
        *names : str or Passband
            Canonical names or unambiguous aliases. They become `passbands`, in this order.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If no passband of the container has the name.
        ValueError
            If no name is given.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], None, ["ztfg", "ztfr"],
        ...                                  offsets=[0, 2])
        >>> curves.with_bands("ztfr").flux
        array([8.])
        """
        return self._from_store(_operations.with_bands(self._compact(), names))

    def nightly(self) -> Self:
        """Average the observations of one object, band and night.

        The night is ``floor(time)``, the day of MJD. Time and flux are averages weighted by the
        inverse variance, flux_err the error of that average. Where an error is not known, the
        average is unweighted and its error not known.

        Returns
        -------
        LightCurves

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.25, 1.75, 2.5], [8.0, 10.0, 7.0], [1.0, 1.0, 1.0],
        ...                                  "ztfg", offsets=[0, 3])
        >>> curves.nightly().time, curves.nightly().flux
        (array([1.5, 2.5]), array([9., 7.]))
        """
        return self._from_store(_operations.nightly(self._compact()))

    def with_metadata(self, frame: Any = None, /, **columns: Any) -> Self:
        """Add per-object columns, or replace those of the same name.

        Parameters
        ----------
        frame : pandas.DataFrame, optional
            Indexed by id, in any order, with a row for each object; other rows are ignored.
        **columns : array-like of shape (n_objects,) or scalar
            In the order of the objects; a Series that is indexed by ids is aligned by them.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If an object has no row, or a column not one value an object.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], None, "ztfg",
        ...                                  offsets=[0, 1, 2], ids=["a", "b"])
        >>> curves.with_metadata(redshift=[0.1, 0.2]).metadata["redshift"].to_dict()
        {'a': 0.1, 'b': 0.2}
        """
        store = self._compact()
        index = pd.Index(store.ids)
        metadata = store.metadata.reset_index(drop=True)
        added: dict[str, Any] = {}
        if frame is not None:
            if not isinstance(frame, pd.DataFrame):
                raise TypeError(f"expected a pandas.DataFrame, got {type(frame).__name__}")
            added |= {str(name): frame[name] for name in frame.columns}
        for name, column in (added | columns).items():
            metadata[name] = _per_object_column(name, column, index, name in columns)
        return self._from_store(replace(store, metadata=indexed_metadata(metadata, store.ids)))

    @classmethod
    def concatenate(
        cls,
        containers: Sequence[Self],
        *,
        suffixes: Sequence[str] | None = None,
        prefix_ids: bool = False,
    ) -> Self:
        """Put the objects of several containers one after the other.

        Fluxes are rescaled to the zero point of the first, the passband tables are merged, and
        metadata that one of them does not have is missing (NaN) for its objects.

        Parameters
        ----------
        containers : sequence of LightCurves
            At least one.
        suffixes : sequence of str, optional
            One for each container, appended to its ids (which become strings).
        prefix_ids : bool, default=False
            Put the container's number before its ids: "0_", "1_", ...

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If an id occurs twice, or ids are of mixed types.

        Examples
        --------
        >>> from sklc.light_curves import LightCurves
        >>> curves = LightCurves.from_arrays([1.0, 2.0], [9.0, 8.0], None, "ztfg",
        ...                                  offsets=[0, 1, 2], ids=["a", "b"])
        >>> LightCurves.concatenate([curves, curves[:1]], suffixes=["", "_again"]).ids
        array(['a', 'b', 'a_again'], dtype=object)
        """
        if isinstance(containers, Selections):
            raise TypeError("concatenate takes a list: LightCurves.concatenate([first, second])")
        containers = list(containers)
        if not containers:
            raise ValueError("there is nothing to concatenate: pass at least one LightCurves")
        for k, container in enumerate(containers):
            if not isinstance(container, Selections):
                raise TypeError(
                    f"item {k} is a {type(container).__name__}, not a LightCurves: convert it with "
                    "sklc.as_light_curves"
                )
        if suffixes is not None and (isinstance(suffixes, str) or len(suffixes) != len(containers)):
            raise ValueError(f"suffixes must be {len(containers)} strings, one for each container")
        return cls._from_store(
            _operations.concatenate(
                [container._compact() for container in containers],
                suffixes=suffixes,
                prefix_ids=prefix_ids,
            )
        )


def _per_object_column(name: str, column: Any, index: pd.Index, positional: bool) -> Any:
    """Return a metadata column in the order of the objects."""
    aligned = isinstance(column, pd.Series) and not (
        positional and isinstance(column.index, pd.RangeIndex)
    )
    if aligned:
        if not column.index.is_unique:
            raise LightCurveError(f"the index of metadata column {name!r} repeats an id")
        rows = column.index.get_indexer(index)
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            k = missing[0]
            raise LightCurveError(
                f"{describe(index.to_numpy(), k)} has no value in the metadata column {name!r} "
                f"({len(missing)} of {len(index)} objects; it is indexed by "
                f"{column.index[:3].tolist()}...): index it by object id, or pass its .to_numpy() "
                "if it is in the order of the objects"
            )
        return column.iloc[rows].reset_index(drop=True)
    if np.ndim(column) and len(column) != len(index):
        raise LightCurveError(
            f"metadata column {name!r} has {len(column)} values for {len(index)} objects"
        )
    return column.reset_index(drop=True) if isinstance(column, pd.Series) else column
